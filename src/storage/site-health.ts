// Health as people see and set it: schedule, debt, history, what locations are, do and cost.
import { Failure, rfc3339 } from '#base'
import type { HealthHistory, HealthRequest, HealthView, MeasuredLocation, Traits } from '#contract'
import { traits as traitsSchema } from '#contract'
import { repairDebt } from './health-debt.ts'
import { healthHistory } from './health-samples.ts'
import { progressOf } from './health-scrub.ts'
import { changeSettings, DAY_MS, HOUR_MS, readPasses, readSettings } from './health-settings.ts'
import type { Usage } from './health-usage.ts'
import type { SiteCore } from './site-core.ts'
import { countFragments } from './status.ts'

const USAGE_DAYS = 30
const HISTORY_DAYS = 365
const GIB = 2 ** 30
const NO_USAGE: Usage = { puts: 0, gets: 0, errors: 0, bytesIn: 0, bytesOut: 0, p50Ms: null, p95Ms: null }

export function siteHealth(core: SiteCore) {
  const site = {
    async health(): Promise<HealthView> {
      const { vault } = core.open()
      const passes = await readPasses(core.db)
      return {
        settings: await readSettings(core.db),
        schedule: passes.map((pass) => ({
          depth: pass.depth,
          enabled: pass.enabled === 1,
          everyHours: pass.every_ms / HOUR_MS,
          progress: progressOf(pass),
          began: pass.began === null ? null : rfc3339(pass.began),
          finished: pass.finished === null ? null : rfc3339(pass.finished),
          checkedFragments: pass.checked_fragments,
          checkedBytes: pass.checked_bytes,
          findings: pass.findings,
        })),
        debt: await repairDebt(vault),
        locations: await measuredLocations(core),
      }
    },

    async setHealth(request: HealthRequest): Promise<HealthView> {
      core.open()
      await changeSettings(core.db, request)
      return site.health()
    },

    async healthHistory(request: { readonly days?: number | undefined }): Promise<HealthHistory> {
      core.open()
      return healthHistory(core.db, { sinceMs: core.clock.now() - (request.days ?? HISTORY_DAYS) * DAY_MS })
    },

    /** Replaces what was said about the location before. */
    async setTraits(request: { readonly location: string; readonly traits: Traits }): Promise<MeasuredLocation> {
      const { places } = core.open()
      const place = places.named(request.location)
      const value = JSON.stringify(request.traits)
      await core.db.kysely
        .insertInto('location_traits')
        .values({ location: place.id, traits: value })
        .onConflict((oc) => oc.column('location').doUpdateSet({ traits: value }))
        .execute()
      const found = (await measuredLocations(core)).find(({ id }) => id === place.id)
      if (found === undefined) throw new Failure('storage.absent', { detail: `${place.label} has been removed meanwhile` })
      return found
    },
  }
  return site
}

export async function measuredLocations(core: SiteCore): Promise<MeasuredLocation[]> {
  const { vault, places } = core.open()
  const [usage, counts, traits] = await Promise.all([core.usage.since(USAGE_DAYS), countFragments(vault), readTraits(core)])
  return places.all.map(({ id, label }) => {
    const mine = usage.get(id) ?? NO_USAGE
    const said = traits.get(id) ?? {}
    const storedBytes = counts.get(id)?.bytes ?? 0
    return { id, label, traits: said, usage: mine, storedBytes, costPerMonth: costOf(said, mine, storedBytes) }
  })
}

async function readTraits(core: SiteCore): Promise<Map<string, Traits>> {
  const rows = await core.db.kysely.selectFrom('location_traits').selectAll().execute()
  return new Map(rows.map((row) => [row.location, traitsSchema.parse(JSON.parse(row.traits))]))
}

function costOf({ price }: Traits, usage: Usage, storedBytes: number): MeasuredLocation['costPerMonth'] {
  if (price === undefined) return null
  const amount =
    (storedBytes / GIB) * price.perGiBMonth +
    (usage.bytesOut / GIB) * price.perGiBOut +
    (usage.puts / 10_000) * price.per10kPuts +
    (usage.gets / 10_000) * price.per10kGets
  return { currency: price.currency, amount: Math.round(amount * 1e6) / 1e6 }
}
