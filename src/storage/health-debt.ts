// What is to be written again: how much, since when, how near to loss, and what a person must allow first.
import type { HealthView } from '#contract'
import { rfc3339 } from '#base'
import { sql } from '#database'
import { forgetHidden } from './hidden.ts'
import type { Place } from './place.ts'
import { countFragments } from './status.ts'
import { unindexed } from './unindexed.ts'
import type { Vault } from './vault.ts'

export const DAMAGED = ['lost', 'corrupt', 'pending'] as const

/** So many fragments, and such a part of all at a place, gone or wrong at once are no accident of a disk. */
const MASS_FRAGMENTS = 20
const MASS_PART = 0.1

/** Notes since when fragments are damaged, and forgets those that are whole again. Answers how many are damaged. */
export async function noteWounds(vault: Vault): Promise<number> {
  const { db, clock } = vault.parts
  const nowMs = clock.now()
  return db.transaction(async (tx) => {
    await tx
      .insertInto('wound')
      .columns(['deal', 'x', 'since'])
      .expression((eb) =>
        eb
          .selectFrom('fragment')
          .innerJoin('deal', 'deal.deal', 'fragment.deal')
          .select(['fragment.deal', 'fragment.x', sql<number>`cast(${nowMs} as bigint)`.as('since')])
          .where('fragment.state', 'in', DAMAGED)
          .where('deal.state', '=', 'stored')
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('wound')
                  .select('wound.x')
                  .whereRef('wound.deal', '=', 'fragment.deal')
                  .whereRef('wound.x', '=', 'fragment.x'),
              ),
            ),
          ),
      )
      .execute()
    await tx
      .deleteFrom('wound')
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('fragment')
              .innerJoin('deal', 'deal.deal', 'fragment.deal')
              .select('fragment.x')
              .whereRef('fragment.deal', '=', 'wound.deal')
              .whereRef('fragment.x', '=', 'wound.x')
              .where('fragment.state', 'in', DAMAGED)
              .where('deal.state', '=', 'stored'),
          ),
        ),
      )
      .execute()
    const { count } = await tx
      .selectFrom('wound')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  })
}

/** Places where so much is lost or wrong that filling them again needs a person's word: a bucket emptied or overwritten by somebody. */
export async function heldBackPlaces(vault: Vault): Promise<Place[]> {
  const counts = await countFragments(vault)
  const allowed = await allowedPlaces(vault)
  return vault.parts.places.all.filter((place) => {
    const mine = counts.get(place.id)
    return mine !== undefined && isMassLoss(mine) && !allowed.has(place.id)
  })
}

export function isMassLoss({ held, lost, corrupt }: { readonly held: number; readonly lost: number; readonly corrupt: number }): boolean {
  const gone = lost + corrupt
  return gone >= MASS_FRAGMENTS && gone >= MASS_PART * (held + gone)
}

/** A person has asked for a repair: what is gone now may be written again, also by itself when the work is cut off. */
export async function allowRefill(vault: Vault): Promise<void> {
  const held = await heldBackPlaces(vault)
  if (held.length === 0) return
  const allowed = await allowedPlaces(vault)
  await saveAllowed(vault, [...allowed, ...held.map(({ id }) => id)])
}

/** Once a place is whole again, the next great loss asks anew. */
export async function forgetRefills(vault: Vault): Promise<void> {
  const allowed = await allowedPlaces(vault)
  const counts = await countFragments(vault)
  await forgetHidden(vault, (id) => (counts.get(id)?.lost ?? 0) === 0)
  if (allowed.size === 0) return
  const still = [...allowed].filter((id) => {
    const mine = counts.get(id)
    return mine !== undefined && mine.lost + mine.corrupt > 0
  })
  if (still.length < allowed.size) await saveAllowed(vault, still)
}

export async function repairDebt(vault: Vault): Promise<HealthView['debt']> {
  const { db, places } = vault.parts
  const row = await db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .leftJoin('wound', (join) => join.onRef('wound.deal', '=', 'fragment.deal').onRef('wound.x', '=', 'fragment.x'))
    .select((eb) => [
      eb.fn.countAll<number>().as('fragments'),
      // A fragment is about as long as its chunks: padded bytes, or a k-th of them when sealed.
      sql<number | null>`cast(sum(case when deal.layout = 'sealed' then deal.padded / deal.k else deal.padded end) as bigint)`.as('bytes'),
      eb.fn.min<number | null>('wound.since').as('since'),
    ])
    .where('fragment.state', 'in', DAMAGED)
    .where('deal.state', '=', 'stored')
    .executeTakeFirstOrThrow()
  const present = places.present.length === 0 ? ['-'] : places.present
  const good = sql<number>`(select count(*) from fragment as f where f.deal = deal.deal and f.state = 'held' and ${unindexed('f.location')} in (${sql.join(present)}))`
  const urgent = await db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('fragment.state', 'in', DAMAGED)
    .where('deal.state', '=', 'stored')
    .where(sql<boolean>`${good} <= deal.k`)
    .executeTakeFirstOrThrow()
  return {
    fragments: row.fragments,
    bytes: row.bytes ?? 0,
    oldest: row.since === null ? null : rfc3339(row.since),
    urgent: urgent.count,
    heldBack: (await heldBackPlaces(vault)).map(({ label }) => label),
  }
}

/** Places whose great loss a person knows of: repair fills them. */
export async function allowedPlaces(vault: Vault): Promise<Set<string>> {
  const row = await vault.parts.db.kysely.selectFrom('health_setting').select('value').where('name', '=', 'refill').executeTakeFirst()
  return new Set(row === undefined ? [] : (JSON.parse(row.value) as string[]))
}

async function saveAllowed(vault: Vault, ids: readonly string[]): Promise<void> {
  const value = JSON.stringify([...new Set(ids)])
  await vault.parts.db.kysely
    .insertInto('health_setting')
    .values({ name: 'refill', value })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
    .execute()
}
