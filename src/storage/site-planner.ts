// The planner over the vault as it is, or over candidates that are only thought of.
import { Failure } from '#base'
import { type Plan, planRequest, type PlanRequest } from '#contract'
import { DAY_MS, readPasses } from './health-settings.ts'
import { planPlacement } from './planner.ts'
import type { SiteCore } from './site-core.ts'
import { measuredLocations } from './site-health.ts'

const YEAR_MS = 365.25 * DAY_MS

export function sitePlanner(core: SiteCore) {
  return {
    async plan(given: PlanRequest): Promise<Plan> {
      const { candidates, bytes, files, tagsPerYear, fullPerYear, ...request } = planRequest.parse(given)
      if (candidates === undefined && core.running === undefined)
        throw new Failure('storage.no-vault', {
          detail: 'there is no vault whose locations could be compared',
          next: 'Name candidates, or make a vault first.',
        })
      const running = core.running
      const held = running === undefined ? { bytes: 0, files: 0 } : await holdings(core)
      const passes = running === undefined ? [] : await readPasses(core.db)
      const yearly = (depth: 'tags' | 'full'): number => {
        const pass = passes.find((one) => one.depth === depth)
        return pass === undefined || pass.enabled === 0 ? 0 : YEAR_MS / pass.every_ms
      }
      const own = candidates === undefined && running !== undefined
      return planPlacement({
        ...request,
        candidates: candidates ?? (await measuredLocations(core)).map(({ label, traits }) => ({ label, traits })),
        bytes: bytes ?? held.bytes,
        files: files ?? held.files,
        tagsPerYear: tagsPerYear ?? yearly('tags'),
        fullPerYear: fullPerYear ?? yearly('full'),
        ...(own ? { current: { threshold: running.vault.row.threshold, layout: running.vault.row.layout } } : {}),
      })
    },
  }
}

/** Everything that is kept, old versions among it. */
async function holdings(core: SiteCore): Promise<{ bytes: number; files: number }> {
  const row = await core.db.kysely
    .selectFrom('deal')
    .select((eb) => [eb.fn.countAll<number>().as('files'), eb.fn.sum<number | null>('padded').as('bytes')])
    .where('state', '=', 'stored')
    .executeTakeFirstOrThrow()
  return { files: row.files, bytes: row.bytes ?? 0 }
}
