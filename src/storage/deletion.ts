// Deletions with proof: which fragments a removal takes away, what every location answers, and the signed record of it (docs/spec/deletion.md).
import { Failure, fromUtf8, rfc3339, utf8 } from '#base'
import type { Deletion, DeletionListing } from '#contract'
import type { Kysely, Transaction } from '#database'
import { newId } from '#format'
import { encodeDeletionRecord, verifyDeletionRecord } from './deletion-record.ts'
import { type Dropped, log } from './catalogue.ts'
import { addDebris } from './intent.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { StorageTables } from './tables.ts'
import type { DeletionPartTable, DeletionTable } from './tables-trash.ts'
import type { Vault } from './vault.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>
type Tx = Transaction<StorageTables>

/** A removal of more dealings has several records. */
const DEALINGS_MAX = 1000
/** Longer records are kept here only; the catalogue carries the others. */
const CARRIED_BYTES_MAX = 65_536
export const CARRIED_MAX = 1000
const PAGE_ROWS = 200
const AT_ONCE = 4
/** Answers after which nothing more is awaited. */
const FINAL: readonly DeletionPartTable['state'][] = ['gone', 'left']

const WHY: Record<DeletionPartTable['state'], string> = {
  awaited: 'not asked yet',
  unreachable: 'it does not answer',
  kept: 'it keeps the fragments: a lock, or no right to delete',
  denied: 'it refuses our credentials',
  removed: 'removed, not yet looked for again',
  shown: 'it said gone, and shows the fragments still',
  gone: '',
  left: '',
}

/** Notes every fragment of the dealings that one removal drops, before they are forgotten. Use it for one removal only. */
export function provenDeletion(deed: Pick<DeletionTable, 'path' | 'what' | 'reason' | 'by' | 'at'>): Dropped {
  let id: string | undefined
  let dealings = 0
  return async (tx, deals, stillNamed) => {
    for (let from = 0; from < Math.max(1, deals.length); from += PAGE_ROWS) {
      const some = deals.slice(from, from + PAGE_ROWS)
      if (id === undefined || dealings + some.length > DEALINGS_MAX) {
        id = newId()
        dealings = 0
        await tx
          .insertInto('deletion')
          .values({ id, ...deed, dealings: 0, still_named: 0, closed: null, record: null })
          .execute()
      }
      dealings += some.length
      await tx
        .updateTable('deletion')
        .set((eb) => ({ dealings, still_named: eb('still_named', '+', from === 0 ? stillNamed : 0) }))
        .where('id', '=', id)
        .execute()
      if (some.length === 0) continue
      const rows = await tx.selectFrom('fragment').select(['deal', 'x', 'location', 'name']).where('deal', 'in', some).execute()
      for (let at = 0; at < rows.length; at += PAGE_ROWS) {
        const parts = rows
          .slice(at, at + PAGE_ROWS)
          .flatMap(({ name, ...row }) => (name === null ? [] : [{ ...row, name, deletion: id!, state: 'awaited' as const, at: deed.at }]))
        if (parts.length > 0) await tx.insertInto('deletion_part').values(parts).execute()
      }
    }
  }
}

export type DiscardAnswer = 'removed' | 'awaited' | 'kept' | 'denied' | 'unreachable'

/** Notes what locations answered when they were told to discard. */
export async function noteAnswers(
  tx: Tx,
  answers: readonly { readonly deal: string; readonly x: number; readonly answer: DiscardAnswer }[],
  at: string,
): Promise<void> {
  if (answers.length === 0) return
  const tracked = new Set(
    (
      await tx
        .selectFrom('deletion_part')
        .select('deal')
        .distinct()
        .where('deal', 'in', [...new Set(answers.map(({ deal }) => deal))])
        .execute()
    ).map(({ deal }) => deal),
  )
  for (const { deal, x, answer } of answers)
    if (tracked.has(deal))
      await tx
        .updateTable('deletion_part')
        .set({ state: answer, at })
        .where('deal', '=', deal)
        .where('x', '=', x)
        // Why it was refused tells more than that it does not answer now.
        .where('state', 'not in', answer === 'unreachable' ? [...FINAL, 'kept', 'denied'] : FINAL)
        .execute()
}

/** True while some record awaits an answer. */
export async function deletionsOpen(db: Handle): Promise<boolean> {
  return (await db.selectFrom('deletion').select('id').where('closed', 'is', null).limit(1).executeTakeFirst()) !== undefined
}

/**
 * Looks for fragments that were taken away, by name and in a fresh listing, and closes the records that await nothing more. What a location shows
 * still becomes debris again. Answers whether something was closed, which the catalogue is to learn.
 */
export async function settleDeletions(vault: Vault, signal: AbortSignal): Promise<boolean> {
  const { db, places, clock } = vault.parts
  const known = places.all.map(({ id }) => id)
  await db.kysely
    .updateTable('deletion_part')
    .set({ state: 'left', at: rfc3339(clock.now()) })
    .where('location', 'not in', known)
    .where('state', 'not in', FINAL)
    .execute()
  await Promise.all(places.all.filter(({ usable }) => usable).map((place) => lookForRemoved(vault, place, signal)))
  return closeDeletions(vault, signal)
}

async function lookForRemoved(vault: Vault, place: Place, signal: AbortSignal): Promise<void> {
  const { db, clock } = vault.parts
  for (let after = ''; place.usable;) {
    const rows = await db.kysely
      .selectFrom('deletion_part')
      .selectAll()
      .where('location', '=', place.id)
      .where('state', 'in', ['removed', 'shown'])
      .where('name', '>', after)
      .orderBy('name')
      .limit(PAGE_ROWS)
      .execute()
    if (rows.length === 0) return
    after = rows[rows.length - 1]!.name
    const queue = [...rows]
    const found: { readonly row: DeletionPartTable; readonly gone: boolean }[] = []
    const work = async (): Promise<void> => {
      for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
        if (signal.aborted) throw new Failure('base.cancelled')
        const gone = await isGone(vault, place, { name: row.name, signal })
        if (gone !== undefined) found.push({ row, gone })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const at = rfc3339(clock.now())
    await db.transaction(async (tx) => {
      for (const { row, gone } of found) {
        await tx
          .updateTable('deletion_part')
          .set({ state: gone ? 'gone' : 'shown', at })
          .where('deletion', '=', row.deletion)
          .where('deal', '=', row.deal)
          .where('x', '=', row.x)
          .execute()
        if (!gone) await addDebris(tx, [row])
      }
    })
  }
}

/** Undefined when the place does not answer. */
async function isGone(
  vault: Vault,
  place: Place,
  what: { readonly name: string; readonly signal: AbortSignal },
): Promise<boolean | undefined> {
  const { clock, stallMs } = vault.parts
  const patience = { clock, ms: stallMs, label: place.label, signal: what.signal }
  if (!place.usable) return undefined
  try {
    if ((await within(patience, (signal) => place.location.head(what.name, { signal }))) !== undefined) return false
    const page = await within(patience, (signal) => place.location.list({ prefix: what.name, limit: 1 }, { signal }))
    return page.entries.every(({ name }) => name !== what.name)
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    place.failed(error)
    return undefined
  }
}

async function closeDeletions(vault: Vault, signal: AbortSignal): Promise<boolean> {
  const { db, clock } = vault.parts
  let closed = false
  for (let after = ''; !signal.aborted;) {
    const rows = await db.kysely
      .selectFrom('deletion')
      .selectAll()
      .where('closed', 'is', null)
      .where('id', '>', after)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('deletion_part')
              .select('x')
              .whereRef('deletion_part.deletion', '=', 'deletion.id')
              .where('deletion_part.state', 'not in', FINAL),
          ),
        ),
      )
      .orderBy('id')
      .limit(PAGE_ROWS)
      .execute()
    if (rows.length === 0) break
    after = rows[rows.length - 1]!.id
    for (const row of rows) {
      const at = rfc3339(clock.now())
      const record = fromUtf8(await signedRecord(vault, row, { state: 'closed', at }))
      await db.transaction(async (tx) => {
        await tx.updateTable('deletion').set({ closed: at, record }).where('id', '=', row.id).execute()
        // The record says it all.
        await tx.deleteFrom('deletion_part').where('deletion', '=', row.id).execute()
        if (isCarried(record)) await log(tx, [{ op: 'deletion', record }])
      })
      closed = true
    }
  }
  return closed
}

/** True when the catalogue carries the record, so that a recovery finds it. */
export function isCarried(record: string): boolean {
  return record.length <= CARRIED_BYTES_MAX
}

async function signedRecord(
  vault: Vault,
  row: DeletionTable,
  now: { readonly state: 'open' | 'closed'; readonly at: string },
): Promise<Uint8Array> {
  const { db, places, signer } = vault.parts
  const key = signer()
  const parts = await db.kysely
    .selectFrom('deletion_part')
    .selectAll()
    .where('deletion', '=', row.id)
    .orderBy('deal')
    .orderBy('x')
    .execute()
  const used = [...new Set(parts.map(({ location }) => location))].toSorted()
  return encodeDeletionRecord(
    {
      vault: vault.row.vault,
      deletion: row.id,
      path: row.path,
      what: row.what,
      reason: row.reason,
      by: row.by,
      at: row.at,
      written: now.at,
      state: now.state,
      stillNamed: row.still_named,
      locations: used.map((id) => ({ id, label: places.byId(id)?.label ?? id })),
      dealings: [...Map.groupBy(parts, ({ deal }) => deal)].map(([dealId, some]) => ({
        dealId,
        fragments: some.map(({ x, location, name, state: answer, at }) => ({ x, location, name, answer, at })),
      })),
    },
    key,
  )
}

/** The record as it stands: the closed one for ever the same, an open one signed anew and saying what is awaited. Throws `storage.absent`. */
export async function deletionRecord(vault: Vault, id: string): Promise<Uint8Array> {
  const row = await vault.parts.db.kysely.selectFrom('deletion').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined)
    throw new Failure('storage.absent', { detail: 'there is no record of such a deletion', next: 'List them: quorate deletion list.' })
  if (row.record !== null) return utf8(row.record)
  const awaited = await vault.parts.db.kysely
    .selectFrom('deletion_part')
    .select('x')
    .where('deletion', '=', id)
    .where('state', 'not in', FINAL)
    .limit(1)
    .execute()
  return signedRecord(vault, row, { state: awaited.length > 0 ? 'open' : 'closed', at: rfc3339(vault.parts.clock.now()) })
}

/** One page, the newest first. */
export async function listDeletions(
  vault: Vault,
  request: { readonly after?: string | undefined; readonly limit: number },
): Promise<DeletionListing> {
  const { db, places } = vault.parts
  const [at = '', id = ''] = request.after?.split(' ') ?? []
  const rows = await db.kysely
    .selectFrom('deletion')
    .select(['id', 'path', 'what', 'reason', 'by', 'at', 'dealings', 'still_named', 'closed'])
    .$if(request.after !== undefined, (query) =>
      query.where((eb) => eb.or([eb('at', '<', at), eb.and([eb('at', '=', at), eb('id', '<', id)])])),
    )
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(request.limit + 1)
    .execute()
  const page = rows.slice(0, request.limit)
  const open = page.filter(({ closed }) => closed === null).map((row) => row.id)
  const awaited =
    open.length === 0
      ? []
      : await db.kysely
          .selectFrom('deletion_part')
          .select(['deletion', 'location', 'state', (eb) => eb.fn.countAll<number>().as('fragments')])
          .where('deletion', 'in', open)
          .where('state', 'not in', FINAL)
          .groupBy(['deletion', 'location', 'state'])
          .orderBy('location')
          .execute()
  const last = page.at(-1)
  return {
    deletions: page.map(({ still_named, ...row }): Deletion => ({
      ...row,
      stillNamed: still_named,
      awaited: awaited
        .filter(({ deletion }) => deletion === row.id)
        .map(({ location, state, fragments }) => ({ location: places.byId(location)?.label ?? location, fragments, why: WHY[state] }))
        .toSorted((a, b) => (a.location < b.location ? -1 : 1)),
    })),
    next: rows.length > page.length && last !== undefined ? `${last.at} ${last.id}` : null,
  }
}

/** A closed record as the catalogue carries it. One that does not verify is none. */
export async function adoptRecord(tx: Tx, text: string): Promise<void> {
  let found
  try {
    found = verifyDeletionRecord(utf8(text)).record
  } catch (error) {
    if (error instanceof Failure) return
    throw error
  }
  await tx
    .insertInto('deletion')
    .values({
      id: found.deletion,
      path: found.path,
      what: found.what,
      reason: found.reason,
      by: found.by,
      at: found.at,
      dealings: found.dealings.length,
      still_named: found.stillNamed,
      closed: found.written,
      record: text,
    })
    .onConflict((oc) => oc.doNothing())
    .execute()
}
