// Unfinished writes in a folder: finding them, removing the old ones.
import { lstat, opendir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { stopIfCancelled } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import type { FolderRoot } from './folder-root.ts'
import { PART_PREFIX } from './folder-sink.ts'
import { isFragmentName } from './names.ts'

/** Removes parts last written before `before` (milliseconds since 1970); answers how many. */
export async function sweepFolder(root: FolderRoot, before: number, signal: AbortSignal | undefined): Promise<number> {
  await root.check()
  let removed = 0
  for await (const part of partsBelow(root, '', signal)) {
    try {
      if ((await lstat(part)).mtimeMs > before) continue
      await unlink(part)
      removed += 1
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw folderFailure(error, root.label)
    }
  }
  return removed
}

/** Paths of unfinished writes at or below a folder, which is '' or ends with `/`. */
export async function* partsBelow(root: FolderRoot, folder: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  stopIfCancelled(signal)
  try {
    for await (const entry of await opendir(join(root.path, folder))) {
      if (entry.isFile() && entry.name.startsWith(PART_PREFIX)) yield join(root.path, folder, entry.name)
      else if (entry.isDirectory() && isFragmentName(`${folder}${entry.name}`)) yield* partsBelow(root, `${folder}${entry.name}/`, signal)
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || folder === '') throw folderFailure(error, root.label)
  }
}
