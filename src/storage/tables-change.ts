// Tables of change: what the vault is to become, which locations are leaving, and which set of a dealing stands.
import type { Migration } from '#database'

/** One row: how the vault comes to its wanted shape, which `vault` (threshold, layout) and the locations that stay say. */
export interface ReshapeTable {
  /** Always 1. */
  readonly id: number
  /** idle: nothing was asked for, or all is done; paused and cancelled outlive a restart. */
  readonly state: 'idle' | 'running' | 'paused' | 'cancelled'
  /** Sets that were drawn before this instant are renewed; RFC 3339. */
  readonly renew_before: string | null
  /** What was dealt before this instant is dealt anew, under new keys; RFC 3339. */
  readonly anew_before: string | null
  /** Bytes a second that are written to the locations; 0 = as fast as it goes. */
  readonly bytes_per_second: number
  /** When the present change was asked for; RFC 3339. */
  readonly started: string | null
  /** Bytes written and bytes that were still to be written when it was last counted. */
  readonly bytes_done: number
  readonly bytes_total: number
  /** k of the newest head. It rises only when nothing that the head speaks for has a smaller one. */
  readonly head_threshold: number
  /** Above 0: the catalogue's own objects are to be written again; rises with every request. */
  readonly catalogue_due: number
}

export interface LeavingTable {
  readonly location: string
  /** leaving: it is read, nothing new goes there; emptying: no dealing needs it, and no head names it. */
  readonly phase: 'leaving' | 'emptying'
  /** When it must be empty, by contract; RFC 3339. */
  readonly leave_by: string | null
  /** 1: given up, whether or not it answers. */
  readonly abandoned: number
}

/** Of dealings whose set is not the one they were dealt with. */
export interface DealSetTable {
  readonly deal: string
  readonly generation: number
  readonly set_id: string | null
  /** When K was drawn, if that is not the dealing's `created`; RFC 3339. */
  readonly dealt: string | null
  /** When the present set was drawn; RFC 3339. */
  readonly renewed: string | null
}

export interface ChangeTables {
  readonly reshape: ReshapeTable
  readonly leaving: LeavingTable
  readonly deal_set: DealSetTable
}

export const changeMigrations: Record<string, Migration> = {
  'storage-change-0001': {
    up: async (db) => {
      await db.schema
        .createTable('reshape')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('renew_before', 'text')
        .addColumn('anew_before', 'text')
        .addColumn('bytes_per_second', 'bigint', (c) => c.notNull())
        .addColumn('started', 'text')
        .addColumn('bytes_done', 'bigint', (c) => c.notNull())
        .addColumn('bytes_total', 'bigint', (c) => c.notNull())
        .addColumn('head_threshold', 'integer', (c) => c.notNull())
        .addColumn('catalogue_due', 'integer', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('leaving')
        .addColumn('location', 'text', (c) => c.primaryKey().references('location.location').onDelete('cascade'))
        .addColumn('phase', 'text', (c) => c.notNull())
        .addColumn('leave_by', 'text')
        .addColumn('abandoned', 'integer', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('deal_set')
        .addColumn('deal', 'text', (c) => c.primaryKey().references('deal.deal').onDelete('cascade'))
        .addColumn('generation', 'bigint', (c) => c.notNull())
        .addColumn('set_id', 'text')
        .addColumn('dealt', 'text')
        .addColumn('renewed', 'text')
        .execute()
    },
  },
}
