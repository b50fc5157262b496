// The tables of the vault's health: when what is checked, since when what is damaged, what was measured, what people say of their locations.
// R1: counts, sizes and times only; nothing here is a function of contents.
import type { Migration } from '#database'

/** One depth of checking: how often all is gone through, and how far the present pass came. */
export interface ScrubPassTable {
  /** `locks` is no check, but the renewal of locks, which goes through everything in the same way. */
  readonly depth: 'present' | 'tags' | 'full' | 'locks'
  readonly every_ms: number
  readonly enabled: number
  /** Where the next slice goes on; null = no pass is under way. */
  readonly cursor: string | null
  readonly began: number | null
  /** End of the last whole pass. */
  readonly finished: number | null
  readonly checked_fragments: number
  readonly checked_bytes: number
  readonly findings: number
}

/** JSON by name: limits of checking, automatic repair. */
export interface HealthSettingTable {
  readonly name: string
  readonly value: string
}

/** Since when a fragment is not as it should be; kept in step with the fragments' states by health-debt.ts. */
export interface WoundTable {
  readonly deal: string
  readonly x: number
  readonly since: number
}

export interface HealthSampleTable {
  /** Milliseconds; the beginning of its hour or, once thinned, of its day. */
  readonly at: number
  readonly files: number
  readonly held: number
  readonly lost: number
  readonly corrupt: number
  readonly pending: number
  readonly debt_bytes: number
  /** Milliseconds that the oldest damage had lasted; 0 without any. */
  readonly debt_age: number
  readonly without_redundancy: number
  readonly unreadable: number
  readonly away: number
  /** Thousandths of the present or last pass. */
  readonly covered_present: number
  readonly covered_tags: number
  readonly covered_full: number
}

/** What was asked of one location on one day (UTC). */
export interface UsageTable {
  readonly location: string
  readonly day: string
  readonly puts: number
  readonly gets: number
  readonly errors: number
  readonly bytes_in: number
  readonly bytes_out: number
  /** JSON: calls by duration, bounds in health-usage.ts. */
  readonly latency: string
}

/** JSON: provider, region, jurisdiction, price and so on, as people state them. */
export interface TraitsTable {
  readonly location: string
  readonly traits: string
}

/** A name that a location would not let go, and when it is asked for again. */
export interface KeptNameTable {
  readonly location: string
  readonly name: string
  readonly since: number
  readonly tries: number
  readonly next_try: number
  readonly answer: 'kept' | 'denied'
}

export interface HealthTables {
  readonly scrub_pass: ScrubPassTable
  readonly health_setting: HealthSettingTable
  readonly wound: WoundTable
  readonly health_sample: HealthSampleTable
  readonly location_usage: UsageTable
  readonly location_traits: TraitsTable
  readonly kept_name: KeptNameTable
}

export const healthMigrations: Record<string, Migration> = {
  'storage-health-0001': {
    up: async (db) => {
      await db.schema
        .createTable('scrub_pass')
        .addColumn('depth', 'text', (c) => c.primaryKey())
        .addColumn('every_ms', 'bigint', (c) => c.notNull())
        .addColumn('enabled', 'integer', (c) => c.notNull())
        .addColumn('cursor', 'text')
        .addColumn('began', 'bigint')
        .addColumn('finished', 'bigint')
        .addColumn('checked_fragments', 'bigint', (c) => c.notNull())
        .addColumn('checked_bytes', 'bigint', (c) => c.notNull())
        .addColumn('findings', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('health_setting')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('wound')
        .addColumn('deal', 'text', (c) => c.notNull())
        .addColumn('x', 'integer', (c) => c.notNull())
        .addColumn('since', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('wound_key', ['deal', 'x'])
        .execute()
      let sample = db.schema.createTable('health_sample').addColumn('at', 'bigint', (c) => c.primaryKey())
      for (const name of [
        'files',
        'held',
        'lost',
        'corrupt',
        'pending',
        'debt_bytes',
        'debt_age',
        'without_redundancy',
        'unreadable',
        'away',
        'covered_present',
        'covered_tags',
        'covered_full',
      ])
        sample = sample.addColumn(name, 'bigint', (c) => c.notNull())
      await sample.execute()
      await db.schema
        .createTable('location_usage')
        .addColumn('location', 'text', (c) => c.notNull())
        .addColumn('day', 'text', (c) => c.notNull())
        .addColumn('puts', 'bigint', (c) => c.notNull())
        .addColumn('gets', 'bigint', (c) => c.notNull())
        .addColumn('errors', 'bigint', (c) => c.notNull())
        .addColumn('bytes_in', 'bigint', (c) => c.notNull())
        .addColumn('bytes_out', 'bigint', (c) => c.notNull())
        .addColumn('latency', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('location_usage_key', ['location', 'day'])
        .execute()
      await db.schema
        .createTable('location_traits')
        .addColumn('location', 'text', (c) => c.primaryKey())
        .addColumn('traits', 'text', (c) => c.notNull())
        .execute()
    },
  },
  'storage-health-0002-kept': {
    up: async (db) => {
      await db.schema
        .createTable('kept_name')
        .addColumn('location', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('since', 'bigint', (c) => c.notNull())
        .addColumn('tries', 'bigint', (c) => c.notNull())
        .addColumn('next_try', 'bigint', (c) => c.notNull())
        .addColumn('answer', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('kept_name_key', ['location', 'name'])
        .execute()
    },
  },
}
