// Writes an answer to a Node response: at the pace of the reader, and never as if it were whole when it is not.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '#base'
import type { Answer } from './answer.ts'

export interface WriteBounds {
  /** Longest time in which the reader takes nothing; undefined waits as long as the connection lives. */
  readonly silenceMs?: number | undefined
  /** Hears how many bytes the connection took. */
  readonly count?: ((bytes: number) => void) | undefined
}

/** Sent with every answer. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
} as const

/** Throws what cut the answer off; the connection is destroyed then, so that the reader knows. */
export async function writeAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer, bounds: WriteBounds): Promise<void> {
  try {
    if (response.destroyed) throw new Failure('base.cancelled')
    response.writeHead(answer.status, { ...SECURITY_HEADERS, ...answer.headers })
    if (request.method === 'HEAD') await answer.body.return?.()
    else {
      for await (const part of answer.body) {
        await taken(response, part, bounds)
        bounds.count?.(part.length)
      }
    }
    response.end()
  } catch (error) {
    response.destroy()
    await answer.body.return?.()
    throw error
  }
}

/** Resolves when the connection has taken the part: its bytes may be used again then. */
function taken(response: ServerResponse, part: Uint8Array, bounds: WriteBounds): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = bounds.silenceMs === undefined ? undefined : setTimeout(() => leave(new Failure('api.timeout')), bounds.silenceMs)
    const gone = (): void => leave(new Failure('base.cancelled'))
    const leave = (failure: Failure | undefined): void => {
      clearTimeout(timer)
      response.off('close', gone)
      if (failure === undefined) resolve()
      else reject(failure)
    }
    response.on('close', gone)
    if (response.destroyed) gone()
    else response.write(part, (error) => leave(error == null ? undefined : new Failure('base.cancelled', { cause: error })))
  })
}
