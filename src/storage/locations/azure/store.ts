// What the parts of the Azure driver share: the container, how names become paths, how writes are protected.
import type { Clock } from '#base'
import type { FragmentName } from '../contract.ts'
import type { ObjectLock } from '../spec-text.ts'
import type { BlockPool } from '../web/blocks.ts'
import { type Dialect, WebClient, type WebAnswer, type WebClientOptions, lengthOf } from '../web/client.ts'
import type { AzureCredentialsProvider } from './credentials.ts'
import { azureCodeOf, azureFailure } from './errors.ts'
import { signForAzure } from './sign.ts'

/** What every request speaks; lists that begin at a name speak a later one. */
export const VERSION = '2023-11-03'

export interface AzureStore {
  readonly client: WebClient
  readonly clock: Clock
  readonly label: string
  /** `/container`, or `/account/container` where the account is in the path. */
  readonly container: string
  /** Empty, or ending with `/`. */
  readonly prefix: string
  readonly partBytes: number
  readonly lock: ObjectLock | undefined
  readonly blocks: BlockPool
  /** False once the store refused to delete: blocks of writes that were given up are left to it then, which drops them after a week. */
  readonly rights: { deletes: boolean }
  /** Whether lists begin at a name where asked to. */
  readonly lists: { fromName: boolean; readonly markers: Map<string, string> }
}

export function pathOf(store: AzureStore, name: FragmentName): string {
  return `${store.container}/${store.prefix}${name}`
}

export function azureClient(
  options: Omit<WebClientOptions, 'dialect'> & { readonly account: string; readonly credentials: AzureCredentialsProvider },
): WebClient {
  const { label, account, clock, credentials } = options
  const dialect: Dialect = {
    authorise: async (request, { reload }) =>
      signForAzure(
        {
          method: request.method,
          path: request.path,
          query: request.query ?? [],
          headers: { 'x-ms-version': VERSION, ...request.headers },
          bodyBytes: request.method === 'PUT' || request.method === 'POST' ? lengthOf(request.body ?? []) : 0,
        },
        { account, nowMs: clock.now(), credentials: await credentials({ reload }) },
      ),
    codeOf: azureCodeOf,
    // A missing right is not cured by reading the same key again, but the key may have been exchanged for one that has it.
    reloads: () => true,
    failureOf: (answer) => azureFailure(label, answer),
    passing: new Set(['ServerBusy', 'OperationTimedOut', 'InternalError']),
  }
  return new WebClient({ ...options, dialect })
}

/** The headers that hold an object for as long as the lock says, from now on. The container needs immutability of versions. */
export function lockHeaders(store: AzureStore, forMs?: number): Record<string, string> {
  if (store.lock === undefined) return {}
  const untilMs = store.clock.now() + (forMs ?? store.lock.days * 86_400_000)
  return {
    'x-ms-immutability-policy-mode': store.lock.mode === 'governance' ? 'Unlocked' : 'Locked',
    'x-ms-immutability-policy-until-date': new Date(untilMs).toUTCString(),
  }
}

/** True when the blob is absent; a missing container is a failure, and must not look like lost fragments. */
export function isAbsent(store: AzureStore, answer: WebAnswer): boolean {
  if (answer.status !== 404) return false
  if (answer.code === 'BlobNotFound') return true
  throw azureFailure(store.label, answer)
}

/** A conditional write was refused because the name is taken. */
export function isTaken(answer: WebAnswer): boolean {
  return answer.status === 412 || (answer.status === 409 && TAKEN.has(answer.code ?? ''))
}

const TAKEN = new Set(['BlobAlreadyExists', 'BlobImmutableDueToPolicy', 'BlobImmutableDueToLegalHold', 'UnauthorizedBlobOverwrite'])
