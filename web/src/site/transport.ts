// The contract's transport over the browser's fetch.
import type { Transport } from '#contract'
import { isUnattended } from './attention.ts'
import { noteReach, SiteStopped } from './reach.ts'

export const fetchTransport: Transport = async ({ method, target, headers, body, signal }) => {
  const { 'content-length': _, ...rest } = headers
  let answer: Response
  try {
    answer = await fetch(target, {
      method,
      // What a page asks by itself does not keep a session alive.
      headers: method === 'GET' && isUnattended() ? { ...rest, 'quorate-unattended': '1' } : rest,
      ...(body === undefined ? {} : { body: body as BodyInit }),
      ...(signal === undefined ? {} : { signal }),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
    })
  } catch (error) {
    if (signal?.aborted) throw error
    noteReach('stopped')
    throw new SiteStopped('the site does not answer', { cause: error })
  }
  noteReach('answers')
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: bytesOf(answer) }
}

async function* bytesOf(answer: Response): AsyncIterable<Uint8Array> {
  if (answer.body === null) return
  const reader = answer.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.releaseLock()
  }
}
