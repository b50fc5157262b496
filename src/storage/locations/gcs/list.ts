// Listing a bucket in code point order. What the store claims is held to that order, since callers page by it.
import type { ListPage, ListRequest } from '../contract.ts'
import { bounds, gcsBounds } from '../bounds.ts'
import { isFragmentName } from '../names.ts'
import { requireOrder } from '../web/in-order.ts'
import { bytesOf, garbage, parseJson, recordOf } from './errors.ts'
import { type GcsStore, bucketPath } from './store.ts'

interface RawObject {
  readonly key: string
  readonly sizeBytes: number
}

/** One page of names. Names that are not ours are passed over, so that a page may be short and still have a `next`. */
export async function listGcs(store: GcsStore, request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage> {
  const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
  const prefix = `${store.prefix}${request.prefix}`
  const after = request.after === undefined ? undefined : `${store.prefix}${request.after}`
  let token: string | undefined
  // Pages of the store may be empty and yet not the last.
  for (let pages = 0; pages < gcsBounds.listPagesMax; pages += 1) {
    const page = await rawPage(store, { prefix, after, limit, token }, signal)
    const keys = page.objects.map(({ key }) => key)
    requireOrder(keys, { prefix }, { label: store.label, next: 'Use a bucket without hierarchical namespace.' })
    // The name to begin with is listed too.
    const objects = page.objects.filter(({ key }) => after === undefined || key > after)
    const more = page.token !== undefined || objects.length > limit
    const shown = objects.slice(0, limit)
    const last = shown.at(-1)
    if (last !== undefined || !more) {
      const entries = shown
        .map(({ key, sizeBytes }) => ({ name: key.slice(store.prefix.length), sizeBytes }))
        .filter(({ name }) => isFragmentName(name))
      return more ? { entries, next: last.key.slice(store.prefix.length) } : { entries }
    }
    token = page.token
  }
  throw garbage(store.label)
}

async function rawPage(
  store: GcsStore,
  wanted: { readonly prefix: string; readonly after: string | undefined; readonly limit: number; readonly token: string | undefined },
  signal: AbortSignal | undefined,
): Promise<{ readonly objects: readonly RawObject[]; readonly token: string | undefined }> {
  const query: [string, string][] = [
    ['fields', 'items(name,size),nextPageToken'],
    ['maxResults', String(wanted.limit + (wanted.after === undefined ? 0 : 1))],
  ]
  if (wanted.prefix !== '') query.push(['prefix', wanted.prefix])
  if (wanted.after !== undefined) query.push(['startOffset', wanted.after])
  if (wanted.token !== undefined) query.push(['pageToken', wanted.token])
  const answer = await store.client.expect({ method: 'GET', path: bucketPath(store), query, signal })
  const record = recordOf(parseJson(answer.body))
  const items = record?.['items'] ?? []
  const token = record?.['nextPageToken']
  if (record === undefined || !Array.isArray(items)) throw garbage(store.label)
  if (token !== undefined && (typeof token !== 'string' || token.length > 4096)) throw garbage(store.label)
  const objects = items.map((item: unknown) => {
    const { name: key, size } = recordOf(item) ?? {}
    const sizeBytes = bytesOf(size)
    if (typeof key !== 'string' || sizeBytes === undefined) throw garbage(store.label)
    return { key, sizeBytes }
  })
  return { objects, token }
}
