// What the vault is called and where its locations are, as its own catalogue says it.
import type { Migration } from '#database'

export interface DescriptionTable {
  /** `vault`, or the id of a location. */
  readonly subject: string
  /** The catalogue line, as it stands in the vault or waits for its segment; null when it was taken back. */
  readonly line: string | null
  /** What this site said last: another writer who says something else is not contradicted. */
  readonly own: string | null
}

export const descriptionMigrations: Record<string, Migration> = {
  'storage-description-0001': {
    up: async (db) => {
      await db.schema
        .createTable('description')
        .addColumn('subject', 'text', (c) => c.primaryKey())
        .addColumn('line', 'text')
        .addColumn('own', 'text')
        .execute()
    },
  },
}
