// Names that hold a text, anywhere below a folder, in the order of their paths.
import type { Entry } from '#contract'
import type { Kysely } from '#database'
import { type Present, statEntry } from './listing.ts'
import { isReserved, TRASH, TRASH_END } from './paths.ts'
import type { StorageTables } from './tables.ts'

/** Rows looked at by one call: a caller goes on with `next`. */
const LOOKED_MAX = 20_000
const PAGE_ROWS = 2000

export interface SearchRequest {
  /** Canonical. */
  readonly path: string
  readonly text: string
  readonly after?: string | undefined
  readonly limit: number
  readonly present: Present
}

/** Case, accents and width make no difference. */
export function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** One page. `next` may be given though nothing was found: there is more to look at. */
export async function searchNames(
  db: Kysely<StorageTables>,
  { path, text, after, limit, present }: SearchRequest,
): Promise<{ readonly entries: Entry[]; readonly next: string | null }> {
  const wanted = folded(text)
  const below = path === '/' ? '/' : `${path}/`
  const above = path === '/' ? '0' : `${path}0`
  const entries: Entry[] = []
  let from = after === undefined || isBefore(after, below) ? below : after
  for (let looked = 0; looked < LOOKED_MAX;) {
    const rows = await pageOf(db, { from, above })
    looked += rows.length
    for (const row of rows) {
      from = row
      if (isReserved(row) || !folded(row.slice(row.lastIndexOf('/') + 1)).includes(wanted)) continue
      const entry = await statEntry(db, row, present).catch(() => undefined)
      if (entry !== undefined) entries.push(entry)
      if (entries.length === limit) return { entries, next: from }
    }
    if (rows.length < PAGE_ROWS) return { entries, next: null }
  }
  return { entries, next: from }
}

function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
}

/** Paths of folders and files together, in code point order. */
async function pageOf(
  db: Kysely<StorageTables>,
  { from, above }: { readonly from: string; readonly above: string },
): Promise<readonly string[]> {
  const rows = await Promise.all(
    (['folder', 'file'] as const).map((table) =>
      db
        .selectFrom(table)
        .select('path')
        .where('path', '>', from)
        .where('path', '<', above)
        // The trash may be large, and nothing in it is found.
        .where((eb) => eb.or([eb('path', '<', TRASH), eb('path', '>=', TRASH_END)]))
        .orderBy('path')
        .limit(PAGE_ROWS)
        .execute(),
    ),
  )
  return rows
    .flat()
    .map((row) => row.path)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .slice(0, PAGE_ROWS)
}
