// Memory that the parts of an upload are made of.
import { webBounds } from '../bounds.ts'

/** Blocks of memory, used again and again. */
export class BlockPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = []

  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(webBounds.blockBytes)
  }

  giveBack(blocks: readonly Uint8Array<ArrayBuffer>[]): void {
    for (const block of blocks) if (this.#free.length < webBounds.blocksKeptMax) this.#free.push(block)
  }
}
