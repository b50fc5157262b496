// JPEG 2000, JPEG-LS and HTJ2K by decoders in WebAssembly, which come from our own origin and are loaded when first needed.
import { CannotShow } from './cannot-show.ts'

export type Codec = 'jpeg2000' | 'jpeg-ls' | 'htj2k'

/** Samples of a pixel together, little endian, in one byte each or two. */
export interface Coded {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly bits: number
  readonly samples: Uint8Array
}

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array
  decode(): void
  getDecodedBuffer(): Uint8Array
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number }
  delete(): void
}

type Load = () => Promise<() => Decoder>

const PIXELS_MAX = 64_000_000
const HEADER_BYTES = 64 * 1024

/** scripts/build-web.ts puts the programs there; tests take them from beside the module. */
const options = {
  locateFile: (file: string, folder: string): string => (typeof document === 'undefined' ? `${folder}${file}` : `/codecs/${file}`),
  print: (): void => undefined,
  printErr: (): void => undefined,
}

/** The modules come without types. */
interface CodecModule<Name extends string> {
  readonly default: (how: typeof options) => Promise<Readonly<Record<Name, new () => Decoder>>>
}

const LOADS: Readonly<Record<Codec, Load>> = {
  jpeg2000: async () => {
    // @ts-expect-error without types
    const { default: make } = (await import('@cornerstonejs/codec-openjpeg/decodewasmjs')) as CodecModule<'J2KDecoder'>
    const { J2KDecoder } = await make(options)
    return () => new J2KDecoder()
  },
  'jpeg-ls': async () => {
    // @ts-expect-error without types
    const { default: make } = (await import('@cornerstonejs/codec-charls/decodewasmjs')) as CodecModule<'JpegLSDecoder'>
    const { JpegLSDecoder } = await make(options)
    return () => new JpegLSDecoder()
  },
  htj2k: async () => {
    // @ts-expect-error without types
    const { default: make } = (await import('@cornerstonejs/codec-openjph/wasmjs')) as CodecModule<'HTJ2KDecoder'>
    const { HTJ2KDecoder } = await make(options)
    return () => new HTJ2KDecoder()
  },
}

const loaded = new Map<Codec, ReturnType<Load>>()

export async function decodeBy(codec: Codec, bytes: Uint8Array): Promise<Coded> {
  const size = codec === 'jpeg-ls' ? sizeOfJpegLs(bytes) : sizeOfJpeg2000(bytes)
  if (size === undefined) throw new CannotShow('damaged', codec)
  if (size.width * size.height > PIXELS_MAX) throw new CannotShow('too-large', codec)
  const loading = loaded.get(codec) ?? LOADS[codec]()
  loaded.set(codec, loading)
  let decoder: Decoder | undefined
  try {
    decoder = (await loading)()
    decoder.getEncodedBuffer(bytes.length).set(bytes)
    decoder.decode()
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo()
    const samples = decoder.getDecodedBuffer().slice()
    if (samples.length !== width * height * componentCount * (bitsPerSample > 8 ? 2 : 1)) throw new CannotShow('damaged', codec)
    return { width, height, components: componentCount, bits: bitsPerSample, samples }
  } catch (error) {
    // What broke inside may have left its memory in disorder: the next picture gets a new one.
    loaded.delete(codec)
    if (error instanceof CannotShow) throw error
    throw new CannotShow('damaged', codec, { cause: error })
  } finally {
    free(decoder)
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Of the codestream (ISO/IEC 15444-1, annex A.5.1). */
export function sizeOfJpeg2000(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 43 <= Math.min(bytes.length, HEADER_BYTES); at++) {
    if (view.getUint32(at) !== 0xff4fff51) continue
    const width = view.getUint32(at + 8) - view.getUint32(at + 16)
    const height = view.getUint32(at + 12) - view.getUint32(at + 20)
    return width > 0 && height > 0 ? { width, height } : undefined
  }
  return undefined
}

/** Of the frame header (ISO/IEC 14495-1, annex C.2.2). */
export function sizeOfJpegLs(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 2; at + 9 <= Math.min(bytes.length, HEADER_BYTES);) {
    if (view.getUint8(at) !== 0xff) return undefined
    if (view.getUint8(at + 1) === 0xf7) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}

function free(decoder: Decoder | undefined): void {
  try {
    decoder?.delete()
  } catch {
    // A program that aborted cannot free anything any more; it is dropped as a whole.
  }
}
