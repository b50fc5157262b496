// Which set of fragments of a dealing stands: a change puts a new one, of the next generation, in the place of the one before.
import { Failure } from '#base'
import type { Kysely, Transaction } from '#database'
import type { Common } from '#format'
import type { StorageTables } from './tables.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>

const X_MAX = 255

export interface DealSet {
  readonly generation: number
  /** Null in generation 0, of which a dealing has one set only; elsewhere of what a recovery could not learn. */
  readonly setId: string | null
}

/** The set that the catalogue means. */
export async function setOf(db: Handle, deal: string): Promise<DealSet> {
  const row = await db.selectFrom('deal_set').select(['generation', 'set_id']).where('deal', '=', deal).executeTakeFirst()
  return { generation: row?.generation ?? 0, setId: row?.set_id ?? null }
}

/** False when fragments with this COMMON belong to another set of the dealing than the one that stands. */
export async function isOfSet(db: Handle, deal: string, common: Pick<Common, 'generation' | 'setId'>): Promise<boolean> {
  const { generation, setId } = await setOf(db, deal)
  return common.generation === generation && (setId === null || common.setId === setId)
}

/** An x that no row of the dealing has: the wanted one, or the smallest above all. Throws `crypto.threshold` when all are taken. */
export function freeX(rows: readonly { readonly x: number }[], wanted: number): number {
  const taken = new Set(rows.map(({ x }) => x))
  if (!taken.has(wanted)) return wanted
  const above = Math.max(...taken) + 1
  if (above <= X_MAX) return above
  for (let x = 1; x <= X_MAX; x++) if (!taken.has(x)) return x
  throw new Failure('crypto.threshold', { detail: 'a dealing has no point left for one more location' })
}
