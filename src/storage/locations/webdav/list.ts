// Folders of a WebDAV server: names of ours in order, and what unfinished writes left.
import { bounds, webdavBounds } from '../bounds.ts'
import type { ListPage, ListRequest } from '../contract.ts'
import { locationFailure, stopIfCancelled } from '../failures.ts'
import { isFragmentName } from '../names.ts'
import { type FolderEntry, namesInOrder } from '../walk.ts'
import { PART_PREFIX, type WebdavStore, propfind, removeAt, requireRoot, statusFailure, targetOf } from './store.ts'

/** One page of names with their sizes. */
export async function listOverWebdav(store: WebdavStore, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  stopIfCancelled(signal)
  await requireRoot(store, signal)
  const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
  const entries: { name: string; sizeBytes: number }[] = []
  const read = (folder: string): AsyncIterable<FolderEntry> => entriesOf(store, folder, signal)
  for await (const { name, sizeBytes } of namesInOrder(read, { prefix: request.prefix, after: request.after ?? '', signal })) {
    entries.push({ name, sizeBytes })
    if (entries.length === limit) return { entries, next: name }
  }
  return { entries }
}

async function* entriesOf(store: WebdavStore, folder: string, signal: AbortSignal | undefined): AsyncGenerator<FolderEntry> {
  for (const { name, isFolder, sizeBytes } of (await childrenOf(store, folder, signal)).children)
    if (isFolder || sizeBytes !== undefined) yield { name, isFolder, sizeBytes: sizeBytes ?? 0 }
}

interface Child {
  readonly name: string
  readonly isFolder: boolean
  readonly sizeBytes: number | undefined
  readonly modifiedMs: number | undefined
}

/** What is directly in a folder, which is '' or ends with `/`; one that is gone holds nothing. */
async function childrenOf(
  store: WebdavStore,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly children: readonly Child[]; readonly nowMs: number }> {
  stopIfCancelled(signal)
  const found = await propfind(store, targetOf(store, folder), { depth: 1, signal })
  if (found === undefined) return { children: [], nowMs: store.clock.now() }
  const self = `${store.basePath}/${folder}`.replace(/(?<=.)\/$/, '')
  const inside = self === '/' ? '/' : `${self}/`
  const children: Child[] = []
  const seen = new Set<string>()
  for (const { path, ...rest } of found.entries) {
    if (path === self) continue
    const name = path.slice(inside.length)
    if (!path.startsWith(inside) || name === '' || name.includes('/') || seen.has(name)) throw astray(store.label)
    seen.add(name)
    children.push({ name, ...rest })
  }
  return { children, nowMs: found.nowMs }
}

/** Removes parts and locks last written so long ago, by the server's own clock; answers how many. */
export async function sweepOverWebdav(store: WebdavStore, olderThanMs: number, signal: AbortSignal | undefined): Promise<number> {
  await requireRoot(store, signal)
  let removed = 0
  for await (const { target, modifiedMs, nowMs } of partsBelow(store, '', signal)) {
    if (modifiedMs === undefined || modifiedMs > nowMs - olderThanMs) continue
    const answer = await removeAt(store, target, signal)
    if (answer.status < 300) removed += 1
    // 423: somebody is at it now.
    else if (answer.status !== 404 && answer.status !== 423) throw statusFailure(store, answer)
  }
  return removed
}

interface FoundPart {
  readonly target: string
  readonly modifiedMs: number | undefined
  readonly nowMs: number
}

/** Unfinished writes at or below a folder, which is '' or ends with `/`. */
export async function* partsBelow(store: WebdavStore, folder: string, signal: AbortSignal | undefined): AsyncGenerator<FoundPart> {
  if (folder.split('/').length > webdavBounds.folderDepthMax) return
  const { children, nowMs } = await childrenOf(store, folder, signal)
  for (const { name, isFolder, modifiedMs } of children) {
    // A lock is a folder, and nothing is ever put into it.
    if (name.startsWith(PART_PREFIX) && /^[a-z0-9._-]+$/.test(name))
      yield { target: `${targetOf(store, `${folder}${name}`)}${isFolder ? '/' : ''}`, modifiedMs, nowMs }
  }
  for (const { name, isFolder } of children)
    if (isFolder && isFragmentName(`${folder}${name}`)) yield* partsBelow(store, `${folder}${name}/`, signal)
}

function astray(label: string): Error {
  return locationFailure('location.lies', {
    label,
    detail: `${label} lists names twice, or others than those in the folder that was asked for.`,
    next: 'Check the address: behind a proxy that changes paths, name the server itself.',
  })
}
