// The database: transactions, reads beside them, values, failures that never hang.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { AssertionError, isFailure } from '#base'
import {
  ConstraintViolation,
  type Database,
  type DatabasePlace,
  type Generated,
  type Migration,
  insertMany,
  isUniqueViolation,
  openDatabase,
  sql,
} from '#database'
import { postgresServer } from './postgres-server.ts'

interface Tables {
  readonly test_thing: { readonly id: Generated<number>; readonly name: string; readonly bytes: Uint8Array | null; readonly size: number }
  readonly test_part: { readonly thing: number }
}

const migrations: Record<string, Migration> = {
  'test-0001': {
    up: async (db) => {
      await db.schema
        .createTable('test_thing')
        .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('bytes', 'bytea')
        .addColumn('size', 'bigint', (column) => column.notNull().check(sql`size >= 0`))
        .execute()
      await db.schema
        .createTable('test_part')
        .addColumn('thing', 'integer', (column) => column.notNull().references('test_thing.id'))
        .execute()
    },
  },
}

const folder = mkdtempSync(join(tmpdir(), 'quorate-database-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

const places: Record<string, () => DatabasePlace> = {
  'in a file': () => ({ file: join(folder, `${++files}.db`) }),
  'in memory': () => ({ file: ':memory:' }),
}
const server = postgresServer()
if (server !== undefined) places['in PostgreSQL'] = () => server.place()

for (const [place, where] of Object.entries(places)) {
  describe(place, () => {
    async function opened(): Promise<Database<Tables> & AsyncDisposable> {
      const database = await openDatabase<Tables>({ ...where(), migrations })
      return { ...database, [Symbol.asyncDispose]: () => database.close() }
    }

    test('what a transaction writes is there when it resolves, and nothing of it when it rejects', async () => {
      await using database = await opened()
      const id = await database.transaction(async (tx) => {
        const row = await tx.insertInto('test_thing').values({ name: 'a', size: 1 }).returning('id').executeTakeFirstOrThrow()
        return row.id
      })
      await assert.rejects(
        database.transaction(async (tx) => {
          await tx.insertInto('test_thing').values({ name: 'b', size: 1 }).execute()
          throw new Error('changed my mind')
        }),
        /changed my mind/,
      )
      const rows = await database.kysely.selectFrom('test_thing').select(['id', 'name']).execute()
      assert.deepEqual(rows, [{ id, name: 'a' }])
    })

    test('transactions run one after the other', async () => {
      await using database = await opened()
      await database.kysely.insertInto('test_thing').values({ name: 'counter', size: 0 }).execute()
      await Promise.all(
        Array.from({ length: 50 }, () =>
          database.transaction(async (tx) => {
            const { size } = await tx.selectFrom('test_thing').select('size').executeTakeFirstOrThrow()
            await tx
              .updateTable('test_thing')
              .set({ size: size + 1 })
              .execute()
          }),
        ),
      )
      assert.deepEqual(await database.kysely.selectFrom('test_thing').select('size').execute(), [{ size: 50 }])
    })

    test('single writes wait for the open transaction', async () => {
      await using database = await opened()
      let write: Promise<unknown> | undefined
      const order: string[] = []
      const started = Promise.withResolvers<void>()
      const outside = started.promise.then(() => {
        write = database.kysely.insertInto('test_thing').values({ name: 'outside', size: 1 }).execute()
        return write.then(() => order.push('outside'))
      })
      await database.transaction(async (tx) => {
        started.resolve()
        for (let turn = 0; turn < 20; turn++) await tx.selectFrom('test_thing').selectAll().execute()
        order.push('transaction')
      })
      await outside
      assert.deepEqual(order, ['transaction', 'outside'])
    })

    test('the outer handle inside a transaction is an assertion, not a deadlock', async () => {
      await using database = await opened()
      const misuses: Record<string, () => Promise<unknown>> = {
        read: () => database.kysely.selectFrom('test_thing').selectAll().execute(),
        write: () => database.kysely.insertInto('test_thing').values({ name: 'x', size: 1 }).execute(),
        stream: async () => {
          for await (const row of database.kysely.selectFrom('test_thing').selectAll().stream()) void row
        },
        nested: () => database.transaction(async () => undefined),
        close: async () => database.close(),
      }
      for (const [what, misuse] of Object.entries(misuses)) {
        await assert.rejects(database.transaction(misuse), AssertionError, what)
        await assert.rejects(
          database.transaction(async (tx) => {
            await tx.selectFrom('test_thing').selectAll().execute()
            await new Promise((resolve) => setImmediate(resolve))
            await misuse()
          }),
          AssertionError,
          what,
        )
      }
      assert.deepEqual(await database.kysely.selectFrom('test_thing').selectAll().execute(), [])
    })

    test('a stream inside a transaction and a transaction by Kysely itself are assertions', async () => {
      await using database = await opened()
      await assert.rejects(
        database.transaction(async (tx) => {
          for await (const row of tx.selectFrom('test_thing').selectAll().stream()) void row
        }),
        AssertionError,
      )
      await assert.rejects(
        database.kysely.transaction().execute(async () => undefined),
        AssertionError,
      )
      await assert.rejects(database.kysely.startTransaction().execute(), AssertionError)
    })

    test('the handle of a transaction is dead after its end', async () => {
      await using database = await opened()
      let late: (() => Promise<unknown>) | undefined
      await database.transaction(async (tx) => {
        late = () => tx.insertInto('test_thing').values({ name: 'late', size: 1 }).execute()
      })
      await assert.rejects(late!())
      assert.deepEqual(await database.kysely.selectFrom('test_thing').selectAll().execute(), [])
    })

    test('work that outlives its transaction may use the outer handle', async () => {
      await using database = await opened()
      const over = Promise.withResolvers<void>()
      let outlives: Promise<unknown> | undefined
      await database.transaction(async () => {
        outlives = over.promise.then(() => database.kysely.selectFrom('test_thing').selectAll().execute())
      })
      over.resolve()
      assert.deepEqual(await outlives, [])
    })

    test('values come back as they went in', async () => {
      await using database = await opened()
      const big = new Uint8Array(1000).fill(7)
      const values = [
        { name: 'ascii', bytes: null, size: 0 },
        { name: 'Grüße 🧬 \u0301', bytes: new Uint8Array(0), size: Number.MAX_SAFE_INTEGER },
        { name: 'quote \' " ? $1', bytes: Uint8Array.of(0, 255, 1), size: 2 ** 40 },
        { name: 'a view on a larger buffer', bytes: big.subarray(10, 12), size: 1 },
        { name: 'a Buffer', bytes: Buffer.from('hi'), size: 1 },
      ]
      await insertMany(database.kysely, 'test_thing', values)
      const rows = await database.kysely.selectFrom('test_thing').select(['name', 'bytes', 'size']).orderBy('id').execute()
      assert.deepEqual(
        rows,
        values.map((value) => ({ ...value, bytes: value.bytes && new Uint8Array(value.bytes) })),
      )
      if (place === 'in PostgreSQL') return
      const types = await sql<{ type: string }>`select distinct typeof(size) as type from test_thing`.execute(database.kysely)
      assert.deepEqual(types.rows, [{ type: 'integer' }])
      const half = await sql<{ half: number }>`select ${1} / ${2} as half`.execute(database.kysely)
      assert.deepEqual(half.rows, [{ half: 0 }], 'integers stay integers')
    })

    test('values that would change on their way are refused', async () => {
      await using database = await opened()
      for (const value of [1n, 2 ** 53, Number.NaN, Infinity, true, undefined, new Date(), '\ud800', 'a\0b', [1]]) {
        await assert.rejects(sql`select ${value}`.execute(database.kysely), AssertionError, String(value))
      }
      await assert.rejects(sql`select 9007199254740993 as large`.execute(database.kysely), AssertionError)
    })

    test('a broken rule of the schema is named', async () => {
      await using database = await opened()
      const { kysely } = database
      await kysely.insertInto('test_thing').values({ name: 'a', size: 1 }).execute()
      await assert.rejects(kysely.insertInto('test_thing').values({ name: 'a', size: 1 }).execute(), isUniqueViolation)
      const rules: [ConstraintViolation['constraint'], Promise<unknown>][] = [
        ['unique', kysely.insertInto('test_thing').values({ id: 1, name: 'b', size: 1 }).execute()],
        ['check', kysely.insertInto('test_thing').values({ name: 'b', size: -1 }).execute()],
        ['not-null', sql`insert into test_thing (name, size) values (null, 1)`.execute(kysely)],
        ['foreign-key', kysely.insertInto('test_part').values({ thing: 99 }).execute()],
      ]
      for (const [constraint, broken] of rules) {
        await assert.rejects(broken, (error) => error instanceof ConstraintViolation && error.constraint === constraint)
      }
    })

    test('a statement that fails inside a transaction leaves the rest to the caller', async () => {
      await using database = await opened()
      await database.transaction(async (tx) => {
        await tx.insertInto('test_thing').values({ name: 'a', size: 1 }).execute()
        await assert.rejects(tx.insertInto('test_thing').values({ name: 'a', size: 1 }).execute(), isUniqueViolation)
        await tx.insertInto('test_thing').values({ name: 'b', size: 1 }).execute()
      })
      assert.equal((await database.kysely.selectFrom('test_thing').selectAll().execute()).length, 2)
    })

    test('counts of changed rows', async () => {
      await using database = await opened()
      await insertMany(
        database.kysely,
        'test_thing',
        ['a', 'b', 'c'].map((name) => ({ name, size: 1 })),
      )
      const { numUpdatedRows } = await database.kysely.updateTable('test_thing').set({ size: 2 }).where('name', '<', 'c').executeTakeFirst()
      assert.equal(numUpdatedRows, 2n)
      const gone = await database.kysely.deleteFrom('test_thing').where('name', '=', 'nobody').executeTakeFirst()
      assert.equal(gone.numDeletedRows, 0n)
    })

    test('a stream is one snapshot, other statements see what is new meanwhile', async () => {
      await using database = await opened()
      const names = Array.from({ length: 1000 }, (_, index) => ({ name: `n${index}`, size: index }))
      await insertMany(database.kysely, 'test_thing', names)
      let seen = 0
      for await (const row of database.kysely.selectFrom('test_thing').select('size').orderBy('id').stream(64)) {
        assert.equal(row.size, seen)
        if (seen === 100) {
          await database.kysely.insertInto('test_thing').values({ name: 'new', size: 9 }).execute()
          const found = await database.kysely.selectFrom('test_thing').select('id').where('name', '=', 'new').execute()
          assert.equal(found.length, 1)
        }
        seen++
      }
      assert.equal(seen, 1000)
    })

    test('a stream left early gives its cursor back', async () => {
      await using database = await opened()
      await insertMany(
        database.kysely,
        'test_thing',
        ['a', 'b', 'c'].map((name) => ({ name, size: 1 })),
      )
      for (let turn = 0; turn < 100; turn++) {
        for await (const row of database.kysely.selectFrom('test_thing').selectAll().stream(1)) {
          assert.equal(row.name, 'a')
          break
        }
      }
    })

    test('more statements than are kept prepared', async () => {
      await using database = await opened()
      for (let turn = 0; turn < 1000; turn++) {
        const { rows } = await sql<{ n: number }>`select ${sql.raw(String(turn))} as n`.execute(database.kysely)
        assert.equal(rows[0]?.n, turn)
      }
    })

    test('SQL that is wrong in itself is our own mistake', async () => {
      await using database = await opened()
      await assert.rejects(sql`select nothing from nowhere`.execute(database.kysely), AssertionError)
    })

    test('after close every call is refused, and close may come twice', async () => {
      const database = await opened()
      await database.close()
      await database.close()
      await assert.rejects(database.kysely.selectFrom('test_thing').selectAll().execute(), (error) =>
        isFailure(error, 'database.unavailable'),
      )
      await assert.rejects(
        database.transaction(async () => undefined),
        (error) => isFailure(error, 'database.unavailable'),
      )
    })

    test('close waits for the open transaction', async () => {
      const database = await opened()
      const running = database.transaction(async (tx) => {
        await new Promise((resolve) => setImmediate(resolve))
        await tx.insertInto('test_thing').values({ name: 'a', size: 1 }).execute()
        return 'done'
      })
      await new Promise((resolve) => setImmediate(resolve))
      await database.close()
      assert.equal(await running, 'done')
    })
  })
}

describe('a file', () => {
  test('reads go through while a transaction is open, and see only what is committed', async () => {
    const database = await openDatabase<Tables>({ file: join(folder, 'beside.db'), migrations })
    const written = Promise.withResolvers<void>()
    const read = Promise.withResolvers<void>()
    const beside = (async () => {
      await written.promise
      assert.deepEqual(await database.kysely.selectFrom('test_thing').selectAll().execute(), [])
      assert.deepEqual((await sql`select * from test_thing`.execute(database.kysely)).rows, [])
      read.resolve()
    })()
    await database.transaction(async (tx) => {
      await tx.insertInto('test_thing').values({ name: 'a', size: 1 }).execute()
      written.resolve()
      await read.promise
    })
    await beside
    assert.equal((await database.kysely.selectFrom('test_thing').selectAll().execute()).length, 1)
    await database.close()
  })

  test('keeps its rows, is durable by its settings and readable by its owner only', async () => {
    const file = join(folder, 'kept.db')
    const first = await openDatabase<Tables>({ file, migrations })
    await first.kysely.insertInto('test_thing').values({ name: 'kept', size: 1 }).execute()
    for (const name of ['', '-wal', '-shm']) assert.equal(statSync(file + name).mode & 0o777, 0o600, name)
    const settings = await first.transaction(async (tx) => {
      const answers: unknown[] = []
      for (const pragma of ['journal_mode', 'synchronous', 'foreign_keys']) {
        const { rows } = await sql`pragma ${sql.raw(pragma)}`.execute(tx)
        answers.push(rows[0])
      }
      return answers
    })
    assert.deepEqual(settings, [{ journal_mode: 'wal' }, { synchronous: 2 }, { foreign_keys: 1 }])
    await first.close()
    const second = await openDatabase<Tables>({ file, migrations })
    assert.deepEqual(await second.kysely.selectFrom('test_thing').select('name').execute(), [{ name: 'kept' }])
    await second.close()
  })

  test('a place that cannot be opened, and a file that is no database, are refused', async () => {
    const garbage = join(folder, 'garbage.db')
    writeFileSync(garbage, 'this is not a database at all, but longer than a header of one hundred bytes ... '.repeat(4))
    for (const file of [join(folder, 'no such folder', 'a.db'), garbage, folder]) {
      await assert.rejects(
        openDatabase({ file, migrations }),
        (error) => isFailure(error, file === garbage ? 'database.corrupt' : 'database.unavailable') && error.message.includes(file),
      )
    }
  })

  test('10^5 rows stream in pages', async () => {
    const database = await openDatabase<Tables>({ file: join(folder, 'many.db'), migrations })
    await database.transaction(async (tx) => {
      await insertMany(
        tx,
        'test_thing',
        Array.from({ length: 100_000 }, (_, index) => ({ name: `thing ${index}`, bytes: Uint8Array.of(index & 255), size: index })),
      )
    })
    let sum = 0
    for await (const { size } of database.kysely.selectFrom('test_thing').select('size').stream(1000)) sum += size
    assert.equal(sum, (100_000 * 99_999) / 2)
    await database.close()
  })
})

describe('migrations', () => {
  const nothing: Migration = { up: async () => undefined }
  const failing: Migration = {
    up: async (db) => {
      await db.schema.createTable('test_half').addColumn('id', 'integer').execute()
      throw new Error('half way')
    },
  }

  test('are known by room and number', async () => {
    for (const names of [
      ['0001'],
      ['test-1'],
      ['test-0002'],
      ['test-0001', 'test-0003'],
      ['Test-0001'],
      ['test-0001', 'test-0001-again'],
    ]) {
      const brought = Object.fromEntries(names.map((name) => [name, nothing]))
      await assert.rejects(openDatabase({ file: ':memory:', migrations: brought }), AssertionError, names.join())
    }
  })

  test('a room that comes later and a new number are added; each runs once', async () => {
    const file = join(folder, 'grows.db')
    const runs: string[] = []
    const counted = (name: string): Migration => ({ up: async () => void runs.push(name) })
    const named = (...names: string[]): Record<string, Migration> => Object.fromEntries(names.map((name) => [name, counted(name)]))
    const opens = [named('storage-0001'), named('storage-0001', 'audit-0001'), named('audit-0001', 'storage-0001', 'storage-0002-more')]
    for (const brought of [...opens, opens[2]!]) await (await openDatabase({ file, migrations: brought })).close()
    assert.deepEqual(runs, ['storage-0001', 'audit-0001', 'storage-0002-more'])
  })

  test('a database of a newer version is refused and left as it is', async () => {
    const file = join(folder, 'newer.db')
    await (await openDatabase({ file, migrations: { 'test-0001': nothing, 'test-0002': nothing } })).close()
    const refused = openDatabase({ file, migrations: { 'test-0001': nothing, 'other-0001': failing } })
    await assert.rejects(refused, (error) => isFailure(error, 'database.version') && /test-0002/.test(error.message))
    await (await openDatabase({ file, migrations: { 'test-0001': nothing, 'test-0002': nothing } })).close()
  })

  test('one that fails leaves nothing behind', async () => {
    const file = join(folder, 'fails.db')
    await assert.rejects(openDatabase({ file, migrations: { ...migrations, 'test-0002': failing } }), /half way/)
    const database = await openDatabase<Tables>({ file, migrations })
    const tables = await database.kysely.introspection.getTables()
    assert.deepEqual(tables.map((table) => table.name).toSorted(), ['test_part', 'test_thing'])
    await database.close()
  })
})
