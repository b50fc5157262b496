// Who people are to a site: what they may do there, and how they prove who they are.
import { z } from 'zod'

/** What somebody does at a site. Roles say what kind of work; which files is said by grants alone. */
export const role = z.enum([
  'administrator',
  'data-steward',
  'clinician',
  'researcher',
  'output-checker',
  'data-protection-officer',
  'auditor',
  'patient',
])
export type Role = z.infer<typeof role>

/** How somebody proved who they are: in a browser, or by one of the secrets that programs carry. */
export const means = z.enum(['session', 'token', 'app-password', 'access-key'])
export type Means = z.infer<typeof means>

/** The limits of a token, an app password or an access key: less than the person may do, never more. */
export const scope = z.object({
  /** `read` lists and reads; `write` does that and changes files; `all` is everything that the person may do. */
  rights: z.enum(['read', 'write', 'all']),
  /** Only at and below this folder. */
  path: z.string().min(1).max(4096).startsWith('/'),
})
export type Scope = z.infer<typeof scope>

/**
 * What roles allow beside files. look: see how the site and its locations are. run: change the site, start its work. content: manage every file.
 * records: the audit log and the records of deletions. people: who works here. alarms: say that one was seen to. protection: erase personal fields of
 * the log, judge breaches.
 */
export const ability = z.enum(['look', 'run', 'content', 'records', 'people', 'alarms', 'protection'])
export type Ability = z.infer<typeof ability>
