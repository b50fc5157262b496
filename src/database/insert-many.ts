// Many rows in few statements.
import type { InsertObject, Kysely, Transaction } from 'kysely'

/** Both databases take more; larger statements are not faster. */
const VALUES_PER_STATEMENT_MAX = 4000

/** Inserts rows of equal columns in order. Outside a transaction, what came before a failure stays. */
export async function insertMany<Tables, Table extends keyof Tables & string>(
  kysely: Kysely<Tables> | Transaction<Tables>,
  table: Table,
  rows: readonly InsertObject<Tables, Table>[],
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).length
  const rowsPerStatement = Math.max(1, Math.floor(VALUES_PER_STATEMENT_MAX / Math.max(1, columns)))
  for (let at = 0; at < rows.length; at += rowsPerStatement) {
    const values = rows.slice(at, at + rowsPerStatement)
    await kysely.insertInto(table).values(values).execute()
  }
}
