// One object version on its way to n locations at once: one pass over the bytes, no temporary file, bounded memory.
import { assert, type Clock, Failure, rfc3339, toHex } from '#base'
import { type Sha256, sha256Stream, type Signer } from '#crypto/primitives'
import { type Arena, Dealer, dealerFingerprint, type DealingBefore, type DealSpec, encodeMeta, type SetBefore, zerosAfter } from '#format'
import { type ChunkDesk, localDesk, pooledDesk } from './chunk-desk.ts'
import type { ChunkPool } from './chunk-pool.ts'
import type { FragmentSink } from './location.ts'
import { stalled } from './patience.ts'
import type { Place } from './place.ts'
import type { GoingOn } from './read-back.ts'

export interface WriteTarget {
  readonly place: Place
  readonly x: number
  readonly name: string
}

export interface WriteRequest {
  readonly arena: Arena
  readonly spec: DealSpec
  /** Fragment x goes to the target with that x; n of them. */
  readonly targets: readonly WriteTarget[]
  readonly body: AsyncIterable<Uint8Array>
  readonly meta: {
    readonly path: string
    readonly type: string
    readonly created: string
    readonly modified?: string | undefined
    readonly user: string
  }
  /** A new set of fragments of this dealing: its META and keys stay, and `meta` is not looked at. */
  readonly before?: SetBefore | undefined
  /** Refused when the body has another length. */
  readonly sizeBytes?: number | undefined
  readonly signer: Signer
  /** Locations that must hold the fragment durably before the write counts. */
  readonly quorum: number
  readonly stallMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Threads that deal the chunks; without them this one does. */
  readonly pool?: ChunkPool | undefined
  /** Goes on with what an earlier writer left; `body` is what comes behind its first `sizeBytes`. */
  readonly from?: WriteBefore | undefined
  /** True for failures after which what was written is left to `adopt`; without it everything is dropped. */
  readonly keeps?: ((failure: Failure) => boolean) | undefined
  /** For uploads that go on, and for benches, which measure the write without it: the hash of the content. */
  readonly contentHash?: (() => Sha256) | undefined
}

export interface WriteBefore {
  readonly dealing: DealingBefore
  readonly sizeBytes: number
  /** The others are in `left`, and get their fragment by repair. */
  readonly going: readonly GoingOn[]
  readonly left: readonly { readonly target: WriteTarget; readonly failure: Failure }[]
}

export interface WrittenFragment {
  readonly target: WriteTarget
  readonly commitment: string
  readonly sizeBytes: number
}

export interface WriteOutcome {
  readonly dealId: string
  readonly setId: string
  readonly sizeBytes: number
  readonly paddedBytes: number
  readonly modified: string
  readonly held: readonly WrittenFragment[]
  readonly missed: readonly { readonly target: WriteTarget; readonly failure: Failure }[]
  /** False while a silent location may still read from the arena, which then must not be used for anything else. */
  readonly arenaFree: boolean
}

/** Names may stand at locations all the same. */
export class WriteFailed extends Error {
  readonly failure: Failure
  readonly arenaFree: boolean

  constructor(failure: Failure, arenaFree: boolean) {
    super(failure.message)
    this.failure = failure
    this.arenaFree = arenaFree
  }
}

/**
 * Deals the body and writes every record to every location. A location that fails, or makes no progress for `stallMs` while others wait for
 * it, is left behind; below the quorum the whole write fails, and nothing of it stays visible. Throws `WriteFailed`.
 */
export async function writeObject(request: WriteRequest): Promise<WriteOutcome> {
  const { arena, spec, targets, clock, signal } = request
  assert(targets.length === spec.n, 'a target for each fragment')
  const { from } = request
  const dealer = new Dealer(arena, spec, from?.dealing, request.before)
  const ordered = dealer.heads.map(({ x }) => targets.find((target) => target.x === x)!)
  const fleet = new Fleet(ordered, request)
  const desk = request.pool === undefined ? localDesk(dealer, arena.slots, fleet) : pooledDesk(dealer, request.pool, fleet)
  try {
    await fleet.open()
    if (from === undefined) await fleet.sendAll(dealer.heads.map(({ bytes }) => bytes))
    const { sizeBytes, sha256, paddedBytes } = await dealBody(request, dealer.chunkBytes, desk)
    const modified = request.meta.modified ?? rfc3339(clock.now())
    const meta =
      request.before?.meta ??
      encodeMeta(
        { ...request.meta, modified, size: sizeBytes, sha256, dealer: dealerFingerprint(request.signer.keys) },
        request.signer,
        dealer.contentId,
      )
    const finished = dealer.finish(meta)
    await fleet.sendAll(finished.map(({ trailer }) => trailer))
    throwIfAborted(signal)
    await fleet.finish()
    return {
      dealId: dealer.common.dealId,
      setId: dealer.common.setId,
      sizeBytes,
      paddedBytes,
      modified,
      held: fleet.writers.flatMap((writer, index) =>
        writer.failure === undefined
          ? [{ target: writer.target, commitment: finished[index]!.commitment, sizeBytes: writer.sentBytes }]
          : [],
      ),
      missed: fleet.writers.flatMap(({ target, failure }) => (failure === undefined ? [] : [{ target, failure }])),
      arenaFree: !fleet.holding,
    }
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
    if (request.keeps?.(failure) === true) {
      // Records that wait for others of their batch need not be dealt anew. Whoever failed already says no more than that.
      await atMost(desk.flush(), clock)
      await fleet.suspend()
    } else await fleet.abort()
    throw new WriteFailed(failure, !fleet.holding)
  } finally {
    fleet.stop()
    await desk.close()
    dealer.wipe()
  }
}

async function dealBody(
  request: WriteRequest,
  chunkBytes: number,
  desk: ChunkDesk,
): Promise<{ sizeBytes: number; paddedBytes: number; sha256: string }> {
  const { signal } = request
  const hash = (request.contentHash ?? sha256Stream)()
  let room = await desk.room()
  let filled = 0
  let size = request.from?.sizeBytes ?? 0
  // A chunk is held back until more follows, since the last one is dealt as the last.
  for await (const piece of request.body) {
    throwIfAborted(signal)
    size += piece.length
    if (request.sizeBytes !== undefined && size > request.sizeBytes) throw sizeDiffers(request.sizeBytes)
    hash.update(piece)
    for (let at = 0; at < piece.length;) {
      if (filled === chunkBytes) {
        desk.deal(filled, false)
        room = await desk.room()
        filled = 0
      }
      const length = Math.min(chunkBytes - filled, piece.length - at)
      room.set(piece.subarray(at, at + length), filled)
      filled += length
      at += length
    }
  }
  throwIfAborted(signal)
  if (request.sizeBytes !== undefined && size !== request.sizeBytes) throw sizeDiffers(request.sizeBytes)
  let zeros = zerosAfter(size)
  const paddedBytes = size + zeros
  for (;;) {
    const length = Math.min(chunkBytes, filled + zeros)
    room.fill(0, filled, length)
    zeros -= length - filled
    desk.deal(length, zeros === 0)
    if (zeros === 0) break
    room = await desk.room()
    filled = 0
  }
  await desk.drain()
  return { sizeBytes: size, paddedBytes, sha256: toHex(hash.digest()) }
}

/** The writers of one object; raises when too few are left. */
class Fleet {
  readonly writers: readonly FragmentWriter[]
  readonly #request: WriteRequest
  readonly #watch = new AbortController()

  constructor(targets: readonly WriteTarget[], request: WriteRequest) {
    this.#request = request
    this.writers = targets.map((target) => new FragmentWriter(target, request))
    void this.#watchStalls()
  }

  async open(): Promise<void> {
    await this.guard(Promise.all(this.writers.map((writer) => writer.open())))
  }

  /** Several records for each fragment, in one go. Resolves when every location took them, or was given up. Never rejects. */
  send(chunks: readonly (readonly Uint8Array[])[]): Promise<unknown> {
    return Promise.all(this.writers.map((writer, index) => writer.push(chunks.map((records) => records[index]!))))
  }

  sendAll(records: readonly Uint8Array[]): Promise<unknown> {
    return this.guard(this.send([records]))
  }

  /** True while a location that was given up is still busy with what it was sent. */
  get holding(): boolean {
    return this.writers.some(({ failure, busy }) => failure !== undefined && busy)
  }

  async finish(): Promise<void> {
    await this.guard(Promise.all(this.writers.map((writer) => writer.finish())))
  }

  /** Waits, then makes sure that enough writers live and nobody cancelled. */
  async guard(work: Promise<unknown>): Promise<void> {
    await work
    throwIfAborted(this.#request.signal)
    const live = this.writers.filter(({ failure }) => failure === undefined)
    if (live.length >= this.#request.quorum) return
    const failed = this.writers.filter(({ failure }) => failure !== undefined)
    throw new Failure('storage.quorum', {
      detail: `only ${live.length} of ${this.writers.length} locations took the file, ${this.#request.quorum} are needed: ${failed.map(({ failure }) => failure!.message).join('; ')}`,
      culprits: failed.map(({ target }) => target.place.label),
      next:
        failed.find(({ failure }) => failure!.next !== undefined)?.failure!.next ??
        'Bring the named locations back and store the file again; nothing of it was kept.',
    })
  }

  async abort(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.abort()))
  }

  async suspend(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.suspend()))
  }

  stop(): void {
    this.#watch.abort()
  }

  async #watchStalls(): Promise<void> {
    const { clock, stallMs, signal } = this.#request
    const stopped = this.#watch.signal
    const step = Math.min(1000, Math.max(10, stallMs / 4))
    try {
      for (;;) {
        await clock.sleep(step, stopped)
        const now = clock.now()
        for (const writer of this.writers) writer.stallCheck(now, stallMs)
        if (signal?.aborted) for (const writer of this.writers) writer.give(new Failure('base.cancelled'))
      }
    } catch {
      // Stopped: the write is over.
    }
  }
}

/** One fragment's way to its location: pieces in order, one at a time. Failures are remembered, not thrown. */
class FragmentWriter {
  readonly target: WriteTarget
  failure: Failure | undefined
  sentBytes = 0
  readonly #clock: Clock
  readonly #before: WriteBefore | undefined
  readonly #keeps: boolean
  readonly #cancel = new AbortController()
  #sink: FragmentSink | undefined
  #chain: Promise<void> = Promise.resolve()
  #waiting = 0
  #busy = 0
  #progressMs: number
  #acceptedBytes = 0
  #givenUp: () => void = () => undefined
  readonly #gaveUp: Promise<void>

  constructor(target: WriteTarget, request: Pick<WriteRequest, 'clock' | 'from' | 'keeps'>) {
    this.target = target
    this.#clock = request.clock
    this.#before = request.from
    this.#keeps = request.keeps !== undefined
    this.#progressMs = this.#clock.now()
    this.#gaveUp = new Promise((resolve) => {
      this.#givenUp = resolve
    })
  }

  open(): Promise<void> {
    const { place, name } = this.target
    if (!place.usable && place.view.presence !== 'unknown' && place.view.presence !== 'present') {
      this.give(
        new Failure('location.unreachable', {
          detail: place.view.detail || `${place.label} is not in use`,
          culprits: [place.label],
          ...(place.view.next === '' ? {} : { next: place.view.next }),
        }),
      )
      return Promise.resolve()
    }
    const going = this.#before?.going.find(({ target }) => target.x === this.target.x)
    if (this.#before !== undefined && going === undefined) {
      const { failure } = this.#before.left.find(({ target }) => target.x === this.target.x)!
      this.failure = failure
      this.#givenUp()
      return Promise.resolve()
    }
    return this.#run(async () => {
      const options = { signal: this.#cancel.signal, adoptable: this.#keeps }
      const sink =
        going === undefined ? await place.location.create(name, options) : await going.unfinished.resume(going.keptBytes, options)
      this.sentBytes = going?.keptBytes ?? 0
      this.#acceptedBytes = sink.acceptedBytes
      this.#sink = sink
      // It came too late: nobody else would take away what it began.
      if (this.failure !== undefined) await this.#leave(sink)
    })
  }

  get busy(): boolean {
    return this.#busy > 0
  }

  push(parts: readonly Uint8Array[]): Promise<void> {
    return this.#run(async () => {
      const sink = this.#sink!
      if (sink.writev !== undefined) await sink.writev(parts)
      else for (const part of parts) await sink.write(part)
      this.sentBytes += parts.reduce((sum, { length }) => sum + length, 0)
    })
  }

  finish(): Promise<void> {
    return this.#run(async () => {
      try {
        await this.#sink!.finish()
      } catch (error) {
        // An error may come after the effect. Names are drawn at random and stand whole or not at all: what stands there is ours.
        if (!(await this.#stands())) throw error
      }
    })
  }

  async #stands(): Promise<boolean> {
    const { place, name } = this.target
    try {
      const found = await place.location.head(name, { signal: this.#cancel.signal })
      return found?.sizeBytes === this.sentBytes
    } catch {
      return false
    }
  }

  async abort(): Promise<void> {
    this.give(new Failure('base.cancelled'))
    await this.#sink?.abort()
  }

  /** What it was given goes to the location still; then it is left there. */
  async suspend(): Promise<void> {
    if (this.failure === undefined) await atMost(Promise.race([this.#chain, this.#gaveUp]), this.#clock)
    this.failure ??= new Failure('base.cancelled')
    // Before the signal fires: what is on its way to the location may still arrive.
    if (this.#sink !== undefined) await this.#leave(this.#sink)
    this.#cancel.abort()
    this.#givenUp()
  }

  async #leave(sink: FragmentSink): Promise<void> {
    if (this.#keeps && sink.suspend !== undefined) await sink.suspend()
    else await sink.abort()
  }

  /** Leaves the location behind: whoever waits for it goes on. */
  give(failure: Failure): void {
    if (this.failure !== undefined) return
    this.failure = failure
    if (failure.code !== 'base.cancelled') this.target.place.failed(failure)
    this.#cancel.abort()
    this.#givenUp()
    if (this.#sink !== undefined) void this.#leave(this.#sink)
  }

  stallCheck(nowMs: number, stallMs: number): void {
    const accepted = this.#sink?.acceptedBytes ?? 0
    if (accepted !== this.#acceptedBytes || this.#waiting === 0) {
      this.#acceptedBytes = accepted
      this.#progressMs = nowMs
    } else if (nowMs - this.#progressMs >= stallMs) {
      const { label } = this.target.place
      this.give(stalled(label, stallMs))
    }
  }

  async #run(work: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return
    this.#waiting += 1
    const turn = this.#chain.then(async () => {
      if (this.failure !== undefined) return
      this.#busy += 1
      try {
        await work()
        this.#progressMs = this.#clock.now()
      } catch (error) {
        this.give(error instanceof Failure ? error : new Failure('base.internal', { cause: error, culprits: [this.target.place.label] }))
      } finally {
        this.#busy -= 1
      }
    })
    this.#chain = turn
    await Promise.race([turn, this.#gaveUp])
    this.#waiting -= 1
  }
}

/** Who stops does not wait long for a location that hangs: what did not arrive is sent again by whoever goes on. */
const LEAVE_MS = 5000

async function atMost(work: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController()
  const late = clock.sleep(LEAVE_MS, over.signal).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), late])
  over.abort()
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Failure('base.cancelled')
}

function sizeDiffers(announced: number): Failure {
  return new Failure('storage.size-differs', {
    detail: `the upload did not have the announced ${announced} bytes`,
    next: 'Send the file again; nothing of it was kept.',
  })
}
