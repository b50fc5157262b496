// Finding K and META of an object: frames from the k cheapest places, from spares when one is slow, silent or lying.
import { type Clock, Failure, isFailure } from '#base'
import {
  type Asked,
  assemble,
  type Assembly,
  type AssemblyReport,
  fetchFrame,
  type Frame,
  type Meta,
  paddedLength,
  parseMeta,
  TAIL_BYTES,
} from '#format'
import type { FragmentSource } from './location.ts'
import { Bell, stalled, within } from './patience.ts'
import type { Place } from './place.ts'

/** Where a fragment should lie, by the catalogue. */
export interface Candidate {
  readonly place: Place
  readonly x: number
  readonly name: string
  /** Known to be lost or damaged: asked last. */
  readonly suspect?: boolean | undefined
}

export interface Blamed {
  readonly candidate: Candidate
  readonly kind: 'lost' | 'corrupt'
  readonly detail: string
}

/** Frames that verified, and META; kept by the gateway for ranged reads. */
export interface Known {
  readonly assembly: Assembly
  readonly meta: Meta
}

export interface Opened {
  readonly candidate: Candidate
  readonly source: FragmentSource
  readonly frame: Frame
}

export interface SearchRequest {
  /** Asked in this order. */
  readonly candidates: readonly Candidate[]
  readonly asked: Asked & { readonly k: number }
  readonly clock: Clock
  /** How long those that were asked may take before a spare is asked too. */
  readonly hedgeMs: number
  readonly stallMs: number
  /** Told once per fragment that is not as it should be. */
  readonly onBlame: (blamed: Blamed) => void
  readonly signal?: AbortSignal | undefined
}

/** Throws `format.*` or `location.*` with the culprits named. What it answers is open: close it. */
export async function searchFrames(request: SearchRequest): Promise<{ readonly known: Known; readonly opened: readonly Opened[] }> {
  const { asked, candidates, clock, hedgeMs, stallMs, signal } = request
  const stop = new AbortController()
  const bell = new Bell()
  const cancel = (): void => {
    stop.abort()
    bell.ring()
  }
  signal?.addEventListener('abort', cancel, { once: true })
  const left = [...candidates]
  const waiting = new Set<Candidate>()
  const failures: Failure[] = []
  let opened: readonly Opened[] = []
  const overdue = new Set<Candidate>()
  let over = false

  const ask = async (candidate: Candidate): Promise<void> => {
    const started = clock.now()
    progressMs = started
    waiting.add(candidate)
    try {
      const one = await openCandidate(candidate, { front: false, signal: stop.signal })
      candidate.place.succeeded(clock.now() - started)
      if (over) await one.source.close()
      else opened = [...opened, one]
    } catch (error) {
      if (over) return
      failures.push(error instanceof Failure ? error : new Failure('base.internal', { cause: error }))
      blameOpening(candidate, error, request.onBlame)
    } finally {
      progressMs = clock.now()
      waiting.delete(candidate)
      overdue.delete(candidate)
      bell.ring()
    }
  }

  const judge = (): { report: AssemblyReport; known: Known | undefined } => {
    const report = assemble(
      opened.map(({ frame }) => frame),
      asked,
    )
    if (report.chosen === undefined) return { report, known: undefined }
    const { meta } = parseMeta(report.chosen.meta)
    if (paddedLength(meta.size) !== report.chosen.totals.paddedLen)
      throw new Failure('format.content', { detail: 'the padded length does not fit the size' })
    return { report, known: { assembly: report.chosen, meta } }
  }

  /** The tail's HEAD copy is trusted at first; when that is not enough, the copy at the front speaks as well. */
  const lookAtFronts = async (): Promise<void> => {
    opened = await Promise.all(opened.map((one) => withFront(one, { clock, ms: stallMs, signal: stop.signal })))
  }

  /** When the last place was asked or has answered. */
  let progressMs = clock.now()
  let judged = 0
  try {
    for (;;) {
      if (signal?.aborted) throw new Failure('base.cancelled')
      if (opened.length >= asked.k && opened.length !== judged) {
        judged = opened.length
        const { report, known } = judge()
        if (known !== undefined) return { known, opened: take(report, known) }
      }
      const wanted = opened.length >= asked.k ? 1 : asked.k - opened.length
      for (let asking = waiting.size - overdue.size; asking < wanted && left.length > 0; asking += 1) void ask(left.shift()!)
      if (waiting.size === 0) {
        await lookAtFronts()
        const { report, known } = judge()
        if (known !== undefined) return { known, opened: take(report, known) }
        if (report.failure !== undefined && report.failure.code !== 'format.incomplete') throw report.failure
        for (const { frame, candidate } of opened)
          if (frame.variants.length === 0) request.onBlame({ candidate, kind: 'corrupt', detail: 'its framing is damaged' })
        throw tooFew()
      }
      if ((await bell.wait(clock, hedgeMs)) === 'late') {
        for (const candidate of waiting) {
          if (!overdue.has(candidate)) candidate.place.slow(hedgeMs)
          overdue.add(candidate)
        }
        if (left.length === 0 && clock.now() - progressMs >= stallMs * 2) throw tooFew()
      }
    }
  } catch (error) {
    for (const { source } of opened) void source.close().catch(() => undefined)
    throw error
  } finally {
    over = true
    stop.abort()
    signal?.removeEventListener('abort', cancel)
  }

  /** Members stay open; the others are closed, and blamed when they are not as dealt. */
  function take(report: AssemblyReport, known: Known): readonly Opened[] {
    const of = (frame: Frame): Candidate => opened.find((one) => one.frame === frame)!.candidate
    for (const { frame, reason } of report.blames) request.onBlame({ candidate: of(frame), kind: 'corrupt', detail: reason })
    for (const frame of [...report.refused, ...report.conflicts])
      request.onBlame({ candidate: of(frame), kind: 'corrupt', detail: 'it is a fragment of something else' })
    for (const { frame, variant } of known.assembly.members)
      if (variant.head.x !== of(frame).x)
        request.onBlame({ candidate: of(frame), kind: 'corrupt', detail: 'it is the fragment of another location' })
    const members = new Set(known.assembly.members.map(({ frame }) => frame))
    for (const { frame, source } of opened) if (!members.has(frame)) void source.close().catch(() => undefined)
    return opened.filter(({ frame }) => members.has(frame))
  }

  function tooFew(): Failure {
    const silent = [...waiting].map(({ place }) => stalled(place.label, stallMs * 2))
    for (const [index, { place }] of [...waiting].entries()) place.failed(silent[index]!)
    const all = [...failures, ...silent]
    return new Failure('format.incomplete', {
      detail: `${opened.length} of ${candidates.length} locations offer a fragment, ${asked.k} are needed${all.length > 0 ? `: ${all.map(({ message }) => message).join('; ')}` : ''}`,
      culprits: [...new Set(all.flatMap(({ culprits }) => culprits))],
      next: 'Bring more of the locations back; what is stored stays stored.',
    })
  }
}

/** Opens a fragment and reads its frame. Throws the location's failures. */
export async function openCandidate(
  candidate: Candidate,
  options: { readonly front: boolean; readonly signal?: AbortSignal | undefined },
): Promise<Opened> {
  const { place, name } = candidate
  const source = await place.location.open(name, { signal: options.signal, tailBytes: TAIL_BYTES })
  try {
    return { candidate, source, frame: await frameOf({ candidate, source }, options) }
  } catch (error) {
    void source.close().catch(() => undefined)
    throw error
  }
}

/** The same with both HEAD copies; unchanged when the front cannot be read. */
export async function withFront(
  opened: Opened,
  patience: { readonly clock: Clock; readonly ms: number; readonly signal?: AbortSignal | undefined },
): Promise<Opened> {
  try {
    const frame = await within({ ...patience, label: opened.candidate.place.label }, (signal) => frameOf(opened, { front: true, signal }))
    return { ...opened, frame }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return opened
  }
}

export function blameOpening(candidate: Candidate, error: unknown, onBlame: (blamed: Blamed) => void): void {
  if (isFailure(error, 'location.absent')) onBlame({ candidate, kind: 'lost', detail: 'it is not there' })
  else if (isFailure(error, 'location.truncated')) onBlame({ candidate, kind: 'corrupt', detail: 'it ends too early' })
  else if (error instanceof Failure && error.code !== 'base.cancelled') candidate.place.failed(error)
}

function frameOf(
  { candidate, source }: Pick<Opened, 'candidate' | 'source'>,
  options: { readonly front: boolean; readonly signal?: AbortSignal | undefined },
): Promise<Frame> {
  return fetchFrame(
    {
      location: candidate.place.id,
      file: candidate.name,
      sizeBytes: source.sizeBytes,
      tail: source.tail,
      read: (offset, into) => source.read(offset, into, { signal: options.signal }),
    },
    { front: options.front },
  )
}
