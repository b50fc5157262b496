// A request and its answer, independent of how they travel.
import { Failure, type FailureCode, type FailureDetails } from '#base'
import { toProblem } from '#contract'

export interface ApiRequest {
  readonly method: string
  /** Path with query. */
  readonly target: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Throws when it ends before it should. */
  readonly body: AsyncIterable<Uint8Array>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Who does not read it to the end must call its `return`. A throw means that the answer is not whole. */
  readonly body: AsyncIterableIterator<Uint8Array>
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return bytesAnswer({ status, type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) })
}

export function bytesAnswer(request: { status: number; type: string; bytes: Uint8Array; headers?: Record<string, string> }): Answer {
  return {
    status: request.status,
    headers: {
      'content-type': request.type,
      'content-length': String(request.bytes.length),
      'cache-control': 'no-store',
      ...request.headers,
    },
    body: once(request.bytes),
  }
}

/** A failure whose answer needs headers of its own. */
export class Refusal extends Failure {
  readonly headers: Readonly<Record<string, string>>

  constructor(code: FailureCode, headers: Readonly<Record<string, string>>, details?: FailureDetails) {
    super(code, details)
    this.headers = headers
  }
}

/** The problem document of a failure; whatever else was thrown is `base.internal` outside. */
export function problemAnswer(error: unknown, instance: string, headers: Record<string, string> = {}): Answer {
  const problem = toProblem(error, instance)
  const bytes = Buffer.from(JSON.stringify(problem))
  const own = error instanceof Refusal ? error.headers : {}
  return bytesAnswer({ status: problem.status, type: 'application/problem+json', bytes, headers: { ...headers, ...own } })
}

/** The code under which outsiders see an error. */
export function codeOf(error: unknown): string {
  return error instanceof Failure ? error.code : 'base.internal'
}

export async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
