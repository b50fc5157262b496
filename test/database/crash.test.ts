// What is acknowledged survives a killed process; a dead thread fails every call and hangs none.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { isFailure } from '#base'
import { sql } from '#database'
import { Kysely } from 'kysely'
import { dialect, type TransactionScope } from '../../src/database/dialect.ts'
import { sqliteSpeech } from '../../src/database/speech.ts'
import { startSqliteThread } from '../../src/database/sqlite-thread.ts'
import { createTurns } from '../../src/database/turns.ts'
import { openPairs } from './pairs.ts'

const KILLS = 10

const folder = mkdtempSync(join(tmpdir(), 'quorate-crash-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a process killed ten times while it writes has lost nothing it acknowledged', async (t) => {
  const file = join(folder, 'killed.db')
  let acknowledged = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const pairs = randomInt(1, 60)
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'inserter.ts'), JSON.stringify({ file })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const exited = once(child, 'exit')
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (++lines === pairs) child.kill('SIGKILL')
    }
    assert.equal((await exited)[1], 'SIGKILL')
    t.diagnostic(`killed after ${lines} pairs; ${acknowledged} acknowledged so far`)

    const database = await openPairs({ file })
    const found = await database.kysely
      .selectFrom('test_pair')
      .select((select) => ['number', select.fn.countAll<number>().as('halves')])
      .groupBy('number')
      .orderBy('number')
      .execute()
    assert.ok(found.length >= acknowledged)
    for (const [index, { number, halves }] of found.entries()) assert.deepEqual({ number, halves }, { number: index + 1, halves: 2 })
    assert.deepEqual((await sql`pragma integrity_check`.execute(database.kysely)).rows, [{ integrity_check: 'ok' }])
    await database.close()
  }
})

describe('a database thread that dies', () => {
  const mortal = new URL('./mortal-thread.ts', import.meta.url)
  const unavailable = (error: unknown): boolean => isFailure(error, 'database.unavailable')

  for (const death of ['exit', 'throw']) {
    test(`by ${death} fails the calls under way and all that follow`, async () => {
      const thread = await startSqliteThread('mortal.db', mortal)
      await thread.call({ kind: 'rollback' })
      const calls = [
        thread.call({ kind: 'rollback' }),
        thread.call({ kind: 'run', on: 'writer', transaction: false, sql: death, parameters: [] }),
        thread.call({ kind: 'rollback' }),
      ]
      // What was answered just before the death may be lost with it.
      await Promise.allSettled(calls)
      for (const call of calls.slice(1)) await assert.rejects(call, unavailable)
      await assert.rejects(thread.call({ kind: 'rollback' }), unavailable)
      await thread.stop()
    })

    test(`by ${death} fails the open transaction and the writes that wait for it`, async () => {
      const thread = await startSqliteThread('mortal.db', mortal)
      const scopes = new AsyncLocalStorage<TransactionScope>()
      const turns = createTurns({ waitMs: 10_000, waitingMax: 10 })
      const kysely = new Kysely<unknown>({
        dialect: dialect({ engine: thread, speech: sqliteSpeech, scopes, turns, oneConnection: false }),
      })
      const started = Promise.withResolvers<void>()
      const waiting = started.promise.then(() => sql`delete from a`.execute(kysely))
      const running = scopes.run({ open: false }, () =>
        kysely.transaction().execute(async (tx) => {
          started.resolve()
          await sql`delete from a`.execute(tx)
          await sql.raw(death).execute(tx)
        }),
      )
      await Promise.all([assert.rejects(running, unavailable), assert.rejects(waiting, unavailable)])
      await thread.stop()
    })
  }
})

test('an idle open database does not keep a program alive', async () => {
  const program = `import { openDatabase } from '#database'; await openDatabase({ file: ':memory:', migrations: {} })`
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program], {
    stdio: 'inherit',
    cwd: import.meta.dirname,
  })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
