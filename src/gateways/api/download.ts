// Sends one version of a file: ranges, conditions, and a body that breaks off rather than end short.
import type { Door, ReadGrant } from '#access'
import { AssertionError, Failure } from '#base'
import type { Answer, ApiRequest } from './answer.ts'
import { once } from './answer.ts'
import { CONTENT_SECURITY, contentDisposition, contentType } from './content-headers.ts'
import { select, type Selected } from './ranges.ts'

export interface DownloadQuery {
  readonly path: string
  readonly version?: number | undefined
  readonly inline?: boolean | undefined
}

/** The first bytes are fetched before the status is said, so that a file that cannot be read is a problem and not a broken connection. */
export async function download(door: Door, query: DownloadQuery, request: ApiRequest): Promise<Answer> {
  const grant = await door.openToRead({ path: query.path, version: query.version })
  try {
    const etag = quoted(grant.etag)
    const selected = choose(grant, etag, request)
    const headers = describe(grant, etag, selected, query.inline ?? false)
    if (selected.kind === 'unchanged') return await withoutBody(grant, { status: 304, headers })
    const status = selected.kind === 'part' ? 206 : 200
    const lengthBytes = selected.last - selected.first + 1
    if (request.method === 'HEAD' || lengthBytes === 0) return await withoutBody(grant, { status, headers })
    const bytes = exactly(grant, selected, request.signal)
    return { status, headers, body: await primed(bytes) }
  } catch (error) {
    await grant.close()
    throw error
  }
}

function choose(grant: ReadGrant, etag: string, request: ApiRequest): Selected {
  return select({ method: request.method, headers: request.headers, etag, sizeBytes: grant.sizeBytes })
}

function describe(grant: ReadGrant, etag: string, selected: Selected, inline: boolean): Record<string, string> {
  const type = contentType(grant.type)
  const name = grant.path.slice(grant.path.lastIndexOf('/') + 1)
  const common = { ...CONTENT_SECURITY, etag, 'accept-ranges': 'bytes', 'last-modified': new Date(grant.modified).toUTCString() }
  if (selected.kind === 'unchanged') return common
  return {
    ...common,
    'content-type': type,
    'content-disposition': contentDisposition({ name, type, inline }),
    'content-length': String(selected.last - selected.first + 1),
    ...(selected.kind === 'part' ? { 'content-range': `bytes ${selected.first}-${selected.last}/${grant.sizeBytes}` } : {}),
  }
}

async function withoutBody(grant: ReadGrant, head: { status: number; headers: Record<string, string> }): Promise<Answer> {
  await grant.close()
  return { ...head, body: once(new Uint8Array(0)) }
}

/** Exactly the bytes that the headers promise, then closes the grant; also when the reader leaves early. */
async function* exactly(grant: ReadGrant, selected: Selected, signal: AbortSignal): AsyncIterableIterator<Uint8Array> {
  let left = selected.last - selected.first + 1
  try {
    for await (const part of grant.read({ first: selected.first, last: selected.last }, signal)) {
      if (signal.aborted) throw new Failure('base.cancelled')
      left -= part.length
      if (left < 0) throw new AssertionError('a read grant gave more bytes than asked for')
      yield part
    }
    if (left > 0) throw new AssertionError('a read grant ended short')
  } finally {
    await grant.close()
  }
}

/** Pulls the first part now. The rest follows on demand; `return` reaches the source also when nothing more was read. */
async function primed(source: AsyncIterableIterator<Uint8Array>): Promise<AsyncIterableIterator<Uint8Array>> {
  let first: IteratorResult<Uint8Array> | undefined = await source.next()
  const rest: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => rest,
    async next() {
      const result = first ?? (await source.next())
      first = undefined
      return result
    },
    async return() {
      await source.return?.()
      return { done: true, value: undefined }
    },
  }
  return rest
}

/** An entity tag of RFC 9110, section 8.8.3, around what the grant calls opaque. */
function quoted(etag: string): string {
  return `"${etag.replace(/[^\x21\x23-\x7e]/g, '_')}"`
}
