// Writing a blob in one request, once, and looking at what stands there.
import { Failure } from '#base'
import { bounds } from '../bounds.ts'
import { type WebAnswer, isMadeOf, lengthOf } from '../web/client.ts'
import { azureFailure } from './errors.ts'
import { type AzureStore, isAbsent, isTaken, lockHeaders } from './store.ts'

/** Writes the views under the path unless it exists. The views must not change before it settles. */
export async function putOnce(
  store: AzureStore,
  path: string,
  body: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<'created' | 'exists'> {
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'if-none-match': '*', ...lockHeaders(store) }
  let answer: WebAnswer
  try {
    answer = await store.client.send({ method: 'PUT', path, headers, body, bulk: true, signal })
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled' || error.kind !== 'unavailable') throw error
    if (await holds(store, path, body, signal).catch(() => false)) return 'created'
    throw error
  }
  if (answer.status === 201) return 'created'
  if (!isTaken(answer)) throw azureFailure(store.label, answer)
  // After an attempt without an answer it may be our own write that stands there.
  return answer.uncertain && (await holds(store, path, body, signal)) ? 'created' : 'exists'
}

/** In memory only, and only sent back to where it came from (rule R1). */
export interface Found {
  readonly sizeBytes: number
  readonly etag: string | undefined
  readonly versionId: string | undefined
}

/** Size and version of the blob, or undefined. */
export async function lookAt(store: AzureStore, path: string, signal: AbortSignal | undefined): Promise<Found | undefined> {
  const answer = await store.client.send({ method: 'HEAD', path, signal })
  if (isAbsent(store, answer)) return undefined
  const length = answer.headers['content-length']
  if (answer.status !== 200 || length === undefined || !/^\d{1,15}$/.test(length)) throw azureFailure(store.label, answer)
  const version = answer.headers['x-ms-version-id']
  return { sizeBytes: Number(length), etag: answer.headers.etag, versionId: typeof version === 'string' ? version : undefined }
}

/** True when the blob is what we sent: small ones byte for byte, large ones, whose names are random, by size. */
async function holds(store: AzureStore, path: string, body: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<boolean> {
  const length = lengthOf(body)
  if (length > bounds.smallBytesMax) return (await lookAt(store, path, signal))?.sizeBytes === length
  const answer = await store.client.send({ method: 'GET', path, signal })
  return answer.status === 200 && isMadeOf(answer.body, body)
}
