// What the capability probe does below the contract of locations, for Google Cloud Storage.
import { randomBytes } from 'node:crypto'
import { utf8 } from '#base'
import { gcsBounds } from '../bounds.ts'
import type { FragmentName } from '../contract.ts'
import type { ProbeTools } from '../probe.ts'
import { isRefusal } from './discard.ts'
import { gcsFailure } from './errors.ts'
import { lookAt, uploadOf } from './put.ts'
import { beginResumable } from './resumable.ts'
import { type GcsStore, keyOf, objectPath, retention } from './store.ts'

/** How long the probe's own locked object is held: long enough to be refused, short enough to vanish soon. */
const PROBE_LOCK_MS = 60_000

export function gcsProbeTools(store: GcsStore, callerSignal: AbortSignal | undefined): ProbeTools {
  const signal = callerSignal ?? new AbortController().signal
  return {
    createRaw: async (name, bytes) => {
      const answer = await store.client.send({ ...uploadOf(store, keyOf(store, name), [bytes], {}), attempts: 1, signal })
      if (answer.status === 200) return 'created'
      if (answer.status === 412) return 'refused'
      throw gcsFailure(store.label, answer)
    },
    abortedWriteLeavesNothing: async (name) => {
      const key = keyOf(store, name)
      const upload = await beginResumable(store, key, { locked: false })
      const views = [randomBytes(gcsBounds.pieceBytes)]
      await upload.put({ number: 1, offset: 0, views, length: gcsBounds.pieceBytes }, signal)
      await upload.abort()
      return (await upload.isGone(signal)) && (await lookAt(store, key, signal)) === undefined
    },
    objectLock: (name) => (store.lock === undefined ? Promise.resolve('not asked') : lockHolds(store, name, signal)),
  }
}

/** Puts an object under a short retention and tries to delete it. */
async function lockHolds(store: GcsStore, name: FragmentName, signal: AbortSignal): Promise<'holds' | 'does not hold'> {
  const key = keyOf(store, name)
  const path = objectPath(store, key)
  const written = await store.client.send({ ...uploadOf(store, key, [randomBytes(16)], retention(store, PROBE_LOCK_MS)), signal })
  if (written.status !== 200) return 'does not hold'
  const answer = await store.client.send({ method: 'DELETE', path, signal })
  if (!isRefusal(answer)) return 'does not hold'
  // A right to delete that is missing would look the same as a lock: the store says which it is.
  const held = await store.client.send({ method: 'GET', path, query: [['fields', 'retention']], signal })
  const holds = held.status === 200 && Buffer.from(held.body).includes('retainUntilTime')
  // Those who may take an unlocked retention away clean up; a locked one runs out, and the name stays until then.
  const lift = [['overrideUnlockedRetention', 'true']] as const
  const headers = { 'content-type': 'application/json' }
  await store.client.send({ method: 'PATCH', path, query: lift, headers, body: [utf8('{"retention":null}')], signal })
  await store.client.send({ method: 'DELETE', path, signal })
  return holds ? 'holds' : 'does not hold'
}
