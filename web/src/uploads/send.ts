// One upload by XMLHttpRequest: the only way a browser tells how much of a body went out.
import { Failure } from '#base'
import { routes, target, toFailure } from '#contract'
import { client } from '../site/client.ts'
import { noteReach, SiteStopped } from '../site/reach.ts'
import type { Sending } from './queue.ts'

/** From this size on, an upload goes on after a broken connection, or when the same file is chosen on another day. */
const RESUMED_BYTES_MIN = 64 * 2 ** 20

export async function sendFile(sending: Sending): Promise<{ version: number; laggards: readonly string[] }> {
  if (sending.file.size >= RESUMED_BYTES_MIN) return (await import('./send-resumably.ts')).sendResumably(sending)
  const { file, path, signal, progress } = sending
  const query = {
    path,
    size: file.size,
    modified: new Date(file.lastModified).toISOString(),
    ...(file.type === '' ? {} : { type: file.type }),
  }
  const answer = await put({ address: target(routes.upload, { query }), file, signal, progress })
  if (answer.status === 0) throw await whyNothingCame(signal)
  if (answer.status >= 400) throw toFailure(answer.status, new TextEncoder().encode(answer.text))
  const { entry, laggards } = routes.upload.answer.parse(JSON.parse(answer.text))
  return { version: entry.version, laggards }
}

interface Put {
  readonly address: string
  readonly file: Blob
  readonly signal: AbortSignal
  readonly progress: (sentBytes: number) => void
}

/** Status 0 = the connection broke, or the file could not be read. */
export function put({ address, file, signal, progress }: Put): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const cancel = (): void => request.abort()
    const end = (): void => signal.removeEventListener('abort', cancel)
    request.upload.addEventListener('progress', (event) => progress(event.loaded))
    request.upload.addEventListener('load', () => progress(file.size))
    request.addEventListener('load', () => {
      end()
      noteReach('answers')
      resolve({ status: request.status, text: request.responseText })
    })
    request.addEventListener('error', () => {
      end()
      resolve({ status: 0, text: '' })
    })
    request.addEventListener('abort', () => {
      end()
      reject(new Failure('base.cancelled'))
    })
    signal.addEventListener('abort', cancel, { once: true })
    request.open('PUT', address)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.send(file)
  })
}

/** The browser does not say why a request broke; whether the site still answers does. */
async function whyNothingCame(signal: AbortSignal): Promise<Error> {
  try {
    await client.site({ signal })
    return new Failure('storage.source-changed')
  } catch (error) {
    return error instanceof SiteStopped ? error : new Failure('storage.source-changed')
  }
}
