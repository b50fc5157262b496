// JPEG 2000 of 8 bits, by the decoder that pdf.js brings (OpenJPEG in WebAssembly, from our own origin).
import { CannotShow } from './cannot-show.ts'

interface Jpeg2000 {
  readonly bytes: Uint8Array
  readonly samples: number
}

const PIXELS_MAX = 64_000_000

interface Decoder {
  decode(bytes: Uint8Array, options: { numComponents: number }): Promise<Uint8Array>
}

let decoder: Promise<Decoder> | undefined

export async function decodeJpeg2000({ bytes, samples }: Jpeg2000): Promise<ImageData> {
  const size = sizeOfJpeg2000(bytes)
  if (size === undefined) throw new CannotShow('damaged', 'JPEG 2000')
  if (size.bits !== 8) throw new CannotShow('compression', `JPEG 2000, ${size.bits} bits`)
  if (size.width * size.height > PIXELS_MAX) throw new CannotShow('too-large', 'JPEG 2000')
  decoder ??= load()
  const components = samples >= 3 ? 3 : 1
  let decoded: Uint8Array
  try {
    decoded = await (await decoder).decode(bytes, { numComponents: components })
  } catch (error) {
    throw new CannotShow('damaged', 'JPEG 2000', { cause: error })
  }
  const picture = new ImageData(size.width, size.height)
  const { data } = picture
  const each = Math.round(decoded.length / (size.width * size.height))
  if (each !== 1 && each !== 3 && each !== 4) throw new CannotShow('damaged', 'JPEG 2000')
  for (let pixel = 0; pixel < size.width * size.height; pixel++) {
    const from = pixel * each
    const at = pixel * 4
    const y = decoded[from]!
    if (each === 1) data[at] = data[at + 1] = data[at + 2] = y
    else {
      data[at] = y
      data[at + 1] = decoded[from + 1]!
      data[at + 2] = decoded[from + 2]!
    }
    data[at + 3] = 255
  }
  return picture
}

/** Width, height and depth of the codestream (ISO/IEC 15444-1, annex A.5.1). */
export function sizeOfJpeg2000(bytes: Uint8Array): { readonly width: number; readonly height: number; readonly bits: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 43 <= bytes.length; at++) {
    if (view.getUint32(at) !== 0xff4fff51) continue
    const width = view.getUint32(at + 8) - view.getUint32(at + 16)
    const height = view.getUint32(at + 12) - view.getUint32(at + 20)
    const bits = (view.getUint8(at + 42) & 0x7f) + 1
    return width > 0 && height > 0 ? { width, height, bits } : undefined
  }
  return undefined
}

async function load(): Promise<Decoder> {
  const { JpxImage } = await import('pdfjs-dist/image_decoders/pdf.image_decoders.mjs')
  const images = Object.getPrototypeOf(JpxImage) as {
    setOptions(options: { useWasm: boolean; useWorkerFetch: boolean; wasmUrl: string }): void
  }
  images.setOptions({ useWasm: true, useWorkerFetch: true, wasmUrl: '/pdf/wasm/' })
  return JpxImage.instance
}
