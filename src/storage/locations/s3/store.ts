// What the parts of the S3 driver share: the client, how names become keys, how writes are protected.
import { createHash } from 'node:crypto'
import type { FragmentName } from '../contract.ts'
import type { ObjectLock } from '../spec-text.ts'
import type { BlockPool } from '../web/blocks.ts'
import type { S3Client } from './client.ts'

/** Whether the store minds `If-None-Match: *`. Learned as we go; `ignored` and `unknown` are preceded by a look. */
export type Obedience = 'unknown' | 'honoured' | 'refused' | 'ignored'

export interface Store {
  readonly client: S3Client
  readonly label: string
  /** Empty, or ending with `/`. */
  readonly prefix: string
  readonly partBytes: number
  readonly partsInFlight: number
  readonly lock: ObjectLock | undefined
  readonly blocks: BlockPool
  /** Of a plain PUT, and of the end of a multipart upload. */
  readonly obedience: { put: Obedience; complete: Obedience }
}

export function keyOf(store: Store, name: FragmentName): string {
  return `${store.prefix}${name}`
}

/** The headers that hold an object for as long as the lock says, from now on. */
export function lockHeaders(store: Store): Record<string, string> {
  if (store.lock === undefined) return {}
  const { mode, until } = retention(store.lock, store.client.clock.now())
  return { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': until }
}

/** A lock in the words of S3. */
export function retention(lock: ObjectLock, nowMs: number): { readonly mode: string; readonly until: string } {
  return { mode: lock.mode.toUpperCase(), until: new Date(nowMs + lock.days * 86_400_000).toISOString() }
}

/** S3 demands a checksum of bodies that are put under an object lock. */
export function checksumHeaders(store: Store, body: readonly Uint8Array[]): Record<string, string> {
  if (store.lock === undefined) return {}
  const hash = createHash('md5')
  for (const view of body) hash.update(view)
  return { 'content-md5': hash.digest('base64') }
}
