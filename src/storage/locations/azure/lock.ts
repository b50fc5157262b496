// Holding what stands already for longer: an immutability policy of the present version.
// https://learn.microsoft.com/rest/api/storageservices/set-blob-immutability-policy
import type { FragmentName, LocationOptions } from '../contract.ts'
import { absent } from '../failures.ts'
import { lockLasts } from '../lock-time.ts'
import { azureFailure } from './errors.ts'
import { type AzureStore, isAbsent, lockHeaders, pathOf } from './store.ts'

/** Holds a blob for all the days of the location again. `held`: it is locked for long enough as it is. */
export async function extendLockInAzure(
  store: AzureStore,
  name: FragmentName,
  { signal }: LocationOptions,
): Promise<'extended' | 'held' | 'refused'> {
  if (store.lock === undefined) return 'refused'
  const path = pathOf(store, name)
  const found = await store.client.send({ method: 'HEAD', path, signal })
  if (isAbsent(store, found)) throw absent(store.label)
  if (found.status !== 200) throw azureFailure(store.label, found)
  const until = Date.parse(String(found.headers['x-ms-immutability-policy-until-date'] ?? ''))
  if (lockLasts(store.lock, { untilMs: until, nowMs: store.clock.now() })) return 'held'
  // A locked policy stays locked, whatever the description says now.
  const locked = String(found.headers['x-ms-immutability-policy-mode'] ?? '').toLowerCase() === 'locked'
  const headers = { ...lockHeaders(store), ...(locked ? { 'x-ms-immutability-policy-mode': 'Locked' } : {}) }
  const answer = await store.client.send({ method: 'PUT', path, query: [['comp', 'immutabilityPolicies']], headers, signal })
  if (answer.status === 200) return 'extended'
  if (isAbsent(store, answer)) throw absent(store.label)
  // No right to do it, or no version-level immutability on this container: a person must look.
  if (answer.status === 403 || answer.status === 400 || answer.status === 409) return 'refused'
  throw azureFailure(store.label, answer)
}
