// Who is told of what, and when: a message for each recipient, held back at night, one in place of many in a storm.
import { randomBytes } from 'node:crypto'
import { limits } from '#base'
import type { AlarmSettings, Delivery } from '#contract'
import type { AlarmRow, Tx } from './alarm-book.ts'
import { endOfQuiet } from './quiet.ts'
import { readSettings } from './settings.ts'

export interface Enqueued {
  /** Messages that wait now and did not before. */
  count: number
}

const HOUR_MS = 3_600_000

/** In the transaction that changes the alarm, so that neither is there without the other. */
export async function enqueue(
  tx: Tx,
  request: { readonly alarm: AlarmRow; readonly reason: Exclude<Delivery['reason'], 'many' | 'test'>; readonly nowMs: number },
): Promise<Enqueued> {
  const { alarm, reason, nowMs } = request
  if (alarm.severity === 'notice') return { count: 0 }
  const settings = await readSettings(tx)
  const dueMs = alarm.severity === 'warning' ? endOfQuiet(settings.quiet, nowMs) : nowMs
  let count = 0
  for (const { channel, recipient } of recipients(settings, { escalated: reason === 'reminder' })) {
    // Nobody needs to hear that something is over who has not heard yet that it began.
    if (reason === 'over' && (await withdraw(tx, { alarm: alarm.id, channel, recipient }))) continue
    const many = (await sentLately(tx, { channel, recipient, nowMs })) >= limits.alarmMessagesPerHourMax
    if (many && (await isWaiting(tx, { channel, recipient }))) continue
    await tx
      .insertInto('alarms_delivery')
      .values({
        id: randomBytes(16).toString('hex'),
        alarm: many ? null : alarm.id,
        channel,
        recipient,
        reason: many ? 'many' : reason,
        state: 'waiting',
        attempts: 0,
        created_ms: nowMs,
        due_ms: many ? nowMs + HOUR_MS : dueMs,
        leased_ms: 0,
        ended_ms: null,
        problem: null,
      })
      .execute()
    count += 1
  }
  return { count }
}

export function recipients(
  settings: AlarmSettings,
  options: { readonly escalated: boolean },
): readonly { channel: 'mail' | 'webhook'; recipient: string }[] {
  const { mail, webhook } = settings
  const people = mail === null ? [] : [...new Set(options.escalated ? [...mail.to, ...mail.escalateTo] : mail.to)]
  return [
    ...people.map((recipient) => ({ channel: 'mail' as const, recipient })),
    ...(webhook === null ? [] : [{ channel: 'webhook' as const, recipient: new URL(webhook.url).host }]),
  ]
}

async function withdraw(tx: Tx, one: { alarm: string; channel: 'mail' | 'webhook'; recipient: string }): Promise<boolean> {
  const gone = await tx
    .deleteFrom('alarms_delivery')
    .where('alarm', '=', one.alarm)
    .where('channel', '=', one.channel)
    .where('recipient', '=', one.recipient)
    .where('state', '=', 'waiting')
    .where('attempts', '=', 0)
    .where('leased_ms', '=', 0)
    .executeTakeFirst()
  return gone.numDeletedRows > 0n
}

async function sentLately(tx: Tx, one: { channel: 'mail' | 'webhook'; recipient: string; nowMs: number }): Promise<number> {
  const { count } = await tx
    .selectFrom('alarms_delivery')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('channel', '=', one.channel)
    .where('recipient', '=', one.recipient)
    .where('reason', '!=', 'test')
    .where('created_ms', '>', one.nowMs - HOUR_MS)
    .executeTakeFirstOrThrow()
  return count
}

async function isWaiting(tx: Tx, one: { channel: 'mail' | 'webhook'; recipient: string }): Promise<boolean> {
  const found = await tx
    .selectFrom('alarms_delivery')
    .select('id')
    .where('channel', '=', one.channel)
    .where('recipient', '=', one.recipient)
    .where('reason', '=', 'many')
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return found !== undefined
}
