// Listing a container in code point order. Where the store cannot begin at a name, its own markers are kept in memory; without one, the
// list is read from the front.
import type { ListPage, ListRequest } from '../contract.ts'
import { azureBounds, bounds } from '../bounds.ts'
import { isFragmentName } from '../names.ts'
import type { WebAnswer } from '../web/client.ts'
import { requireOrder } from '../web/in-order.ts'
import { child, childText, childrenOf, parseXml } from '../web/xml.ts'
import { azureFailure, garbage } from './errors.ts'
import type { AzureStore } from './store.ts'

/** The first version of the protocol in which a list can begin at a name. */
const LIST_VERSION = '2026-06-06'

const FLAT = 'Use a container of an account without hierarchical namespace.'

interface RawBlob {
  readonly name: string
  readonly sizeBytes: number
}

interface RawPage {
  readonly blobs: readonly RawBlob[]
  /** Where the store goes on, in its own words. */
  readonly marker: string | undefined
}

interface Wanted {
  /** Of the whole name, with the prefix of the location. */
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
}

/** One page of names. Names that are not ours are passed over, so that a page may be short and still have a `next`. */
export async function listAzure(store: AzureStore, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  const wanted = {
    prefix: `${store.prefix}${request.prefix}`,
    after: request.after === undefined ? undefined : `${store.prefix}${request.after}`,
    limit: Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax),
  }
  const page = await rawPage(store, wanted, signal)
  const entries = page.blobs
    .map(({ name, sizeBytes }) => ({ name: name.slice(store.prefix.length), sizeBytes }))
    .filter(({ name }) => isFragmentName(name))
  const last = page.blobs.at(-1)
  return page.marker === undefined || last === undefined ? { entries } : { entries, next: last.name.slice(store.prefix.length) }
}

/** Names of writes that were begun and never committed, and empty objects: the list does not tell them apart. */
export async function* emptyBlobs(store: AzureStore, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  let marker: string | undefined
  for (let pages = 0; pages < azureBounds.listPagesMax; pages += 1) {
    const more: [string, string][] = [['include', 'uncommittedblobs']]
    if (marker !== undefined) more.push(['marker', marker])
    const page = parsePage(store, await ask(store, { prefix, limit: bounds.listPageMax }, { more, signal }))
    for (const { name, sizeBytes } of page.blobs) if (sizeBytes === 0 && name.startsWith(prefix)) yield name
    marker = page.marker
    if (marker === undefined) return
  }
}

/** Goes on until there is something after `after`, or nothing more: pages of the store may be empty. */
async function rawPage(store: AzureStore, wanted: Wanted, signal: AbortSignal | undefined): Promise<RawPage> {
  const { after } = wanted
  let begins = after !== undefined && store.lists.fromName
  let marker = after === undefined || begins ? undefined : store.lists.markers.get(keyOf(wanted.prefix, after))
  let last = marker === undefined ? undefined : after
  for (let pages = 0; pages < azureBounds.listPagesMax; pages += 1) {
    const more: [string, string][] = marker === undefined ? [] : [['marker', marker]]
    if (begins) more.push(['startFrom', after!])
    // The name to begin with is listed too.
    const limit = wanted.limit + (begins ? 1 : 0)
    const answer = await ask(store, { ...wanted, limit }, { more, signal, version: begins ? LIST_VERSION : undefined })
    const page = answer.status === 400 ? undefined : parsePage(store, answer)
    if (begins && (page === undefined || page.blobs.some(({ name }) => name < after!))) {
      begins = store.lists.fromName = false
      marker = last = undefined
      continue
    }
    if (page === undefined) throw azureFailure(store.label, answer)
    const names = page.blobs.map(({ name }) => name)
    requireOrder(names, { prefix: wanted.prefix, after: last }, { label: store.label, next: FLAT })
    const blobs = page.blobs.filter(({ name }) => after === undefined || name > after)
    last = page.blobs.at(-1)?.name ?? last
    marker = page.marker
    if (blobs.length > 0 || marker === undefined) return cut(store, { blobs, marker }, wanted)
  }
  throw garbage(store.label)
}

/** At most as many as wanted; where the page ends with the store's own, its marker is kept for whoever goes on. */
function cut(store: AzureStore, page: RawPage, wanted: Wanted): RawPage {
  if (page.blobs.length > wanted.limit) return { blobs: page.blobs.slice(0, wanted.limit), marker: page.marker ?? 'more' }
  const last = page.blobs.at(-1)
  if (page.marker === undefined || last === undefined) return page
  const { markers } = store.lists
  markers.set(keyOf(wanted.prefix, last.name), page.marker)
  for (const key of markers.keys()) if (markers.size > azureBounds.markersMax) markers.delete(key)
  return page
}

function keyOf(prefix: string, after: string): string {
  return `${prefix}\n${after}`
}

async function ask(
  store: AzureStore,
  { prefix, limit }: { readonly prefix: string; readonly limit: number },
  how: {
    readonly more: readonly (readonly [string, string])[]
    readonly signal: AbortSignal | undefined
    readonly version?: string | undefined
  },
): Promise<WebAnswer> {
  const query: (readonly [string, string])[] = [['restype', 'container'], ['comp', 'list'], ['maxresults', String(limit)], ...how.more]
  if (prefix !== '') query.push(['prefix', prefix])
  const headers: Record<string, string> = how.version === undefined ? {} : { 'x-ms-version': how.version }
  const answer = await store.client.send({ method: 'GET', path: store.container, query, headers, signal: how.signal })
  if (answer.status !== 200 && !(answer.status === 400 && how.version !== undefined)) throw azureFailure(store.label, answer)
  return answer
}

function parsePage(store: AzureStore, answer: WebAnswer): RawPage {
  const root = parseXml(answer.body)
  const blobs = root === undefined ? undefined : child(root, 'Blobs')
  if (root?.name !== 'EnumerationResults' || blobs === undefined) throw garbage(store.label)
  const marker = childText(root, 'NextMarker') ?? ''
  if (marker.length > 4096) throw garbage(store.label)
  const parsed = childrenOf(blobs, 'Blob').map((blob) => {
    const name = childText(blob, 'Name')
    const properties = child(blob, 'Properties')
    const size = properties === undefined ? undefined : childText(properties, 'Content-Length')
    if (name === undefined || (size !== undefined && !/^\d{1,15}$/.test(size))) throw garbage(store.label)
    return { name, sizeBytes: Number(size ?? 0) }
  })
  return { blobs: parsed, marker: marker === '' ? undefined : marker }
}
