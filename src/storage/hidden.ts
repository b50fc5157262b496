// What became of a fragment that is not there: a bucket with versions may still keep what somebody deleted.
import { Failure } from '#base'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'

/** Says why nothing stands under the name, as far as the place tells; counts what it still keeps unseen. */
export async function whyAbsent(
  vault: Vault,
  place: Place,
  what: { readonly name: string; readonly signal: AbortSignal },
): Promise<string> {
  const { clock, stallMs } = vault.parts
  const { name, signal } = what
  if (place.location.hides === undefined) return 'it is not there'
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal }
    const hidden = await within(patience, async (stop) => (await place.location.hides?.(name, { signal: stop })) ?? false)
    if (!hidden) return 'it is not there'
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure)) throw error
    // Without the right to list versions nobody knows more.
    return 'it is not there'
  }
  await saveHidden(vault, (counts) => ({ ...counts, [place.id]: (counts[place.id] ?? 0) + 1 }))
  return 'it was deleted; the place still keeps an older version of it'
}

/** Of each location, how many lost fragments it still keeps unseen, as far as they were met since its last whole moment. */
export async function hiddenCounts(vault: Vault): Promise<Readonly<Record<string, number>>> {
  const row = await vault.parts.db.kysely.selectFrom('health_setting').select('value').where('name', '=', 'hidden').executeTakeFirst()
  return row === undefined ? {} : (JSON.parse(row.value) as Record<string, number>)
}

/** These are whole again. */
export async function forgetHidden(vault: Vault, isWhole: (location: string) => boolean): Promise<void> {
  const counts = await hiddenCounts(vault)
  if (!Object.keys(counts).some(isWhole)) return
  await saveHidden(vault, (now) => Object.fromEntries(Object.entries(now).filter(([location]) => !isWhole(location))))
}

async function saveHidden(
  vault: Vault,
  change: (counts: Readonly<Record<string, number>>) => Readonly<Record<string, number>>,
): Promise<void> {
  await vault.parts.db.transaction(async (tx) => {
    const row = await tx.selectFrom('health_setting').select('value').where('name', '=', 'hidden').executeTakeFirst()
    const value = JSON.stringify(change(row === undefined ? {} : (JSON.parse(row.value) as Record<string, number>)))
    await tx
      .insertInto('health_setting')
      .values({ name: 'hidden', value })
      .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
      .execute()
  })
}
