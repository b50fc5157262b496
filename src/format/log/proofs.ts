// Inclusion and consistency proofs: made from the tiles of a log, verified by anybody (RFC 6962 and RFC 9162, section 2.1).
import { assert, type Bytes, equalPublic, Failure } from '#base'
import { hashAt, TILE_HEIGHT, TILE_WIDTH, tilesOf, type Tile } from './tiles.ts'
import { EMPTY_ROOT, HASH_BYTES, heightOf, nodeHash, splitOf } from './tree.ts'

/** Hashes of a proof in a tree of fewer than 2^53 leaves: two a level at most. */
export const PROOF_HASHES_MAX = 108

/** Answers the hashes of one tile. Short ones are refused here. */
export type ReadTile = (tile: Tile) => Promise<Uint8Array>

/** Proofs of one tree. Each tile is read once. */
export interface Prover {
  root(): Promise<Bytes>
  /** RFC 6962, section 2.1.1: PATH(index, D[size]). */
  inclusion(index: number): Promise<readonly Bytes[]>
  /** RFC 6962, section 2.1.2: PROOF(from, D[size]). */
  consistency(from: number): Promise<readonly Bytes[]>
}

export function createProver(size: number, read: ReadTile): Prover {
  const tiles = new Map<string, Promise<Uint8Array>>()

  const tile = (level: number, index: number): Promise<Uint8Array> => {
    const { full, partial } = tilesOf(level, size)
    assert(index < full || (index === full && partial > 0), 'a tile beyond the tree')
    const width = index < full ? TILE_WIDTH : partial
    const key = `${level}/${index}`
    const known = tiles.get(key) ?? exactly(read({ kind: 'hashes', level, index, width }), width)
    tiles.set(key, known)
    return known
  }

  /** Root of the whole subtree of height `level` that begins at leaf `first`. */
  const subtree = async (level: number, first: number): Promise<Bytes> => {
    const tileLevel = Math.floor(level / TILE_HEIGHT)
    const spans = 2 ** (level - tileLevel * TILE_HEIGHT)
    const at = first / TILE_WIDTH ** tileLevel
    const bytes = await tile(tileLevel, Math.floor(at / TILE_WIDTH))
    let hashes = Array.from({ length: spans }, (_, n) => hashAt(bytes, (at % TILE_WIDTH) + n))
    while (hashes.length > 1) hashes = Array.from({ length: hashes.length / 2 }, (_, n) => nodeHash(hashes[2 * n]!, hashes[2 * n + 1]!))
    return hashes[0]!
  }

  /** MTH(D[first:end]); `first` is a multiple of the largest power of two below the width. */
  const range = async (first: number, end: number): Promise<Bytes> => {
    const height = heightOf(end - first)
    if (height !== undefined) return subtree(height, first)
    const k = splitOf(end - first)
    return nodeHash(await range(first, first + k), await range(first + k, end))
  }

  return {
    root: async () => (size === 0 ? EMPTY_ROOT : range(0, size)),
    inclusion: async (index) => {
      assert(index >= 0 && index < size, 'an entry beyond the tree')
      const path: Bytes[] = []
      for (let first = 0, end = size; end - first > 1;) {
        const middle = first + splitOf(end - first)
        if (index < middle) {
          path.unshift(await range(middle, end))
          end = middle
        } else {
          path.unshift(await range(first, middle))
          first = middle
        }
      }
      return path
    },
    consistency: async (from) => {
      assert(from >= 0 && from <= size, 'a tree larger than this one')
      const path: Bytes[] = []
      if (from === 0 || from === size) return path
      let first = 0
      let end = size
      let whole = true
      while (from !== end) {
        const middle = first + splitOf(end - first)
        if (from <= middle) {
          path.unshift(await range(middle, end))
          end = middle
        } else {
          path.unshift(await range(first, middle))
          first = middle
          whole = false
        }
      }
      if (!whole) path.unshift(await range(first, end))
      return path
    },
  }
}

async function exactly(read: Promise<Uint8Array>, width: number): Promise<Uint8Array> {
  const bytes = await read
  if (bytes.length !== width * HASH_BYTES) throw new Failure('audit.framing', { detail: `a tile does not hold exactly ${width} hashes` })
  return bytes
}

/** RFC 9162, section 2.1.3.2. Throws `audit.proof`. */
export function verifyInclusion(request: {
  readonly index: number
  readonly size: number
  readonly hash: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}): void {
  const { index, size, hash, proof, root } = request
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes(proof)) throw wrong('the entry lies outside the tree')
  let fn = index
  let sn = size - 1
  let reached: Uint8Array = hash
  for (const step of proof) {
    if (sn === 0) throw wrong('the proof is too long')
    if (fn % 2 === 1 || fn === sn) {
      reached = nodeHash(step, reached)
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2
        sn = Math.floor(sn / 2)
      }
    } else {
      reached = nodeHash(reached, step)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  if (sn !== 0) throw wrong('the proof is too short')
  if (!equalPublic(reached, root)) throw wrong('the entry is not in the tree that was signed')
}

/** RFC 9162, section 2.1.4.2: the tree of `from` leaves is the beginning of the one of `size`. Throws `audit.proof`. */
export function verifyConsistency(request: {
  readonly from: number
  readonly fromRoot: Uint8Array
  readonly size: number
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}): void {
  const { from, fromRoot, size, root, proof } = request
  if (!isSize(from) || !isSize(size) || from > size || !areHashes(proof)) throw wrong('the log is smaller than it was')
  if (from === 0 || from === size) {
    if (proof.length > 0) throw wrong('the proof is too long')
    if (from === 0 ? !equalPublic(fromRoot, EMPTY_ROOT) : !equalPublic(fromRoot, root)) throw wrong('the two heads differ')
    return
  }
  const path = [...(heightOf(from) === undefined ? [] : [fromRoot]), ...proof]
  const [begin, ...steps] = path
  if (begin === undefined) throw wrong('the proof is too short')
  let fn = from - 1
  let sn = size - 1
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  let before: Uint8Array = begin
  let after: Uint8Array = begin
  for (const step of steps) {
    if (sn === 0) throw wrong('the proof is too long')
    if (fn % 2 === 1 || fn === sn) {
      before = nodeHash(step, before)
      after = nodeHash(step, after)
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2
        sn = Math.floor(sn / 2)
      }
    } else {
      after = nodeHash(after, step)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  if (sn !== 0) throw wrong('the proof is too short')
  if (!equalPublic(before, fromRoot) || !equalPublic(after, root)) throw wrong('the newer log does not begin with the older one')
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function areHashes(proof: readonly Uint8Array[]): boolean {
  return proof.length <= PROOF_HASHES_MAX && proof.every((hash) => hash.length === HASH_BYTES)
}

function wrong(detail: string): Failure {
  return new Failure('audit.proof', { detail })
}
