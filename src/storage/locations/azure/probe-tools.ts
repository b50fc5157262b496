// What the capability probe does below the contract of locations, for Azure.
import { randomBytes } from 'node:crypto'
import type { FragmentName } from '../contract.ts'
import type { ProbeTools } from '../probe.ts'
import { beginBlocks, lastBegun } from './blocks.ts'
import { isRefusal } from './discard.ts'
import { azureFailure } from './errors.ts'
import { emptyBlobs } from './list.ts'
import { type AzureStore, isTaken, lockHeaders, pathOf } from './store.ts'

/** How long the probe's own locked object is held: long enough to be refused, short enough to vanish soon. */
const PROBE_LOCK_MS = 60_000

export function azureProbeTools(store: AzureStore, signal: AbortSignal | undefined): ProbeTools {
  return {
    createRaw: async (name, bytes) => {
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'if-none-match': '*' }
      const answer = await store.client.send({ method: 'PUT', path: pathOf(store, name), headers, body: [bytes], attempts: 1, signal })
      if (answer.status === 201) return 'created'
      if (isTaken(answer)) return 'refused'
      throw azureFailure(store.label, answer)
    },
    abortedWriteLeavesNothing: async (name) => {
      const path = pathOf(store, name)
      const upload = beginBlocks(store, path)
      const never = new AbortController().signal
      await upload.put({ number: 1, offset: 0, views: [randomBytes(1024)], length: 1024 }, signal ?? never)
      // A right that was granted meanwhile is found out here.
      store.rights.deletes = true
      await upload.abort()
      for await (const _ of emptyBlobs(store, `${store.prefix}${name}`, signal)) return false
      return (await lastBegun(store, path, signal)) === undefined
    },
    objectLock: (name) => (store.lock === undefined ? Promise.resolve('not asked') : lockHolds(store, name, signal)),
  }
}

/** Puts an object under a short policy and tries to delete it. */
async function lockHolds(store: AzureStore, name: FragmentName, signal: AbortSignal | undefined): Promise<'holds' | 'does not hold'> {
  const path = pathOf(store, name)
  const headers = { 'x-ms-blob-type': 'BlockBlob', ...lockHeaders(store, PROBE_LOCK_MS) }
  const written = await store.client.send({ method: 'PUT', path, headers, body: [randomBytes(16)], signal })
  if (written.status !== 201) return 'does not hold'
  const answer = await store.client.send({ method: 'DELETE', path, signal })
  // A right to delete that is missing would look the same as a lock.
  const holds = isRefusal(answer) && answer.status === 409
  if (!holds) return 'does not hold'
  // Those who may take an unlocked policy away clean up; a locked one runs out, and the name stays until then.
  await store.client.send({ method: 'DELETE', path, query: [['comp', 'immutabilityPolicies']], signal })
  await store.client.send({ method: 'DELETE', path, signal })
  return 'holds'
}
