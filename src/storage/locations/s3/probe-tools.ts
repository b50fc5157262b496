// What the capability probe does below the contract of locations, for S3.
import { randomBytes } from 'node:crypto'
import { isFailure } from '#base'
import type { Capabilities, FragmentName } from '../contract.ts'
import type { ProbeTools } from '../probe.ts'
import { statusFailure } from './errors.ts'
import { abortUpload, beginUpload, putPart, unfinishedUploads } from './multipart.ts'
import { refusesConditions, sizeOf } from './put.ts'
import { type Store, checksumHeaders, keyOf } from './store.ts'

/** How long the probe's own locked object is held, in seconds: long enough to be refused, short enough to vanish soon. */
const PROBE_LOCK_SECONDS = 60

export function s3ProbeTools(store: Store, signal: AbortSignal | undefined): ProbeTools & { learn(capabilities: Capabilities): void } {
  let refused = false
  return {
    createRaw: async (name, bytes) => {
      const answer = await store.client.send({
        method: 'PUT',
        key: keyOf(store, name),
        headers: { 'if-none-match': '*' },
        body: [bytes],
        attempts: 1,
        signal,
      })
      if (answer.status < 300) return 'created'
      if (answer.status === 412 || answer.status === 409) return 'refused'
      if (!refusesConditions(answer)) throw statusFailure(store.label, answer)
      refused = true
      return 'unsupported'
    },
    abortedWriteLeavesNothing: (name) => abortLeavesNothing(store, name, signal),
    objectLock: (name) => (store.lock === undefined ? Promise.resolve('not asked') : lockHolds(store, name, signal)),
    learn: ({ honestCreate }) => {
      store.obedience.put = honestCreate ? 'honoured' : refused ? 'refused' : 'ignored'
    },
  }
}

async function abortLeavesNothing(store: Store, name: FragmentName, signal: AbortSignal | undefined): Promise<boolean> {
  const key = keyOf(store, name)
  const upload = await beginUpload(store, key, { signal, locked: false })
  await putPart(store, upload, 1, [randomBytes(1024)], signal)
  try {
    await abortUpload(store, upload, signal)
  } catch (error) {
    // A key without the right to delete is a finding, and often meant so.
    if (isFailure(error, 'location.denied')) return false
    throw error
  }
  for await (const _ of unfinishedUploads(store, key, signal)) return false
  return (await sizeOf(store, key, signal)) === undefined
}

/** Puts an object under a short lock and tries to delete it. */
async function lockHolds(store: Store, name: FragmentName, signal: AbortSignal | undefined): Promise<'holds' | 'does not hold'> {
  const key = keyOf(store, name)
  const body = [randomBytes(16)]
  const until = new Date(store.client.clock.now() + PROBE_LOCK_SECONDS * 1000).toISOString()
  const mode = (store.lock?.mode ?? 'governance').toUpperCase()
  const headers = { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': until, ...checksumHeaders(store, body) }
  const written = await store.client.send({ method: 'PUT', key, headers, body, signal })
  if (written.status >= 300) return 'does not hold'
  const id = written.headers['x-amz-version-id']
  const query = typeof id === 'string' ? ([['versionId', id]] as const) : []
  const answer = await store.client.send({ method: 'DELETE', key, query, signal })
  if (answer.status !== 403 || query.length === 0) return 'does not hold'
  // Those who may lift a governance lock clean up; a compliance lock runs out, and the name stays until then.
  await store.client.send({ method: 'DELETE', key, query, headers: { 'x-amz-bypass-governance-retention': 'true' }, signal })
  return 'holds'
}
