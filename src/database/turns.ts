// One writer at a time, first come first served, with a bound on the waiting.
import { Failure } from '#base'

export interface Turns {
  /** Resolves when it is the caller's turn, with the function that ends it; `database.unavailable` after too long a wait. */
  take(): Promise<() => void>
  /** How the turns went until now. */
  readonly load: TurnLoad
}

export interface TurnLoad {
  /** Callers that wait now. */
  readonly waiting: number
  /** Turns that did not come at once, and how long all of them waited. */
  readonly waits: number
  readonly waitedMs: number
}

interface Waiting {
  readonly start: () => void
}

export function createTurns({ waitMs, waitingMax }: { readonly waitMs: number; readonly waitingMax: number }): Turns {
  const queue = new Set<Waiting>()
  let taken = false
  let waits = 0
  let waitedMs = 0

  function end(): void {
    const [next] = queue
    if (next === undefined) {
      taken = false
      return
    }
    queue.delete(next)
    next.start()
  }

  /** A turn that can be ended only once. */
  function begun(): () => void {
    let over = false
    return () => {
      if (!over) end()
      over = true
    }
  }

  return {
    get load() {
      return { waiting: queue.size, waits, waitedMs }
    },
    take: async () => {
      if (!taken) {
        taken = true
        return begun()
      }
      if (queue.size >= waitingMax)
        throw new Failure('database.unavailable', { detail: `more than ${waitingMax} writes wait for their turn` })
      const began = performance.now()
      waits += 1
      const over = (): void => void (waitedMs += performance.now() - began)
      return new Promise((resolve, reject) => {
        const waiting = {
          start: () => {
            over()
            clearTimeout(timer)
            resolve(begun())
          },
        }
        const timer = setTimeout(() => {
          queue.delete(waiting)
          over()
          reject(new Failure('database.unavailable', { detail: `another transaction has been open for ${waitMs} ms` }))
        }, waitMs)
        queue.add(waiting)
      })
    },
  }
}
