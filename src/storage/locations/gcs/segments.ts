// A write that may be gone on with: segments, each an object of its own below a name that is not ours, joined by the store at the end. A
// resumable upload cannot serve: its address opens it to whoever has it, so it may be kept nowhere, and what it holds cannot be read.
import { randomBytes } from 'node:crypto'
import { Failure, utf8 } from '#base'
import { gcsBounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import type { WebAnswer } from '../web/client.ts'
import type { PartedUpload } from '../web/parts-sink.ts'
import { bytesOf, garbage, gcsFailure, parseJson, recordOf } from './errors.ts'
import { holdWhenForgotten } from './lock.ts'
import { type Found, lookAt } from './put.ts'
import { beginResumable, type ResumableUpload } from './resumable.ts'
import { bucketPath, type GcsStore, objectPath, retention } from './store.ts'

export interface Segment {
  readonly key: string
  readonly generation: string
  readonly sizeBytes: number
}

/** What the key of a segment says. */
export interface SegmentId {
  readonly write: string
  readonly beganMs: number
  /** Segments that stood before this write, and stay before its own. */
  readonly base: number
  readonly number: number
}

const TAIL = /^((\d{15})-[0-9a-f]{12}-(\d{6}))-(\d{6})$/

/** Where the segments of a name are; lists of ours pass over it. */
export function segmentsBelow(store: GcsStore, name = ''): string {
  return `${store.prefix}.part/${name === '' ? '' : `${name}/`}`
}

/** Undefined for what is no segment of the name. */
export function readSegmentKey(key: string, below: string): SegmentId | undefined {
  const match = key.startsWith(below) ? TAIL.exec(key.slice(below.length)) : null
  return match === null ? undefined : { write: match[1]!, beganMs: Number(match[2]), base: Number(match[3]), number: Number(match[4]) }
}

/** Every object below a key, with when it was made. */
export async function* objectsBelow(
  store: GcsStore,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Segment & { readonly madeMs: number }> {
  let token: string | undefined
  for (let pages = 0; pages < gcsBounds.listPagesMax; pages += 1) {
    const query: [string, string][] = [
      ['fields', 'items(name,size,generation,timeCreated),nextPageToken'],
      ['prefix', prefix],
    ]
    if (token !== undefined) query.push(['pageToken', token])
    const answer = await store.client.expect({ method: 'GET', path: bucketPath(store), query, signal })
    const record = recordOf(parseJson(answer.body))
    const items = record?.['items'] ?? []
    const next = record?.['nextPageToken']
    if (record === undefined || !Array.isArray(items) || (next !== undefined && (typeof next !== 'string' || next.length > 4096)))
      throw garbage(store.label)
    for (const item of items) {
      const { name: key, size, generation, timeCreated } = recordOf(item) ?? {}
      const sizeBytes = bytesOf(size)
      const madeMs = Date.parse(typeof timeCreated === 'string' ? timeCreated : '')
      if (typeof key !== 'string' || sizeBytes === undefined || typeof generation !== 'string' || Number.isNaN(madeMs))
        throw garbage(store.label)
      if (key.startsWith(prefix)) yield { key, generation, sizeBytes, madeMs }
    }
    if (next === undefined) return
    token = next
  }
}

/** Nothing is asked of the store before the first part. Goes on behind `before.kept`. */
export function beginSegments(
  store: GcsStore,
  target: { readonly name: string; readonly key: string },
  before: { readonly kept: readonly Segment[]; readonly replacing: Found | undefined; readonly resumed?: true } = {
    kept: [],
    replacing: undefined,
  },
): PartedUpload {
  const { kept } = before
  const digits = (value: number, length: number): string => String(value).padStart(length, '0')
  const write = `${digits(store.clock.now(), 15)}-${randomBytes(6).toString('hex')}-${digits(kept.length, 6)}`
  const below = segmentsBelow(store, target.name)
  const own: Segment[] = []
  let open: { readonly upload: ResumableUpload; readonly key: string; readonly start: number; bytes: number; parts: number } | undefined

  const close = async (last: Parameters<PartedUpload['complete']>[0]['last'], signal: AbortSignal): Promise<void> => {
    if (open === undefined) return
    const { upload, key, start, bytes } = open
    const sizeBytes = bytes + (last?.length ?? 0)
    await upload.complete({ sizeBytes, last: last === undefined ? undefined : { ...last, offset: last.offset - start } }, signal)
    const found = await lookAt(store, key, signal)
    if (found?.sizeBytes !== sizeBytes) throw lies(store)
    own.push({ key, ...found })
    open = undefined
  }
  const opened = async (offset: number): Promise<NonNullable<typeof open>> => {
    if (open === undefined) {
      const key = `${below}${write}-${digits(kept.length + own.length + 1, 6)}`
      open = { upload: await beginResumable(store, key, { locked: false }), key, start: offset, bytes: 0, parts: 0 }
    }
    return open
  }
  return {
    put: async (part, signal) => {
      const current = await opened(part.offset)
      // Segments double, so that a process that dies loses at most as much as it leaves.
      const parts = Math.min(gcsBounds.segmentPartsMax, 2 ** Math.max(0, own.length - 1))
      if (current.parts + 1 >= parts) return close(part, signal)
      await current.upload.put({ ...part, offset: part.offset - current.start }, signal)
      current.parts += 1
      current.bytes += part.length
    },
    complete: async ({ sizeBytes, last }, signal) => {
      if (last !== undefined) await opened(last.offset)
      await close(last, signal)
      const all = [...kept, ...own]
      await join(
        store,
        target,
        { below: `${below}${write}-join-`, segments: all, sizeBytes, replacing: before.replacing, resumed: before.resumed === true },
        signal,
      )
    },
    abort: async () => {
      if (open !== undefined) await open.upload.abort()
      await dropObjects(store, own, undefined)
    },
    suspend: (signal) => close(undefined, signal),
  }
}

/** Joins the segments under the key, in steps of as many as the store takes at once, and takes them away. */
async function join(
  store: GcsStore,
  target: { readonly name: string; readonly key: string },
  whole: {
    readonly below: string
    readonly segments: readonly Segment[]
    readonly sizeBytes: number
    readonly replacing: Found | undefined
    readonly resumed: boolean
  },
  signal: AbortSignal,
): Promise<void> {
  const { composeMax } = gcsBounds
  const steps: Segment[] = []
  let level: readonly Segment[] = whole.segments
  while (level.length > composeMax) {
    const next: Segment[] = []
    for (let at = 0; at < level.length; at += composeMax) {
      const group = level.slice(at, at + composeMax)
      const sizeBytes = group.reduce((sum, one) => sum + one.sizeBytes, 0)
      const key = `${whole.below}${String(steps.length + next.length + 1).padStart(6, '0')}`
      next.push({ key, ...(await compose(store, key, { sources: group, sizeBytes, replacing: undefined, locked: false }, signal)) })
    }
    steps.push(...next)
    level = next
  }
  await compose(store, target.key, { sources: level, sizeBytes: whole.sizeBytes, replacing: whole.replacing, locked: true }, signal)
  if (store.lock !== undefined) await holdWhenForgotten(store, target.name, signal)
  // A bucket that keeps versions keeps what was replaced: waste.
  if (whole.replacing !== undefined) await dropObjects(store, [{ key: target.key, ...whole.replacing }], signal).catch(() => 0)
  // It stands: what cannot be taken away now is swept later.
  const drop = whole.resumed ? dropSegmentsOf(store, target.name, signal) : dropObjects(store, [...whole.segments, ...steps], signal)
  await drop.catch(() => 0)
}

/** `location.exists` when the name was taken meanwhile. */
async function compose(
  store: GcsStore,
  key: string,
  how: {
    readonly sources: readonly Segment[]
    readonly sizeBytes: number
    readonly replacing: Found | undefined
    readonly locked: boolean
  },
  signal: AbortSignal,
): Promise<Found> {
  const { replacing, sizeBytes } = how
  const landed = async (): Promise<Found | undefined> => {
    const found = await lookAt(store, key, signal)
    return found?.sizeBytes === sizeBytes && found.generation !== replacing?.generation ? found : undefined
  }
  let answer: WebAnswer
  try {
    answer = await store.client.send({
      method: 'POST',
      path: `${objectPath(store, key)}/compose`,
      query: [
        ['ifGenerationMatch', replacing?.generation ?? '0'],
        ['fields', 'size'],
      ],
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: [
        utf8(
          JSON.stringify({
            sourceObjects: how.sources.map((one) => ({ name: one.key, generation: one.generation })),
            destination: { contentType: 'application/octet-stream', ...(how.locked ? retention(store) : {}) },
          }),
        ),
      ],
      stallMs: gcsBounds.completeStallMs,
      signal,
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'unavailable' || error.code === 'base.cancelled') throw error
    const found = await landed().catch(() => undefined)
    if (found !== undefined) return found
    throw error
  }
  if (answer.status === 412) {
    const found = answer.uncertain ? await landed() : undefined
    if (found !== undefined) return found
    throw exists(store.label)
  }
  if (answer.status === 404)
    throw locationFailure('location.unreachable', {
      label: store.label,
      detail: `${store.label} knows nothing any more of a part of an upload that was under way.`,
      next: 'Write anew.',
    })
  if (answer.status !== 200) throw gcsFailure(store.label, answer)
  const found = await landed()
  if (found === undefined) throw lies(store)
  return found
}

/** Removes all segments of the name, those of earlier writes too. Segments of names below it are others'. */
export async function dropSegmentsOf(store: GcsStore, name: string, signal: AbortSignal | undefined): Promise<number> {
  const below = segmentsBelow(store, name)
  const all: Segment[] = []
  for await (const one of objectsBelow(store, below, signal)) if (!one.key.slice(below.length).includes('/')) all.push(one)
  return dropObjects(store, all, signal)
}

/** Answers how many are gone. */
export async function dropObjects(store: GcsStore, objects: readonly Segment[], signal: AbortSignal | undefined): Promise<number> {
  const queue = [...objects]
  let dropped = 0
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const query = [['generation', one.generation]] as const
      const answer = await store.client.send({ method: 'DELETE', path: objectPath(store, one.key), query, signal })
      if (answer.status === 403) store.rights.deletes = false
      if (answer.status === 204 || answer.status === 200 || answer.status === 404) dropped += 1
    }
  }
  await Promise.all(Array.from({ length: gcsBounds.dropsInFlight }, work))
  return dropped
}

/** Whether we may delete: without that right segments would stay for good. Asked once, with a name that is nobody's. */
export async function mayDelete(store: GcsStore): Promise<boolean> {
  if (store.rights.deletes === undefined) {
    const path = objectPath(store, `${segmentsBelow(store)}${randomBytes(16).toString('hex')}`)
    const answer = await store.client.send({ method: 'DELETE', path })
    if (answer.status !== 403 && answer.status !== 404) throw gcsFailure(store.label, answer)
    store.rights.deletes = answer.status === 404
  }
  return store.rights.deletes
}

function lies(store: GcsStore): Failure {
  return locationFailure('location.lies', {
    label: store.label,
    detail: `${store.label} acknowledged an object and keeps another size of it.`,
    next: 'Probe the location; do not rely on it until it is explained.',
  })
}
