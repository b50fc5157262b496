// From what a person chose or dropped to places. Names come as the browser tells them; nothing is read yet.
import type { Place, PlaceFile } from './place.ts'

const FILES_MAX = 5_000_000
const DEPTH_MAX = 12

/** The files of a folder that was chosen: one place, called as the folder. */
export function placeOfFolder(files: readonly File[], fallback: string): Place | undefined {
  if (files.length === 0) return undefined
  const label = files[0]!.webkitRelativePath.split('/')[0] || fallback
  return { label, files: files.map((file) => named(file, file.webkitRelativePath.split('/').slice(1).join('/') || file.name)) }
}

/** Fragments that were chosen together: one place. */
export function placeOfFiles(files: readonly File[], fallback: string): Place | undefined {
  return files.length === 0
    ? undefined
    : { label: files.length === 1 ? files[0]!.name : fallback, files: files.map((file) => named(file, file.name)) }
}

/** What was dropped: each folder a place, each file by itself a place. */
export async function placesOfDrop(items: DataTransferItemList): Promise<Place[]> {
  // Both ways are asked at once, since the list is empty after the first wait. Chromium reads folders that were dropped on a page from the disk
  // by handles only; other browsers know entries only.
  const dropped = Array.from(items)
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ handle: (item as HandleItem).getAsFileSystemHandle?.(), entry: item.webkitGetAsEntry() }))
  const places = await Promise.all(
    dropped.map(async ({ handle, entry }) => {
      const files: PlaceFile[] = []
      const standing = await handle
      if (standing != null) await walkHandle(standing, '', files, 0)
      else if (entry !== null) await walk(entry, '', files, 0)
      return { label: standing?.name ?? entry?.name ?? '', files }
    }),
  )
  return places.filter(({ files }) => files.length > 0)
}

interface HandleItem {
  readonly getAsFileSystemHandle?: () => Promise<FileSystemFileHandle | FileSystemDirectoryHandle | null>
}

async function walkHandle(
  handle: FileSystemFileHandle | FileSystemDirectoryHandle,
  below: string,
  into: PlaceFile[],
  depth: number,
): Promise<void> {
  if (into.length >= FILES_MAX || depth > DEPTH_MAX) throw new Error('too many files')
  if (handle.kind === 'file') {
    into.push(named(await handle.getFile(), `${below}${handle.name}`))
    return
  }
  const prefix = depth === 0 ? '' : `${below}${handle.name}/`
  for await (const one of handle.values()) await walkHandle(one, prefix, into, depth + 1)
}

async function walk(entry: FileSystemEntry, below: string, into: PlaceFile[], depth: number): Promise<void> {
  if (into.length >= FILES_MAX || depth > DEPTH_MAX) throw new Error('too many files')
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      ;(entry as FileSystemFileEntry).file(resolve, reject)
    })
    into.push(named(file, `${below}${file.name}`))
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const prefix = depth === 0 ? '' : `${below}${entry.name}/`
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject)
    })
    if (some.length === 0) return
    for (const one of some) await walk(one, prefix, into, depth + 1)
  }
}

function named(file: File, name: string): PlaceFile {
  return { name, sizeBytes: file.size, slice: (begin, end) => file.slice(begin, end) }
}
