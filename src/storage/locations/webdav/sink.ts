// Writing one name over WebDAV: whole when it is small, else as it comes, to an unfinished file that is read back in size and then moved to its name.
import { randomBytes } from 'node:crypto'
import { type Failure, assert } from '#base'
import { bounds, webdavBounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { locationFailure, stopIfCancelled, unlessCancelled } from '../failures.ts'
import type { WebAnswer } from '../web/client.ts'
import type { BodyOut } from '../web/exchange.ts'
import { publish } from './publish.ts'
import {
  PART_PREFIX,
  type WebdavStore,
  forgetFolders,
  lookAt,
  prepareFolders,
  removeAt,
  requireRoot,
  statusFailure,
  targetOf,
} from './store.ts'

/** Begins a write. Nothing is asked of the server yet: a name that is taken shows when the write is finished. */
export function createOverWebdav(store: WebdavStore, name: FragmentName, options: LocationOptions): FragmentSink {
  stopIfCancelled(options.signal)
  return new WebdavSink(store, name, options.signal)
}

interface Stream {
  readonly out: BodyOut
  readonly answer: Promise<WebAnswer>
}

class WebdavSink implements FragmentSink {
  readonly #store: WebdavStore
  readonly #name: FragmentName
  readonly #part: string
  readonly #callerSignal: AbortSignal | undefined
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #kept: Uint8Array[] = []
  #written = 0
  #accepted = 0
  #stream: Stream | undefined
  /** Something may stand under the name of the part. */
  #begun = false
  #failure: unknown
  #state: 'open' | 'finished' | 'aborted' = 'open'

  constructor(store: WebdavStore, name: FragmentName, signal: AbortSignal | undefined) {
    this.#store = store
    this.#name = name
    this.#part = targetOf(store, `${name.slice(0, name.lastIndexOf('/') + 1)}${PART_PREFIX}${randomBytes(16).toString('hex')}`)
    this.#callerSignal = signal
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
  }

  get acceptedBytes(): number {
    return this.#accepted
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#step(async () => {
      this.#written += bytes.length
      if (this.#stream === undefined && this.#written <= webdavBounds.wholeBytes) {
        this.#kept.push(bytes.slice())
        return
      }
      this.#stream ??= await this.#begin()
      await this.#give(this.#stream, bytes)
    })
  }

  async finish(): Promise<void> {
    try {
      await this.#step(async () => {
        if (this.#stream === undefined) await this.#putWhole(this.#kept)
        else {
          this.#stream.out.end()
          this.#expectWritten(await this.#stream.answer)
        }
        // What was acknowledged may be less than what was sent; and after long the place may be another.
        const root = this.#stream === undefined ? undefined : requireRoot(this.#store, this.#signal)
        const [found] = await Promise.all([lookAt(this.#store, this.#part, this.#signal), root])
        if (found?.sizeBytes !== this.#written) throw this.#notKept()
        await publish(this.#store, { name: this.#name, part: this.#part, sizeBytes: this.#written }, this.#signal)
      })
      this.#state = 'finished'
      this.#accepted = this.#written
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    this.#stop.abort()
    this.#kept = []
    const clean = async (): Promise<void> => {
      await this.#stream?.answer.catch(() => undefined)
      // A server that has not noticed yet that we hung up may put the file there once more.
      for (let look = 1; this.#begun && look <= webdavBounds.abortLooks; look += 1) {
        await removeAt(this.#store, this.#part, undefined)
        if (this.#stream === undefined) return
        await this.#store.client.pause(look, undefined)
        if ((await lookAt(this.#store, this.#part, undefined)) === undefined) return
      }
    }
    // A server that does not answer is not waited for; the part is swept later.
    const patience = new AbortController()
    const waited = this.#store.clock.sleep(bounds.abortWaitMs, patience.signal).catch(() => undefined)
    await Promise.race([clean().catch(() => undefined), waited])
    patience.abort()
  }

  async #step(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    assert(this.#state === 'open', 'the sink is open')
    try {
      stopIfCancelled(this.#callerSignal)
      await unlessCancelled(work(), this.#callerSignal)
    } catch (error) {
      this.#failure ??= error
      throw error
    }
  }

  /** An empty file first: it can be asked for again, makes the folders, and shows that we may write before bytes flow that cannot be sent twice. */
  async #begin(): Promise<Stream> {
    await this.#putWhole([])
    let begun = (_way: BodyOut): void => undefined
    const way = new Promise<BodyOut>((resolve) => {
      begun = resolve
    })
    const feed = { begin: (out: BodyOut): void => begun(out) }
    const answer = this.#store.client.send({ method: 'PUT', path: this.#part, feed, bulk: true, signal: this.#signal })
    const early = answer.then((refusal) => {
      this.#expectWritten(refusal)
      throw this.#notKept()
    })
    // Heard by whoever writes or finishes.
    early.catch(() => undefined)
    const stream = { out: await Promise.race([way, early]), answer }
    const kept = this.#kept
    this.#kept = []
    for (const bytes of kept) await this.#give(stream, bytes)
    return stream
  }

  /** When the way out breaks, the answer says why. */
  async #give({ out, answer }: Stream, bytes: Uint8Array): Promise<void> {
    try {
      await out.write(bytes)
      this.#accepted += bytes.length
    } catch {
      this.#expectWritten(await answer)
      throw this.#notKept()
    }
  }

  async #putWhole(body: readonly Uint8Array[]): Promise<void> {
    if (this.#store.markerSeen) await requireRoot(this.#store, this.#signal)
    for (let attempt = 1; ; attempt += 1) {
      await prepareFolders(this.#store, this.#name, this.#signal)
      this.#begun = true
      const answer = await this.#store.client.send({ method: 'PUT', path: this.#part, body, bulk: true, signal: this.#signal })
      if ((answer.status === 404 || answer.status === 409) && attempt === 1) {
        // Somebody removed a folder that we knew.
        await requireRoot(this.#store, this.#signal)
        forgetFolders(this.#store, this.#name)
        continue
      }
      return this.#expectWritten(answer)
    }
  }

  #expectWritten(answer: WebAnswer): void {
    if (answer.status >= 300 || answer.status === 202) throw statusFailure(this.#store, answer)
  }

  #notKept(): Failure {
    return locationFailure('location.lies', {
      label: this.#store.label,
      detail: `${this.#store.label} acknowledged an upload, but keeps another number of bytes.`,
      next: 'Use another server, or one without a limit of size or a proxy in front; large uploads of unknown length must pass.',
    })
  }
}
