// A slide, or any picture, out of a TIFF file. Tiles are read where they lie; nothing is unpacked before it is looked at.
import type { Bytes } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import { type Coded, decodeBy } from '../codecs.ts'
import { wholeJpeg } from './jpeg-tables.ts'
import { pyramidOf } from './pyramid.ts'
import { coloursOf, rangeOf, type Range } from './samples.ts'
import type { Slide, SlideLevel, SlideNote, Tile, TilePlace } from './slide.ts'
import { readTiff, type TiffDirectory, tileRange } from './tiff.ts'
import { unpacksWithin } from './zstandard-bound.ts'

/** Without a pyramid, all of it would have to be read to be seen at once. */
const SMALLEST_PIXELS_MAX = 100_000_000
const TILE_PIXELS_MAX = 16_777_216
const TILE_BYTES_MAX = 64 * 2 ** 20
/** Strips are put together to tiles of about so many rows. */
const STRIP_ROWS = 512
const RANGE_TILES_MAX = 4

const JPEG = 7
const PICTURES: Readonly<Record<number, string>> = { 50001: 'image/webp', 34927: 'image/webp' }
/** Whose samples are red, green and blue; 33003 has others, whose conversion the codestream does not say. */
const JPEG2000 = new Set([33005, 34712])
/** What geotiff unpacks: LZW, deflate (two numbers), PackBits. Its Zstandard wants an address that the page's policy forbids; another one is used. */
const ZSTANDARD = 50000
const PACKED = new Set([5, 8, 32946, 32773, ZSTANDARD])
const PLAIN = 1

const NAMES: Readonly<Record<number, string>> = {
  1: 'uncompressed',
  2: 'CCITT',
  3: 'CCITT fax 3',
  4: 'CCITT fax 4',
  5: 'LZW',
  6: 'old JPEG',
  7: 'JPEG',
  8: 'deflate',
  32773: 'PackBits',
  32946: 'deflate',
  33003: 'JPEG 2000 (YCbCr)',
  33004: 'JPEG 2000 (lossless)',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  34933: 'PNG',
  50000: 'Zstandard',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
}

/** One level, and how its tiles come out of the file: a tile of the picture is one of the file, or several strips. */
interface Source {
  readonly directory: TiffDirectory
  readonly level: SlideLevel
  readonly stripsEach: number
}

export async function openTiffSlide(bytes: Bytes, signal?: AbortSignal): Promise<Slide> {
  const tiff = await readTiff(bytes, signal)
  const pyramid = pyramidOf(tiff)
  const sources = pyramid.levels.map(sourceOf)
  const first = sources[0]!
  const smallest = sources.at(-1)!
  if (smallest.level.width * smallest.level.height > SMALLEST_PIXELS_MAX) throw new CannotShow('not-tiled')
  for (const { directory } of sources) refuseUnknown(directory)
  const deep = first.directory.bits[0]! > 8
  const range = deep ? await rangeIn(bytes, smallest, tiff.littleEndian, signal) : undefined
  const notes: SlideNote[] = []
  if (range !== undefined) notes.push('stretched')
  if (pyramid.others > 0) notes.push('one-of-many')
  if (pyramid.hidden > 0) notes.push('label-hidden')
  if (pyramid.micrometres === undefined) notes.push('no-scale')
  return {
    levels: sources.map(({ level }) => level),
    micrometres: pyramid.micrometres,
    magnification: pyramid.magnification,
    notes,
    how: NAMES[first.directory.compression] ?? String(first.directory.compression),
    tile: async (place, reading) => {
      const source = sources[place.level]
      if (source === undefined) return { kind: 'nothing' }
      return tileOf({ bytes, source, place, littleEndian: tiff.littleEndian, range, signal: reading })
    },
  }
}

function sourceOf(directory: TiffDirectory): Source {
  const { width, height, tileWidth, tileHeight, tiled, compression } = directory
  const single = tiled || compression === JPEG || compression in PICTURES || JPEG2000.has(compression)
  const stripsEach = single ? 1 : Math.max(1, Math.round(STRIP_ROWS / tileHeight))
  const rows = tileHeight * stripsEach
  if (tileWidth * rows > TILE_PIXELS_MAX) throw new CannotShow('not-tiled')
  return { directory, level: { width, height, tileWidth, tileHeight: rows }, stripsEach }
}

function refuseUnknown({ compression, planar, bits, samples, predictor }: TiffDirectory): void {
  const known = compression === JPEG || compression === PLAIN || PACKED.has(compression) || compression in PICTURES
  if (!known && !JPEG2000.has(compression)) throw new CannotShow('compression', NAMES[compression] ?? String(compression))
  if (planar && samples > 1 && !PACKED.has(compression) && compression !== PLAIN)
    throw new CannotShow('compression', `${NAMES[compression] ?? compression}, planar`)
  if (compression === JPEG && bits[0] !== 8) throw new CannotShow('compression', `JPEG, ${bits[0]} bits`)
  if (PACKED.has(compression) && predictor !== 1 && predictor !== 2) throw new CannotShow('compression', `predictor ${predictor}`)
}

interface TileRequest {
  readonly bytes: Bytes
  readonly source: Source
  readonly place: TilePlace
  readonly littleEndian: boolean
  readonly range: Range | undefined
  readonly signal: AbortSignal | undefined
}

async function tileOf(request: TileRequest): Promise<Tile> {
  const { source, place, littleEndian, range } = request
  const { directory } = source
  const across = Math.ceil(directory.width / directory.tileWidth)
  const { compression } = directory
  if (compression === JPEG || compression in PICTURES || JPEG2000.has(compression)) {
    const bytes = await packedTile(request, place.row * across + place.column)
    if (bytes.length === 0) return { kind: 'nothing' }
    if (compression === JPEG)
      return { kind: 'encoded', bytes: wholeJpeg(bytes, directory.jpegTables, directory.photometric), mime: 'image/jpeg' }
    const picture = PICTURES[compression]
    if (picture !== undefined) return { kind: 'encoded', bytes, mime: picture }
    return fromJpeg2000(await decodeBy('jpeg2000', bytes))
  }
  const { planes, height } = await samplesOf(request)
  if (planes.every((plane) => plane.length === 0)) return { kind: 'nothing' }
  const width = directory.tileWidth
  return {
    kind: 'colours',
    width,
    height,
    rgba: coloursOf({ layout: directory, planes, width, height, littleEndian, range }),
  }
}

function fromJpeg2000({ width, height, components, bits, samples }: Coded): Tile {
  if (bits !== 8 || (components !== 3 && components !== 1)) throw new CannotShow('compression', `JPEG 2000, ${components} × ${bits} bits`)
  const rgba = new Uint8ClampedArray(width * height * 4)
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let colour = 0; colour < 3; colour++) rgba[pixel * 4 + colour] = samples[pixel * components + (components === 3 ? colour : 0)]!
    rgba[pixel * 4 + 3] = 255
  }
  return { kind: 'colours', width, height, rgba }
}

/** The samples of a tile, unpacked: one plane, or one for each sample. */
async function samplesOf(request: TileRequest): Promise<{ readonly planes: readonly Uint8Array[]; readonly height: number }> {
  const { source, place, littleEndian } = request
  const { directory, stripsEach } = source
  const { bits, samples, planar, predictor, tileWidth, tileHeight, compression } = directory
  if (!littleEndian && bits[0]! > 8 && predictor !== 1) throw new CannotShow('compression', 'predictor, big endian')
  const across = Math.ceil(directory.width / tileWidth)
  const down = Math.ceil(directory.height / tileHeight)
  const perPlane = planar ? 1 : samples
  const rowBytes = Math.ceil((tileWidth * perPlane * bits[0]!) / 8)
  const firstRow = place.row * stripsEach
  const strips = Math.max(0, Math.min(stripsEach, down - firstRow))
  if (rowBytes * tileHeight * strips > TILE_BYTES_MAX) throw new CannotShow('too-large', 'tile')
  const planes = await Promise.all(
    Array.from({ length: planar ? samples : 1 }, async (_, plane) => {
      const whole = new Uint8Array(rowBytes * tileHeight * strips)
      for (let strip = 0; strip < strips; strip++) {
        const index = plane * across * down + (firstRow + strip) * across + place.column
        const unpacked = await unpackTile(await packedTile(request, index), directory, compression)
        whole.set(unpacked.subarray(0, rowBytes * tileHeight), strip * rowBytes * tileHeight)
      }
      return whole
    }),
  )
  return { planes, height: tileHeight * strips }
}

async function packedTile({ bytes, source: { directory }, signal }: TileRequest, index: number): Promise<Uint8Array> {
  const { first, length } = await tileRange(bytes, directory, index, signal)
  if (length > TILE_BYTES_MAX) throw new CannotShow('too-large', 'tile')
  return bytes.read(first, length, signal)
}

async function unpackTile(packed: Uint8Array, directory: TiffDirectory, compression: number): Promise<Uint8Array> {
  if (compression === PLAIN || packed.length === 0) return packed
  const { getDecoder } = await import('geotiff')
  const { tileWidth, tileHeight, predictor, bits, planar, samples } = directory
  try {
    const plain = compression === ZSTANDARD ? await unpackZstandard(packed, directory) : packed
    const decoder = await getDecoder(compression === ZSTANDARD ? PLAIN : compression, {
      tileWidth,
      tileHeight,
      predictor,
      bitsPerSample: [...bits],
      planarConfiguration: planar ? 2 : 1,
      samplesPerPixel: samples,
    })
    return new Uint8Array(await decoder.decode(new Uint8Array(plain).buffer))
  } catch (error) {
    throw new CannotShow('damaged', NAMES[compression] ?? '', { cause: error })
  }
}

async function unpackZstandard(packed: Uint8Array, { tileWidth, tileHeight, bits, planar, samples }: TiffDirectory): Promise<Uint8Array> {
  const { compressors } = await import('hyparquet-compressors')
  const rowBytes = Math.ceil((tileWidth * (planar ? 1 : samples) * bits[0]!) / 8)
  if (!unpacksWithin(packed, rowBytes * tileHeight)) throw new CannotShow('damaged', 'Zstandard')
  const unpacked = compressors.ZSTD?.(packed, rowBytes * tileHeight)
  if (unpacked === undefined) throw new CannotShow('compression', 'Zstandard')
  return unpacked
}

/** The range of values in some tiles of the smallest level, so that 12 bits in 16 are not black. */
async function rangeIn(bytes: Bytes, source: Source, littleEndian: boolean, signal: AbortSignal | undefined): Promise<Range | undefined> {
  const { level, directory } = source
  const columns = Math.ceil(level.width / level.tileWidth)
  const rows = Math.ceil(level.height / level.tileHeight)
  let found: Range | undefined
  for (let index = 0; index < Math.min(RANGE_TILES_MAX, columns * rows); index++) {
    const at = Math.floor(((index + 0.5) * columns * rows) / Math.min(RANGE_TILES_MAX, columns * rows))
    const place = { level: 0, column: at % columns, row: Math.floor(at / columns) }
    const { planes, height } = await samplesOf({ bytes, source, place, littleEndian, range: undefined, signal })
    const range = rangeOf({ layout: directory, planes, width: directory.tileWidth, height, littleEndian })
    if (range !== undefined)
      found = found === undefined ? range : { low: Math.min(found.low, range.low), high: Math.max(found.high, range.high) }
  }
  return found
}
