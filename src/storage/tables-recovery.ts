// What was prepared against a loss, and when it was tried.
import type { Migration } from '#database'

export interface KitTable {
  /** Always 1: the newest kit. */
  readonly id: number
  readonly made: string
  /** What it says of the vault, to tell when it is out of date. */
  readonly state: string
}

export interface DrillTable {
  /** Always 1: the newest drill. */
  readonly id: number
  readonly ended: string
  readonly passed: number
  /** The signed report; null for a drill of an older version. */
  readonly report: string | null
}

export interface RecoveryTables {
  readonly kit: KitTable
  readonly drill: DrillTable
}

export const recoveryMigrations: Record<string, Migration> = {
  'storage-recovery-0001': {
    up: async (db) => {
      await db.schema
        .createTable('kit')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('made', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('drill')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('ended', 'text', (c) => c.notNull())
        .addColumn('passed', 'integer', (c) => c.notNull())
        .execute()
    },
  },
  'storage-recovery-0002': {
    up: async (db) => {
      await db.schema.alterTable('drill').addColumn('report', 'text').execute()
    },
  },
}
