// Messages on their way: leased, tried again for days, and never lost by a restart. Which did not arrive, and why, is always to be seen.
import { randomBytes } from 'node:crypto'
import { type Clock, Failure, limits, rfc3339 } from '#base'
import type { AlarmSettings, Delivery, DeliveryListing, DeliveryQuery, Trial } from '#contract'
import type { Database, Selectable } from '#database'
import { cursor, shown } from './alarm-book.ts'
import { RefusedForGood, sendMail } from './mail.ts'
import { composeMessage, type Message } from './message.ts'
import { recipients } from './outbox-rules.ts'
import type { Secrets } from './secrets.ts'
import { readSettings } from './settings.ts'
import type { AlarmTables, DeliveryTable } from './tables.ts'
import { callWebhook } from './webhook.ts'

type DeliveryRow = Selectable<DeliveryTable>

export interface OutboxOptions {
  readonly db: Database<AlarmTables>
  readonly clock: Clock
  readonly secrets: Secrets
  /** For tests: instead of `limits.alarmSendMs`. */
  readonly sendMs?: number | undefined
}

const FIRST_RETRY_MS = 30_000
const RETRY_MS_MAX = 3_600_000
const GIVE_UP_MS = 3 * 86_400_000
const LEASE_MS = 300_000
const BATCH = 10
const PAGE = 50

export class Outbox {
  readonly #options: OutboxOptions

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** One process has a home: what was on its way when the last one died is on nobody's way now. */
  async recover(): Promise<void> {
    await this.#options.db.kysely
      .updateTable('alarms_delivery')
      .set({ leased_ms: 0 })
      .where('state', '=', 'waiting')
      .where('leased_ms', '>', 0)
      .execute()
  }

  /** Sends what is due now. Answers when the next message is due; undefined when none waits. Throws only when the signal aborts. */
  async deliverDue(signal: AbortSignal): Promise<number | undefined> {
    const { db, clock } = this.#options
    for (;;) {
      const rows = await this.#lease()
      if (rows.length === 0) break
      await Promise.all(rows.map((row) => this.#deliver(row, signal)))
      if (signal.aborted) throw new Failure('base.cancelled')
    }
    await this.#forgetOldest()
    const next = await db.kysely
      .selectFrom('alarms_delivery')
      .select((eb) => eb.fn.min<number | null>('due_ms').as('due'))
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow()
    return next.due === null ? undefined : Math.max(next.due, clock.now())
  }

  async #lease(): Promise<readonly DeliveryRow[]> {
    const { db, clock } = this.#options
    const nowMs = clock.now()
    return db.transaction(async (tx) => {
      const rows = await tx
        .selectFrom('alarms_delivery')
        .selectAll()
        .where('state', '=', 'waiting')
        .where('due_ms', '<=', nowMs)
        .where('leased_ms', '<=', nowMs)
        .orderBy('due_ms')
        .limit(BATCH)
        .execute()
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0)
        await tx
          .updateTable('alarms_delivery')
          .set({ leased_ms: nowMs + LEASE_MS })
          .where('id', 'in', ids)
          .execute()
      return rows
    })
  }

  async #deliver(row: DeliveryRow, signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#options
    const settings = await readSettings(db.kysely)
    let failure: Failure | undefined
    try {
      await this.#send(settings, row, await this.#compose(row, settings), signal)
    } catch (error) {
      failure = error instanceof Failure ? error : new Failure('alarms.delivery', { cause: error })
      if (signal.aborted) {
        await db.kysely.updateTable('alarms_delivery').set({ leased_ms: 0 }).where('id', '=', row.id).execute()
        return
      }
    }
    const nowMs = clock.now()
    const attempts = row.attempts + 1
    const over = failure === undefined || failure instanceof RefusedForGood || nowMs - row.created_ms >= GIVE_UP_MS
    await db.kysely
      .updateTable('alarms_delivery')
      .set({
        attempts,
        leased_ms: 0,
        problem: failure?.message ?? null,
        state: failure === undefined ? 'delivered' : over ? 'failed' : 'waiting',
        ended_ms: over ? nowMs : null,
        due_ms: nowMs + Math.min(RETRY_MS_MAX, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 10)),
      })
      .where('id', '=', row.id)
      .execute()
  }

  async #compose(row: DeliveryRow, settings: AlarmSettings): Promise<Message> {
    const { db, clock } = this.#options
    const found =
      row.alarm === null ? undefined : await db.kysely.selectFrom('alarms_alarm').selectAll().where('id', '=', row.alarm).executeTakeFirst()
    const { open } = await db.kysely
      .selectFrom('alarms_alarm')
      .select((eb) => eb.fn.countAll<number>().as('open'))
      .where('state', '=', 'open')
      .executeTakeFirstOrThrow()
    return composeMessage({
      id: row.id,
      reason: row.reason,
      alarm: found === undefined ? undefined : shown(found, 0),
      open,
      settings,
      sent: rfc3339(clock.now()),
    })
  }

  async #send(
    settings: AlarmSettings,
    row: Pick<DeliveryRow, 'channel' | 'recipient'>,
    message: Message,
    signal: AbortSignal,
  ): Promise<void> {
    const { secrets, clock, sendMs } = this.#options
    const given = { secrets, signal, nowMs: clock.now(), ...(sendMs === undefined ? {} : { timeoutMs: sendMs }) }
    const { mail, webhook } = settings
    const known = recipients(settings, { escalated: true }).some(
      ({ channel, recipient }) => channel === row.channel && recipient === row.recipient,
    )
    if (!known) throw new RefusedForGood('alarms.delivery', { detail: 'Nobody of this address is to be told any more.' })
    if (row.channel === 'mail' && mail !== null) await sendMail(mail, { to: row.recipient, message }, given)
    if (row.channel === 'webhook' && webhook !== null) await callWebhook(webhook, message, given)
  }

  /** A trial for everybody on a channel, now; kept in the list like any other message. */
  async try(channel: 'mail' | 'webhook', signal: AbortSignal): Promise<Trial> {
    const { db, clock } = this.#options
    const settings = await readSettings(db.kysely)
    const people = recipients(settings, { escalated: true }).filter((one) => one.channel === channel)
    if (people.length === 0)
      throw new Failure('alarms.settings', { detail: 'Nobody is to be told by this way yet.', next: 'Save the settings first.' })
    const results: Trial['results'] = []
    for (const { recipient } of people) {
      const id = randomBytes(16).toString('hex')
      const row = { id, alarm: null, channel, recipient, reason: 'test' as const }
      const failure = await this.#send(
        settings,
        row,
        await this.#compose({ ...row, ...UNTRIED, created_ms: clock.now() }, settings),
        signal,
      ).then(
        () => undefined,
        (error: unknown) => (error instanceof Failure ? error : new Failure('alarms.delivery', { cause: error })),
      )
      const nowMs = clock.now()
      const problem = failure === undefined ? null : [failure.message, failure.next].filter(Boolean).join(' ')
      await db.kysely
        .insertInto('alarms_delivery')
        .values({
          ...row,
          ...UNTRIED,
          attempts: 1,
          state: failure === undefined ? 'delivered' : 'failed',
          created_ms: nowMs,
          due_ms: nowMs,
          ended_ms: nowMs,
          problem,
        })
        .execute()
      results.push({ to: recipient, delivered: failure === undefined, problem })
    }
    return { results }
  }

  async list(query: DeliveryQuery): Promise<DeliveryListing> {
    const { state = 'all', limit = PAGE } = query
    const [afterMs, afterId] = cursor(query.after)
    const rows = await this.#options.db.kysely
      .selectFrom('alarms_delivery')
      .leftJoin('alarms_alarm', 'alarms_alarm.id', 'alarms_delivery.alarm')
      .selectAll('alarms_delivery')
      .select('alarms_alarm.code as code')
      .where('alarms_delivery.state', 'in', state === 'all' ? ['waiting', 'delivered', 'failed'] : [state])
      .where((eb) =>
        eb.or([eb('created_ms', '<', afterMs), eb.and([eb('created_ms', '=', afterMs), eb('alarms_delivery.id', '<', afterId)])]),
      )
      .orderBy('created_ms', 'desc')
      .orderBy('alarms_delivery.id', 'desc')
      .limit(limit + 1)
      .execute()
    const page = rows.slice(0, limit)
    const lastRow = page.at(-1)
    return {
      deliveries: page.map((row) => ({ ...deliveryOf(row), code: row.code })),
      next: rows.length > limit && lastRow !== undefined ? `${lastRow.created_ms}-${lastRow.id}` : null,
    }
  }

  /** Of the last day. */
  async troubles(nowMs: number): Promise<{ readonly waiting: number; readonly failed: number }> {
    const rows = await this.#options.db.kysely
      .selectFrom('alarms_delivery')
      .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
      .where('state', 'in', ['waiting', 'failed'])
      .where('reason', '!=', 'test')
      .where('attempts', '>', 0)
      .where('created_ms', '>', nowMs - GIVE_UP_MS - 86_400_000)
      .groupBy('state')
      .execute()
    const countOf = (state: string): number => rows.find((row) => row.state === state)?.count ?? 0
    return { waiting: countOf('waiting'), failed: countOf('failed') }
  }

  async #forgetOldest(): Promise<void> {
    const { db } = this.#options
    const { count } = await db.kysely
      .selectFrom('alarms_delivery')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '!=', 'waiting')
      .executeTakeFirstOrThrow()
    if (count <= limits.alarmDeliveriesKeptMax) return
    const oldest = await db.kysely
      .selectFrom('alarms_delivery')
      .select('id')
      .where('state', '!=', 'waiting')
      .orderBy('created_ms')
      .limit(Math.min(1000, count - limits.alarmDeliveriesKeptMax))
      .execute()
    await db.kysely
      .deleteFrom('alarms_delivery')
      .where(
        'id',
        'in',
        oldest.map(({ id }) => id),
      )
      .execute()
  }
}

const UNTRIED = { state: 'waiting', attempts: 0, created_ms: 0, due_ms: 0, leased_ms: 0, ended_ms: null, problem: null } as const

function deliveryOf(row: DeliveryRow): Omit<Delivery, 'code'> {
  return {
    id: row.id,
    alarm: row.alarm,
    channel: row.channel,
    to: row.recipient,
    reason: row.reason,
    state: row.state,
    attempts: row.attempts,
    created: rfc3339(row.created_ms),
    due: row.state === 'waiting' ? rfc3339(row.due_ms) : null,
    ended: row.ended_ms === null ? null : rfc3339(row.ended_ms),
    problem: row.problem,
  }
}
