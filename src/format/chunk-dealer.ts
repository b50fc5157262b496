// Dealing one chunk, wherever that happens: its tag, its shares or pieces, and a framed record for each fragment.
import { assert, type Bytes } from '#base'
import { gcmSeal, gmac, randomFill } from '#crypto/primitives'
import type { Arena, Slot } from './arena.ts'
import { chunkNonce, chunkPrefix, recordNonce, recordPrefix, sealKey } from './derive.ts'
import type { Common } from './header.ts'
import { SALT_BYTES, TAG_BYTES } from './padding.ts'

/** What dealing the chunks of one object takes beside their bytes: plain data, so that it can go to another thread. */
export interface ChunkKeys extends Pick<Common, 'suite' | 'k' | 'n' | 'chunkLog2'> {
  readonly contentId: Bytes
  /** Kt; suite 1. */
  readonly chunkKey: Bytes
  /** Suite 2 only; empty in suite 1. */
  readonly F: Bytes
  /** Kx for x = 1..n. */
  readonly fragmentKeys: readonly Bytes[]
}

/** One chunk's place in its object. */
export interface ChunkTurn {
  readonly j: number
  /** Of S_j. */
  readonly length: number
  readonly last: boolean
  readonly salt: Bytes
}

const FRAME_PREFIX_BYTES = 5

/** Deals chunks in any order; whoever hands out the turns sees to it that each number is dealt once. Never two concurrent uses of one arena. */
export class ChunkDealer {
  readonly #arena: Arena
  readonly #keys: ChunkKeys

  constructor(arena: Arena, keys: ChunkKeys) {
    assert(arena.shape.k === keys.k && arena.shape.rows >= keys.n && arena.shape.suite === keys.suite, 'the arena fits the dealing')
    assert(arena.shape.chunkLog2 === keys.chunkLog2, 'the arena fits the chunk size')
    assert(keys.fragmentKeys.length === keys.n, 'a key for each fragment')
    this.#arena = arena
    this.#keys = keys
  }

  /** Where the plaintext of the slot's chunk goes. */
  plain(slot: Slot): Uint8Array<ArrayBuffer> {
    return this.#arena.kernel.memory.subarray(slot.secret, slot.secret + 2 ** this.#keys.chunkLog2)
  }

  /** n records, views into the arena. */
  deal(slot: Slot, turn: ChunkTurn): Uint8Array<ArrayBuffer>[] {
    const body = this.#keys.suite === 1 ? this.#share(slot, turn) : this.#seal(slot, turn)
    return this.#keys.fragmentKeys.map((key, index) => this.#frame(slot.bodies[index]!, body, { key, turn }))
  }

  /** Suite 1: S_j | tag_j is shared as one string. */
  #share(slot: Slot, { j, length, last }: ChunkTurn): number {
    const { kernel, random: coefficients } = this.#arena
    const { contentId, chunkKey, k, n } = this.#keys
    const prefix = chunkPrefix(contentId, j, last)
    kernel.memory.set(prefix, slot.secret - prefix.length)
    const tag = gmac(chunkKey, chunkNonce(j), kernel.memory.subarray(slot.secret - prefix.length, slot.secret + length))
    kernel.memory.set(tag, slot.secret + length)
    const body = length + TAG_BYTES
    for (const row of coefficients) randomFill(kernel.memory.subarray(row, row + body))
    kernel.split({ k, n, secret: slot.secret, random: coefficients, shares: slot.bodies.slice(0, n), length: body })
    return body
  }

  /** Suite 2: C_j, zero-padded to k*w, is cut into k pieces; fragment i <= k keeps piece i, the others the polynomial through them. */
  #seal(slot: Slot, { j, length, last, salt }: ChunkTurn): number {
    const { kernel, pieces } = this.#arena
    const { contentId, F, k, n } = this.#keys
    const key = sealKey(F, contentId, salt, j)
    const plain = kernel.memory.subarray(slot.secret, slot.secret + length)
    const sealed = gcmSeal(key, chunkNonce(j), chunkPrefix(contentId, j, last), plain)
    const width = Math.ceil(sealed.length / k)
    for (let index = 0; index < k; index++) {
      const piece = sealed.subarray(index * width, (index + 1) * width)
      for (const row of [pieces[index]!, slot.bodies[index]!]) {
        kernel.memory.set(piece, row)
        kernel.memory.fill(0, row + piece.length, row + width)
      }
    }
    if (n > k) {
      const xs = Array.from({ length: k }, (_, index) => index + 1)
      const at = Array.from({ length: n - k }, (_, index) => k + 1 + index)
      kernel.interpolate({ xs, from: pieces, at, into: slot.bodies.slice(k, n), length: width })
    }
    return width
  }

  /** runSalt | body | ftag. The prefix under the ftag stands where the salt goes, until the tag is made. */
  #frame(row: number, length: number, { key, turn }: { readonly key: Bytes; readonly turn: ChunkTurn }): Uint8Array<ArrayBuffer> {
    const { memory } = this.#arena.kernel
    memory.set(recordPrefix(turn.j, turn.last), row - FRAME_PREFIX_BYTES)
    const tag = gmac(key, recordNonce(turn.salt, turn.j), memory.subarray(row - FRAME_PREFIX_BYTES, row + length))
    memory.set(tag, row + length)
    memory.set(turn.salt, row - SALT_BYTES)
    return memory.subarray(row - SALT_BYTES, row + length + TAG_BYTES)
  }
}
