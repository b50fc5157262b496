// Where the rows of a text are: a position for every so many of them, so that a million rows cost a few thousand numbers.
import { CannotShow } from '../cannot-show.ts'
import type { Encoding } from '../encoding.ts'
import { type Dialect, fieldsOf, isBlank, RecordEnds } from './records.ts'
import type { Position, Run } from './run.ts'

export interface RowIndex {
  /** Rows that are known so far. */
  readonly count: number
  /** True when there are no more. */
  readonly complete: boolean
  /** How much of the file has been read, from 0 to 1. */
  readonly share: number
  /** Reads on, about so many bytes of text; false when there is nothing left. */
  extend(signal: AbortSignal, lengthBytes?: number): Promise<boolean>
  /** Fields of rows that are known. */
  rows(first: number, count: number, signal: AbortSignal): Promise<readonly (readonly string[])[]>
}

interface IndexOptions {
  readonly run: Run
  readonly from: Position
  readonly dialect: Dialect
  readonly encoding: Encoding
  /** Lines that are no rows, such as comments. */
  readonly skip?: (record: Uint8Array) => boolean
}

const EVERY = 256
const SCAN_BYTES = 2 ** 20
const READ_BYTES = 128 * 1024
/** A file of empty lines has billions of rows. */
const ROWS_MAX = 500_000_000

export function createRowIndex({ run, from, dialect, encoding, skip }: IndexOptions): RowIndex {
  const places: Position[] = []
  const decoder = new TextDecoder(encoding)
  let at = from
  let count = 0
  let complete = false
  let before: Promise<unknown> = Promise.resolve()

  /** Goes through records from a position; `each` says false to stop. The record is whole, its line end with it. */
  const walk = async (
    start: Position,
    lengthBytes: number,
    signal: AbortSignal,
    each: (record: Uint8Array, position: Position) => boolean,
  ): Promise<{ readonly next: Position; readonly end: boolean }> => {
    let ends = new RecordEnds(dialect)
    let piece = await run.piece(start, lengthBytes, signal)
    let index = 0
    for (;;) {
      const end = ends.next(piece.bytes, index)
      if (end !== -1) {
        if (!each(piece.bytes.subarray(index, end), piece.positionAt(index))) return { next: piece.positionAt(end), end: false }
        index = end
        continue
      }
      if (piece.last) {
        if (index < piece.bytes.length) each(piece.bytes.subarray(index), piece.positionAt(index))
        return { next: piece.positionAt(piece.bytes.length), end: true }
      }
      // The record goes on in the next piece, which begins with it.
      const next = piece.positionAt(index)
      if (index > 0) return { next, end: false }
      const longer = await run.piece(next, piece.bytes.length * 2, signal)
      if (longer.bytes.length <= piece.bytes.length && !longer.last) throw new CannotShow('too-large', 'row')
      piece = longer
      ends = new RecordEnds(dialect)
    }
  }

  const counts = (record: Uint8Array): boolean => !isBlank(record) && skip?.(record) !== true

  const scan = async (signal: AbortSignal, lengthBytes: number): Promise<boolean> => {
    if (complete) return false
    const found: Position[] = []
    let added = 0
    const { next, end } = await walk(at, lengthBytes, signal, (record, position) => {
      if (!counts(record)) return true
      if ((count + added) % EVERY === 0) found.push(position)
      added++
      return true
    })
    // Noted at once: a scan that was broken off has changed nothing.
    places.push(...found)
    count += added
    at = next
    if (count > ROWS_MAX) throw new CannotShow('too-large', 'rows')
    complete = end
    return !complete
  }

  return {
    get count() {
      return count
    },
    get complete() {
      return complete
    },
    get share() {
      return complete ? 1 : run.share(at)
    },
    extend: async (signal, lengthBytes = SCAN_BYTES) => {
      // One after the other: each goes on where the last one ended.
      const turn = before.then(async () => {
        signal.throwIfAborted()
        return scan(signal, lengthBytes)
      })
      before = turn.catch(() => undefined)
      return turn
    },
    rows: async (first, wanted, signal) => {
      const last = Math.min(count, first + wanted)
      const rows: string[][] = []
      if (first >= last) return rows
      let row = Math.floor(first / EVERY) * EVERY
      let position = places[row / EVERY]!
      const take = (record: Uint8Array): boolean => {
        if (!counts(record)) return true
        if (row >= first) rows.push(fieldsOf(decoder.decode(record), dialect))
        return ++row < last
      }
      for (let end = false; !end && rows.length < last - first;) {
        const walked = await walk(position, READ_BYTES, signal, take)
        position = walked.next
        end = walked.end
      }
      return rows
    },
  }
}
