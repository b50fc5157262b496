// Opening an object of S3 for reading.
import type { IncomingHttpHeaders } from 'node:http'
import { bounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent } from '../failures.ts'
import { type RangedObject, RangedSource, rangeOf } from '../web/ranged-source.ts'
import { statusFailure } from './errors.ts'
import { sizeOf } from './put.ts'
import { type Store, keyOf } from './store.ts'

/** One request where the store knows ranges counted from the end: tail, size and ETag come together. */
export async function openInS3(
  store: Store,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  const key = keyOf(store, name)
  const tailBytes = options.tailBytes ?? bounds.tailBytesDefault
  if (tailBytes > 0) {
    const found = await openByTail(store, key, tailBytes, options.signal)
    if (found !== undefined) return found
  }
  // No tail wanted, an empty object, or a store that cannot count from the end.
  const sizeBytes = await sizeOf(store, key, options.signal)
  if (sizeBytes === undefined) throw absent(store.label)
  const tail = new Uint8Array(Math.min(sizeBytes, tailBytes))
  const object = objectOf(store, { key, sizeBytes, tail, etag: undefined })
  await new RangedSource(object).read(sizeBytes - tail.length, tail, options)
  return new RangedSource(object)
}

/** The store sends something else than the last bytes. */
class NoTail extends Error {}

async function openByTail(
  store: Store,
  key: string,
  tailBytes: number,
  signal: AbortSignal | undefined,
): Promise<FragmentSource | undefined> {
  let tail: Uint8Array = new Uint8Array(0)
  const intoOf = (status: number, headers: IncomingHttpHeaders): Uint8Array | undefined => {
    if (status !== 200 && status !== 206) return undefined
    const range = rangeOf(status, headers)
    // Everything, another part, or no word of which part: cut off at once.
    if (range === undefined || range.length !== Math.min(tailBytes, range.sizeBytes) || range.first + range.length !== range.sizeBytes)
      throw new NoTail()
    tail = new Uint8Array(range.length)
    return tail
  }
  let answer
  try {
    answer = await store.client.send({ method: 'GET', key, headers: { range: `bytes=-${tailBytes}` }, signal, bulk: true, intoOf })
  } catch (error) {
    if (error instanceof NoTail) return undefined
    throw error
  }
  if (await store.client.onlyObjectAbsent(answer, signal)) throw absent(store.label)
  if (answer.status === 416) return undefined
  const range = rangeOf(answer.status, answer.headers)
  if (range === undefined) throw statusFailure(store.label, answer)
  return new RangedSource(objectOf(store, { key, sizeBytes: range.sizeBytes, tail, etag: answer.headers.etag }))
}

function objectOf(
  store: Store,
  about: { readonly key: string; readonly sizeBytes: number; readonly tail: Uint8Array; readonly etag: string | undefined },
): RangedObject {
  const { label, client } = store
  // Only in memory, only sent back to where it came from (rule R1).
  let { etag } = about
  return {
    label,
    protocol: 'S3',
    clock: client.clock,
    sizeBytes: about.sizeBytes,
    tail: about.tail,
    get: async ({ first, last }, how) => {
      const headers: Record<string, string> = { range: `bytes=${first}-${last}` }
      if (etag !== undefined) headers['if-match'] = etag
      const answer = await client.send({ ...how, method: 'GET', key: about.key, headers, bulk: true })
      if (answer.status === 200 || answer.status === 206) etag ??= answer.headers.etag
      return answer
    },
    judge: async (answer, signal) => {
      if (await client.onlyObjectAbsent(answer, signal)) return 'absent'
      return answer.status === 412 ? 'changed' : statusFailure(label, answer)
    },
  }
}
