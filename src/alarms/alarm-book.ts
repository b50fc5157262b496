// Which alarms there are: causes come, last, go and come back; each is one row, however often it is told.
import { randomBytes } from 'node:crypto'
import { Failure, limits, rfc3339 } from '#base'
import type { Alarm, AlarmListing, AlarmQuery } from '#contract'
import type { Database, Selectable, Transaction } from '#database'
import { beginOrJoin } from './breach-book.ts'
import { condensed, gravity, keyOf, type Condition } from './condition.ts'
import { enqueue, type Enqueued } from './outbox-rules.ts'
import type { AlarmTable, AlarmTables } from './tables.ts'
import { alarmWords } from './words.ts'

export type AlarmRow = Selectable<AlarmTable>
export type Tx = Transaction<AlarmTables>

/** A cause must be gone for so long before its alarm is over: what flickers is one alarm. */
const CALM_MS = 600_000
/** One that comes back within so long is the same again. */
const RETURN_MS = 3_600_000
/** A row is written again for a cause that merely lasts at most this often. */
const LAST_EVERY_MS = 60_000
const REMINDER_AGAIN_MS = 86_400_000
const REMINDERS_MAX = 10
const PAGE = 50
const ACTIVE = ['open', 'acknowledged'] as const

/** All causes that a source knows of now: those that it does not name any more are gone. Answers what is to be told. */
export async function reconcile(
  tx: Tx,
  request: { readonly source: string; readonly conditions: readonly Condition[]; readonly nowMs: number },
): Promise<Enqueued> {
  const { source, nowMs } = request
  const rows = await tx
    .selectFrom('alarms_alarm')
    .selectAll()
    .where('source', '=', source)
    .where('state', 'in', ['waiting', ...ACTIVE])
    .execute()
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  const news: Enqueued = { count: 0 }
  const conditions = condensed(request.conditions)
  for (const condition of conditions) {
    const row = byKey.get(keyOf(condition))
    byKey.delete(keyOf(condition))
    add(news, row === undefined ? await begin(tx, source, condition, nowMs) : await last(tx, row, condition, nowMs))
  }
  for (const row of byKey.values()) add(news, await calm(tx, row, nowMs))
  return news
}

/** Something that happened at one moment. It is over by itself, unless it stays until somebody has seen it. */
export async function ring(
  tx: Tx,
  request: { readonly source: string; readonly conditions: readonly Condition[]; readonly nowMs: number },
): Promise<Enqueued> {
  const { source, nowMs } = request
  const news: Enqueued = { count: 0 }
  for (const condition of condensed(request.conditions)) {
    const row = await tx
      .selectFrom('alarms_alarm')
      .selectAll()
      .where('source', '=', source)
      .where('code', '=', condition.code)
      .where('subject', '=', condition.subject)
      .where('state', 'in', [...ACTIVE])
      .executeTakeFirst()
    if (row === undefined) add(news, await begin(tx, source, { ...condition, delayMs: undefined }, nowMs, nowMs))
    else {
      const summed = Object.fromEntries(
        Object.entries(condition.numbers).map(([name, value]) => [name, value + (numbersOf(row)[name] ?? 0)]),
      )
      add(news, await last(tx, row, { ...condition, numbers: summed }, nowMs))
      await tx.updateTable('alarms_alarm').set({ calm_ms: nowMs }).where('id', '=', row.id).execute()
    }
  }
  return news
}

/** What only time does: alarms that calmed down are over, those that nobody has seen are told again. */
export async function tick(
  tx: Tx,
  request: { readonly source: string; readonly reminderMs: number; readonly nowMs: number },
): Promise<Enqueued> {
  const { nowMs, reminderMs } = request
  const news: Enqueued = { count: 0 }
  const rung = await tx
    .selectFrom('alarms_alarm')
    .selectAll()
    .where('source', '=', request.source)
    .where('state', 'in', [...ACTIVE])
    .execute()
  for (const row of rung) add(news, await calm(tx, row, nowMs))
  if (reminderMs === 0) return news
  const unseen = await tx
    .selectFrom('alarms_alarm')
    .selectAll()
    .where('state', '=', 'open')
    .where('severity', '=', 'alarm')
    .where('reminders', '<', REMINDERS_MAX)
    .where('told_ms', '<=', nowMs - Math.min(reminderMs, REMINDER_AGAIN_MS))
    .execute()
  for (const row of unseen) {
    if (nowMs - row.told_ms! < (row.reminders === 0 ? reminderMs : REMINDER_AGAIN_MS)) continue
    await tx
      .updateTable('alarms_alarm')
      .set({ reminders: row.reminders + 1, told_ms: nowMs })
      .where('id', '=', row.id)
      .execute()
    add(news, await enqueue(tx, { alarm: row, reason: 'reminder', nowMs }))
  }
  return news
}

async function begin(tx: Tx, source: string, condition: Condition, nowMs: number, calmMs: number | null = null): Promise<Enqueued> {
  const { code, subject, severity, delayMs = 0 } = condition
  const before = await tx
    .selectFrom('alarms_alarm')
    .selectAll()
    .where('source', '=', source)
    .where('code', '=', code)
    .where('subject', '=', subject)
    .where('state', '=', 'over')
    .where('calm_ms', '>', nowMs - RETURN_MS)
    .orderBy('calm_ms', 'desc')
    .executeTakeFirst()
  const seen = {
    severity,
    last_ms: nowMs,
    calm_ms: calmMs,
    culprits: JSON.stringify(condition.culprits),
    numbers: JSON.stringify(condition.numbers),
  }
  if (before !== undefined) {
    const row = {
      ...before,
      ...seen,
      state: 'open' as const,
      times: before.times + 1,
      acknowledged_by: null,
      acknowledged_ms: null,
      note: '',
      reminders: 0,
    }
    const { id, ...values } = row
    const told = before.told_ms === null || nowMs - before.told_ms >= RETURN_MS || gravity(severity) > gravity(before.severity)
    await tx
      .updateTable('alarms_alarm')
      .set({ ...values, told_ms: told ? nowMs : before.told_ms })
      .where('id', '=', id)
      .execute()
    return told ? enqueue(tx, { alarm: row, reason: 'returned', nowMs }) : { count: 0 }
  }
  const sinceMs = Math.min(condition.sinceMs ?? nowMs, nowMs)
  const row: AlarmRow = {
    id: randomBytes(16).toString('hex'),
    source,
    code,
    subject,
    ...seen,
    state: 'waiting',
    since_ms: sinceMs,
    times: 1,
    stays: condition.stays === true ? 1 : 0,
    acknowledged_by: null,
    acknowledged_ms: null,
    note: '',
    breach: null,
    told_ms: null,
    reminders: 0,
  }
  await tx.insertInto('alarms_alarm').values(row).execute()
  return nowMs - sinceMs < delayMs ? { count: 0 } : open(tx, row, condition, nowMs)
}

/** From now on people are to know. */
async function open(tx: Tx, row: AlarmRow, condition: Condition, nowMs: number): Promise<Enqueued> {
  const breach = condition.breach === true ? await beginOrJoin(tx, { alarm: row, condition, nowMs }) : row.breach
  const opened: AlarmRow = { ...row, state: 'open', breach, told_ms: nowMs }
  await tx.updateTable('alarms_alarm').set({ state: 'open', breach, told_ms: nowMs }).where('id', '=', row.id).execute()
  return enqueue(tx, { alarm: opened, reason: 'began', nowMs })
}

async function last(tx: Tx, row: AlarmRow, condition: Condition, nowMs: number): Promise<Enqueued> {
  const { delayMs = 0 } = condition
  const [culprits, numbers] = [JSON.stringify(condition.culprits), JSON.stringify(condition.numbers)]
  const worse = gravity(condition.severity) > gravity(row.severity)
  const changed = culprits !== row.culprits || numbers !== row.numbers || condition.severity !== row.severity || row.calm_ms !== null
  if (changed || nowMs - row.last_ms >= LAST_EVERY_MS)
    await tx
      .updateTable('alarms_alarm')
      .set({ culprits, numbers, severity: condition.severity, last_ms: nowMs, calm_ms: null })
      .where('id', '=', row.id)
      .execute()
  const now: AlarmRow = { ...row, culprits, numbers, severity: condition.severity, last_ms: nowMs, calm_ms: null }
  if (row.state === 'waiting') return nowMs - row.since_ms < delayMs ? { count: 0 } : open(tx, now, condition, nowMs)
  if (!worse) return { count: 0 }
  await tx.updateTable('alarms_alarm').set({ state: 'open', told_ms: nowMs, reminders: 0 }).where('id', '=', row.id).execute()
  return enqueue(tx, { alarm: { ...now, state: 'open' }, reason: 'worse', nowMs })
}

/** Its cause is not there now. */
async function calm(tx: Tx, row: AlarmRow, nowMs: number): Promise<Enqueued> {
  if (row.state === 'waiting') {
    await tx.deleteFrom('alarms_alarm').where('id', '=', row.id).execute()
    return { count: 0 }
  }
  if (row.calm_ms === null) {
    await tx.updateTable('alarms_alarm').set({ calm_ms: nowMs }).where('id', '=', row.id).execute()
    return { count: 0 }
  }
  const unseen = row.stays === 1 && row.state === 'open'
  if (nowMs - row.calm_ms < CALM_MS || unseen) return { count: 0 }
  await tx.updateTable('alarms_alarm').set({ state: 'over' }).where('id', '=', row.id).execute()
  await forgetOldest(tx)
  return enqueue(tx, { alarm: { ...row, state: 'over' }, reason: 'over', nowMs })
}

/** What is over is kept in a bounded number; what belongs to a breach is kept. */
async function forgetOldest(tx: Tx): Promise<void> {
  const { count } = await tx
    .selectFrom('alarms_alarm')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'over')
    .executeTakeFirstOrThrow()
  if (count <= limits.alarmsKeptMax) return
  const oldest = await tx
    .selectFrom('alarms_alarm')
    .select('id')
    .where('state', '=', 'over')
    .where('breach', 'is', null)
    .orderBy('last_ms')
    .limit(count - limits.alarmsKeptMax)
    .execute()
  const ids = oldest.map(({ id }) => id)
  if (ids.length === 0) return
  await tx.deleteFrom('alarms_delivery').where('alarm', 'in', ids).execute()
  await tx.deleteFrom('alarms_alarm').where('id', 'in', ids).execute()
}

export async function acknowledge(
  db: Database<AlarmTables>,
  request: { readonly id: string; readonly by: string; readonly note: string; readonly nowMs: number },
): Promise<Alarm> {
  return db.transaction(async (tx) => {
    const row = await tx
      .selectFrom('alarms_alarm')
      .selectAll()
      .where('id', '=', request.id)
      .where('state', '!=', 'waiting')
      .executeTakeFirst()
    if (row === undefined) throw new Failure('alarms.absent')
    const values = {
      state: row.state === 'open' ? ('acknowledged' as const) : row.state,
      acknowledged_by: request.by,
      acknowledged_ms: request.nowMs,
      note: request.note,
    }
    await tx.updateTable('alarms_alarm').set(values).where('id', '=', row.id).execute()
    return shown({ ...row, ...values }, (await undeliveredOf(tx, [row.id])).get(row.id) ?? 0)
  })
}

export async function listAlarms(db: Database<AlarmTables>, query: AlarmQuery): Promise<AlarmListing> {
  const { state = 'active', limit = PAGE, after } = query
  const [afterMs, afterId] = cursor(after)
  const rows = await db.kysely
    .selectFrom('alarms_alarm')
    .selectAll()
    .where('state', 'in', state === 'active' ? [...ACTIVE] : [...ACTIVE, 'over'])
    .where((eb) => eb.or([eb('since_ms', '<', afterMs), eb.and([eb('since_ms', '=', afterMs), eb('id', '<', afterId)])]))
    .orderBy('since_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const page = rows.slice(0, limit)
  const waiting = await undeliveredOf(
    db.kysely,
    page.map(({ id }) => id),
  )
  const counted = await db.kysely
    .selectFrom('alarms_alarm')
    .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
    .where('state', 'in', [...ACTIVE])
    .groupBy('state')
    .execute()
  const { undelivered } = await db.kysely
    .selectFrom('alarms_delivery')
    .select((eb) => eb.fn.countAll<number>().as('undelivered'))
    .where('state', '=', 'waiting')
    .where('attempts', '>', 0)
    .executeTakeFirstOrThrow()
  const countOf = (wanted: string): number => counted.find((row) => row.state === wanted)?.count ?? 0
  const lastRow = page.at(-1)
  return {
    alarms: page.map((row) => shown(row, waiting.get(row.id) ?? 0)),
    next: rows.length > limit && lastRow !== undefined ? `${lastRow.since_ms}-${lastRow.id}` : null,
    counts: { open: countOf('open'), acknowledged: countOf('acknowledged'), undelivered },
  }
}

async function undeliveredOf(db: Tx | Database<AlarmTables>['kysely'], ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('alarms_delivery')
    .select(['alarm', (eb) => eb.fn.countAll<number>().as('count')])
    .where('alarm', 'in', [...ids])
    .where('state', '!=', 'delivered')
    .groupBy('alarm')
    .execute()
  return new Map(rows.map(({ alarm, count }) => [alarm!, count]))
}

export function shown(row: AlarmRow, undelivered: number): Alarm {
  const culprits = JSON.parse(row.culprits) as string[]
  const numbers = numbersOf(row)
  return {
    id: row.id,
    code: row.code,
    severity: row.severity,
    state: row.state === 'waiting' ? 'open' : row.state,
    since: rfc3339(row.since_ms),
    last: rfc3339(row.last_ms),
    ended: row.calm_ms === null ? null : rfc3339(row.calm_ms),
    times: row.times,
    culprits,
    numbers,
    words: { en: alarmWords('en', row.code, { culprits, numbers }), de: alarmWords('de', row.code, { culprits, numbers }) },
    acknowledged: row.acknowledged_ms === null ? null : { by: row.acknowledged_by ?? '', at: rfc3339(row.acknowledged_ms), note: row.note },
    breach: row.breach,
    undelivered,
  }
}

/** `MILLISECONDS-ID` of the last row seen. Throws `api.body`. */
export function cursor(after: string | undefined): readonly [number, string] {
  if (after === undefined) return [Number.MAX_SAFE_INTEGER, '']
  const match = /^(\d{1,15})-([0-9a-f]{32})$/.exec(after)
  if (match === null) throw new Failure('api.body', { detail: 'This is no place to go on from.' })
  return [Number(match[1]), match[2]!]
}

function numbersOf(row: AlarmRow): Record<string, number> {
  return JSON.parse(row.numbers) as Record<string, number>
}

function add(sum: Enqueued, more: Enqueued): void {
  sum.count += more.count
}
