// The table of uploads that go on after an interruption. R1: nothing of the content is kept here; proofs are compared and forgotten.
import type { Migration } from '#database'

export interface UploadTable {
  readonly upload: string
  /** The key of its intent in `deal` and `fragment`: the names at the locations. Another one after it began anew. */
  readonly intent: string
  readonly actor: string
  readonly path: string
  /** The file that gets a version. */
  readonly file: string
  readonly size: number
  readonly modified: string | null
  readonly type: string
  readonly if_absent: number
  readonly created: string
  readonly active: string
  readonly restarts: number
  readonly state: 'open' | 'done'
  /** JSON of the answer, once it is done. */
  readonly stored: string | null
}

export const uploadMigrations: Record<string, Migration> = {
  'storage-upload-0001': {
    up: async (db) => {
      await db.schema
        .createTable('upload')
        .addColumn('upload', 'text', (c) => c.primaryKey())
        .addColumn('intent', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('file', 'text', (c) => c.notNull())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('modified', 'text')
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('if_absent', 'integer', (c) => c.notNull())
        .addColumn('created', 'text', (c) => c.notNull())
        .addColumn('active', 'text', (c) => c.notNull())
        .addColumn('restarts', 'integer', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('stored', 'text')
        .execute()
      await db.schema.createIndex('upload_intent').on('upload').column('intent').execute()
    },
  },
}
