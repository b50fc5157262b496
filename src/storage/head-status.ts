// What people are told about the newest state of the vault: is it confirmed, may it be stale, who writes.
import type { HeadStatus, Status } from '#contract'
import type { SiteCore } from './site-core.ts'
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

/** `needs`: locations that must show a head so that k-1 liars together cannot show an older one to somebody who hears all. */
export async function headStatus(
  core: SiteCore,
  { vault, log }: { readonly vault: Vault; readonly log: VaultLog },
): Promise<{ head: HeadStatus; messages: Status['messages'] }> {
  const { row } = vault
  const k = row.threshold
  const n = vault.parts.places.all.length
  const needs = 2 * k - 1
  const voters = await log.voters()
  const view = log.headView
  const { several } = log.writers
  const untried = await core.db.kysely
    .selectFrom('location')
    .select('location')
    .where('capabilities', 'is', null)
    .limit(1)
    .executeTakeFirst()
  const canConfirm = voters.length >= needs
  const confirmed = view === undefined ? null : view.standing >= needs
  const behind = log.lag !== undefined || (view !== undefined && view.heard < n - k + 1)
  const messages: Status['messages'] = (await core.db.kysely.selectFrom('head_alarm').selectAll().orderBy('at').execute()).map(
    ({ code, text, next }) => ({
      severity: 'alarm',
      code,
      text,
      next,
    }),
  )
  if (several && behind)
    messages.push({
      severity: 'warning',
      code: log.lag?.code ?? 'storage.head',
      text: `What you see may be stale: ${log.lag?.message ?? `only ${view?.heard ?? 0} of ${n} locations say which state of the vault is the newest, ${n - k + 1} are needed`}.`,
      next: log.lag?.next ?? 'Bring more locations back; what other sites changed shows up then by itself.',
    })
  if (!canConfirm && untried === undefined)
    messages.push({
      severity: 'hint',
      code: 'storage.head',
      text:
        n < needs
          ? `With ${n} locations and ${k} needed, the newest state of the vault can never be confirmed: ${k === 2 ? 'one location that lies' : `${k - 1} locations that lie together`} could show a lost site an older one.`
          : `Only ${voters.length} of ${n} locations keep a name from being written twice, so the newest state of the vault can never be confirmed: ${needs} would be needed.`,
      next: `${needs} such locations rule it out. Files are as safe as before; keep the database of this site backed up.`,
    })
  const head: HeadStatus = {
    epoch: row.epoch,
    standing: view?.standing ?? null,
    heard: view?.heard ?? null,
    confirmNeeds: needs,
    confirmed,
    canConfirm,
    // Where one site writes, its own database is the newest there is.
    mayBeStale: several ? (view === undefined ? null : behind || confirmed !== true) : false,
    writers: log.writers.roll.active.size,
  }
  return { head, messages }
}
