// Turns the samples of a tile, as TIFF has them, into colours of a screen.
import { CannotShow } from '../cannot-show.ts'
import type { TiffDirectory } from './tiff.ts'

/** Values that become black and white. */
export interface Range {
  readonly low: number
  readonly high: number
}

type Layout = Pick<TiffDirectory, 'photometric' | 'samples' | 'bits' | 'sampleFormat' | 'colourMap'>

interface Samples {
  readonly layout: Layout
  /** One plane with all samples of a pixel together, or a plane for each sample. */
  readonly planes: readonly Uint8Array[]
  readonly width: number
  readonly height: number
  readonly littleEndian: boolean
  /** For samples of more than 8 bits. */
  readonly range?: Range | undefined
}

type ReadSample = (plane: number, index: number) => number

/** 0 white is zero, 1 black is zero, 2 RGB, 3 palette. */
const SHOWN_PHOTOMETRICS = [0, 1, 2, 3]

export function coloursOf({ layout, planes, width, height, littleEndian, range }: Samples): Uint8ClampedArray<ArrayBuffer> {
  const { photometric, samples, colourMap } = layout
  if (!SHOWN_PHOTOMETRICS.includes(photometric)) throw new CannotShow('compression', `photometric ${photometric}`)
  const read = reader({ layout, planes, width, littleEndian })
  const together = planes.length === 1
  const sample = (pixel: number, number: number): number => (together ? read(0, pixel * samples + number) : read(number, pixel))
  const { low, high } = range ?? { low: 0, high: 2 ** layout.bits[0]! - 1 }
  const scale = high > low ? 255 / (high - low) : 0
  const rgba = new Uint8ClampedArray(width * height * 4)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * 4
    if (photometric === 2 && samples >= 3) {
      rgba[at] = (sample(pixel, 0) - low) * scale
      rgba[at + 1] = (sample(pixel, 1) - low) * scale
      rgba[at + 2] = (sample(pixel, 2) - low) * scale
    } else if (photometric === 3 && colourMap !== undefined) {
      const colours = colourMap.length / 3
      const index = sample(pixel, 0)
      rgba[at] = colourMap[index]! >> 8
      rgba[at + 1] = colourMap[colours + index]! >> 8
      rgba[at + 2] = colourMap[2 * colours + index]! >> 8
    } else {
      const grey = (sample(pixel, 0) - low) * scale
      rgba[at] = rgba[at + 1] = rgba[at + 2] = photometric === 0 ? 255 - grey : grey
    }
    rgba[at + 3] = 255
  }
  return rgba
}

/** The darkest and the brightest value, of finite ones. */
export function rangeOf(samples: Omit<Samples, 'range'>): Range | undefined {
  const read = reader(samples)
  const count = samples.width * samples.height * (samples.planes.length === 1 ? samples.layout.samples : 1)
  let [low, high] = [Infinity, -Infinity]
  for (let plane = 0; plane < samples.planes.length; plane++) {
    for (let index = 0; index < count; index++) {
      const value = read(plane, index)
      if (!Number.isFinite(value)) continue
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  return low < high ? { low, high } : undefined
}

/** Values that a tile does not have are 0: what is cut off is dark, and no read leaves the buffer. */
function reader({
  layout: { bits, sampleFormat, samples },
  planes,
  width,
  littleEndian,
}: Pick<Samples, 'layout' | 'planes' | 'width' | 'littleEndian'>): ReadSample {
  const size = bits[0]!
  if (bits.some((other) => other !== size)) throw new CannotShow('compression', `bits ${bits.join(',')}`)
  const views = planes.map((plane) => new DataView(plane.buffer, plane.byteOffset, plane.byteLength))
  const bounded =
    (bytesEach: number, get: (view: DataView, at: number) => number): ReadSample =>
    (plane, index) => {
      const view = views[plane]
      const at = index * bytesEach
      return view === undefined || at + bytesEach > view.byteLength ? 0 : get(view, at)
    }
  if (size === 8) return sampleFormat === 2 ? bounded(1, (view, at) => view.getInt8(at)) : bounded(1, (view, at) => view.getUint8(at))
  if (size === 16 && sampleFormat === 2) return bounded(2, (view, at) => view.getInt16(at, littleEndian))
  if (size === 16 && sampleFormat === 1) return bounded(2, (view, at) => view.getUint16(at, littleEndian))
  if (size === 32 && sampleFormat === 3) return bounded(4, (view, at) => view.getFloat32(at, littleEndian))
  if (size === 32 && sampleFormat === 2) return bounded(4, (view, at) => view.getInt32(at, littleEndian))
  if (size === 32) return bounded(4, (view, at) => view.getUint32(at, littleEndian))
  if (size === 64 && sampleFormat === 3) return bounded(8, (view, at) => view.getFloat64(at, littleEndian))
  if (size !== 1 && size !== 2 && size !== 4) throw new CannotShow('compression', `bits ${size}`)
  // Rows of packed samples begin at a byte.
  const perRow = planes.length === 1 ? width * samples : width
  const rowBytes = Math.ceil((perRow * size) / 8)
  return (plane, index) => {
    const row = Math.floor(index / perRow)
    const bit = (index - row * perRow) * size
    const byte = planes[plane]?.[row * rowBytes + (bit >> 3)] ?? 0
    return (byte >> (8 - size - (bit & 7))) & ((1 << size) - 1)
  }
}
