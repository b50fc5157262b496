// Names below a folder in code point order, with bounded memory however many there are.
import type { Dirent } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { bounds } from './bounds.ts'
import type { ListPage, ListRequest } from './contract.ts'
import { stopIfCancelled } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import type { FolderRoot } from './folder-root.ts'
import { isFragmentName } from './names.ts'

interface Found {
  readonly name: string
  readonly isFolder: boolean
}

interface Wanted {
  readonly prefix: string
  readonly after: string
  readonly signal: AbortSignal | undefined
}

/** One page of names with their sizes. Links, dot names and names that are not ours are passed over. */
export async function listFolder(root: FolderRoot, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  await root.check()
  const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
  const names: string[] = []
  for await (const name of walk(root, '', { prefix: request.prefix, after: request.after ?? '', signal })) {
    names.push(name)
    if (names.length === limit) break
  }
  const entries: { name: string; sizeBytes: number }[] = []
  for (let at = 0; at < names.length; at += bounds.folderStatsInFlight) {
    const sizes = await Promise.all(names.slice(at, at + bounds.folderStatsInFlight).map((name) => sizeOf(root, name)))
    for (const found of sizes) if (found !== undefined) entries.push(found)
  }
  return names.length === limit ? { entries, next: names.at(-1) } : { entries }
}

async function* walk(root: FolderRoot, folder: string, wanted: Wanted): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const batch = await smallestEntries(root, folder, { ...wanted, afterKey: after })
    for (const found of batch) {
      if (found.isFolder) yield* walk(root, `${found.name}/`, wanted)
      else yield found.name
      after = keyOf(found)
    }
    if (batch.length < bounds.folderEntriesMax) return
  }
}

/** At most `folderEntriesMax` entries of one folder, the smallest of those that matter and come after `afterKey`, in order. */
async function smallestEntries(root: FolderRoot, folder: string, wanted: Wanted & { readonly afterKey: string }): Promise<Found[]> {
  stopIfCancelled(wanted.signal)
  let found: Found[] = []
  const keepSmallest = (): void => {
    found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    found = found.slice(0, bounds.folderEntriesMax)
  }
  try {
    for await (const entry of await opendir(join(root.path, folder), { bufferSize: 256 })) {
      const each = asFound(entry, folder)
      if (each === undefined || !matters(each, wanted) || keyOf(each) <= wanted.afterKey) continue
      found.push(each)
      if (found.length >= 2 * bounds.folderEntriesMax) keepSmallest()
    }
  } catch (error) {
    // A folder that went away while we listed holds nothing; the root itself must stand.
    if (errnoOf(error) !== 'ENOENT' || folder === '') throw folderFailure(error, root.label)
  }
  stopIfCancelled(wanted.signal)
  keepSmallest()
  return found
}

function asFound(entry: Dirent, folder: string): Found | undefined {
  const name = `${folder}${entry.name}`
  if (!isFragmentName(name)) return undefined
  if (entry.isDirectory()) return { name, isFolder: true }
  return entry.isFile() ? { name, isFolder: false } : undefined
}

/** A folder sorts as its names do, which all have `/` after it. */
function keyOf(found: Found): string {
  return found.isFolder ? `${found.name}/` : found.name
}

function matters(found: Found, { prefix, after }: Wanted): boolean {
  const key = keyOf(found)
  if (!found.isFolder) return key.startsWith(prefix) && key > after
  return (key.startsWith(prefix) || prefix.startsWith(key)) && (key > after || after.startsWith(key))
}

async function sizeOf(root: FolderRoot, name: string): Promise<{ readonly name: string; readonly sizeBytes: number } | undefined> {
  try {
    return { name, sizeBytes: (await lstat(join(root.path, name))).size }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw folderFailure(error, root.label)
  }
}
