// The history of health: one sample an hour for thirty days, then one a day for ten years.
import { rfc3339 } from '#base'
import type { HealthHistory } from '#contract'
import type { Store } from './catalogue.ts'
import { repairDebt } from './health-debt.ts'
import { DAY_MS, HOUR_MS, readPasses } from './health-settings.ts'
import { coverage } from './health-scrub.ts'
import { countFragments, weakDeals } from './status.ts'
import type { HealthSampleTable } from './tables-health.ts'
import type { Vault } from './vault.ts'

const HOURLY_DAYS = 30
const DAILY_DAYS = 3653

/** Takes the sample of this hour, once, and thins what is old. True when one was taken. */
export async function sampleHealth(vault: Vault): Promise<boolean> {
  const { db, clock, places } = vault.parts
  const nowMs = clock.now()
  const at = Math.floor(nowMs / HOUR_MS) * HOUR_MS
  const known = await db.kysely.selectFrom('health_sample').select('at').where('at', '>=', at).limit(1).executeTakeFirst()
  if (known !== undefined) return false
  const sums = { held: 0, lost: 0, corrupt: 0, pending: 0 }
  for (const counts of (await countFragments(vault)).values()) {
    sums.held += counts.held
    sums.lost += counts.lost
    sums.corrupt += counts.corrupt
    sums.pending += counts.pending
  }
  const { files } = await db.kysely
    .selectFrom('file')
    .select((eb) => eb.fn.countAll<number>().as('files'))
    .executeTakeFirstOrThrow()
  const debt = await repairDebt(vault)
  const weak = await weakDeals(vault)
  const covered = Object.fromEntries(
    (await readPasses(db)).map((pass) => [`covered_${pass.depth}`, Math.round(coverage(pass, nowMs) * 1000)]),
  ) as Pick<HealthSampleTable, 'covered_present' | 'covered_tags' | 'covered_full'>
  const row: HealthSampleTable = {
    at,
    files,
    ...sums,
    debt_bytes: debt.bytes,
    debt_age: debt.oldest === null ? 0 : Math.max(0, nowMs - Date.parse(debt.oldest)),
    without_redundancy: weak.exact + weak.unreadable,
    unreadable: weak.unreadable,
    away: places.all.length - places.present.length,
    ...covered,
  }
  await db.transaction(async (tx) => {
    await tx
      .insertInto('health_sample')
      .values(row)
      .onConflict((oc) => oc.doNothing())
      .execute()
    await tx
      .deleteFrom('health_sample')
      .where('at', '<', nowMs - DAILY_DAYS * DAY_MS)
      .execute()
  })
  await thin(db, nowMs)
  return true
}

/** Of days that are more than thirty days ago the worst hour stays: that with the most files at risk, then with the most to repair. */
async function thin(db: Store, nowMs: number): Promise<void> {
  const before = Math.floor((nowMs - HOURLY_DAYS * DAY_MS) / DAY_MS) * DAY_MS
  const rows = await db.kysely
    .selectFrom('health_sample')
    .select(['at', 'unreadable', 'without_redundancy', 'debt_bytes', 'lost', 'corrupt', 'pending'])
    .where('at', '<', before)
    .orderBy('at', 'desc')
    // Each call meets the hours of one day or, after a long pause, of a few.
    .limit(24 * 40)
    .execute()
  const days = Map.groupBy(rows, ({ at }) => Math.floor(at / DAY_MS))
  const doomed = [...days.values()].flatMap((hours) => {
    const worst = hours.toSorted(
      (a, b) =>
        b.unreadable - a.unreadable ||
        b.without_redundancy - a.without_redundancy ||
        b.lost + b.corrupt + b.pending - (a.lost + a.corrupt + a.pending) ||
        a.at - b.at,
    )[0]!
    return hours.filter((hour) => hour !== worst).map(({ at }) => at)
  })
  for (let from = 0; from < doomed.length; from += 500)
    await db.kysely
      .deleteFrom('health_sample')
      .where('at', 'in', doomed.slice(from, from + 500))
      .execute()
}

export async function healthHistory(db: Store, request: { readonly sinceMs: number }): Promise<HealthHistory> {
  const rows = await db.kysely.selectFrom('health_sample').selectAll().where('at', '>=', request.sinceMs).orderBy('at').execute()
  return {
    samples: rows.map((row) => ({
      at: rfc3339(row.at),
      files: row.files,
      held: row.held,
      lost: row.lost,
      corrupt: row.corrupt,
      pending: row.pending,
      debtBytes: row.debt_bytes,
      debtAgeSeconds: Math.round(row.debt_age / 1000),
      withoutRedundancy: row.without_redundancy,
      unreadable: row.unreadable,
      away: row.away,
      covered: { present: row.covered_present / 1000, tags: row.covered_tags / 1000, full: row.covered_full / 1000 },
    })),
  }
}
