// A write to S3: one PUT when it stays below a part, otherwise a multipart upload.
import { s3Bounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { type PartedUpload, PartsSink, partBytesFor, type Uploading } from '../web/parts-sink.ts'
import { type Standing, type Upload, type UploadedPart, abortUpload, beginUpload, completeUpload, putPart } from './multipart.ts'
import { putOnce } from './put.ts'
import { type Store, keyOf } from './store.ts'

/** Begins a write. Nothing is asked of the store yet: a name that is taken shows when the write is finished. */
export function createInS3(store: Store, name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number }): FragmentSink {
  return new PartsSink(uploadingTo(store, keyOf(store, name), options), options)
}

/** Goes on with an upload that holds `parts` already; it takes the place of what stands under the name. */
export function goOnInS3(
  store: Store,
  before: { readonly upload: Upload; readonly parts: readonly UploadedPart[]; readonly bytes: number; readonly replacing: Standing },
  options: LocationOptions,
): PartsSink {
  const { upload, parts, bytes, replacing } = before
  const parted = partedUpload(store, { upload, parts: [...parts], replacing })
  return new PartsSink(uploadingTo(store, upload.key, {}), options, { upload: parted, partNumber: parts.length + 1, bytes })
}

function uploadingTo(store: Store, key: string, options: { readonly expectedBytes?: number }): Uploading {
  const sizes = { partBytes: store.partBytes, expectedBytes: options.expectedBytes }
  return {
    label: store.label,
    clock: store.client.clock,
    blocks: store.blocks,
    partsInFlight: store.partsInFlight,
    partsMax: s3Bounds.partsMax,
    partBytesOf: (number) => partBytesOf(number, sizes),
    lastWithEnd: false,
    putWhole: (views, signal) => putOnce(store, key, views, { signal }),
    begin: async () => partedUpload(store, { upload: await beginUpload(store, key, {}), parts: [] }),
  }
}

/** Bytes of part `number` (1, 2, ...), so that 10,000 parts suffice. */
export function partBytesOf(number: number, options: { readonly partBytes: number; readonly expectedBytes?: number | undefined }): number {
  const { partBytes, expectedBytes } = options
  const { partsMax, partsPerStep } = s3Bounds
  return partBytesFor(number, { partBytes, expectedBytes, partsMax, partsPerStep, doublingsMax: 3 })
}

function partedUpload(
  store: Store,
  given: { readonly upload: Upload; readonly parts: UploadedPart[]; readonly replacing?: Standing },
): PartedUpload {
  const { upload, parts, replacing } = given
  return {
    put: async ({ number, views }, signal) => {
      parts.push(await putPart(store, upload, number, views, signal))
    },
    complete: async ({ sizeBytes }, signal) => {
      parts.sort((a, b) => a.number - b.number)
      await completeUpload(store, upload, { parts, sizeBytes, replacing }, signal)
    },
    abort: () => abortUpload(store, upload, undefined),
  }
}
