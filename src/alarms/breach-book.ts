// Records of breaches (GDPR Art. 33 and 34): begun by an alarm or a person, written on by people, never changed and never removed.
// What is a breach, whom to tell and whether there is a risk is the judgement of people; here it is kept who judged what, and when.
import { randomBytes } from 'node:crypto'
import { Failure, limits, rfc3339 } from '#base'
import type { Breach, BreachEntry, BreachEntryRequest, BreachListing } from '#contract'
import type { Database, Selectable } from '#database'
import type { AlarmRow, Tx } from './alarm-book.ts'
import type { Condition } from './condition.ts'
import type { AlarmTables, BreachEntryTable, BreachTable } from './tables.ts'
import { breachBegun } from './words.ts'

/** Art. 33 (1). */
const HOURS_72_MS = 72 * 3_600_000
const LISTED_MAX = 1000
const SITE = 'Quorate'

type EntryRow = Selectable<BreachEntryTable>
type NewEntry = Pick<EntryRow, 'at_ms' | 'by_whom' | 'field' | 'text'> & Partial<Pick<EntryRow, 'count' | 'time_ms' | 'choice'>>

/** An alarm of the same kind that comes within the 72 hours of an open record belongs to it. Answers the id of the record. */
export async function beginOrJoin(
  tx: Tx,
  request: { readonly alarm: AlarmRow; readonly condition: Condition; readonly nowMs: number },
): Promise<string> {
  const { alarm, condition, nowMs } = request
  const said = { at_ms: nowMs, by_whom: SITE, text: breachBegun(alarm.code, condition) }
  const recent = await tx
    .selectFrom('alarms_breach')
    .selectAll()
    .where('code', '=', alarm.code)
    .where('begun_ms', '>', nowMs - HOURS_72_MS)
    .orderBy('begun_ms', 'desc')
    .executeTakeFirst()
  if (recent !== undefined && !(await isClosed(tx, recent.id))) {
    await append(tx, recent.id, { ...said, field: 'alarm' }, { bySite: true })
    return recent.id
  }
  const id = randomBytes(16).toString('hex')
  await tx.insertInto('alarms_breach').values({ id, code: alarm.code, begun_ms: nowMs }).execute()
  await append(tx, id, { ...said, field: 'begun' }, { bySite: true })
  return id
}

export async function beginByPerson(
  db: Database<AlarmTables>,
  request: { readonly text: string; readonly by: string; readonly nowMs: number },
): Promise<Breach> {
  const id = randomBytes(16).toString('hex')
  await db.transaction(async (tx) => {
    await tx.insertInto('alarms_breach').values({ id, code: 'person', begun_ms: request.nowMs }).execute()
    await append(tx, id, { at_ms: request.nowMs, by_whom: request.by, field: 'begun', text: request.text })
  })
  return readBreach(db, id)
}

export async function addToBreach(
  db: Database<AlarmTables>,
  request: BreachEntryRequest & { readonly id: string; readonly by: string; readonly nowMs: number },
): Promise<Breach> {
  const { id, by, nowMs, field, text, number, time, choice } = request
  await db.transaction(async (tx) => {
    await requireBreach(tx, id)
    const closed = await isClosed(tx, id)
    if (closed && field !== 'reopened' && field !== 'note')
      throw new Failure('alarms.breach', { detail: 'The record is closed.', next: 'Open it again first, and say why.' })
    if (!closed && field === 'reopened') throw new Failure('alarms.breach', { detail: 'The record is open.' })
    const timeMs = time === undefined ? null : Date.parse(time)
    if (timeMs !== null && timeMs > nowMs) throw new Failure('alarms.breach', { detail: 'Nobody can have known of it in the future.' })
    await append(tx, id, { at_ms: nowMs, by_whom: by, field, text, count: number ?? null, time_ms: timeMs, choice: choice ?? null })
  })
  return readBreach(db, id)
}

export async function readBreach(db: Database<AlarmTables>, id: string): Promise<Breach> {
  const row = await requireBreach(db.kysely, id)
  const entries = await db.kysely.selectFrom('alarms_breach_entry').selectAll().where('breach', '=', id).orderBy('number').execute()
  return { ...outline(row, entries), entries: entries.map(entryOf) }
}

export async function listBreaches(db: Database<AlarmTables>): Promise<BreachListing> {
  const rows = await db.kysely.selectFrom('alarms_breach').selectAll().orderBy('begun_ms', 'desc').orderBy('id').limit(LISTED_MAX).execute()
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return { breaches: [] }
  const entries = await db.kysely
    .selectFrom('alarms_breach_entry')
    .selectAll()
    .where('breach', 'in', ids)
    .where('field', 'in', ['aware', 'decision', 'closed', 'reopened'])
    .orderBy('number')
    .execute()
  const byBreach = Map.groupBy(entries, ({ breach }) => breach)
  return { breaches: rows.map((row) => outline(row, byBreach.get(row.id) ?? [])) }
}

/** Open records in which nothing was decided, with the end of their 72 hours. */
export async function undecided(db: Database<AlarmTables>): Promise<readonly { readonly id: string; readonly deadlineMs: number }[]> {
  const { breaches } = await listBreaches(db)
  return breaches
    .filter(({ state, decided }) => state === 'open' && !decided)
    .map(({ id, deadline }) => ({ id, deadlineMs: Date.parse(deadline) }))
}

function outline(row: Selectable<BreachTable>, entries: readonly EntryRow[]): Omit<Breach, 'entries'> {
  const awareMs = entries.findLast(({ field }) => field === 'aware')?.time_ms ?? row.begun_ms
  return {
    id: row.id,
    code: row.code,
    state: entries.findLast(({ field }) => field === 'closed' || field === 'reopened')?.field === 'closed' ? 'closed' : 'open',
    begun: rfc3339(row.begun_ms),
    aware: rfc3339(awareMs),
    deadline: rfc3339(awareMs + HOURS_72_MS),
    decided: entries.some(({ field }) => field === 'decision'),
  }
}

function entryOf(row: EntryRow): BreachEntry {
  return {
    number: row.number,
    at: rfc3339(row.at_ms),
    by: row.by_whom,
    field: row.field as BreachEntry['field'],
    text: row.text,
    count: row.count,
    time: row.time_ms === null ? null : rfc3339(row.time_ms),
    choice: row.choice as BreachEntry['choice'],
  }
}

async function append(tx: Tx, breach: string, entry: NewEntry, options: { readonly bySite: boolean } = { bySite: false }): Promise<void> {
  const { most } = await tx
    .selectFrom('alarms_breach_entry')
    .select((eb) => eb.fn.max<number | null>('number').as('most'))
    .where('breach', '=', breach)
    .executeTakeFirstOrThrow()
  const number = (most ?? 0) + 1
  // A storm of alarms leaves room for what people have to say.
  if (options.bySite && number > limits.breachEntriesMax / 2) return
  if (number > limits.breachEntriesMax)
    throw new Failure('api.limit', {
      detail: `A record takes ${limits.breachEntriesMax} entries.`,
      next: 'Begin another record that refers to this one.',
    })
  await tx
    .insertInto('alarms_breach_entry')
    .values({ breach, number, count: null, time_ms: null, choice: null, ...entry })
    .execute()
}

async function isClosed(tx: Tx, breach: string): Promise<boolean> {
  const newest = await tx
    .selectFrom('alarms_breach_entry')
    .select('field')
    .where('breach', '=', breach)
    .where('field', 'in', ['closed', 'reopened'])
    .orderBy('number', 'desc')
    .executeTakeFirst()
  return newest?.field === 'closed'
}

async function requireBreach(db: Tx | Database<AlarmTables>['kysely'], id: string): Promise<Selectable<BreachTable>> {
  const row = await db.selectFrom('alarms_breach').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Failure('alarms.absent', { detail: 'There is no such record.' })
  return row
}
