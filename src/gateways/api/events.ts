// Server-sent events: one `data:` line of JSON an event, and a comment now and then so that a dead connection is noticed.
import type { Door } from '#access'
import { Refusal, type Answer } from './answer.ts'

export interface EventBounds {
  readonly listenersMax: number
  readonly heartbeatMs: number
}

/** A bounded number of listeners; each ends when its signal aborts. */
export function createEvents(bounds: EventBounds): (door: Door, signal: AbortSignal) => Answer {
  let listeners = 0
  return (door, signal) => {
    if (listeners >= bounds.listenersMax) {
      throw new Refusal(
        'api.busy',
        { 'retry-after': '5' },
        {
          detail: `${bounds.listenersMax} pages listen already.`,
          next: 'Close a page of this site and try again.',
        },
      )
    }
    listeners += 1
    let open = true
    const leave = (): void => {
      if (open) listeners -= 1
      open = false
    }
    signal.addEventListener('abort', leave, { once: true })
    const source = door.events(signal)[Symbol.asyncIterator]()
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      body: listen(source, { heartbeatMs: bounds.heartbeatMs, signal, leave }),
    }
  }
}

async function* listen(
  source: AsyncIterator<unknown>,
  options: { readonly heartbeatMs: number; readonly signal: AbortSignal; readonly leave: () => void },
): AsyncIterableIterator<Uint8Array> {
  let next = source.next()
  try {
    yield Buffer.from(': quorate\n\n')
    while (!options.signal.aborted) {
      const result = await orHeartbeat(next, options.heartbeatMs)
      if (result === undefined) yield Buffer.from(':\n\n')
      else if (result.done === true) return
      else {
        next = source.next()
        yield Buffer.from(`data: ${JSON.stringify(result.value)}\n\n`)
      }
    }
  } finally {
    options.leave()
    next.catch(() => {})
    await source.return?.()
  }
}

async function orHeartbeat<T>(next: Promise<T>, heartbeatMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const beat = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), heartbeatMs)
  })
  try {
    return await Promise.race([next, beat])
  } finally {
    clearTimeout(timer)
  }
}
