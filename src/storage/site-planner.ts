// The planner over the vault as it is, or over candidates that are only thought of; and what the vault costs in a month.
import { Failure } from '#base'
import { type Layout, type Plan, type PlanOption, planRequest, type PlanRequest } from '#contract'
import { DAY_MS, readPasses } from './health-settings.ts'
import { costOf, type NumberedCandidate, planPlacement } from './planner.ts'
import type { SiteCore } from './site-core.ts'
import { measuredLocations } from './site-health.ts'

const YEAR_MS = 365.25 * DAY_MS

export function sitePlanner(core: SiteCore) {
  return {
    async plan(given: PlanRequest): Promise<Plan> {
      const { candidates, also = [], bytes, files, tagsPerYear, fullPerYear, ...request } = planRequest.parse(given)
      const { running } = core
      if (candidates === undefined && running === undefined)
        throw new Failure('storage.no-vault', {
          detail: 'there is no vault whose locations could be compared',
          next: 'Name candidates, or make a vault first.',
        })
      const own = running === undefined ? [] : await ownCandidates(core)
      const named = [...(candidates ?? own), ...also]
      const others = named.filter(({ label }) => own.every((one) => one.label !== label))
      const held = await usualUse(core)
      const answer = planPlacement({
        ...request,
        candidates: named.map((one) => ({
          ...one,
          number: own.find(({ label }) => label === one.label)?.number ?? (own.length === 0 ? undefined : `+${others.indexOf(one) + 1}`),
        })),
        bytes: bytes ?? held.bytes,
        files: files ?? held.files,
        tagsPerYear: tagsPerYear ?? held.tagsPerYear,
        fullPerYear: fullPerYear ?? held.fullPerYear,
        ...(running === undefined
          ? {}
          : {
              current: {
                threshold: running.vault.row.threshold,
                layout: running.vault.row.layout,
                locations: own.map(({ label }) => label),
              },
            }),
      })
      return running === undefined ? answer : { ...answer, options: answer.options.map((one) => ({ ...one, change: changeTo(one, own) })) }
    },
  }
}

/** What the vault would cost in a month with these of its locations, as it is used by default; null while a price is not known. */
export async function monthlyCost(
  core: SiteCore,
  shape: { readonly k: number; readonly layout: Layout; readonly ids: readonly string[] },
): Promise<{ currency: string; amount: number } | null> {
  const chosen = (await measuredLocations(core)).filter(({ id }) => shape.ids.includes(id))
  if (chosen.length < shape.ids.length) return null
  const { readShare, newFilesPerMonth } = planRequest.parse({})
  const cost = costOf({ ...(await usualUse(core)), readShare, newFilesPerMonth }, chosen, shape)
  const currency = chosen[0]?.traits.price?.currency
  return cost === null || currency === undefined ? null : { currency, amount: cost.total }
}

/** Locations that the vault has and is not about to leave. */
async function ownCandidates(core: SiteCore): Promise<(NumberedCandidate & { readonly id: string })[]> {
  const { places } = core.open()
  const measured = await measuredLocations(core)
  return places.active.flatMap(({ id, x }) => {
    const found = measured.find((one) => one.id === id)
    return found === undefined ? [] : [{ id, label: found.label, traits: found.traits, number: String(x) }]
  })
}

function changeTo(option: PlanOption, own: readonly { readonly id: string; readonly label: string }[]): PlanOption['change'] {
  const { threshold, layout, locations } = option
  return {
    threshold,
    layout,
    leave: own.filter(({ label }) => !locations.includes(label)).map(({ id }) => id),
    add: locations.filter((label) => own.every((one) => one.label !== label)),
  }
}

/** What is kept, old versions among it, and how often it is checked. */
async function usualUse(
  core: SiteCore,
): Promise<{ readonly bytes: number; readonly files: number; readonly tagsPerYear: number; readonly fullPerYear: number }> {
  if (core.running === undefined) return { bytes: 0, files: 0, tagsPerYear: 0, fullPerYear: 0 }
  const row = await core.db.kysely
    .selectFrom('deal')
    .select((eb) => [eb.fn.countAll<number>().as('files'), eb.fn.sum<number | null>('padded').as('bytes')])
    .where('state', '=', 'stored')
    .executeTakeFirstOrThrow()
  const passes = await readPasses(core.db)
  const yearly = (depth: 'tags' | 'full'): number => {
    const pass = passes.find((one) => one.depth === depth)
    return pass === undefined || pass.enabled === 0 ? 0 : YEAR_MS / pass.every_ms
  }
  return { files: row.files, bytes: row.bytes ?? 0, tagsPerYear: yearly('tags'), fullPerYear: yearly('full') }
}
