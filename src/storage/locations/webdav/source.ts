// Opening a fragment on a WebDAV server for reading.
import type { IncomingHttpHeaders } from 'node:http'
import { bounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent, locationFailure, stopIfCancelled } from '../failures.ts'
import type { ExchangeRequest } from '../web/exchange.ts'
import { type RangedObject, RangedSource, rangeOf } from '../web/ranged-source.ts'
import { type WebdavStore, requireRoot, sawMarker, sizeOf, statusFailure, targetOf } from './store.ts'

/** One request where the server knows ranges counted from the end. */
export async function openOverWebdav(
  store: WebdavStore,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  stopIfCancelled(options.signal)
  const tailBytes = options.tailBytes ?? bounds.tailBytesDefault
  if (tailBytes > 0) {
    const found = await openByTail(store, name, tailBytes, options.signal)
    if (found !== undefined) {
      sawMarker(store, name, true)
      return found
    }
  }
  // No tail wanted, an empty object, or a server that cannot count from the end.
  const sizeBytes = await sizeOf(store, name, options.signal)
  if (sizeBytes === undefined) {
    await requireRoot(store, options.signal)
    throw absent(store.label)
  }
  const tail = new Uint8Array(Math.min(sizeBytes, tailBytes))
  const object = objectOf(store, name, { sizeBytes, tail, tag: undefined })
  await new RangedSource(object).read(sizeBytes - tail.length, tail, options)
  sawMarker(store, name, true)
  return new RangedSource(object)
}

/** The server sends something else than the last bytes. */
class NoTail extends Error {}

async function openByTail(
  store: WebdavStore,
  name: FragmentName,
  tailBytes: number,
  signal: AbortSignal | undefined,
): Promise<FragmentSource | undefined> {
  let tail: Uint8Array = new Uint8Array(0)
  const intoOf = (status: number, headers: IncomingHttpHeaders): Uint8Array | undefined => {
    if (status !== 200 && status !== 206) return undefined
    const range = rangeOf(status, headers)
    // Everything, another part, a page of a folder, or no word of which part: cut off at once.
    if (
      status !== 206 ||
      range === undefined ||
      range.length !== Math.min(tailBytes, range.sizeBytes) ||
      range.first + range.length !== range.sizeBytes
    )
      throw new NoTail()
    tail = new Uint8Array(range.length)
    return tail
  }
  let answer
  try {
    const headers = { range: `bytes=-${tailBytes}`, 'accept-encoding': 'identity' }
    answer = await store.client.send({ method: 'GET', path: targetOf(store, name), headers, signal, bulk: true, intoOf })
  } catch (error) {
    if (error instanceof NoTail) return undefined
    throw error
  }
  const range = rangeOf(answer.status, answer.headers)
  if (answer.status === 206 && range !== undefined)
    return new RangedSource(objectOf(store, name, { sizeBytes: range.sizeBytes, tail, tag: tagOf(answer.headers) }))
  // What is missing, empty, moved to a folder or refused is asked about in words of WebDAV.
  if (answer.status === 401 || answer.status === 403 || answer.status >= 500) throw statusFailure(store, answer)
  return undefined
}

/** Weak or strong is the same to us: Apache calls what it has just written weak, and strong a second later. */
function tagOf({ etag }: IncomingHttpHeaders): string | undefined {
  return etag?.replace(/^W\//, '')
}

function objectOf(
  store: WebdavStore,
  name: FragmentName,
  about: { readonly sizeBytes: number; readonly tail: Uint8Array; readonly tag: string | undefined },
): RangedObject {
  /** Only in memory, compared and never sent on (rule R1). */
  let { tag } = about
  return {
    label: store.label,
    protocol: 'WebDAV',
    clock: store.clock,
    sizeBytes: about.sizeBytes,
    tail: about.tail,
    get: async ({ first, last }, { intoOf, ...how }) => {
      const watching: NonNullable<ExchangeRequest['intoOf']> = (status, headers) => {
        const seen = status === 200 || status === 206 ? tagOf(headers) : undefined
        if (seen !== undefined && tag !== undefined && seen !== tag) throw changed(store.label)
        tag ??= seen
        return intoOf(status, headers)
      }
      const headers = { range: `bytes=${first}-${last}`, 'accept-encoding': 'identity' }
      return store.client.send({ method: 'GET', path: targetOf(store, name), headers, bulk: true, ...how, intoOf: watching })
    },
    judge: async (answer, signal) => {
      if (answer.status !== 404 && answer.status !== 410) return statusFailure(store, answer)
      await requireRoot(store, signal)
      return 'absent'
    },
  }
}

function changed(label: string): Error {
  return locationFailure('location.lies', {
    label,
    detail: `${label} changed an object that is written only once.`,
    next: 'Scrub the vault; the fragment is rebuilt from the other locations.',
  })
}
