// What people set about health, and the passes of scheduled checking, as they stand in the database.
import type { HealthRequest, HealthSettings, ScrubDepth } from '#contract'
import type { Store } from './catalogue.ts'
import type { ScrubPassTable } from './tables-health.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

export const DEPTHS: readonly ScrubDepth[] = ['present', 'tags', 'full']
/** Everything is there: daily. Every byte of every fragment: monthly. Every file end to end: once a year. */
const EVERY_MS: Record<ScrubDepth, number> = { present: DAY_MS, tags: 30 * DAY_MS, full: 365 * DAY_MS }

const DEFAULTS: HealthSettings = {
  paused: false,
  bytesPerSecond: 32 * 2 ** 20,
  timeShare: 0.25,
  autoRepair: true,
  repairDelaySeconds: 600,
}

export type CheckPass = ScrubPassTable & { readonly depth: ScrubDepth }

export async function readSettings(db: Store): Promise<HealthSettings> {
  const row = await db.kysely.selectFrom('health_setting').select('value').where('name', '=', 'settings').executeTakeFirst()
  return { ...DEFAULTS, ...(row === undefined ? {} : (JSON.parse(row.value) as Partial<HealthSettings>)) }
}

/** The pass of each depth; those that no row stands for yet are as by default. */
export async function readPasses(db: Store): Promise<CheckPass[]> {
  const rows = await db.kysely.selectFrom('scrub_pass').selectAll().execute()
  return DEPTHS.map((depth) => ({ ...(rows.find((row) => row.depth === depth) ?? freshPass(depth)), depth }))
}

export async function savePass(db: Store, pass: ScrubPassTable): Promise<void> {
  const { every_ms: _, enabled: __, ...progress } = pass
  // Period and switch are people's; a pass under way never writes them back.
  await db.kysely
    .insertInto('scrub_pass')
    .values(pass)
    .onConflict((oc) => oc.column('depth').doUpdateSet(progress))
    .execute()
}

export async function changeSettings(db: Store, request: HealthRequest): Promise<void> {
  const { schedule = [], ...settings } = request
  const stated = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const before = await readSettings(db)
  const passes = await readPasses(db)
  await db.transaction(async (tx) => {
    const value = JSON.stringify({ ...before, ...stated })
    await tx
      .insertInto('health_setting')
      .values({ name: 'settings', value })
      .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
      .execute()
    for (const { depth, enabled, everyHours } of schedule) {
      const pass = passes.find((one) => one.depth === depth)!
      const change = {
        enabled: enabled === undefined ? pass.enabled : enabled ? 1 : 0,
        every_ms: everyHours === undefined ? pass.every_ms : Math.round(everyHours * HOUR_MS),
      }
      await tx
        .insertInto('scrub_pass')
        .values({ ...pass, ...change })
        .onConflict((oc) => oc.column('depth').doUpdateSet(change))
        .execute()
    }
  })
}

/** One process at a time: true when the lease is ours until then. */
export async function takeLease(
  db: Store,
  lease: { readonly holder: string; readonly nowMs: number; readonly ms: number },
): Promise<boolean> {
  const { holder, nowMs, ms } = lease
  const value = JSON.stringify({ holder, until: nowMs + ms })
  const row = await db.kysely.selectFrom('health_setting').select('value').where('name', '=', 'lease').executeTakeFirst()
  if (row === undefined) {
    const made = await db.kysely
      .insertInto('health_setting')
      .values({ name: 'lease', value })
      .onConflict((oc) => oc.doNothing())
      .executeTakeFirst()
    return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
  }
  const standing = JSON.parse(row.value) as { holder: string; until: number }
  if (standing.holder !== holder && standing.until > nowMs) return false
  const taken = await db.kysely
    .updateTable('health_setting')
    .set({ value })
    .where('name', '=', 'lease')
    .where('value', '=', row.value)
    .executeTakeFirst()
  return taken.numUpdatedRows > 0n
}

function freshPass(depth: ScrubDepth): ScrubPassTable {
  return {
    depth,
    every_ms: EVERY_MS[depth],
    enabled: 1,
    cursor: null,
    began: null,
    finished: null,
    checked_fragments: 0,
    checked_bytes: 0,
    findings: 0,
  }
}
