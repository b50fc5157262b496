// The end of a location: no head names it any more, then our names there are taken away, then it is forgotten.
import { Failure } from '#base'
import type { Findings } from './findings.ts'
import { headNames } from './head-look.ts'
import { within } from './patience.ts'
import { MARKER, type Place } from './place.ts'
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

const PAGE_NAMES = 500
const AT_ONCE = 4

/**
 * Call when no dealing has a fragment there. True when the location is forgotten; false when it does not answer, and is asked again later. What
 * could not be deleted is told.
 */
export async function emptyLocation(
  vault: Vault,
  log: VaultLog,
  request: { readonly place: Place; readonly findings: Findings; readonly signal: AbortSignal },
): Promise<boolean> {
  const { db, places } = vault.parts
  const { place, findings, signal } = request
  // The vault's own catalogue must not name what is taken away.
  await log.flush()
  if ((await log.pendingChanges()) > 0) return false
  await db.kysely.updateTable('leaving').set({ phase: 'emptying' }).where('location', '=', place.id).execute()
  places.depart(place.id, 'emptying')
  await log.writeHead()
  const row = await db.kysely.selectFrom('leaving').select('abandoned').where('location', '=', place.id).executeTakeFirst()
  const abandoned = row?.abandoned === 1
  let kept: number
  try {
    if (place.view.presence !== 'present') await place.check(signal)
    kept = place.view.presence === 'present' || place.view.presence === 'empty' ? await takeOurs(vault, place, signal) : -1
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    place.failed(error)
    kept = -1
  }
  if (kept < 0 && !abandoned) {
    const detail = `${place.label} does not answer, so what it keeps could not be deleted; it is asked again`
    findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail })
    return false
  }
  if (kept !== 0) {
    const what = kept < 0 ? 'Everything that was stored there' : `${kept} of our names`
    const detail = `${what} could not be deleted at ${place.label}. A refresh makes old fragments worthless.`
    findings.add({ location: place.label, path: '', fragment: '', kind: 'orphan', detail })
  }
  await db.transaction(async (tx) => {
    const dropped = await tx.selectFrom('fragment').select(['deal', 'x']).where('location', '=', place.id).execute()
    for (const { deal, x } of dropped) await tx.deleteFrom('fragment').where('deal', '=', deal).where('x', '=', x).execute()
    await tx.deleteFrom('debris').where('location', '=', place.id).execute()
    await tx.deleteFrom('leaving').where('location', '=', place.id).execute()
    await tx.deleteFrom('location').where('location', '=', place.id).execute()
  })
  await places.remove(place)
  vault.parts.changed()
  return true
}

/** Fragments that the catalogue knew, heads, and last the marker; answers how many names stay. What is not ours by the catalogue stays. */
async function takeOurs(vault: Vault, place: Place, signal: AbortSignal): Promise<number> {
  const { db, clock, stallMs } = vault.parts
  const patience = { clock, ms: stallMs, label: place.label, signal }
  let kept = 0
  const discard = async (name: string): Promise<void> => {
    if ((await within(patience, (stop) => place.location.discard(name, { signal: stop }))) === 'kept') kept += 1
  }
  const discardAll = async (names: readonly string[]): Promise<void> => {
    const queue = [...names]
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let name = queue.shift(); name !== undefined; name = queue.shift()) await discard(name)
      }),
    )
  }
  for (const table of ['debris', 'fragment'] as const) {
    for (let after = ''; ;) {
      const rows = await db.kysely
        .selectFrom(table)
        .select('name')
        .where('location', '=', place.id)
        .where('name', '>', after)
        .orderBy('name')
        .limit(PAGE_NAMES)
        .execute()
      const names = rows.flatMap(({ name }) => (name === null ? [] : [name]))
      if (names.length === 0) break
      await discardAll(names)
      after = names.at(-1)!
    }
  }
  await discardAll(await headNames(place.location, { vault: vault.row.vault }, patience))
  await discard(MARKER)
  return kept
}
