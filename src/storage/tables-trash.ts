// Tables of names over time, the trash, the rules of keeping, and deletions that are proven.
// R1: nothing here is a function of a plaintext or a fragment but sizes.
import type { Migration } from '#database'

/** A name that a file had once; the present one stands in `file`. */
export interface PastNameTable {
  readonly file: string
  readonly path: string
  readonly since: string
  readonly until: string
}

/** One removal into the trash. What was removed lies at `TRASH/<id>/<name>`. */
export interface TrashTable {
  readonly id: string
  /** Where it was. */
  readonly path: string
  readonly kind: 'file' | 'folder'
  readonly at: string
  readonly by: string
  readonly files: number
  /** Bytes of all versions in it. */
  readonly bytes: number
}

/** A rule of keeping for a folder and all below it; null = as the folder above says. */
export interface KeepingTable {
  readonly path: string
  readonly versions_days: number | null
  readonly versions_min: number | null
  readonly trash_days: number | null
  /** Nothing may be removed before. */
  readonly hold_until: string | null
  readonly by: string
  readonly at: string
}

/** One row: since when names over time are known. */
export interface HistoryTable {
  readonly id: number
  readonly since: string
}

/** One removal for good. `record` is the signed record, once nothing is awaited any more. */
export interface DeletionTable {
  readonly id: string
  readonly path: string
  readonly what: 'file' | 'folder' | 'version'
  readonly reason: 'removed' | 'expired'
  readonly by: string
  readonly at: string
  readonly dealings: number
  /** Dealings that other names still need, and that were therefore not deleted. */
  readonly still_named: number
  readonly closed: string | null
  readonly record: string | null
}

/** What one location answered about one fragment of a deletion. */
export interface DeletionPartTable {
  readonly deletion: string
  readonly deal: string
  readonly x: number
  readonly location: string
  readonly name: string
  /** awaited = not asked yet; removed = taken away, not yet looked for; gone = looked for and absent; left = the location left the vault. */
  readonly state: 'awaited' | 'unreachable' | 'kept' | 'denied' | 'removed' | 'shown' | 'gone' | 'left'
  readonly at: string
}

export interface TrashTables {
  readonly past_name: PastNameTable
  readonly trash: TrashTable
  readonly keeping: KeepingTable
  readonly history: HistoryTable
  readonly deletion: DeletionTable
  readonly deletion_part: DeletionPartTable
}

export const trashMigrations: Record<string, Migration> = {
  'storage-trash-0001': {
    up: async (db) => {
      await db.schema
        .alterTable('file')
        .addColumn('since', 'text', (c) => c.notNull().defaultTo(''))
        .execute()
      await db.schema
        .alterTable('file_version')
        .addColumn('at', 'text', (c) => c.notNull().defaultTo(''))
        .execute()
      await db
        .updateTable('file_version')
        .set((eb) => ({ at: eb.ref('created') }))
        .execute()
      await db
        .updateTable('file')
        .set((eb) => ({
          since: eb.fn.coalesce(
            eb
              .selectFrom('file_version')
              .select((inner) => inner.fn.min('file_version.created').as('since'))
              .whereRef('file_version.file', '=', 'file.file'),
            eb.val(''),
          ),
        }))
        .execute()
      await db.schema
        .createTable('past_name')
        .addColumn('file', 'text', (c) => c.notNull().references('file.file').onDelete('cascade'))
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('since', 'text', (c) => c.notNull())
        .addColumn('until', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('past_name_key', ['file', 'since'])
        .execute()
      await db.schema.createIndex('past_name_path').on('past_name').column('path').execute()
      await db.schema
        .createTable('trash')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('by', 'text', (c) => c.notNull())
        .addColumn('files', 'bigint', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('trash_at').on('trash').columns(['at', 'id']).execute()
      await db.schema
        .createTable('keeping')
        .addColumn('path', 'text', (c) => c.primaryKey())
        .addColumn('versions_days', 'integer')
        .addColumn('versions_min', 'integer')
        .addColumn('trash_days', 'integer')
        .addColumn('hold_until', 'text')
        .addColumn('by', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('history')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('since', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('deletion')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('what', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('by', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('dealings', 'bigint', (c) => c.notNull())
        .addColumn('still_named', 'bigint', (c) => c.notNull())
        .addColumn('closed', 'text')
        .addColumn('record', 'text')
        .execute()
      await db.schema.createIndex('deletion_at').on('deletion').columns(['at', 'id']).execute()
      await db.schema.createIndex('deletion_closed').on('deletion').column('closed').execute()
      await db.schema
        .createTable('deletion_part')
        .addColumn('deletion', 'text', (c) => c.notNull().references('deletion.id').onDelete('cascade'))
        .addColumn('deal', 'text', (c) => c.notNull())
        .addColumn('x', 'integer', (c) => c.notNull())
        .addColumn('location', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('deletion_part_key', ['deletion', 'deal', 'x'])
        .execute()
      await db.schema.createIndex('deletion_part_deal').on('deletion_part').columns(['deal', 'x']).execute()
      await db.schema.createIndex('deletion_part_state').on('deletion_part').columns(['state', 'location']).execute()
    },
  },
}
