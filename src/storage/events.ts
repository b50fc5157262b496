// What happens, told to whoever listens: bounded for each listener, and the last status always arrives.
import type { SiteEvent } from '#contract'

const QUEUE_MAX = 64

interface Listener {
  readonly queue: SiteEvent[]
  wake: () => void
}

export class Events {
  readonly #listeners = new Set<Listener>()

  get listeners(): number {
    return this.#listeners.size
  }

  tell(event: SiteEvent): void {
    for (const listener of this.#listeners) {
      if (event.kind === 'status' || event.kind === 'task') {
        const same = listener.queue.findIndex(
          (one) => one.kind === event.kind && (one.kind !== 'task' || event.kind !== 'task' || one.task.id === event.task.id),
        )
        if (same >= 0) listener.queue.splice(same, 1)
      }
      if (listener.queue.length < QUEUE_MAX || event.kind === 'status') listener.queue.push(event)
      listener.wake()
    }
  }

  /** Ends when the signal aborts. */
  async *listen(signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const listener: Listener = { queue: [], wake: () => undefined }
    const aborted = (): void => listener.wake()
    signal.addEventListener('abort', aborted)
    this.#listeners.add(listener)
    try {
      while (!signal.aborted) {
        const event = listener.queue.shift()
        if (event !== undefined) yield event
        else {
          await new Promise<void>((resolve) => {
            listener.wake = resolve
          })
        }
      }
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', aborted)
    }
  }
}
