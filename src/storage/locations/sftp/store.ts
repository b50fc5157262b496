// What the parts of the SFTP driver share: the way to the server, where our names lie, and that it is still the right place.
import { dirname } from 'node:path'
import type { Clock } from '#base'
import { sftpBounds } from '../bounds.ts'
import type { FragmentName } from '../contract.ts'
import { locationFailure } from '../failures.ts'
import { StatusError } from './link-error.ts'
import type { Link } from './link.ts'
import { STATUS } from './packets.ts'
import { BLOCK_HEAD_BYTES, type Block, type SftpSession } from './session.ts'

/** Written once by whoever adds the location (docs/spec/vault.md). */
const MARKER = 'location.json'
export const PART_PREFIX = '.part-'

export interface SftpStore {
  readonly link: Link
  readonly label: string
  readonly clock: Clock
  /** The folder of the location, as the server is asked for it. */
  readonly base: string
  readonly blocks: BlockPool
  /** Folders that were made or seen, so that they are not made for every name. */
  readonly folders: Set<string>
  /** The marker was there: from now on a place without it is another one. */
  markerSeen: boolean
  /** What the server's hard links were found to be. */
  links: 'unknown' | 'good' | 'none'
}

/** `~/x` is `x` to the server, where paths begin at the folder of the login. */
export function basePath(path: string): string {
  const clean = path.replace(/\/+$/, '')
  if (clean === '~') return '.'
  return clean.startsWith('~/') ? clean.slice(2) : clean
}

export function pathOf(store: SftpStore, name: FragmentName): string {
  return `${store.base}/${name}`
}

export function sawMarker(store: SftpStore, name: FragmentName, there: boolean): void {
  if (name === MARKER) store.markerSeen = there
}

/**
 * Throws unless the folder of the location stands and is the one it was: an unmounted disk leaves an empty folder behind, where nothing may be written or
 * called absent.
 */
export async function requireRoot(store: SftpStore, session: SftpSession, signal: AbortSignal | undefined): Promise<void> {
  if (store.markerSeen) {
    if ((await session.lookAt(pathOf(store, MARKER), signal)) !== undefined) return
    throw locationFailure('location.not-ours', {
      label: store.label,
      detail: `${store.label} is not the folder it was before: its marker is gone; the disk of the server may be unmounted. Nothing was written.`,
      next: 'Mount the disk again; if the new folder is to take its place, repair fills it.',
    })
  }
  // With the dot a link to a folder is followed.
  const found = await session.lookAt(`${store.base}/.`, signal)
  if (found === undefined) throw new StatusError(STATUS.noSuchFile)
  if (found.type === 'file' || found.type === 'other')
    throw notOurs(store.label, 'something else than a folder at the path of the location')
}

/** Makes the folders on the way to a name; the folder of the location itself is never made. */
export async function prepareFolders(
  store: SftpStore,
  session: SftpSession,
  name: FragmentName,
  signal: AbortSignal | undefined,
): Promise<void> {
  const segments = name.split('/').slice(0, -1)
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const folder = pathOf(store, segments.slice(0, depth).join('/'))
    if (store.folders.has(folder)) continue
    await makeFolder(store, session, folder, signal)
    if (store.folders.size >= sftpBounds.foldersKnownMax) store.folders.clear()
    store.folders.add(folder)
  }
}

async function makeFolder(store: SftpStore, session: SftpSession, folder: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await session.makeFolder(folder, signal)
  } catch (error) {
    // It exists, most often; what it is decides.
    const found = error instanceof StatusError ? await session.lookAt(folder, signal) : undefined
    if (found === undefined) throw error
    if (found.type === 'file' || found.type === 'other') throw notOurs(store.label, 'a file or link where a folder should be')
  }
}

/** Forgets the folders on the way to a name: somebody removed them. */
export function forgetFolders(store: SftpStore, name: FragmentName): void {
  for (let folder = dirname(pathOf(store, name)); folder.length > store.base.length; folder = dirname(folder)) store.folders.delete(folder)
}

export function notOurs(label: string, what: string): Error {
  return locationFailure('location.not-ours', {
    label,
    detail: `${label} has ${what}.`,
    next: 'Move what is not a fragment out of the folder of the location.',
  })
}

/** Memory of writes on their way, used again and again. */
export class BlockPool {
  readonly #free: Buffer[] = []

  take(blockBytes: number): Block {
    const length = BLOCK_HEAD_BYTES + blockBytes
    for (let memory = this.#free.pop(); memory !== undefined; memory = this.#free.pop())
      if (memory.length === length) return { memory, length: 0 }
    return { memory: Buffer.allocUnsafeSlow(length), length: 0 }
  }

  giveBack({ memory }: Block): void {
    if (this.#free.length < sftpBounds.blocksKeptMax) this.#free.push(memory)
  }
}
