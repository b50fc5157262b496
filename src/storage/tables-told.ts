// Unfinished uploads that the vault's own catalogue tells of, those of other sites too (docs/spec/vault.md, "Unfinished uploads").
import type { Migration } from '#database'

export interface ToldUploadTable {
  readonly upload: string
  /** Fingerprint of the keys of the site that takes it. */
  readonly site: string
  /** The catalogue line, as it stands in the vault or waits for its segment. */
  readonly line: string
}

export const toldMigrations: Record<string, Migration> = {
  'storage-told-0001': {
    up: async (db) => {
      await db.schema
        .createTable('told_upload')
        .addColumn('upload', 'text', (c) => c.primaryKey())
        .addColumn('site', 'text', (c) => c.notNull())
        .addColumn('line', 'text', (c) => c.notNull())
        .execute()
    },
  },
}
