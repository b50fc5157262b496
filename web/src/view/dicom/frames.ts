// Where each frame of the pixels lies: one behind the other, or in pieces with a table of offsets (PS3.5, A.4).
import { type Bytes, readExactly } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import type { DicomFile } from './dicom-file.ts'

export interface FrameTable {
  readonly count: number
  /** The bytes of frame `index`, from 0: as they are packed. */
  read(index: number, signal?: AbortSignal): Promise<Uint8Array>
}

export const NATIVE = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.2'])

const FRAMES_MAX = 2 ** 20
const FRAME_BYTES_MAX = 128 * 2 ** 20
const PIECES_MAX = 2 ** 20
/** Walking through pieces reads a header each; beyond this a file wants a table of offsets. */
const WALKED_BYTES_MAX = 512 * 2 ** 20
const ITEM = 0xfffee000
const SEQUENCE_END = 0xfffee0dd

export async function frameTable(file: DicomFile, signal?: AbortSignal): Promise<FrameTable> {
  const { pixels } = file
  if (pixels === undefined) throw new CannotShow('no-picture')
  const count = Math.max(1, file.number(0x00280008) ?? 1)
  if (!Number.isSafeInteger(count) || count > FRAMES_MAX) throw new CannotShow('damaged', 'frames')
  if (pixels.length !== undefined) return nativeFrames(file, count, pixels.at, pixels.length)
  if (NATIVE.has(file.transferSyntax)) throw new CannotShow('damaged', 'pixel data')
  return packedFrames(file, count, pixels.at, signal)
}

function nativeFrames(file: DicomFile, count: number, at: number, length: number): FrameTable {
  const rows = file.number(0x00280010) ?? 0
  const columns = file.number(0x00280011) ?? 0
  const samples = file.number(0x00280002) ?? 1
  const bits = file.number(0x00280100) ?? 0
  const frameBits = rows * columns * samples * bits
  const frameBytes = Math.ceil(frameBits / 8)
  if (frameBytes <= 0 || frameBytes > FRAME_BYTES_MAX) throw new CannotShow('damaged', 'frame size')
  if (length * 8 < frameBits * count) throw new CannotShow('truncated')
  return {
    count,
    read: async (index, signal) => {
      if (index < 0 || index >= count) throw new CannotShow('damaged', 'frame number')
      if (frameBits % 8 !== 0) {
        // Frames of single bits follow each other without a gap (PS3.5, 8.1.1).
        const firstBit = index * frameBits
        const first = Math.floor(firstBit / 8)
        const part = await readExactly(file.bytes, at + first, Math.ceil((firstBit + frameBits) / 8) - first, signal)
        return shifted(part, firstBit % 8, frameBytes)
      }
      return readExactly(file.bytes, at + index * frameBytes, frameBytes, signal)
    },
  }
}

/** Bits from `by` on, the lowest first. */
function shifted(part: Uint8Array, by: number, length: number): Uint8Array {
  if (by === 0) return part.subarray(0, length)
  return Uint8Array.from({ length }, (_, index) => (part[index]! >> by) | (((part[index + 1] ?? 0) << (8 - by)) & 0xff))
}

async function packedFrames(file: DicomFile, count: number, at: number, signal: AbortSignal | undefined): Promise<FrameTable> {
  const { bytes } = file
  const table = await itemAt(bytes, at, signal)
  if (table === undefined) throw new CannotShow('damaged', 'offset table')
  const start = table.at + table.length
  const extended = file.numbers(0x7fe00001)
  const lengths = file.numbers(0x7fe00002)
  if (extended.length === count && lengths.length === count)
    return {
      count,
      read: (index, reading) => readPieces(bytes, start + extended[index]!, start + extended[index]! + 8 + lengths[index]!, reading),
    }
  if (table.length >= count * 4 && table.length % 4 === 0) {
    const view = await readExactly(bytes, table.at, table.length, signal)
    const offsets = new DataView(view.buffer, view.byteOffset, view.byteLength)
    return {
      count,
      read: async (index, reading) => {
        if (index < 0 || index >= count) throw new CannotShow('damaged', 'frame number')
        const first = start + offsets.getUint32(index * 4, true)
        const next = index + 1 < count ? start + offsets.getUint32((index + 1) * 4, true) : undefined
        if (next !== undefined && next <= first) throw new CannotShow('damaged', 'offset table')
        return readPieces(bytes, first, next, reading)
      },
    }
  }
  if (count === 1) return { count, read: (_, reading) => readPieces(bytes, start, undefined, reading) }
  return walkedFrames(bytes, start, count, signal)
}

/** Without a table, one piece is one frame; anything else cannot be told apart. */
async function walkedFrames(bytes: Bytes, start: number, count: number, signal: AbortSignal | undefined): Promise<FrameTable> {
  if (bytes.sizeBytes - start > WALKED_BYTES_MAX) throw new CannotShow('too-large', 'no offset table')
  const places: { readonly at: number; readonly length: number }[] = []
  let at = start
  for (;;) {
    const item = await itemAt(bytes, at, signal)
    if (item === undefined) break
    places.push(item)
    if (places.length > count) throw new CannotShow('compression', 'frames in several pieces, no offset table')
    at = item.at + item.length
  }
  if (places.length < count) throw new CannotShow('truncated')
  return {
    count,
    read: (index, reading) => {
      const place = places[index]
      if (place === undefined) throw new CannotShow('damaged', 'frame number')
      return bounded(bytes, place.at, place.length, reading)
    },
  }
}

/** The pieces from `first` up to `end` or the end of the sequence, put together. */
async function readPieces(bytes: Bytes, first: number, end: number | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let at = first
  let total = 0
  const until = end ?? bytes.sizeBytes
  while (at < until) {
    // Some writers forget the delimiter at the end of the file.
    if (pieces.length > 0 && at + 8 > bytes.sizeBytes) break
    const item = await itemAt(bytes, at, signal)
    if (item === undefined) break
    total += item.length
    if (pieces.length >= PIECES_MAX || total > FRAME_BYTES_MAX) throw new CannotShow('too-large', 'frame')
    pieces.push(await bounded(bytes, item.at, item.length, signal))
    at = item.at + item.length
  }
  if (pieces.length === 0) throw new CannotShow('damaged', 'frame')
  if (pieces.length === 1) return pieces[0]!
  const whole = new Uint8Array(total)
  let to = 0
  for (const piece of pieces) {
    whole.set(piece, to)
    to += piece.length
  }
  return whole
}

async function bounded(bytes: Bytes, at: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (length > FRAME_BYTES_MAX) throw new CannotShow('too-large', 'frame')
  return readExactly(bytes, at, length, signal)
}

/** The item whose header is at `at`; undefined at the end of the sequence. */
async function itemAt(bytes: Bytes, at: number, signal: AbortSignal | undefined): Promise<{ at: number; length: number } | undefined> {
  const header = await readExactly(bytes, at, 8, signal)
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const tag = view.getUint16(0, true) * 65_536 + view.getUint16(2, true)
  const length = view.getUint32(4, true)
  if (tag === SEQUENCE_END) return undefined
  if (tag !== ITEM || length === 0xffffffff) throw new CannotShow('damaged', 'DICOM item')
  return { at: at + 8, length }
}
