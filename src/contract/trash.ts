// The trash, the rules of keeping, moments of the past, deletions that are proven.
import { z } from 'zod'
import { hexId, timestamp, vaultPath } from './schemas.ts'

export const trashEntry = z.object({
  id: hexId,
  /** Where it was. */
  path: vaultPath,
  name: z.string(),
  kind: z.enum(['file', 'folder']),
  at: timestamp,
  /** Who removed it. */
  by: z.string(),
  files: z.number().int(),
  /** Bytes of all versions in it. */
  bytes: z.number(),
  /** When it goes for good, by the rules of today. */
  expires: timestamp,
  /** Not before this, whatever `expires` says. */
  heldUntil: timestamp.nullable(),
})
export type TrashEntry = z.infer<typeof trashEntry>

export const trashListing = z.object({
  entries: z.array(trashEntry),
  next: z.string().nullable(),
  /** Of the whole trash. */
  total: z.number().int(),
  files: z.number().int(),
  bytes: z.number(),
})
export type TrashListing = z.infer<typeof trashListing>

/** `trash` names the entry that can be restored; null = removed for good. */
export const removal = z.object({ removed: z.number().int(), trash: hexId.nullable() })
export type Removal = z.infer<typeof removal>

const days = z.number().int().min(0).max(36_500)

/** null = as the folder above says. */
export const keepingRule = z.object({
  versionsDays: days.nullable(),
  versionsMin: z.number().int().min(1).max(10_000).nullable(),
  trashDays: days.nullable(),
  holdUntil: timestamp.nullable(),
})
export type KeepingRule = z.infer<typeof keepingRule>

export const keeping = z.object({
  path: vaultPath,
  /** What this folder says itself; null = nothing. */
  own: keepingRule.nullable(),
  /** What holds here, inherited or not. */
  effective: z.object({
    versionsDays: z.number().int(),
    versionsMin: z.number().int(),
    trashDays: z.number().int(),
    holdUntil: timestamp.nullable(),
  }),
  by: z.string().nullable(),
  at: timestamp.nullable(),
})
export type KeepingView = z.infer<typeof keeping>

export const keepingRequest = keepingRule.extend({ path: vaultPath, release: z.boolean().default(false) })

export const purgePlan = z.object({
  /** The first of them; `counts` tells all. */
  trash: z.array(trashEntry),
  versions: z.array(z.object({ path: vaultPath, number: z.number().int(), size: z.number(), created: timestamp, replaced: timestamp })),
  counts: z.object({ trash: z.number().int(), versions: z.number().int(), held: z.number().int() }),
  /** At most so many; what a copy names stays. */
  bytes: z.number(),
})
export type PurgePlan = z.infer<typeof purgePlan>

const change = z.object({ path: vaultPath, size: z.number() })
export const momentPlan = z.object({
  path: vaultPath,
  at: timestamp,
  /** Names are known from here on. */
  knownSince: timestamp,
  /** What comes back where nothing stands now, what gets an older content as a new version, what goes into the trash. The first of each. */
  returns: z.array(change),
  replaces: z.array(change.extend({ from: z.number().int(), version: z.number().int() })),
  trashes: z.array(change),
  /** Files whose content of that moment is gone: nothing older is kept, or only an older version, which is taken. */
  doubtful: z.array(z.object({ path: vaultPath, why: z.enum(['gone', 'older']) })),
  counts: z.object({
    returns: z.number().int(),
    replaces: z.number().int(),
    trashes: z.number().int(),
    unchanged: z.number().int(),
    doubtful: z.number().int(),
  }),
})
export type MomentPlan = z.infer<typeof momentPlan>

export const deletion = z.object({
  id: hexId,
  path: vaultPath,
  what: z.enum(['file', 'folder', 'version']),
  reason: z.enum(['removed', 'expired']),
  by: z.string(),
  at: timestamp,
  dealings: z.number().int(),
  stillNamed: z.number().int(),
  closed: timestamp.nullable(),
  /** Labels of locations whose answer is awaited, with the reason. */
  awaited: z.array(z.object({ location: z.string(), fragments: z.number().int(), why: z.string() })),
})
export type Deletion = z.infer<typeof deletion>
export const deletionListing = z.object({ deletions: z.array(deletion), next: z.string().nullable() })
export type DeletionListing = z.infer<typeof deletionListing>
