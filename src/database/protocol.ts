// What is said between the program and what runs its SQL: the thread that owns SQLite, or the connections to PostgreSQL. Type only: the thread
// imports nothing of ours.

/** What a column or a parameter holds. Integers are safe integers. */
export type SqlValue = null | number | string | Uint8Array

export type Request =
  | {
      readonly kind: 'run'
      readonly on: 'writer' | 'reader'
      readonly transaction: boolean
      readonly sql: string
      readonly parameters: readonly SqlValue[]
    }
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'close' }
  | { readonly kind: 'cursor-open'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  | { readonly kind: 'cursor-next'; readonly cursor: number; readonly count: number }
  | { readonly kind: 'cursor-close'; readonly cursor: number }

export interface Answer {
  readonly columns?: readonly string[]
  readonly rows?: readonly (readonly SqlValue[])[]
  /** Rows inserted, updated or deleted by a statement that returns none. */
  readonly changes?: number
  readonly cursor?: number
  readonly done?: boolean
}

/** `code` is SQLite's extended result code, absent when the thread itself refused. */
export interface Refusal {
  readonly code?: number | undefined
  readonly message: string
}

export interface ToThread {
  readonly id: number
  readonly request: Request
}

export interface FromThread {
  readonly id: number
  readonly answer?: Answer
  readonly refusal?: Refusal
}

/** One of the two databases, as the dialect uses it. */
export interface Engine {
  /** Throws `database.unavailable`, a `ConstraintViolation`, or an `AssertionError` for SQL that is wrong in itself. */
  call(request: Request): Promise<Answer>
  /** Closes the connections; never throws. */
  stop(): Promise<void>
}
