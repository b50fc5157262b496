// A write of unknown length: one PUT when it stays below a part, otherwise parts that are sent several at a time.
import { type Failure, assert } from '#base'
import { bounds, s3Bounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { exists, locationFailure, stopIfCancelled, unlessCancelled } from '../failures.ts'
import { type Upload, type UploadedPart, abortUpload, beginUpload, completeUpload, putPart } from './multipart.ts'
import { putOnce } from './put.ts'
import { type Store, keyOf } from './store.ts'

/** Begins a write. Nothing is asked of the store yet: a name that is taken shows when the write is finished. */
export function createInS3(store: Store, name: FragmentName, options: LocationOptions & { readonly expectedBytes?: number }): FragmentSink {
  stopIfCancelled(options.signal)
  return new S3Sink(store, keyOf(store, name), options)
}

/** Bytes of part `number` (1, 2, ...), so that 10,000 parts suffice. */
export function partBytesOf(number: number, options: { readonly partBytes: number; readonly expectedBytes?: number | undefined }): number {
  const { partBytes, expectedBytes } = options
  // Known sizes get parts of one size, which is what some stores insist on.
  if (expectedBytes !== undefined) {
    const blocks = Math.ceil((expectedBytes * 1.02) / (s3Bounds.partsMax - 1) / s3Bounds.blockBytes)
    return Math.max(partBytes, blocks * s3Bounds.blockBytes)
  }
  return partBytes * 2 ** Math.min(3, Math.floor((number - 1) / s3Bounds.partsPerStep))
}

interface FilledPart {
  readonly blocks: readonly Uint8Array<ArrayBuffer>[]
  readonly views: readonly Uint8Array[]
  readonly length: number
}

class S3Sink implements FragmentSink {
  readonly #store: Store
  readonly #key: string
  readonly #options: { readonly partBytes: number; readonly expectedBytes: number | undefined }
  readonly #callerSignal: AbortSignal | undefined
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<void>>()
  readonly #parts: UploadedPart[] = []
  #blocks: Uint8Array<ArrayBuffer>[] = []
  #filled = 0
  #written = 0
  #accepted = 0
  #partNumber = 1
  #upload: Promise<Upload> | undefined
  #failure: { readonly error: unknown } | undefined
  #state: 'open' | 'finished' | 'aborted' = 'open'

  constructor(store: Store, key: string, options: LocationOptions & { readonly expectedBytes?: number }) {
    this.#store = store
    this.#key = key
    this.#options = { partBytes: store.partBytes, expectedBytes: options.expectedBytes }
    this.#callerSignal = options.signal
    this.#signal = options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal])
  }

  get acceptedBytes(): number {
    return this.#accepted
  }

  async write(bytes: Uint8Array): Promise<void> {
    assert(this.#state === 'open', 'the sink is open')
    let at = 0
    while (at < bytes.length) {
      this.#stopIfFailed()
      at += this.#fill(bytes.subarray(at))
      if (this.#filled === this.#partBytes()) await this.#sendPart()
    }
    this.#stopIfFailed()
  }

  async finish(): Promise<void> {
    assert(this.#state === 'open', 'the sink is open')
    try {
      this.#stopIfFailed()
      if (this.#upload === undefined) await this.#putWhole()
      else await this.#complete(await this.#upload)
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
    const clean = async (): Promise<void> => {
      await Promise.all(this.#inFlight)
      this.#dropBlocks()
      const upload = await this.#upload?.catch(() => undefined)
      if (upload !== undefined) await abortUpload(this.#store, upload, undefined)
    }
    const patience = new AbortController()
    const waited = this.#store.client.clock.sleep(bounds.abortWaitMs, patience.signal).catch(() => undefined)
    await Promise.race([clean().catch(() => undefined), waited])
    patience.abort()
  }

  #partBytes(): number {
    return partBytesOf(this.#partNumber, this.#options)
  }

  /** Copies as much as the open part still takes; answers how much. */
  #fill(bytes: Uint8Array): number {
    const inBlock = this.#filled % s3Bounds.blockBytes
    const block = inBlock === 0 ? this.#store.blocks.take() : this.#blocks.at(-1)
    assert(block !== undefined, 'a block is open')
    if (inBlock === 0) this.#blocks.push(block)
    const length = Math.min(bytes.length, s3Bounds.blockBytes - inBlock, this.#partBytes() - this.#filled)
    block.set(bytes.subarray(0, length), inBlock)
    this.#filled += length
    this.#written += length
    return length
  }

  /** The filled part as views; the sink has none after. */
  #takePart(): FilledPart {
    const blocks = this.#blocks
    const length = this.#filled
    this.#blocks = []
    this.#filled = 0
    const views = blocks.map((block, index) => block.subarray(0, Math.min(block.length, length - index * s3Bounds.blockBytes)))
    return { blocks, views, length }
  }

  async #sendPart(): Promise<void> {
    const upload = await this.#begun()
    const most = Math.max(1, Math.floor((this.#store.partsInFlight * this.#store.partBytes) / this.#partBytes()))
    while (this.#inFlight.size >= most) await Promise.race(this.#inFlight)
    this.#stopIfFailed()
    const number = this.#partNumber
    if (number > s3Bounds.partsMax) throw this.#tooLarge()
    this.#partNumber += 1
    const part = this.#takePart()
    const sending = this.#uploadPart(upload, number, part).finally(() => this.#inFlight.delete(sending))
    this.#inFlight.add(sending)
  }

  /** Never rejects: the failure is kept for whoever writes next. */
  async #uploadPart(upload: Upload, number: number, part: FilledPart): Promise<void> {
    try {
      this.#parts.push(await putPart(this.#store, upload, number, part.views, this.#signal))
      this.#accepted += part.length
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#store.blocks.giveBack(part.blocks)
    }
  }

  async #begun(): Promise<Upload> {
    // Not cancelled on its way: an upload whose id we never heard would stay behind.
    this.#upload ??= beginUpload(this.#store, this.#key, {})
    try {
      return await unlessCancelled(this.#upload, this.#signal)
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  async #putWhole(): Promise<void> {
    const part = this.#takePart()
    try {
      if ((await putOnce(this.#store, this.#key, part.views, { signal: this.#signal })) === 'exists') throw exists(this.#store.label)
    } finally {
      this.#store.blocks.giveBack(part.blocks)
    }
  }

  async #complete(upload: Upload): Promise<void> {
    if (this.#filled > 0) await this.#sendPart()
    await Promise.all(this.#inFlight)
    this.#stopIfFailed()
    this.#parts.sort((a, b) => a.number - b.number)
    await completeUpload(this.#store, upload, { parts: this.#parts, sizeBytes: this.#written }, this.#signal)
  }

  #failed(error: unknown): void {
    this.#failure ??= { error }
    this.#stop.abort()
  }

  #stopIfFailed(): void {
    stopIfCancelled(this.#callerSignal)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #dropBlocks(): void {
    this.#store.blocks.giveBack(this.#blocks)
    this.#blocks = []
    this.#filled = 0
  }

  #tooLarge(): Failure {
    return locationFailure('location.full', {
      label: this.#store.label,
      detail: `${this.#store.label} takes no object of more than ${s3Bounds.partsMax} parts.`,
      next: 'Set larger parts for this location.',
    })
  }
}
