// Holding what stands already for longer: the retention of an object.
// https://cloud.google.com/storage/docs/json_api/v1/objects/patch, https://cloud.google.com/storage/docs/object-lock
import { utf8 } from '#base'
import type { FragmentName, LocationOptions } from '../contract.ts'
import { absent } from '../failures.ts'
import { lockLasts } from '../lock-time.ts'
import { garbage, gcsFailure, parseJson, recordOf } from './errors.ts'
import { type GcsStore, isAbsent, keyOf, objectPath, retention } from './store.ts'

/** What was joined may not have got the lock that was asked for. Throws where it gets none. */
export async function holdWhenForgotten(store: GcsStore, name: FragmentName, signal: AbortSignal): Promise<void> {
  if ((await extendLockInGcs(store, name, { signal })) === 'refused') throw gcsFailure(store.label, { status: 403, code: 'forbidden' })
}

/** Holds an object for all the days of the location again. `held`: it is locked for long enough as it is. */
export async function extendLockInGcs(
  store: GcsStore,
  name: FragmentName,
  { signal }: LocationOptions,
): Promise<'extended' | 'held' | 'refused'> {
  if (store.lock === undefined) return 'refused'
  const path = objectPath(store, keyOf(store, name))
  const found = await store.client.send({ method: 'GET', path, query: [['fields', 'generation,retention']], signal })
  if (await isAbsent(store, found, signal)) throw absent(store.label)
  if (found.status !== 200) throw gcsFailure(store.label, found)
  const record = recordOf(parseJson(found.body))
  const generation = record?.['generation']
  if (typeof generation !== 'string' || !/^\d{1,20}$/.test(generation)) throw garbage(store.label)
  const { mode, retainUntilTime } = recordOf(record?.['retention']) ?? {}
  const until = Date.parse(typeof retainUntilTime === 'string' ? retainUntilTime : '')
  if (lockLasts(store.lock, { untilMs: until, nowMs: store.clock.now() })) return 'held'
  // A locked retention stays locked, whatever the description says now.
  const wanted = retention(mode === 'Locked' ? { ...store, lock: { ...store.lock, mode: 'compliance' } } : store)
  const answer = await store.client.send({
    method: 'PATCH',
    path,
    query: [
      ['ifGenerationMatch', generation],
      ['fields', 'generation'],
    ],
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: [utf8(JSON.stringify(wanted))],
    signal,
  })
  if (answer.status === 200) return 'extended'
  if (await isAbsent(store, answer, signal)) throw absent(store.label)
  // No right to do it, or no object retention on this bucket: a person must look.
  if (answer.status === 403 || answer.status === 400) return 'refused'
  throw gcsFailure(store.label, answer)
}
