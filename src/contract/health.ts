// Health over time: schedule of checking, repair debt, history, what locations are and what they cost.
import { z } from 'zod'
import { hexId, timestamp } from './schemas.ts'

export const scrubDepth = z.enum(['present', 'tags', 'full'])
export type ScrubDepth = z.infer<typeof scrubDepth>

const share = z.number().min(0).max(1)

/** What a provider asks for. Prices are people's own statements; nothing is looked up. */
export const price = z.object({
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/),
  perGiBMonth: z.number().min(0).max(1e6),
  /** Bytes read from it. */
  perGiBOut: z.number().min(0).max(1e6),
  per10kPuts: z.number().min(0).max(1e6),
  per10kGets: z.number().min(0).max(1e6),
})
export type Price = z.infer<typeof price>

/** What people say about a location: never a secret, never used to decide whether bytes are right. */
export const traits = z.object({
  provider: z.string().trim().min(1).max(80).optional(),
  region: z.string().trim().min(1).max(80).optional(),
  /** Whose courts can order it opened: `DE`, `US`, `EU`. */
  jurisdiction: z.string().trim().min(1).max(40).optional(),
  /** Where it stands: degrees north and east (WGS 84), for the map. */
  position: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }).optional(),
  /** Part of the time that it answers, 0..1. */
  availability: share.optional(),
  /** Chance, 0..1, that it keeps what it has for a year. */
  durability: share.optional(),
  price: price.optional(),
})
export type Traits = z.infer<typeof traits>

export const traitsRequest = z.object({ location: z.string(), traits })

const pass = z.object({
  depth: scrubDepth,
  enabled: z.boolean(),
  /** Everything is gone through once in so many hours. */
  everyHours: z.number(),
  /** Part of the running pass that is done, 0..1; null while none runs. */
  progress: share.nullable(),
  began: timestamp.nullable(),
  finished: timestamp.nullable(),
  checkedFragments: z.number().int(),
  checkedBytes: z.number(),
  /** Damage found in this pass, or in the last one while none runs. */
  findings: z.number().int(),
})

export const healthSettings = z.object({
  /** No scheduled check runs. */
  paused: z.boolean(),
  /** Checks read at most so much in a second, over all locations. */
  bytesPerSecond: z.number().int().min(65_536).max(1e11),
  /** Part of the time that checks may be at work. */
  timeShare: z.number().min(0.01).max(1),
  autoRepair: z.boolean(),
  /** Damage is gathered for so long before a repair begins; files without redundancy never wait. */
  repairDelaySeconds: z.number().int().min(0).max(604_800),
})
export type HealthSettings = z.infer<typeof healthSettings>

export const healthRequest = healthSettings.partial().extend({
  schedule: z
    .array(
      z.object({
        depth: scrubDepth,
        enabled: z.boolean().optional(),
        everyHours: z.number().min(1).max(87_600).optional(),
      }),
    )
    .max(3)
    .optional(),
})
export type HealthRequest = z.input<typeof healthRequest>

export const repairDebt = z.object({
  fragments: z.number().int(),
  bytes: z.number(),
  /** Since when the oldest damage is known. */
  oldest: timestamp.nullable(),
  /** Fragments of files that any further loss could make unreadable. */
  urgent: z.number().int(),
  /** Labels of locations that lost so much at once that a person must say so before they are filled again. */
  heldBack: z.array(z.string()),
})

export const measuredLocation = z.object({
  id: hexId,
  label: z.string(),
  traits,
  /** The last 30 days. */
  usage: z.object({
    puts: z.number().int(),
    gets: z.number().int(),
    errors: z.number().int(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
  }),
  storedBytes: z.number(),
  /** Of what lies there and of the last 30 days; null while no price is known. */
  costPerMonth: z.object({ currency: z.string(), amount: z.number() }).nullable(),
})
export type MeasuredLocation = z.infer<typeof measuredLocation>

export const healthView = z.object({
  settings: healthSettings,
  schedule: z.array(pass),
  debt: repairDebt,
  locations: z.array(measuredLocation),
})
export type HealthView = z.infer<typeof healthView>

export const healthSample = z.object({
  at: timestamp,
  files: z.number().int(),
  held: z.number().int(),
  lost: z.number().int(),
  corrupt: z.number().int(),
  pending: z.number().int(),
  debtBytes: z.number(),
  debtAgeSeconds: z.number(),
  withoutRedundancy: z.number().int(),
  unreadable: z.number().int(),
  /** Locations that did not answer, or were not ours. */
  away: z.number().int(),
  covered: z.object({ present: share, tags: share, full: share }),
})
export type HealthSample = z.infer<typeof healthSample>

/** Oldest first: of each hour for 30 days, of each day before. */
export const healthHistory = z.object({ samples: z.array(healthSample) })
export type HealthHistory = z.infer<typeof healthHistory>
