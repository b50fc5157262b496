// Bytes of one upload on their way from several requests, one after the other, to one writer.
import { Failure } from '#base'

interface Piece {
  readonly bytes: Uint8Array
  readonly taken: () => void
  readonly lost: (error: unknown) => void
}

/** One writer takes pieces in turn; whoever pushes one waits until the writer asks for the next. */
export class UploadFeed implements AsyncIterable<Uint8Array> {
  #piece: Piece | undefined
  #wake: () => void = () => undefined
  #end: 'open' | 'ended' | { readonly failure: Failure } = 'open'
  #left = false

  /** Resolves when the bytes may be used again. Rejects with `base.cancelled` when the writer has gone. */
  push(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#left || this.#end !== 'open' || this.#piece !== undefined) {
        reject(new Failure('base.cancelled'))
        return
      }
      this.#piece = { bytes, taken: resolve, lost: reject }
      this.#wake()
    })
  }

  /** Nothing more comes: the content is whole. */
  end(): void {
    if (this.#end === 'open') this.#end = 'ended'
    this.#wake()
  }

  /** The writer is told so in place of the next piece. */
  fail(failure: Failure): void {
    if (this.#end === 'open') this.#end = { failure }
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (typeof this.#end === 'object') throw this.#end.failure
        const piece = this.#piece
        if (piece !== undefined) {
          yield piece.bytes
          this.#piece = undefined
          piece.taken()
        } else if (this.#end === 'ended') return
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.#left = true
      this.#piece?.lost(new Failure('base.cancelled'))
      this.#piece = undefined
    }
  }
}
