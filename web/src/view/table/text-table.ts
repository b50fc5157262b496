// Separated text as a table: what separates the fields, whether the first row names the columns, and how to read on from there.
import type { Bytes } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import { encodingOf, type Encoding, markBytes } from '../encoding.ts'
import { type Dialect, fieldsOf, firstIsHeader, guessSeparator, RecordEnds, recordsOf, type Separator } from './records.ts'
import { createRowIndex, type RowIndex } from './row-index.ts'
import { blockRun, plainRun, type Run } from './run.ts'
import { COLUMNS_MAX, type TableSource } from './table-source.ts'

export type TextFormat = 'csv' | 'tsv' | 'bed' | 'vcf'

export interface TextTable {
  readonly run: Run
  readonly format: TextFormat
  readonly encoding: Encoding
  readonly dialect: Dialect
  readonly header: boolean
  readonly source: TableSource
  /** Everything above the first row of a table of variants. */
  readonly meta: string
  /** Lines that are no rows. */
  readonly skip: ((record: Uint8Array) => boolean) | undefined
}

export interface TextTableChoice {
  readonly separator?: Separator | undefined
  readonly header?: boolean | undefined
}

interface OpenTextTable {
  readonly bytes: Bytes
  readonly blocks: boolean
  readonly format: TextFormat
  readonly choice: TextTableChoice
}

const START_BYTES = 256 * 1024
const META_BYTES_MAX = 16 * 2 ** 20
const HASH = 35
const BED_COLUMNS = [
  'chrom',
  'chromStart',
  'chromEnd',
  'name',
  'score',
  'strand',
  'thickStart',
  'thickEnd',
  'itemRgb',
  'blockCount',
  'blockSizes',
  'blockStarts',
]

export async function openTextTable({ bytes, blocks, format, choice }: OpenTextTable, signal: AbortSignal): Promise<TextTable> {
  const plain = blocks ? blockRun(bytes) : plainRun(bytes)
  const first = await plain.piece(0, START_BYTES, signal)
  const encoding = encodingOf(first.bytes)
  if (encoding === undefined || encoding === 'utf-16le' || encoding === 'utf-16be') throw new CannotShow('no-table', encoding ?? '')
  const mark = markBytes(first.bytes, encoding)
  const run = blocks ? plain : plainRun(bytes, mark)
  const from = blocks ? first.positionAt(mark) : mark
  const start = new TextDecoder(encoding).decode(first.bytes.subarray(mark))
  if (format === 'vcf') return variants(run, from, encoding, signal)
  if (format === 'bed') return regions(run, from, encoding, start)
  const separator = choice.separator ?? (format === 'tsv' ? '\t' : guessSeparator(start.slice(0, START_BYTES / 4)))
  const dialect: Dialect = { separator, quotes: true }
  const records = recordsOf(start, dialect, 50)
  const header = choice.header ?? firstIsHeader(records)
  const widest = Math.max(1, ...records.map((record) => record.length))
  const firstRecord = records[0] ?? []
  const columns = Array.from({ length: widest }, (_, index) => (header ? (firstRecord[index] ?? '') : '') || String(index + 1))
  let rowsFrom = from
  if (header) {
    const end = new RecordEnds(dialect).next(first.bytes.subarray(mark), 0)
    rowsFrom = first.positionAt(end === -1 ? first.bytes.length : mark + end)
  }
  const index = createRowIndex({ run, from: rowsFrom, dialect, encoding })
  return { run, format, encoding, dialect, header, source: sourceOf(columns, index), meta: '', skip: undefined }
}

async function variants(run: Run, from: number, encoding: Encoding, signal: AbortSignal): Promise<TextTable> {
  const dialect: Dialect = { separator: '\t', quotes: false }
  const { meta, names } = await readMeta(run, from, encoding, signal)
  const skip = (record: Uint8Array): boolean => record[0] === HASH
  const index = createRowIndex({ run, from, dialect, encoding, skip })
  return { run, format: 'vcf', encoding, dialect, header: true, source: sourceOf(names, index), meta, skip }
}

/** The lines that begin with ##, and the one that names the columns. */
async function readMeta(
  run: Run,
  from: number,
  encoding: Encoding,
  signal: AbortSignal,
): Promise<{ readonly meta: string; readonly names: readonly string[] }> {
  for (let length = START_BYTES; length <= META_BYTES_MAX; length *= 4) {
    const { bytes, last } = await run.piece(from, length, signal)
    const text = new TextDecoder(encoding).decode(bytes)
    const found = /^#CHROM[^\n]*$/m.exec(text)
    if (found !== null && (last || found.index + found[0].length < text.length)) {
      const line = found[0].replace(/\r$/, '')
      return { meta: text.slice(0, found.index) + line, names: line.slice(1).split('\t') }
    }
    if (last) break
  }
  throw new CannotShow('damaged', '#CHROM')
}

function regions(run: Run, from: number, encoding: Encoding, start: string): TextTable {
  const lines = start.split('\n').filter((line) => line !== '' && !/^(?:#|track\b|browser\b)/.test(line))
  const separator: Separator = lines.slice(0, 20).every((line) => line.includes('\t')) ? '\t' : ' '
  const dialect: Dialect = { separator, quotes: false }
  const widest = Math.max(3, ...lines.slice(0, 100).map((line) => fieldsOf(line, dialect).length))
  const columns = Array.from({ length: widest }, (_, index) => BED_COLUMNS[index] ?? String(index + 1))
  const skip = (record: Uint8Array): boolean =>
    record[0] === HASH || /^(?:track|browser)\b/.test(String.fromCharCode(...record.subarray(0, 8)))
  const index = createRowIndex({ run, from, dialect, encoding, skip })
  return { run, format: 'bed', encoding, dialect, header: true, source: sourceOf(columns, index), meta: '', skip }
}

function sourceOf(columns: readonly string[], index: RowIndex): TableSource {
  const shown = columns.slice(0, COLUMNS_MAX)
  return {
    columns: shown,
    columnsLeft: columns.length - shown.length,
    get count() {
      return index.count
    },
    get complete() {
      return index.complete
    },
    get share() {
      return index.share
    },
    extend: (signal) => index.extend(signal),
    rows: (first, count, signal) => index.rows(first, count, signal),
  }
}
