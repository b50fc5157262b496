// What all parts of the room share: the database, the clock, the record, and how a change is made.
import type { Clock } from '#base'
import type { Database, Transaction } from '#database'
import type { Attempts } from './attempts.ts'
import type { IdentityEvent, IdentityEvents } from './events.ts'
import type { Passkeys } from './passkeys.ts'
import type { Passwords } from './password.ts'
import type { Sealing } from './sealing.ts'
import type { IdentityTables } from './tables.ts'

export type Tx = Transaction<IdentityTables>

export interface SessionSettings {
  /** A session that nobody used for so long has ended. */
  readonly idleMs: number
  /** And one that is so old, used or not. */
  readonly absoluteMs: number
  /** What changes how somebody signs in needs a sign-in that is not older. */
  readonly freshMs: number
}

export interface Core {
  readonly db: Database<IdentityTables>
  readonly clock: Clock
  readonly events: IdentityEvents
  readonly sealing: Sealing
  readonly passwords: Passwords
  readonly passkeys: Passkeys
  readonly attempts: Attempts
  readonly settings: SessionSettings
  /** After every change, once it is durable: what was known before is asked anew. */
  changed(administrators: number): void
}

/** One transaction with its record; afterwards nobody is recognised by what was before. */
export async function change<T>(core: Core, work: (tx: Tx, record: (event: IdentityEvent) => Promise<void>) => Promise<T>): Promise<T> {
  const { result, administrators } = await core.db.transaction(async (tx) => {
    const result = await work(tx, (event) => core.events.record(tx, event))
    return { result, administrators: await countAdministrators(tx) }
  })
  core.changed(administrators)
  return result
}

/** People who can sign in and manage others. */
export async function countAdministrators(tx: Tx | Database<IdentityTables>['kysely'], except?: string): Promise<number> {
  const rows = await tx
    .selectFrom('identity_person')
    .innerJoin('identity_role', 'identity_role.person', 'identity_person.id')
    .where('identity_role.role', '=', 'administrator')
    .where('identity_person.state', '=', 'active')
    .select('identity_person.id')
    .execute()
  return rows.filter(({ id }) => id !== except).length
}

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
