// The pixels of a frame as stored values or colours, from whatever they are packed in (PS3.3, C.7.6.3).
import { CannotShow } from '../cannot-show.ts'
import { type Codec, decodeBy } from '../codecs.ts'
import type { DicomFile } from './dicom-file.ts'
import { NATIVE } from './frames.ts'
import { decodeLossless } from './jpeg-lossless.ts'
import { unpackRle } from './rle.ts'

/** What all frames of a file have in common. */
export interface PixelShape {
  readonly width: number
  readonly height: number
  readonly samples: number
  readonly photometric: string
  readonly bitsAllocated: number
  readonly bitsStored: number
  readonly signed: boolean
  /** Samples of a pixel lie in planes. */
  readonly planes: boolean
  readonly littleEndian: boolean
  readonly transferSyntax: string
  readonly floats: boolean
}

export type FramePixels =
  /** Stored values, one each. */
  | { readonly kind: 'values'; readonly values: Int32Array | Float32Array }
  | { readonly kind: 'colours'; readonly rgba: Uint8ClampedArray<ArrayBuffer> }
  /** A whole JPEG for the browser. */
  | { readonly kind: 'encoded'; readonly bytes: Uint8Array }

const RLE = '1.2.840.10008.1.2.5'
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50'
const LOSSLESS = new Set(['1.2.840.10008.1.2.4.57', '1.2.840.10008.1.2.4.70'])
const CODECS: Readonly<Record<string, Codec>> = {
  '1.2.840.10008.1.2.4.80': 'jpeg-ls',
  '1.2.840.10008.1.2.4.81': 'jpeg-ls',
  '1.2.840.10008.1.2.4.90': 'jpeg2000',
  '1.2.840.10008.1.2.4.91': 'jpeg2000',
  '1.2.840.10008.1.2.4.201': 'htj2k',
  '1.2.840.10008.1.2.4.202': 'htj2k',
  '1.2.840.10008.1.2.4.203': 'htj2k',
}
const PIXELS_MAX = 64_000_000

/** Names of what cannot be unpacked here (PS3.6, table A-1). */
const NAMES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.4.51': 'JPEG extended, 12 bits',
  '1.2.840.10008.1.2.4.100': 'MPEG-2',
  '1.2.840.10008.1.2.4.102': 'MPEG-4',
  '1.2.840.10008.1.2.4.110': 'JPEG XL',
  '1.2.840.10008.1.2.4.112': 'JPEG XL',
}

export function pixelShape(file: DicomFile): PixelShape {
  const width = file.number(0x00280011) ?? 0
  const height = file.number(0x00280010) ?? 0
  const samples = file.number(0x00280002) ?? 1
  const bitsAllocated = file.number(0x00280100) ?? 0
  if (file.pixels === undefined || width < 1 || height < 1) throw new CannotShow('no-picture')
  if (width * height > PIXELS_MAX) throw new CannotShow('too-large', `${width} × ${height}`)
  if (samples !== 1 && samples !== 3) throw new CannotShow('compression', `${samples} samples`)
  return {
    width,
    height,
    samples,
    photometric: file.string(0x00280004),
    bitsAllocated,
    bitsStored: file.number(0x00280101) ?? bitsAllocated,
    signed: file.number(0x00280103) === 1,
    planes: file.number(0x00280006) === 1 && samples > 1,
    littleEndian: file.syntax.littleEndian,
    transferSyntax: file.transferSyntax,
    floats: false,
  }
}

/** Refuses, before anything is read, what no decoder here knows. */
export function refusePacking({ transferSyntax, bitsAllocated }: PixelShape): void {
  if (NATIVE.has(transferSyntax) || transferSyntax === RLE || LOSSLESS.has(transferSyntax)) return
  if (transferSyntax === JPEG_BASELINE) return
  // Old writers name the extended process where the pictures are of 8 bits, and so baseline.
  if (transferSyntax === '1.2.840.10008.1.2.4.51' && bitsAllocated === 8) return
  if (transferSyntax in CODECS) return
  throw new CannotShow('compression', NAMES[transferSyntax] ?? transferSyntax)
}

export async function unpackFrame(packed: Uint8Array, shape: PixelShape, palette: Palette | undefined): Promise<FramePixels> {
  refusePacking(shape)
  const { transferSyntax, width, height, samples, bitsAllocated } = shape
  if (transferSyntax === RLE) {
    const bytesEach = bitsAllocated / 8
    if (bytesEach !== 1 && bytesEach !== 2 && bytesEach !== 4) throw new CannotShow('damaged', 'bits')
    const bytes = unpackRle({ packed, pixels: width * height, samples, bytesEach })
    return plain(bytes, { ...shape, planes: false, littleEndian: true }, palette)
  }
  if (LOSSLESS.has(transferSyntax)) {
    const picture = decodeLossless(packed)
    if (picture.width !== width || picture.height !== height || picture.components !== samples) throw new CannotShow('damaged', 'JPEG size')
    const values = picture.samples
    return plain(new Uint8Array(values.buffer), { ...shape, planes: false, littleEndian: true, bitsAllocated: 16 }, palette)
  }
  if (NATIVE.has(transferSyntax)) return plain(packed, shape, palette)
  const codec = CODECS[transferSyntax]
  if (codec === undefined) return { kind: 'encoded', bytes: packed }
  const coded = await decodeBy(codec, packed)
  if (coded.width !== width || coded.height !== height || coded.components !== samples) throw new CannotShow('damaged', `${codec} size`)
  return plain(coded.samples, { ...shape, planes: false, littleEndian: true, bitsAllocated: coded.bits > 8 ? 16 : 8 }, palette)
}

export interface Palette {
  readonly first: number
  readonly red: readonly number[]
  readonly green: readonly number[]
  readonly blue: readonly number[]
  readonly bits: number
}

/** The colours of a palette (PS3.3, C.7.6.3.1.5); undefined where the file has none, or a segmented one. */
export function paletteOf(file: DicomFile): Palette | undefined {
  const descriptor = file.numbers(0x00281101)
  const [red, green, blue] = [0x00281201, 0x00281202, 0x00281203].map((tag) => file.numbers(tag))
  if (descriptor.length < 3 || red === undefined || green === undefined || blue === undefined || red.length === 0) return undefined
  const entries = descriptor[0] === 0 ? 65_536 : descriptor[0]!
  const bits = descriptor[2]!
  const wide = (values: readonly number[]): readonly number[] =>
    // Entries of 8 bits may be packed two in a word.
    bits === 8 && values.length < entries ? values.flatMap((value) => [value & 255, value >> 8]) : values
  return { first: descriptor[1]!, red: wide(red), green: wide(green), blue: wide(blue), bits }
}

function plain(bytes: Uint8Array, shape: PixelShape, palette: Palette | undefined): FramePixels {
  const { width, height, samples, photometric, planes } = shape
  const pixels = width * height
  if (samples === 1) {
    const values = valuesOf(bytes, pixels, shape)
    return photometric === 'PALETTE COLOR' && palette !== undefined
      ? { kind: 'colours', rgba: painted(values, palette) }
      : { kind: 'values', values }
  }
  const ycc = photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422'
  const subsampled = photometric === 'YBR_FULL_422' && !planes && bytes.length < pixels * 3
  const shift = Math.max(0, shape.bitsStored - 8)
  const deep = shape.bitsAllocated > 8
  const sample = (index: number): number =>
    deep
      ? ((shape.littleEndian ? bytes[index * 2]! | (bytes[index * 2 + 1]! << 8) : (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!) >>
          shift) &
        255
      : bytes[index]!
  const rgba = new Uint8ClampedArray(pixels * 4)
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [a, b, c] = [0, 0, 0]
    if (subsampled) {
      // Two pixels in four bytes: Y, Y, Cb, Cr.
      const pair = (pixel >> 1) * 4
      a = bytes[pair + (pixel & 1)]!
      b = bytes[pair + 2]!
      c = bytes[pair + 3]!
    } else if (planes) {
      a = sample(pixel)
      b = sample(pixels + pixel)
      c = sample(2 * pixels + pixel)
    } else {
      a = sample(pixel * 3)
      b = sample(pixel * 3 + 1)
      c = sample(pixel * 3 + 2)
    }
    const at = pixel * 4
    rgba[at] = ycc ? a + 1.402 * (c - 128) : a
    rgba[at + 1] = ycc ? a - 0.344136 * (b - 128) - 0.714136 * (c - 128) : b
    rgba[at + 2] = ycc ? a + 1.772 * (b - 128) : c
    rgba[at + 3] = 255
  }
  return { kind: 'colours', rgba }
}

function painted(values: ArrayLike<number>, { first, red, green, blue, bits }: Palette): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(values.length * 4)
  const shift = bits > 8 ? 8 : 0
  for (let pixel = 0; pixel < values.length; pixel++) {
    const entry = Math.max(0, Math.min(red.length - 1, values[pixel]! - first))
    rgba[pixel * 4] = red[entry]! >> shift
    rgba[pixel * 4 + 1] = green[entry]! >> shift
    rgba[pixel * 4 + 2] = blue[entry]! >> shift
    rgba[pixel * 4 + 3] = 255
  }
  return rgba
}

/** Stored values: only the bits that are stored, with their sign. */
function valuesOf(bytes: Uint8Array, pixels: number, { bitsAllocated, bitsStored, signed, littleEndian }: PixelShape): Int32Array {
  const values = new Int32Array(pixels)
  if (bitsAllocated === 1) {
    for (let pixel = 0; pixel < pixels; pixel++) values[pixel] = (bytes[pixel >> 3]! >> (pixel & 7)) & 1
    return values
  }
  const bytesEach = bitsAllocated / 8
  if (bytesEach !== 1 && bytesEach !== 2 && bytesEach !== 4) throw new CannotShow('compression', `${bitsAllocated} bits`)
  if (bytes.length < pixels * bytesEach) throw new CannotShow('truncated')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const unused = Math.max(0, 32 - Math.max(1, Math.min(bitsStored, bitsAllocated)))
  for (let pixel = 0; pixel < pixels; pixel++) {
    const raw =
      bytesEach === 1 ? bytes[pixel]! : bytesEach === 2 ? view.getUint16(pixel * 2, littleEndian) : view.getInt32(pixel * 4, littleEndian)
    values[pixel] = signed ? (raw << unused) >> unused : unused === 0 ? raw : (raw << unused) >>> unused
  }
  return values
}
