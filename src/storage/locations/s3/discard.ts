// Deleting for good. In a bucket with versions a plain DELETE only hides; every version is deleted by its id.
import type { FragmentName, LocationOptions } from '../contract.ts'
import { s3Bounds } from '../bounds.ts'
import type { S3Answer } from './client.ts'
import { statusFailure } from './errors.ts'
import { type Store, keyOf } from './store.ts'

/** Removes every version that shows. `kept` = the store refuses: object lock, or no right to delete. */
export async function discardInS3(store: Store, name: FragmentName, options: LocationOptions): Promise<'gone' | 'kept'> {
  const key = keyOf(store, name)
  for (let version = 0; version < s3Bounds.versionsMax; version += 1) {
    const found = await store.client.send({ method: 'HEAD', key, signal: options.signal })
    if (await store.client.onlyObjectAbsent(found, options.signal)) return 'gone'
    if (found.status !== 200) throw statusFailure(store.label, found)
    const id = found.headers['x-amz-version-id']
    const query = typeof id === 'string' && id !== '' ? ([['versionId', id]] as const) : []
    const answer = await store.client.send({ method: 'DELETE', key, query, signal: options.signal })
    if (isRefusal(answer)) return 'kept'
    if (answer.status >= 300 && answer.status !== 404) throw statusFailure(store.label, answer)
    if (query.length === 0) return 'gone'
  }
  return 'kept'
}

function isRefusal(answer: S3Answer): boolean {
  return (
    (answer.status === 403 && (answer.code === 'AccessDenied' || answer.code === 'ObjectLocked' || answer.code === 'InvalidRequest')) ||
    answer.status === 405 ||
    answer.status === 501
  )
}
