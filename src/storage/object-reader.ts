// Reading one object version from the fastest k locations, with spares when one is slow, silent or lying.
import { assert, Failure, toHex } from '#base'
import { sha256, sha256Stream } from '#crypto/primitives'
import { arenaBytes, type ArenaShape, type Assembly, ChunkOpener, type Meta, type ReadRecord, type Slot, wipeArena } from '#format'
import type { ArenaPool, Left } from './arena-pool.ts'
import { type Known, type SearchRequest, searchFrames } from './frame-search.ts'
import { type Bench, Gathering } from './gathering.ts'
import { handle, type Source, sourceOf, Sources } from './reader-sources.ts'

export interface ReaderRequest extends SearchRequest {
  readonly arenas: ArenaPool
  /** Told once, when the reader is closed. */
  readonly onClose?: (() => void) | undefined
  /** What an earlier reader of the same dealing learnt; its frames need not be fetched again. */
  readonly known?: Known | undefined
}

/** Chunks under way at once: so many keep a distant place busy, as far as their memory stays below the bound; fewer would read in steps. */
const DEPTH_MAX = 8
const DEPTH_MIN = 3
const DEPTH_BYTES_MAX = 16 * 2 ** 20
/** A chunk that took less of the hedge timer than this leaves room for more: a thin line would only make all of them late. */
const SWIFT = 1 / 8

export class ObjectReader {
  readonly assembly: Assembly
  readonly meta: Meta
  readonly #request: ReaderRequest
  readonly #stop = new AbortController()
  readonly #sources: Sources
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
    this.#sources = new Sources(request, sources, this.#stop.signal)
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
        return candidate === undefined ? [] : [sourceOf(member, candidate)]
      })
      if (sources.length >= asked.k) return new ObjectReader(request, known, sources)
    }
    const found = await searchFrames(request)
    const sources = found.known.assembly.members.map((member) => {
      const one = found.opened.find(({ frame }) => frame === member.frame)!
      return sourceOf(member, one.candidate, Promise.resolve(handle(one.source)))
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
    await this.#sources.close()
    this.#request.onClose?.()
  }

  readonly #cancel = (): void => {
    this.#stop.abort()
    this.#sources.ring()
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
    const gathering = new Gathering(this.#sources, { bench, slot, j, k: this.assembly.common.k })
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
}

function requireZeros(padding: Uint8Array): void {
  if (padding.some((byte) => byte !== 0)) throw new Failure('format.content', { detail: 'the padding is not zero' })
}
