// The tables of the storage room. Portable SQL: texts, integers, no types of one database alone.
// R1: no column holds a function of a plaintext or a fragment but its size; hashes of contents live in META, shared.
import type { LocationKind } from '#contract'
import { recoveryMigrations, type RecoveryTables } from './tables-recovery.ts'
import { type DescriptionTable, descriptionMigrations } from './tables-description.ts'
import type { Generated, Migration } from '#database'
import { grantMigrations, type GrantTables } from './grants.ts'
import { healthMigrations, type HealthTables } from './tables-health.ts'
import { writerMigrations, type WriterTables } from './tables-writers.ts'
import { uploadMigrations, type UploadTable } from './tables-upload.ts'
import { toldMigrations, type ToldUploadTable } from './tables-told.ts'
import { changeMigrations, type ChangeTables } from './tables-change.ts'
import { probeMigrations, type ProbeTables } from './tables-probe.ts'
import { trashMigrations, type TrashTables } from './tables-trash.ts'

export interface VaultTable {
  /** Always 1: a home has one vault. */
  readonly id: number
  readonly vault: string
  readonly name: string
  readonly threshold: number
  readonly layout: 'shared' | 'sealed'
  readonly require_all: number
  readonly created: string
  /** Sequence of the next catalogue snapshot or segment. */
  readonly next_sequence: number
  /** Epoch of the newest head we wrote or read; 0 = none. */
  readonly epoch: number
  /** Hex SHA-256 of that head's bytes. */
  readonly head_hash: string | null
  /** Sequence of the newest segment that the head names. */
  readonly head_sequence: number
  readonly head_at: string | null
  /** JSON: public keys of dealers before the present one. */
  readonly former_dealers: string
  /** making, recovering: cut off in the middle, these are finished or undone at the next start. */
  readonly state: 'making' | 'recovering' | 'open'
  /** 1 while a site runs; found at a start, the last one died, and its unfinished files are to be swept. */
  readonly running: number
}

export interface LocationTable {
  readonly location: string
  readonly x: number
  readonly label: string
  readonly kind: LocationKind
  /** JSON of its configuration, without secrets. */
  readonly config: string
  readonly added: string
  /** JSON of the last probe, or null. */
  readonly capabilities: string | null
}

export interface DealTable {
  readonly deal: string
  readonly object: string
  readonly version: number
  readonly k: number
  readonly n: number
  readonly layout: 'shared' | 'sealed'
  readonly chunk_log2: number
  readonly size: number
  readonly padded: number
  readonly type: string
  readonly created: string
  /** writing = an intent, bytes may be under way; stored; dropping = to be deleted everywhere. */
  readonly state: 'writing' | 'stored' | 'dropping'
  readonly purpose: 'file' | 'catalogue'
}

export interface FragmentTable {
  readonly deal: string
  readonly x: number
  readonly location: string
  /** Null while it lies nowhere. */
  readonly name: string | null
  readonly commitment: string | null
  readonly size: number
  /** pending = never arrived; lost = known to be absent; corrupt = known to be damaged. */
  readonly state: 'writing' | 'held' | 'pending' | 'lost' | 'corrupt'
}

export interface FolderTable {
  readonly path: string
  readonly parent: string
  readonly created: string
}

export interface FileTable {
  readonly file: string
  readonly path: string
  readonly parent: string
  /** Number of the current version. */
  readonly current: number
  /** When it got this path. */
  readonly since: string
}

export interface FileVersionTable {
  readonly file: string
  readonly number: number
  readonly deal: string
  /** When its dealing began. */
  readonly created: string
  readonly modified: string
  /** When people could see it for the first time. */
  readonly at: string
}

/** Names at locations that no fragment row names any more; discarded when the location allows. */
export interface DebrisTable {
  readonly location: string
  readonly name: string
}

/** Catalogue lines that no segment in the vault holds yet. */
export interface ChangeTable {
  readonly id: Generated<number>
  readonly line: string
  /** Sequence of the segment that holds it, while no head that counts names that segment. Only where several sites write. */
  readonly segment: number | null
  /** JSON of what the line took away, so that it can be taken back before the changes of others are applied. */
  readonly undo: string | null
}

/** The snapshot and the segments after it, as they stand in the vault. */
export interface SegmentTable {
  readonly sequence: number
  readonly kind: 'snapshot' | 'segment'
  readonly deal: string
  readonly lines: number
}

export interface StorageTables extends GrantTables, HealthTables, ProbeTables, TrashTables, WriterTables, ChangeTables, RecoveryTables {
  readonly vault: VaultTable
  readonly location: LocationTable
  readonly deal: DealTable
  readonly fragment: FragmentTable
  readonly folder: FolderTable
  readonly file: FileTable
  readonly file_version: FileVersionTable
  readonly debris: DebrisTable
  readonly change: ChangeTable
  readonly segment: SegmentTable
  readonly description: DescriptionTable
  readonly upload: UploadTable
  readonly told_upload: ToldUploadTable
}

export const storageMigrations: Record<string, Migration> = {
  ...descriptionMigrations,
  ...recoveryMigrations,
  ...healthMigrations,
  ...probeMigrations,
  ...trashMigrations,
  ...grantMigrations,
  'storage-0001-vault': {
    up: async (db) => {
      await db.schema
        .createTable('vault')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('vault', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('threshold', 'integer', (c) => c.notNull())
        .addColumn('layout', 'text', (c) => c.notNull())
        .addColumn('require_all', 'integer', (c) => c.notNull())
        .addColumn('created', 'text', (c) => c.notNull())
        .addColumn('next_sequence', 'bigint', (c) => c.notNull())
        .addColumn('epoch', 'bigint', (c) => c.notNull())
        .addColumn('head_hash', 'text')
        .addColumn('head_sequence', 'bigint', (c) => c.notNull())
        .addColumn('head_at', 'text')
        .addColumn('former_dealers', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('location')
        .addColumn('location', 'text', (c) => c.primaryKey())
        .addColumn('x', 'integer', (c) => c.notNull().unique())
        .addColumn('label', 'text', (c) => c.notNull().unique())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('config', 'text', (c) => c.notNull())
        .addColumn('added', 'text', (c) => c.notNull())
        .addColumn('capabilities', 'text')
        .execute()
      await db.schema
        .createTable('deal')
        .addColumn('deal', 'text', (c) => c.primaryKey())
        .addColumn('object', 'text', (c) => c.notNull())
        .addColumn('version', 'bigint', (c) => c.notNull())
        .addColumn('k', 'integer', (c) => c.notNull())
        .addColumn('n', 'integer', (c) => c.notNull())
        .addColumn('layout', 'text', (c) => c.notNull())
        .addColumn('chunk_log2', 'integer', (c) => c.notNull())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('padded', 'bigint', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('created', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('purpose', 'text', (c) => c.notNull())
        .addUniqueConstraint('deal_version', ['object', 'version'])
        .execute()
      await db.schema.createIndex('deal_state').on('deal').column('state').execute()
      await db.schema
        .createTable('fragment')
        .addColumn('deal', 'text', (c) => c.notNull().references('deal.deal').onDelete('cascade'))
        .addColumn('x', 'integer', (c) => c.notNull())
        .addColumn('location', 'text', (c) => c.notNull())
        .addColumn('name', 'text')
        .addColumn('commitment', 'text')
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('fragment_key', ['deal', 'x'])
        .execute()
      await db.schema.createIndex('fragment_location').on('fragment').columns(['location', 'state']).execute()
      await db.schema.createIndex('fragment_name').on('fragment').columns(['location', 'name']).execute()
      await db.schema
        .createTable('folder')
        .addColumn('path', 'text', (c) => c.primaryKey())
        .addColumn('parent', 'text', (c) => c.notNull())
        .addColumn('created', 'text', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('folder_parent').on('folder').columns(['parent', 'path']).execute()
      await db.schema
        .createTable('file')
        .addColumn('file', 'text', (c) => c.primaryKey())
        .addColumn('path', 'text', (c) => c.notNull().unique())
        .addColumn('parent', 'text', (c) => c.notNull())
        .addColumn('current', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('file_parent').on('file').columns(['parent', 'path']).execute()
      await db.schema
        .createTable('file_version')
        .addColumn('file', 'text', (c) => c.notNull().references('file.file').onDelete('cascade'))
        .addColumn('number', 'bigint', (c) => c.notNull())
        .addColumn('deal', 'text', (c) => c.notNull().references('deal.deal'))
        .addColumn('created', 'text', (c) => c.notNull())
        .addColumn('modified', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('file_version_key', ['file', 'number'])
        .execute()
      await db.schema.createIndex('file_version_deal').on('file_version').column('deal').execute()
      await db.schema
        .createTable('debris')
        .addColumn('location', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('debris_key', ['location', 'name'])
        .execute()
      await db.schema
        .createTable('change')
        .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
        .addColumn('line', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('segment')
        .addColumn('sequence', 'bigint', (c) => c.primaryKey())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('deal', 'text', (c) => c.notNull())
        .addColumn('lines', 'bigint', (c) => c.notNull())
        .execute()
    },
  },
  'storage-0002-state': {
    up: async (db) => {
      await db.schema
        .alterTable('vault')
        .addColumn('state', 'text', (c) => c.notNull().defaultTo('open'))
        .execute()
      await db.schema
        .alterTable('vault')
        .addColumn('running', 'integer', (c) => c.notNull().defaultTo(0))
        .execute()
    },
  },
  ...writerMigrations,
  ...uploadMigrations,
  ...toldMigrations,
  ...changeMigrations,
}
