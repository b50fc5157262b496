// Names below a folder in code point order, with bounded memory however many there are, over any store that can show one folder at a time.
import { bounds } from './bounds.ts'
import { stopIfCancelled } from './failures.ts'
import { isFragmentName } from './names.ts'

export interface FolderEntry {
  /** The last segment alone. */
  readonly name: string
  readonly isFolder: boolean
  readonly sizeBytes: number
}

/** The entries of a folder, in any order; '' is the root, others end with `/`. A folder that is gone shows none. */
export type FolderReader = (folder: string) => AsyncIterable<FolderEntry>

interface Found {
  readonly name: string
  readonly isFolder: boolean
  readonly sizeBytes: number
}

export interface Wanted {
  readonly prefix: string
  readonly after: string
  readonly signal: AbortSignal | undefined
}

/** Names of ours with their sizes. Dot names and names that are not ours are passed over. */
export async function* namesInOrder(read: FolderReader, wanted: Wanted, folder = ''): AsyncGenerator<Found> {
  let after = ''
  for (;;) {
    const batch = await smallestEntries(read, folder, { ...wanted, afterKey: after })
    for (const found of batch) {
      if (found.isFolder) yield* namesInOrder(read, wanted, `${found.name}/`)
      else yield found
      after = keyOf(found)
    }
    if (batch.length < bounds.folderEntriesMax) return
  }
}

/** At most `folderEntriesMax` entries of one folder, the smallest of those that matter and come after `afterKey`, in order. */
async function smallestEntries(read: FolderReader, folder: string, wanted: Wanted & { readonly afterKey: string }): Promise<Found[]> {
  stopIfCancelled(wanted.signal)
  let found: Found[] = []
  const keepSmallest = (): void => {
    found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    found = found.slice(0, bounds.folderEntriesMax)
  }
  for await (const entry of read(folder)) {
    const name = `${folder}${entry.name}`
    if (entry.name.includes('/') || !isFragmentName(name)) continue
    const each = { ...entry, name }
    if (!matters(each, wanted) || keyOf(each) <= wanted.afterKey) continue
    found.push(each)
    if (found.length >= 2 * bounds.folderEntriesMax) keepSmallest()
  }
  stopIfCancelled(wanted.signal)
  keepSmallest()
  return found
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
