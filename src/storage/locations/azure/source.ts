// Opening a blob for reading. The store cannot count from the end: its size is asked for first.
import { bounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent } from '../failures.ts'
import { type RangedObject, RangedSource } from '../web/ranged-source.ts'
import { azureFailure } from './errors.ts'
import { lookAt } from './put.ts'
import { type AzureStore, isAbsent, pathOf } from './store.ts'

export async function openInAzure(
  store: AzureStore,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  const path = pathOf(store, name)
  const found = await lookAt(store, path, options.signal)
  if (found === undefined) throw absent(store.label)
  const { sizeBytes, etag } = found
  const tail = new Uint8Array(Math.min(sizeBytes, options.tailBytes ?? bounds.tailBytesDefault))
  const object: RangedObject = {
    label: store.label,
    protocol: 'Azure Blob',
    clock: store.clock,
    sizeBytes,
    tail,
    get: ({ first, last }, how) => {
      const headers: Record<string, string> = { range: `bytes=${first}-${last}` }
      // Only in memory, only sent back to where it came from (rule R1).
      if (etag !== undefined) headers['if-match'] = etag
      return store.client.send({ ...how, method: 'GET', path, headers, bulk: true })
    },
    judge: async (answer) => {
      if (isAbsent(store, answer)) return 'absent'
      return answer.status === 412 ? 'changed' : azureFailure(store.label, answer)
    },
  }
  await new RangedSource(object).read(sizeBytes - tail.length, tail, options)
  return new RangedSource(object)
}
