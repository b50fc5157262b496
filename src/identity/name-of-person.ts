// The name of a person, for the record that is written inside a change.
import type { Transaction } from '#database'
import type { IdentityTables } from './tables.ts'

/** Undefined where there is no such person. */
export async function nameOfPerson(tx: Transaction<IdentityTables>, id: string): Promise<string | undefined> {
  const row = await tx.selectFrom('identity_person').select('name').where('id', '=', id).executeTakeFirst()
  return row?.name
}
