// Lossless JPEG (ITU T.81, process 14; annexes F.1.2.1, H): differences to a prediction, Huffman coded. What most archives keep.
import { CannotShow } from '../cannot-show.ts'

export interface LosslessPicture {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly bits: number
  /** Samples of a pixel together. */
  readonly samples: Uint16Array
}

const PIXELS_MAX = 64_000_000
const COMPONENTS_MAX = 4

/** For the codes of up to 9 bits, one look; the rest bit by bit. */
const LOOK_BITS = 9

interface Huffman {
  /** Index by the next 9 bits: length << 8 | value, 0 where the code is longer. */
  readonly look: Uint16Array
  readonly maxCode: Int32Array
  readonly first: Int32Array
  readonly values: Uint8Array
}

interface Frame {
  readonly bits: number
  readonly width: number
  readonly height: number
  readonly ids: readonly number[]
}

export function decodeLossless(jpeg: Uint8Array): LosslessPicture {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  const tables: (Huffman | undefined)[] = []
  let frame: Frame | undefined
  let restart = 0
  let at = 2
  if (jpeg.length < 4 || view.getUint16(0) !== 0xffd8) throw new CannotShow('damaged', 'JPEG')
  for (;;) {
    if (at + 4 > jpeg.length) throw new CannotShow('truncated')
    if (jpeg[at] !== 0xff) throw new CannotShow('damaged', 'JPEG marker')
    const marker = jpeg[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    const length = view.getUint16(at + 2)
    const segment = jpeg.subarray(at + 4, at + 2 + length)
    if (length < 2 || at + 2 + length > jpeg.length) throw new CannotShow('truncated')
    if (marker === 0xc4) readTables(segment, tables)
    else if (marker === 0xc3) frame = frameOf(segment)
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc)
      throw new CannotShow('compression', `JPEG process ${marker - 0xc0}`)
    else if (marker === 0xdd && segment.length >= 2) restart = (segment[0]! << 8) | segment[1]!
    else if (marker === 0xda) {
      if (frame === undefined) throw new CannotShow('damaged', 'JPEG frame')
      return scan(jpeg, at + 2 + length, frame, tables, segment, restart)
    }
    at += 2 + length
  }
}

function frameOf(segment: Uint8Array): Frame {
  const [bits = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, components = 0] = segment
  const width = (w1 << 8) | w0
  const height = (h1 << 8) | h0
  if (
    bits < 2 ||
    bits > 16 ||
    width < 1 ||
    height < 1 ||
    components < 1 ||
    components > COMPONENTS_MAX ||
    segment.length < 6 + components * 3
  )
    throw new CannotShow('damaged', 'JPEG frame')
  if (width * height > PIXELS_MAX) throw new CannotShow('too-large', 'JPEG')
  const ids = Array.from({ length: components }, (_, index) => {
    if (components > 1 && segment[7 + index * 3] !== 0x11) throw new CannotShow('compression', 'JPEG subsampling')
    return segment[6 + index * 3]!
  })
  return { bits, width, height, ids }
}

/** Section C: codes from the counts of each length. */
function readTables(segment: Uint8Array, tables: (Huffman | undefined)[]): void {
  let at = 0
  while (at + 17 <= segment.length) {
    const slot = segment[at]! & 15
    const counts = segment.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, count) => sum + count, 0)
    const values = segment.slice(at + 17, at + 17 + total)
    if (values.length !== total || total > 256) throw new CannotShow('damaged', 'JPEG table')
    tables[slot] = huffmanOf(counts, values)
    at += 17 + total
  }
}

function huffmanOf(counts: Uint8Array, values: Uint8Array): Huffman {
  const look = new Uint16Array(1 << LOOK_BITS)
  const maxCode = new Int32Array(18).fill(-1)
  const first = new Int32Array(18)
  let code = 0
  let index = 0
  for (let length = 1; length <= 16; length++) {
    first[length] = index - code
    for (let count = 0; count < counts[length - 1]!; count++) {
      if (length <= LOOK_BITS) {
        const from = code << (LOOK_BITS - length)
        look.fill((length << 8) | values[index]!, from, from + (1 << (LOOK_BITS - length)))
      }
      code++
      index++
    }
    if (counts[length - 1]! > 0) maxCode[length] = code - 1
    if (code > 1 << length) throw new CannotShow('damaged', 'JPEG table')
    code <<= 1
  }
  return { look, maxCode, first, values }
}

class Bits {
  at: number
  readonly #bytes: Uint8Array
  #bits = 0
  #count = 0

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** At least 16 bits are there afterwards; behind the end of the scan they are zeros. */
  #fill(): void {
    while (this.#count <= 16) {
      let byte = this.#bytes[this.at]
      if (byte === undefined) byte = 0
      else if (byte === 0xff) {
        if (this.#bytes[this.at + 1] === 0) this.at += 2
        else byte = 0
      } else this.at++
      this.#bits = ((this.#bits << 8) | byte) & 0x1ffffff
      this.#count += 8
    }
  }

  value(huffman: Huffman): number {
    this.#fill()
    const found = huffman.look[(this.#bits >> (this.#count - LOOK_BITS)) & ((1 << LOOK_BITS) - 1)]!
    if (found !== 0) {
      this.#count -= found >> 8
      return found & 255
    }
    for (let length = LOOK_BITS + 1; length <= 16; length++) {
      const code = (this.#bits >> (this.#count - length)) & ((1 << length) - 1)
      if (huffman.maxCode[length]! >= 0 && code <= huffman.maxCode[length]! && code + huffman.first[length]! >= 0) {
        this.#count -= length
        return huffman.values[code + huffman.first[length]!] ?? 0
      }
    }
    throw new CannotShow('damaged', 'JPEG code')
  }

  /** Section F.2.2.1: so many bits, and what they stand for. */
  difference(length: number): number {
    if (length === 0) return 0
    if (length === 16) return 32_768
    if (length > 16) throw new CannotShow('damaged', 'JPEG difference')
    this.#fill()
    this.#count -= length
    const bits = (this.#bits >> this.#count) & ((1 << length) - 1)
    return bits < 1 << (length - 1) ? bits - (1 << length) + 1 : bits
  }

  /** To behind the next restart marker. */
  restart(): void {
    this.#bits = 0
    this.#count = 0
    while (this.at + 1 < this.#bytes.length) {
      const marker = this.#bytes[this.at] === 0xff ? this.#bytes[this.at + 1]! : 0
      if (marker >= 0xd0 && marker <= 0xd7) {
        this.at += 2
        return
      }
      if (marker === 0xd9) return
      this.at++
    }
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length
  }
}

function scan(
  jpeg: Uint8Array,
  at: number,
  { bits, width, height, ids }: Frame,
  tables: readonly (Huffman | undefined)[],
  header: Uint8Array,
  restart: number,
): LosslessPicture {
  const components = ids.length
  if (header[0] !== components) throw new CannotShow('compression', 'JPEG scans')
  const huffmans = ids.map((id) => {
    const slot = Array.from({ length: components }, (_, index) => index).find((index) => header[1 + index * 2] === id)
    const huffman = slot === undefined ? undefined : tables[header[2 + slot * 2]! >> 4]
    if (huffman === undefined) throw new CannotShow('damaged', 'JPEG table')
    return huffman
  })
  const predictor = header[1 + components * 2]!
  const shift = header[3 + components * 2]! & 15
  if (predictor < 1 || predictor > 7) throw new CannotShow('damaged', 'JPEG predictor')
  const reader = new Bits(jpeg, at)
  const samples = new Uint16Array(width * height * components)
  const stride = width * components
  const start = 1 << (bits - shift - 1)
  let untilRestart = restart
  /** The first line, and the first one behind a restart, are predicted from the left alone (H.1.2.1). */
  let fresh = true
  for (let row = 0; row < height; row++) {
    if (reader.ended) throw new CannotShow('truncated')
    for (let column = 0; column < width; column++) {
      if (restart > 0 && untilRestart === 0) {
        reader.restart()
        untilRestart = restart
        fresh = true
      }
      untilRestart--
      for (let component = 0; component < components; component++) {
        const here = row * stride + column * components + component
        const left = column > 0 ? samples[here - components]! : 0
        const above = row > 0 ? samples[here - stride]! : 0
        const corner = row > 0 && column > 0 ? samples[here - stride - components]! : 0
        let prediction: number
        if (fresh && (column === 0 || restartsHere(restart, untilRestart))) prediction = start
        else if (fresh || row === 0) prediction = left
        else if (column === 0) prediction = above
        else prediction = predicted(predictor, left, above, corner)
        const huffman = huffmans[component]!
        samples[here] = (prediction + reader.difference(reader.value(huffman))) & 0xffff
      }
      if (column === width - 1) fresh = false
    }
  }
  if (shift > 0) for (let index = 0; index < samples.length; index++) samples[index] = (samples[index]! << shift) & 0xffff
  return { width, height, components, bits, samples }
}

function restartsHere(restart: number, untilRestart: number): boolean {
  return restart > 0 && untilRestart === restart - 1
}

/** Table H.1. */
function predicted(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 1:
      return a
    case 2:
      return b
    case 3:
      return c
    case 4:
      return a + b - c
    case 5:
      return a + ((b - c) >> 1)
    case 6:
      return b + ((a - c) >> 1)
    default:
      return (a + b) >> 1
  }
}
