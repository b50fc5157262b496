// The Merkle tree of a log (RFC 6962, section 2.1): hashes, and the right edge from which a tree grows.
import { assert, type Bytes, concat, Failure } from '#base'
import { sha256 } from '#crypto/primitives'

export const HASH_BYTES = 32

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** RFC 6962, section 2.1: the hash of the empty string. */
export const EMPTY_ROOT: Bytes = sha256()

export function leafHash(entry: Uint8Array): Bytes {
  return sha256(LEAF, entry)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE, left, right)
}

/** Largest power of two below `size`; `size` is at least 2 (RFC 6962, section 2.1). */
export function splitOf(size: number): number {
  let k = 1
  while (k * 2 < size) k *= 2
  return k
}

/** The height of a whole subtree that is so wide; undefined when no whole subtree is. */
export function heightOf(width: number): number | undefined {
  let height = 0
  for (let whole = 1; whole < width; whole *= 2) height += 1
  return 2 ** height === width ? height : undefined
}

/** The roots of the largest whole subtrees that a tree consists of, from the left: enough to go on, and to say its root. */
export class Edge {
  #size = 0
  #hashes: Bytes[] = []

  get size(): number {
    return this.#size
  }

  /** Of a tree of that size. `audit.framing` when there are not as many hashes as such a tree has whole subtrees. */
  static from(size: number, bytes: Uint8Array): Edge {
    if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== subtreesOf(size).length * HASH_BYTES)
      throw new Failure('audit.framing', { detail: 'the right edge of the tree does not fit its size' })
    const edge = new Edge()
    edge.#size = size
    for (let at = 0; at < bytes.length; at += HASH_BYTES) edge.#hashes.push(bytes.slice(at, at + HASH_BYTES))
    return edge
  }

  /** Adds a leaf. `complete` is told every subtree that is whole by it: its height above the leaves, its number at that height, its root. */
  append(hash: Bytes, complete?: (level: number, index: number, root: Bytes) => void): void {
    assert(hash.length === HASH_BYTES && this.#size < Number.MAX_SAFE_INTEGER, 'a leaf hash has 32 bytes, a tree fewer than 2^53 leaves')
    this.#hashes.push(hash)
    this.#size += 1
    for (let level = 1, rest = this.#size; rest % 2 === 0; level++) {
      rest /= 2
      const right = this.#hashes.pop()!
      const root = nodeHash(this.#hashes.pop()!, right)
      this.#hashes.push(root)
      complete?.(level, rest - 1, root)
    }
  }

  root(): Bytes {
    let root = this.#hashes.at(-1)
    if (root === undefined) return EMPTY_ROOT
    for (let at = this.#hashes.length - 2; at >= 0; at--) root = nodeHash(this.#hashes[at]!, root)
    return root
  }

  /** The hashes one after the other, largest subtree first. */
  bytes(): Bytes {
    return concat(...this.#hashes)
  }
}

/** The whole subtrees of a tree of that size, from the left: their height above the leaves and their first leaf. */
export function subtreesOf(size: number): readonly { readonly level: number; readonly first: number }[] {
  const found: { level: number; first: number }[] = []
  let level = 0
  for (let width = 1, rest = size, end = size; rest > 0; width *= 2, level++) {
    if (rest % 2 === 1) {
      end -= width
      found.unshift({ level, first: end })
    }
    rest = Math.floor(rest / 2)
  }
  return found
}
