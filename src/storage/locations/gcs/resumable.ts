// A write in pieces that the store takes one after the other, and of which it tells how far it has come.
// https://cloud.google.com/storage/docs/performing-resumable-uploads
import { Failure, utf8 } from '#base'
import { gcsBounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import type { WebAnswer } from '../web/client.ts'
import type { Part, PartedUpload } from '../web/parts-sink.ts'
import { garbage, gcsFailure } from './errors.ts'
import { lookAt } from './put.ts'
import { type GcsStore, retention, uploadPath } from './store.ts'

/** Where the pieces of one upload go. */
interface Session {
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
}

export interface ResumableUpload extends PartedUpload {
  /** True when the store knows nothing of it any more. */
  isGone(signal: AbortSignal): Promise<boolean>
}

export async function beginResumable(store: GcsStore, key: string, options: { readonly locked?: boolean } = {}): Promise<ResumableUpload> {
  const session = await openSession(store, key, options)
  return {
    put: async (part, signal) => {
      if ((await putPiece(store, session, part, { total: undefined, signal })) === 'done') throw garbage(store.label)
    },
    complete: async ({ sizeBytes, last }, signal) => {
      const rest = last ?? { number: 0, offset: sizeBytes, views: [], length: 0 }
      if ((await putPiece(store, session, rest, { total: sizeBytes, signal })) === 'going on') throw garbage(store.label)
      if ((await lookAt(store, key, signal))?.sizeBytes === sizeBytes) return
      throw locationFailure('location.lies', {
        label: store.label,
        detail: `${store.label} acknowledged an object and keeps another size of it.`,
        next: 'Probe the location; do not rely on it until it is explained.',
      })
    },
    abort: () => abandon(store, session),
    isGone: async (signal) => {
      const headers = { 'content-range': 'bytes */*' }
      const answer = await store.client.send({ method: 'PUT', ...session, headers, body: [], signal })
      if (GONE.has(answer.status)) return true
      if (answer.status === 308 || answer.status < 300) return false
      throw gcsFailure(store.label, answer)
    },
  }
}

async function openSession(store: GcsStore, key: string, options: { readonly locked?: boolean }): Promise<Session> {
  const properties = options.locked === false ? {} : retention(store)
  const answer = await store.client.expect({
    method: 'POST',
    path: uploadPath(store),
    query: [
      ['uploadType', 'resumable'],
      ['name', key],
      ['ifGenerationMatch', '0'],
      ['fields', 'size'],
    ],
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-upload-content-type': 'application/octet-stream' },
    body: [utf8(JSON.stringify(properties))],
  })
  const { location } = answer.headers
  if (location === undefined || location.length > 4096 || !/^https?:\/\/[\x21-\x7e]+$/.test(location) || !URL.canParse(location))
    throw garbage(store.label)
  // Its host is the store's own name for itself; pieces go where everything else goes.
  const { pathname, searchParams } = new URL(location)
  if (!searchParams.has('upload_id')) throw garbage(store.label)
  return { path: pathname, query: [...searchParams] }
}

/** Sends what the store does not have yet of a piece, as often as it takes. With `total` it is the last. */
async function putPiece(
  store: GcsStore,
  session: Session,
  part: Part,
  how: { readonly total: number | undefined; readonly signal: AbortSignal },
): Promise<'going on' | 'done'> {
  const end = part.offset + part.length
  let from = part.offset
  let uncertain = false
  for (let attempt = 1; attempt <= gcsBounds.resumesMax; attempt += 1) {
    const whole = how.total === undefined ? '*' : String(how.total)
    const range = from === end ? `bytes */${whole}` : `bytes ${from}-${end - 1}/${whole}`
    const answer = await tryPiece(store, session, { range, body: after(part, from), signal: how.signal })
    if (answer === 'lost' || PASSING.has(answer.status)) {
      uncertain = true
      await store.client.pause(attempt, how.signal)
      const state = await ask(store, session, how)
      if (state === 'done') return 'done'
      if (state === 'unknown') continue
      from = resumeAt(store, part, state)
      if (from === end && how.total === undefined) return 'going on'
      continue
    }
    if (answer.status === 200 || answer.status === 201) return 'done'
    if (answer.status === 412) {
      if (uncertain && (await ask(store, session, how)) === 'done') return 'done'
      throw exists(store.label)
    }
    if (answer.status !== 308) throw pieceFailure(store, answer)
    from = resumeAt(store, part, persistedOf(answer))
    if (from === end && how.total === undefined) return 'going on'
  }
  throw gcsFailure(store.label, { status: 503, code: 'backendError' })
}

const GONE = new Set([404, 410, 499])
const PASSING = new Set([408, 429, 500, 502, 503, 504])

async function tryPiece(
  store: GcsStore,
  session: Session,
  piece: { readonly range: string; readonly body: readonly Uint8Array[]; readonly signal: AbortSignal },
): Promise<WebAnswer | 'lost'> {
  // While bytes flow the ordinary patience holds; the end of an upload may take longer.
  const patience = piece.body.length === 0 ? { stallMs: gcsBounds.completeStallMs } : {}
  const { body, signal } = piece
  const headers = { 'content-range': piece.range }
  try {
    return await store.client.send({ method: 'PUT', ...session, ...patience, headers, body, bulk: true, attempts: 1, signal })
  } catch (error) {
    if (error instanceof Failure && (error.code === 'location.unreachable' || error.code === 'location.truncated')) return 'lost'
    throw error
  }
}

/** How many bytes the store has, as it says when asked. `unknown` = it did not answer. */
async function ask(
  store: GcsStore,
  session: Session,
  how: { readonly total: number | undefined; readonly signal: AbortSignal },
): Promise<number | 'done' | 'unknown'> {
  const answer = await tryPiece(store, session, { range: `bytes */${how.total ?? '*'}`, body: [], signal: how.signal })
  if (answer === 'lost' || PASSING.has(answer.status)) return 'unknown'
  if (answer.status === 200 || answer.status === 201) return 'done'
  if (answer.status === 412) throw exists(store.label)
  if (answer.status !== 308) throw pieceFailure(store, answer)
  return persistedOf(answer)
}

/** `Range: bytes=0-N` tells how far it has come; without it nothing is there. */
function persistedOf(answer: WebAnswer): number {
  const match = /^bytes=0-(\d{1,15})$/.exec(answer.headers.range ?? '')
  return match === null ? 0 : Number(match[1]) + 1
}

/** Where to go on in this piece. Earlier ones were acknowledged, and are not kept here any more. */
function resumeAt(store: GcsStore, part: Part, persisted: number): number {
  if (persisted >= part.offset && persisted <= part.offset + part.length) return persisted
  throw locationFailure('location.lies', {
    label: store.label,
    detail: `${store.label} has lost bytes of an upload that it had acknowledged.`,
    next: 'Write anew; if it happens again, probe the location.',
  })
}

function pieceFailure(store: GcsStore, answer: WebAnswer): Failure {
  if (!GONE.has(answer.status)) return gcsFailure(store.label, answer)
  return locationFailure('location.unreachable', {
    label: store.label,
    detail: `${store.label} knows nothing any more of an upload that was under way (HTTP ${answer.status}).`,
    next: 'Write anew.',
  })
}

/** Gives the upload up. One that is gone already is no failure; one that cannot be told is dropped by the store after a week. */
async function abandon(store: GcsStore, session: Session): Promise<void> {
  await store.client.expect({ method: 'DELETE', ...session }, [...GONE])
}

/** The views of a part from an offset in the object on. */
function after(part: Part, from: number): Uint8Array[] {
  let skip = from - part.offset
  const rest: Uint8Array[] = []
  for (const view of part.views) {
    if (skip < view.length) rest.push(skip === 0 ? view : view.subarray(skip))
    skip = Math.max(0, skip - view.length)
  }
  return rest
}
