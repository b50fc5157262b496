// The body of a Node request as a stream that is either whole or throws, and that says who fell silent.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '#base'

export interface BodyBounds {
  /** Longest wait for the next bytes. Time in which we do not ask for more does not count. */
  readonly silenceMs: number
  /** Longest time for the whole body; undefined for uploads. */
  readonly totalMs?: number | undefined
  /** Hears how many bytes came. */
  readonly count?: ((bytes: number) => void) | undefined
}

/** Asks a client that waits for it (Expect: 100-continue) to go on only when the first bytes are wanted. */
export async function* requestBody(
  request: IncomingMessage,
  response: ServerResponse,
  bounds: BodyBounds,
): AsyncIterableIterator<Uint8Array> {
  if (expectsContinue(request) && !response.headersSent) response.writeContinue()
  const arrivals = watchArrivals(request, bounds)
  try {
    for (;;) {
      const part = request.read() as Buffer | null
      if (part !== null) {
        bounds.count?.(part.length)
        yield part
      } else if (request.readableEnded) break
      else if (request.destroyed) throw cut(request.errored)
      else await arrivals.next()
    }
  } finally {
    arrivals.stop()
  }
  if (!request.complete) throw cut(undefined)
}

export function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue'
}

function cut(cause: unknown): Failure {
  return new Failure('base.cancelled', { detail: 'The connection ended before the body did.', cause })
}

interface Arrivals {
  /** Resolves when there is something to read or nothing will come any more; rejects with `api.timeout` when it takes too long. */
  next(): Promise<void>
  stop(): void
}

/** One timer for the silence and one for the whole, however many parts there are. */
function watchArrivals(request: IncomingMessage, bounds: BodyBounds): Arrivals {
  let waiting: PromiseWithResolvers<void> | undefined
  const wake = (): void => waiting?.resolve()
  const late = (): void => waiting?.reject(new Failure('api.timeout', { next: 'Send the request again.' }))
  const silence = setTimeout(late, bounds.silenceMs)
  const total = bounds.totalMs === undefined ? undefined : setTimeout(late, bounds.totalMs)
  request.on('readable', wake).on('end', wake).on('close', wake).on('error', wake)
  return {
    next() {
      silence.refresh()
      waiting = Promise.withResolvers()
      return waiting.promise
    },
    stop() {
      waiting = undefined
      clearTimeout(silence)
      clearTimeout(total)
      request.off('readable', wake).off('end', wake).off('close', wake)
    },
  }
}
