// The connections to PostgreSQL behind the same questions as the SQLite thread: one that writes, some that only read, one for each open cursor.
// One process at a time works on a schema. It holds an advisory lock on the connection that writes, and a number that grows whenever somebody
// takes that lock: a process that lost its connection goes on only when nobody was there meanwhile, since it remembers rows.
import { Client, type ClientConfig, DatabaseError, Pool, type QueryArrayResult, types } from 'pg'
import { assert, AssertionError, Failure } from '#base'
import { ConstraintViolation } from './constraint-violation.ts'
import type { Answer, Engine, Request, SqlValue } from './protocol.ts'

export interface PostgresOptions {
  /** `postgres://user@host:port/database`; without a password, which would show in lists of processes and in messages. */
  readonly url: string
  readonly password?: string | undefined
  /** Tables stand in this schema, which is made when it is absent. */
  readonly schema: string
  /** PEM certificates of the authorities that may vouch for the server; without them the connection is not encrypted. */
  readonly ca?: string | undefined
}

const READERS_MAX = 4
const CURSORS_MAX = 32
const CONNECT_MS = 10_000
/** No statement of ours takes this long; a server that is silent for longer is gone. */
const ANSWER_MS = 120_000
/** Ours among the advisory locks of the database, beside the one for the schema. */
const LOCK_FAMILY = 0x51524d
const SCHEMA = /^[a-z][a-z0-9_]{0,62}$/

/** A savepoint of a room must outlive its statement. */
const OWN_SAVEPOINT = /^\s*(?:savepoint|release|rollback to)\b/i

const INT8 = 20
const NUMERIC = 1700
const BYTEA = 17

/** Texts of numbers become numbers, and must not lose anything by that. */
const parsers: ReadonlyMap<number, (text: string) => SqlValue> = new Map<number, (text: string) => SqlValue>([
  [INT8, safeInteger],
  [NUMERIC, safeInteger],
  [BYTEA, (text: string) => Uint8Array.from(types.getTypeParser(BYTEA, 'text')(text) as Uint8Array)],
])

export async function startPostgres(options: PostgresOptions): Promise<Engine> {
  assert(SCHEMA.test(options.schema), 'a schema has a plain name')
  const engine = new PostgresEngine(options)
  try {
    await engine.start()
    return engine
  } catch (error) {
    await engine.stop()
    throw translate(error)
  }
}

class PostgresEngine implements Engine {
  readonly #schema: string
  readonly #config: ClientConfig
  readonly #readers: Pool
  readonly #streamers: Pool
  readonly #cursors = new Map<number, { readonly client: Client; readonly release: (broken: boolean) => void }>()
  #cursorsOpened = 0
  #writer: Client | undefined
  /** What is known of the transaction on the connection that writes. */
  #transaction: 'none' | 'open' | 'over' = 'none'
  /** The number under which we took the lock. */
  #turn: number | undefined
  #closed = false

  constructor({ url, password, schema, ca }: PostgresOptions) {
    this.#schema = schema
    this.#config = {
      connectionString: url,
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ssl: { ca } }),
      application_name: 'quorate',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      types: {
        getTypeParser: ((type: number, format: 'text' | 'binary') => parsers.get(type) ?? types.getTypeParser(type, format)) as never,
      },
    }
    const reading = { ...this.#config, options: `-c search_path=${schema} -c default_transaction_read_only=on` }
    this.#readers = new Pool({ ...reading, max: READERS_MAX, allowExitOnIdle: true })
    this.#streamers = new Pool({ ...reading, max: CURSORS_MAX, allowExitOnIdle: true })
    // An idle connection that breaks is replaced by the next question.
    for (const pool of [this.#readers, this.#streamers]) pool.on('error', () => undefined)
  }

  async start(): Promise<void> {
    await this.#connect()
  }

  async call(request: Request): Promise<Answer> {
    if (this.#closed && request.kind !== 'close') throw unavailable('the database is closed')
    try {
      return await this.#answer(request)
    } catch (error) {
      throw translate(error)
    }
  }

  async stop(): Promise<void> {
    this.#closed = true
    const { promise, resolve } = Promise.withResolvers<void>()
    // A server that does not answer is not waited for.
    const timer = setTimeout(resolve, CONNECT_MS)
    const ends = [this.#writer?.end(), ...[...this.#cursors.values()].map(async ({ release }) => release(true))]
    void Promise.allSettled([...ends, this.#readers.end(), this.#streamers.end()]).then(() => resolve())
    await promise
    clearTimeout(timer)
  }

  async #answer(request: Request): Promise<Answer> {
    switch (request.kind) {
      case 'run':
        return request.on === 'reader' ? answered(await this.#read(request)) : this.#write(request)
      case 'begin':
        await this.#begin()
        return {}
      case 'commit':
        return this.#commit()
      case 'rollback':
        await this.#rollback()
        return {}
      case 'cursor-open':
        return this.#openCursor(request.sql, request.parameters)
      case 'cursor-next':
        return this.#nextRows(request.cursor, request.count)
      case 'cursor-close':
        await this.#closeCursor(request.cursor)
        return {}
      case 'close':
        await this.stop()
        return {}
      default:
        return request satisfies never
    }
  }

  async #read({ sql, parameters }: Request & { kind: 'run' }): Promise<QueryArrayResult> {
    return this.#readers.query(question(sql, parameters))
  }

  async #write({ sql, parameters, transaction }: Request & { kind: 'run' }): Promise<Answer> {
    // After a connection was lost, what follows must not be committed on its own.
    if ((this.#transaction !== 'none') !== transaction || this.#transaction === 'over') throw new AssertionError('the transaction is over')
    const client = await this.#connected()
    if (!transaction) return answered(await client.query(question(sql, parameters)))
    if (OWN_SAVEPOINT.test(sql)) return answered(await client.query(question(sql, parameters)))
    // PostgreSQL ends a transaction at the first refusal; what SQLite leaves to the caller is left to it here too.
    await client.query('savepoint statement')
    try {
      const answer = answered(await client.query(question(sql, parameters)))
      await client.query('release statement')
      return answer
    } catch (error) {
      await client.query('rollback to statement')
      throw error
    }
  }

  async #begin(): Promise<void> {
    const client = await this.#connected()
    await client.query('begin')
    this.#transaction = 'open'
  }

  async #commit(): Promise<Answer> {
    if (this.#transaction === 'over' || this.#writer === undefined)
      throw unavailable('the connection was lost before the transaction ended')
    await this.#writer.query('commit')
    this.#transaction = 'none'
    return {}
  }

  async #rollback(): Promise<void> {
    const lost = this.#transaction === 'over' || this.#writer === undefined
    this.#transaction = 'none'
    if (!lost) await this.#writer!.query('rollback')
  }

  async #connected(): Promise<Client> {
    return this.#writer ?? this.#connect()
  }

  /** Opens the connection that writes, and takes the schema for this process. */
  async #connect(): Promise<Client> {
    const client = new Client({ ...this.#config, options: `-c search_path=${this.#schema}` })
    const lose = (): void => {
      if (this.#writer !== client) return
      this.#writer = undefined
      if (this.#transaction === 'open') this.#transaction = 'over'
    }
    client.on('error', lose)
    client.on('end', lose)
    try {
      await client.connect()
      await this.#take(client)
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
    this.#writer = client
    return client
  }

  async #take(client: Client): Promise<void> {
    const settings = await client.query<{ fsync: string }>("select current_setting('fsync') as fsync")
    if (settings.rows[0]?.fsync !== 'on')
      throw refused('the server runs with fsync off and would lose what it promised', 'Switch fsync on.')
    await client.query('set synchronous_commit = on')
    const locked = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as taken', [
      LOCK_FAMILY,
      this.#schema,
    ])
    if (locked.rows[0]?.taken !== true)
      throw refused(`another process works on the schema ${this.#schema} of this database`, 'Stop it first, or use another schema.')
    await client.query(`create schema if not exists "${this.#schema}"`)
    await client.query('create table if not exists turn (id integer primary key, number bigint not null)')
    const seen = await client.query<{ number: number }>('select number from turn where id = 1')
    const before = seen.rows[0]?.number ?? 0
    if (this.#turn !== undefined && this.#turn !== before) {
      this.#closed = true
      throw refused('another process has worked on this database since the connection was lost', 'Start the program again.')
    }
    await client.query('insert into turn (id, number) values (1, $1) on conflict (id) do update set number = excluded.number', [before + 1])
    this.#turn = before + 1
  }

  /** Each cursor reads a snapshot of its own. */
  async #openCursor(sql: string, parameters: readonly SqlValue[]): Promise<Answer> {
    if (this.#cursors.size >= CURSORS_MAX) throw unavailable(`more than ${CURSORS_MAX} streams are open`)
    const client = await this.#streamers.connect()
    try {
      await client.query('begin isolation level repeatable read, read only')
      await client.query(question(`declare page no scroll cursor for ${sql}`, parameters))
    } catch (error) {
      client.release(true)
      throw error
    }
    const cursor = ++this.#cursorsOpened
    this.#cursors.set(cursor, { client, release: (broken) => client.release(broken) })
    return { cursor }
  }

  async #nextRows(cursor: number, count: number): Promise<Answer> {
    const opened = this.#cursors.get(cursor)
    if (opened === undefined) throw new AssertionError('no such cursor')
    assert(Number.isSafeInteger(count) && count > 0, 'a count of rows')
    const answer = answered(await opened.client.query(question(`fetch ${count} from page`, [])))
    return { ...answer, done: (answer.rows?.length ?? 0) < count }
  }

  async #closeCursor(cursor: number): Promise<void> {
    const opened = this.#cursors.get(cursor)
    this.#cursors.delete(cursor)
    if (opened === undefined) return
    const broken = await opened.client.query('rollback').then(
      () => false,
      () => true,
    )
    opened.release(broken)
  }
}

function question(text: string, parameters: readonly SqlValue[]): { text: string; values: unknown[]; rowMode: 'array' } {
  const values = parameters.map((value) =>
    value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value,
  )
  return { text, values, rowMode: 'array' }
}

function answered({ fields, rows, rowCount, command }: QueryArrayResult): Answer {
  if (fields.length === 0 && command !== 'SELECT') return { changes: rowCount ?? 0 }
  return { columns: fields.map(({ name }) => name), rows: rows as SqlValue[][], changes: rowCount ?? 0 }
}

function safeInteger(text: string): number {
  const number = Number(text)
  assert(Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number), 'integers are safe')
  return number
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
const CONSTRAINTS: ReadonlyMap<string, ConstraintViolation['constraint']> = new Map([
  ['23502', 'not-null'],
  ['23503', 'foreign-key'],
  ['23505', 'unique'],
  ['23514', 'check'],
])
/** Classes of the world's troubles: connections, resources, operators, the system; a wait for locks, a transaction that others ended. */
const WORLD = /^(?:08|53|57|58|40|55|28|3D)/
const DAMAGED = /^XX00[12]$/

function translate(error: unknown): Error {
  if (error instanceof Failure || error instanceof AssertionError || error instanceof ConstraintViolation) return error
  if (!(error instanceof DatabaseError))
    return unavailable(`PostgreSQL does not answer: ${error instanceof Error ? error.message : 'no reason'}`)
  const code = error.code ?? ''
  if (code.startsWith('23')) return new ConstraintViolation(CONSTRAINTS.get(code) ?? 'other', error.message)
  if (DAMAGED.test(code))
    return new Failure('database.corrupt', {
      detail: `PostgreSQL: ${error.message}`,
      next: 'Put the database back from a backup, or rebuild it in an empty one from the locations: quorate recover.',
    })
  if (WORLD.test(code)) return unavailable(`PostgreSQL: ${error.message}`)
  return new AssertionError(`database: ${error.message}`)
}

function unavailable(detail: string): Failure {
  return new Failure('database.unavailable', { detail })
}

function refused(detail: string, next: string): Failure {
  return new Failure('database.unavailable', { detail, next })
}
