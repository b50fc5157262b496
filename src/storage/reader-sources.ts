// Who can be asked for the records of an object: fragments whose frames verified, opened once for all chunks, and those not fetched yet.
import { assemble, type Member } from '#format'
import { blameOpening, type Candidate, openCandidate, type Opened, type SearchRequest, withFront } from './frame-search.ts'
import type { FragmentSource } from './location.ts'
import { type Bell, within } from './patience.ts'

/** A fragment whose frame verified. */
export interface Source {
  readonly member: Member
  readonly candidate: Candidate
  /** Shared by all chunks that read from it. */
  opened: Promise<Handle> | undefined
  /** Times it failed or lied: asked after those that did not. */
  failures: number
  /** Reads that were overtaken and have not settled. */
  overdue: number
  /** It is not there, or ends too early. */
  gone: boolean
}

/** Closed when nobody reads from it any more, so that nobody waits for a disk that hangs. */
export interface Handle {
  readonly source: FragmentSource
  users: number
  doomed: boolean
}

export class Sources {
  readonly request: SearchRequest
  /** Fires when the reader is closed. */
  readonly stop: AbortSignal
  /** Bells of the chunks under way. */
  readonly bells = new Set<Bell>()
  readonly #all: Source[]
  /** Candidates whose frames were not needed to find K; fetched when the others do not do. */
  readonly #others: Candidate[]
  #recruiting = 0
  #closed = false

  constructor(request: SearchRequest, all: Source[], stop: AbortSignal) {
    this.request = request
    this.#all = all
    this.stop = stop
    this.#others = request.candidates.filter((candidate) => !all.some((one) => one.candidate === candidate))
  }

  /** The next one to ask: what failed or is silent comes last, then the slower. */
  next(asked: ReadonlyMap<Source, unknown>): Source | undefined {
    return this.#all
      .filter((one) => !one.gone && !asked.has(one))
      .toSorted(
        (a, b) =>
          Number(a.overdue > 0) - Number(b.overdue > 0) || a.failures - b.failures || a.candidate.place.cost - b.candidate.place.cost,
      )[0]
  }

  get recruiting(): boolean {
    return this.#recruiting > 0
  }

  /** Begins to fetch one more frame, if there is one that was not needed so far. */
  recruit(): void {
    const candidate = this.#others.shift()
    if (candidate === undefined) return
    this.#recruiting += 1
    void this.#recruitOne(candidate).finally(() => {
      this.#recruiting -= 1
      this.ring()
    })
  }

  ring(): void {
    for (const bell of this.bells) bell.ring()
  }

  async #recruitOne(candidate: Candidate): Promise<void> {
    const { clock, stallMs, asked, onBlame } = this.request
    const patience = { clock, ms: stallMs, signal: this.stop }
    let opened: Opened | undefined
    try {
      opened = await within({ ...patience, label: candidate.place.label, late: (late: Opened) => late.source.close() }, (signal) =>
        openCandidate(candidate, { front: false, signal }),
      )
      for (const one of [opened, await withFront(opened, patience)]) {
        const { chosen } = assemble([...this.#all.map(({ member }) => member.frame), one.frame], asked)
        const member = chosen?.members.find(({ frame }) => frame === one.frame)
        // Who closes the reader closes what it knows of; what comes later closes itself.
        if (member === undefined || this.#closed) continue
        this.#all.push(sourceOf(member, candidate, Promise.resolve(handle(opened.source))))
        return
      }
      if (!this.#closed) onBlame({ candidate, kind: 'corrupt', detail: 'its frame is damaged' })
    } catch (error) {
      blameOpening(candidate, error, onBlame)
    }
    await opened?.source.close().catch(() => undefined)
  }

  /** Places that hang are not waited for. */
  async close(): Promise<void> {
    this.#closed = true
    const closing = this.#all.filter(({ opened }) => opened !== undefined).map((one) => doom(one))
    if (this.#all.every(({ overdue }) => overdue === 0)) await Promise.allSettled(closing)
  }
}

export function sourceOf(member: Member, candidate: Candidate, opened?: Promise<Handle>): Source {
  return { member, candidate, opened, failures: 0, overdue: 0, gone: false }
}

export function handle(opened: FragmentSource): Handle {
  return { source: opened, users: 0, doomed: false }
}

export async function used<T>(one: Handle, work: () => Promise<T>): Promise<T> {
  one.users += 1
  try {
    return await work()
  } finally {
    one.users -= 1
    if (one.doomed && one.users === 0) void one.source.close().catch(() => undefined)
  }
}

/** Nobody begins to read from it any more; it is closed when those who do have ended. */
export async function doom(one: Source): Promise<void> {
  const opening = one.opened
  one.opened = undefined
  try {
    const opened = await opening
    if (opened === undefined || opened.doomed) return
    opened.doomed = true
    if (opened.users === 0) await opened.source.close()
  } catch {
    // It failed to open, which its reader heard.
  }
}
