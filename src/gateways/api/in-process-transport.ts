// The calls of the API without a socket: bytes pass from hand to hand, so nothing is copied and nothing is buffered.
import { randomUUID } from 'node:crypto'
import type { Actor, Door } from '#access'
import { Failure, isFailure } from '#base'
import type { Transport, TransportRequest } from '#contract'
import type { Identity } from '#identity'
import { once, problemAnswer, type Answer, type ApiRequest } from './answer.ts'
import { createDispatch, findRoute } from './dispatch.ts'
import { splitTarget } from './query.ts'
import { operatorAtTheMachine, visitOf } from './visitor.ts'

/** A transport to a door in this process, for its operator. What the body itself throws comes back as it was thrown. */
export function inProcessTransport(door: Door, people?: { readonly identity: Identity; readonly operator: Actor }): Transport {
  const dispatch = createDispatch()
  const visitor = operatorAtTheMachine(people?.operator ?? { kind: 'local', name: 'local' })
  return async (request) => {
    const watched = watch(request)
    try {
      const name = findRoute(request.method, splitTarget(request.target).path)
      if (name === 'openSession') throw new Failure('api.not-found')
      const answer = await dispatch(visitOf(visitor, { enter: () => door }, people?.identity), name, watched.request)
      return request.method === 'HEAD' ? { ...answer, body: await emptied(answer) } : answer
    } catch (error) {
      if (request.signal?.aborted === true && isFailure(error, 'base.cancelled')) throw error
      if (watched.thrown !== undefined) throw watched.thrown.error
      return problemAnswer(error, `urn:uuid:${randomUUID()}`)
    }
  }
}

interface Watched {
  readonly request: ApiRequest
  thrown: { readonly error: unknown } | undefined
}

/** Remembers whether it was the caller's own body that failed: then that is the news, not what the site made of it. */
function watch(request: TransportRequest): Watched {
  const watched: Watched = {
    thrown: undefined,
    request: {
      method: request.method,
      target: request.target,
      headers: request.headers,
      body: body(),
      signal: request.signal ?? new AbortController().signal,
    },
  }
  async function* body(): AsyncIterableIterator<Uint8Array> {
    try {
      yield* untilAborted(bytesOf(request), request.signal)
    } catch (error) {
      watched.thrown = { error }
      throw error
    }
  }
  return watched
}

function bytesOf(request: TransportRequest): AsyncIterable<Uint8Array> {
  if (request.body === undefined) return once(new Uint8Array(0))
  return request.body instanceof Uint8Array ? once(request.body) : request.body
}

/** Also ends the wait for a source that says nothing, as a keyboard may. */
async function* untilAborted(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncIterableIterator<Uint8Array> {
  if (signal === undefined) {
    yield* body
    return
  }
  const parts = body[Symbol.asyncIterator]()
  let waiting = false
  try {
    for (;;) {
      waiting = true
      const result = await orAborted(parts.next(), signal)
      waiting = false
      if (result.done === true) return
      yield result.value
    }
  } finally {
    // A source that is still being asked cannot be closed before it answers; nobody waits for that.
    if (!waiting) await parts.return?.()
  }
}

function orAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => reject(new Failure('base.cancelled'))
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel))
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  })
}

async function emptied(answer: Answer): Promise<Answer['body']> {
  await answer.body.return?.()
  return once(new Uint8Array(0))
}
