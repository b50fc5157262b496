// What an interrupted write left in a bucket. Parts cannot be read before they are joined, so they are joined under the name; a new upload then
// begins with copies of them, made by the store, and takes their place when it ends.
import { isFailure } from '#base'
import { s3Bounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions, UnfinishedWrite } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { shownUnfinished } from '../web/unfinished.ts'
import {
  abortUpload,
  beginUpload,
  completeUpload,
  copyPart,
  standingParts,
  type Upload,
  type UploadedPart,
  unfinishedUploads,
} from './multipart.ts'
import { statusFailure } from './errors.ts'
import { goOnInS3 } from './sink.ts'
import { openInS3 } from './source.ts'
import { type Store, keyOf } from './store.ts'

/** The longest of what stands under the name and what its unfinished uploads hold. The others are given up. */
export async function adoptInS3(store: Store, name: FragmentName, options: LocationOptions): Promise<UnfinishedWrite | undefined> {
  const { signal } = options
  stopIfCancelled(signal)
  const key = keyOf(store, name)
  // Ceph 16 dies of a copy source with percent signs; names of ours need none, a prefix may.
  if (store.client.copySource(key).includes('%')) return undefined
  let left: readonly Left[]
  try {
    left = await uploadsFor(store, key, signal)
  } catch (error) {
    // A store that does not list them cannot be asked what they hold.
    if (isFailure(error, 'location.unsupported')) return undefined
    throw error
  }
  const standing = await look(store, key, signal)
  const [longest] = left.toSorted((a, b) => b.bytes - a.bytes)
  if (longest !== undefined && longest.bytes > (standing?.sizeBytes ?? 0)) {
    const { upload, parts, bytes } = longest
    await completeUpload(store, upload, { parts, sizeBytes: bytes, replacing: { etag: standing?.etag } }, signal)
  }
  for (const { upload } of left)
    if (upload !== longest?.upload || longest.bytes <= (standing?.sizeBytes ?? 0)) await abortUpload(store, upload, signal)
  const found = await look(store, key, signal)
  if (found === undefined || found.sizeBytes === 0) return undefined
  const source = await openInS3(store, name, { tailBytes: 0, signal })
  return shownUnfinished(source, (keep, resuming) => goOn(store, key, { keep, etag: found.etag }, resuming))
}

interface Left {
  readonly upload: Upload
  readonly parts: readonly UploadedPart[]
  readonly bytes: number
}

async function uploadsFor(store: Store, key: string, signal: AbortSignal | undefined): Promise<readonly Left[]> {
  const left: Left[] = []
  for await (const { id, key: found } of unfinishedUploads(store, key, signal)) {
    if (found !== key) continue
    const upload = { key, id }
    const parts = await standingParts(store, upload, signal)
    left.push({ upload, parts, bytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) })
  }
  return left
}

async function look(
  store: Store,
  key: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly sizeBytes: number; readonly etag: string | undefined } | undefined> {
  const answer = await store.client.send({ method: 'HEAD', key, signal })
  if (await store.client.onlyObjectAbsent(answer, signal)) return undefined
  if (answer.status !== 200) throw statusFailure(store.label, answer)
  const { etag, 'content-length': length } = answer.headers
  return { sizeBytes: Number(length), etag }
}

/** A new upload whose first parts are copies; what fills no part is left to be written again. */
async function goOn(
  store: Store,
  key: string,
  from: { readonly keep: number; readonly etag: string | undefined },
  options: LocationOptions,
): Promise<{ readonly sink: FragmentSink; readonly bytes: number }> {
  const { keep } = from
  const least = Math.max(s3Bounds.partBytesMin, store.partBytes)
  const copyBytes = least * Math.max(1, Math.ceil(keep / least / s3Bounds.copiedPartsMax))
  const copied = keep - (keep % least)
  const upload = await beginUpload(store, key, {})
  const parts: UploadedPart[] = []
  try {
    for (let first = 0; first < copied;) {
      stopIfCancelled(options.signal)
      const last = Math.min(first + copyBytes, copied) - 1
      parts.push(await copyPart(store, upload, { number: parts.length + 1, first, last }, options.signal))
      first = last + 1
    }
    return { sink: goOnInS3(store, { upload, parts, bytes: copied, replacing: { etag: from.etag } }, options), bytes: copied }
  } catch (error) {
    await abortUpload(store, upload, undefined).catch(() => undefined)
    throw error
  }
}
