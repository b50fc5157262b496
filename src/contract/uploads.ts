// Uploads that go on after an interruption: what a site says about them, and what is asked of it.
import { z } from 'zod'
import { hexId, problem, timestamp, vaultPath } from './schemas.ts'

/**
 * waiting    parked: `wake` has what was stored read back
 * checking   what was stored is being read back and judged
 * ready      goes on at `offset`, for whoever proves to have the same source
 * sending    somebody sends
 * finishing  the last records are written and the file is given its name
 * done       stored; kept for a day, so that a client whose link broke at the end hears of it
 */
export const uploadState = z.enum(['waiting', 'checking', 'ready', 'sending', 'finishing', 'done'])

export const upload = z.object({
  id: hexId,
  path: vaultPath,
  size: z.number().int().min(0),
  modified: timestamp.nullable(),
  type: z.string(),
  state: uploadState,
  /** Where sending goes on; null while that is not known (waiting, checking). */
  offset: z.number().int().min(0).nullable(),
  /** Bytes read back so far while checking. */
  checkedBytes: z.number().int().min(0),
  created: timestamp,
  /** Last sign of life; unfinished ones are removed at `expires`. */
  active: timestamp,
  expires: timestamp,
  /** How often it had to begin anew, since too few locations could go on. */
  restarts: z.number().int(),
  /** Why it could not be woken the last time. */
  problem: problem.nullable(),
})
export type Upload = z.infer<typeof upload>

/** The turn belongs to whoever begins or proves last; others cannot send until it is their turn. */
export const uploadTurn = upload.extend({ turn: hexId })
export type UploadTurn = z.infer<typeof uploadTurn>

export const uploadRequest = z.object({
  path: vaultPath,
  size: z.number().int().min(0),
  modified: timestamp.optional(),
  type: z.string().max(200).optional(),
  ifAbsent: z.boolean().default(false),
})
export type UploadBegin = z.input<typeof uploadRequest>

/** Proof of the same source: SHA-256 of its first `offset` bytes. Compared and forgotten. */
export const uploadProof = z.object({ offset: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
export type UploadProof = z.infer<typeof uploadProof>
