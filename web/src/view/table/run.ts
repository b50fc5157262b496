// Text that is read from any position onwards, piece by piece: as it lies in the file, or packed in blocks.
import type { Bytes } from '../bytes.ts'
import { blockAt, unpackBlock } from './bgzf.ts'

/** Where a byte of the text is: its offset, or with blocks the virtual offset (offset of the block × 65536 + offset in its content). */
export type Position = number

export interface Piece {
  readonly bytes: Uint8Array
  /** The position of byte `index` of the piece; of the one behind it for `index` = length. */
  positionAt(index: number): Position
  readonly last: boolean
}

export interface Run {
  readonly start: Position
  /** About so many bytes of text from there; none only at the end. */
  piece(from: Position, lengthBytes: number, signal?: AbortSignal): Promise<Piece>
  /** How far a position is through the file, from 0 to 1. */
  share(position: Position): number
}

const BLOCK = 65_536

/** From `start` on: behind a byte order mark. */
export function plainRun(bytes: Bytes, start = 0): Run {
  return {
    start,
    piece: async (from, lengthBytes, signal) => {
      const part = await bytes.read(from, lengthBytes, signal)
      return { bytes: part, positionAt: (index) => from + index, last: from + part.length >= bytes.sizeBytes }
    },
    share: (position) => (bytes.sizeBytes === 0 ? 1 : position / bytes.sizeBytes),
  }
}

export function blockRun(bytes: Bytes): Run {
  return {
    start: 0,
    piece: async (from, lengthBytes, signal) => {
      const parts: { readonly bytes: Uint8Array; readonly at: Position; readonly from: number }[] = []
      let total = 0
      let at = Math.floor(from / BLOCK)
      let skip = from - at * BLOCK
      let last = false
      while (total < lengthBytes) {
        const block = await blockAt(bytes, at, signal)
        if (block === undefined) {
          last = true
          break
        }
        const content = (await unpackBlock(bytes, block, signal)).subarray(skip)
        if (content.length > 0) parts.push({ bytes: content, at: at * BLOCK + skip, from: total })
        total += content.length
        skip = 0
        at = block.next
      }
      // Empty blocks at the end are the end.
      if (!last) last = at >= bytes.sizeBytes
      const whole = new Uint8Array(total)
      for (const part of parts) whole.set(part.bytes, part.from)
      const behind = at * BLOCK
      return {
        bytes: whole,
        positionAt: (index) => {
          const part = parts.findLast((one) => one.from <= index)
          return part === undefined || index >= total ? behind : part.at + (index - part.from)
        },
        last,
      }
    },
    share: (position) => (bytes.sizeBytes === 0 ? 1 : Math.min(1, position / BLOCK / bytes.sizeBytes)),
  }
}
