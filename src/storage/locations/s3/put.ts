// Writing an object in one request, once: conditional where the store obeys, looked at where it does not, read back where it did not answer.
import { Failure } from '#base'
import { bounds, s3Bounds } from '../bounds.ts'
import { isMadeOf, lengthOf } from '../web/client.ts'
import type { S3Answer } from './client.ts'
import { statusFailure } from './errors.ts'
import { type Store, checksumHeaders, lockHeaders } from './store.ts'

interface PutOptions {
  readonly signal?: AbortSignal | undefined
}

/** Writes the views under the key unless it exists. The views must not change before it settles. */
export async function putOnce(store: Store, key: string, body: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
  if (store.obedience.put !== 'honoured' && (await sizeOf(store, key, options.signal)) !== undefined) return 'exists'
  const headers = { ...lockHeaders(store), ...checksumHeaders(store, body) }
  for (let attempt = 1; ; attempt += 1) {
    const conditional = store.obedience.put !== 'refused'
    const answer = await putOrLook(store, key, body, { ...options, headers: conditional ? { ...headers, 'if-none-match': '*' } : headers })
    if (answer === 'landed' || answer.status < 300) return 'created'
    if (answer.status === 412) {
      // After an attempt without an answer it may be our own write that stands there.
      if (answer.uncertain && (await holds(store, key, body, options.signal))) return 'created'
      store.obedience.put = 'honoured'
      return 'exists'
    }
    if (isConflict(answer) && attempt < s3Bounds.conflictAttempts) {
      await store.client.pause(attempt, options.signal)
      continue
    }
    if (conditional && refusesConditions(answer) && store.obedience.put !== 'honoured') {
      store.obedience.put = 'refused'
      continue
    }
    throw statusFailure(store.label, answer)
  }
}

/** Nothing landed: two writers met, and the store lets neither through. */
export function isConflict(answer: S3Answer): boolean {
  return answer.status === 409 && (answer.code === 'ConditionalRequestConflict' || answer.code === 'OperationAborted')
}

/** The store says that it has no conditional writes. */
export function refusesConditions(answer: S3Answer): boolean {
  return answer.status === 501 || (answer.status === 400 && (answer.code === 'NotImplemented' || answer.code === 'InvalidArgument'))
}

/** Size of the object, or undefined. */
export async function sizeOf(store: Store, key: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const answer = await store.client.send({ method: 'HEAD', key, signal })
  if (await store.client.onlyObjectAbsent(answer, signal)) return undefined
  if (answer.status !== 200) throw statusFailure(store.label, answer)
  const length = answer.headers['content-length']
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : missingLength(store, answer)
}

function missingLength(store: Store, answer: S3Answer): never {
  throw statusFailure(store.label, { status: answer.status, code: 'NotImplemented' })
}

async function putOrLook(
  store: Store,
  key: string,
  body: readonly Uint8Array[],
  options: PutOptions & { readonly headers: Record<string, string> },
): Promise<S3Answer | 'landed'> {
  try {
    return await store.client.send({ method: 'PUT', key, headers: options.headers, body, bulk: true, signal: options.signal })
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled' || error.kind !== 'unavailable') throw error
    if (await holds(store, key, body, options.signal).catch(() => false)) return 'landed'
    throw error
  }
}

/** True when the object is what we sent: small ones byte for byte, large ones, whose names are random, by size. */
async function holds(store: Store, key: string, body: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<boolean> {
  const length = lengthOf(body)
  if (length > bounds.smallBytesMax) return (await sizeOf(store, key, signal)) === length
  const answer = await store.client.send({ method: 'GET', key, signal })
  return answer.status === 200 && isMadeOf(answer.body, body)
}
