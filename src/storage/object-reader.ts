// Reading one object version from the fastest k locations, with spares when one is slow, silent or lying.
import { assert, type Clock, Failure, isFailure, toHex } from '#base'
import { sha256, sha256Stream } from '#crypto/primitives'
import {
  type Arena,
  arenaBytes,
  type ArenaShape,
  type Asked,
  assemble,
  type Assembly,
  ChunkOpener,
  type Member,
  type Meta,
  type ReadRecord,
  type Slot,
  wipeArena,
} from '#format'
import type { ArenaPool, Left } from './arena-pool.ts'
import {
  type Blamed,
  blameOpening,
  type Candidate,
  type Known,
  openCandidate,
  type Opened,
  searchFrames,
  withFront,
} from './frame-search.ts'
import type { FragmentSource } from './location.ts'
import { Bell, stalled, within } from './patience.ts'

export interface ReaderRequest {
  readonly candidates: readonly Candidate[]
  readonly asked: Asked & { readonly k: number }
  readonly arenas: ArenaPool
  readonly clock: Clock
  /** How long those that were asked may take before a spare is asked too. */
  readonly hedgeMs: number
  readonly stallMs: number
  /** Told once per fragment that is not as it should be. */
  readonly onBlame: (blamed: Blamed) => void
  /** Told once, when the reader is closed. */
  readonly onClose?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** What an earlier reader of the same dealing learnt; its frames need not be fetched again. */
  readonly known?: Known | undefined
}

/** A fragment whose frame verified. */
interface Source {
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
interface Handle {
  readonly source: FragmentSource
  users: number
  doomed: boolean
}

/** An arena and those of its slots that nobody works in. */
interface Bench {
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

/** Chunks under way at once: so many keep a distant place busy, as far as their memory stays below the bound; fewer would read in steps. */
const DEPTH_MAX = 8
const DEPTH_MIN = 3
const DEPTH_BYTES_MAX = 16 * 2 ** 20
/** A chunk that took less of the hedge timer than this leaves room for more: a thin line would only make all of them late. */
const SWIFT = 1 / 8
/** Times that a place that fails is asked for one record. */
const ROUNDS_MAX = 3

export class ObjectReader {
  readonly assembly: Assembly
  readonly meta: Meta
  readonly #request: ReaderRequest
  readonly #stop = new AbortController()
  readonly #sources: Source[]
  /** Candidates whose frames were not needed to find K; fetched when the others do not do. */
  #others: Candidate[]
  #bench: Bench | undefined
  #preparing: Promise<void> | undefined
  /** The arena of before, perhaps still in stock. */
  #mine: (Left & { readonly rows: Map<Slot, number> }) | undefined
  #waiting: (() => void)[] = []
  #closed = false

  private constructor(request: ReaderRequest, known: Known, sources: Source[]) {
    this.#request = request
    this.assembly = known.assembly
    this.meta = known.meta
    this.#sources = sources
    this.#others = request.candidates.filter((candidate) => !sources.some((source) => source.candidate === candidate))
    request.signal?.addEventListener('abort', this.#cancel, { once: true })
  }

  /** Finds K and META from k fragments. Throws `format.*` or `location.*` with the culprits named. */
  static async open(given: ReaderRequest): Promise<ObjectReader> {
    const blamed = new Set<string>()
    const request: ReaderRequest = {
      ...given,
      candidates: given.candidates.toSorted(
        (a, b) => Number(a.suspect ?? false) - Number(b.suspect ?? false) || a.place.cost - b.place.cost || a.x - b.x,
      ),
      onBlame: (blame) => {
        const key = `${blame.candidate.place.id}/${blame.candidate.name}`
        if (blamed.has(key)) return
        blamed.add(key)
        given.onBlame(blame)
      },
    }
    const { candidates, asked, known } = request
    if (known !== undefined) {
      const sources = known.assembly.members.flatMap((member) => {
        const candidate = candidates.find(({ place, name }) => place.id === member.frame.location && name === member.frame.file)
        return candidate === undefined ? [] : [source(member, candidate)]
      })
      if (sources.length >= asked.k) return new ObjectReader(request, known, sources)
    }
    const found = await searchFrames(request)
    const sources = found.known.assembly.members.map((member) => {
      const one = found.opened.find(({ frame }) => frame === member.frame)!
      return source(member, one.candidate, Promise.resolve(handle(one.source)))
    })
    return new ObjectReader(request, found.known, sources)
  }

  get known(): Known {
    return { assembly: this.assembly, meta: this.meta }
  }

  /**
   * Bytes first..last inclusive, in order, each released after its chunk's tag. A piece is valid until the next one is asked for. A read of the
   * whole object also compares the SHA-256, and holds the last chunk back until it is right.
   */
  async *read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { size } = this.meta
    const stop = new AbortController()
    const cancel = (): void => stop.abort()
    if (signal?.aborted || this.#stop.signal.aborted) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    this.#stop.signal.addEventListener('abort', cancel, { once: true })
    const queue: Promise<Uint8Array<ArrayBuffer>>[] = []
    try {
      if (size === 0) {
        const plain = await this.#chunk(0, stop.signal)
        requireZeros(plain)
        if (this.meta.sha256 !== toHex(sha256(new Uint8Array(0)))) throw new Failure('format.content')
        return
      }
      assert(range.first >= 0 && range.first <= range.last && range.last < size, 'read range')
      const chunkBytes = 2 ** this.assembly.common.chunkLog2
      const whole = range.first === 0 && range.last === size - 1
      const hash = whole ? sha256Stream() : undefined
      const from = Math.floor(range.first / chunkBytes)
      const to = whole ? this.assembly.totals.m - 1 : Math.floor(range.last / chunkBytes)
      let next = from
      let held: { readonly part: Uint8Array; readonly buffer: ArrayBuffer } | undefined
      for (let j = from; j <= to; j++) {
        while (next <= to && queue.length < Math.min(this.#depth, this.#swift ? DEPTH_MAX : DEPTH_MIN)) {
          const began = this.#request.clock.now()
          const chunk = this.#chunk(next, stop.signal)
          chunk.then(
            () => {
              this.#swift = this.#request.clock.now() - began < this.#request.hedgeMs * SWIFT
            },
            () => undefined,
          )
          queue.push(chunk)
          next += 1
        }
        const plain = await queue.shift()!
        const begin = j * chunkBytes
        const data = plain.subarray(0, Math.max(0, Math.min(plain.length, size - begin)))
        requireZeros(plain.subarray(data.length))
        hash?.update(data)
        const part = data.subarray(Math.max(0, range.first - begin), Math.min(data.length, range.last - begin + 1))
        if (part.length === 0) continue
        if (held !== undefined) {
          yield held.part
          this.#buffers.push(held.buffer)
        }
        held = { part, buffer: plain.buffer }
      }
      if (hash !== undefined && toHex(hash.digest()) !== this.meta.sha256) throw new Failure('format.content')
      if (held !== undefined) yield held.part
    } finally {
      stop.abort()
      signal?.removeEventListener('abort', cancel)
      this.#stop.signal.removeEventListener('abort', cancel)
      await Promise.allSettled(queue)
    }
  }

  /** Cancels what is under way. Places that hang are not waited for. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel()
    this.#request.signal?.removeEventListener('abort', this.#cancel)
    if (this.#bench?.busy === 0) this.#leaveBench(this.#bench)
    else if (this.#mine !== undefined) this.#request.arenas.clean(this.#mine.arena)
    const closing = this.#sources.filter(({ opened }) => opened !== undefined).map((one) => doom(one))
    const silent = this.#sources.some(({ overdue }) => overdue > 0)
    if (!silent) await Promise.allSettled(closing)
    this.#request.onClose?.()
  }

  readonly #cancel = (): void => {
    this.#stop.abort()
    this.#ring()
  }

  /** Buffers that pieces were in, to be used again: fresh ones for each chunk cost more than the reading. */
  readonly #buffers: ArrayBuffer[] = []

  /** The plaintext of chunk j, a copy. */
  #chunk(j: number, cancel: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return this.#gathered(j, cancel, ({ plain }) => {
      const copy = new Uint8Array(this.#buffers.pop() ?? new ArrayBuffer(this.#pieceBytes), 0, plain.length)
      copy.set(plain)
      return Promise.resolve(copy)
    })
  }

  /** Runs `work` on the opened records of chunk j: for repair, which needs the shares, too. */
  withChunk<T>(
    j: number,
    work: (opened: { opener: ChunkOpener; slot: Slot; used: readonly ReadRecord[]; spareRow: number }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#gathered(j, signal, ({ opener, slot, used }) => {
      this.#bench?.rows.set(slot, slot.bodies.length)
      return work({ opener, slot, used, spareRow: slot.bodies.length - 1 })
    })
  }

  get #pieceBytes(): number {
    return this.assembly.members[0]!.variant.shape.pieceBytes(0)
  }

  async #gathered<T>(
    j: number,
    cancel: AbortSignal | undefined,
    work: (gathered: {
      readonly opener: ChunkOpener
      readonly slot: Slot
      readonly plain: Uint8Array<ArrayBuffer>
      readonly used: readonly ReadRecord[]
    }) => Promise<T>,
  ): Promise<T> {
    const { bench, slot } = await this.#slot(cancel)
    const gathering = new Gathering(this, { bench, slot, j })
    try {
      return await work({ opener: bench.opener, slot, ...(await gathering.run(cancel)) })
    } finally {
      bench.busy -= 1
      if (gathering.pending === 0) bench.free.push(slot)
      else {
        bench.stuck += 1
        gathering.settled = () => {
          bench.stuck -= 1
          bench.free.push(slot)
          this.#slotFree(bench)
        }
      }
      this.#slotFree(bench)
    }
  }

  // --- slots: one arena at a time, given back while nobody works in it

  async #slot(cancel: AbortSignal | undefined): Promise<{ bench: Bench; slot: Slot }> {
    for (;;) {
      if (this.#stop.signal.aborted || cancel?.aborted) throw new Failure('base.cancelled')
      const bench = this.#bench
      const slot = bench?.free.pop()
      if (bench !== undefined && slot !== undefined) {
        bench.busy += 1
        return { bench, slot }
      }
      if (bench !== undefined && bench.busy > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      else {
        // Only slots that a silent place may still write into are left: they are given up.
        if (bench !== undefined) this.#leaveBench(bench)
        await (this.#preparing ??= this.#prepare().finally(() => {
          this.#preparing = undefined
        }))
      }
    }
  }

  get #shape(): ArenaShape {
    const { suite, k, chunkLog2 } = this.assembly.common
    return { suite, k, rows: Math.max(k, this.#request.candidates.length) + 1, chunkLog2, slots: 1 }
  }

  /** The last chunk came quickly. */
  #swift = false

  /** Chunks of this object under way at once, when they come quickly. */
  get #depth(): number {
    if (this.assembly.totals.m === 1) return 1
    return Math.max(DEPTH_MIN, Math.min(DEPTH_MAX, Math.floor(DEPTH_BYTES_MAX / arenaBytes(this.#shape))))
  }

  async #prepare(): Promise<void> {
    const arena = await this.#request.arenas.take({ ...this.#shape, slots: this.#depth }, this.#stop.signal, this.#mine)
    if (arena !== this.#mine?.arena) {
      const rows = new Map<Slot, number>()
      this.#mine = { arena, rows, wipe: () => wipeArena(arena, this.#pieceBytes, rows) }
    }
    const { rows } = this.#mine
    if (this.#closed) {
      this.#request.arenas.release(arena)
      throw new Failure('base.cancelled')
    }
    this.#bench = { arena, opener: new ChunkOpener(arena, this.assembly), free: [...arena.slots], rows, busy: 0, stuck: 0 }
  }

  #slotFree(bench: Bench): void {
    const idle = bench === this.#bench && bench.busy === 0
    if (idle && (this.#closed || (bench.stuck === 0 && this.#waiting.length === 0))) this.#leaveBench(bench)
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  #leaveBench(bench: Bench): void {
    this.#bench = undefined
    if (bench.stuck > 0) {
      this.#mine = undefined
      this.#request.arenas.abandon(bench.arena)
      return
    }
    this.#request.arenas.release(bench.arena, this.#mine?.wipe)
    if (this.#closed) this.#request.arenas.clean(bench.arena)
  }

  // --- for Gathering

  get request(): ReaderRequest {
    return this.#request
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  /** The next source to ask: what failed or is silent comes last, then the slower. */
  nextSource(asked: ReadonlyMap<Source, unknown>): Source | undefined {
    return this.#sources
      .filter((one) => !one.gone && !asked.has(one))
      .toSorted(
        (a, b) =>
          Number(a.overdue > 0) - Number(b.overdue > 0) || a.failures - b.failures || a.candidate.place.cost - b.candidate.place.cost,
      )[0]
  }

  /** Bells of the chunks under way. */
  readonly bells = new Set<Bell>()
  #recruiting = 0

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
      this.#ring()
    })
  }

  #ring(): void {
    for (const bell of this.bells) bell.ring()
  }

  async #recruitOne(candidate: Candidate): Promise<void> {
    const { clock, stallMs, asked, onBlame } = this.#request
    const patience = { clock, ms: stallMs, signal: this.#stop.signal }
    let opened: Opened | undefined
    try {
      opened = await within({ ...patience, label: candidate.place.label, late: (late: Opened) => late.source.close() }, (signal) =>
        openCandidate(candidate, { front: false, signal }),
      )
      for (const one of [opened, await withFront(opened, patience)]) {
        const { chosen } = assemble([...this.#sources.map(({ member }) => member.frame), one.frame], asked)
        const member = chosen?.members.find(({ frame }) => frame === one.frame)
        // Who closes the reader closes what it knows of; what comes later closes itself.
        if (member === undefined || this.#closed) continue
        this.#sources.push(source(member, candidate, Promise.resolve(handle(opened.source))))
        return
      }
      if (!this.#closed) onBlame({ candidate, kind: 'corrupt', detail: 'its frame is damaged' })
    } catch (error) {
      blameOpening(candidate, error, onBlame)
    }
    await opened?.source.close().catch(() => undefined)
  }
}

/** One chunk on its way: k records that verify and together give it. */
class Gathering {
  readonly #reader: ObjectReader
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

  constructor(reader: ObjectReader, at: { readonly bench: Bench; readonly slot: Slot; readonly j: number }) {
    this.#reader = reader
    this.#bench = at.bench
    this.#slot = at.slot
    this.#j = at.j
  }

  async run(cancel: AbortSignal | undefined): Promise<{ plain: Uint8Array<ArrayBuffer>; used: readonly ReadRecord[] }> {
    const { clock, hedgeMs, stallMs } = this.#reader.request
    const { k } = this.#reader.assembly.common
    const ring = (): void => this.#bell.ring()
    cancel?.addEventListener('abort', ring, { once: true })
    this.#reader.bells.add(this.#bell)
    this.#progressMs = clock.now()
    let judged = 0
    try {
      for (;;) {
        if (cancel?.aborted || this.#reader.stopSignal.aborted) throw new Failure('base.cancelled')
        if (this.#good.length >= k && this.#good.length !== judged) {
          judged = this.#good.length
          const opened = this.#bench.opener.open(this.#slot, this.#good, this.#j)
          if (opened !== undefined) return opened
        }
        // Records that are as dealt and yet give no chunk: another subset may.
        const wanted = Math.max(1, k - this.#good.length)
        for (let asking = this.#inTime(); asking < wanted; asking += 1) {
          const source = this.#reader.nextSource(this.#asked)
          if (source !== undefined) this.#start(source)
          else {
            if (!this.#reader.recruiting) this.#reader.recruit()
            break
          }
        }
        if (this.pending === 0 && !this.#reader.recruiting) {
          if (this.#again()) continue
          throw this.#unreadable()
        }
        if ((await this.#bell.wait(clock, hedgeMs)) === 'rung') continue
        this.#overtake(hedgeMs)
        if (this.#reader.nextSource(this.#asked) !== undefined) continue
        this.#reader.recruit()
        // Nobody is left to be asked: those that were have their time.
        if (!this.#reader.recruiting && clock.now() - this.#progressMs >= stallMs * 2) throw this.#unreadable(stallMs * 2)
      }
    } finally {
      cancel?.removeEventListener('abort', ring)
      this.#reader.bells.delete(this.#bell)
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
    this.#progressMs = this.#reader.request.clock.now()
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
        this.#progressMs = this.#reader.request.clock.now()
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
    const { clock, onBlame } = this.#reader.request
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
    const { clock, stallMs } = this.#reader.request
    const patience = { clock, ms: stallMs, label: place.label, signal: this.#reader.stopSignal }
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
      detail: `chunk ${this.#j} cannot be read from ${this.#reader.assembly.common.k} locations: ${failures.map(({ message }) => message).join('; ') || 'too few answer'}`,
      culprits: [...new Set(failures.flatMap(({ culprits }) => culprits))],
      next: 'Bring the named locations back; what is stored stays stored.',
    })
  }
}

function source(member: Member, candidate: Candidate, opened?: Promise<Handle>): Source {
  return { member, candidate, opened, failures: 0, overdue: 0, gone: false }
}

function handle(opened: FragmentSource): Handle {
  return { source: opened, users: 0, doomed: false }
}

async function used<T>(one: Handle, work: () => Promise<T>): Promise<T> {
  one.users += 1
  try {
    return await work()
  } finally {
    one.users -= 1
    if (one.doomed && one.users === 0) void one.source.close().catch(() => undefined)
  }
}

/** Nobody begins to read from it any more; it is closed when those who do have ended. */
async function doom(one: Source): Promise<void> {
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

function requireZeros(padding: Uint8Array): void {
  if (padding.some((byte) => byte !== 0)) throw new Failure('format.content', { detail: 'the padding is not zero' })
}
