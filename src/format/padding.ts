// Lengths that hide the exact size, and the shape of records that follows from them (fragment.md, "Bytes").
import { assert } from '#base'
import type { Common } from './header.ts'

/** Padme(L): L rounded up to a multiple of 2^(e-s), e = floor(log2 L), s = floor(log2 e) + 1 (PETS 2019). L >= 2. */
export function padme(length: number): number {
  assert(Number.isSafeInteger(length) && length >= 2, 'padme length')
  const e = floorLog2(length)
  const s = floorLog2(e) + 1
  const unit = 2 ** (e - s)
  return Math.ceil(length / unit) * unit
}

/** Bytes of S for a file of `size` bytes. */
export function paddedLength(size: number): number {
  return padme(Math.max(size, 1024))
}

function floorLog2(value: number): number {
  let e = Math.floor(Math.log2(value))
  if (2 ** e > value) e -= 1
  if (2 ** (e + 1) <= value) e += 1
  return e
}

export const TAG_BYTES = 16
export const SALT_BYTES = 8
/** Bytes of a record beside its body: salt before, ftag behind. */
export const RECORD_FRAME_BYTES = SALT_BYTES + TAG_BYTES

/** Where the pieces of an object lie inside each of its fragments. All lengths in bytes. */
export interface RecordShape {
  readonly chunkBytes: number
  readonly paddedLen: number
  /** Number of records. */
  readonly m: number
  /** Length of S_j. */
  pieceBytes(j: number): number
  bodyBytes(j: number): number
  recordBytes(j: number): number
  /** Offset of record j from the end of HEAD. */
  recordOffset(j: number): number
  /** All records together. */
  readonly totalBytes: number
}

export function recordShape(common: Pick<Common, 'suite' | 'k' | 'chunkLog2'>, paddedLen: number): RecordShape {
  const chunkBytes = 2 ** common.chunkLog2
  const m = Math.ceil(paddedLen / chunkBytes)
  const pieceBytes = (j: number): number => (j === m - 1 ? paddedLen - (m - 1) * chunkBytes : chunkBytes)
  const bodyOf = (piece: number): number => (common.suite === 1 ? piece + TAG_BYTES : Math.ceil((piece + TAG_BYTES) / common.k))
  const fullRecord = bodyOf(chunkBytes) + RECORD_FRAME_BYTES
  const shape = {
    chunkBytes,
    paddedLen,
    m,
    pieceBytes,
    bodyBytes: (j: number) => bodyOf(pieceBytes(j)),
    recordBytes: (j: number) => bodyOf(pieceBytes(j)) + RECORD_FRAME_BYTES,
    recordOffset: (j: number) => j * fullRecord,
  }
  return { ...shape, totalBytes: m === 0 ? 0 : shape.recordOffset(m - 1) + shape.recordBytes(m - 1) }
}
