// The placement planner: what each choice of locations, k and layout would cost, keep, and reveal to whom.
import { z } from 'zod'
import { traits } from './health.ts'
import { hexId, layout } from './schemas.ts'

export const planCandidate = z.object({ label: z.string().min(1).max(100), traits })
export type PlanCandidate = z.infer<typeof planCandidate>

/** What people expect; a choice that lacks one of them is not recommended. */
export const planWants = z.object({
  /** Part of the time that files can be read. */
  availability: z.number().min(0).max(1).default(0.9999),
  /** Chance, at most, that some year loses data. */
  lossPerYear: z.number().min(0).max(1).default(1e-6),
  /** Providers that would have to work together to read anything, at least. */
  providers: z.number().int().min(1).max(32).default(2),
  jurisdictions: z.number().int().min(1).max(32).default(1),
  /** Locations that may be lost at once without loss of data, at least. */
  spare: z.number().int().min(0).max(31).default(1),
})
export type PlanWants = z.infer<typeof planWants>

export const planRequest = z.object({
  /** Absent: the locations of the vault, as people described them. */
  candidates: z.array(planCandidate).min(2).max(10).optional(),
  /** Locations that are only thought of, beside those of the vault. */
  also: z.array(planCandidate).max(8).optional(),
  /** Bytes of all files. Absent: what the vault holds now. */
  bytes: z.number().min(0).max(1e18).optional(),
  files: z.number().int().min(0).max(1e12).optional(),
  layouts: z.array(layout).min(1).max(2).default(['shared', 'sealed']),
  /** Only this threshold; only so many locations. */
  threshold: z.number().int().min(2).max(32).optional(),
  count: z.number().int().min(2).max(10).optional(),
  /** Part of all bytes that people read in a month. */
  readShare: z.number().min(0).max(1000).default(0.1),
  newFilesPerMonth: z.number().min(0).max(1e12).default(1000),
  /** Passes of checking in a year; absent: as scheduled. */
  tagsPerYear: z.number().min(0).max(8766).optional(),
  fullPerYear: z.number().min(0).max(8766).optional(),
  /** From the loss of a location until its fragments are written again, on average. */
  repairDays: z.number().min(0.01).max(3650).default(14),
  /** Part of a location's failures that strike all locations of its provider. */
  together: z.number().min(0).max(1).default(0.1),
  wants: planWants.prefault({}),
  /** Name of a choice that is told of in any case, when it is among the compared. */
  choice: z.string().max(200).optional(),
})
export type PlanRequest = z.input<typeof planRequest>

const colluders = z.object({
  /** Least number that together can read everything. */
  least: z.number().int(),
  /** The smallest such groups, bounded; `?` stands for all that is not stated. */
  sets: z.array(z.array(z.string())),
})

export const planWarning = z.object({
  code: z.enum([
    'one-provider-opens',
    'one-jurisdiction-opens',
    'one-provider-down',
    'no-spare',
    'unpriced',
    'currencies',
    'unknown-provider',
    'unknown-jurisdiction',
    'assumed-availability',
    'assumed-durability',
    'sealed-computational',
  ]),
  /** Providers, jurisdictions or labels that it is about. */
  about: z.array(z.string()),
})
export type PlanWarning = z.infer<typeof planWarning>

export const planOption = z.object({
  /** The choice by itself, as `2-shared-1.3.4`: k, layout, and the numbers of its locations. */
  id: z.string(),
  threshold: z.number().int(),
  count: z.number().int(),
  layout,
  locations: z.array(z.string()),
  /** Bytes kept at all locations together. */
  keptBytes: z.number(),
  /** In a month; null while a price is not stated, or the currencies differ. */
  cost: z.object({ storing: z.number(), requests: z.number(), reading: z.number(), checking: z.number(), total: z.number() }).nullable(),
  availability: z.number(),
  /** The same if locations failed independently of each other. */
  availabilityAlone: z.number(),
  /** Part of the time that files can be written: at n-1 locations, and at k. */
  writeAvailability: z.number(),
  lossPerYear: z.number(),
  providers: colluders,
  jurisdictions: colluders,
  warnings: z.array(planWarning),
  /** Wants that it lacks. */
  lacks: z.array(z.enum(['availability', 'lossPerYear', 'providers', 'jurisdictions', 'spare'])),
  /** What makes the vault so: ids of locations to leave, labels of those to add first. Null where there is no vault. */
  change: z
    .object({ threshold: z.number().int(), layout, leave: z.array(hexId), add: z.array(z.string()) })
    .nullable()
    .default(null),
  /** No other choice is as good in everything and better in something. */
  front: z.boolean(),
  /** The best of its threshold, count and layout. */
  best: z.boolean(),
})
export type PlanOption = z.infer<typeof planOption>

export const plan = z.object({
  currency: z.string().nullable(),
  bytes: z.number(),
  files: z.number(),
  considered: z.number().int(),
  /** Cheapest first. */
  options: z.array(planOption),
  /** Index into `options`; null where none can be. */
  recommended: z.number().int().nullable(),
  /** Index of the vault as it is, when its locations are among the candidates. */
  current: z.number().int().nullable(),
  /** Why this one. */
  reasons: z.array(
    z.object({
      code: z.enum(['cheapest-that-meets', 'smallest-that-meets', 'none-meets', 'saves', 'as-it-is', 'safer-than-now']),
      /** What `none-meets` lacks; how much `saves` saves in a month. */
      lacks: z.array(z.string()).optional(),
      amount: z.number().optional(),
    }),
  ),
})
export type Plan = z.infer<typeof plan>
