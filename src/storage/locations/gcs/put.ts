// Writing an object in one request, once, and looking at what stands there.
import { randomBytes } from 'node:crypto'
import { Failure, utf8 } from '#base'
import { bounds } from '../bounds.ts'
import { type WebAnswer, isMadeOf, lengthOf } from '../web/client.ts'
import { bytesOf, garbage, gcsFailure, parseJson, recordOf } from './errors.ts'
import { type GcsStore, isAbsent, objectPath, retention, uploadPath } from './store.ts'

/** Writes the views under the key unless it exists. The views must not change before it settles. */
export async function putOnce(
  store: GcsStore,
  key: string,
  body: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<'created' | 'exists'> {
  let answer: WebAnswer
  try {
    answer = await store.client.send({ ...uploadOf(store, key, body, retention(store)), bulk: true, signal })
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled' || error.kind !== 'unavailable') throw error
    if (await holds(store, key, body, signal).catch(() => false)) return 'created'
    throw error
  }
  if (answer.status === 200) return 'created'
  if (answer.status !== 412) throw gcsFailure(store.label, answer)
  // After an attempt without an answer it may be our own write that stands there.
  return answer.uncertain && (await holds(store, key, body, signal)) ? 'created' : 'exists'
}

/** An upload in one request on the condition that there is no live object; with properties it has two parts (RFC 2387). */
export function uploadOf(
  store: GcsStore,
  key: string,
  body: readonly Uint8Array[],
  properties: Readonly<Record<string, unknown>>,
): { method: 'POST'; path: string; query: [string, string][]; headers: Record<string, string>; body: Uint8Array[] } {
  const simple = Object.keys(properties).length === 0
  const query: [string, string][] = [
    ['uploadType', simple ? 'media' : 'multipart'],
    ['name', key],
    ['ifGenerationMatch', '0'],
    ['fields', 'size'],
  ]
  const shared = { method: 'POST', path: uploadPath(store), query } as const
  if (simple) return { ...shared, headers: { 'content-type': 'application/octet-stream' }, body: [...body] }
  const boundary = `quorate-${randomBytes(16).toString('hex')}`
  const before = [
    `--${boundary}`,
    'content-type: application/json; charset=utf-8',
    '',
    JSON.stringify(properties),
    `--${boundary}`,
    'content-type: application/octet-stream',
    '',
    '',
  ].join('\r\n')
  return {
    ...shared,
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: [utf8(before), ...body, utf8(`\r\n--${boundary}--`)],
  }
}

export interface Found {
  readonly sizeBytes: number
  /** Changes with every write of the name; not a function of what is in it. */
  readonly generation: string
}

/** What the store says of the object, or undefined. */
export async function lookAt(store: GcsStore, key: string, signal: AbortSignal | undefined): Promise<Found | undefined> {
  const query = [['fields', 'size,generation']] as const
  const answer = await store.client.send({ method: 'GET', path: objectPath(store, key), query, signal })
  if (await isAbsent(store, answer, signal)) return undefined
  if (answer.status !== 200) throw gcsFailure(store.label, answer)
  const record = recordOf(parseJson(answer.body))
  const sizeBytes = bytesOf(record?.['size'])
  const generation = record?.['generation']
  if (sizeBytes === undefined || typeof generation !== 'string' || !/^\d{1,20}$/.test(generation)) throw garbage(store.label)
  store.seen.atMs = store.clock.now()
  return { sizeBytes, generation }
}

/** True when the object is what we sent: small ones byte for byte, large ones, whose names are random, by size. */
async function holds(store: GcsStore, key: string, body: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<boolean> {
  const length = lengthOf(body)
  if (length > bounds.smallBytesMax) return (await lookAt(store, key, signal))?.sizeBytes === length
  const answer = await store.client.send({ method: 'GET', path: objectPath(store, key), query: [['alt', 'media']], signal })
  return answer.status === 200 && isMadeOf(answer.body, body)
}
