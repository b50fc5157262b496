// What the trials of the locations found, and when.
// R1: times and rates only.
import type { Migration } from '#database'

export interface LocationProbeTable {
  readonly location: string
  /** Milliseconds; the end of the last trial. */
  readonly at: number
  /** Bytes per second with an object of 1 MiB; null where it was not measured, since what is written there stays. */
  readonly up: number | null
  readonly down: number | null
  /** JSON: promises that it kept at an earlier trial and keeps no longer. Until a person tries it and it keeps them. */
  readonly lost: string
}

export interface ProbeTables {
  readonly location_probe: LocationProbeTable
}

export const probeMigrations: Record<string, Migration> = {
  'storage-probe-0001': {
    up: async (db) => {
      await db.schema
        .createTable('location_probe')
        .addColumn('location', 'text', (c) => c.primaryKey().references('location.location').onDelete('cascade'))
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('up', 'bigint')
        .addColumn('down', 'bigint')
        .addColumn('lost', 'text', (c) => c.notNull())
        .execute()
    },
  },
}
