// The nouns of the API as zod schemas: one source for server, command line, browser and OpenAPI.
import { z } from 'zod'
import { locationProbe } from './probe.ts'
import { ability } from './people.ts'
import { headStatus } from './writers.ts'

z.config({ jitless: true })

export const hexId = z.string().regex(/^[0-9a-f]{32}$/)
/** Absolute path in the vault: `/mri/scan.dcm`; `/` is the root. Any Unicode, NFC is made by the server. */
export const vaultPath = z.string().min(1).max(4096).startsWith('/')
export const timestamp = z.iso.datetime()
export const layout = z.enum(['shared', 'sealed'])
export type Layout = z.infer<typeof layout>

/** RFC 9457 problem document. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  next: z.string().optional(),
  culprits: z.array(z.string()),
  retry: z.boolean(),
  instance: z.string(),
})
export type Problem = z.infer<typeof problem>

/** What a location is: a folder of this machine, a bucket, a container, a folder of another machine. */
export const locationKind = z.enum(['folder', 's3', 'azure', 'gcs', 'sftp', 'webdav'])
export type LocationKind = z.infer<typeof locationKind>

export const capabilities = z.object({
  honestCreate: z.boolean(),
  rangedRead: z.boolean(),
  listAfterWrite: z.boolean(),
  multipartAbort: z.boolean(),
  deletes: z.boolean(),
  objectLock: z.boolean(),
  latencyMs: z.number(),
  findings: z.array(z.string()),
})

/**
 * healthy     answers, and holds what the catalogue says
 * degraded    answers; some fragments are lost or corrupt there: repair is due
 * empty       answers, but the place was emptied or is another one (its marker is gone): repair fills it again
 * unreachable does not answer
 * lying       gave wrong bytes
 */
export const locationState = z.enum(['healthy', 'degraded', 'empty', 'unreachable', 'lying'])
export type LocationState = z.infer<typeof locationState>

export const locationStatus = z.object({
  id: hexId,
  /** What the person typed or named: `folder:a`, `Cloud West`. Unique in the vault, holds no secret. */
  label: z.string(),
  kind: locationKind,
  x: z.number().int(),
  state: locationState,
  /** One plain sentence; empty when healthy. */
  detail: z.string(),
  next: z.string(),
  /** Code of what it answered with last, where that was no success. */
  reason: z.string().optional(),
  fragments: z.object({
    held: z.number().int(),
    /** Known to be absent there. */
    lost: z.number().int(),
    /** Known to be damaged there. */
    corrupt: z.number().int(),
    /** Never arrived (the location was slow or away during the upload). */
    pending: z.number().int(),
  }),
  bytes: z.number(),
  latencyMs: z.number().nullable(),
  lastSeen: timestamp.nullable(),
  capabilities: capabilities.nullable(),
  /** The last trial since it was enrolled. */
  probe: locationProbe.nullable(),
})
export type LocationStatus = z.infer<typeof locationStatus>

/** none = no vault yet; degraded = every file still opens, redundancy is missing; unreadable = some file cannot be opened now. */
export const health = z.enum(['none', 'healthy', 'degraded', 'unreadable'])

export const vaultSummary = z.object({
  id: hexId,
  name: z.string(),
  threshold: z.number().int(),
  count: z.number().int(),
  layout,
  /** Uploads wait for every location. */
  requireAll: z.boolean(),
  created: timestamp,
  /** hex SHA-256 of the site's raw public signing keys; goes on the recovery sheet. */
  dealer: z.string(),
})
export type VaultSummary = z.infer<typeof vaultSummary>

export const status = z.object({
  health,
  vault: vaultSummary.nullable(),
  files: z.number().int(),
  folders: z.number().int(),
  /** Bytes of all current versions as people see them. */
  bytes: z.number(),
  /** Fragments that have to be written again. */
  repairDue: z.number().int(),
  /** Files with exactly k fragments left, or fewer. */
  withoutRedundancy: z.number().int(),
  locations: z.array(locationStatus),
  /** Up to where the vault itself would restore names without the database. */
  recoveryPoint: z.object({ sequence: z.number().int(), at: timestamp.nullable(), pendingChanges: z.number().int() }),
  /** The newest state of the vault, and how sure that is; null before there is a vault. */
  head: headStatus.nullable(),
  messages: z.array(z.object({ severity: z.enum(['hint', 'warning', 'alarm']), code: z.string(), text: z.string(), next: z.string() })),
})
export type Status = z.infer<typeof status>

export const site = z.object({
  version: z.string(),
  /** Folders the page offers for a first vault; none of them exists yet, or all are empty. */
  suggestedFolders: z.array(z.string()),
  vault: vaultSummary.nullable(),
  /** What the asker may do beside files. */
  abilities: z.array(ability),
})
export type Site = z.infer<typeof site>

export const vaultRequest = z.object({
  name: z.string().min(1).max(100).default('Vault'),
  threshold: z.number().int().min(2).max(32),
  layout: layout.default('shared'),
  requireAll: z.boolean().default(false),
  /** `folder:PATH` (made when absent) or `s3:https://endpoint/bucket/prefix?region=...`; order gives x = 1, 2, ... */
  locations: z
    .array(z.object({ spec: z.string().max(2000), label: z.string().max(100).optional() }))
    .min(2)
    .max(32),
  /** The signing keys are sealed under it; absent = a key file in the home, readable by its user only. */
  passphrase: z.string().min(12).max(1000).optional(),
})
export type VaultRequest = z.input<typeof vaultRequest>

/** redundant: at all n; repair-due: some are missing, more than k there; no-redundancy: exactly k there. */
export const redundancy = z.enum(['redundant', 'repair-due', 'no-redundancy', 'unreadable'])
export type Redundancy = z.infer<typeof redundancy>

export const entry = z.object({
  kind: z.enum(['file', 'folder']),
  path: vaultPath,
  name: z.string(),
  /** Bytes of the current version; of folders 0. */
  size: z.number(),
  type: z.string(),
  modified: timestamp,
  /** Number of the current version, 1, 2, ...; 0 for folders. */
  version: z.number().int(),
  redundancy,
})
export type Entry = z.infer<typeof entry>

export const listing = z.object({ path: vaultPath, entries: z.array(entry), next: z.string().nullable() })
export type Listing = z.infer<typeof listing>

export const stored = z.object({
  entry,
  /** Locations that hold the whole fragment durably / all. */
  acknowledged: z.number().int(),
  count: z.number().int(),
  /** Labels of those that did not take it in time; repair will bring it there. */
  laggards: z.array(z.string()),
  /** One sentence for people: `stored at 3 of 3 locations`, `stored, no redundancy yet: ...`. */
  note: z.string(),
})
export type Stored = z.infer<typeof stored>

export const version = z.object({
  number: z.number().int(),
  size: z.number(),
  type: z.string(),
  created: timestamp,
  modified: timestamp,
  current: z.boolean(),
  redundancy,
  /** A newer version that names the same dealing: the very same content. Null says nothing about the contents. */
  sameAs: z.number().int().nullable(),
})
export const versions = z.object({ path: vaultPath, versions: z.array(version) })
export type Versions = z.infer<typeof versions>

export const placement = z.object({
  path: vaultPath,
  version: z.number().int(),
  threshold: z.number().int(),
  count: z.number().int(),
  layout,
  fragments: z.array(
    z.object({
      x: z.number().int(),
      location: hexId,
      label: z.string(),
      state: z.enum(['held', 'lost', 'corrupt', 'pending', 'away']),
      name: z.string().nullable(),
      sizeBytes: z.number(),
    }),
  ),
})
export type Placement = z.infer<typeof placement>

export const finding = z.object({
  location: z.string(),
  /** Path of the file, or empty for what belongs to no file. */
  path: z.string(),
  fragment: z.string(),
  kind: z.enum(['lost', 'corrupt', 'head-copy', 'unreadable', 'orphan', 'incomplete', 'conflict', 'unreachable', 'skipped', 'differs']),
  detail: z.string(),
})
export type Finding = z.infer<typeof finding>

export const scrubRequest = z.object({ depth: z.enum(['present', 'tags', 'full']).default('tags'), location: z.string().optional() })
export const repairRequest = z.object({ path: vaultPath.optional() })

export const report = z.object({
  checkedFragments: z.number().int(),
  checkedBytes: z.number(),
  repairedFragments: z.number().int(),
  findings: z.array(finding),
  /** Findings that did not fit into the list. */
  moreFindings: z.number().int(),
})
export type Report = z.infer<typeof report>

export const task = z.object({
  id: hexId,
  kind: z.enum(['scrub', 'repair', 'upload', 'recover', 'copy', 'remove', 'change', 'restore', 'import', 'drill']),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  title: z.string(),
  done: z.number(),
  total: z.number(),
  unit: z.enum(['bytes', 'fragments', 'files']),
  bytesPerSecond: z.number(),
  remainingSeconds: z.number().nullable(),
  started: timestamp,
  report: report.nullable(),
  problem: problem.nullable(),
})
export type Task = z.infer<typeof task>

/** Server-sent events at /api/v1/events. `files` names the folder that changed. */
export const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), status }),
  z.object({ kind: z.literal('task'), task }),
  z.object({ kind: z.literal('files'), path: vaultPath }),
])
export type SiteEvent = z.infer<typeof event>
