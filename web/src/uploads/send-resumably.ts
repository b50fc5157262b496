// One large upload, in slices, however often the connection breaks: it goes on where the site got to.
import { Failure } from '#base'
import { prefixProof, routes, target, toFailure, uploadResumably, type PrefixHash, type ResumeNews } from '#contract'
import { client } from '../site/client.ts'
import { SiteStopped } from '../site/reach.ts'
import type { Sending, UploadDoing } from './queue.ts'
import { put } from './send.ts'

/** Of one request. What arrived of it counts even when it breaks. */
const SLICE_BYTES = 64 * 2 ** 20
const READ_BYTES = 4 * 2 ** 20

export async function sendResumably({ file, path, signal, progress, doing }: Sending): Promise<{
  readonly version: number
  readonly laggards: readonly string[]
}> {
  let id: string | undefined
  const tell = (news: ResumeNews): void => {
    if (news.kind === 'begun' || news.kind === 'found') id = news.upload.id
    if (news.kind === 'sending') progress(news.offset)
    doing(doingOf(news))
  }
  try {
    const { entry, laggards } = await uploadResumably({
      client,
      source: {
        path,
        sizeBytes: file.size,
        modified: new Date(file.lastModified).toISOString(),
        ...(file.type === '' ? {} : { type: file.type }),
        ifAbsent: false,
        proof: prefixProof(beginHash, (from, end) => partsOf(file, signal, { from, end })),
      },
      send: async ({ id: upload, turn, offset }) => {
        const slice = file.slice(offset, offset + SLICE_BYTES)
        const address = target(routes.sendUpload, { params: { id: upload }, query: { turn, offset } })
        const answer = await put({ address, file: slice, signal, progress: (sent) => progress(offset + sent) })
        if (answer.status === 0) throw await whyItBroke(slice)
        if (answer.status >= 400) throw toFailure(answer.status, new TextEncoder().encode(answer.text))
      },
      sleep,
      now: () => performance.now(),
      signal,
      tell,
      passes: (error) => error instanceof SiteStopped,
    })
    return { version: entry.version, laggards }
  } catch (error) {
    // Whoever cancels here does not want it; who leaves the page finds it again.
    if (signal.aborted && id !== undefined) await client.cancelUpload(id).catch(() => undefined)
    throw error
  }
}

function doingOf(news: ResumeNews): UploadDoing | undefined {
  switch (news.kind) {
    case 'checking':
    case 'proving':
      return { kind: news.kind }
    case 'waiting':
      return { kind: 'interrupted', error: news.error }
    case 'begun':
    case 'found':
    case 'anew':
    case 'sending':
      return undefined
  }
}

/** The browser does not say why a request broke. A file that cannot be read any more has changed; else it was the way. */
async function whyItBroke(slice: Blob): Promise<Error> {
  try {
    await slice.slice(0, 1).arrayBuffer()
    return new SiteStopped('the connection broke')
  } catch {
    return new Failure('storage.source-changed')
  }
}

async function beginHash(): Promise<PrefixHash> {
  const { sha256 } = await import('@noble/hashes/sha2.js')
  const wrap = (hash: ReturnType<typeof sha256.create>): PrefixHash => ({
    update: (bytes) => hash.update(bytes),
    copy: () => wrap(hash.clone()),
    hex: () => [...hash.digest()].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
  })
  return wrap(sha256.create())
}

async function* partsOf(file: Blob, signal: AbortSignal, { from, end }: { readonly from: number; readonly end: number }) {
  for (let at = from; at < end; at += READ_BYTES) {
    if (signal.aborted) throw new Failure('base.cancelled')
    try {
      yield new Uint8Array(await file.slice(at, Math.min(end, at + READ_BYTES)).arrayBuffer())
    } catch {
      throw new Failure('storage.source-changed')
    }
  }
}

/** Ends early when the browser finds a network again. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (then: () => void) => (): void => {
      clearTimeout(timer)
      removeEventListener('online', wake)
      signal.removeEventListener('abort', cancel)
      then()
    }
    const wake = end(resolve)
    const cancel = end(() => reject(new Failure('base.cancelled')))
    const timer = setTimeout(wake, ms)
    addEventListener('online', wake, { once: true })
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  })
}
