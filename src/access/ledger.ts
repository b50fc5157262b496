// What the door asks of the audit log and of the book of people.
import type { AuditEvent, AuditLog } from '#audit'
import type { AuditKind, Grantee } from '#contract'
import type { Person } from './door.ts'

export type DeedKind = AuditKind
export type Deed = AuditEvent
export type Ledger = Pick<AuditLog, 'append' | 'appendIn' | 'opening' | 'revoked'>

export interface People {
  /** As they are now; undefined for whoever may not enter any more. */
  present(person: Person): Promise<Person | undefined>
  /** Names of those whom the site knows, by `person:<id>` and `group:<id>`. */
  names(subjects: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** People and groups whose name holds the text, case aside; by name. */
  find(request: { readonly text: string; readonly limit: number }): Promise<readonly { readonly to: Grantee; readonly name: string }[]>
}

export function subjectOf({ kind, id }: Grantee): string {
  return `${kind}:${id}`
}

export function granteeOf(subject: string): Grantee | undefined {
  const match = /^(person|group):([0-9a-f]{32})$/.exec(subject)
  return match === null ? undefined : { kind: match[1] as Grantee['kind'], id: match[2]! }
}
