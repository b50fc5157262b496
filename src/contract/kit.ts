// The recovery kit: what a new machine needs to know of a vault, and what only named officers may open.
import { z } from 'zod'
import { hexId, layout, timestamp } from './schemas.ts'

const FIELD_CHARS_MAX = 8192
const fingerprint = z.string().regex(/^[0-9a-f]{64}$/)

/** Somebody to whom secrets are sealed: an age recipient, `age1...` or `age1pq1...` against quantum computers. */
export const kitOfficer = z.object({ name: z.string().min(1).max(100), recipient: z.string().startsWith('age1').max(4000) })

export const kitRequest = z.object({
  officers: z.array(kitOfficer).max(16).default([]),
  /** Access keys of locations, sealed. */
  credentials: z.boolean().default(false),
  /** The signing keys as they rest in the home, sealed. */
  signingKeys: z.boolean().default(false),
})
export type KitRequest = z.input<typeof kitRequest>

/** `kit.json`: no secret in it. */
export const kitFacts = z.object({
  v: z.literal(1),
  kind: z.literal('quorate kit'),
  made: timestamp,
  product: z.string().max(100),
  vault: z.object({
    id: hexId,
    name: z.string().max(1000),
    threshold: z.number().int(),
    count: z.number().int(),
    layout,
    created: timestamp,
  }),
  dealer: z.object({ fingerprint, mldsa65: z.string().max(4000), ed25519: z.string().max(100) }),
  locations: z
    .array(
      z.object({
        location: hexId,
        x: z.number().int(),
        label: z.string().max(1000),
        kind: z.string().max(100),
        place: z.string().max(FIELD_CHARS_MAX),
      }),
    )
    .max(255),
  sealed: z
    .object({ file: z.string().max(100), officers: z.array(kitOfficer), contains: z.array(z.enum(['credentials', 'signing-keys'])) })
    .nullable(),
  /** SHA-256 of every other file of the kit, hex. */
  files: z.record(z.string(), fingerprint),
})
export type KitFacts = z.infer<typeof kitFacts>

export const kit = z.object({
  facts: kitFacts,
  /** The files of the kit, base64; none of them holds a secret that is not sealed. */
  files: z.array(z.object({ name: z.string(), data: z.string() })),
  /** What was asked for and could not be put in. */
  notes: z.array(z.string()),
})
export type Kit = z.infer<typeof kit>

/** What the sealed file holds, opened. */
export const kitSecrets = z.object({
  v: z.literal(1),
  kind: z.literal('quorate kit secrets'),
  vault: hexId,
  /** Files that descriptions of locations name, by the field that names them. */
  files: z.array(z.object({ location: hexId, field: z.string().max(100), data: z.string().max(120_000) })).max(255),
  /** Variables that held the access key of a location. */
  variables: z.array(z.object({ location: hexId, values: z.record(z.string(), z.string()) })).max(255),
  signingKeys: z.object({ file: z.string().max(40_000), keyFile: z.string().max(1000).nullable() }).nullable(),
})
export type KitSecrets = z.infer<typeof kitSecrets>

export const restoreRequest = z.object({
  kit: kitFacts.omit({ files: true, sealed: true }),
  secrets: kitSecrets.optional(),
  /** Where locations are now; null leaves one out. */
  places: z.array(z.object({ location: hexId, spec: z.string().max(2000).nullable() })).max(255),
  passphrase: z.string().max(1000).optional(),
})
export type RestoreRequest = z.input<typeof restoreRequest>
