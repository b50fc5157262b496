// The tables of alarms. No name of a file, no secret, nothing of a content.
import type { Migration } from '#database'

export interface AlarmTable {
  readonly id: string
  /** Who watches its cause. */
  readonly source: string
  readonly code: string
  readonly subject: string
  readonly severity: 'notice' | 'warning' | 'alarm'
  /** waiting: its cause has not lasted long enough to ring. */
  readonly state: 'waiting' | 'open' | 'acknowledged' | 'over'
  readonly since_ms: number
  readonly last_ms: number
  /** Since when its cause is gone. */
  readonly calm_ms: number | null
  readonly times: number
  /** JSON of labels. */
  readonly culprits: string
  /** JSON. */
  readonly numbers: string
  readonly stays: number
  readonly acknowledged_by: string | null
  readonly acknowledged_ms: number | null
  readonly note: string
  readonly breach: string | null
  /** When somebody was told of it last. */
  readonly told_ms: number | null
  readonly reminders: number
}

export interface DeliveryTable {
  readonly id: string
  readonly alarm: string | null
  readonly channel: 'mail' | 'webhook'
  readonly recipient: string
  readonly reason: 'began' | 'worse' | 'returned' | 'reminder' | 'over' | 'many' | 'test'
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  readonly created_ms: number
  readonly due_ms: number
  /** Somebody is sending it until then. */
  readonly leased_ms: number
  readonly ended_ms: number | null
  readonly problem: string | null
}

export interface SettingsTable {
  /** Always 1. */
  readonly id: number
  /** JSON. */
  readonly settings: string
}

export interface BreachTable {
  readonly id: string
  readonly code: string
  readonly begun_ms: number
}

/** Only ever added to. */
export interface BreachEntryTable {
  readonly breach: string
  readonly number: number
  readonly at_ms: number
  readonly by_whom: string
  readonly field: string
  readonly text: string
  readonly count: number | null
  readonly time_ms: number | null
  readonly choice: string | null
}

export interface AlarmTables {
  readonly alarms_alarm: AlarmTable
  readonly alarms_delivery: DeliveryTable
  readonly alarms_settings: SettingsTable
  readonly alarms_breach: BreachTable
  readonly alarms_breach_entry: BreachEntryTable
}

export const alarmMigrations: Record<string, Migration> = {
  'alarms-0001-first': {
    up: async (db) => {
      await db.schema
        .createTable('alarms_alarm')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('code', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('severity', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('since_ms', 'bigint', (c) => c.notNull())
        .addColumn('last_ms', 'bigint', (c) => c.notNull())
        .addColumn('calm_ms', 'bigint')
        .addColumn('times', 'bigint', (c) => c.notNull())
        .addColumn('culprits', 'text', (c) => c.notNull())
        .addColumn('numbers', 'text', (c) => c.notNull())
        .addColumn('stays', 'bigint', (c) => c.notNull())
        .addColumn('acknowledged_by', 'text')
        .addColumn('acknowledged_ms', 'bigint')
        .addColumn('note', 'text', (c) => c.notNull())
        .addColumn('breach', 'text')
        .addColumn('told_ms', 'bigint')
        .addColumn('reminders', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('alarms_alarm_state').on('alarms_alarm').columns(['state', 'source']).execute()
      await db.schema.createIndex('alarms_alarm_since').on('alarms_alarm').columns(['since_ms', 'id']).execute()
      await db.schema
        .createTable('alarms_delivery')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('alarm', 'text')
        .addColumn('channel', 'text', (c) => c.notNull())
        .addColumn('recipient', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('attempts', 'bigint', (c) => c.notNull())
        .addColumn('created_ms', 'bigint', (c) => c.notNull())
        .addColumn('due_ms', 'bigint', (c) => c.notNull())
        .addColumn('leased_ms', 'bigint', (c) => c.notNull())
        .addColumn('ended_ms', 'bigint')
        .addColumn('problem', 'text')
        .execute()
      await db.schema.createIndex('alarms_delivery_due').on('alarms_delivery').columns(['state', 'due_ms']).execute()
      await db.schema.createIndex('alarms_delivery_created').on('alarms_delivery').columns(['created_ms', 'id']).execute()
      await db.schema.createIndex('alarms_delivery_alarm').on('alarms_delivery').column('alarm').execute()
      await db.schema
        .createTable('alarms_settings')
        .addColumn('id', 'bigint', (c) => c.primaryKey())
        .addColumn('settings', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('alarms_breach')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('code', 'text', (c) => c.notNull())
        .addColumn('begun_ms', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('alarms_breach_entry')
        .addColumn('breach', 'text', (c) => c.notNull())
        .addColumn('number', 'bigint', (c) => c.notNull())
        .addColumn('at_ms', 'bigint', (c) => c.notNull())
        .addColumn('by_whom', 'text', (c) => c.notNull())
        .addColumn('field', 'text', (c) => c.notNull())
        .addColumn('text', 'text', (c) => c.notNull())
        .addColumn('count', 'bigint')
        .addColumn('time_ms', 'bigint')
        .addColumn('choice', 'text')
        .addPrimaryKeyConstraint('alarms_breach_entry_key', ['breach', 'number'])
        .execute()
    },
  },
}
