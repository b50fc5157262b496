// One upload that is awake: its writer runs in the background, and gets its bytes from requests that come and go.
import { Failure, fromHex } from '#base'
import type { Stored } from '#contract'
import { equalSecret, type Sha256, sha256Stream } from '#crypto/primitives'
import { type Arena, type DealSpec, newId } from '#format'
import { deskSlots } from './chunk-desk.ts'
import { type WriteBefore, WriteFailed, writeObject, type WriteOutcome, type WriteTarget } from './object-writer.ts'
import { type ReadBack, readBack } from './read-back.ts'
import type { UploadTable } from './tables-upload.ts'
import { UploadFeed } from './upload-feed.ts'
import type { Vault } from './vault.ts'

/** What an intent of an upload says, and the places it names. */
export interface UploadIntent {
  readonly spec: Omit<DealSpec, 'rng' | 'ext'>
  readonly created: string
  readonly targets: readonly WriteTarget[]
}

export interface SessionParts {
  readonly vault: Vault
  readonly row: UploadTable
  readonly intent: UploadIntent
  /** Makes the written dealing count; the row is done with it. */
  readonly commit: (outcome: WriteOutcome) => Promise<Stored>
  /** The writer has ended: the session is over. */
  readonly ended: (session: UploadSession, failure: Failure | undefined) => void
}

type State = 'checking' | 'ready' | 'sending' | 'finishing'

export class UploadSession {
  readonly row: UploadTable
  checkedBytes = 0
  received = 0
  /** Nothing can be done with it any more. */
  parked = false
  /** When the last request ended. */
  idleSinceMs: number
  readonly #parts: SessionParts
  readonly #feed = new UploadFeed()
  readonly #stop = new AbortController()
  #hash: Sha256 = sha256Stream()
  #state: State = 'ready'
  #turn: string | undefined
  /** Number of the request that sends; those before it are over. */
  #request = 0
  #pushing: Promise<void> = Promise.resolve()
  #writing: Promise<Stored> | undefined
  #checking: Promise<boolean> | undefined
  #arena: Arena | undefined
  #before: ReadBack | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.row = parts.row
    this.idleSinceMs = this.#now()
  }

  get state(): State {
    return this.#state
  }

  get idle(): boolean {
    return this.#state === 'ready'
  }

  /** Reads back what was stored. False when nothing of it can go on. Throws when it cannot now. */
  check(): Promise<boolean> {
    this.#state = 'checking'
    this.#checking = this.#check()
    return this.#checking
  }

  /** A new turn, for whoever has the source of which `sha256` is the digest of the first `offset` bytes. */
  take(proof: { readonly offset: number; readonly sha256: string }): string {
    this.#requireFree()
    if (proof.offset !== this.received) throw otherOffset(this.received)
    if (!equalSecret(fromHex(proof.sha256), this.#hash.copy().digest())) {
      throw new Failure('storage.source-changed', {
        detail: `the first ${proof.offset} bytes of the source are not those that were sent before`,
        next: 'Send the file as a new upload; the unfinished one can be removed.',
      })
    }
    return this.newTurn()
  }

  newTurn(): string {
    this.#turn = newId()
    this.idleSinceMs = this.#now()
    return this.#turn
  }

  /** Takes the bytes in order from `offset`; what came before the body broke off stays. */
  async send(from: { readonly turn: string; readonly offset: number }, body: AsyncIterable<Uint8Array>): Promise<void> {
    // Whose link broke may be back before we have noticed: the request that still hangs gives way.
    if (this.#turn === from.turn && this.#state === 'sending') {
      this.#request += 1
      await this.#pushing.catch(() => undefined)
      if (this.#state === 'sending') this.#state = 'ready'
    }
    this.#requireTurn(from.turn)
    if (from.offset !== this.received) throw otherOffset(this.received)
    this.#state = 'sending'
    const mine = ++this.#request
    void this.#start()
    try {
      for await (const piece of body) {
        if (mine !== this.#request) throw superseded()
        if (piece.length === 0) continue
        if (this.received + piece.length > this.row.size) {
          throw new Failure('storage.size-differs', {
            detail: `more than the announced ${this.row.size} bytes came; what was announced is kept`,
            next: 'Look whether the source grows, and send it as a new upload.',
          })
        }
        this.#pushing = this.#push(piece)
        await this.#pushing
      }
      if (mine !== this.#request) throw superseded()
    } finally {
      if (mine === this.#request && this.#state === 'sending') this.#state = 'ready'
      this.idleSinceMs = this.#now()
    }
  }

  /** Closes the file and stores it. */
  finish(turn: string): Promise<Stored> {
    this.#requireTurn(turn)
    if (this.received !== this.row.size) throw otherOffset(this.received)
    this.#state = 'finishing'
    const stored = this.#start()
    this.#feed.end()
    return stored
  }

  /** Stops where it is; what was written stays at the locations. Never rejects. */
  async park(): Promise<void> {
    this.parked = true
    this.#stop.abort()
    this.#feed.fail(new Failure('base.cancelled', { detail: 'the upload was parked; it goes on where it was' }))
    await Promise.allSettled([this.#checking, this.#writing])
    await this.#letGo()
  }

  #requireFree(): void {
    if (this.#state === 'ready') return
    throw new Failure('storage.upload-busy', {
      detail: this.#state === 'checking' ? 'what was stored is still being read back' : 'another client sends this upload',
      next: 'Ask how far it is, and try again when it is ready.',
    })
  }

  #requireTurn(turn: string): void {
    if (this.#turn !== turn) {
      throw new Failure('storage.upload-busy', {
        detail: 'another client goes on with this upload',
        next: 'Let it end, or prove your source again to take over when it is idle.',
      })
    }
    this.#requireFree()
  }

  /** When the writer has ended, its failure is the answer. */
  async #push(piece: Uint8Array): Promise<void> {
    try {
      await this.#feed.push(piece)
      this.received += piece.length
    } catch (error) {
      await this.#writing
      throw error
    }
  }

  async #check(): Promise<boolean> {
    const { vault, intent } = this.#parts
    const { spec, targets } = intent
    const { clock, stallMs } = vault.parts
    try {
      const arena = await this.#takeArena()
      const signal = this.#stop.signal
      this.#before = await readBack({
        arena,
        spec,
        targets,
        sizeBytes: this.row.size,
        quorum: vault.quorum(spec.k, spec.n),
        stallMs,
        clock,
        signal,
        onProgress: (bytes) => (this.checkedBytes = bytes),
      })
      if (this.#before === undefined) {
        await this.#letGo()
        return false
      }
      this.#hash = this.#before.hash
      this.received = this.#before.sizeBytes
      this.#state = 'ready'
      this.idleSinceMs = this.#now()
      void this.#start()
      return true
    } catch (error) {
      await this.#letGo()
      throw error
    }
  }

  async #takeArena(): Promise<Arena> {
    const { spec } = this.#parts.intent
    const shape = { suite: spec.suite, k: spec.k, rows: spec.n, chunkLog2: spec.chunkLog2, slots: deskSlots(spec.n) }
    this.#arena = await this.#parts.vault.parts.uploadArenas.take(shape, this.#stop.signal)
    return this.#arena
  }

  async #letGo(): Promise<void> {
    const arena = this.#arena
    this.#arena = undefined
    await Promise.all(this.#before?.going.map(({ unfinished }) => unfinished.close()) ?? [])
    if (arena !== undefined) this.#parts.vault.parts.uploadArenas.release(arena)
  }

  #start(): Promise<Stored> {
    if (this.#writing === undefined) {
      this.#writing = this.#write()
      this.#writing.then(
        () => this.#parts.ended(this, undefined),
        (error: unknown) => this.#parts.ended(this, error instanceof Failure ? error : new Failure('base.internal', { cause: error })),
      )
    }
    return this.#writing
  }

  async #write(): Promise<Stored> {
    const { vault, intent, row } = this.#parts
    const { clock, stallMs, uploadArenas, signer } = vault.parts
    const { spec, targets } = intent
    const before = this.#before
    const from: WriteBefore | undefined =
      before === undefined ? undefined : { dealing: before.before, sizeBytes: before.sizeBytes, going: before.going, left: before.left }
    const key = signer()
    const arena = this.#arena ?? (await this.#takeArena())
    let arenaFree = true
    try {
      const outcome = await writeObject({
        arena,
        spec: { ...spec, rng: 0, ext: [] },
        targets,
        body: this.#feed,
        meta: { path: row.path, type: row.type, created: intent.created, modified: row.modified ?? undefined, user: 'local' },
        sizeBytes: row.size,
        signer: key,
        quorum: vault.quorum(spec.k, spec.n),
        stallMs,
        clock,
        signal: undefined,
        contentHash: () => this.#hash,
        from,
        keeps: () => true,
      })
      arenaFree = outcome.arenaFree
      return await this.#parts.commit(outcome)
    } catch (error) {
      if (error instanceof WriteFailed) arenaFree = error.arenaFree
      throw error instanceof WriteFailed ? error.failure : error
    } finally {
      from?.dealing.K.fill(0)
      from?.dealing.F.fill(0)
      this.#arena = undefined
      await Promise.all(before?.going.map(({ unfinished }) => unfinished.close()) ?? [])
      if (arenaFree) uploadArenas.release(arena)
      else uploadArenas.abandon(arena)
    }
  }

  #now(): number {
    return this.#parts.vault.parts.clock.now()
  }
}

function superseded(): Failure {
  return new Failure('storage.upload-busy', { detail: 'a later request goes on with this upload', next: 'Let that one end.' })
}

function otherOffset(received: number): Failure {
  return new Failure('storage.upload-offset', {
    detail: `the upload goes on at byte ${received}`,
    next: 'Ask how far it is, and send from there.',
  })
}
