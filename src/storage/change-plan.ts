// What is due: dealings that are not in the shape that the vault is to have (docs/spec/vault.md, "Change").
import type { Kysely, Transaction } from '#database'
import { sql } from '#database'
import type { Place } from './place.ts'
import type { DealTable, StorageTables } from './tables.ts'
import type { ReshapeTable } from './tables-change.ts'
import { unindexed } from './unindexed.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>

/** The shape that every dealing is to have. */
export interface Wanted {
  readonly k: number
  readonly layout: DealTable['layout']
  /** Ids of the locations that stay. */
  readonly active: readonly string[]
  /** Sets drawn before this instant are renewed. */
  readonly renewBefore: string | null
  /** Dealings keyed before this instant are dealt anew. */
  readonly anewBefore: string | null
}

/** anew: under new keys; reshare: a new set under the same keys; place: fragments for some locations, none for others. */
export type Step = 'anew' | 'reshare' | 'place'

export interface DueDeal {
  readonly deal: DealTable
  readonly step: Step
  /** Bytes that its fragments will take at the locations they are written to. */
  readonly bytes: number
}

export interface Due {
  readonly deals: number
  readonly bytes: number
  /** Of each step, the dealings. */
  readonly steps: Readonly<Record<Step, number>>
}

export const NO_RESHAPE: ReshapeTable = {
  id: 1,
  state: 'idle',
  renew_before: null,
  anew_before: null,
  bytes_per_second: 0,
  started: null,
  bytes_done: 0,
  bytes_total: 0,
  head_threshold: 0,
  catalogue_due: 0,
}

export async function readReshape(db: Handle): Promise<ReshapeTable> {
  return (await db.selectFrom('reshape').selectAll().executeTakeFirst()) ?? NO_RESHAPE
}

/** How much is due altogether. One look at the whole catalogue. */
export async function countDue(db: Handle, wanted: Wanted): Promise<Due> {
  const rows = await dueQuery(db, wanted)
    .select((eb) => [
      stepOf(wanted).as('step'),
      'd.layout',
      'd.k',
      missing(wanted).as('missing'),
      eb.fn.countAll<number>().as('deals'),
      eb.fn.sum<number>(content()).as('bytes'),
    ])
    .groupBy(['step', 'd.layout', 'd.k', 'missing'])
    .execute()
  const steps: Record<Step, number> = { anew: 0, reshare: 0, place: 0 }
  let [deals, bytes] = [0, 0]
  for (const row of rows) {
    steps[row.step] += row.deals
    deals += row.deals
    bytes += row.bytes * bytesFactor(wanted, row)
  }
  return { deals, bytes: Math.ceil(bytes), steps }
}

/**
 * The next dealings that are due, in the order of their ids.
 * @param spare readable fragments beyond k: those with so many, or, of the first and last level, fewer or more
 */
export async function nextDue(
  db: Handle,
  wanted: Wanted,
  page: {
    readonly after: string
    readonly present: readonly string[]
    readonly spare: { readonly from: number | undefined; readonly to: number | undefined }
    readonly limit: number
  },
): Promise<DueDeal[]> {
  const { after, present, spare, limit } = page
  const beyond = sql<number>`((select count(*) from fragment as h where h.deal = d.deal and h.state = 'held' and ${unindexed('h.location')} in (${list(present)})) - d.k)`
  const rows = await dueQuery(db, wanted)
    .selectAll('d')
    .select([stepOf(wanted).as('step'), missing(wanted).as('missing')])
    .where('d.deal', '>', after)
    .$if(spare.from !== undefined, (query) => query.where(beyond, '>=', spare.from!))
    .$if(spare.to !== undefined, (query) => query.where(beyond, '<=', spare.to!))
    .orderBy('d.deal')
    .limit(limit)
    .execute()
  return rows.map(({ step, missing: lacking, ...deal }) => ({
    deal,
    step,
    bytes: Math.ceil(Math.max(deal.padded, deal.size) * bytesFactor(wanted, { step, missing: lacking, layout: deal.layout, k: deal.k })),
  }))
}

/** Bytes written to all locations together for one byte of content. */
export function writtenBytes(layout: DealTable['layout'], { k, n }: { readonly k: number; readonly n: number }): number {
  return layout === 'shared' ? n : n / k
}

/** What the vault is to be, by its row, the change that was asked for, and the locations that stay. */
export function wantedOf(
  row: { readonly threshold: number; readonly layout: DealTable['layout'] },
  reshape: Pick<ReshapeTable, 'renew_before' | 'anew_before'>,
  active: readonly Pick<Place, 'id'>[],
): Wanted {
  return {
    k: row.threshold,
    layout: row.layout,
    active: active.map(({ id }) => id),
    renewBefore: reshape.renew_before,
    anewBefore: reshape.anew_before,
  }
}

function bytesFactor(
  { k, layout, active }: Wanted,
  row: { readonly step: Step; readonly missing: number; readonly layout: DealTable['layout']; readonly k: number },
): number {
  if (row.step === 'place') return row.layout === 'shared' ? row.missing : row.missing / row.k
  return writtenBytes(row.step === 'anew' ? layout : row.layout, { k, n: active.length })
}

function dueQuery(db: Handle, wanted: Wanted) {
  return db
    .selectFrom('deal as d')
    .leftJoin('deal_set as s', 's.deal', 'd.deal')
    .where('d.state', '=', 'stored')
    .where('d.purpose', '=', 'file')
    .where(
      sql<boolean>`(${isAnew(wanted)} or ${isReshare(wanted)} or ${missing(wanted)} > 0 or exists (select 1 from fragment as o where o.deal = d.deal and o.location not in (${list(wanted.active)})))`,
    )
}

function stepOf(wanted: Wanted) {
  return sql<Step>`case when ${isAnew(wanted)} then 'anew' when ${isReshare(wanted)} then 'reshare' else 'place' end`
}

function isAnew({ layout, anewBefore }: Wanted) {
  return sql<boolean>`(d.layout <> ${layout} or (${anewBefore ?? ''} <> '' and coalesce(s.dealt, d.created) < ${anewBefore ?? ''}))`
}

function isReshare({ k, renewBefore }: Wanted) {
  return sql<boolean>`(d.k <> ${k} or (${renewBefore ?? ''} <> '' and coalesce(s.renewed, s.dealt, d.created) < ${renewBefore ?? ''}))`
}

/** Locations that stay and hold nothing of it yet; what was lost or damaged there is repair's. */
function missing({ active }: Wanted) {
  return sql<number>`(${active.length} - (select count(*) from fragment as f where f.deal = d.deal and f.state <> 'pending' and ${unindexed('f.location')} in (${list(active)})))`
}

function content() {
  return sql<number>`case when d.padded > d.size then d.padded else d.size end`
}

function list(ids: readonly string[]) {
  return sql.join(ids.length === 0 ? ['-'] : [...ids])
}
