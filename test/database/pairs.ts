// Tables of the test that kills: rows that only make sense in pairs.
import { type Database, type DatabasePlace, openDatabase } from '#database'

export interface PairTables {
  readonly test_pair: { readonly number: number; readonly half: number; readonly bytes: Uint8Array }
}

export async function openPairs(place: DatabasePlace): Promise<Database<PairTables>> {
  return openDatabase<PairTables>({
    ...place,
    migrations: {
      'test-0001': {
        up: async (db) => {
          await db.schema
            .createTable('test_pair')
            .addColumn('number', 'bigint', (column) => column.notNull())
            .addColumn('half', 'integer', (column) => column.notNull())
            .addColumn('bytes', 'bytea', (column) => column.notNull())
            .addPrimaryKeyConstraint('test_pair_key', ['number', 'half'])
            .execute()
        },
      },
    },
  })
}
