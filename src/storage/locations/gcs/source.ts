// Opening an object of Google Cloud Storage for reading.
import { bounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent } from '../failures.ts'
import { type RangedObject, RangedSource } from '../web/ranged-source.ts'
import { gcsFailure } from './errors.ts'
import { lookAt } from './put.ts'
import { type GcsStore, isAbsent, keyOf, objectPath } from './store.ts'

export function openInGcs(
  store: GcsStore,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  return openKeyInGcs(store, keyOf(store, name), options)
}

export async function openKeyInGcs(
  store: GcsStore,
  key: string,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  const found = await lookAt(store, key, options.signal)
  if (found === undefined) throw absent(store.label)
  const { sizeBytes, generation } = found
  const tail = new Uint8Array(Math.min(sizeBytes, options.tailBytes ?? bounds.tailBytesDefault))
  const query = [
    ['alt', 'media'],
    ['ifGenerationMatch', generation],
  ] as const
  const object: RangedObject = {
    label: store.label,
    protocol: 'Google Cloud Storage',
    clock: store.clock,
    sizeBytes,
    tail,
    get: ({ first, last }, how) =>
      store.client.send({
        ...how,
        method: 'GET',
        path: objectPath(store, key),
        query,
        headers: { range: `bytes=${first}-${last}` },
        bulk: true,
      }),
    judge: async (answer, signal) => {
      if (await isAbsent(store, answer, signal)) return 'absent'
      return answer.status === 412 ? 'changed' : gcsFailure(store.label, answer)
    },
  }
  await new RangedSource(object).read(sizeBytes - tail.length, tail, options)
  return new RangedSource(object)
}
