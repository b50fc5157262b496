// One request for a run of bytes that several reads take in order, each straight into its view. It flows only as far as somebody reads: what
// nobody has asked for waits in the connection, so that the memory it takes is that of one chunk of a socket.
import { type Clock, Failure, assert } from '#base'
import { webBounds } from '../bounds.ts'
import type { BodyTaker } from './exchange.ts'

interface Waiting {
  /** Undefined once the reader has left: its bytes go nowhere. */
  into: Uint8Array | undefined
  readonly length: number
  got: number
  readonly settle: (outcome: 'filled' | 'alone' | Failure) => void
}

export class ReadAhead {
  readonly #last: number
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #queue: Waiting[] = []
  /** Where the next read has to begin. */
  #asked: number
  /** Came before anybody asked for it. */
  #held: Buffer | undefined
  #resume: () => void = () => undefined
  #over = false
  #left = false
  #idle: AbortController | undefined

  constructor(
    range: { readonly first: number; readonly last: number },
    how: {
      readonly clock: Clock
      readonly signal: AbortSignal
      /** Sends the request; answers whether the body came. */
      readonly request: (taker: BodyTaker, stop: AbortSignal) => Promise<boolean>
    },
  ) {
    this.#asked = range.first
    this.#last = range.last
    this.#clock = how.clock
    const taker: BodyTaker = { length: range.last - range.first + 1, take: (bytes, resume) => this.#took(bytes, resume) }
    const signal = AbortSignal.any([how.signal, this.#stop.signal])
    how.request(taker, signal).then(
      (came) => this.#end(came && this.#held === undefined ? undefined : 'alone'),
      () => this.#end(how.signal.aborted ? new Failure('base.cancelled') : 'alone'),
    )
  }

  /** True when a read of so many bytes from `offset` is the next one here. */
  reaches(offset: number, length: number): boolean {
    return !this.#left && !this.#over && offset === this.#asked && offset + length - 1 <= this.#last
  }

  /** The next bytes. `alone` = they did not come this way. Cancelled, it settles at once and leaves the view alone. */
  take(into: Uint8Array, signal: AbortSignal | undefined): Promise<'filled' | 'alone'> {
    this.#asked += into.length
    this.#idle?.abort()
    this.#idle = undefined
    return new Promise((resolve, reject) => {
      const settle = (outcome: 'filled' | 'alone' | Failure): void => {
        signal?.removeEventListener('abort', cancel)
        if (outcome instanceof Failure) reject(outcome)
        else resolve(outcome)
      }
      const waiting: Waiting = { into, length: into.length, got: 0, settle }
      const cancel = (): void => {
        waiting.into = undefined
        settle(new Failure('base.cancelled'))
        // When nobody waits any more, nothing more is fetched.
        if (this.#queue.every(({ into: view }) => view === undefined)) this.#giveUp()
      }
      signal?.addEventListener('abort', cancel, { once: true })
      this.#queue.push(waiting)
      const held = this.#held
      if (held === undefined) return
      this.#held = undefined
      if (this.#took(held, this.#resume)) this.#resume()
    })
  }

  /** No further read comes; those that wait get what is theirs, then the request is given up. */
  leave(): void {
    this.#left = true
    if (this.#queue.length === 0) this.#giveUp()
  }

  /** Hands bytes to those who wait. False when nobody does. */
  #took(bytes: Buffer, resume: () => void): boolean {
    assert(this.#held === undefined, 'nothing flows while bytes are held')
    if (this.#over) return true
    this.#resume = resume
    let at = 0
    while (at < bytes.length) {
      const waiting = this.#queue[0]
      if (waiting === undefined) {
        this.#held = bytes.subarray(at)
        this.#rest()
        return false
      }
      const length = Math.min(bytes.length - at, waiting.length - waiting.got)
      waiting.into?.set(bytes.subarray(at, at + length), waiting.got)
      waiting.got += length
      at += length
      if (waiting.got < waiting.length) continue
      this.#queue.shift()
      if (waiting.into !== undefined) waiting.settle('filled')
      if (this.#left && this.#queue.length === 0) this.#giveUp()
    }
    return true
  }

  /** Nobody asks for what comes: it is given up after a while. */
  #rest(): void {
    const idle = new AbortController()
    this.#idle = idle
    this.#clock.sleep(webBounds.aheadIdleMs, idle.signal).then(
      () => this.#giveUp(),
      () => undefined,
    )
  }

  #giveUp(): void {
    this.#held = undefined
    this.#stop.abort()
    this.#end('alone')
  }

  #end(outcome: 'alone' | Failure | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#idle?.abort()
    this.#held = undefined
    for (const waiting of this.#queue.splice(0)) if (waiting.into !== undefined) waiting.settle(outcome ?? 'alone')
  }
}
