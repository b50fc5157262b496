// PostgreSQL under us: one process at a time, connections that break, a process that is killed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { Client } from 'pg'
import { AssertionError, isFailure } from '#base'
import { sql } from '#database'
import { openPairs } from './pairs.ts'
import { postgresServer } from './postgres-server.ts'

const server = postgresServer()
const unavailable = (error: unknown): boolean => isFailure(error, 'database.unavailable')

if (server !== undefined) {
  const asked = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    try {
      return (await client.query(text, values)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  /** Ends every connection of ours whose last statement was on this schema. */
  const cutOff = (schema: string): Promise<unknown> =>
    asked(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'quorate' and pid in
       (select pid from pg_locks where locktype = 'advisory' and objid = (hashtext($1)::bigint & 4294967295)::oid)`,
      [schema],
    )

  describe('a schema of PostgreSQL', () => {
    it('belongs to one process at a time', async () => {
      const place = server.place()
      const first = await openPairs(place)
      await assert.rejects(openPairs(place), unavailable)
      await first.close()
      await (await openPairs(place)).close()
    })

    it('holds nothing of a transaction whose connection broke, and goes on with the next', async () => {
      const place = server.place()
      const database = await openPairs(place)
      const row = { number: 1, half: 1, bytes: new Uint8Array(3) }
      await assert.rejects(
        database.transaction(async (tx) => {
          await tx.insertInto('test_pair').values(row).execute()
          await cutOff(place.postgres.schema)
          await tx
            .insertInto('test_pair')
            .values({ ...row, half: 2 })
            .execute()
        }),
        (error) => unavailable(error) || error instanceof AssertionError,
      )
      await database.transaction(async (tx) => {
        await tx
          .insertInto('test_pair')
          .values({ ...row, number: 2 })
          .execute()
      })
      assert.deepEqual(await database.kysely.selectFrom('test_pair').select('number').execute(), [{ number: 2 }])
      await database.close()
    })

    it('is left alone by a process that was away while another worked', async () => {
      const place = server.place()
      const database = await openPairs(place)
      await cutOff(place.postgres.schema)
      // The end of the connection is noticed with the next event of its socket.
      let other
      for (let turn = 0; turn < 200 && other === undefined; turn++) other = await openPairs(place).catch(() => undefined)
      assert.ok(other !== undefined)
      await other.close()
      const write = (): Promise<unknown> =>
        database.kysely.insertInto('test_pair').values({ number: 9, half: 1, bytes: new Uint8Array() }).execute()
      await assert.rejects(write(), unavailable)
      await assert.rejects(write(), unavailable)
      await database.close()
      assert.deepEqual(await asked(`select number from "${place.postgres.schema}".test_pair`), [])
    })

    it('loses nothing that was acknowledged when the process is killed', async () => {
      const place = server.place()
      let acknowledged = 0
      for (let kill = 0; kill < 4; kill++) {
        const child = spawn(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'inserter.ts'), JSON.stringify(place)],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        )
        const exited = once(child, 'exit')
        let lines = 0
        for await (const line of createInterface({ input: child.stdout })) {
          acknowledged = Number(line)
          if (++lines === 5 + 7 * kill) child.kill('SIGKILL')
        }
        assert.equal((await exited)[1], 'SIGKILL')
        // The server gives the lock back when it notices.
        let database
        for (let turn = 0; turn < 500 && database === undefined; turn++) database = await openPairs(place).catch(() => undefined)
        assert.ok(database !== undefined)
        const found = await database.kysely
          .selectFrom('test_pair')
          .select((select) => ['number', select.fn.countAll<number>().as('halves')])
          .groupBy('number')
          .orderBy('number')
          .execute()
        assert.ok(found.length >= acknowledged)
        for (const [index, { number, halves }] of found.entries()) assert.deepEqual({ number, halves }, { number: index + 1, halves: 2 })
        await database.close()
      }
    })

    it('is not opened by a name that nobody answers to', async () => {
      const nobody = server.url.replace(/:\d+\//, ':1/')
      await assert.rejects(
        openPairs({ postgres: { url: nobody, schema: 'x' } }),
        (error) => unavailable(error) && !String(error).includes('password'),
      )
    })

    it('orders texts by code points, whatever the order of the database is', async () => {
      const database = await openPairs(server.place())
      await database.kysely.schema.createTable('test_note').addColumn('note', 'text').execute()
      const { rows } = await sql<{ collation: string | null }>`
        select collation_name as collation from information_schema.columns
        where table_schema = current_schema() and table_name = 'test_note' and column_name = 'note'`.execute(database.kysely)
      assert.deepEqual(rows, [{ collation: 'C' }])
      await database.close()
    })
  })
}
