// Several sites that write one vault, and what is known of its newest head.
import { z } from 'zod'

const fingerprint = z.string().regex(/^[0-9a-f]{64}$/)
const timestamp = z.iso.datetime()

/** The public keys of a site, to be carried to another one. */
export const writerKey = z.object({ line: z.string(), fingerprint })
export type WriterKey = z.infer<typeof writerKey>
export const writerKeyRequest = z.object({ passphrase: z.string().min(12).max(1000).optional() })

export const writer = z.object({
  fingerprint,
  /** What people call the site; empty for the dealer. */
  name: z.string(),
  /** dealer: whose fingerprint is on the recovery sheet */
  role: z.enum(['dealer', 'writer']),
  state: z.enum(['active', 'removed']),
  /** This site. */
  own: z.boolean(),
  certifiedBy: z.array(z.string()),
  added: timestamp.nullable(),
})
export type Writer = z.infer<typeof writer>

/** Stays until a person acknowledges it. */
export const headAlarm = z.object({ id: z.string(), code: z.string(), text: z.string(), next: z.string(), at: timestamp })

export const writerList = z.object({ writers: z.array(writer), alarms: z.array(headAlarm) })
export type WriterList = z.infer<typeof writerList>

export const writerRequest = z.object({ line: z.string().max(10_000), name: z.string().min(1).max(60) })
export const joinRequest = z.object({
  locations: z
    .array(z.object({ spec: z.string().max(2000), label: z.string().max(100).optional() }))
    .min(2)
    .max(32),
  /** Fingerprint of the dealer, by the recovery sheet. */
  dealer: fingerprint.optional(),
  passphrase: z.string().optional(),
})

/** The newest head of the vault as this site knows it. */
export const headStatus = z.object({
  epoch: z.number().int(),
  /** Locations that showed it, of those that keep a name from being written twice; null = not looked at since the start. */
  standing: z.number().int().nullable(),
  /** Locations that answered when heads were looked at last. */
  heard: z.number().int().nullable(),
  /** It stands at so many that k-1 lying locations together cannot show an older one: 2k-1. */
  confirmNeeds: z.number().int(),
  confirmed: z.boolean().nullable(),
  /** False: too few locations keep a name from being written twice for it ever to be confirmed. */
  canConfirm: z.boolean(),
  mayBeStale: z.boolean().nullable(),
  /** Sites that may write. */
  writers: z.number().int(),
})
export type HeadStatus = z.infer<typeof headStatus>
