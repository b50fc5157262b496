// A container of Azure Blob Storage as a location.
import { type Clock, assert, systemClock } from '#base'
import { azureBounds, bounds, webBounds } from '../bounds.ts'
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
import { checkName, isFragmentName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import { BlockPool } from '../web/blocks.ts'
import { PartsSink, partBytesFor } from '../web/parts-sink.ts'
import { beginBlocks, lastBegun, releaseBlocks } from './blocks.ts'
import type { AzureCredentialsProvider } from './credentials.ts'
import { discardInAzure } from './discard.ts'
import { emptyBlobs, listAzure } from './list.ts'
import { azureProbeTools } from './probe-tools.ts'
import { lookAt, putOnce } from './put.ts'
import { openInAzure } from './source.ts'
import { type AzureLock, type AzureStore, azureClient, pathOf } from './store.ts'

export interface AzureLocationOptions {
  readonly label: string
  /** `https://host[:port]`, or `http://` for loopback and closed networks. */
  readonly endpoint: string
  readonly account: string
  /** The account is in the path, not in the host name: emulators and appliances. */
  readonly accountInPath?: boolean
  readonly container: string
  /** Where in the container our names begin; empty, or segments joined by `/`. */
  readonly prefix?: string
  readonly credentials: AzureCredentialsProvider
  readonly clock?: Clock
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined
  /** Holds everything written for so many days. Needs a container with immutability of versions. */
  readonly lock?: AzureLock | undefined
  /** Bytes of a block. A fragment below it is one request. */
  readonly partBytes?: number | undefined
  readonly stallMs?: number
  readonly connectMs?: number
  readonly backoffMs?: number
}

/** A location in a container. Nothing is asked of the store before the first call. */
export function createAzureLocation(options: AzureLocationOptions): Location {
  const clock = options.clock ?? systemClock
  const prefix = (options.prefix ?? '').replaceAll(/^\/+|\/+$/g, '')
  const partBytes = options.partBytes ?? azureBounds.partBytesDefault
  assert(Number.isSafeInteger(partBytes) && partBytes >= webBounds.blockBytes, 'part size')
  return new AzureLocation({
    client: azureClient({ ...options, url: new URL(options.endpoint), clock }),
    clock,
    label: options.label,
    container: options.accountInPath === true ? `/${options.account}/${options.container}` : `/${options.container}`,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    lock: options.lock,
    blocks: new BlockPool(),
    rights: { deletes: true },
    lists: { fromName: true, markers: new Map() },
  })
}

class AzureLocation implements Location {
  readonly kind = 'azure'
  readonly label: string
  readonly lockDays: number | undefined
  readonly #store: AzureStore

  constructor(store: AzureStore) {
    this.#store = store
    this.lockDays = store.lock?.days
    this.label = store.label
  }

  async create(name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number } = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    const store = this.#store
    const path = pathOf(store, name)
    const { partsMax, partsPerStep, partDoublingsMax: doublingsMax } = azureBounds
    const sizes = { partBytes: store.partBytes, expectedBytes: options.expectedBytes, partsMax, partsPerStep, doublingsMax }
    return new PartsSink(
      {
        label: this.label,
        clock: store.clock,
        blocks: store.blocks,
        partsInFlight: azureBounds.partsInFlight,
        partsMax,
        partBytesOf: (number) => partBytesFor(number, sizes),
        lastWithEnd: false,
        putWhole: (views, signal) => putOnce(store, path, views, signal),
        begin: async () => beginBlocks(store, path),
      },
      options,
    )
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    return putOnce(this.#store, pathOf(this.#store, name), [bytes], options.signal)
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openInAzure(this.#store, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    const found = await lookAt(this.#store, pathOf(this.#store, name), options.signal)
    return found === undefined ? undefined : { sizeBytes: found.sizeBytes }
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return listAzure(this.#store, request, options.signal)
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    return discardInAzure(this.#store, name, options)
  }

  async forget(name: FragmentName, options: LocationOptions = {}): Promise<void> {
    checkName(name, this.label)
    await releaseBlocks(this.#store, pathOf(this.#store, name), options.signal)
  }

  /** Drops the blocks of writes under our names that began before and were never committed; blocks of other programs are left alone. */
  async sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    stopIfCancelled(options.signal)
    const store = this.#store
    const before = store.clock.now() - request.olderThanMs
    let removed = 0
    for await (const full of emptyBlobs(store, store.prefix, options.signal)) {
      const name = full.slice(store.prefix.length)
      if (!isFragmentName(name)) continue
      const path = pathOf(store, name)
      const beganMs = await lastBegun(store, path, options.signal)
      if (beganMs === undefined || beganMs > before) continue
      await releaseBlocks(store, path, options.signal)
      if (store.lock !== undefined || !store.rights.deletes) continue
      removed += 1
    }
    return removed
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    return probeLocation(this, azureProbeTools(this.#store, options.signal), { clock: this.#store.clock, signal: options.signal })
  }

  close(): Promise<void> {
    this.#store.client.close()
    return Promise.resolve()
  }
}
