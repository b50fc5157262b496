// The SQLite connections of one database: one that writes, one that only reads, and one for each open cursor. Everything here blocks.
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Answer, Refusal, Request, SqlValue } from './protocol.ts'

/** Another process may hold the file for this long before we give up. */
const BUSY_MS = 10_000
/** https://www.sqlite.org/rescode.html#abort */
const SQLITE_ABORT = 4
const STATEMENTS_KEPT_MAX = 200
const CURSORS_MAX = 32

interface Connection {
  readonly database: DatabaseSync
  /** Least recently used first. */
  readonly statements: Map<string, Prepared>
}

interface Prepared {
  readonly statement: StatementSync
  /** Empty for a statement that returns no rows. */
  readonly columns: readonly string[]
}

interface Cursor {
  readonly columns: readonly string[]
  readonly rows: Iterator<unknown>
  close(): void
}

export interface SqliteConnections {
  /** Throws SQLite's own errors; `refusalOf` says them. */
  answer(request: Request): Answer
}

export function openSqlite(file: string): SqliteConnections {
  const memory = file === ':memory:'
  const writer = connect('writer')
  const reader = memory ? writer : connect('reader')
  const cursors = new Map<number, Cursor>()
  let cursorsOpened = 0
  return { answer }

  function answer(request: Request): Answer {
    switch (request.kind) {
      case 'run':
        return run(request.on === 'writer' ? writer : reader, request)
      case 'begin':
        writer.database.exec('begin immediate')
        return {}
      case 'commit':
        writer.database.exec('commit')
        return {}
      case 'rollback':
        // SQLite has rolled back by itself after errors such as a full disk.
        if (writer.database.isTransaction) writer.database.exec('rollback')
        return {}
      case 'cursor-open':
        return openCursor(request.sql, request.parameters)
      case 'cursor-next':
        return nextRows(request.cursor, request.count)
      case 'cursor-close':
        cursors.get(request.cursor)?.close()
        cursors.delete(request.cursor)
        return {}
      case 'close':
        return close()
      default:
        return request satisfies never
    }
  }

  function run(connection: Connection, request: Request & { kind: 'run' }): Answer {
    // After an error of the disk SQLite has rolled back by itself; what follows must not be committed on its own.
    const open = connection.database.isTransaction
    if (request.on === 'writer' && open !== request.transaction)
      throw Object.assign(new Error('the transaction is over'), open ? {} : { errcode: SQLITE_ABORT })
    const { statement, columns } = prepare(connection, request.sql)
    const parameters = bound(request.parameters)
    if (columns.length === 0) return { changes: Number(statement.run(...parameters).changes) }
    return { columns, rows: statement.all(...parameters) as unknown as SqlValue[][] }
  }

  /** Each cursor reads a snapshot of its own, so that the reader's next statement sees what was committed meanwhile. */
  function openCursor(sql: string, parameters: readonly SqlValue[]): Answer {
    if (cursors.size >= CURSORS_MAX) throw Object.assign(new Error(`more than ${CURSORS_MAX} streams are open`), { errcode: 5 })
    const connection = memory ? writer : connect('reader')
    const { statement, columns } = prepare(connection, sql)
    // In memory there is one connection, which a cursor would block: there the rows are taken at once.
    const rows = memory ? statement.all(...bound(parameters)).values() : statement.iterate(...bound(parameters))
    const cursor = ++cursorsOpened
    cursors.set(cursor, { columns, rows, close: () => memory || connection.database.close() })
    return { cursor }
  }

  function nextRows(cursor: number, count: number): Answer {
    const opened = cursors.get(cursor)
    if (!opened) throw new Error('no such cursor')
    const rows: SqlValue[][] = []
    while (rows.length < count) {
      const next = opened.rows.next()
      if (next.done) return { columns: opened.columns, rows, done: true }
      rows.push(next.value as SqlValue[])
    }
    return { columns: opened.columns, rows, done: false }
  }

  function close(): Answer {
    for (const cursor of cursors.values()) cursor.close()
    if (!memory) reader.database.close()
    if (writer.database.isTransaction) writer.database.exec('rollback')
    writer.database.exec('pragma optimize')
    writer.database.close()
    return {}
  }

  function connect(role: 'writer' | 'reader'): Connection {
    if (role === 'writer' && !memory) create()
    const database = new DatabaseSync(file, {
      readOnly: role === 'reader',
      timeout: BUSY_MS,
      enableForeignKeyConstraints: true,
      returnArrays: true,
      allowExtension: false,
    })
    database.exec('pragma trusted_schema = off')
    database.exec('pragma cell_size_check = on')
    if (role === 'writer' && !memory) {
      database.exec('pragma journal_mode = wal')
      database.exec('pragma synchronous = full')
      // On Apple machines fsync alone leaves the bytes in the drive's cache.
      database.exec('pragma fullfsync = on')
      database.exec('pragma journal_size_limit = 67108864')
    }
    return { database, statements: new Map() }
  }

  /** Makes the file readable by its owner only, and its name durable; SQLite gives its companions the same mode. */
  function create(): void {
    if (existsSync(file)) return
    closeSync(openSync(file, 'a', 0o600))
    const folder = openSync(dirname(file), 'r')
    fsyncSync(folder)
    closeSync(folder)
  }
}

function prepare({ database, statements }: Connection, sql: string): Prepared {
  const known = statements.get(sql)
  if (known) {
    statements.delete(sql)
    statements.set(sql, known)
    return known
  }
  const statement = database.prepare(sql)
  const prepared = { statement, columns: statement.columns().map((column) => column.name) }
  statements.set(sql, prepared)
  if (statements.size > STATEMENTS_KEPT_MAX) statements.delete(statements.keys().next().value!)
  return prepared
}

/** node:sqlite binds every number as a real; integers are to stay integers. */
function bound(parameters: readonly SqlValue[]): (SqlValue | bigint)[] {
  return parameters.map((value) => (Number.isInteger(value) ? BigInt(value as number) : value))
}

export function refusalOf(error: unknown): Refusal {
  const { errcode, message } = error as { errcode?: number; message?: string }
  return { code: errcode, message: message ?? String(error) }
}
