// What a gateway writes into the log: which route, which outcome, how long. Never a path of a file, a body or a header.
import { Failure, tracesOf } from '#base'

/** Pino has this shape. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface Outcome {
  readonly instance: string
  readonly method: string
  /** The pattern of the table, never the address with its values. */
  readonly route: string
  readonly status: number
  readonly code?: string | undefined
  readonly milliseconds: number
}

/** One line for one request. What nobody foresaw comes with its places in our code, without its words, which may name files. */
export function record(log: Log, outcome: Outcome, error?: unknown): void {
  if (error === undefined || (error instanceof Failure && error.code !== 'base.internal')) log.info(outcome, 'request')
  else log.error({ ...outcome, causes: tracesOf(error) }, 'request failed unexpectedly')
}
