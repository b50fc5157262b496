// A write to S3: one PUT when it stays below a part, otherwise a multipart upload.
import { s3Bounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { type PartedUpload, PartsSink, partBytesFor } from '../web/parts-sink.ts'
import { type UploadedPart, abortUpload, beginUpload, completeUpload, putPart } from './multipart.ts'
import { putOnce } from './put.ts'
import { type Store, keyOf } from './store.ts'

/** Begins a write. Nothing is asked of the store yet: a name that is taken shows when the write is finished. */
export function createInS3(store: Store, name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number }): FragmentSink {
  const key = keyOf(store, name)
  const sizes = { partBytes: store.partBytes, expectedBytes: options.expectedBytes }
  return new PartsSink(
    {
      label: store.label,
      clock: store.client.clock,
      blocks: store.blocks,
      partsInFlight: store.partsInFlight,
      partsMax: s3Bounds.partsMax,
      partBytesOf: (number) => partBytesOf(number, sizes),
      lastWithEnd: false,
      putWhole: (views, signal) => putOnce(store, key, views, { signal }),
      begin: () => begin(store, key),
    },
    options,
  )
}

/** Bytes of part `number` (1, 2, ...), so that 10,000 parts suffice. */
export function partBytesOf(number: number, options: { readonly partBytes: number; readonly expectedBytes?: number | undefined }): number {
  const { partBytes, expectedBytes } = options
  const { partsMax, partsPerStep } = s3Bounds
  return partBytesFor(number, { partBytes, expectedBytes, partsMax, partsPerStep, doublingsMax: 3 })
}

async function begin(store: Store, key: string): Promise<PartedUpload> {
  const upload = await beginUpload(store, key, {})
  const parts: UploadedPart[] = []
  return {
    put: async ({ number, views }, signal) => {
      parts.push(await putPart(store, upload, number, views, signal))
    },
    complete: async ({ sizeBytes }, signal) => {
      parts.sort((a, b) => a.number - b.number)
      await completeUpload(store, upload, { parts, sizeBytes }, signal)
    },
    abort: () => abortUpload(store, upload, undefined),
  }
}
