// A bucket of an S3 store as a location: AWS, Ceph, MinIO, Swift and others that speak S3.
import { type Clock, assert, isFailure, systemClock } from '#base'
import { bounds, s3Bounds, webBounds } from '../bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
  UnfinishedWrite,
} from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { checkName, isFragmentName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import { BlockPool } from '../web/blocks.ts'
import { S3Client, type S3ClientOptions } from './client.ts'
import { discardInS3 } from './discard.ts'
import { listS3 } from './list.ts'
import { abortUpload, standingParts, unfinishedUploads } from './multipart.ts'
import { hidesInS3 } from './hidden.ts'
import { extendLock } from './lock.ts'
import { putOnce, sizeOf } from './put.ts'
import { s3ProbeTools } from './probe-tools.ts'
import { adoptInS3 } from './adopt.ts'
import { createInS3 } from './sink.ts'
import { openInS3 } from './source.ts'
import type { ObjectLock, Store } from './store.ts'

export interface S3LocationOptions extends Omit<S3ClientOptions, 'clock' | 'style'> {
  readonly clock?: Clock
  readonly style?: 'path' | 'virtual'
  /** Where in the bucket our names begin; empty, or segments joined by `/`. */
  readonly prefix?: string
  /** Bytes of a part, at least 5 MiB for real stores. A fragment below it is one PUT. */
  readonly partBytes?: number
  /** Parts on their way at once; memory is bounded by one part more than this. */
  readonly partsInFlight?: number
  /** Holds everything written for so many days. Needs a bucket with object lock. */
  readonly lock?: ObjectLock | undefined
  /** What the last probe found: true spares a look before each write. */
  readonly honestCreate?: boolean
}

/** A location in a bucket. Nothing is asked of the store before the first call. */
export function createS3Location(options: S3LocationOptions): Location {
  const clock = options.clock ?? systemClock
  const prefix = (options.prefix ?? '').replaceAll(/^\/+|\/+$/g, '')
  const partsInFlight = options.partsInFlight ?? s3Bounds.partsInFlightDefault
  const partBytes = options.partBytes ?? s3Bounds.partBytesDefault
  assert(partsInFlight >= 1 && partsInFlight <= s3Bounds.partsInFlightMax, 'parts in flight')
  assert(Number.isSafeInteger(partBytes) && partBytes >= webBounds.blockBytes, 'part size')
  return new S3Location({
    client: new S3Client({ ...options, clock, style: options.style ?? 'path' }),
    label: options.label,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    partsInFlight,
    lock: options.lock,
    blocks: new BlockPool(),
    obedience: { put: options.honestCreate === true ? 'honoured' : 'unknown', complete: 'unknown' },
  })
}

class S3Location implements Location {
  readonly kind = 's3'
  readonly label: string
  readonly lockDays: number | undefined
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    this.label = store.label
    this.lockDays = store.lock?.days
  }

  async create(name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number } = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    return createInS3(this.#store, name, options)
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    return putOnce(this.#store, `${this.#store.prefix}${name}`, [bytes], options)
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openInS3(this.#store, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    const sizeBytes = await sizeOf(this.#store, `${this.#store.prefix}${name}`, options.signal)
    return sizeBytes === undefined ? undefined : { sizeBytes }
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return listS3(this.#store, request, options.signal)
  }

  async hides(name: FragmentName, options: LocationOptions = {}): Promise<boolean> {
    checkName(name, this.label)
    return hidesInS3(this.#store, name, options)
  }

  async extendLock(name: FragmentName, options: LocationOptions = {}): Promise<'extended' | 'held' | 'refused'> {
    checkName(name, this.label)
    return extendLock(this.#store, name, options)
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    return discardInS3(this.#store, name, options)
  }

  async adopt(name: FragmentName, options: LocationOptions = {}): Promise<UnfinishedWrite | undefined> {
    checkName(name, this.label)
    return adoptInS3(this.#store, name, options)
  }

  async forget(name: FragmentName, options: LocationOptions = {}): Promise<void> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const key = `${this.#store.prefix}${name}`
    try {
      for await (const upload of unfinishedUploads(this.#store, key, options.signal))
        if (upload.key === key) await abortUpload(this.#store, upload, options.signal)
    } catch (error) {
      // A store that cannot list them has its own rules for what was never completed.
      if (!isFailure(error, 'location.unsupported')) throw error
    }
  }

  /** Gives up the uploads under our names that began before; what other programs began elsewhere in the bucket is left alone. */
  async sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    stopIfCancelled(options.signal)
    const before = this.#store.client.clock.now() - request.olderThanMs
    let removed = 0
    for await (const upload of unfinishedUploads(this.#store, this.#store.prefix, options.signal)) {
      if (upload.beganAt === undefined || upload.beganAt > before || !isFragmentName(upload.key.slice(this.#store.prefix.length))) continue
      // Begun long ago, and written to lately: a slow upload is no abandoned one.
      const parts = await standingParts(this.#store, upload, options.signal)
      if (parts.some(({ writtenAt }) => writtenAt !== undefined && writtenAt > before)) continue
      await abortUpload(this.#store, upload, options.signal)
      removed += 1
    }
    return removed
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    const tools = s3ProbeTools(this.#store, options.signal)
    const capabilities = await probeLocation(this, tools, { clock: this.#store.client.clock, signal: options.signal })
    tools.learn(capabilities)
    return capabilities
  }

  close(): Promise<void> {
    this.#store.client.close()
    return Promise.resolve()
  }
}
