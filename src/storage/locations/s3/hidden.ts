// In a bucket with versions a plain DELETE only hides: what was there can be looked for.
import type { FragmentName, LocationOptions } from '../contract.ts'
import { childText, childrenOf, parseXml } from '../web/xml.ts'
import { garbage } from './errors.ts'
import { keyOf, type Store } from './store.ts'

/** Versions of other names that begin alike are few: ours end where they end. */
const VERSIONS_MAX = '10'

/** True when a version of the object is kept. Meant for names that show nothing. */
export async function hidesInS3(store: Store, name: FragmentName, options: LocationOptions): Promise<boolean> {
  const key = keyOf(store, name)
  const query = [
    ['versions', ''],
    ['prefix', key],
    ['max-keys', VERSIONS_MAX],
  ] as const
  const answer = await store.client.expect({ method: 'GET', query, signal: options.signal })
  const root = parseXml(answer.body)
  if (root?.name !== 'ListVersionsResult') throw garbage(store.label)
  return childrenOf(root, 'Version').some((version) => childText(version, 'Key') === key)
}
