// What a gateway writes into the log: which route, which outcome, how long. Never a path of a file, a body or a header.
import { Failure } from '#base'

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

const CAUSES_MAX = 5
const FRAMES_MAX = 12

/** One line for one request. What nobody foresaw comes with its places in our code, without its words, which may name files. */
export function record(log: Log, outcome: Outcome, error?: unknown): void {
  if (error === undefined || (error instanceof Failure && error.code !== 'base.internal')) log.info(outcome, 'request')
  else log.error({ ...outcome, causes: causes(error) }, 'request failed unexpectedly')
}

/** Names, codes and stack frames of an error and its causes. */
function causes(error: unknown): readonly object[] {
  const rows: object[] = []
  for (let cause: unknown = error; cause instanceof Error && rows.length < CAUSES_MAX; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
    const frames = (cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
    rows.push({ name: cause.name, code, at: frames.slice(0, FRAMES_MAX).map((line) => line.trim()) })
  }
  return rows
}
