// Taking away what nothing needs any more: unfinished writes of a crash, removed dealings, names that were replaced.
import { Failure } from '#base'
import type { Place } from './place.ts'
import { undoIntent, type Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

const PAGE_ROWS = 200

/** At the start, before anything else writes: intents of a process that died, and their unfinished files. */
export async function sweepIntents(vault: Vault): Promise<number> {
  const { db, places, log } = vault.parts
  const rows = await db.kysely.selectFrom('deal').select('deal').where('state', '=', 'writing').execute()
  for (const { deal } of rows) await undoIntent(vault.parts, deal)
  if (rows.length === 0) return 0
  await Promise.all(
    places.all.map(async (place) => {
      try {
        if (place.view.presence === 'present') await place.location.sweepPartial({ olderThanMs: 0 })
      } catch (error) {
        log.warn({ location: place.label, error: String(error) }, 'unfinished files could not be swept')
      }
    }),
  )
  log.info({ count: rows.length }, 'unfinished writes of an earlier run were taken back')
  return rows.length
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
    after = deals.at(-1)!.deal
    const ids = deals.map(({ deal }) => deal)
    for (const id of ids) vault.forget(id)
    const fragments = await db.kysely.selectFrom('fragment').select(['deal', 'x', 'location', 'name']).where('deal', 'in', ids).execute()
    const kept = new Set<string>()
    await Promise.all(
      [...Map.groupBy(fragments, ({ location }) => location)].map(async ([id, rows]) => {
        const place = places.byId(id)
        for (const row of rows) {
          if (row.name !== null && !(place !== undefined && (await gone(place, row.name, signal)))) kept.add(row.deal)
        }
      }),
    )
    const done = ids.filter((id) => !kept.has(id))
    if (done.length === 0) continue
    await db.transaction(async (tx) => {
      await tx.deleteFrom('fragment').where('deal', 'in', done).execute()
      await tx.deleteFrom('deal').where('deal', 'in', done).execute()
    })
  }
  for (const place of places.all) {
    if (place.view.presence !== 'present') continue
    for (let after = ''; ;) {
      if (signal.aborted) throw new Failure('base.cancelled')
      const rows = await db.kysely
        .selectFrom('debris')
        .selectAll()
        .where('location', '=', place.id)
        .where('name', '>', after)
        .orderBy('name')
        .limit(PAGE_ROWS)
        .execute()
      if (rows.length === 0) break
      after = rows.at(-1)!.name
      const removed: string[] = []
      for (const { name } of rows) if (await gone(place, name, signal)) removed.push(name)
      if (removed.length > 0) await db.kysely.deleteFrom('debris').where('location', '=', place.id).where('name', 'in', removed).execute()
    }
  }
}

/** False when the name stays for now: the place is away, or keeps it under a lock. */
async function gone(place: Place, name: string, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) throw new Failure('base.cancelled')
  if (!place.usable) return false
  try {
    return (await place.location.discard(name, { signal })) === 'gone'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    place.failed(error)
    return false
  }
}
