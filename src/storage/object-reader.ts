// Reading one object version from the fastest k locations, with spares when one is slow, silent or lying.
import { assert, type Clock, Failure, isFailure, toHex } from '#base'
import { sha256Stream } from '#crypto/primitives'
import {
  type Arena,
  type Asked,
  assemble,
  type Assembly,
  ChunkOpener,
  fetchFrame,
  type Frame,
  type Member,
  type Meta,
  paddedLength,
  parseMeta,
  type ReadRecord,
  type Slot,
  TAIL_BYTES,
  wipeArena,
} from '#format'
import type { ArenaPool } from './arena-pool.ts'
import type { FragmentSource } from './location.ts'
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

export interface ReaderRequest {
  readonly candidates: readonly Candidate[]
  readonly asked: Asked & { readonly k: number }
  readonly arenas: ArenaPool
  readonly clock: Clock
  /** How long the first k may take before a spare is asked too. */
  readonly hedgeMs: number
  readonly stallMs: number
  /** Told once per fragment that is not as it should be. */
  readonly onBlame: (blamed: Blamed) => void
  readonly signal?: AbortSignal | undefined
  /** What an earlier reader of the same dealing learnt; its frames need not be fetched again. */
  readonly known?: Known | undefined
}

/** Frames that verified, and the candidates they came from; kept by the gateway for ranged reads. */
export interface Known {
  readonly assembly: Assembly
  readonly meta: Meta
}

interface Opened {
  readonly candidate: Candidate
  readonly source: FragmentSource
}

/** One of the members of the assembly that can still be read. */
interface Source {
  readonly member: Member
  readonly candidate: Candidate
  /** Shared by all chunks that read from it. */
  opened: Promise<Opened> | undefined
  bad: boolean
}

interface Desk {
  readonly arena: Arena
  readonly opener: ChunkOpener
  readonly slot: Slot
  /** Reads that were overtaken and may still write into the slot. */
  overdue: number
}

/** Chunks under way at once. */
const DEPTH = 3

export class ObjectReader {
  readonly assembly: Assembly
  readonly meta: Meta
  readonly #request: ReaderRequest
  readonly #sources: Source[]
  readonly #arenas: Arena[] = []
  readonly #desks: Desk[] = []
  readonly #free: Desk[] = []
  #waiting: ((desk: Desk) => void)[] = []
  #closed = false

  private constructor(request: ReaderRequest, known: Known, sources: Source[]) {
    this.#request = request
    this.assembly = known.assembly
    this.meta = known.meta
    this.#sources = sources
  }

  /** Finds K and META from k fragments. Throws `format.*` or `location.*` with the culprits named. */
  static async open(request: ReaderRequest): Promise<ObjectReader> {
    const byCost = request.candidates.toSorted(
      (a, b) => Number(a.suspect ?? false) - Number(b.suspect ?? false) || a.place.cost - b.place.cost || a.x - b.x,
    )
    if (request.known !== undefined) {
      const sources = request.known.assembly.members.flatMap((member) => {
        const candidate = byCost.find(({ place, name }) => place.id === member.frame.location && name === member.frame.file)
        return candidate === undefined ? [] : [{ member, candidate, opened: undefined, bad: false }]
      })
      if (sources.length >= request.asked.k) return new ObjectReader(request, request.known, sources)
    }
    const opening = new Opening({ ...request, candidates: byCost })
    const { known, opened } = await opening.run()
    const sources = known.assembly.members.map((member): Source => {
      const mine = opened.find(({ candidate }) => candidate.place.id === member.frame.location && candidate.name === member.frame.file)!
      return { member, candidate: mine.candidate, opened: Promise.resolve(mine), bad: false }
    })
    const others = byCost.filter((candidate) => !sources.some((source) => source.candidate === candidate))
    const reader = new ObjectReader(request, known, sources)
    reader.#others = others
    return reader
  }

  /** Candidates whose frames were not needed to find K; fetched when a member fails. */
  #others: readonly Candidate[] = []

  get known(): Known {
    return { assembly: { ...this.assembly, members: this.#sources.filter(({ bad }) => !bad).map(({ member }) => member) }, meta: this.meta }
  }

  /**
   * Bytes first..last inclusive, in order, each released after its chunk's tag. A piece is valid until the next one is asked for. A read of the whole object also compares the SHA-256, and
   * holds the last chunk back until it is right.
   */
  async *read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { size } = this.meta
    if (size === 0) {
      await this.#verifyEmpty(signal)
      return
    }
    assert(range.first >= 0 && range.first <= range.last && range.last < size, 'read range')
    const chunkBytes = 2 ** this.assembly.common.chunkLog2
    const whole = range.first === 0 && range.last === size - 1
    const hash = whole ? sha256Stream() : undefined
    const { m } = this.assembly.totals
    const from = Math.floor(range.first / chunkBytes)
    const to = whole ? m - 1 : Math.floor(range.last / chunkBytes)
    const queue: Promise<Uint8Array<ArrayBuffer>>[] = []
    let next = from
    let held: { readonly part: Uint8Array; readonly buffer: ArrayBuffer } | undefined
    try {
      for (let j = from; j <= to; j++) {
        while (next <= to && queue.length < DEPTH) {
          const chunk = this.#chunk(next, signal)
          chunk.catch(() => undefined)
          queue.push(chunk)
          next += 1
        }
        const plain = await queue.shift()!
        const begin = j * chunkBytes
        const data = plain.subarray(0, Math.max(0, Math.min(plain.length, size - begin)))
        if (plain.subarray(data.length).some((byte) => byte !== 0))
          throw new Failure('format.content', { detail: 'the padding is not zero' })
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
      await Promise.allSettled(queue)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const overdue = new Set(this.#desks.filter((desk) => desk.overdue > 0).map(({ arena }) => arena))
    for (const arena of this.#arenas) {
      if (overdue.has(arena)) this.#request.arenas.abandon(arena)
      else {
        wipeArena(arena, this.#pieceBytes)
        this.#request.arenas.release(arena)
      }
    }
    await Promise.allSettled(this.#sources.map(async (source) => (await source.opened)?.source.close()))
  }

  get #pieceBytes(): number {
    return this.assembly.members[0]!.variant.shape.pieceBytes(0)
  }

  async #verifyEmpty(signal?: AbortSignal): Promise<void> {
    const plain = await this.#chunk(0, signal)
    if (plain.some((byte) => byte !== 0)) throw new Failure('format.content', { detail: 'the padding is not zero' })
  }

  /** Buffers that pieces were in, to be used again: fresh ones for each chunk cost more than the reading. */
  readonly #buffers: ArrayBuffer[] = []

  /** The plaintext of chunk j, a copy. */
  async #chunk(j: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const desk = await this.#desk()
    try {
      const { plain } = await this.#gather(desk, j, signal)
      const copy = new Uint8Array(this.#buffers.pop() ?? new ArrayBuffer(this.#pieceBytes), 0, plain.length)
      copy.set(plain)
      return copy
    } finally {
      this.#leave(desk)
    }
  }

  /** Runs `work` on the opened records of chunk j: for repair, which needs the shares, too. */
  async withChunk<T>(
    j: number,
    work: (opened: { opener: ChunkOpener; slot: Slot; used: readonly ReadRecord[]; spareRow: number }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const desk = await this.#desk()
    try {
      const { used } = await this.#gather(desk, j, signal)
      return await work({ opener: desk.opener, slot: desk.slot, used, spareRow: desk.slot.bodies.length - 1 })
    } finally {
      this.#leave(desk)
    }
  }

  /** Reads record j from k sources, and from spares when a source is slow or wrong. */
  async #gather(desk: Desk, j: number, signal?: AbortSignal): Promise<{ plain: Uint8Array<ArrayBuffer>; used: readonly ReadRecord[] }> {
    const { k } = this.assembly.common
    const { clock, hedgeMs, stallMs } = this.#request
    const good: ReadRecord[] = []
    const tried = new Set<Source>()
    const failures: Failure[] = []
    let pending = 0
    let judged = 0
    let wake: () => void = () => undefined
    const start = (source: Source): void => {
      const row = tried.size
      tried.add(source)
      pending += 1
      desk.overdue += 1
      void this.#readRecord(desk, source, { j, row, signal })
        .then((record) => {
          if (record !== undefined) good.push(record)
        })
        .catch((error: unknown) => {
          failures.push(error instanceof Failure ? error : new Failure('base.internal', { cause: error }))
        })
        .finally(() => {
          pending -= 1
          desk.overdue -= 1
          wake()
          this.#settled(desk)
        })
    }
    const deadline = clock.now() + stallMs * 2
    for (;;) {
      if (signal?.aborted) throw new Failure('base.cancelled')
      const usable = this.#sources
        .filter((source) => !source.bad && !tried.has(source))
        .toSorted((a, b) => a.candidate.place.cost - b.candidate.place.cost)
      while (good.length + pending < k && usable.length > 0) start(usable.shift()!)
      if (good.length >= k && good.length !== judged) {
        judged = good.length
        const opened = desk.opener.open(desk.slot, good, j)
        if (opened !== undefined) return opened
      }
      // Records that are as dealt and yet give no chunk: another subset may.
      if (pending === 0 && usable.length > 0) start(usable.shift()!)
      if (
        pending === 0 &&
        usable.length === 0 &&
        !(await this.#recruit(signal)) &&
        !this.#sources.some((source) => !source.bad && !tried.has(source))
      )
        throw this.#unreadable(j, failures)
      if (pending === 0) continue
      const patience = new AbortController()
      const settled = new Promise<'settled'>((resolve) => {
        wake = () => resolve('settled')
      })
      const waited = clock.sleep(hedgeMs, patience.signal).then(
        () => 'slow' as const,
        () => 'settled' as const,
      )
      const outcome = await Promise.race([settled, waited])
      patience.abort()
      if (outcome === 'slow') {
        const spare =
          usable.shift() ?? ((await this.#recruit(signal)) ? this.#sources.find((source) => !source.bad && !tried.has(source)) : undefined)
        if (spare !== undefined && tried.size < desk.slot.bodies.length) start(spare)
        else if (clock.now() > deadline) throw this.#unreadable(j, failures)
      }
    }
  }

  async #readRecord(
    desk: Desk,
    source: Source,
    at: { readonly j: number; readonly row: number; readonly signal?: AbortSignal | undefined },
  ): Promise<ReadRecord | undefined> {
    const { place, name } = source.candidate
    const { clock } = this.#request
    const view = desk.opener.recordView(desk.slot, at.row, at.j)
    const { head, shape } = source.member.variant
    const started = clock.now()
    try {
      source.opened ??= place.location.open(name, { tailBytes: 0 }).then((opened) => ({ candidate: source.candidate, source: opened }))
      const opened = await source.opened
      await opened.source.read(head.bytes.length + shape.recordOffset(at.j), view)
    } catch (error) {
      this.#sourceFailed(source, error)
      throw error
    }
    place.succeeded(clock.now() - started)
    const record = { ...source.member, row: at.row }
    if (desk.opener.judge(desk.slot, record, at.j) !== 'bad') return record
    this.#request.onBlame({ candidate: source.candidate, kind: 'corrupt', detail: `record ${at.j} is damaged` })
    throw new Failure('format.record', { detail: `${place.label} gave a damaged record ${at.j}`, culprits: [place.label] })
  }

  #sourceFailed(source: Source, error: unknown): void {
    source.bad = true
    const { place } = source.candidate
    if (isFailure(error, 'location.absent')) this.#request.onBlame({ candidate: source.candidate, kind: 'lost', detail: 'it is not there' })
    else if (isFailure(error, 'location.truncated'))
      this.#request.onBlame({ candidate: source.candidate, kind: 'corrupt', detail: 'it ends too early' })
    else if (error instanceof Failure) place.failed(error)
  }

  #recruiting: Promise<boolean> | undefined

  /** Brings in a fragment that was not needed before; true when there is a new source. Chunks that ask at once share the answer. */
  #recruit(signal?: AbortSignal): Promise<boolean> {
    this.#recruiting ??= this.#recruitOne(signal).finally(() => {
      this.#recruiting = undefined
    })
    return this.#recruiting
  }

  async #recruitOne(signal?: AbortSignal): Promise<boolean> {
    while (this.#others.length > 0) {
      const [candidate, ...rest] = this.#others
      this.#others = rest
      try {
        const { opened, frame } = await openCandidate(candidate!, signal)
        const { chosen } = assemble([...this.#sources.map(({ member }) => member.frame), frame], this.#request.asked)
        const member = chosen?.members.find((one) => one.frame === frame)
        if (member !== undefined) {
          this.#sources.push({ member, candidate: candidate!, opened: Promise.resolve(opened), bad: false })
          return true
        }
        this.#request.onBlame({ candidate: candidate!, kind: 'corrupt', detail: 'its frame is damaged' })
        await opened.source.close()
      } catch (error) {
        blameAbsent(candidate!, error, this.#request)
      }
    }
    return false
  }

  #unreadable(j: number, failures: readonly Failure[]): Failure {
    return new Failure('format.record', {
      detail: `chunk ${j} cannot be read from ${this.assembly.common.k} locations: ${failures.map(({ message }) => message).join('; ') || 'too few answer'}`,
      culprits: failures.flatMap(({ culprits }) => culprits),
      next: 'Bring the named locations back; what is stored stays stored.',
    })
  }

  async #desk(): Promise<Desk> {
    const ready = this.#free.pop()
    if (ready !== undefined) return ready
    const stuck = this.#desks.filter((desk) => desk.overdue > 0).length
    if (this.#desks.length - stuck < DEPTH) {
      const { suite, k, chunkLog2 } = this.assembly.common
      const rows = this.#request.candidates.length + 1
      const arena = await this.#request.arenas.take(
        { suite, k, rows: Math.max(k, rows), chunkLog2, slots: this.#desks.length === 0 && this.assembly.totals.m === 1 ? 1 : DEPTH },
        this.#request.signal,
      )
      this.#arenas.push(arena)
      const opener = new ChunkOpener(arena, this.assembly)
      const desks = arena.slots.map((slot): Desk => ({ arena, opener, slot, overdue: 0 }))
      this.#desks.push(...desks)
      this.#free.push(...desks.slice(1))
      return desks[0]!
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #leave(desk: Desk): void {
    if (desk.overdue === 0) this.#giveFree(desk)
    else if (this.#waiting.length > 0 && this.#free.length === 0) {
      const waiter = this.#waiting.shift()!
      void this.#desk().then(waiter)
    }
  }

  #settled(desk: Desk): void {
    if (desk.overdue === 0 && this.#left.delete(desk)) this.#giveFree(desk)
  }

  readonly #left = new Set<Desk>()

  #giveFree(desk: Desk): void {
    const waiter = this.#waiting.shift()
    if (waiter !== undefined) waiter(desk)
    else this.#free.push(desk)
  }
}

/** The search for K: the k cheapest candidates first, spares when they are slow or fail. */
class Opening {
  readonly #request: ReaderRequest
  readonly #frames: { readonly frame: Frame; readonly opened: Opened }[] = []
  readonly #failures: Failure[] = []

  constructor(request: ReaderRequest) {
    this.#request = request
  }

  async run(): Promise<{ known: Known; opened: readonly Opened[] }> {
    const { asked, clock, hedgeMs, stallMs, signal } = this.#request
    const left = [...this.#request.candidates]
    let pending = 0
    let judged = 0
    let wake: () => void = () => undefined
    const start = (): void => {
      const candidate = left.shift()!
      pending += 1
      void this.#fetch(candidate).finally(() => {
        pending -= 1
        wake()
      })
    }
    const deadline = clock.now() + stallMs * 2
    try {
      for (;;) {
        if (signal?.aborted) throw new Failure('base.cancelled')
        while (this.#frames.length + pending < asked.k && left.length > 0) start()
        if (this.#frames.length >= asked.k && judged !== this.#frames.length) {
          judged = this.#frames.length
          const known = this.#judge(pending === 0 && left.length === 0)
          if (known !== undefined) return { known, opened: this.#frames.map(({ opened }) => opened) }
        }
        if (pending === 0 && left.length === 0) throw this.#tooFew()
        if (pending === 0) {
          start()
          continue
        }
        const patience = new AbortController()
        const settled = new Promise<'settled'>((resolve) => {
          wake = () => resolve('settled')
        })
        const waited = clock.sleep(hedgeMs, patience.signal).then(
          () => 'slow' as const,
          () => 'settled' as const,
        )
        const outcome = await Promise.race([settled, waited])
        patience.abort()
        if (outcome === 'slow') {
          if (left.length > 0) start()
          else if (clock.now() > deadline) throw this.#tooFew()
        }
      }
    } catch (error) {
      await Promise.allSettled(this.#frames.map(({ opened }) => opened.source.close()))
      throw error
    }
  }

  async #fetch(candidate: Candidate): Promise<void> {
    const { clock, signal } = this.#request
    const started = clock.now()
    try {
      const { opened, frame } = await openCandidate(candidate, signal)
      candidate.place.succeeded(clock.now() - started)
      this.#frames.push({ frame, opened })
      if (frame.variants.length === 0) this.#request.onBlame({ candidate, kind: 'corrupt', detail: 'its framing is damaged' })
    } catch (error) {
      this.#failures.push(error instanceof Failure ? error : new Failure('base.internal', { cause: error }))
      blameAbsent(candidate, error, this.#request)
    }
  }

  #judge(final: boolean): Known | undefined {
    const report = assemble(
      this.#frames.map(({ frame }) => frame),
      this.#request.asked,
    )
    if (report.chosen !== undefined) {
      for (const { frame, reason } of report.blames) {
        const candidate = this.#frames.find((one) => one.frame === frame)!.opened.candidate
        if (frame.variants.length > 0) this.#request.onBlame({ candidate, kind: 'corrupt', detail: reason })
      }
      for (const frame of report.refused) {
        const candidate = this.#frames.find((one) => one.frame === frame)!.opened.candidate
        this.#request.onBlame({ candidate, kind: 'corrupt', detail: 'it is a fragment of something else' })
      }
      const { meta } = parseMeta(report.chosen.meta)
      if (paddedLength(meta.size) !== report.chosen.totals.paddedLen)
        throw new Failure('format.content', { detail: 'the padded length does not fit the size' })
      return { assembly: report.chosen, meta }
    }
    if (final && report.failure !== undefined && report.failure.code !== 'format.incomplete') throw report.failure
    return undefined
  }

  #tooFew(): Failure {
    const { k } = this.#request.asked
    const labels = [...new Set(this.#failures.flatMap(({ culprits }) => culprits))]
    return new Failure('format.incomplete', {
      detail: `${this.#frames.length} of ${this.#request.candidates.length} locations offer a fragment, ${k} are needed${this.#failures.length > 0 ? `: ${this.#failures.map(({ message }) => message).join('; ')}` : ''}`,
      culprits: labels,
      next: 'Bring more of the locations back; what is stored stays stored.',
    })
  }
}

async function openCandidate(candidate: Candidate, signal: AbortSignal | undefined): Promise<{ opened: Opened; frame: Frame }> {
  const { place, name } = candidate
  const source = await place.location.open(name, { signal, tailBytes: TAIL_BYTES })
  try {
    const frame = await fetchFrame(
      {
        location: place.id,
        file: name,
        sizeBytes: source.sizeBytes,
        tail: source.tail,
        read: (offset, into) => source.read(offset, into, { signal }),
      },
      { front: false },
    )
    return { opened: { candidate, source }, frame }
  } catch (error) {
    await source.close()
    throw error
  }
}

function blameAbsent(candidate: Candidate, error: unknown, request: Pick<ReaderRequest, 'onBlame'>): void {
  if (isFailure(error, 'location.absent')) request.onBlame({ candidate, kind: 'lost', detail: 'it is not there' })
  else if (isFailure(error, 'location.truncated')) request.onBlame({ candidate, kind: 'corrupt', detail: 'it ends too early' })
  else if (error instanceof Failure && error.code !== 'base.cancelled') candidate.place.failed(error)
}
