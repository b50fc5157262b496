// Reading an object in ranges, straight into the caller's view. Reads that follow one another share a request for what comes next.
import type { IncomingHttpHeaders } from 'node:http'
import { type Clock, type Failure, assert } from '#base'
import { webBounds } from '../bounds.ts'
import type { FragmentSource, LocationOptions } from '../contract.ts'
import { absent, locationFailure, stopIfCancelled, truncated } from '../failures.ts'
import type { WebAnswer } from './client.ts'
import { garbage } from './errors.ts'
import type { ExchangeRequest } from './exchange.ts'
import { ReadAhead } from './read-ahead.ts'

/** An object of a store, opened. */
export interface RangedObject {
  readonly label: string
  /** For messages: `S3`. */
  readonly protocol: string
  readonly clock: Clock
  readonly sizeBytes: number
  readonly tail: Uint8Array
  /** One request for bytes first..last inclusive, of the version that was opened. */
  get(
    range: { readonly first: number; readonly last: number },
    how: { readonly intoOf: NonNullable<ExchangeRequest['intoOf']>; readonly signal: AbortSignal; readonly attempts?: number },
  ): Promise<WebAnswer>
  /** What an answer that is no success means; it is asked for the rest. `absent` and `changed` have words of their own here. */
  judge(answer: WebAnswer, signal: AbortSignal): Promise<'absent' | 'changed' | Failure>
}

export class RangedSource implements FragmentSource {
  readonly sizeBytes: number
  readonly tail: Uint8Array
  readonly #object: RangedObject
  readonly #closed = new AbortController()
  /** Where the last read ended, and how much was read in order up to there. */
  #next = -1
  #runBytes = 0
  #ahead: ReadAhead | undefined

  constructor(object: RangedObject) {
    this.#object = object
    this.sizeBytes = object.sizeBytes
    this.tail = object.tail
  }

  /** Once it has settled, cancelled or not, nothing more is written into the view. */
  async read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'read offset')
    assert(!this.#closed.signal.aborted, 'the source is open')
    stopIfCancelled(options.signal)
    if (into.length === 0) return
    const { label } = this.#object
    const there = Math.max(0, Math.min(into.length, this.sizeBytes - offset))
    if (there < into.length) throw truncated(label, { wanted: into.length, got: there })
    if ((await this.#shared(offset, into, options.signal)) === 'filled') return
    await this.#single(offset, into, options.signal)
  }

  close(): Promise<void> {
    this.#closed.abort()
    return Promise.resolve()
  }

  /** Joins the read to those before it, where it goes on from them. `alone` = it has to ask for itself. */
  async #shared(offset: number, into: Uint8Array, signal: AbortSignal | undefined): Promise<'filled' | 'alone'> {
    const inOrder = offset === this.#next
    this.#next = offset + into.length
    this.#runBytes = inOrder ? this.#runBytes + into.length : into.length
    if (!inOrder) {
      this.#ahead?.leave()
      this.#ahead = undefined
      return 'alone'
    }
    if (this.#ahead === undefined || !this.#ahead.reaches(offset, into.length)) this.#ahead = this.#askAhead(offset, into.length)
    if (this.#ahead === undefined) return 'alone'
    const outcome = await this.#ahead.take(into, signal)
    // After trouble the next reads ask for themselves, and say what is wrong.
    if (outcome === 'alone') this.#runBytes = 0
    return outcome
  }

  /** Asks for as much as was read in order so far, within the bound: whoever stops early has cost at most twice what it read. */
  #askAhead(offset: number, length: number): ReadAhead | undefined {
    const wanted = Math.min(this.#runBytes, webBounds.aheadBytesMax, this.sizeBytes - offset)
    const reads = Math.floor(wanted / length)
    if (reads < 2) return undefined
    const range = { first: offset, last: offset + reads * length - 1 }
    return new ReadAhead(range, {
      clock: this.#object.clock,
      signal: this.#closed.signal,
      request: async (taker, stop) => {
        let begun = false
        const intoOf = (status: number, headers: IncomingHttpHeaders) => {
          if (status !== 200 && status !== 206) return undefined
          this.#verifyRange(rangeOf(status, headers), { offset, length: reads * length })
          // Sent again after a connection broke, the bytes would begin anew in the middle of somebody's view.
          if (begun) throw new Error('the body began already')
          begun = true
          return taker
        }
        const answer = await this.#object.get(range, { intoOf, signal: stop, attempts: 1 })
        return answer.status === 200 || answer.status === 206
      },
    })
  }

  async #single(offset: number, into: Uint8Array, callerSignal: AbortSignal | undefined): Promise<void> {
    const closed = this.#closed.signal
    const signal = callerSignal === undefined ? closed : AbortSignal.any([callerSignal, closed])
    const intoOf = (status: number, headers: IncomingHttpHeaders): Uint8Array | undefined => {
      if (status !== 200 && status !== 206) return undefined
      this.#verifyRange(rangeOf(status, headers), { offset, length: into.length })
      return into
    }
    const answer = await this.#object.get({ first: offset, last: offset + into.length - 1 }, { intoOf, signal })
    if (answer.status === 200 || answer.status === 206) return
    if (answer.status === 416) throw truncated(this.#object.label, { wanted: into.length, got: 0 })
    const meaning = await this.#object.judge(answer, signal)
    if (meaning === 'absent') throw absent(this.#object.label)
    throw meaning === 'changed' ? this.#changed() : meaning
  }

  #verifyRange(range: Range | undefined, wanted: { readonly offset: number; readonly length: number }): void {
    const { label } = this.#object
    if (range === undefined) throw garbage(label, this.#object.protocol)
    if (range.sizeBytes !== this.sizeBytes) throw this.#changed()
    if (range.first === wanted.offset && range.length === wanted.length) return
    if (range.first === wanted.offset && range.length < wanted.length) throw truncated(label, { wanted: wanted.length, got: range.length })
    throw locationFailure('location.unsupported', {
      label,
      detail: `${label} answers another part of an object than the one asked for.`,
      next: 'Probe the location; without ranged reading it cannot be used.',
    })
  }

  #changed(): Failure {
    return locationFailure('location.lies', {
      label: this.#object.label,
      detail: `${this.#object.label} changed an object that is written only once.`,
      next: 'Scrub the vault; the fragment is rebuilt from the other locations.',
    })
  }
}

export interface Range {
  readonly first: number
  readonly length: number
  readonly sizeBytes: number
}

/** Which bytes an answer holds (RFC 9110, section 14.4), or undefined when it does not say so properly. */
export function rangeOf(status: number, headers: IncomingHttpHeaders): Range | undefined {
  const length = headers['content-length']
  if (status === 200) {
    if (length === undefined || !/^\d{1,15}$/.test(length)) return undefined
    return { first: 0, length: Number(length), sizeBytes: Number(length) }
  }
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers['content-range'] ?? '')
  if (status !== 206 || match === null) return undefined
  const [first, last, sizeBytes] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (last < first || last >= sizeBytes) return undefined
  if (length !== undefined && Number(length) !== last - first + 1) return undefined
  return { first, length: last - first + 1, sizeBytes }
}
