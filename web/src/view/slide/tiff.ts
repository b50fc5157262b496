// Directories of a TIFF file (TIFF 6.0, section 2; BigTIFF), read in ranges. Every loop and length is bounded, since files lie.
import { type Bytes, readExactly } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'

export interface TiffDirectory {
  readonly width: number
  readonly height: number
  readonly tiled: boolean
  /** Of a strip, where it is not tiled: as wide as the image. */
  readonly tileWidth: number
  readonly tileHeight: number
  readonly compression: number
  readonly photometric: number
  readonly samples: number
  readonly bits: readonly number[]
  readonly sampleFormat: number
  readonly planar: boolean
  readonly predictor: number
  readonly fillOrder: number
  /** Bits of NewSubfileType: 1 reduced, 2 page, 4 mask. */
  readonly subfile: number
  readonly description: string
  readonly jpegTables: Uint8Array | undefined
  readonly colourMap: Uint16Array | undefined
  /** Pixels per unit, and the unit: 1 none, 2 inch, 3 centimetre. */
  readonly resolution: { readonly x: number; readonly y: number; readonly unit: number } | undefined
  readonly offsets: TiffArray
  readonly counts: TiffArray
  /** Smaller copies of it that hang on it. */
  readonly children: readonly TiffDirectory[]
}

/** Numbers that lie somewhere in the file; slides have hundreds of thousands of them. */
export interface TiffArray {
  readonly count: number
  readonly at: number
  readonly bytesEach: 2 | 4 | 8
  readonly littleEndian: boolean
}

export interface Tiff {
  readonly littleEndian: boolean
  readonly big: boolean
  readonly directories: readonly TiffDirectory[]
  /** There are more directories than are looked at. */
  readonly cut: boolean
}

const DIRECTORIES_MAX = 256
const CHILDREN_MAX = 32
const ENTRIES_MAX = 1024
const DESCRIPTION_BYTES_MAX = 4 * 2 ** 20
const TABLES_BYTES_MAX = 64 * 1024
const NUMBERS_MAX = 65_536
const PIXELS_EDGE_MAX = 2 ** 24

/** Bytes of each field type, TIFF 6.0 and BigTIFF; 0 = unknown. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]

const TAG = {
  subfile: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  description: 270,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripCounts: 279,
  xResolution: 282,
  yResolution: 283,
  planar: 284,
  resolutionUnit: 296,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileCounts: 325,
  children: 330,
  sampleFormat: 339,
  jpegTables: 347,
} as const

interface Entry {
  readonly type: number
  readonly count: number
  /** Where its values are: in the entry itself when they fit. */
  readonly at: number
}

interface Context {
  readonly bytes: Bytes
  readonly littleEndian: boolean
  readonly big: boolean
  readonly signal: AbortSignal | undefined
}

export async function readTiff(bytes: Bytes, signal?: AbortSignal): Promise<Tiff> {
  const head = await readExactly(bytes, 0, 8, signal)
  const littleEndian = head[0] === 0x49
  const view = viewOf(head)
  const version = view.getUint16(2, littleEndian)
  if ((head[0] !== 0x49 && head[0] !== 0x4d) || head[1] !== head[0] || (version !== 42 && version !== 43))
    throw new CannotShow('damaged', 'TIFF header')
  const big = version === 43
  const context: Context = { bytes, littleEndian, big, signal }
  let next = big ? word(viewOf(await readExactly(bytes, 8, 8, signal)), 0, littleEndian) : view.getUint32(4, littleEndian)
  const directories: TiffDirectory[] = []
  const seen = new Set<number>()
  while (next !== 0 && !seen.has(next) && directories.length < DIRECTORIES_MAX) {
    seen.add(next)
    try {
      const read = await readDirectory(context, next, true, seen)
      if (read.directory !== undefined) directories.push(read.directory)
      next = read.next
    } catch (error) {
      // A file that is cut off behind its first images shows those.
      if (directories.length === 0 || !(error instanceof CannotShow)) throw error
      next = 0
    }
  }
  if (directories.length === 0) throw new CannotShow('damaged', 'TIFF directory')
  return { littleEndian, big, directories, cut: next !== 0 && !seen.has(next) }
}

/** Where tile number `index` lies. */
export async function tileRange(
  bytes: Bytes,
  directory: TiffDirectory,
  index: number,
  signal?: AbortSignal,
): Promise<{ readonly first: number; readonly length: number }> {
  const first = await numberAt(bytes, directory.offsets, index, signal)
  const length = await numberAt(bytes, directory.counts, index, signal)
  if (first + length > bytes.sizeBytes) throw new CannotShow('truncated')
  return { first, length }
}

async function numberAt(bytes: Bytes, array: TiffArray, index: number, signal: AbortSignal | undefined): Promise<number> {
  if (index < 0 || index >= array.count) throw new CannotShow('damaged', 'tile number')
  const part = viewOf(await readExactly(bytes, array.at + index * array.bytesEach, array.bytesEach, signal))
  if (array.bytesEach === 2) return part.getUint16(0, array.littleEndian)
  return array.bytesEach === 4 ? part.getUint32(0, array.littleEndian) : word(part, 0, array.littleEndian)
}

async function readDirectory(
  context: Context,
  at: number,
  withChildren: boolean,
  seen: Set<number>,
): Promise<{ readonly directory: TiffDirectory | undefined; readonly next: number }> {
  const { bytes, littleEndian, big, signal } = context
  const countBytes = big ? 8 : 2
  const entryBytes = big ? 20 : 12
  const countView = viewOf(await readExactly(bytes, at, countBytes, signal))
  const count = big ? word(countView, 0, littleEndian) : countView.getUint16(0, littleEndian)
  if (count === 0 || count > ENTRIES_MAX) throw new CannotShow('damaged', 'TIFF directory')
  const nextBytes = big ? 8 : 4
  const block = await readExactly(bytes, at + countBytes, count * entryBytes + nextBytes, signal)
  const view = viewOf(block)
  const entries = new Map<number, Entry>()
  for (let index = 0; index < count; index++) {
    const from = index * entryBytes
    const tag = view.getUint16(from, littleEndian)
    const type = view.getUint16(from + 2, littleEndian)
    const values = big ? word(view, from + 4, littleEndian) : view.getUint32(from + 4, littleEndian)
    const each = TYPE_BYTES[type] ?? 0
    if (each === 0 || entries.has(tag)) continue
    const inline = values * each <= (big ? 8 : 4)
    const pointer = big ? from + 12 : from + 8
    const target = inline ? at + countBytes + pointer : big ? word(view, pointer, littleEndian) : view.getUint32(pointer, littleEndian)
    entries.set(tag, { type, count: values, at: target })
  }
  const nextView = view
  const next = big ? word(nextView, count * entryBytes, littleEndian) : nextView.getUint32(count * entryBytes, littleEndian)
  return { directory: await describe(context, entries, withChildren, seen), next }
}

async function describe(
  context: Context,
  entries: ReadonlyMap<number, Entry>,
  withChildren: boolean,
  seen: Set<number>,
): Promise<TiffDirectory | undefined> {
  const one = async (tag: number, otherwise: number): Promise<number> => (await numbers(context, entries.get(tag), 1))[0] ?? otherwise
  const width = await one(TAG.width, 0)
  const height = await one(TAG.height, 0)
  const tiled = entries.has(TAG.tileOffsets)
  const offsets = arrayOf(context, entries.get(tiled ? TAG.tileOffsets : TAG.stripOffsets))
  const counts = arrayOf(context, entries.get(tiled ? TAG.tileCounts : TAG.stripCounts))
  if (offsets === undefined || counts === undefined || width < 1 || height < 1) return undefined
  if (width > PIXELS_EDGE_MAX || height > PIXELS_EDGE_MAX) throw new CannotShow('damaged', 'TIFF size')
  const tileWidth = tiled ? await one(TAG.tileWidth, 0) : width
  const tileHeight = tiled ? await one(TAG.tileHeight, 0) : Math.min(height, await one(TAG.rowsPerStrip, height))
  if (tileWidth < 1 || tileHeight < 1 || tileWidth > PIXELS_EDGE_MAX || tileHeight > PIXELS_EDGE_MAX)
    throw new CannotShow('damaged', 'TIFF tile size')
  const samples = await one(TAG.samples, 1)
  const bits = await numbers(context, entries.get(TAG.bits), 64)
  if (samples < 1 || samples > 64) throw new CannotShow('damaged', 'TIFF samples')
  const x = await rational(context, entries.get(TAG.xResolution))
  const y = await rational(context, entries.get(TAG.yResolution))
  const tables = await raw(context, entries.get(TAG.jpegTables), TABLES_BYTES_MAX)
  const map = await numbers(context, entries.get(TAG.colourMap), NUMBERS_MAX * 3)
  return {
    width,
    height,
    tiled,
    tileWidth,
    tileHeight,
    compression: await one(TAG.compression, 1),
    photometric: await one(TAG.photometric, samples >= 3 ? 2 : 1),
    samples,
    bits: bits.length === 0 ? [1] : bits,
    sampleFormat: await one(TAG.sampleFormat, 1),
    planar: (await one(TAG.planar, 1)) === 2,
    predictor: await one(TAG.predictor, 1),
    fillOrder: await one(TAG.fillOrder, 1),
    subfile: await one(TAG.subfile, 0),
    description: await text(context, entries.get(TAG.description)),
    jpegTables: tables,
    colourMap: map.length === 0 ? undefined : Uint16Array.from(map),
    resolution: x === undefined || y === undefined ? undefined : { x, y, unit: await one(TAG.resolutionUnit, 2) },
    offsets,
    counts,
    children: withChildren ? await childrenOf(context, entries.get(TAG.children), seen) : [],
  }
}

async function childrenOf(context: Context, entry: Entry | undefined, seen: Set<number>): Promise<TiffDirectory[]> {
  const children: TiffDirectory[] = []
  for (const at of await numbers(context, entry, CHILDREN_MAX)) {
    if (at === 0 || seen.has(at)) continue
    seen.add(at)
    const { directory } = await readDirectory(context, at, false, seen)
    if (directory !== undefined) children.push(directory)
  }
  return children
}

function arrayOf(context: Context, entry: Entry | undefined): TiffArray | undefined {
  if (entry === undefined || entry.count === 0) return undefined
  const bytesEach = TYPE_BYTES[entry.type]
  if (bytesEach !== 2 && bytesEach !== 4 && bytesEach !== 8) return undefined
  return { count: entry.count, at: entry.at, bytesEach, littleEndian: context.littleEndian }
}

/** Unsigned numbers of an entry, at most so many of them. */
async function numbers(context: Context, entry: Entry | undefined, most: number): Promise<number[]> {
  if (entry === undefined) return []
  const each = TYPE_BYTES[entry.type]!
  const count = Math.min(entry.count, most)
  if (each > 8 || [2, 5, 7, 10, 11, 12].includes(entry.type)) return []
  const view = viewOf(await readExactly(context.bytes, entry.at, count * each, context.signal))
  const { littleEndian } = context
  return Array.from({ length: count }, (_, index) => {
    if (each === 1) return view.getUint8(index)
    if (each === 2) return view.getUint16(index * 2, littleEndian)
    return each === 4 ? view.getUint32(index * 4, littleEndian) : word(view, index * 8, littleEndian)
  })
}

async function rational(context: Context, entry: Entry | undefined): Promise<number | undefined> {
  if (entry?.type !== 5 || entry.count < 1) return undefined
  const view = viewOf(await readExactly(context.bytes, entry.at, 8, context.signal))
  const value = view.getUint32(0, context.littleEndian) / view.getUint32(4, context.littleEndian)
  return Number.isFinite(value) && value > 0 ? value : undefined
}

async function text(context: Context, entry: Entry | undefined): Promise<string> {
  const bytes = await raw(context, entry, DESCRIPTION_BYTES_MAX)
  return bytes === undefined ? '' : new TextDecoder().decode(bytes).replace(/\0[\s\S]*$/, '')
}

async function raw(context: Context, entry: Entry | undefined, most: number): Promise<Uint8Array | undefined> {
  if (entry === undefined || TYPE_BYTES[entry.type] !== 1) return undefined
  return readExactly(context.bytes, entry.at, Math.min(entry.count, most), context.signal)
}

/** 64 bits as a number; more than a file can have is damage. */
function word(view: DataView, at: number, littleEndian: boolean): number {
  const value = view.getBigUint64(at, littleEndian)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CannotShow('damaged', 'TIFF offset')
  return Number(value)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
