// The health of the door in memory: settings and traits that stay, numbers that are made up.
import type { Door } from '#access'
import { type HealthView, type MeasuredLocation, type PlanOption, planRequest, type Traits } from '#contract'
import { Failure } from '#base'
import { planPlacement } from '../../../src/storage/planner.ts'

export type MemoryHealth = Pick<Door, 'health' | 'setHealth' | 'healthHistory' | 'setTraits' | 'plan'>

export function createMemoryHealth(note: (name: string) => void, location: { readonly id: string; readonly at: string }): MemoryHealth {
  let traits: Traits = {}
  let view: HealthView = {
    settings: { paused: false, bytesPerSecond: 2 ** 25, timeShare: 0.25, autoRepair: true, repairDelaySeconds: 600 },
    schedule: (['present', 'tags', 'full'] as const).map((depth, index) => ({
      depth,
      enabled: true,
      everyHours: [24, 720, 8760][index]!,
      progress: index === 1 ? 0.5 : null,
      began: location.at,
      finished: index === 0 ? location.at : null,
      checkedFragments: 3,
      checkedBytes: 3000,
      findings: 0,
    })),
    debt: { fragments: 2, bytes: 2048, oldest: location.at, urgent: 1, heldBack: ['west'] },
    locations: [],
  }
  const west = (): MeasuredLocation => ({
    id: location.id,
    label: 'west',
    traits,
    usage: { puts: 10, gets: 30, errors: 1, bytesIn: 1000, bytesOut: 2000, p50Ms: 4, p95Ms: 20 },
    storedBytes: 2 ** 30,
    costPerMonth: traits.price === undefined ? null : { currency: traits.price.currency, amount: traits.price.perGiBMonth },
  })
  return {
    async health() {
      note('health')
      return { ...view, locations: [west()] }
    },
    async setHealth({ schedule = [], ...settings }) {
      note('setHealth')
      const stated = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
      view = {
        ...view,
        settings: { ...view.settings, ...stated },
        schedule: view.schedule.map((pass) => {
          const change = schedule.find(({ depth }) => depth === pass.depth)
          return { ...pass, enabled: change?.enabled ?? pass.enabled, everyHours: change?.everyHours ?? pass.everyHours }
        }),
      }
      return { ...view, locations: [west()] }
    },
    async healthHistory() {
      note('healthHistory')
      const none = {
        files: 1,
        held: 3,
        corrupt: 0,
        pending: 0,
        debtBytes: 0,
        debtAgeSeconds: 0,
        withoutRedundancy: 0,
        unreadable: 0,
        away: 0,
      }
      return { samples: [0, 2, 1].map((lost) => ({ ...none, at: location.at, lost, covered: { present: 1, tags: 0.5, full: 0 } })) }
    },
    async plan(request) {
      note('plan')
      const parsed = planRequest.parse(request)
      const { candidates, also = [], bytes = 2 ** 40, files = 1000, tagsPerYear = 12, fullPerYear = 1, ...rest } = parsed
      const labels = ['west', 'east', 'north']
      const own = labels.map((label) => ({ label, traits: {} }))
      const current = { threshold: 2, layout: 'shared' as const, locations: labels }
      const answer = planPlacement({
        ...rest,
        tagsPerYear,
        fullPerYear,
        candidates: [...(candidates ?? own), ...also],
        current,
        bytes,
        files,
      })
      const changeTo = ({ threshold, layout, locations }: PlanOption): PlanOption['change'] => ({
        threshold,
        layout,
        leave: labels.filter((label) => !locations.includes(label)).map(() => location.id),
        add: locations.filter((label) => !labels.includes(label)),
      })
      return { ...answer, options: answer.options.map((option) => ({ ...option, change: changeTo(option) })) }
    },
    async setTraits(request) {
      note('setTraits')
      if (request.location !== 'west' && request.location !== location.id) throw new Failure('storage.absent')
      traits = request.traits
      return west()
    },
  }
}
