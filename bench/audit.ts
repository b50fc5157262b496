// The audit log: entries a second by as many callers as a busy site has, a head, a receipt, and how long the proof of a whole log takes.
import { type AuditEvent, auditMigrations, type AuditTables, openAudit } from '#audit'
import { systemClock } from '#base'
import { openDatabase } from '#database'
import { parseKey, verifyCheckpoint, verifyLog } from '#format/log'
import { join } from 'node:path'
import { rounded } from './figures.ts'
import type { Workplace } from './workplace.ts'

const CALLERS = [1, 8, 64] as const
/** Openings a second that a site must write: DESIGN, issue of the desk. */
const GOAL_PER_SECOND = 500

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const home = await workplace.folder()
  const db = await openDatabase<AuditTables>({ file: join(home, 'audit.sqlite'), migrations: auditMigrations })
  const audit = await openAudit({ db, clock: systemClock, home })
  try {
    let next = 0
    for (const callers of CALLERS) {
      const count = workplace.quick ? callers * 20 : callers === 1 ? 2000 : 50_000
      const end = next + count
      const since = performance.now()
      await Promise.all(
        Array.from({ length: callers }, async () => {
          while (next < end) await audit.append(opening(next++))
        }),
      )
      const perSecond = rounded(count / seconds(since))
      emit({
        bench: 'audit',
        what: 'entries a second, durable, signed heads beside them',
        callers,
        count,
        perSecond,
        ...(callers === 64 ? { goal: GOAL_PER_SECOND, met: perSecond >= GOAL_PER_SECOND } : {}),
      })
    }
    const size = next
    const heads = await each(20, async (n) => {
      await audit.append(opening(size + n))
      await audit.checkpoint()
    })
    emit({ bench: 'audit', what: 'an entry and a newly signed head, ms', of: size, ms: heads })
    emit({ bench: 'audit', what: 'a receipt, ms', of: size, ms: await each(50, (n) => audit.inclusion((n * 7919) % size).then(() => {})) })

    let since = performance.now()
    let verdict
    for await (const step of audit.verify({})) verdict = step
    if (verdict?.kind !== 'verdict' || verdict.problem !== null) throw new Error('the log does not verify')
    emit({
      bench: 'audit',
      what: 'verified by the site, entries a second',
      of: verdict.entries,
      perSecond: rounded(verdict.entries / seconds(since)),
    })

    const { vkeys, checkpoint } = await audit.head()
    const head = verifyCheckpoint(new TextEncoder().encode(checkpoint), vkeys.map(parseKey))
    since = performance.now()
    const { problem } = await verifyLog({ files: { read: (path) => audit.file(path) }, head })
    if (problem !== undefined) throw new Error(problem.detail)
    emit({
      bench: 'audit',
      what: 'verified from its files, entries a second',
      of: head.size,
      perSecond: rounded(head.size / seconds(since)),
    })
  } finally {
    await audit.close()
    await db.close()
  }
}

function opening(n: number): AuditEvent {
  const actor = { kind: 'person', id: (n % 200).toString(16).padStart(32, '0'), name: `Person ${n % 200}` } as const
  const object = { id: n.toString(16).padStart(32, '0'), version: 1, path: `/radiology/2026/patient-${n % 5000}/series-${n}.dcm` }
  return { kind: 'open', actor, outcome: 'allowed', object }
}

/** Milliseconds of one, on average. */
async function each(count: number, work: (n: number) => Promise<void>): Promise<number> {
  const since = performance.now()
  for (let n = 0; n < count; n++) await work(n)
  return rounded((performance.now() - since) / count)
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000
}
