// What happened to people, for whoever keeps the record: written in the transaction that made it so.
import type { FailureCode } from '#base'
import type { Transaction } from '#database'
import type { IdentityTables } from './tables.ts'

/** Who did it: the operator of the machine, a person, or somebody who has not proved who they are. */
export type IdentityActor =
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'person'; readonly id: string; readonly name: string }
  | { readonly kind: 'nobody' }

export type IdentityEventKind =
  | 'sign-in'
  | 'sign-out'
  | 'invite'
  | 'join'
  | 'renew'
  | 'change-roles'
  | 'leave'
  | 'make-group'
  | 'remove-group'
  | 'add-member'
  | 'remove-member'
  | 'add-credential'
  | 'remove-credential'
  | 'end-sessions'

export interface IdentityEvent {
  readonly kind: IdentityEventKind
  readonly actor: IdentityActor
  /** Id of the person that it concerns; undefined for a sign-in under an unknown name, and for groups. */
  readonly subject?: string | undefined
  readonly outcome: 'done' | 'refused'
  /** Of a refusal. */
  readonly code?: FailureCode | undefined
  /** Roles, the kind of credential, the id of a group and the like: never a secret, a name or an address. */
  readonly facts?: Readonly<Record<string, string | number | readonly string[]>> | undefined
}

export interface IdentityEvents {
  /** Runs inside the transaction: when it throws, nothing of the change remains. */
  record(tx: Transaction<IdentityTables>, event: IdentityEvent): Promise<void>
}
