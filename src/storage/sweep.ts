// Taking away what nothing needs any more: unfinished writes of a crash, removed dealings, names that were replaced.
import { Failure } from '#base'
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
    await db.transaction(async (tx) => {
      const fragments = await tx
        .selectFrom('fragment')
        .select(['location', 'name'])
        .where('deal', 'in', ids)
        .where('name', 'is not', null)
        .execute()
      for (let at = 0; at < fragments.length; at += PAGE_ROWS) {
        await tx
          .insertInto('debris')
          .values(fragments.slice(at, at + PAGE_ROWS).map(({ location, name }) => ({ location, name: name! })))
          .onConflict((oc) => oc.doNothing())
          .execute()
      }
      await tx.deleteFrom('fragment').where('deal', 'in', ids).execute()
      await tx.deleteFrom('deal').where('deal', 'in', ids).execute()
    })
    for (const id of ids) vault.forget(id)
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
      const gone: string[] = []
      try {
        for (const { name } of rows) if ((await place.location.discard(name, { signal })) === 'gone') gone.push(name)
      } catch (error) {
        if (error instanceof Failure) place.failed(error)
        break
      } finally {
        if (gone.length > 0) await db.kysely.deleteFrom('debris').where('location', '=', place.id).where('name', 'in', gone).execute()
      }
    }
  }
}
