// A container of Azure Blob Storage as a location.
import { type Clock, assert, systemClock } from '#base'
import { azureBounds, webBounds } from '../bounds.ts'
import type { Location, LocationOptions } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { isFragmentName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import type { ObjectLock } from '../spec-text.ts'
import { BlockPool } from '../web/blocks.ts'
import { storeLocation } from '../web/store-location.ts'
import { adoptInAzure } from './adopt.ts'
import { lastBegun, releaseBlocks } from './blocks.ts'
import type { AzureCredentialsProvider } from './credentials.ts'
import { discardInAzure } from './discard.ts'
import { emptyBlobs, listAzure } from './list.ts'
import { extendLockInAzure } from './lock.ts'
import { azureProbeTools } from './probe-tools.ts'
import { lookAt, putOnce } from './put.ts'
import { createInAzure } from './sink.ts'
import { openInAzure } from './source.ts'
import { type AzureStore, azureClient, pathOf } from './store.ts'

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
  readonly lock?: ObjectLock | undefined
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
  const { label } = options
  const store: AzureStore = {
    client: azureClient({ ...options, url: new URL(options.endpoint), clock }),
    clock,
    label,
    container: options.accountInPath === true ? `/${options.account}/${options.container}` : `/${options.container}`,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    lock: options.lock,
    blocks: new BlockPool(),
    rights: { deletes: true },
    lists: { fromName: true, markers: new Map() },
  }
  return storeLocation({
    kind: 'azure',
    label,
    lockDays: options.lock?.days,
    create: async (name, how) => createInAzure(store, name, how),
    putOnce: (name, bytes, { signal }) => putOnce(store, pathOf(store, name), [bytes], signal),
    open: (name, how) => openInAzure(store, name, how),
    sizeOf: async (name, { signal }) => (await lookAt(store, pathOf(store, name), signal))?.sizeBytes,
    list: (request, { signal }) => listAzure(store, request, signal),
    discard: (name, how) => discardInAzure(store, name, how),
    adopt: (name, how) => adoptInAzure(store, name, how),
    forget: (name, { signal }) => releaseBlocks(store, pathOf(store, name), signal),
    extendLock: (name, how) => extendLockInAzure(store, name, how),
    sweepPartial: (request, how) => sweepAzure(store, request, how),
    probe: (location, { signal }) => probeLocation(location, azureProbeTools(store, signal), { clock, signal }),
    close: () => store.client.close(),
  })
}

/** Drops the blocks of writes under our names that began before and were never committed; blocks of other programs are left alone. */
async function sweepAzure(store: AzureStore, request: { readonly olderThanMs: number }, { signal }: LocationOptions): Promise<number> {
  stopIfCancelled(signal)
  const before = store.clock.now() - request.olderThanMs
  let removed = 0
  for await (const full of emptyBlobs(store, store.prefix, signal)) {
    const name = full.slice(store.prefix.length)
    if (!isFragmentName(name)) continue
    const path = pathOf(store, name)
    const beganMs = await lastBegun(store, path, signal)
    if (beganMs === undefined || beganMs > before) continue
    await releaseBlocks(store, path, signal)
    if (store.lock !== undefined || !store.rights.deletes) continue
    removed += 1
  }
  return removed
}
