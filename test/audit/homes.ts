// A home with an audit log over a database of its own, and a clock that stands until it is told.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type AuditEvent, type AuditLog, auditMigrations, type AuditTables, openAudit } from '#audit'
import { type Clock, Failure, type FailureCode } from '#base'
import { type Database, type DatabasePlace, openDatabase } from '#database'

export interface TestClock extends Clock {
  advance(ms: number): void
}

export function testClock(startMs = Date.UTC(2030, 0, 1)): TestClock {
  let nowMs = startMs
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>()
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { dueMs: nowMs + ms, wake: () => (sleepers.delete(sleeper), resolve()) }
        const cancel = (): void => (sleepers.delete(sleeper), reject(new Failure('base.cancelled')))
        if (signal?.aborted === true) return cancel()
        signal?.addEventListener('abort', cancel, { once: true })
        sleepers.add(sleeper)
      }),
    advance: (ms) => {
      nowMs += ms
      for (const sleeper of sleepers) if (sleeper.dueMs <= nowMs) sleeper.wake()
    },
  }
}

export interface TestHome {
  readonly folder: string
  readonly clock: TestClock
  readonly alarms: Failure[]
  readonly db: Database<AuditTables>
  readonly audit: AuditLog
  /** Both are closed, something is done to what they left, and both are opened again. */
  reopen(meanwhile?: () => void | Promise<void>): Promise<void>
  /** What the database of the home is, for whoever opens it on their own. */
  readonly place: DatabasePlace
  close(): Promise<void>
}

const made: string[] = []
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

export async function makeHome(options: { readonly place?: DatabasePlace | undefined } = {}): Promise<TestHome> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-audit-'))
  made.push(folder)
  const place = options.place ?? { file: join(folder, 'test.sqlite') }
  const clock = testClock()
  const alarms: Failure[] = []
  const open = async (): Promise<{ db: Database<AuditTables>; audit: AuditLog }> => {
    const db = await openDatabase<AuditTables>({ ...place, migrations: auditMigrations })
    return { db, audit: await openAudit({ db, clock, home: folder, alarm: (failure) => alarms.push(failure) }) }
  }
  let opened = await open()
  const close = async (): Promise<void> => {
    await opened.audit.close()
    await opened.db.close()
  }
  return {
    folder,
    clock,
    alarms,
    place,
    get db() {
      return opened.db
    },
    get audit() {
      return opened.audit
    },
    reopen: async (meanwhile) => {
      await close()
      await meanwhile?.()
      opened = await open()
    },
    close,
  }
}

export const ADA = { kind: 'person', id: 'a'.repeat(32), name: 'Ada Wolf' } as const
export const BEN = { kind: 'person', id: 'b'.repeat(32), name: 'Ben Krüger' } as const
export const SITE = { kind: 'site', id: 'site', name: 'the site' } as const

export function opened(n: number, actor: AuditEvent['actor'] = ADA): AuditEvent {
  return { kind: 'open', actor, outcome: 'allowed', object: { id: n.toString(16).padStart(32, '0'), version: 1, path: `/mri/${n}.dcm` } }
}

export function refused(path: string, code: FailureCode = 'access.denied', actor: AuditEvent['actor'] = BEN): AuditEvent {
  return { kind: 'open', actor, outcome: 'refused', code, path }
}
