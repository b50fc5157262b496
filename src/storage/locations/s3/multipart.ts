// The requests of a multipart upload.
import { Failure, utf8 } from '#base'
import { s3Bounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import type { S3Answer } from './client.ts'
import { garbage, statusFailure } from './errors.ts'
import { isConflict, refusesConditions, sizeOf } from './put.ts'
import { S3_NAMESPACE, retentionBody, retentionQuery } from './lock.ts'
import { type Store, checksumHeaders, lockHeaders } from './store.ts'
import { childText, childrenOf, escapeXml, parseXml } from '../web/xml.ts'

export interface Upload {
  readonly key: string
  readonly id: string
}

export interface UploadedPart {
  readonly number: number
  /** Of the store, kept in memory until the upload ends (rule R1). */
  readonly etag: string
}

/** What stands under the name and is to be replaced, as it was when it was looked at. */
export interface Standing {
  /** In memory only (rule R1): tells the new object from the old one when an answer is lost. */
  readonly etag: string | undefined
}

interface Written {
  readonly parts: readonly UploadedPart[]
  readonly sizeBytes: number
  /** Without it a name that is taken is left alone. */
  readonly replacing?: Standing | undefined
}

export async function beginUpload(
  store: Store,
  key: string,
  options: { readonly signal?: AbortSignal | undefined; readonly locked?: boolean },
): Promise<Upload> {
  const headers = options.locked === false ? {} : lockHeaders(store)
  const answer = await store.client.expect({ method: 'POST', key, query: [['uploads', '']], headers, signal: options.signal })
  const root = parseXml(answer.body)
  const id = root?.name === 'InitiateMultipartUploadResult' ? childText(root, 'UploadId') : undefined
  if (id === undefined || id.length === 0 || id.length > 2048) throw garbage(store.label)
  return { key, id }
}

/** A retry sends the same bytes, which replace what the first attempt left. */
export async function putPart(
  store: Store,
  upload: Upload,
  number: number,
  body: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<UploadedPart> {
  const answer = await store.client.expect({
    method: 'PUT',
    key: upload.key,
    query: [
      ['partNumber', String(number)],
      ['uploadId', upload.id],
    ],
    headers: checksumHeaders(store, body),
    body,
    bulk: true,
    signal,
  })
  const etag = answer.headers.etag
  if (etag === undefined || etag.length > 1024) throw garbage(store.label)
  return { number, etag }
}

/** Joins the parts; `location.exists` when the name was taken meanwhile. */
export async function completeUpload(store: Store, upload: Upload, written: Written, signal: AbortSignal | undefined): Promise<void> {
  const looks = store.obedience.complete !== 'honoured' && written.replacing === undefined
  if (looks && (await sizeOf(store, upload.key, signal)) !== undefined) throw exists(store.label)
  for (let attempt = 1; ; attempt += 1) {
    const answer = await tryComplete(store, upload, written, signal)
    if (answer === 'done') break
    if (answer === 'exists') throw exists(store.label)
    if (attempt >= s3Bounds.conflictAttempts) throw statusFailure(store.label, { status: 503, code: 'InternalError' })
    if (answer === 'later') await store.client.pause(attempt, signal)
  }
  const found = await store.client.expect({ method: 'HEAD', key: upload.key, signal })
  if (found.headers['content-length'] === String(written.sizeBytes)) return holdWhenForgotten(store, upload.key, found, signal)
  throw locationFailure('location.lies', {
    label: store.label,
    detail: `${store.label} acknowledged an object and keeps another size of it.`,
    next: 'Probe the location; do not rely on it until it is explained.',
  })
}

/** Ceph 16 forgets the lock asked for when the upload began; the finished object is then locked by itself. */
async function holdWhenForgotten(store: Store, key: string, found: S3Answer, signal: AbortSignal | undefined): Promise<void> {
  if (store.lock === undefined || found.headers['x-amz-object-lock-mode'] !== undefined) return
  const query = retentionQuery(found.headers['x-amz-version-id'])
  await store.client.expect({ method: 'PUT', key, query, ...retentionBody(store), signal })
}

async function tryComplete(
  store: Store,
  upload: Upload,
  written: Written,
  signal: AbortSignal | undefined,
): Promise<'done' | 'exists' | 'later' | 'again'> {
  const { replacing } = written
  const conditional = store.obedience.complete !== 'refused' && replacing === undefined
  const landed = async (): Promise<boolean> => {
    if (replacing === undefined) return (await sizeOf(store, upload.key, signal)) === written.sizeBytes
    const found = await store.client.expect({ method: 'HEAD', key: upload.key, signal })
    return found.headers['content-length'] === String(written.sizeBytes) && found.headers.etag !== replacing.etag
  }
  let answer
  try {
    answer = await store.client.send({
      method: 'POST',
      key: upload.key,
      query: [['uploadId', upload.id]],
      headers: { 'content-type': 'application/xml', ...(conditional ? { 'if-none-match': '*' } : {}) },
      body: [listOfParts(written.parts)],
      stallMs: s3Bounds.completeStallMs,
      signal,
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'unavailable' || error.code === 'base.cancelled') throw error
    if (await landed().catch(() => false)) return 'done'
    throw error
  }
  if (answer.status === 412) {
    if (answer.uncertain && (await landed())) return 'done'
    store.obedience.complete = 'honoured'
    return 'exists'
  }
  if (answer.status === 404 && answer.code === 'NoSuchUpload' && answer.uncertain && (await landed())) return 'done'
  if (conditional && store.obedience.complete !== 'honoured' && refusesConditions(answer)) {
    store.obedience.complete = 'refused'
    return 'again'
  }
  // The parts are gone after a conflict; whoever won stands there, or nobody does and the writer begins anew.
  if (isConflict(answer)) return replacing !== undefined || (await sizeOf(store, upload.key, signal)) === undefined ? 'later' : 'exists'
  if (answer.status !== 200) throw statusFailure(store.label, answer)
  // The store answers 200 before it begins, and an error may follow in the body.
  const root = parseXml(answer.body)
  if (root?.name === 'CompleteMultipartUploadResult') return 'done'
  if (root?.name !== 'Error') throw garbage(store.label)
  const code = childText(root, 'Code')
  if (code === 'InternalError' || code === 'SlowDown' || code === 'ServiceUnavailable') return 'later'
  if (code === 'PreconditionFailed') return 'exists'
  throw statusFailure(store.label, { status: 500, code: code !== undefined && /^[A-Za-z]{1,64}$/.test(code) ? code : undefined })
}

export interface StandingPart extends UploadedPart {
  readonly sizeBytes: number
  readonly writtenAt: number | undefined
}

/** The parts that stand, in order, from the first one on as far as none is missing. */
export async function standingParts(store: Store, upload: Upload, signal: AbortSignal | undefined): Promise<readonly StandingPart[]> {
  const parts: StandingPart[] = []
  for (let marker = '0', pages = 0; pages < s3Bounds.uploadPagesMax; pages += 1) {
    const query = [
      ['uploadId', upload.id],
      ['part-number-marker', marker],
    ] as const
    const answer = await store.client.expect({ method: 'GET', key: upload.key, query, signal })
    const root = parseXml(answer.body)
    if (root?.name !== 'ListPartsResult') throw garbage(store.label)
    for (const each of childrenOf(root, 'Part')) {
      const [number, sizeBytes] = [Number(childText(each, 'PartNumber')), Number(childText(each, 'Size'))]
      const etag = childText(each, 'ETag')
      if (!Number.isSafeInteger(number) || !Number.isSafeInteger(sizeBytes) || etag === undefined || etag.length > 1024)
        throw garbage(store.label)
      if (number !== parts.length + 1) return parts
      const writtenAt = Date.parse(childText(each, 'LastModified') ?? '')
      parts.push({ number, etag, sizeBytes, writtenAt: Number.isNaN(writtenAt) ? undefined : writtenAt })
    }
    const next = childText(root, 'NextPartNumberMarker') ?? ''
    if (childText(root, 'IsTruncated') !== 'true' || next === '') return parts
    marker = next
  }
  return parts
}

/** A part made of bytes of an object that the store keeps: they do not travel. */
export async function copyPart(
  store: Store,
  upload: Upload,
  part: { readonly number: number; readonly first: number; readonly last: number },
  signal: AbortSignal | undefined,
): Promise<UploadedPart> {
  const answer = await store.client.expect({
    method: 'PUT',
    key: upload.key,
    query: [
      ['partNumber', String(part.number)],
      ['uploadId', upload.id],
    ],
    headers: {
      'x-amz-copy-source': store.client.copySource(upload.key),
      'x-amz-copy-source-range': `bytes=${part.first}-${part.last}`,
    },
    stallMs: s3Bounds.completeStallMs,
    signal,
  })
  // The store may answer 200 before it begins, and an error may follow in the body.
  const root = parseXml(answer.body)
  const etag = root?.name === 'CopyPartResult' ? childText(root, 'ETag') : undefined
  if (etag === undefined || etag.length > 1024) throw statusFailure(store.label, { status: 503, code: 'InternalError' })
  return { number: part.number, etag }
}

/** Gives the parts up. An upload that is gone already is no failure. */
export async function abortUpload(store: Store, upload: Upload, signal: AbortSignal | undefined): Promise<void> {
  await store.client.expect({ method: 'DELETE', key: upload.key, query: [['uploadId', upload.id]], signal }, [404])
}

/** Uploads that were begun and not ended, whose keys begin with `prefix`. */
export async function* unfinishedUploads(
  store: Store,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Upload & { readonly beganAt: number | undefined }> {
  let marker: readonly (readonly [string, string])[] = []
  for (let pages = 0; pages < s3Bounds.uploadPagesMax; pages += 1) {
    const query = [['uploads', ''], ['prefix', prefix], ...marker] as const
    const answer = await store.client.expect({ method: 'GET', query, signal })
    const root = parseXml(answer.body)
    if (root?.name !== 'ListMultipartUploadsResult') throw garbage(store.label)
    for (const each of childrenOf(root, 'Upload')) {
      const key = childText(each, 'Key')
      const id = childText(each, 'UploadId')
      if (key === undefined || id === undefined) throw garbage(store.label)
      const beganAt = Date.parse(childText(each, 'Initiated') ?? '')
      if (key.startsWith(prefix)) yield { key, id, beganAt: Number.isNaN(beganAt) ? undefined : beganAt }
    }
    const nextKey = childText(root, 'NextKeyMarker') ?? ''
    const nextId = childText(root, 'NextUploadIdMarker') ?? ''
    if (childText(root, 'IsTruncated') !== 'true' || nextKey === '') return
    marker = [
      ['key-marker', nextKey],
      ['upload-id-marker', nextId],
    ]
  }
}

function listOfParts(parts: readonly UploadedPart[]): Uint8Array {
  const items = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`)
  return utf8(`<CompleteMultipartUpload xmlns="${S3_NAMESPACE}">${items.join('')}</CompleteMultipartUpload>`)
}
