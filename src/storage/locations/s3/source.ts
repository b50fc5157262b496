// Reading an object in ranges, straight into the caller's view.
import type { IncomingHttpHeaders } from 'node:http'
import { assert } from '#base'
import { bounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent, locationFailure, stopIfCancelled, truncated } from '../failures.ts'
import type { S3Answer } from './client.ts'
import { garbage, statusFailure } from './errors.ts'
import { sizeOf } from './put.ts'
import { type Store, keyOf } from './store.ts'

/** One request where the store knows ranges counted from the end: tail, size and ETag come together. */
export async function openInS3(
  store: Store,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  const key = keyOf(store, name)
  const tailBytes = options.tailBytes ?? bounds.tailBytesDefault
  if (tailBytes > 0) {
    const found = await openByTail(store, key, tailBytes, options.signal)
    if (found !== undefined) return found
  }
  // No tail wanted, an empty object, or a store that cannot count from the end.
  const sizeBytes = await sizeOf(store, key, options.signal)
  if (sizeBytes === undefined) throw absent(store.label)
  const tail = new Uint8Array(Math.min(sizeBytes, tailBytes))
  const source = new S3Source(store, { key, sizeBytes, tail, etag: undefined })
  await source.read(sizeBytes - tail.length, tail, options)
  return source
}

/** The store sends something else than the last bytes. */
class NoTail extends Error {}

async function openByTail(
  store: Store,
  key: string,
  tailBytes: number,
  signal: AbortSignal | undefined,
): Promise<FragmentSource | undefined> {
  let tail: Uint8Array = new Uint8Array(0)
  const intoOf = (status: number, headers: IncomingHttpHeaders): Uint8Array | undefined => {
    if (status !== 200 && status !== 206) return undefined
    const range = rangeOf(status, headers)
    // Everything, another part, or no word of which part: cut off at once.
    if (range === undefined || range.length !== Math.min(tailBytes, range.sizeBytes) || range.first + range.length !== range.sizeBytes)
      throw new NoTail()
    tail = new Uint8Array(range.length)
    return tail
  }
  let answer
  try {
    answer = await store.client.send({ method: 'GET', key, headers: { range: `bytes=-${tailBytes}` }, signal, bulk: true, intoOf })
  } catch (error) {
    if (error instanceof NoTail) return undefined
    throw error
  }
  if (await store.client.onlyObjectAbsent(answer, signal)) throw absent(store.label)
  if (answer.status === 416) return undefined
  const range = rangeOf(answer.status, answer.headers)
  if (range === undefined) throw statusFailure(store.label, answer)
  return new S3Source(store, { key, sizeBytes: range.sizeBytes, tail, etag: answer.headers.etag })
}

interface About {
  readonly key: string
  readonly sizeBytes: number
  readonly tail: Uint8Array
  readonly etag: string | undefined
}

class S3Source implements FragmentSource {
  readonly sizeBytes: number
  readonly tail: Uint8Array
  readonly #store: Store
  readonly #key: string
  /** Only in memory, only sent back to where it came from (rule R1). */
  #etag: string | undefined
  readonly #closed = new AbortController()

  constructor(store: Store, about: About) {
    this.#store = store
    this.#key = about.key
    this.#etag = about.etag
    this.sizeBytes = about.sizeBytes
    this.tail = about.tail
  }

  /** Once it has settled, cancelled or not, nothing more is written into the view. */
  async read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'read offset')
    assert(!this.#closed.signal.aborted, 'the source is open')
    stopIfCancelled(options.signal)
    if (into.length === 0) return
    const there = Math.max(0, Math.min(into.length, this.sizeBytes - offset))
    if (there < into.length) throw truncated(this.#store.label, { wanted: into.length, got: there })
    const signal = options.signal === undefined ? this.#closed.signal : AbortSignal.any([options.signal, this.#closed.signal])
    const answer = await this.#request(offset, into, signal)
    if (await this.#store.client.onlyObjectAbsent(answer, signal)) throw absent(this.#store.label)
    if (answer.status === 412) throw this.#changed()
    if (answer.status === 416) throw truncated(this.#store.label, { wanted: into.length, got: 0 })
    if (answer.status !== 200 && answer.status !== 206) throw statusFailure(this.#store.label, answer)
    this.#etag ??= answer.headers.etag
  }

  close(): Promise<void> {
    this.#closed.abort()
    return Promise.resolve()
  }

  #request(offset: number, into: Uint8Array, signal: AbortSignal): Promise<S3Answer> {
    const headers: Record<string, string> = { range: `bytes=${offset}-${offset + into.length - 1}` }
    if (this.#etag !== undefined) headers['if-match'] = this.#etag
    const intoOf = (status: number, received: IncomingHttpHeaders): Uint8Array | undefined => {
      if (status !== 200 && status !== 206) return undefined
      this.#verifyRange(rangeOf(status, received), { offset, length: into.length })
      return into
    }
    return this.#store.client.send({ method: 'GET', key: this.#key, headers, signal, bulk: true, intoOf })
  }

  #verifyRange(range: Range | undefined, wanted: { readonly offset: number; readonly length: number }): void {
    if (range === undefined) throw garbage(this.#store.label)
    if (range.sizeBytes !== this.sizeBytes) throw this.#changed()
    if (range.first === wanted.offset && range.length === wanted.length) return
    if (range.first === wanted.offset && range.length < wanted.length) {
      throw truncated(this.#store.label, { wanted: wanted.length, got: range.length })
    }
    throw locationFailure('location.unsupported', {
      label: this.#store.label,
      detail: `${this.#store.label} answers another part of an object than the one asked for.`,
      next: 'Probe the location; without ranged reading it cannot be used.',
    })
  }

  #changed(): Error {
    return locationFailure('location.lies', {
      label: this.#store.label,
      detail: `${this.#store.label} changed an object that is written only once.`,
      next: 'Scrub the vault; the fragment is rebuilt from the other locations.',
    })
  }
}

interface Range {
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
