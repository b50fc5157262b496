// A bucket of Google Cloud Storage as a location, by its JSON interface.
import { type Clock, assert, systemClock } from '#base'
import { bounds, gcsBounds } from '../bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
} from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { checkName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import { BlockPool } from '../web/blocks.ts'
import { PartsSink } from '../web/parts-sink.ts'
import type { ServiceAccount } from './credentials.ts'
import { discardInGcs } from './discard.ts'
import { listGcs } from './list.ts'
import { gcsProbeTools } from './probe-tools.ts'
import { lookAt, putOnce } from './put.ts'
import { beginResumable } from './resumable.ts'
import { openInGcs } from './source.ts'
import { type GcsLock, type GcsStore, gcsClient, keyOf } from './store.ts'

export interface GcsLocationOptions {
  readonly label: string
  /** `https://storage.googleapis.com`, or another address of the same. */
  readonly endpoint: string
  readonly bucket: string
  /** Where in the bucket our names begin; empty, or segments joined by `/`. */
  readonly prefix?: string
  /** Loads the key of the service account; asked anew whenever a token is needed. */
  readonly account: () => Promise<ServiceAccount>
  readonly clock?: Clock
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined
  /** Holds everything written for so many days. Needs a bucket with object retention. */
  readonly lock?: GcsLock | undefined
  /** Bytes of a piece, a multiple of 256 KiB. A fragment below it is one request. */
  readonly partBytes?: number | undefined
  readonly stallMs?: number
  readonly connectMs?: number
  readonly backoffMs?: number
}

/** A location in a bucket. Nothing is asked of the store before the first call. */
export function createGcsLocation(options: GcsLocationOptions): Location {
  const clock = options.clock ?? systemClock
  const prefix = (options.prefix ?? '').replaceAll(/^\/+|\/+$/g, '')
  const partBytes = options.partBytes ?? gcsBounds.partBytesDefault
  assert(partBytes > 0 && partBytes % gcsBounds.pieceBytes === 0, 'part size')
  const { client, close } = gcsClient({ ...options, url: new URL(options.endpoint), clock })
  const store: GcsStore = {
    client,
    clock,
    label: options.label,
    bucket: options.bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    lock: options.lock,
    blocks: new BlockPool(),
    seen: { atMs: Number.NEGATIVE_INFINITY },
  }
  return new GcsLocation(store, close)
}

class GcsLocation implements Location {
  readonly kind = 'gcs'
  readonly label: string
  readonly lockDays: number | undefined
  readonly #store: GcsStore
  readonly #close: () => void

  constructor(store: GcsStore, close: () => void) {
    this.#store = store
    this.lockDays = store.lock?.days
    this.#close = close
    this.label = store.label
  }

  async create(name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number } = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    const store = this.#store
    const key = keyOf(store, name)
    return new PartsSink(
      {
        label: this.label,
        clock: store.clock,
        blocks: store.blocks,
        // Pieces go one after the other; the next is filled meanwhile.
        partsInFlight: 1,
        partsMax: gcsBounds.partsMax,
        partBytesOf: () => store.partBytes,
        lastWithEnd: true,
        putWhole: (views, signal) => putOnce(store, key, views, signal),
        begin: () => beginResumable(store, key),
      },
      options,
    )
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    return putOnce(this.#store, keyOf(this.#store, name), [bytes], options.signal)
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openInGcs(this.#store, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    const found = await lookAt(this.#store, keyOf(this.#store, name), options.signal)
    return found === undefined ? undefined : { sizeBytes: found.sizeBytes }
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return listGcs(this.#store, request, options.signal)
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    return discardInGcs(this.#store, name, options)
  }

  /** Nothing: uploads that were cut off do not show, cannot be listed, cost nothing, and are dropped by the store after a week. */
  async sweepPartial(_: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    stopIfCancelled(options.signal)
    return 0
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    return probeLocation(this, gcsProbeTools(this.#store, options.signal), { clock: this.#store.clock, signal: options.signal })
  }

  close(): Promise<void> {
    this.#close()
    return Promise.resolve()
  }
}
