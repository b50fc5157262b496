// Indexes of sorted text in blocks: tabix (.tbi) and the coordinate-sorted index (.csi), as the SAM/BAM format specifications describe them.
import { CannotShow } from '../cannot-show.ts'
import { bare, type Region } from './region.ts'

export interface TextIndex {
  readonly names: readonly string[]
  /** The virtual offset from which rows of the region may come; undefined when there are none. */
  startOf(region: Region): number | undefined
}

const NAMES_MAX = 100_000
const BINS_MAX = 10_000_000
const CHUNKS_MAX = 10_000_000
const META_OFFSET = 28
const TBI_SHIFT = 14
const TBI_DEPTH = 5

interface Bin {
  readonly start: number
  readonly end: number
}

/** Of the unpacked bytes of an index file. */
export function parseTextIndex(bytes: Uint8Array): TextIndex {
  const reader = new Reader(bytes)
  const magic = reader.uint32()
  if (magic === 0x01494254) return parseTbi(reader)
  if (magic === 0x01495343) return parseCsi(reader)
  throw new CannotShow('damaged', 'index')
}

function parseTbi(reader: Reader): TextIndex {
  const references = reader.count(NAMES_MAX)
  reader.at += 24
  const names = readNames(reader, reader.count(reader.left))
  const bins = Array.from({ length: references }, () => {
    const found = readBins(reader, false)
    const intervals = reader.count(reader.left / 8)
    const linear = Array.from({ length: intervals }, () => reader.offset())
    return { ...found, linear }
  })
  return {
    names,
    startOf: (region) => {
      const reference = bins[referenceOf(names, region)]
      if (reference === undefined) return undefined
      const { linear } = reference
      const least = linear.length === 0 ? 0 : linear[Math.min(linear.length - 1, (region.start - 1) >> TBI_SHIFT)]!
      return earliest(reference.bins, region, TBI_SHIFT, TBI_DEPTH, least)
    },
  }
}

function parseCsi(reader: Reader): TextIndex {
  const shift = reader.uint32()
  const depth = reader.uint32()
  if (shift < 1 || shift > 30 || depth < 1 || depth > 10) throw new CannotShow('damaged', 'index')
  const extra = reader.count(reader.left)
  const extraEnd = reader.at + extra
  let names: readonly string[] = []
  if (extra > META_OFFSET) {
    reader.at += META_OFFSET - 4
    names = readNames(reader, reader.count(reader.left))
  }
  reader.at = extraEnd
  const references = Array.from({ length: reader.count(NAMES_MAX) }, () => readBins(reader, true))
  return {
    names,
    startOf: (region) => {
      const reference = references[referenceOf(names, region)]
      return reference === undefined ? undefined : earliest(reference.bins, region, shift, depth, 0)
    },
  }
}

function referenceOf(names: readonly string[], region: Region): number {
  const exact = names.indexOf(region.chromosome)
  return exact === -1 ? names.findIndex((name) => bare(name) === bare(region.chromosome)) : exact
}

/** The first offset of all bins that may hold rows of the region, not before `least`. */
function earliest(bins: ReadonlyMap<number, Bin>, region: Region, shift: number, depth: number, least: number): number | undefined {
  let found: number | undefined
  for (const [bin, { start, end }] of bins) {
    if (end <= least || !covers(bin, region, shift, depth)) continue
    const from = Math.max(start, least)
    found = found === undefined ? from : Math.min(found, from)
  }
  return found
}

/** Whether a bin of the tree overlaps the region (SAM v1, 5.3; CSIv1). */
function covers(bin: number, region: Region, shift: number, depth: number): boolean {
  let first = 0
  for (let level = 0; level <= depth; level++) {
    const count = 8 ** level
    if (bin < first + count) {
      const width = 2 ** (shift + 3 * (depth - level))
      const start = (bin - first) * width
      return start < region.end && start + width > region.start - 1
    }
    first += count
  }
  return false
}

function readBins(reader: Reader, withOffset: boolean): { readonly bins: ReadonlyMap<number, Bin> } {
  const bins = new Map<number, Bin>()
  const count = reader.count(Math.min(BINS_MAX, reader.left / 8))
  for (let index = 0; index < count; index++) {
    const bin = reader.uint32()
    if (withOffset) reader.offset()
    const chunks = reader.count(Math.min(CHUNKS_MAX, reader.left / 16))
    let [start, end] = [Number.MAX_SAFE_INTEGER, 0]
    for (let chunk = 0; chunk < chunks; chunk++) {
      start = Math.min(start, reader.offset())
      end = Math.max(end, reader.offset())
    }
    if (chunks > 0) bins.set(bin, { start, end })
  }
  return { bins }
}

function readNames(reader: Reader, length: number): readonly string[] {
  return new TextDecoder().decode(reader.part(length)).split('\0').slice(0, -1)
}

class Reader {
  at = 0
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#view.byteLength - this.at
  }

  uint32(): number {
    this.#need(4)
    this.at += 4
    return this.#view.getUint32(this.at - 4, true)
  }

  /** A number of things that follow, of which there cannot be more than `most`. */
  count(most: number): number {
    const value = this.uint32()
    if (value > most) throw new CannotShow('damaged', 'index')
    return value
  }

  /** A virtual offset; files of more than 128 GiB packed are beyond what numbers hold. */
  offset(): number {
    this.#need(8)
    this.at += 8
    const value = this.#view.getBigUint64(this.at - 8, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CannotShow('damaged', 'index')
    return Number(value)
  }

  part(length: number): Uint8Array {
    this.#need(length)
    this.at += length
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.at - length, length)
  }

  #need(length: number): void {
    if (length > this.left) throw new CannotShow('damaged', 'index')
  }
}
