// Bodies of requests: JSON within bounds, and uploads that must be as long as they said.
import { concat, Failure, fromUtf8, limits } from '#base'

/** Reads and parses a JSON body of at most `limits.requestBodyBytesMax` bytes. */
export async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const bytes = await readBounded(body)
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch {
    throw new Failure('api.body', { detail: 'The body is not JSON.' })
  }
}

/** Reads a text of at most `limits.requestBodyBytesMax` bytes. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const bytes = await readBounded(body)
  try {
    return fromUtf8(bytes)
  } catch {
    throw new Failure('api.body', { detail: 'The body is not UTF-8.' })
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > limits.requestBodyBytesMax) {
      throw new Failure('api.limit', { detail: `The body is larger than ${limits.requestBodyBytesMax} bytes.` })
    }
    parts.push(part)
  }
  return concat(...parts)
}

/** Passes the bytes on and throws `storage.size-differs` as soon as there are more or fewer than announced. */
export async function* announced(body: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncIterableIterator<Uint8Array> {
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > sizeBytes) throw differs(`more than the announced ${sizeBytes} bytes came`)
    yield part
  }
  if (length < sizeBytes) throw differs(`${length} of the announced ${sizeBytes} bytes came`)
}

function differs(what: string): Failure {
  return new Failure('storage.size-differs', { detail: `The upload was dropped: ${what}.`, next: 'Upload the file again.' })
}
