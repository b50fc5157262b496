// The face of alarms: causes come in from whoever watches them, people are told, and what they did about it is kept.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, Failure, isFailure, limits } from '#base'
import type {
  Alarm,
  AlarmListing,
  AlarmQuery,
  AlarmSettings,
  Breach,
  BreachEntryRequest,
  BreachListing,
  DeliveryListing,
  DeliveryQuery,
  Trial,
} from '#contract'
import type { Database } from '#database'
import { acknowledge, listAlarms, reconcile, ring, tick } from './alarm-book.ts'
import { addToBreach, beginByPerson, listBreaches, readBreach, undecided } from './breach-book.ts'
import { keyOf, type Condition } from './condition.ts'
import { Outbox } from './outbox.ts'
import { createSecrets } from './secrets.ts'
import { readSettings, writeSettings } from './settings.ts'
import type { AlarmTables } from './tables.ts'

export type { Condition } from './condition.ts'
export { alarmMigrations, type AlarmTables } from './tables.ts'

export interface AlarmLog {
  warn(fields: object, message: string): void
}

export interface AlarmOptions {
  readonly db: Database<AlarmTables>
  readonly clock: Clock
  /** Where the files of passwords and keys lie. */
  readonly secretsFolder: string
  readonly log: AlarmLog
  /** For tests: how long one message may take. */
  readonly sendMs?: number | undefined
}

export interface Alarms {
  /** All causes that this source knows of now. What it named before and does not name now is gone. */
  observe(source: string, conditions: readonly Condition[]): Promise<void>
  /** Something that happened. Never waits and never throws: a storm of them becomes few rows. */
  ring(condition: Condition): void
  /** Resolves when everything that rang before is written down. */
  settled(): Promise<void>
  list(query: AlarmQuery): Promise<AlarmListing>
  acknowledge(request: { readonly id: string; readonly by: string; readonly note: string }): Promise<Alarm>
  settings(): Promise<AlarmSettings>
  setSettings(settings: AlarmSettings): Promise<AlarmSettings>
  deliveries(query: DeliveryQuery): Promise<DeliveryListing>
  try(channel: 'mail' | 'webhook'): Promise<Trial>
  breaches(): Promise<BreachListing>
  breach(id: string): Promise<Breach>
  beginBreach(request: { readonly text: string; readonly by: string }): Promise<Breach>
  addToBreach(request: BreachEntryRequest & { readonly id: string; readonly by: string }): Promise<Breach>
  /** One look at what only time does; `run` looks by itself. */
  look(): Promise<void>
  /** Looks after time and sends messages until the room is closed: for a site that runs, not for a single command. */
  run(): void
  close(): Promise<void>
}

const EVENTS = 'events'
const HOUSE = 'alarms'
const TICK_MS = 30_000
const HOUR_MS = 3_600_000
/** A record without a decision rings when so much of its time is left. */
const DUE_HOURS = 24

export function openAlarms({ db, clock, secretsFolder, log, sendMs }: AlarmOptions): Alarms {
  const outbox = new Outbox({ db, clock, secrets: createSecrets(secretsFolder), sendMs })
  const stop = new AbortController()
  const rung = new Map<string, Condition>()
  /** Whoever rings may be in the middle of a transaction; what is written here is one of its own, after that. */
  const outside = AsyncLocalStorage.snapshot()
  let writing: Promise<void> | undefined
  let wake = (): void => {}
  let trying = false
  let running: Promise<unknown> = Promise.resolve()

  /** Whether it was done. */
  const guarded = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      if (stop.signal.aborted) return false
      log.warn(
        { code: isFailure(error) ? error.code : 'base.internal', name: error instanceof Error ? error.name : '' },
        'alarms could not be written down; it is tried again',
      )
      return false
    }
  }

  /** Everything that rang meanwhile in one transaction. What cannot be written stays for the next time. */
  const writeRung = async (): Promise<void> => {
    while (rung.size > 0) {
      const batch = [...rung.values()]
      rung.clear()
      try {
        await db.transaction((tx) => ring(tx, { source: EVENTS, conditions: batch, nowMs: clock.now() }))
      } catch (error) {
        for (const one of batch) keep(one)
        throw error
      }
      wake()
    }
  }

  const startWriting = (): void => {
    writing ??= guarded(writeRung).then((done) => {
      writing = undefined
      // What rang between the last look and this moment; what could not be written waits for the next tick.
      if (done && rung.size > 0) startWriting()
    })
  }

  const keep = (condition: Condition): void => {
    const full = rung.size >= limits.alarmsRungMax && !rung.has(keyOf(condition))
    const one: Condition = full ? { ...condition, subject: '', culprits: [], numbers: { count: 1 } } : condition
    const before = rung.get(keyOf(one))
    const numbers = Object.fromEntries(Object.entries(one.numbers).map(([name, value]) => [name, value + (before?.numbers[name] ?? 0)]))
    rung.set(keyOf(one), { ...one, numbers })
  }

  /** What is being written, and what rang meanwhile: that goes into the same turn. */
  const written = async (): Promise<void> => writing

  const look = async (): Promise<void> => {
    await writeRung()
    const nowMs = clock.now()
    const { reminderHours } = await readSettings(db.kysely)
    await db.transaction((tx) => tick(tx, { source: EVENTS, reminderMs: reminderHours * HOUR_MS, nowMs }))
    const troubles = await outbox.troubles(nowMs)
    const due = (await undecided(db)).filter(({ deadlineMs }) => deadlineMs - nowMs <= DUE_HOURS * HOUR_MS)
    const conditions: Condition[] = due.map(({ id, deadlineMs }) => ({
      code: 'alarms.breach-due',
      subject: id,
      severity: 'alarm',
      culprits: [],
      numbers: { hours: Math.floor((deadlineMs - nowMs) / HOUR_MS) },
    }))
    if (troubles.waiting + troubles.failed > 0)
      conditions.push({ code: 'alarms.delivery', subject: '', severity: 'notice', culprits: [], numbers: { ...troubles } })
    await db.transaction((tx) => reconcile(tx, { source: HOUSE, conditions, nowMs }))
  }

  const keepLooking = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await guarded(look)
      await clock.sleep(TICK_MS, stop.signal).catch(() => undefined)
    }
  }

  const keepSending = async (): Promise<void> => {
    await guarded(() => outbox.recover())
    while (!stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      let due: number | undefined
      await guarded(async () => {
        due = await outbox.deliverDue(stop.signal)
      })
      const pauseMs = due === undefined ? TICK_MS : Math.min(TICK_MS, Math.max(250, due - clock.now()))
      await Promise.race([woken, clock.sleep(pauseMs, stop.signal).catch(() => undefined)])
    }
  }

  return {
    async observe(source, conditions) {
      await db.transaction((tx) => reconcile(tx, { source, conditions, nowMs: clock.now() }))
      wake()
    },
    ring(condition) {
      keep(condition)
      outside(startWriting)
    },
    settled: () => written(),
    list: (query) => listAlarms(db, query),
    acknowledge: (request) => acknowledge(db, { ...request, nowMs: clock.now() }),
    settings: () => readSettings(db.kysely),
    async setSettings(settings) {
      await writeSettings(db.kysely, settings)
      wake()
      return settings
    },
    deliveries: (query) => outbox.list(query),
    async try(channel) {
      if (trying) throw new Failure('api.busy', { detail: 'A trial is under way.' })
      trying = true
      try {
        return await outbox.try(channel, stop.signal)
      } finally {
        trying = false
      }
    },
    breaches: () => listBreaches(db),
    breach: (id) => readBreach(db, id),
    beginBreach: (request) => beginByPerson(db, { ...request, nowMs: clock.now() }),
    addToBreach: (request) => addToBreach(db, { ...request, nowMs: clock.now() }),
    look,
    run() {
      running = Promise.all([keepLooking(), keepSending()])
    },
    async close() {
      stop.abort()
      wake()
      await running
      await written()
      await writeRung().catch(() => undefined)
    },
  }
}
