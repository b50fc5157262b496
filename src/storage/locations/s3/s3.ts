// A bucket of an S3 store as a location: AWS, Ceph, MinIO, Swift and others that speak S3.
import { type Clock, assert, isFailure, systemClock } from '#base'
import { s3Bounds, webBounds } from '../bounds.ts'
import type { FragmentName, Location, LocationOptions } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { isFragmentName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import type { ObjectLock } from '../spec-text.ts'
import { BlockPool } from '../web/blocks.ts'
import { storeLocation } from '../web/store-location.ts'
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
import { type Store, keyOf } from './store.ts'

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
  const { label } = options
  const store: Store = {
    client: new S3Client({ ...options, clock, style: options.style ?? 'path' }),
    label,
    prefix: prefix === '' ? '' : `${prefix}/`,
    partBytes,
    partsInFlight,
    lock: options.lock,
    blocks: new BlockPool(),
    obedience: { put: options.honestCreate === true ? 'honoured' : 'unknown', complete: 'unknown' },
  }
  return storeLocation({
    kind: 's3',
    label,
    lockDays: options.lock?.days,
    create: async (name, how) => createInS3(store, name, how),
    putOnce: (name, bytes, how) => putOnce(store, keyOf(store, name), [bytes], how),
    open: (name, how) => openInS3(store, name, how),
    sizeOf: (name, { signal }) => sizeOf(store, keyOf(store, name), signal),
    list: (request, { signal }) => listS3(store, request, signal),
    discard: (name, how) => discardInS3(store, name, how),
    adopt: (name, how) => adoptInS3(store, name, how),
    forget: (name, how) => forgetInS3(store, name, how),
    extendLock: (name, how) => extendLock(store, name, how),
    hides: (name, how) => hidesInS3(store, name, how),
    sweepPartial: (request, how) => sweepS3(store, request, how),
    probe: async (location, { signal }) => {
      const tools = s3ProbeTools(store, signal)
      const capabilities = await probeLocation(location, tools, { clock, signal })
      tools.learn(capabilities)
      return capabilities
    },
    close: () => store.client.close(),
  })
}

async function forgetInS3(store: Store, name: FragmentName, { signal }: LocationOptions): Promise<void> {
  stopIfCancelled(signal)
  const key = keyOf(store, name)
  try {
    for await (const upload of unfinishedUploads(store, key, signal)) if (upload.key === key) await abortUpload(store, upload, signal)
  } catch (error) {
    // A store that cannot list them has its own rules for what was never completed.
    if (!isFailure(error, 'location.unsupported')) throw error
  }
}

/** Gives up the uploads under our names that began before; what other programs began elsewhere in the bucket is left alone. */
async function sweepS3(store: Store, request: { readonly olderThanMs: number }, { signal }: LocationOptions): Promise<number> {
  stopIfCancelled(signal)
  const before = store.client.clock.now() - request.olderThanMs
  let removed = 0
  for await (const upload of unfinishedUploads(store, store.prefix, signal)) {
    if (upload.beganAt === undefined || upload.beganAt > before || !isFragmentName(upload.key.slice(store.prefix.length))) continue
    // Begun long ago, and written to lately: a slow upload is no abandoned one.
    const parts = await standingParts(store, upload, signal)
    if (parts.some(({ writtenAt }) => writtenAt !== undefined && writtenAt > before)) continue
    await abortUpload(store, upload, signal)
    removed += 1
  }
  return removed
}
