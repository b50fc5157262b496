// Alarms over a database in memory, with a clock that stands still until the test moves it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, type Clock } from '#base'
import { alarmMigrations, type AlarmTables, type Alarms, type Condition, openAlarms } from '#alarms'
import type { AlarmSettings } from '#contract'
import { type Database, type DatabasePlace, openDatabase } from '#database'
import { Outbox } from '../../src/alarms/outbox.ts'
import { createSecrets } from '../../src/alarms/secrets.ts'

export const NOON = Date.UTC(2026, 10, 20, 12)
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

export interface StillClock extends Clock {
  ms: number
}

export function stillClock(ms = NOON): StillClock {
  const clock: StillClock = {
    ms,
    now: () => clock.ms,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        const cancel = (): void => reject(new Failure('base.cancelled'))
        if (signal?.aborted === true) cancel()
        else signal?.addEventListener('abort', cancel, { once: true })
      }),
  }
  return clock
}

export interface Room {
  readonly alarms: Alarms
  readonly db: Database<AlarmTables>
  readonly clock: StillClock
  readonly outbox: Outbox
  readonly warned: object[]
  /** Writes a file that settings may name. */
  secret(name: string, text: string): Promise<void>
  /** Sends what is due now. */
  send(): Promise<number | undefined>
  [Symbol.asyncDispose](): Promise<void>
}

export async function room(
  options: { readonly place?: DatabasePlace; readonly clock?: StillClock; readonly sendMs?: number } = {},
): Promise<Room> {
  const clock = options.clock ?? stillClock()
  const folder = await mkdtemp(join(tmpdir(), 'quorate-alarms-'))
  const db = await openDatabase<AlarmTables>({ ...(options.place ?? { file: ':memory:' }), migrations: alarmMigrations })
  const warned: object[] = []
  const log = { warn: (fields: object, message: string) => void warned.push({ ...fields, message }) }
  const sendMs = options.sendMs ?? 5000
  const alarms = openAlarms({ db, clock, secretsFolder: folder, log, sendMs })
  const outbox = new Outbox({ db, clock, secrets: createSecrets(folder), sendMs })
  return {
    alarms,
    db,
    clock,
    outbox,
    warned,
    secret: (name, text) => writeFile(join(folder, name), text, { mode: 0o600 }),
    send: () => outbox.deliverDue(new AbortController().signal),
    async [Symbol.asyncDispose]() {
      await alarms.close()
      await db.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const SETTINGS: AlarmSettings = {
  unreachableMinutes: 10,
  repairHours: 24,
  diskPercent: 5,
  language: 'en',
  link: 'https://vault.hospital.example/#/alarms',
  quiet: null,
  reminderHours: 4,
  mail: null,
  webhook: null,
}

export function mailSettings(port: number, more: Partial<NonNullable<AlarmSettings['mail']>> = {}): NonNullable<AlarmSettings['mail']> {
  return {
    host: '127.0.0.1',
    port,
    security: 'none',
    user: null,
    passwordFile: null,
    authorityFile: null,
    from: 'vault@hospital.example',
    to: ['it@hospital.example'],
    escalateTo: [],
    ...more,
  }
}

export function condition(more: Partial<Condition> = {}): Condition {
  return { code: 'location.not-ours', subject: 'a', severity: 'alarm', culprits: ['West'], numbers: {}, ...more }
}
