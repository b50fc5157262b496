// How fast a change may go: bytes a second and pauses, set while it runs.
import { type Clock, Failure } from '#base'

/** A change may be so many seconds ahead of its pace, so that small files are not held up one by one. */
const AHEAD_SECONDS = 1

export class ChangePace {
  readonly #clock: Clock
  #bytesPerSecond = 0
  #paused = false
  #allowance = 0
  #filledMs: number
  #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#filledMs = clock.now()
  }

  /** 0 = as fast as it goes. */
  set(pace: { readonly bytesPerSecond: number; readonly paused: boolean }): void {
    this.#bytesPerSecond = pace.bytesPerSecond
    this.#paused = pace.paused
    this.#allowance = Math.min(this.#allowance, pace.bytesPerSecond * AHEAD_SECONDS)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** Waits until so many bytes may go. Rejects with `base.cancelled`. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw new Failure('base.cancelled')
      if (!this.#paused) {
        if (this.#bytesPerSecond === 0) return
        const now = this.#clock.now()
        const earned = ((now - this.#filledMs) / 1000) * this.#bytesPerSecond
        this.#allowance = Math.min(this.#allowance + earned, this.#bytesPerSecond * AHEAD_SECONDS)
        this.#filledMs = now
        // A piece larger than a second's worth goes when the debt of those before it is paid.
        if (this.#allowance >= 0) {
          this.#allowance -= bytes
          return
        }
      }
      await this.#wait(signal)
    }
  }

  /** Until the pace is set anew, the work is cancelled, or the debt is paid. */
  async #wait(signal: AbortSignal): Promise<void> {
    const ms = this.#paused ? undefined : Math.max(1, Math.ceil((-this.#allowance / this.#bytesPerSecond) * 1000))
    const woken = new AbortController()
    const wake = (): void => woken.abort()
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    try {
      if (ms === undefined) {
        await new Promise<void>((resolve) => {
          if (woken.signal.aborted || signal.aborted) resolve()
          else woken.signal.addEventListener('abort', () => resolve(), { once: true })
        })
      } else await this.#clock.sleep(ms, woken.signal).catch(() => undefined)
    } finally {
      this.#waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    }
  }
}
