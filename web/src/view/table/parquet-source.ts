// Rows of a Parquet file: its footer first, then only the columns and row groups that are looked at.
import { type FileMetaData, parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { Bytes } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import type { TableSource } from './table-source.ts'

const COLUMNS_MAX = 100
/** Without an index of pages, a row costs the whole group of its columns. */
const GROUP_BYTES_MAX = 256 * 2 ** 20
const FOOTER_BYTES_MAX = 64 * 2 ** 20
const STEP_ROWS = 1000
const STEPS_MAX = 8
const TEXT_MAX = 2000

export async function openParquet(bytes: Bytes, signal: AbortSignal): Promise<TableSource> {
  const tail = await bytes.read(Math.max(0, bytes.sizeBytes - 8), 8, signal)
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  if (tail.length < 8 || view.getUint32(4) !== 0x50415231) throw new CannotShow('truncated')
  const footer = view.getUint32(0, true)
  if (footer > bytes.sizeBytes - 12) throw new CannotShow('damaged', 'Parquet footer')
  if (footer > FOOTER_BYTES_MAX) throw new CannotShow('too-large', 'Parquet footer')
  const metadata = await understood(() => parquetMetadataAsync(fileOf(bytes, signal), { initialFetchSize: footer + 8 }))
  const names = parquetSchema(metadata).children.map((child) => child.element.name)
  const columns = names.slice(0, COLUMNS_MAX)
  const count = Number(metadata.num_rows)
  if (!Number.isSafeInteger(count) || count < 0) throw new CannotShow('damaged', 'Parquet rows')
  const steps = new Map<number, Promise<readonly (readonly string[])[]>>()
  const step = (index: number, reading: AbortSignal): Promise<readonly (readonly string[])[]> => {
    const known = steps.get(index)
    if (known !== undefined) return known
    const rows = readRows({
      bytes,
      metadata,
      columns,
      first: index * STEP_ROWS,
      end: Math.min(count, (index + 1) * STEP_ROWS),
      signal: reading,
    })
    steps.set(index, rows)
    rows.catch(() => steps.delete(index))
    for (const oldest of steps.keys()) {
      if (steps.size <= STEPS_MAX) break
      steps.delete(oldest)
    }
    return rows
  }
  return {
    columns,
    columnsLeft: names.length - columns.length,
    count,
    complete: true,
    share: 1,
    extend: async () => false,
    rows: async (first, wanted, reading) => {
      const rows: (readonly string[])[] = []
      const end = Math.min(count, first + wanted)
      for (let at = first; at < end;) {
        const index = Math.floor(at / STEP_ROWS)
        const from = at - index * STEP_ROWS
        const part = (await step(index, reading)).slice(from, from + end - at)
        if (part.length === 0) throw new CannotShow('damaged', 'Parquet rows')
        rows.push(...part)
        at += part.length
      }
      return rows
    },
  }
}

interface RowsRequest {
  readonly bytes: Bytes
  readonly metadata: FileMetaData
  readonly columns: readonly string[]
  readonly first: number
  readonly end: number
  readonly signal: AbortSignal
}

async function readRows({ bytes, metadata, columns, first, end, signal }: RowsRequest): Promise<readonly (readonly string[])[]> {
  refuseLarge(metadata, columns, first, end)
  let rows: unknown[][] = []
  await understood(() =>
    parquetRead({
      file: fileOf(bytes, signal),
      metadata,
      columns: [...columns],
      rowStart: first,
      rowEnd: end,
      compressors,
      useOffsetIndex: true,
      onComplete: (found) => {
        rows = found as unknown[][]
      },
    }),
  )
  return rows.map((row) => row.map(textOf))
}

function refuseLarge(metadata: FileMetaData, columns: readonly string[], first: number, end: number): void {
  let start = 0
  for (const group of metadata.row_groups) {
    const next = start + Number(group.num_rows)
    if (start < end && next > first) {
      const large = group.columns
        .filter((column) => column.offset_index_offset === undefined && columns.includes(column.meta_data?.path_in_schema[0] ?? ''))
        .reduce((sum, column) => sum + Number(column.meta_data?.total_uncompressed_size ?? 0), 0)
      if (large > GROUP_BYTES_MAX) throw new CannotShow('too-large', 'row group')
    }
    start = next
  }
}

function fileOf(bytes: Bytes, signal: AbortSignal): { byteLength: number; slice(start: number, end?: number): Promise<ArrayBuffer> } {
  return {
    byteLength: bytes.sizeBytes,
    slice: async (start, end = bytes.sizeBytes) => {
      const part = await bytes.read(start, end - start, signal)
      if (part.length !== end - start) throw new CannotShow('truncated')
      return new Uint8Array(part).buffer
    },
  }
}

/** What the reader of the format cannot make sense of is damaged; what the site refuses, or a closed viewer, stays itself. */
async function understood<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CannotShow) throw error
    const ours = error.name !== 'Error' && error.name !== 'RangeError' && error.name !== 'TypeError'
    if (ours) throw error
    throw new CannotShow(/unsupported|not supported/i.test(error.message) ? 'compression' : 'damaged', 'Parquet', { cause: error })
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  if (value instanceof Uint8Array) return [...value.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  if (typeof value === 'string') return value.slice(0, TEXT_MAX)
  if (typeof value === 'object')
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)).slice(0, TEXT_MAX)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}
