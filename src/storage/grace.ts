// Where several sites write, what one removed waits a while before its bytes go: another may just have given it a second name.
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

/** Of these dropped dealings, those whose bytes may go now. */
export async function ripeDeals(vault: Vault, vaultLog: VaultLog, deals: readonly string[]): Promise<string[]> {
  if (!vaultLog.writers.several) return [...deals]
  const { db, clock } = vault.parts
  const now = clock.now()
  return db.transaction(async (tx) => {
    // What was wanted again in between begins anew.
    await tx
      .deleteFrom('grace')
      .where('deal', 'not in', (eb) => eb.selectFrom('deal').select('deal.deal').where('state', '=', 'dropping'))
      .execute()
    if (deals.length === 0) return []
    await tx
      .insertInto('grace')
      .values(deals.map((deal) => ({ deal, since_ms: now })))
      .onConflict((oc) => oc.doNothing())
      .execute()
    const ripe = await tx
      .selectFrom('grace')
      .select('deal')
      .where('deal', 'in', deals)
      .where('since_ms', '<=', now - vaultLog.graceMs)
      .execute()
    return ripe.map(({ deal }) => deal)
  })
}
