// A whole slide in DICOM (PS3.3, A.32.8): each file of the series is one level, each frame a tile.
import { CannotShow } from '../cannot-show.ts'
import { wholeJpeg } from '../slide/jpeg-tables.ts'
import type { Slide, SlideLevel, SlideNote, Tile } from '../slide/slide.ts'
import type { DicomFile } from './dicom-file.ts'
import { type FrameTable, frameTable } from './frames.ts'
import { pixelShape, type PixelShape, refusePacking, unpackFrame } from './pixels.ts'

const JPEG_NAMES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.4.50': 'JPEG',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
}
const LEVEL_TILES_MAX = 2 ** 20
const SMALLEST_PIXELS_MAX = 100_000_000

interface Level {
  readonly level: SlideLevel
  readonly shape: PixelShape
  readonly file: DicomFile
  /** Which frame shows the tile; undefined where nothing was scanned. */
  readonly frameOf: (column: number, row: number) => number | undefined
  frames?: Promise<FrameTable>
}

/** Of the files of one series; those that are no level of the tissue (label, overview) stay away. */
export function openDicomSlide(files: readonly DicomFile[]): Slide {
  const tissue = files.filter((file) => isTissue(file))
  const levels: Level[] = []
  for (const file of tissue.toSorted((a, b) => matrixOf(b).width - matrixOf(a).width)) {
    const level = levelOf(file)
    const last = levels.at(-1)
    if (last === undefined || level.level.width < last.level.width) levels.push(level)
  }
  const first = levels[0]
  const smallest = levels.at(-1)
  if (first === undefined || smallest === undefined) throw new CannotShow('no-picture')
  if (smallest.level.width * smallest.level.height > SMALLEST_PIXELS_MAX) throw new CannotShow('not-tiled')
  const micrometres = micrometresOf(first.file, first.level.width)
  const notes: SlideNote[] = []
  if (tissue.length < files.length) notes.push('label-hidden')
  if (levels.length < tissue.length) notes.push('one-of-many')
  if (levels.some(({ file }) => isSparse(file))) notes.push('sparse')
  if (micrometres === undefined) notes.push('no-scale')
  const power = powerOf(first.file)
  return {
    levels: levels.map(({ level }) => level),
    micrometres,
    magnification:
      power !== undefined ? { power, guessed: false } : micrometres === undefined ? undefined : { power: 10 / micrometres, guessed: true },
    notes,
    how: `DICOM, ${JPEG_NAMES[first.shape.transferSyntax] ?? 'uncompressed'}`,
    tile: async (place, signal) => {
      const level = levels[place.level]
      const frame = level?.frameOf(place.column, place.row)
      if (level === undefined || frame === undefined) return { kind: 'nothing' }
      level.frames ??= frameTable(level.file)
      const table = await level.frames.catch((error: unknown) => {
        delete level.frames
        throw error
      })
      return tileOf(await table.read(frame, signal), level.shape)
    },
  }
}

/** DERIVED\PRIMARY\VOLUME\...: the third value says what it shows. */
function isTissue(file: DicomFile): boolean {
  const what = file.strings(0x00080008)[2] ?? 'VOLUME'
  return what === 'VOLUME'
}

function matrixOf(file: DicomFile): { readonly width: number; readonly height: number } {
  return { width: file.number(0x00480006) ?? 0, height: file.number(0x00480007) ?? 0 }
}

function isSparse(file: DicomFile): boolean {
  return file.string(0x00209311) === 'TILED_SPARSE'
}

function levelOf(file: DicomFile): Level {
  const shape = pixelShape(file)
  refusePacking(shape)
  const { width, height } = matrixOf(file)
  if (width < 1 || height < 1) throw new CannotShow('damaged', 'total pixel matrix')
  const level = { width, height, tileWidth: shape.width, tileHeight: shape.height }
  const columns = Math.ceil(width / shape.width)
  const rows = Math.ceil(height / shape.height)
  if (columns * rows > LEVEL_TILES_MAX) throw new CannotShow('too-large', 'tiles')
  const frames = file.number(0x00280008) ?? 1
  if (isSparse(file) || file.dataset.has(0x52009230)) {
    const places = placesOf(file, level)
    if (places !== undefined) return { level, shape, file, frameOf: (column, row) => places.get(row * columns + column) }
    if (isSparse(file)) throw new CannotShow('damaged', 'frame positions')
  }
  // TILED_FULL (C.7.6.17.3): rows from the top, from the left in each; further depths and colours follow behind.
  if (frames < columns * rows) throw new CannotShow('truncated')
  return { level, shape, file, frameOf: (column, row) => (column < columns && row < rows ? row * columns + column : undefined) }
}

/** Frames by the position that each one names (Plane Position (Slide) Sequence). The first at a place counts. */
function placesOf(file: DicomFile, { width, tileWidth, tileHeight }: SlideLevel): ReadonlyMap<number, number> | undefined {
  const columns = Math.ceil(width / tileWidth)
  const places = new Map<number, number>()
  for (const [frame, item] of (file.dataset.get(0x52009230)?.items ?? []).entries()) {
    const position = item.get(0x0048021a)?.items?.[0]
    const x = position === undefined ? undefined : file.number(0x0048021e, position)
    const y = position === undefined ? undefined : file.number(0x0048021f, position)
    if (x === undefined || y === undefined) return undefined
    if ((x - 1) % tileWidth !== 0 || (y - 1) % tileHeight !== 0) throw new CannotShow('compression', 'overlapping tiles')
    const place = ((y - 1) / tileHeight) * columns + (x - 1) / tileWidth
    if (!places.has(place)) places.set(place, frame)
  }
  return places.size === 0 ? undefined : places
}

async function tileOf(packed: Uint8Array, shape: PixelShape): Promise<Tile> {
  const pixels = await unpackFrame(packed, shape, undefined)
  if (pixels.kind === 'colours') return { kind: 'colours', width: shape.width, height: shape.height, rgba: pixels.rgba }
  if (pixels.kind === 'values') {
    const rgba = new Uint8ClampedArray(pixels.values.length * 4)
    const shift = Math.max(0, shape.bitsStored - 8)
    for (const [index, value] of pixels.values.entries()) {
      const grey = shape.photometric === 'MONOCHROME1' ? 255 - (value >> shift) : value >> shift
      rgba.set([grey, grey, grey, 255], index * 4)
    }
    return { kind: 'colours', width: shape.width, height: shape.height, rgba }
  }
  // Without markers three samples would be taken for brightness and colour differences.
  return { kind: 'encoded', bytes: wholeJpeg(pixels.bytes, undefined, shape.photometric === 'RGB' ? 2 : 6), mime: 'image/jpeg' }
}

/** From the spacing of pixels, else from the size of the imaged volume; both are in millimetres. */
function micrometresOf(file: DicomFile, width: number): number | undefined {
  const measures = file.dataset.get(0x52009229)?.items?.[0]?.get(0x00289110)?.items?.[0]
  const spacing = measures === undefined ? undefined : file.numbers(0x00280030, measures)[1]
  const millimetres = spacing ?? (file.number(0x00480001) ?? 0) / width
  return millimetres > 0 && millimetres < 1 ? millimetres * 1000 : undefined
}

function powerOf(file: DicomFile): number | undefined {
  const path = file.dataset.get(0x00480105)?.items?.[0]
  const power = path === undefined ? undefined : file.number(0x00480112, path)
  return power !== undefined && power > 0 && power <= 400 ? power : undefined
}
