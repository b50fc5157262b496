// Folders of an SFTP server, read in pages: names of ours in order, and what unfinished writes left.
import { randomBytes } from 'node:crypto'
import { bounds, sftpBounds } from '../bounds.ts'
import type { ListPage, ListRequest } from '../contract.ts'
import { locationFailure, stopIfCancelled } from '../failures.ts'
import { isFragmentName } from '../names.ts'
import { type FolderEntry, namesInOrder } from '../walk.ts'
import { StatusError } from './link-error.ts'
import { type NamedEntry, OPEN, STATUS } from './packets.ts'
import type { SftpSession } from './session.ts'
import { PART_PREFIX, type SftpStore, pathOf, requireRoot } from './store.ts'

/** One page of names with their sizes. */
export async function listOverSftp(
  store: SftpStore,
  session: SftpSession,
  request: ListRequest,
  signal: AbortSignal | undefined,
): Promise<ListPage> {
  await requireRoot(store, session, signal)
  const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
  const entries: { name: string; sizeBytes: number }[] = []
  const read = (folder: string): AsyncIterable<FolderEntry> => entriesOf(store, session, folder, signal)
  for await (const { name, sizeBytes } of namesInOrder(read, { prefix: request.prefix, after: request.after ?? '', signal })) {
    entries.push({ name, sizeBytes })
    if (entries.length === limit) return { entries, next: name }
  }
  return { entries }
}

async function* entriesOf(
  store: SftpStore,
  session: SftpSession,
  folder: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<FolderEntry> {
  for await (const { name, attributes } of rawEntries(store, session, folder, signal)) {
    const { type, sizeBytes } = attributes
    if (type === 'folder') yield { name, isFolder: true, sizeBytes: 0 }
    else if (type === 'file' && sizeBytes !== undefined) yield { name, isFolder: false, sizeBytes }
  }
}

/** A folder that went away while we listed holds nothing; the root itself must stand. */
export async function* rawEntries(
  store: SftpStore,
  session: SftpSession,
  folder: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<NamedEntry> {
  stopIfCancelled(signal)
  let handle
  try {
    handle = await session.openFolder(`${store.base}/${folder}`, signal)
  } catch (error) {
    if (error instanceof StatusError && error.status === STATUS.noSuchFile && folder !== '') return
    throw error
  }
  try {
    let empty = 0
    for (;;) {
      const page = await session.readFolder(handle, signal)
      if (page === undefined) return
      empty = page.length === 0 ? empty + 1 : 0
      // Pages of nothing for ever.
      if (empty > 8) throw endless(store.label)
      yield* page
    }
  } finally {
    session.close(handle)
  }
}

/** Removes parts last written so long ago, by the server's own clock; answers how many. */
export async function sweepOverSftp(
  store: SftpStore,
  session: SftpSession,
  olderThanMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  await requireRoot(store, session, signal)
  const before = (await serverNowMs(store, session, signal)) - olderThanMs
  let removed = 0
  for await (const { path, modifiedS } of partsBelow(store, session, '', signal)) {
    if (modifiedS === undefined || modifiedS * 1000 > before) continue
    try {
      await session.remove(path, signal)
      removed += 1
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      if (error.status === STATUS.denied) throw error
    }
  }
  return removed
}

/** Our clock may be wrong, or the server's: what is older than what is decided by one of them alone. */
async function serverNowMs(store: SftpStore, session: SftpSession, signal: AbortSignal | undefined): Promise<number> {
  const path = pathOf(store, `${PART_PREFIX}${randomBytes(16).toString('hex')}`)
  const handle = await session.open(path, OPEN.write | OPEN.create | OPEN.exclusive, { mode: 0o640, signal })
  session.close(handle)
  try {
    const { modifiedS } = (await session.lookAt(path, signal)) ?? {}
    return modifiedS === undefined ? store.clock.now() : modifiedS * 1000
  } finally {
    await session.remove(path, undefined).catch(() => undefined)
  }
}

/** Unfinished writes at or below a folder, which is '' or ends with `/`. */
export async function* partsBelow(
  store: SftpStore,
  session: SftpSession,
  folder: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly path: string; readonly modifiedS: number | undefined }> {
  if (folder.split('/').length > sftpBounds.folderDepthMax) return
  const inner: string[] = []
  for await (const { name, attributes } of rawEntries(store, session, folder, signal)) {
    if (name.includes('/')) continue
    if (attributes.type === 'file' && name.startsWith(PART_PREFIX))
      yield { path: pathOf(store, `${folder}${name}`), modifiedS: attributes.modifiedS }
    else if (attributes.type === 'folder' && isFragmentName(`${folder}${name}`)) inner.push(`${folder}${name}/`)
  }
  for (const each of inner) yield* partsBelow(store, session, each, signal)
}

function endless(label: string): Error {
  return locationFailure('location.lies', { label, detail: `${label} lists a folder without end.`, next: 'Use another SFTP server.' })
}
