// A bucket of Google Cloud Storage as a location, by its JSON interface.
import { type Clock, assert, systemClock } from '#base'
import { gcsBounds } from '../bounds.ts'
import type { Location, LocationOptions } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { isFragmentName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import type { ObjectLock } from '../spec-text.ts'
import { BlockPool } from '../web/blocks.ts'
import { storeLocation } from '../web/store-location.ts'
import type { ServiceAccount } from './credentials.ts'
import { adoptInGcs, forgetInGcs } from './adopt.ts'
import { discardInGcs } from './discard.ts'
import { listGcs } from './list.ts'
import { extendLockInGcs } from './lock.ts'
import { gcsProbeTools } from './probe-tools.ts'
import { lookAt, putOnce } from './put.ts'
import { dropObjects, objectsBelow, type Segment, segmentsBelow } from './segments.ts'
import { createInGcs } from './sink.ts'
import { openInGcs } from './source.ts'
import { type GcsStore, gcsClient, keyOf } from './store.ts'

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
  readonly lock?: ObjectLock | undefined
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
  const { label } = options
  const store: GcsStore = {
    client,
    clock,
    label,
    bucket: options.bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    lock: options.lock,
    blocks: new BlockPool(),
    rights: { deletes: undefined },
    seen: { atMs: Number.NEGATIVE_INFINITY },
  }
  return storeLocation({
    kind: 'gcs',
    label,
    lockDays: options.lock?.days,
    create: async (name, how) => createInGcs(store, name, how),
    putOnce: (name, bytes, { signal }) => putOnce(store, keyOf(store, name), [bytes], signal),
    open: (name, how) => openInGcs(store, name, how),
    sizeOf: async (name, { signal }) => (await lookAt(store, keyOf(store, name), signal))?.sizeBytes,
    list: (request, { signal }) => listGcs(store, request, signal),
    discard: (name, how) => discardInGcs(store, name, how),
    extendLock: (name, how) => extendLockInGcs(store, name, how),
    adopt: (name, how) => adoptInGcs(store, name, how),
    forget: (name, how) => forgetInGcs(store, name, how),
    sweepPartial: (request, how) => sweepGcs(store, request, how),
    probe: (location, { signal }) => probeLocation(location, gcsProbeTools(store, signal), { clock, signal }),
    close,
  })
}

/** Removes segments that nobody has added to for long. Other uploads that were cut off show nowhere, and are dropped by the store after a week. */
async function sweepGcs(store: GcsStore, request: { readonly olderThanMs: number }, { signal }: LocationOptions): Promise<number> {
  stopIfCancelled(signal)
  const before = store.clock.now() - request.olderThanMs
  const below = segmentsBelow(store)
  const left = new Map<string, { readonly objects: Segment[]; lastMs: number }>()
  for await (const { madeMs, ...object } of objectsBelow(store, below, signal)) {
    const name = object.key.slice(below.length, Math.max(below.length, object.key.lastIndexOf('/')))
    if (!isFragmentName(name)) continue
    const one = left.get(name) ?? { objects: [], lastMs: 0 }
    one.objects.push(object)
    one.lastMs = Math.max(one.lastMs, madeMs)
    left.set(name, one)
  }
  let removed = 0
  for (const { objects, lastMs } of left.values())
    if (lastMs <= before && (await dropObjects(store, objects, signal)) === objects.length) removed += 1
  return removed
}
