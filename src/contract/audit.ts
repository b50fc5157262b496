// The audit log as people and programs ask for it: entries, the signed head, proofs, the log's own files.
import { z } from 'zod'
import type { Route } from './routes.ts'
import { hexId, timestamp } from './schemas.ts'

/** Everything that is written down. A kind never changes its meaning. */
export const auditKind = z.enum([
  // The site itself.
  'start',
  'stop',
  'alarm',
  'restart',
  // People and what they may do.
  'sign-in',
  'sign-out',
  'person',
  'group',
  'credential',
  'grant',
  'revoke',
  // Files.
  'open',
  'list',
  'store',
  'folder',
  'move',
  'copy',
  'remove',
  'restore',
  'purge',
  'keep',
  'import',
  // The vault and its locations.
  'vault',
  'location',
  'settings',
  'change',
  'repair',
  'scrub',
  'recover',
  'drill',
  'kit',
  'writer',
  // The log.
  'audit',
  'erase',
])
export type AuditKind = z.infer<typeof auditKind>

export const auditOutcome = z.enum(['allowed', 'refused', 'done', 'failed'])
export type AuditOutcome = z.infer<typeof auditOutcome>

const person = z.object({ id: z.string(), name: z.string() })
const index = z.number().int().min(0)

export const auditEntry = z.object({
  index,
  at: timestamp,
  /** One of `auditKind`; a text, since an entry of a later version must be shown too. */
  kind: z.string(),
  /** `site`, `nobody`, or `local:` or `person:` and a pseudonym. */
  actor: z.string(),
  outcome: auditOutcome,
  code: z.string().optional(),
  /** So many alike, of which this is the first. */
  count: z.number().int().optional(),
  object: z.object({ id: hexId, version: z.number().int() }).optional(),
  subject: z.string().optional(),
  /** What may name people; null once it is erased. */
  personal: z
    .object({
      actor: person.optional(),
      subject: person.optional(),
      path: z.string().optional(),
      detail: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    })
    .nullable(),
  /** When the personal fields were erased. */
  erased: timestamp.nullable(),
})
export type AuditEntry = z.infer<typeof auditEntry>

export const auditQuery = z.object({
  /** The `next` of the page before. */
  after: z.string().max(20).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  /** A pseudonym, or the id of a person of this site. */
  actor: z.string().min(1).max(200).optional(),
  object: hexId.optional(),
  kind: auditKind.optional(),
  outcome: auditOutcome.optional(),
  since: timestamp.optional(),
  until: timestamp.optional(),
})
export type AuditQuery = z.input<typeof auditQuery>
export type AuditFilter = z.output<typeof auditQuery>

/** Newest first. */
export const auditPage = z.object({ entries: z.array(auditEntry), next: z.string().nullable() })
export type AuditPage = z.infer<typeof auditPage>

export const auditProblem = z.object({
  /** The entries among which it is; equal where it can be said exactly. */
  first: index,
  last: index,
  what: z.string(),
  detail: z.string(),
})
export type AuditProblem = z.infer<typeof auditProblem>

export const auditHead = z.object({
  /** Which log this is. */
  origin: z.string(),
  size: z.number().int(),
  /** Of the tree, in base64. */
  root: z.string(),
  /** When the head was signed. */
  at: timestamp,
  /** The log's own keys, for auditors to keep. */
  vkeys: z.array(z.string()),
  /** The signed note, as at `log/checkpoint`. */
  checkpoint: z.string(),
  /** sound; damaged = some entries are not as they were written; tampered = the log cannot be continued, and nothing is written into it. */
  state: z.enum(['sound', 'damaged', 'tampered']),
  problem: z.object({ detail: z.string(), next: z.string(), first: index.optional(), last: index.optional() }).nullable(),
})
export type AuditHead = z.infer<typeof auditHead>

/** Lines of the answer of a verification: progress, then the verdict. */
export const auditStep = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), done: z.number().int(), total: z.number().int() }),
  z.object({
    kind: z.literal('verdict'),
    size: z.number().int(),
    root: z.string(),
    entries: z.number().int(),
    /** Entries whose personal fields open their commitment, and those whose are erased. */
    opened: z.number().int(),
    erased: z.number().int(),
    problem: auditProblem.nullable(),
  }),
])
export type AuditStep = z.infer<typeof auditStep>
export type AuditVerdict = Extract<AuditStep, { readonly kind: 'verdict' }>

export const auditConsistency = z.object({
  from: z.number().int(),
  size: z.number().int(),
  /** Base64, RFC 6962 section 2.1.2. */
  proof: z.array(z.string()),
  checkpoint: z.string(),
})
export type AuditConsistency = z.infer<typeof auditConsistency>

export const auditExport = z.object({ folder: z.string(), size: z.number().int() })
export type AuditExport = z.infer<typeof auditExport>

export const eraseRequest = z.union([
  z.strictObject({ person: z.string().min(1).max(200), reason: z.string().min(1).max(1000) }),
  z.strictObject({ object: hexId, reason: z.string().min(1).max(1000) }),
])
export type EraseRequest = z.infer<typeof eraseRequest>

export const auditRoutes = {
  auditHead: {
    method: 'GET',
    path: '/api/v1/audit',
    answer: auditHead,
    status: 200,
    summary: 'The signed head of the audit log, its keys, and whether the log is sound',
  },
  auditEntries: {
    method: 'GET',
    path: '/api/v1/audit/entries',
    query: auditQuery,
    answer: auditPage,
    status: 200,
    summary: 'A page of the audit log, the newest first',
  },
  auditReceipt: {
    method: 'GET',
    path: '/api/v1/audit/entries/:index/receipt',
    status: 200,
    summary: 'One entry with its inclusion proof and the signed head (c2sp.org/tlog-proof)',
  },
  auditConsistency: {
    method: 'GET',
    path: '/api/v1/audit/consistency',
    query: z.object({ from: z.coerce.number().int().min(0) }),
    answer: auditConsistency,
    status: 200,
    summary: 'Proof that the log of today begins with the log of so many entries',
  },
  auditVerify: {
    method: 'POST',
    path: '/api/v1/audit/verify',
    body: z.object({}),
    status: 200,
    summary: 'Recompute the whole log from its rows; answers a line of JSON for each step, the last is the verdict',
  },
  auditPersonal: {
    method: 'GET',
    path: '/api/v1/audit/personal',
    status: 200,
    summary: 'The personal fields beside the entries, as lines of JSON',
  },
  auditExport: {
    method: 'POST',
    path: '/api/v1/audit/export',
    body: z.object({}),
    answer: auditExport,
    status: 200,
    summary: 'Copy the log as static files into the home of the site, which any web server can serve; what lies there already is kept',
  },
  auditErase: {
    method: 'POST',
    path: '/api/v1/audit/erase',
    body: eraseRequest,
    answer: z.object({ entries: z.number().int() }),
    status: 200,
    summary: 'Erase the personal fields of a person or a file from the log; the entries stay and still verify',
  },
  auditRestart: {
    method: 'POST',
    path: '/api/v1/audit/restart',
    body: z.object({ reason: z.string().min(1).max(1000) }),
    answer: auditHead,
    status: 201,
    summary: 'Begin a new log where the old one cannot be continued; its first entry says so',
  },
  auditCheckpoint: {
    method: 'GET',
    path: '/api/v1/audit/log/checkpoint',
    status: 200,
    summary: 'The signed head as a note (c2sp.org/tlog-checkpoint)',
  },
  auditTile: {
    method: 'GET',
    path: '/api/v1/audit/log/tile/*',
    status: 200,
    summary: 'Tiles and entry bundles of the log (c2sp.org/tlog-tiles)',
  },
} as const satisfies Record<string, Route>
