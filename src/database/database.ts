// The face of the database, embedded or PostgreSQL: typed queries, transactions one at a time, migrations brought by the rooms.
import { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from '#base'
import { Kysely, type Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import { dialect, type TransactionScope } from './dialect.ts'
import { migrate } from './migrations.ts'
import type { PostgresOptions } from './postgres.ts'
import type { Engine } from './protocol.ts'
import { postgresSpeech, sqliteSpeech } from './speech.ts'
import { startSqliteThread } from './sqlite-thread.ts'
import { createTurns, type TurnLoad } from './turns.ts'

export {
  type Generated,
  type Insertable,
  type Kysely,
  type RawBuilder,
  type Selectable,
  sql,
  type Transaction,
  type Updateable,
} from 'kysely'
export type { Migration } from 'kysely/migration'
export { ConstraintViolation, isUniqueViolation } from './constraint-violation.ts'
export { insertMany } from './insert-many.ts'

export interface Database<Tables> {
  /** For single statements. A write through it waits for the open transaction; a read does not. Never used inside a transaction. */
  readonly kysely: Kysely<Tables>
  /**
   * Runs `work` in a transaction of its own: all of it is durable when the promise resolves, none of it when it rejects.
   * Transactions run one after the other. Inside, only `tx` is used: anything else on this database is an assertion.
   */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>
  /** How writes wait for each other. */
  readonly load: TurnLoad
  /** Waits for the open transaction, then closes. Later calls are `database.unavailable`. */
  close(): Promise<void>
}

export type { PostgresOptions } from './postgres.ts'
export type { TurnLoad } from './turns.ts'

/** A file of SQLite in an existing folder (or `:memory:`), a schema of a PostgreSQL server, or an engine of a test that speaks SQLite's SQL. */
export type DatabasePlace = { readonly file: string } | { readonly postgres: PostgresOptions } | { readonly engine: Engine }

export type DatabaseOptions = DatabasePlace & {
  /** Named ROOM-NNNN or ROOM-NNNN-what, NNNN counting from 0001 without gaps. */
  readonly migrations: Readonly<Record<string, Migration>>
}

/** How long a write may wait for the transactions before it, and how many may wait. */
const TURN_WAIT_MS = 60_000
const TURNS_WAITING_MAX = 10_000

/**
 * Opens or creates a database and brings it to the newest version. Throws `database.version` when a newer program wrote it,
 * `database.unavailable` when it cannot be opened.
 */
export async function openDatabase<Tables>({ migrations, ...place }: DatabaseOptions): Promise<Database<Tables>> {
  const engine = await engineOf(place)
  const scopes = new AsyncLocalStorage<TransactionScope>()
  const turns = createTurns({ waitMs: TURN_WAIT_MS, waitingMax: TURNS_WAITING_MAX })
  const kysely = new Kysely<Tables>({
    dialect: dialect({
      engine,
      speech: 'postgres' in place ? postgresSpeech : sqliteSpeech,
      scopes,
      turns,
      oneConnection: 'file' in place && place.file === ':memory:',
    }),
  })
  let closing: Promise<void> | undefined

  const database: Database<Tables> = {
    kysely,
    get load() {
      return turns.load
    },
    transaction: async (work) => {
      assert(!scopes.getStore()?.open, 'a transaction begins inside another; pass the handle of the outer one on')
      return scopes.run({ open: false }, () => kysely.transaction().execute(work))
    },
    close: () => {
      assert(!scopes.getStore()?.open, 'a database is closed inside its own transaction')
      closing ??= close()
      return closing
    },
  }

  async function close(): Promise<void> {
    // An engine that is gone or a transaction that does not end: what is not committed is lost either way.
    const release = await turns.take().catch(() => undefined)
    await engine.stop()
    release?.()
  }

  try {
    await migrate(database, migrations)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function engineOf(place: DatabasePlace): Promise<Engine> {
  if ('engine' in place) return place.engine
  if ('file' in place) return startSqliteThread(place.file)
  // The library for PostgreSQL is loaded by those who use it.
  const { startPostgres } = await import('./postgres.ts')
  return startPostgres(place.postgres)
}
