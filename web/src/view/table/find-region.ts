// Rows of a region: by the index beside the file, or by reading the file from its beginning.
import { isFailure } from '#base'
import type { Client } from '#contract'
import { isClosed } from '../cannot-show.ts'
import { openFile } from '../open-file.ts'
import { unpackBlocks } from './bgzf.ts'
import { fieldsOf, isBlank, RecordEnds } from './records.ts'
import { extentOf, overlaps, type Region, sameChromosome } from './region.ts'
import { parseTextIndex, type TextIndex } from './tabix.ts'
import type { TextTable } from './text-table.ts'

export interface FoundRows {
  readonly rows: readonly (readonly string[])[]
  /** There may be more than are given. */
  readonly cut: boolean
}

interface FindRequest {
  readonly table: Pick<TextTable, 'run' | 'dialect' | 'encoding' | 'skip' | 'format'>
  readonly region: Region
  readonly index: TextIndex | undefined
  readonly signal: AbortSignal
  readonly progress: (share: number) => void
}

export const FOUND_MAX = 2000
const INDEX_BYTES_MAX = 64 * 2 ** 20
const SCAN_BYTES = 2 ** 20
const NEAR_BYTES = 128 * 1024

export async function findRows({ table, region, index, signal, progress }: FindRequest): Promise<FoundRows> {
  const { run, dialect, encoding, skip } = table
  const format = table.format === 'bed' ? 'bed' : 'vcf'
  const decoder = new TextDecoder(encoding)
  const rows: string[][] = []
  let at: number
  if (index === undefined) at = run.start
  else {
    const start = index.startOf(region)
    if (start === undefined) return { rows, cut: false }
    at = start
  }
  /** Sorted rows behind the region end the search. */
  const past = (fields: readonly string[]): boolean => {
    if (index === undefined) return false
    const extent = extentOf(fields, format)
    if (extent === undefined) return false
    return !sameChromosome(extent.chromosome, region.chromosome) ? rows.length > 0 : extent.start > region.end
  }
  let length = index === undefined ? SCAN_BYTES : NEAR_BYTES
  for (;;) {
    const piece = await run.piece(at, length, signal)
    const ends = new RecordEnds(dialect)
    let from = 0
    for (;;) {
      let end = ends.next(piece.bytes, from)
      if (end === -1) {
        if (!piece.last || from >= piece.bytes.length) break
        end = piece.bytes.length
      }
      const record = piece.bytes.subarray(from, end)
      from = end
      if (isBlank(record) || skip?.(record) === true) continue
      const fields = fieldsOf(decoder.decode(record), dialect)
      const extent = extentOf(fields, format)
      if (extent !== undefined && overlaps(extent, region)) rows.push(fields)
      else if (past(fields)) return { rows, cut: false }
      if (rows.length >= FOUND_MAX) return { rows, cut: true }
    }
    if (piece.last) return { rows, cut: false }
    if (from === 0) length *= 2
    at = piece.positionAt(from)
    progress(run.share(at))
  }
}

/** The index that lies beside a file; undefined where there is none. A broken one is said. */
export async function indexBeside(client: Pick<Client, 'download'>, path: string, signal: AbortSignal): Promise<TextIndex | undefined> {
  for (const ending of ['tbi', 'csi']) {
    try {
      const file = await openFile({ client, path: `${path}.${ending}`, signal })
      try {
        return parseTextIndex(await unpackBlocks(file.bytes, INDEX_BYTES_MAX, signal))
      } finally {
        file.close()
      }
    } catch (error) {
      if (isClosed(error) || !isFailure(error, 'storage.absent')) throw error
    }
  }
  return undefined
}
