// What was dropped or chosen, as files with the path that each had in its folder.

export type Found =
  | { readonly kind: 'file'; readonly file: File; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string }

const DEPTH_MAX = 64

/** Takes hold of a drop. Call it in the drop event itself: the browser empties the list right afterwards. */
export function holdDrop(transfer: DataTransfer): () => AsyncGenerator<Found> {
  const held = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  return async function* () {
    for (const { entry, file } of held) {
      if (entry !== null) yield* walk(entry, '', 0)
      else if (file !== null) yield { kind: 'file', file, path: file.name }
    }
  }
}

/** Files of an `<input>`; with `webkitdirectory` they carry their path. */
export async function* chosen(files: Iterable<File>): AsyncGenerator<Found> {
  for (const file of files) yield { kind: 'file', file, path: file.webkitRelativePath || file.name }
}

async function* walk(entry: FileSystemEntry, above: string, depth: number): AsyncGenerator<Found> {
  const path = above === '' ? entry.name : `${above}/${entry.name}`
  if (entry.isFile) {
    const file = await fileOf(entry as FileSystemFileEntry)
    yield file === undefined ? { kind: 'unreadable', path } : { kind: 'file', file, path }
    return
  }
  yield { kind: 'folder', path }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    const page = depth < DEPTH_MAX ? await pageOf(reader) : undefined
    if (page === undefined) {
      yield { kind: 'unreadable', path }
      return
    }
    if (page.length === 0) return
    for (const child of page) yield* walk(child, path, depth + 1)
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File | undefined> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(undefined)))
}

/** Browsers answer at most 100 entries a call; an empty page is the end. */
function pageOf(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[] | undefined> {
  return new Promise((resolve) => reader.readEntries(resolve, () => resolve(undefined)))
}
