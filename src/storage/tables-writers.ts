// Tables for several sites that write to one vault: who may, what this site knows of the newest head, and what people are to be told.
import type { Migration } from '#database'

/** Certificates and revocations as heads carry them. */
export interface WriterCertificateTable {
  readonly fingerprint: string
  readonly by_whom: string
  /** JSON of the certificate. */
  readonly certificate: string
  readonly added: string
}

export interface WriterRevocationTable {
  readonly fingerprint: string
  readonly by_whom: string
  /** JSON of the revocation. */
  readonly revocation: string
  readonly added: string
}

export interface HeadStateTable {
  /** Always 1. */
  readonly id: number
  /** JSON: public keys of the dealer of the recovery sheet, where another site is; null = this one. */
  readonly root: string | null
  /** JSON of the locations that the newest head names. */
  readonly locations: string | null
}

/** Told in the status until a person acknowledges it. */
export interface HeadAlarmTable {
  readonly id: string
  readonly code: string
  readonly text: string
  readonly next: string
  readonly at: string
}

/** What is to be deleted at the locations waits here, so that a writer who was away may still need it. */
export interface GraceTable {
  readonly deal: string
  readonly since_ms: number
}

export interface WriterTables {
  readonly writer_certificate: WriterCertificateTable
  readonly writer_revocation: WriterRevocationTable
  readonly head_state: HeadStateTable
  readonly head_alarm: HeadAlarmTable
  readonly grace: GraceTable
}

export const writerTableNames = ['writer_certificate', 'writer_revocation', 'head_state', 'head_alarm', 'grace'] as const

export const writerMigrations: Record<string, Migration> = {
  'storage-writers-0001': {
    up: async (db) => {
      for (const [table, text] of [
        ['writer_certificate', 'certificate'],
        ['writer_revocation', 'revocation'],
      ] as const)
        await db.schema
          .createTable(table)
          .addColumn('fingerprint', 'text', (c) => c.notNull())
          .addColumn('by_whom', 'text', (c) => c.notNull())
          .addColumn(text, 'text', (c) => c.notNull())
          .addColumn('added', 'text', (c) => c.notNull())
          .addPrimaryKeyConstraint(`${table}_key`, ['fingerprint', 'by_whom'])
          .execute()
      await db.schema
        .createTable('head_state')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('root', 'text')
        .addColumn('locations', 'text')
        .execute()
      await db.schema
        .createTable('head_alarm')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('code', 'text', (c) => c.notNull())
        .addColumn('text', 'text', (c) => c.notNull())
        .addColumn('next', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('grace')
        .addColumn('deal', 'text', (c) => c.primaryKey())
        .addColumn('since_ms', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema.alterTable('change').addColumn('segment', 'bigint').execute()
      await db.schema.alterTable('change').addColumn('undo', 'text').execute()
    },
  },
}
