// One chunk of an object on its way: k records from the fastest places, spares beside those that are slow, silent or lying.
import { Failure, isFailure } from '#base'
import type { Arena, ChunkOpener, ReadRecord, Slot } from '#format'
import { blameOpening, type Candidate } from './frame-search.ts'
import type { FragmentSource } from './location.ts'
import { Bell, stalled, within } from './patience.ts'
import { doom, type Handle, handle, type Source, type Sources, used } from './reader-sources.ts'

/** Times that a place that fails is asked for one record. */
const ROUNDS_MAX = 3

/** An arena and those of its slots that nobody works in. */
export interface Bench {
  readonly arena: Arena
  readonly opener: ChunkOpener
  readonly free: Slot[]
  /** Slots that were used, with the number of their rows that were. */
  readonly rows: Map<Slot, number>
  /** Chunks that are being gathered in its slots. */
  busy: number
  /** Slots of finished chunks into which an overtaken read may still write. */
  stuck: number
}

/** One chunk on its way: k records that verify and together give it. */
export class Gathering {
  readonly #sources: Sources
  readonly #k: number
  readonly #bench: Bench
  readonly #slot: Slot
  readonly #j: number
  readonly #asked = new Map<Source, { late: boolean; settled: boolean; away: boolean }>()
  /** Where the record of a source goes, however often it is asked. */
  readonly #rows = new Map<Source, number>()
  #rounds = 1
  /** When the last read began or ended. */
  #progressMs = 0
  readonly #good: ReadRecord[] = []
  readonly #failures: Failure[] = []
  readonly #bell = new Bell()
  readonly #stop = new AbortController()
  /** Reads that may still write into the slot. */
  pending = 0
  /** Called when the last of them has settled. */
  settled: () => void = () => undefined

  constructor(sources: Sources, at: { readonly bench: Bench; readonly slot: Slot; readonly j: number; readonly k: number }) {
    this.#sources = sources
    this.#k = at.k
    this.#bench = at.bench
    this.#slot = at.slot
    this.#j = at.j
  }

  async run(cancel: AbortSignal | undefined): Promise<{ plain: Uint8Array<ArrayBuffer>; used: readonly ReadRecord[] }> {
    const { clock, hedgeMs, stallMs } = this.#sources.request
    const k = this.#k
    const ring = (): void => this.#bell.ring()
    cancel?.addEventListener('abort', ring, { once: true })
    this.#sources.bells.add(this.#bell)
    this.#progressMs = clock.now()
    let judged = 0
    try {
      for (;;) {
        if (cancel?.aborted || this.#sources.stop.aborted) throw new Failure('base.cancelled')
        if (this.#good.length >= k && this.#good.length !== judged) {
          judged = this.#good.length
          const opened = this.#bench.opener.open(this.#slot, this.#good, this.#j)
          if (opened !== undefined) return opened
        }
        // Records that are as dealt and yet give no chunk: another subset may.
        const wanted = Math.max(1, k - this.#good.length)
        for (let asking = this.#inTime(); asking < wanted; asking += 1) {
          const source = this.#sources.next(this.#asked)
          if (source !== undefined) this.#start(source)
          else {
            if (!this.#sources.recruiting) this.#sources.recruit()
            break
          }
        }
        if (this.pending === 0 && !this.#sources.recruiting) {
          if (this.#again()) continue
          throw this.#unreadable()
        }
        if ((await this.#bell.wait(clock, hedgeMs)) === 'rung') continue
        this.#overtake(hedgeMs)
        if (this.#sources.next(this.#asked) !== undefined) continue
        this.#sources.recruit()
        // Nobody is left to be asked: those that were have their time.
        if (!this.#sources.recruiting && clock.now() - this.#progressMs >= stallMs * 2) throw this.#unreadable(stallMs * 2)
      }
    } finally {
      cancel?.removeEventListener('abort', ring)
      this.#sources.bells.delete(this.#bell)
      this.#stop.abort()
    }
  }

  #inTime(): number {
    return [...this.#asked.values()].filter(({ late, settled }) => !late && !settled).length
  }

  #start(source: Source): void {
    const call = { late: false, settled: false, away: false }
    const row = this.#rows.get(source) ?? this.#rows.size
    this.#rows.set(source, row)
    this.#bench.rows.set(this.#slot, Math.max(this.#bench.rows.get(this.#slot) ?? 0, row + 1))
    this.#asked.set(source, call)
    this.#progressMs = this.#sources.request.clock.now()
    this.pending += 1
    source.overdue += 1
    void this.#read(source, row)
      .then((record) => this.#good.push(record))
      .catch((error: unknown) => {
        const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
        call.away = failure.kind === 'unavailable'
        this.#failures.push(failure)
      })
      .finally(() => {
        call.settled = true
        this.#progressMs = this.#sources.request.clock.now()
        this.pending -= 1
        source.overdue -= 1
        this.#bell.ring()
        if (this.pending === 0) this.settled()
      })
  }

  /** Places come and go: those that were away are asked once more. */
  #again(): boolean {
    const away = [...this.#asked].filter(([, call]) => call.away).map(([source]) => source)
    if (this.#rounds >= ROUNDS_MAX || away.length === 0) return false
    this.#rounds += 1
    for (const source of away) this.#asked.delete(source)
    return true
  }

  /** Those that were asked are slow: spares are asked beside them. */
  #overtake(hedgeMs: number): void {
    for (const [{ candidate }, call] of this.#asked) {
      if (call.settled || call.late) continue
      call.late = true
      candidate.place.slow(hedgeMs)
    }
  }

  async #read(source: Source, row: number): Promise<ReadRecord> {
    const { place } = source.candidate
    const { clock, onBlame } = this.#sources.request
    const view = this.#bench.opener.recordView(this.#slot, row, this.#j)
    const { head, shape } = source.member.variant
    const started = clock.now()
    let opening: Promise<Handle> | undefined
    try {
      opening = source.opened ??= this.#open(source.candidate)
      const opened = await opening
      if (this.#stop.signal.aborted || opened.doomed) throw new Failure('base.cancelled')
      await used(opened, () => opened.source.read(head.bytes.length + shape.recordOffset(this.#j), view, { signal: this.#stop.signal }))
    } catch (error) {
      if (isFailure(error, 'base.cancelled')) throw error
      source.failures += 1
      source.gone ||= isFailure(error, 'location.absent') || isFailure(error, 'location.truncated')
      blameOpening(source.candidate, error, onBlame)
      if (source.opened === opening) void doom(source)
      throw error
    }
    if (this.#stop.signal.aborted) throw new Failure('base.cancelled')
    place.succeeded(clock.now() - started)
    const record = { ...source.member, row }
    if (this.#bench.opener.judge(this.#slot, record, this.#j) !== 'bad') return record
    source.failures += 1
    onBlame({ candidate: source.candidate, kind: 'corrupt', detail: `record ${this.#j} is damaged` })
    throw new Failure('format.record', { detail: `${place.label} gave a damaged record ${this.#j}`, culprits: [place.label] })
  }

  /** Opens a fragment for every chunk that reads from it. */
  async #open({ place, name }: Candidate): Promise<Handle> {
    const { clock, stallMs } = this.#sources.request
    const patience = { clock, ms: stallMs, label: place.label, signal: this.#sources.stop }
    const late = (source: FragmentSource): Promise<void> => source.close()
    return handle(await within({ ...patience, late }, (signal) => place.location.open(name, { signal, tailBytes: 0 })))
  }

  #unreadable(silentMs?: number): Failure {
    const silent =
      silentMs === undefined
        ? []
        : [...this.#asked].flatMap(([{ candidate }, { settled }]) =>
            settled ? [] : [{ candidate, failure: stalled(candidate.place.label, silentMs) }],
          )
    for (const { candidate, failure } of silent) candidate.place.failed(failure)
    const failures = [...this.#failures, ...silent.map(({ failure }) => failure)]
    return new Failure('format.record', {
      detail: `chunk ${this.#j} cannot be read from ${this.#k} locations: ${failures.map(({ message }) => message).join('; ') || 'too few answer'}`,
      culprits: [...new Set(failures.flatMap(({ culprits }) => culprits))],
      next: 'Bring the named locations back; what is stored stays stored.',
    })
  }
}
