// A clock for tests that goes by the turns of the event loop: a machine under load makes it slower, never unjust.
// Work in this process that is ready to go on always goes on before a wait is over.
import { type Clock, Failure } from '#base'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** One millisecond passes in a turn of at least a millisecond, however long the turn was. */
export function turnClock(): Clock {
  let nowMs = Date.now()
  const sleepers = new Set<Sleeper>()
  let ticking: NodeJS.Timeout | undefined
  const tick = (): void => {
    nowMs += 1
    for (const sleeper of sleepers) if (sleeper.dueMs <= nowMs) sleeper.wake()
    ticking = sleepers.size === 0 ? undefined : setTimeout(tick, 1)
  }
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper: Sleeper = { dueMs: nowMs + Math.max(1, ms), wake: () => leave(resolve) }
        const cancel = (): void => leave(() => reject(new Failure('base.cancelled')))
        const leave = (then: () => void): void => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', cancel)
          then()
        }
        if (signal?.aborted === true) {
          reject(new Failure('base.cancelled'))
          return
        }
        signal?.addEventListener('abort', cancel, { once: true })
        sleepers.add(sleeper)
        ticking ??= setTimeout(tick, 1)
      }),
  }
}
