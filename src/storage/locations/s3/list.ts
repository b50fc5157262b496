// Listing a bucket in code point order. What the store claims is held to that order, since callers page by it.
import { rfc3339 } from '#base'
import type { ListPage, ListRequest } from '../contract.ts'
import { bounds } from '../bounds.ts'
import { isFragmentName } from '../names.ts'
import type { S3Answer } from './client.ts'
import { garbage, statusFailure } from './errors.ts'
import type { Store } from './store.ts'
import { requireOrder } from '../web/in-order.ts'
import { type XmlElement, childText, childrenOf, parseXml } from '../web/xml.ts'

export interface RawPage {
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number; readonly modified: string | undefined }[]
  readonly truncated: boolean
}

/** Stores whose ListObjectsV2 is missing or starts elsewhere than asked. */
const needsFirstVersion = new WeakSet<Store>()

/** One page of names. Names that are not ours are passed over, so that a page may be short and still have a `next`. */
export async function listS3(store: Store, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
  const wanted = {
    prefix: `${store.prefix}${request.prefix}`,
    after: request.after === undefined ? undefined : `${store.prefix}${request.after}`,
    limit,
  }
  const page = await rawPage(store, wanted, signal)
  const entries = page.objects
    .map(({ key, sizeBytes }) => ({ name: key.slice(store.prefix.length), sizeBytes }))
    .filter(({ name }) => isFragmentName(name))
  const last = page.objects.at(-1)
  return page.truncated && last !== undefined ? { entries, next: last.key.slice(store.prefix.length) } : { entries }
}

/** One page of whatever lies below the prefix, also under names that are not ours. */
export function listObjects(
  store: Store,
  request: { readonly after: string | undefined; readonly limit: number },
  signal: AbortSignal | undefined,
): Promise<RawPage> {
  return rawPage(store, { prefix: store.prefix, ...request }, signal)
}

interface Wanted {
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
}

async function rawPage(store: Store, wanted: Wanted, signal: AbortSignal | undefined): Promise<RawPage> {
  if (!needsFirstVersion.has(store)) {
    const answer = await ask(store, wanted, { version: 2, signal })
    if (answer.status === 200) {
      const page = parsePage(store, answer)
      if (page.objects.every(({ key }) => wanted.after === undefined || key > wanted.after)) return inOrder(store, page, wanted)
    } else if (![400, 405, 500, 501].includes(answer.status)) throw statusFailure(store.label, answer)
  }
  const answer = await ask(store, wanted, { version: 1, signal })
  if (answer.status !== 200) throw statusFailure(store.label, answer)
  const page = inOrder(store, parsePage(store, answer), wanted)
  needsFirstVersion.add(store)
  return page
}

function ask(
  store: Store,
  { prefix, after, limit }: Wanted,
  how: { readonly version: 1 | 2; readonly signal: AbortSignal | undefined },
): Promise<S3Answer> {
  const query: [string, string][] = [
    ['encoding-type', 'url'],
    ['max-keys', String(limit)],
    ['prefix', prefix],
  ]
  if (how.version === 2) query.push(['list-type', '2'])
  if (after !== undefined) query.push([how.version === 2 ? 'start-after' : 'marker', after])
  return store.client.send({ method: 'GET', query, signal: how.signal })
}

function parsePage(store: Store, answer: S3Answer): RawPage {
  const root = parseXml(answer.body)
  const truncated = root === undefined ? undefined : childText(root, 'IsTruncated')
  if (root?.name !== 'ListBucketResult' || (truncated !== 'true' && truncated !== 'false')) throw garbage(store.label)
  const encoded = childText(root, 'EncodingType') === 'url'
  const objects = childrenOf(root, 'Contents').map((each) => parseObject(store, each, encoded))
  if (truncated === 'true' && objects.length === 0) throw garbage(store.label)
  return { objects, truncated: truncated === 'true' }
}

function parseObject(store: Store, element: XmlElement, encoded: boolean): RawPage['objects'][number] {
  const key = childText(element, 'Key')
  const size = childText(element, 'Size')
  if (key === undefined || size === undefined || !/^\d{1,15}$/.test(size)) throw garbage(store.label)
  const changed = Date.parse(childText(element, 'LastModified') ?? '')
  return {
    key: encoded ? decodeKey(store, key) : key,
    sizeBytes: Number(size),
    modified: Number.isNaN(changed) ? undefined : rfc3339(changed),
  }
}

function decodeKey(store: Store, key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    throw garbage(store.label)
  }
}

function inOrder(store: Store, page: RawPage, wanted: Wanted): RawPage {
  const next = 'Use an ordinary bucket; directory buckets cannot be listed in order.'
  requireOrder(
    page.objects.map(({ key }) => key),
    wanted,
    { label: store.label, next },
  )
  return page.objects.length > wanted.limit ? { objects: page.objects.slice(0, wanted.limit), truncated: true } : page
}
