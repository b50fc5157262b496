// Deleting for good. Where the account keeps versions, deleting only makes the present one an old one, which is deleted by its id.
import type { FragmentName, LocationOptions } from '../contract.ts'
import type { WebAnswer } from '../web/client.ts'
import { azureFailure } from './errors.ts'
import { lookAt } from './put.ts'
import { type AzureStore, isAbsent, pathOf } from './store.ts'

/** `kept` = the store refuses: immutability, legal hold, or no right to delete. What soft delete keeps for its days, nobody can shorten. */
export async function discardInAzure(store: AzureStore, name: FragmentName, options: LocationOptions): Promise<'gone' | 'kept'> {
  const path = pathOf(store, name)
  const found = await lookAt(store, path, options.signal)
  if (found === undefined) return 'gone'
  const headers = { 'x-ms-delete-snapshots': 'include' }
  const answer = await store.client.send({ method: 'DELETE', path, headers, signal: options.signal })
  if (isRefusal(answer)) return 'kept'
  if (!isAbsent(store, answer) && answer.status !== 202) throw azureFailure(store.label, answer)
  if (found.versionId === undefined) return 'gone'
  const query = [['versionid', found.versionId]] as const
  const version = await store.client.send({ method: 'DELETE', path, query, signal: options.signal })
  if (isRefusal(version)) return 'kept'
  if (!isAbsent(store, version) && version.status !== 202) throw azureFailure(store.label, version)
  return 'gone'
}

export function isRefusal(answer: WebAnswer): boolean {
  if (answer.status === 403) return answer.code !== 'AuthenticationFailed'
  return answer.status === 409 && KEPT.has(answer.code ?? '')
}

const KEPT = new Set([
  'BlobImmutableDueToPolicy',
  'BlobImmutableDueToLegalHold',
  'BlobHasLegalHold',
  'LeaseIdMissing',
  'ContainerImmutableStorageWithVersioningEnabled',
])
