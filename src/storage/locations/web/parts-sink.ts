// A write of unknown length: one request when it stays below a part, otherwise parts that are sent several at a time.
import { type Clock, type Failure, assert } from '#base'
import { bounds, webBounds } from '../bounds.ts'
import type { FragmentSink, LocationOptions } from '../contract.ts'
import { exists, locationFailure, stopIfCancelled, unlessCancelled } from '../failures.ts'
import type { BlockPool } from './blocks.ts'

export interface Part {
  /** 1, 2, ... */
  readonly number: number
  /** Of its first byte in the object. */
  readonly offset: number
  readonly views: readonly Uint8Array[]
  readonly length: number
}

/** An upload in parts that has begun. */
export interface PartedUpload {
  /** The views must not change before it settles. */
  put(part: Part, signal: AbortSignal): Promise<void>
  /** Makes the whole visible, or `location.exists`. `last` is what was not put, where the store takes the last part with the end. */
  complete(whole: { readonly sizeBytes: number; readonly last: Part | undefined }, signal: AbortSignal): Promise<void>
  /** Gives up what was put. */
  abort(): Promise<void>
  /** Makes what was put known to whoever goes on, where that takes a word to the store. */
  suspend?(signal: AbortSignal): Promise<void>
}

/** What one store does with a write. */
export interface Uploading {
  readonly label: string
  readonly clock: Clock
  readonly blocks: BlockPool
  /** Parts of the first size that are on their way at once; of larger ones fewer. */
  readonly partsInFlight: number
  readonly partsMax: number
  partBytesOf(number: number): number
  /** The last part goes with the end of the upload. */
  readonly lastWithEnd: boolean
  putWhole(views: readonly Uint8Array[], signal: AbortSignal): Promise<'created' | 'exists'>
  /** Not cancelled on its way: an upload whose id we never heard would stay behind. */
  begin(): Promise<PartedUpload>
}

/** Where a write goes on: an upload that holds the first `bytes` in parts below `partNumber`. */
export interface PartsBefore {
  readonly upload: PartedUpload
  readonly partNumber: number
  readonly bytes: number
}

interface FilledPart extends Part {
  readonly blocks: readonly Uint8Array<ArrayBuffer>[]
}

/** Nothing is asked of the store before the first part is full: a name that is taken shows when the write is finished. */
export class PartsSink implements FragmentSink {
  readonly #store: Uploading
  readonly #callerSignal: AbortSignal | undefined
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<void>>()
  #blocks: Uint8Array<ArrayBuffer>[] = []
  #filled = 0
  #written = 0
  #accepted = 0
  #partNumber = 1
  #upload: Promise<PartedUpload> | undefined
  #failure: { readonly error: unknown } | undefined
  #state: 'open' | 'finished' | 'aborted' | 'suspended' = 'open'

  constructor(store: Uploading, options: LocationOptions, before?: PartsBefore) {
    stopIfCancelled(options.signal)
    this.#store = store
    this.#callerSignal = options.signal
    this.#signal = options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal])
    if (before !== undefined) {
      this.#upload = Promise.resolve(before.upload)
      this.#partNumber = before.partNumber
      this.#written = before.bytes
      this.#accepted = before.bytes
    }
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
    if (this.#state === 'finished' || this.#state === 'aborted') return
    this.#state = 'aborted'
    this.#stop.abort()
    await this.#patiently(async () => {
      await Promise.all(this.#inFlight)
      this.#dropBlocks()
      const upload = await this.#upload?.catch(() => undefined)
      if (upload !== undefined) await upload.abort()
    })
  }

  /** Whole parts stay; what has not filled one is lost. */
  async suspend(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'suspended'
    await this.#patiently(async () => {
      await Promise.all(this.#inFlight)
      const upload = await this.#upload?.catch(() => undefined)
      if (this.#failure === undefined) await upload?.suspend?.(this.#stop.signal)
    })
    this.#stop.abort()
    await Promise.all(this.#inFlight)
    this.#dropBlocks()
  }

  async #patiently(clean: () => Promise<void>): Promise<void> {
    const patience = new AbortController()
    const waited = this.#store.clock.sleep(bounds.abortWaitMs, patience.signal).catch(() => undefined)
    await Promise.race([clean().catch(() => undefined), waited])
    patience.abort()
  }

  #partBytes(): number {
    return this.#store.partBytesOf(this.#partNumber)
  }

  /** Copies as much as the open part still takes; answers how much. */
  #fill(bytes: Uint8Array): number {
    const inBlock = this.#filled % webBounds.blockBytes
    const block = inBlock === 0 ? this.#store.blocks.take() : this.#blocks.at(-1)
    assert(block !== undefined, 'a block is open')
    if (inBlock === 0) this.#blocks.push(block)
    const length = Math.min(bytes.length, webBounds.blockBytes - inBlock, this.#partBytes() - this.#filled)
    block.set(bytes.subarray(0, length), inBlock)
    this.#filled += length
    this.#written += length
    return length
  }

  /** The filled part; the sink has none after. */
  #takePart(): FilledPart {
    const blocks = this.#blocks
    const length = this.#filled
    const number = this.#partNumber
    this.#partNumber += 1
    this.#blocks = []
    this.#filled = 0
    const views = blocks.map((block, index) => block.subarray(0, Math.min(block.length, length - index * webBounds.blockBytes)))
    return { number, offset: this.#written - length, blocks, views, length }
  }

  async #sendPart(): Promise<void> {
    const upload = await this.#begun()
    const most = Math.max(1, Math.floor((this.#store.partsInFlight * this.#store.partBytesOf(1)) / this.#partBytes()))
    while (this.#inFlight.size >= most) await Promise.race(this.#inFlight)
    this.#stopIfFailed()
    if (this.#partNumber > this.#store.partsMax) throw this.#tooLarge()
    const part = this.#takePart()
    const sending = this.#uploadPart(upload, part).finally(() => this.#inFlight.delete(sending))
    this.#inFlight.add(sending)
  }

  /** Never rejects: the failure is kept for whoever writes next. */
  async #uploadPart(upload: PartedUpload, part: FilledPart): Promise<void> {
    try {
      await upload.put(part, this.#signal)
      this.#accepted += part.length
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#store.blocks.giveBack(part.blocks)
    }
  }

  async #begun(): Promise<PartedUpload> {
    this.#upload ??= this.#store.begin()
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
      if ((await this.#store.putWhole(part.views, this.#signal)) === 'exists') throw exists(this.#store.label)
    } finally {
      this.#store.blocks.giveBack(part.blocks)
    }
  }

  async #complete(upload: PartedUpload): Promise<void> {
    if (this.#filled > 0 && !this.#store.lastWithEnd) await this.#sendPart()
    await Promise.all(this.#inFlight)
    this.#stopIfFailed()
    const last = this.#filled > 0 ? this.#takePart() : undefined
    try {
      await upload.complete({ sizeBytes: this.#written, last }, this.#signal)
    } finally {
      this.#store.blocks.giveBack(last?.blocks ?? [])
    }
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
      detail: `${this.#store.label} takes no object of more than ${this.#store.partsMax} parts.`,
      next: 'Set larger parts for this location.',
    })
  }
}

/** Sizes of parts so that `partsMax` suffice: one size where the whole is known, which some stores insist on, else sizes that double. */
export function partBytesFor(
  number: number,
  how: {
    readonly partBytes: number
    readonly expectedBytes: number | undefined
    readonly partsMax: number
    readonly partsPerStep: number
    readonly doublingsMax: number
  },
): number {
  const { partBytes, expectedBytes, partsMax, partsPerStep, doublingsMax } = how
  if (expectedBytes !== undefined) {
    const blocks = Math.ceil((expectedBytes * 1.02) / (partsMax - 1) / webBounds.blockBytes)
    return Math.max(partBytes, blocks * webBounds.blockBytes)
  }
  return partBytes * 2 ** Math.min(doublingsMax, Math.floor((number - 1) / partsPerStep))
}
