// Deleting for good: by generation, so that a bucket that keeps versions does not keep this one.
import type { FragmentName, LocationOptions } from '../contract.ts'
import type { WebAnswer } from '../web/client.ts'
import { gcsFailure } from './errors.ts'
import { lookAt } from './put.ts'
import { type GcsStore, isAbsent, keyOf, objectPath } from './store.ts'

/** `kept` = the store refuses: retention, a hold, or no right to delete. What soft delete keeps for its days, nobody can shorten. */
export async function discardInGcs(store: GcsStore, name: FragmentName, options: LocationOptions): Promise<'gone' | 'kept'> {
  const key = keyOf(store, name)
  const found = await lookAt(store, key, options.signal)
  if (found === undefined) return 'gone'
  const query = [['generation', found.generation]] as const
  const answer = await store.client.send({ method: 'DELETE', path: objectPath(store, key), query, signal: options.signal })
  if (isRefusal(answer)) return 'kept'
  if (answer.status !== 204 && answer.status !== 200 && !(await isAbsent(store, answer, options.signal)))
    throw gcsFailure(store.label, answer)
  return 'gone'
}

export function isRefusal(answer: WebAnswer): boolean {
  return answer.status === 403 && answer.code !== 'rateLimitExceeded' && answer.code !== 'userRateLimitExceeded'
}
