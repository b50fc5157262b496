// Taking away what nothing needs any more: unfinished writes of a crash, removed dealings, names that were replaced.
import { Failure } from '#base'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import { undoIntent, type Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

/** `created` of a dealing that a recovery knows by its drop alone, when not every place could be looked through for it. */
export const DROPPED_UNSEEN = ''
const PAGE_ROWS = 200
/** Names that are discarded at one place at the same time. */
const AT_ONCE = 4
/** Looking through a place for unfinished files may take this many stall times. */
const SWEEP_STALLS = 4

/**
 * At the start, before anything else writes: intents of a process that died, and its unfinished files. False when a place did not answer, so
 * that they may lie there still.
 */
export async function sweepUnfinished(vault: Vault, died: boolean): Promise<boolean> {
  const { db, places, log, clock, stallMs } = vault.parts
  const rows = await db.kysely.selectFrom('deal').select('deal').where('state', '=', 'writing').execute()
  for (const { deal } of rows) await undoIntent(vault.parts, deal)
  if (rows.length > 0) log.info({ count: rows.length }, 'unfinished writes of an earlier run were taken back')
  if (rows.length === 0 && !died) return true
  const swept = await Promise.all(
    places.all.map(async (place) => {
      if (place.view.presence !== 'present') return place.view.presence === 'empty'
      try {
        const patience = { clock, ms: stallMs * SWEEP_STALLS, label: place.label }
        await within(patience, (signal) => place.location.sweepPartial({ olderThanMs: 0 }, { signal }))
        return true
      } catch (error) {
        log.warn({ location: place.label, error: String(error) }, 'unfinished files could not be swept')
        return false
      }
    }),
  )
  return swept.every(Boolean)
}

/**
 * Removes fragments of dropped dealings and debris where the location answers. Only what the vault's own catalogue knows to be dropped is
 * removed, so a database lost at any moment leaves no name without its bytes.
 */
export async function sweepRemoved(vault: Vault, vaultLog: VaultLog, signal: AbortSignal): Promise<void> {
  const { db, places } = vault.parts
  await vaultLog.flush()
  if ((await vaultLog.pendingChanges()) > 0) return
  // The row of a dropped dealing stays until its last fragment is gone: till then snapshots repeat the drop, or it would come back in a disaster.
  for (let after = ''; ;) {
    const deals = await db.kysely
      .selectFrom('deal')
      .select('deal')
      .where('state', '=', 'dropping')
      .where('deal', '>', after)
      .orderBy('deal')
      .limit(PAGE_ROWS)
      .execute()
    if (deals.length === 0) break
    after = deals[deals.length - 1]!.deal
    const ids = deals.map(({ deal }) => deal)
    for (const id of ids) vault.forget(id)
    const fragments = await db.kysely.selectFrom('fragment').select(['deal', 'x', 'location', 'name']).where('deal', 'in', ids).execute()
    const taken = await takeAway(vault, fragments, signal)
    await db.transaction(async (tx) => {
      for (const { deal, x } of taken) await tx.deleteFrom('fragment').where('deal', '=', deal).where('x', '=', x).execute()
      await tx
        .deleteFrom('deal')
        .where('deal', 'in', ids)
        .where('created', '!=', DROPPED_UNSEEN)
        .where((eb) => eb.not(eb.exists(eb.selectFrom('fragment').select('x').whereRef('fragment.deal', '=', 'deal.deal'))))
        .execute()
    })
  }
  for (const place of places.all) {
    if (place.view.presence !== 'present') continue
    for (let after = ''; ;) {
      const rows = await db.kysely
        .selectFrom('debris')
        .selectAll()
        .where('location', '=', place.id)
        .where('name', '>', after)
        .orderBy('name')
        .limit(PAGE_ROWS)
        .execute()
      if (rows.length === 0) break
      after = rows[rows.length - 1]!.name
      const removed = (await takeAway(vault, rows, signal)).map(({ name }) => name)
      if (removed.length > 0) await db.kysely.deleteFrom('debris').where('location', '=', place.id).where('name', 'in', removed).execute()
    }
  }
}

/** Discards names, a few at once at each place; answers those that are gone, or lie nowhere. */
async function takeAway<Row extends { readonly location: string; readonly name: string | null }>(
  vault: Vault,
  rows: readonly Row[],
  signal: AbortSignal,
): Promise<Row[]> {
  const taken = rows.filter(({ name }) => name === null)
  const at = (id: string): Place | undefined => vault.parts.places.byId(id)
  await Promise.all(
    [...Map.groupBy(rows, ({ location }) => location)].map(async ([id, group]) => {
      const place = at(id)
      if (place === undefined) return
      const queue = group.filter(({ name }) => name !== null)
      const work = async (): Promise<void> => {
        for (let row = queue.shift(); row !== undefined; row = queue.shift())
          if (await gone(vault, place, { name: row.name!, signal })) taken.push(row)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
    }),
  )
  return taken
}

/** False when the name stays for now: the place is away, or keeps it under a lock. */
async function gone(vault: Vault, place: Place, what: { readonly name: string; readonly signal: AbortSignal }): Promise<boolean> {
  const { clock, stallMs } = vault.parts
  const { name, signal } = what
  if (signal.aborted) throw new Failure('base.cancelled')
  if (!place.usable) return false
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal }
    return (await within(patience, (stop) => place.location.discard(name, { signal: stop }))) === 'gone'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    place.failed(error)
    return false
  }
}
