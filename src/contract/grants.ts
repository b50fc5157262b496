// Who may open what: grants of files and folders to people and groups.
import { z } from 'zod'
import { hexId, timestamp, vaultPath } from './schemas.ts'

/** read: list, open, copy from. write: that, and store, rename, move, put into the trash. manage: that, and grant, keep, remove for good. */
export const right = z.enum(['read', 'write', 'manage'])
export type Right = z.infer<typeof right>

export const grantee = z.object({ kind: z.enum(['person', 'group']), id: hexId })
export type Grantee = z.infer<typeof grantee>

export const grant = z.object({
  /** The file or folder that it was given for; it holds for all below. */
  path: vaultPath,
  to: grantee,
  /** What the site calls them; null for somebody whom it does not know (any more). */
  name: z.string().nullable(),
  right,
  until: timestamp.nullable(),
  by: z.string(),
  at: timestamp,
})
export type Grant = z.infer<typeof grant>

export const grantList = z.object({
  /** What the asker may do there; null = nothing. */
  own: right.nullable(),
  /** Grants there and on the folders above; empty for who may not manage. */
  grants: z.array(grant),
})
export type GrantList = z.infer<typeof grantList>

export const grantRequest = z.object({
  path: vaultPath,
  to: grantee,
  /** Null takes it back. */
  right: right.nullable(),
  until: timestamp.nullable().default(null),
})
export type GrantRequest = z.infer<typeof grantRequest>

export const candidates = z.object({ candidates: z.array(z.object({ to: grantee, name: z.string() })) })
export type Candidates = z.infer<typeof candidates>

export const grantRoutes = {
  grants: {
    method: 'GET',
    path: '/api/v1/grants',
    query: z.object({ path: vaultPath }),
    answer: grantList,
    status: 200,
    summary: 'Who may open a file or folder, and what the asker may do there',
  },
  candidates: {
    method: 'GET',
    path: '/api/v1/grants/candidates',
    query: z.object({ path: vaultPath, text: z.string().max(200).default('') }),
    answer: candidates,
    status: 200,
    summary: 'People and groups whose name holds the text, for who may grant the path',
  },
  setGrant: {
    method: 'PUT',
    path: '/api/v1/grants',
    body: grantRequest,
    answer: grantList,
    status: 200,
    summary: 'Give a person or a group a right on a file or a folder with all below, change it, or take it back',
  },
} as const
