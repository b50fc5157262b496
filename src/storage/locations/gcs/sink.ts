// A write to Google Cloud Storage: one request when it stays below a piece, otherwise a resumable upload, or segments where it may be gone on with.
import { gcsBounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { type PartedUpload, PartsSink, type Uploading } from '../web/parts-sink.ts'
import { putOnce } from './put.ts'
import { beginResumable } from './resumable.ts'
import { beginSegments, mayDelete } from './segments.ts'
import { type GcsStore, keyOf } from './store.ts'

/** Nothing is asked of the store yet: a name that is taken shows when the write is finished. */
export function createInGcs(
  store: GcsStore,
  name: FragmentName,
  options: LocationOptions & { readonly adoptable?: boolean },
): FragmentSink {
  const key = keyOf(store, name)
  return new PartsSink(
    uploadingTo(store, name, async () =>
      options.adoptable === true && (await mayDelete(store)) ? beginSegments(store, { name, key }) : beginResumable(store, key),
    ),
    options,
  )
}

/** Goes on behind segments that stand already. */
export function goOnInGcs(
  store: GcsStore,
  name: FragmentName,
  before: { readonly upload: PartedUpload; readonly parts: number; readonly bytes: number },
  options: LocationOptions,
): FragmentSink {
  const { upload, parts, bytes } = before
  return new PartsSink(
    uploadingTo(store, name, async () => upload),
    options,
    { upload, partNumber: parts + 1, bytes },
  )
}

function uploadingTo(store: GcsStore, name: FragmentName, begin: Uploading['begin']): Uploading {
  return {
    label: store.label,
    clock: store.clock,
    blocks: store.blocks,
    // Pieces go one after the other; the next is filled meanwhile.
    partsInFlight: 1,
    partsMax: gcsBounds.partsMax,
    partBytesOf: () => store.partBytes,
    lastWithEnd: true,
    putWhole: (views, signal) => putOnce(store, keyOf(store, name), views, signal),
    begin,
  }
}
