// Changing a vault: other locations, another threshold or layout, fresh shares, fresh keys.
import { z } from 'zod'
import { hexId, layout, timestamp } from './schemas.ts'

const location = z.string().min(1).max(200)

export const changeRequest = z.object({
  /** k from now on. */
  threshold: z.number().int().min(2).max(32).optional(),
  layout: layout.optional(),
  /** shares: new shares under the same keys, so that old fragments are worth nothing; keys: everything dealt anew under new keys. */
  refresh: z.enum(['shares', 'keys']).optional(),
  /** Locations (label or id) to be left. `abandon` does not wait for one that does not answer. */
  leave: z
    .array(z.object({ location, by: timestamp.optional(), abandon: z.boolean().optional() }))
    .max(32)
    .optional(),
  /** Locations that were to be left and stay after all. */
  stay: z.array(location).max(32).optional(),
})
export type ChangeRequest = z.infer<typeof changeRequest>

const shape = z.object({
  threshold: z.number().int(),
  count: z.number().int(),
  layout,
  /** Locations that may be lost at once. */
  spare: z.number().int(),
})

export const previewRequest = changeRequest.extend({
  /** Locations that are still to be added. */
  adding: z.number().int().min(0).max(32).default(0),
})
export type PreviewRequest = z.input<typeof previewRequest>

const money = z.object({ currency: z.string(), amount: z.number() }).nullable()

const steps = z.object({
  /** Objects that are dealt anew under new keys. */
  anew: z.number().int(),
  /** Objects that get a new set of shares. */
  reshare: z.number().int(),
  /** Objects of which some location gets or loses a fragment. */
  place: z.number().int(),
})

export const changePreview = z.object({
  before: shape,
  after: shape,
  /** Every object keeps at least so many spare fragments while it runs. */
  spareMeanwhile: z.number().int(),
  objects: z.number().int(),
  steps,
  /** Bytes that will be written to locations. */
  bytes: z.number(),
  /** What the vault costs in a month as it holds now, by the prices people stated; null while one is not known. */
  monthly: z.object({ before: money, after: money }),
  /** At the pace that is set, or that was last measured; null when nothing is known. */
  seconds: z.number().nullable(),
  /** What a person should know before. */
  warnings: z.array(z.enum(['no-redundancy', 'fewer-collude', 'sealed-bodies-stay', 'what-left-stays-valid', 'location-away'])),
})
export type ChangePreview = z.infer<typeof changePreview>

export const changeStatus = z.object({
  state: z.enum(['idle', 'running', 'paused', 'cancelled']),
  started: timestamp.nullable(),
  wanted: shape,
  /** What is not as wanted yet. */
  due: z.object({ objects: z.number().int(), bytes: z.number(), steps }),
  bytesDone: z.number(),
  bytesTotal: z.number(),
  /** Set by a person; 0 = as fast as it goes. */
  bytesPerSecond: z.number(),
  /** Measured while it runs. */
  rate: z.number(),
  remainingSeconds: z.number().nullable(),
  /** The task that does it, while it does. */
  task: hexId.nullable(),
  /** Objects by their shape: more than one row is a mixture. */
  shapes: z.array(z.object({ threshold: z.number().int(), count: z.number().int(), layout, objects: z.number().int() })),
  leaving: z.array(
    z.object({
      location: hexId,
      label: z.string(),
      phase: z.enum(['leaving', 'emptying']),
      by: timestamp.nullable(),
      abandoned: z.boolean(),
      /** Fragments that are still needed there. */
      fragments: z.number().int(),
      bytes: z.number(),
    }),
  ),
  /** Why it does not go on: what the last round could not do. */
  waits: z.array(z.string()),
})
export type ChangeStatus = z.infer<typeof changeStatus>

export const steerRequest = z.object({
  state: z.enum(['running', 'paused', 'cancelled']).optional(),
  /** Bytes a second that a change may write; 0 = as fast as it goes. */
  bytesPerSecond: z.number().int().min(0).max(1e12).optional(),
})
export type SteerRequest = z.infer<typeof steerRequest>
