// The one class for what goes wrong in the world. Our own mistakes are assertions.
import { CODES, STATUS_OF_KIND, type FailureCode, type FailureKind } from './codes.ts'

export interface FailureDetails {
  /** What happened, in one plain sentence without secrets. Defaults to the title of the code. */
  readonly detail?: string
  /** What the person can do next. */
  readonly next?: string
  /** Locations, parties or files at fault. */
  readonly culprits?: readonly string[]
  readonly cause?: unknown
}

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly next: string | undefined
  readonly culprits: readonly string[]

  constructor(code: FailureCode, details: FailureDetails = {}) {
    super(details.detail ?? CODES[code].title, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.next = details.next
    this.culprits = details.culprits ?? []
  }

  get kind(): FailureKind {
    return CODES[this.code].kind
  }

  get title(): string {
    return CODES[this.code].title
  }

  get status(): number {
    const row: { readonly kind: FailureKind; readonly status?: number } = CODES[this.code]
    return row.status ?? STATUS_OF_KIND[row.kind]
  }

  /** True when the same call may succeed later unchanged. */
  get retry(): boolean {
    return CODES[this.code].retry
  }
}

/** True for a `Failure`, of the given code if one is named. */
export function isFailure(error: unknown, code?: FailureCode): error is Failure {
  return error instanceof Failure && (code === undefined || error.code === code)
}

/** Stops the process's current work: only our own mistakes come here. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionError(what)
}

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** For the default branch of a switch over a union. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
