// A file of the vault as bytes for a viewer: always the same version, and nothing goes on once it is closed.
import { isFailure } from '#base'
import type { Client, Entry } from '#contract'
import { cachedBytes, type CachedBytes } from './bytes.ts'
import { CannotShow } from './cannot-show.ts'

export interface OpenFile {
  readonly path: string
  readonly name: string
  readonly version: number | undefined
  readonly sizeBytes: number
  readonly bytes: CachedBytes
  /** The first bytes, enough to see what it is. */
  readonly head: Uint8Array
  /** Ends when the file is closed. */
  readonly signal: AbortSignal
  close(): void
}

interface OpenRequest {
  readonly client: Pick<Client, 'download'>
  readonly path: string
  readonly version?: number | undefined
  /** Of its entry, where it is known: an empty file has no range to ask for. */
  readonly entry?: Pick<Entry, 'size'> | undefined
  readonly signal?: AbortSignal | undefined
  readonly headBytes?: number
  readonly keptBytesMax?: number
}

export const HEAD_BYTES = 64 * 1024

/** Opens a file by its first bytes. Whoever opens it closes it; the signal closes it too. */
export async function openFile(request: OpenRequest): Promise<OpenFile> {
  const { client, path, version, entry, signal, headBytes = HEAD_BYTES, keptBytesMax } = request
  const closing = new AbortController()
  const ends = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])
  if (entry?.size === 0) throw new CannotShow('empty')
  let etag: string | undefined
  let whole = 0
  const fetchRange = async (range: { first: number; last: number }, fetching: AbortSignal): Promise<Uint8Array> => {
    try {
      const answer = await client.download({ path, version, range, ifMatch: etag }, { signal: AbortSignal.any([ends, fetching]) })
      if (etag === undefined) etag = answer.etag
      else if (answer.etag !== etag || answer.whole !== whole) throw new CannotShow('replaced')
      whole = answer.whole
      return await collected(answer.body, answer.size)
    } catch (error) {
      if (isFailure(error, 'api.precondition')) throw new CannotShow('replaced', '', { cause: error })
      throw error
    }
  }
  let head: Uint8Array
  try {
    head = await fetchRange({ first: 0, last: headBytes - 1 }, ends)
  } catch (error) {
    if (isFailure(error, 'storage.range')) throw new CannotShow('empty', '', { cause: error })
    throw error
  }
  const bytes = cachedBytes({ sizeBytes: whole, fetchRange, ...(keptBytesMax === undefined ? {} : { keptBytesMax }) })
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    version,
    sizeBytes: whole,
    bytes: withHead(bytes, head),
    head,
    signal: ends,
    close: () => closing.abort(),
  }
}

/** The head is there already: what looks only at it costs nothing more. */
function withHead(bytes: CachedBytes, head: Uint8Array): CachedBytes {
  return {
    sizeBytes: bytes.sizeBytes,
    read: async (first, length, signal) => {
      const end = Math.min(bytes.sizeBytes, first + length)
      if (first >= 0 && end <= head.length && Number.isSafeInteger(first)) {
        signal?.throwIfAborted()
        return head.slice(first, end)
      }
      return bytes.read(first, length, signal)
    },
    get fetchedBytes() {
      return bytes.fetchedBytes + head.length
    },
    get keptBytes() {
      return bytes.keptBytes + head.length
    },
  }
}

async function collected(body: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const whole = new Uint8Array(size)
  let length = 0
  for await (const part of body) {
    if (length + part.length > size) throw new CannotShow('damaged', 'length')
    whole.set(part, length)
    length += part.length
  }
  if (length !== size) throw new CannotShow('truncated')
  return whole
}
