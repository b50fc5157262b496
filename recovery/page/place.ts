// What a person handed to the page: places, each with its files as the location kept them.
import type { FragmentFile } from '#format'

/** One file of a place; nothing of it is read before it is asked for. */
export interface PlaceFile {
  /** Path below the folder that was chosen, with `/`. */
  readonly name: string
  readonly sizeBytes: number
  slice(begin: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** What comes from one location. It counts once, however many fragments of one object it offers. */
export interface Place {
  /** What people call it; no two are the same. */
  readonly label: string
  readonly files: readonly PlaceFile[]
}

/** What the names of a place say that its files are. */
export interface Sorted {
  readonly fragments: readonly PlaceFile[]
  readonly heads: readonly { readonly file: PlaceFile; readonly vault: string; readonly epoch: number }[]
  readonly markers: readonly PlaceFile[]
  readonly ignored: number
}

const FRAGMENT = /(?:^|\/)([0-9a-f]{2})\/([0-9a-f]{32})$/
const HEAD = /(?:^|\/)head\/([0-9a-f]{32})\/([0-9a-f]{16})$/

export function sortFiles({ files }: Place): Sorted {
  const fragments: PlaceFile[] = []
  const heads: { file: PlaceFile; vault: string; epoch: number }[] = []
  const markers: PlaceFile[] = []
  let ignored = 0
  for (const file of files) {
    const head = HEAD.exec(file.name)
    if (isFragment(file.name)) fragments.push(file)
    else if (head !== null) heads.push({ file, vault: head[1]!, epoch: Number.parseInt(head[2]!, 16) })
    else if (/(?:^|\/)location\.json$/.test(file.name)) markers.push(file)
    // A single file that somebody picked by itself may have any name.
    else if (files.length === 1) fragments.push(file)
    else ignored += 1
  }
  return { fragments, heads, markers, ignored }
}

export async function bytesOf(file: PlaceFile, begin = 0, end = file.sizeBytes): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await file.slice(begin, end).arrayBuffer())
  if (bytes.length !== end - begin) throw new Error('a file became shorter while it was read')
  return bytes
}

/** The file as the fragment format reads it. */
export function fragmentFile(place: string, file: PlaceFile): FragmentFile {
  return {
    location: place,
    file: file.name,
    sizeBytes: file.sizeBytes,
    read: async (offset, into) => into.set(await bytesOf(file, offset, offset + into.length)),
  }
}

function isFragment(name: string): boolean {
  const found = FRAGMENT.exec(name)
  return (found !== null && found[2]!.startsWith(found[1]!)) || name.endsWith('.frg')
}
