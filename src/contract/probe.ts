// The last trial of a location, as people are told it.
import { z } from 'zod'

/** Promises whose loss is an alarm. */
export const keptPromise = z.enum(['honestCreate', 'rangedRead', 'listAfterWrite', 'objectLock'])
export type KeptPromise = z.infer<typeof keptPromise>

export const locationProbe = z.object({
  at: z.iso.datetime(),
  /** Bytes per second with an object of 1 MiB; null where it was not measured, since what is written there stays. */
  upBytesPerSecond: z.number().nullable(),
  downBytesPerSecond: z.number().nullable(),
  /** Promises that it kept before and keeps no longer, until a person tries it and it keeps them. Without `honestCreate` it has no vote on the vault head. */
  lost: z.array(keptPromise),
})
export type LocationProbe = z.infer<typeof locationProbe>
