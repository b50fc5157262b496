// A write to Azure: one Put Blob when it stays below a block, otherwise blocks and their list.
import { azureBounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { PartsSink, partBytesFor, type Uploading } from '../web/parts-sink.ts'
import { beginBlocks, type ListedBlock } from './blocks.ts'
import { type Found, putOnce } from './put.ts'
import { type AzureStore, pathOf } from './store.ts'

/** Nothing is asked of the store yet: a name that is taken shows when the write is finished. */
export function createInAzure(
  store: AzureStore,
  name: FragmentName,
  options: LocationOptions & { readonly expectedBytes?: number },
): FragmentSink {
  return new PartsSink(uploadingTo(store, pathOf(store, name), options), options)
}

/** Goes on behind blocks that stand already; the whole takes the place of what stands under the name. */
export function goOnInAzure(
  store: AzureStore,
  path: string,
  before: { readonly kept: readonly ListedBlock[]; readonly bytes: number; readonly replacing: Found },
  options: LocationOptions,
): FragmentSink {
  const upload = beginBlocks(store, path, before)
  return new PartsSink(uploadingTo(store, path, {}), options, { upload, partNumber: before.kept.length + 1, bytes: before.bytes })
}

function uploadingTo(store: AzureStore, path: string, options: { readonly expectedBytes?: number }): Uploading {
  const { partsMax, partsPerStep, partDoublingsMax: doublingsMax, partsInFlight } = azureBounds
  const sizes = { partBytes: store.partBytes, expectedBytes: options.expectedBytes, partsMax, partsPerStep, doublingsMax }
  return {
    label: store.label,
    clock: store.clock,
    blocks: store.blocks,
    partsInFlight,
    partsMax,
    partBytesOf: (number) => partBytesFor(number, sizes),
    lastWithEnd: false,
    putWhole: (views, signal) => putOnce(store, path, views, signal),
    begin: async () => beginBlocks(store, path),
  }
}
