// Kysely's dialect for either database: reads go to the reader, writes take turns, a transaction keeps its turn.
import type { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from '#base'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type DatabaseIntrospector,
  type Kysely,
  type QueryCompiler,
} from 'kysely'
import { checkParameters } from './parameters.ts'
import type { Answer, Engine, SqlValue } from './protocol.ts'
import type { Turns } from './turns.ts'

/** Follows the asynchronous work that a transaction starts, to catch use of another handle inside it. */
export interface TransactionScope {
  open: boolean
}

/** What differs between the two databases above the engine. */
export interface Speech {
  createQueryCompiler(): QueryCompiler
  // oxlint-disable-next-line no-explicit-any
  createIntrospector(kysely: Kysely<any>): DatabaseIntrospector
}

export interface DialectOptions {
  readonly engine: Engine
  readonly speech: Speech
  readonly scopes: AsyncLocalStorage<TransactionScope>
  readonly turns: Turns
  /** In memory there is no second connection: reads take turns with the writes. */
  readonly oneConnection: boolean
}

export function dialect(options: DialectOptions): Dialect {
  return {
    createDriver: () => driver(options),
    createQueryCompiler: () => options.speech.createQueryCompiler(),
    createIntrospector: (kysely) => options.speech.createIntrospector(kysely),
    createAdapter: () => ({
      supportsCreateIfNotExists: true,
      supportsMultipleConnections: true,
      supportsTransactionalDdl: true,
      supportsReturning: true,
      // Migrations run in one transaction, and transactions take turns.
      acquireMigrationLock: async () => undefined,
      releaseMigrationLock: async () => undefined,
    }),
  }
}

function driver(options: DialectOptions): Driver {
  return {
    init: async () => undefined,
    acquireConnection: async () => new OpenConnection(options),
    beginTransaction: (connection) => (connection as OpenConnection).begin(),
    commitTransaction: (connection) => (connection as OpenConnection).commit(),
    rollbackTransaction: (connection) => (connection as OpenConnection).rollback(),
    releaseConnection: async () => undefined,
    destroy: async () => assert(false, 'a database is closed by its own close()'),
  }
}

/** A way to the engine: for single statements until `begin`, then for one transaction, then for nothing. */
class OpenConnection implements DatabaseConnection {
  readonly #options: DialectOptions
  #state: 'single' | 'transaction' | 'over' = 'single'
  #scope: TransactionScope | undefined
  #release: (() => void) | undefined

  constructor(options: DialectOptions) {
    this.#options = options
  }

  async begin(): Promise<void> {
    const scope = this.#options.scopes.getStore()
    assert(scope && !scope.open && this.#state === 'single', 'transactions begin by transaction() of the database')
    this.#release = await this.#options.turns.take()
    try {
      await this.#options.engine.call({ kind: 'begin' })
    } catch (error) {
      this.#end()
      throw error
    }
    this.#state = 'transaction'
    this.#scope = scope
    scope.open = true
  }

  async commit(): Promise<void> {
    await this.#options.engine.call({ kind: 'commit' })
    this.#end()
  }

  async rollback(): Promise<void> {
    try {
      await this.#options.engine.call({ kind: 'rollback' })
    } finally {
      this.#end()
    }
  }

  #end(): void {
    this.#state = 'over'
    if (this.#scope) this.#scope.open = false
    this.#release?.()
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#state === 'transaction') return this.#run('writer', query)
    this.#assertOutside()
    if (onlyReads(query) && !this.#options.oneConnection) return this.#run('reader', query)
    const release = await this.#options.turns.take()
    try {
      return await this.#run('writer', query)
    } finally {
      release()
    }
  }

  /** Rows of a snapshot, `chunkSize` at a time. */
  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    // Kysely holds the connection while it streams: a second statement in the loop would wait for ever.
    assert(this.#state === 'single', 'inside a transaction rows are read in pages, not streamed')
    this.#assertOutside()
    assert(onlyReads(query), 'only a select can be streamed')
    const { cursor } = await this.#openCursor(query)
    assert(cursor !== undefined, 'a cursor has a number')
    try {
      for (let done = false; !done;) {
        const page = await this.#options.engine.call({ kind: 'cursor-next', cursor, count: chunkSize })
        done = page.done === true
        yield { rows: objects<R>(page) }
      }
    } finally {
      await this.#options.engine.call({ kind: 'cursor-close', cursor })
    }
  }

  async #openCursor({ sql, parameters }: CompiledQuery): Promise<Answer> {
    checkParameters(parameters)
    const release = this.#options.oneConnection ? await this.#options.turns.take() : undefined
    try {
      return await this.#options.engine.call({ kind: 'cursor-open', sql, parameters })
    } finally {
      release?.()
    }
  }

  #assertOutside(): void {
    assert(this.#state !== 'over', 'the handle of a transaction is used after its end')
    assert(!this.#options.scopes.getStore()?.open, 'inside a transaction only its own handle is used')
  }

  async #run<R>(on: 'writer' | 'reader', { sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    checkParameters(parameters)
    const transaction = this.#state === 'transaction'
    const answer = await this.#options.engine.call({ kind: 'run', on, transaction, sql, parameters })
    const rows = objects<R>(answer)
    if (query.kind === 'SelectQueryNode') return { rows }
    return { rows, numAffectedRows: BigInt(answer.changes ?? rows.length) }
  }
}

/** Rooms write no select that changes anything. */
function onlyReads({ query, sql }: CompiledQuery): boolean {
  return query.kind === 'SelectQueryNode' || (query.kind === 'RawNode' && /^\s*(?:select|values|explain)\b/i.test(sql))
}

function objects<R>({ columns = [], rows = [] }: Answer): R[] {
  return rows.map((row) => {
    const object: Record<string, SqlValue> = {}
    for (const [index, column] of columns.entries()) object[column] = row[index]!
    return object as R
  })
}
