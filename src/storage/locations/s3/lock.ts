// Locks of objects that stand already: how long they hold, and holding them longer.
import { utf8 } from '#base'
import { absent } from '../failures.ts'
import type { FragmentName, LocationOptions } from '../contract.ts'
import { lockLasts } from '../lock-time.ts'
import { statusFailure } from './errors.ts'
import { checksumHeaders, keyOf, retention, type Store } from './store.ts'

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** Holds an object for all the days of the location again. `held`: it is locked for long enough as it is. */
export async function extendLock(store: Store, name: FragmentName, options: LocationOptions): Promise<'extended' | 'held' | 'refused'> {
  const { lock, client } = store
  if (lock === undefined) return 'refused'
  const key = keyOf(store, name)
  const found = await client.send({ method: 'HEAD', key, signal: options.signal })
  if (await client.onlyObjectAbsent(found, options.signal)) throw absent(store.label)
  if (found.status !== 200) throw statusFailure(store.label, found)
  const until = Date.parse(String(found.headers['x-amz-object-lock-retain-until-date'] ?? ''))
  if (lockLasts(lock, { untilMs: until, nowMs: client.clock.now() })) return 'held'
  const answer = await client.send({
    method: 'PUT',
    key,
    query: retentionQuery(found.headers['x-amz-version-id']),
    ...retentionBody(store),
    signal: options.signal,
  })
  if (answer.status < 300) return 'extended'
  // No right to do it, or no lock on this bucket: a person must look.
  if (answer.status === 403 || answer.status === 400 || answer.status === 501) return 'refused'
  throw statusFailure(store.label, answer)
}

export function retentionQuery(version: string | string[] | undefined): [string, string][] {
  return typeof version === 'string' && version !== ''
    ? [
        ['retention', ''],
        ['versionId', version],
      ]
    : [['retention', '']]
}

export function retentionBody(store: Store): { readonly headers: Record<string, string>; readonly body: readonly Uint8Array[] } {
  const { mode, until } = retention(store.lock!, store.client.clock.now())
  const body = [utf8(`<Retention xmlns="${S3_NAMESPACE}"><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`)]
  return { headers: checksumHeaders(store, body), body }
}
