// Adopting files, and recovery drills: what people ask for and what they get.
import { z } from 'zod'
import { hexId, layout, timestamp, vaultPath } from './schemas.ts'

export const importRequest = z.object({
  /** `folder:PATH` or `s3:...`: where the files lie plainly. */
  source: z.string().max(2000),
  /** The folder of the vault that takes them. */
  path: vaultPath,
  /** Files of equal size and time are read and compared. */
  check: z.boolean().default(false),
})
export type ImportRequest = z.input<typeof importRequest>

export const importPreviewRequest = importRequest.omit({ check: true })
export type ImportPreviewRequest = z.input<typeof importPreviewRequest>

export const importPreview = z.object({
  /** What the source is called. */
  source: z.string(),
  files: z.number().int(),
  bytes: z.number(),
  /** What would be passed over, the first ones by name. */
  skipped: z.array(z.object({ name: z.string(), why: z.string() })),
  moreSkipped: z.number().int(),
  /** False where counting was stopped: there is at least so much. */
  complete: z.boolean(),
})
export type ImportPreview = z.infer<typeof importPreview>

const person = z.string().min(1).max(200)

export const drillRequest = z.object({
  people: z.tuple([person, person]),
  files: z.number().int().min(1).max(100).default(10),
  /** Only this location (label or id) is blocked; absent: each in turn. */
  location: z.string().max(1000).optional(),
})
export type DrillRequest = z.input<typeof drillRequest>

const keys = z.object({ mldsa65: z.string().max(6000), ed25519: z.string().max(200) })

/** RFC 8785 JSON; signed: "quorate/1 drill" | RFC 8785 of the object without `signature`. It holds no name of a file and no hash. */
export const drillReport = z.strictObject({
  v: z.literal(1),
  kind: z.literal('quorate drill'),
  vault: z.strictObject({ id: hexId, name: z.string(), threshold: z.number().int(), count: z.number().int(), layout }),
  people: z.array(person).length(2),
  began: timestamp,
  ended: timestamp,
  product: z.string(),
  /** Version of Python, or null when there was none. */
  python: z.string().nullable(),
  /** Random ids of the objects that were drawn. */
  objects: z.array(hexId),
  bytes: z.number(),
  rounds: z.array(
    z.strictObject({
      blocked: z.string(),
      location: hexId,
      files: z.number().int(),
      /** Brought back by the product, by recover.py, and equal in both. */
      product: z.number().int(),
      recoverPy: z.number().int(),
      equal: z.number().int(),
      productMs: z.number(),
      recoverMs: z.number(),
    }),
  ),
  passed: z.boolean(),
  dealer: keys,
  signature: keys,
})
export type DrillReport = z.infer<typeof drillReport>

/** The newest drill: the report as it is signed, and a page for people. */
export const drillAnswer = z.object({ report: z.string(), page: z.string(), passed: z.boolean() })
export type DrillAnswer = z.infer<typeof drillAnswer>

export const drillVerdict = z.object({
  /** Both signatures are right. */
  genuine: z.boolean(),
  /** Fingerprint of the keys that signed. */
  dealer: z.string(),
  /** They are, or were, the keys of this site's vault. */
  ours: z.boolean(),
  passed: z.boolean(),
})
export type DrillVerdict = z.infer<typeof drillVerdict>
