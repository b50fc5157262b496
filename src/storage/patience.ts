// Waiting for places that may never answer: with a bound, and without leaving anything behind.
import { type Clock, Failure } from '#base'

/** How long a location may take, and what it is called when it does not answer. */
export interface Patience {
  readonly clock: Clock
  readonly ms: number
  readonly label: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Settles as `work` does, or rejects with `location.stalled` when it has not after `ms`, or `base.cancelled` when the signal fires. Then the
 * signal that `work` was given fires too; what it still answers goes to `late`, so that it can be closed.
 */
export async function within<T>(
  patience: Patience & { readonly late?: (answer: T) => unknown },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, ms, label, signal, late } = patience
  if (signal?.aborted) throw new Failure('base.cancelled')
  const stop = new AbortController()
  const timer = new AbortController()
  let settled = false
  return new Promise<T>((resolve, reject) => {
    const end = (): boolean => {
      if (settled) return false
      settled = true
      timer.abort()
      signal?.removeEventListener('abort', cancel)
      return true
    }
    const leave = (failure: Failure): void => {
      if (!end()) return
      stop.abort()
      reject(failure)
    }
    const cancel = (): void => leave(new Failure('base.cancelled'))
    signal?.addEventListener('abort', cancel, { once: true })
    clock.sleep(ms, timer.signal).then(
      () => leave(stalled(label, ms)),
      () => undefined,
    )
    work(stop.signal).then(
      (answer) => {
        if (end()) resolve(answer)
        else void Promise.resolve(late?.(answer)).catch(() => undefined)
      },
      (error: unknown) => {
        if (end()) reject(error)
      },
    )
  })
}

export function stalled(label: string, ms: number): Failure {
  return new Failure('location.stalled', {
    detail: `${label} has not answered for ${ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`}`,
    culprits: [label],
    next: `Check ${label}; the vault goes on without it, and repair brings what it missed.`,
  })
}

/** Rung when something has happened; whoever waits looks again. */
export class Bell {
  #rung = false
  #wake: () => void = () => undefined

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  /** Resolves at the next ring (at once when it rang since the last wait), or after `ms`. One waiter at a time. */
  async wait(clock: Clock, ms: number): Promise<'rung' | 'late'> {
    if (!this.#rung) {
      const timer = new AbortController()
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const slept = clock.sleep(ms, timer.signal).catch(() => undefined)
      await Promise.race([rung, slept])
      timer.abort()
    }
    const outcome = this.#rung ? 'rung' : 'late'
    this.#rung = false
    return outcome
  }
}
