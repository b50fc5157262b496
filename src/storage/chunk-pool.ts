// Threads that deal chunks beside the site's own: started for the first large upload, shared by all, replaced when one dies.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { assert, Failure } from '#base'
import { type ChunkKeys, type ChunkTurn, RECORD_FRAME_BYTES, TAG_BYTES } from '#format'
import { deskSlots } from './chunk-desk.ts'
import { type ChunkBuffers, type FromChunkThread, recordStride, type ToChunkThread } from './chunk-protocol.ts'

/** What one chunk travels in. Its buffers change hands, so each time they are other ones. */
export interface Sheet {
  buffers: ChunkBuffers
}

export interface PooledDealing {
  /** Memory for chunks under way. */
  readonly sheets: readonly Sheet[]
  /** The chunk lies in the sheet; its n records come back in it. Throws `base.internal` when the thread died. */
  deal(turn: ChunkTurn, sheet: Sheet): Promise<Uint8Array<ArrayBuffer>[]>
  /** Zeroes the sheets; every thread forgets the keys. Nothing of it may be under way. */
  end(): void
}

export interface ChunkPool {
  /** Threads alive now, and dealings that they were given. */
  readonly running: number
  readonly begun: number
  /** True when threads are to deal this object: then they have started. */
  serves(object: { readonly sizeBytes: number | undefined; readonly chunkLog2: number; readonly n: number }): Promise<boolean>
  begin(keys: ChunkKeys): PooledDealing
  /** Ends every thread. Chunks still under way fail. */
  close(): Promise<void>
}

/** Below this the messages cost more than the second core gives. */
const OBJECT_BYTES_MIN = 16 * 2 ** 20
/** Starting a thread takes as long as dealing this much. */
const OBJECT_BYTES_TO_START = 256 * 2 ** 20
/** The site's own thread hashes: more dealers than this would wait for it, each with 20 MB. */
const THREADS_MAX = 2
/** These are busy with hashing, and with writing to the disks: on two cores a thread more gains nothing (docs/benchmarks.md). */
const CORES_TAKEN = 2
/** Memory for chunks under way, of all uploads; further uploads are dealt by the site's own thread. */
const SHEET_BYTES_MAX = 64 * 2 ** 20
/** For each upload, beside what is with the locations. */
const SHEETS_PER_THREAD = 2
/** Each thread keeps its young objects in this much: it makes none that live. */
const YOUNG_MEGABYTES = 4

const PROGRAM = new URL('./chunk-thread.ts', import.meta.url)

export function createChunkPool({
  threads = Math.min(THREADS_MAX, Math.max(0, availableParallelism() - CORES_TAKEN)),
  startAtBytes = OBJECT_BYTES_TO_START,
  program = PROGRAM,
}: { readonly threads?: number; readonly startAtBytes?: number; readonly program?: URL } = {}): ChunkPool {
  const running = new Set<ChunkThread>()
  let dealings = 0
  let sheetBytes = 0
  let closed = false

  /** Fills up to the full number; resolves when all that were started answer. */
  const start = async (): Promise<void> => {
    const fresh = Array.from({ length: threads - running.size }, () => new ChunkThread(program, (thread) => running.delete(thread)))
    for (const thread of fresh) running.add(thread)
    await Promise.all(fresh.map(({ ready }) => ready))
  }

  return {
    get running() {
      return running.size
    },
    get begun() {
      return dealings
    },
    serves: async ({ sizeBytes = 0, chunkLog2, n }) => {
      if (closed || threads < 1 || sizeBytes < OBJECT_BYTES_MIN) return false
      const sheets = deskSlots(n) + SHEETS_PER_THREAD * threads
      if (sheetBytes + sheets * (2 ** chunkLog2 + recordsBytes(chunkLog2, n)) > SHEET_BYTES_MAX) return false
      if (running.size < threads && sizeBytes < startAtBytes) return false
      // A machine that gives no threads still has this one.
      await start().catch(() => undefined)
      return running.size > 0 && !closed
    },
    begin: (keys) => {
      const dealing = ++dealings
      const [plainBytes, recordBytesMax] = [2 ** keys.chunkLog2, recordsBytes(keys.chunkLog2, keys.n)]
      const count = deskSlots(keys.n) + SHEETS_PER_THREAD * threads
      const sheets = Array.from({ length: count }, (): Sheet => {
        return { buffers: { plain: new ArrayBuffer(plainBytes), records: new ArrayBuffer(recordBytesMax) } }
      })
      const bytes = count * (plainBytes + recordBytesMax)
      sheetBytes += bytes
      return {
        sheets,
        deal: async (turn, sheet) => {
          const [thread] = [...running].toSorted((a, b) => a.waiting - b.waiting)
          if (thread === undefined) throw threadGone()
          const { buffers, recordBytes } = await thread.deal({ dealing, keys, turn, buffers: sheet.buffers })
          sheet.buffers = buffers
          const stride = recordStride(buffers.records, keys.n)
          return Array.from({ length: keys.n }, (_, index) => new Uint8Array(buffers.records, index * stride, recordBytes))
        },
        end: () => {
          sheetBytes -= bytes
          // Those that a thread took with it are gone.
          const left = sheets.flatMap(({ buffers }) => [buffers.plain, buffers.records]).filter(({ detached }) => !detached)
          for (const buffer of left) new Uint8Array(buffer).fill(0)
          for (const thread of running) thread.forget(dealing)
        },
      }
    },
    close: async () => {
      closed = true
      await Promise.all([...running].map((thread) => thread.stop()))
    },
  }
}

interface Waiting {
  resolve(dealt: { readonly buffers: ChunkBuffers; readonly recordBytes: number }): void
  reject(failure: Failure): void
}

/** One thread: jobs out, buffers back; all that wait for it fail when it ends. */
class ChunkThread {
  /** Rejects when the thread ended before it began. */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #jobs = new Map<number, Waiting>()
  readonly #known = new Set<number>()
  #last = 0
  #gone = false

  constructor(program: URL, onEnd: (thread: ChunkThread) => void) {
    this.#worker = new Worker(program, {
      name: 'chunks',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    this.ready = new Promise((resolve, reject) => {
      const lose = (): void => {
        this.#gone = true
        onEnd(this)
        reject(threadGone())
        for (const job of this.#jobs.values()) job.reject(threadGone())
        this.#jobs.clear()
      }
      this.#worker.on('message', (message: FromChunkThread) => {
        if (message.kind === 'dealt') this.#settle(message)
        else resolve()
        // An idle thread does not keep the program alive.
        if (this.#jobs.size === 0) this.#worker.unref()
      })
      this.#worker.on('error', lose)
      this.#worker.on('messageerror', lose)
      this.#worker.on('exit', lose)
    })
    this.ready.catch(() => undefined)
  }

  get waiting(): number {
    return this.#jobs.size
  }

  deal(chunk: { readonly dealing: number; readonly keys: ChunkKeys; readonly turn: ChunkTurn; readonly buffers: ChunkBuffers }): Promise<{
    readonly buffers: ChunkBuffers
    readonly recordBytes: number
  }> {
    const { dealing, keys, turn, buffers } = chunk
    if (!this.#known.has(dealing)) {
      this.#known.add(dealing)
      this.#tell({ kind: 'learn', dealing, keys })
    }
    const job = ++this.#last
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(threadGone())
      this.#jobs.set(job, { resolve, reject })
      this.#tell({ kind: 'deal', job, dealing, turn, buffers }, [buffers.plain, buffers.records])
    })
  }

  forget(dealing: number): void {
    if (this.#known.delete(dealing)) this.#tell({ kind: 'forget', dealing })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #tell(message: ToChunkThread, buffers: ArrayBuffer[] = []): void {
    if (this.#jobs.size > 0) this.#worker.ref()
    this.#worker.postMessage(message, buffers)
  }

  #settle({ job, buffers, recordBytes }: Extract<FromChunkThread, { kind: 'dealt' }>): void {
    const waiting = this.#jobs.get(job)
    assert(waiting !== undefined, 'an answer to a question')
    this.#jobs.delete(job)
    waiting.resolve({ buffers, recordBytes })
  }
}

/** Each record from a multiple of 64 bytes. */
function recordsBytes(chunkLog2: number, n: number): number {
  return n * (Math.ceil((2 ** chunkLog2 + TAG_BYTES + RECORD_FRAME_BYTES) / 64) * 64)
}

function threadGone(): Failure {
  return new Failure('base.internal', {
    detail: 'a thread that splits files ended unexpectedly',
    next: 'Store the file again; nothing of it was kept.',
  })
}
