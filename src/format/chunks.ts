// Records back to plaintext: each fragment's record is judged alone, then k of them are combined and judged together.
import { assert, type Bytes, equalPublic } from '#base'
import { equalSecret, gcmOpen, gmac } from '#crypto/primitives'
import type { Arena, Slot } from './arena.ts'
import { type Assembly, type Member, subsets } from './assembly.ts'
import { chunkNonce, chunkPrefix, recordNonce, recordPrefix, sealKey } from './derive.ts'
import { SALT_BYTES, TAG_BYTES } from './padding.ts'
import { saltOf, type Variant } from './trailer.ts'

/**
 * good       as dealt: its ftag verifies
 * unproven   it carries no ftag (custodians made it); only the chunk's tag can tell
 * bad        not as dealt: the location that served it is to blame
 */
export type RecordVerdict = 'good' | 'unproven' | 'bad'

/** A record that was read into row `row` of a slot. */
export interface ReadRecord extends Member {
  readonly row: number
}

const FRAME_PREFIX_BYTES = 5

/** Opens chunks of one assembly in one arena (rows >= k; suite and chunk size of the assembly). Never two concurrent uses. */
export class ChunkOpener {
  readonly assembly: Assembly
  readonly #arena: Arena
  readonly #fragmentKeys = new Map<Variant, Bytes>()

  constructor(arena: Arena, assembly: Assembly) {
    assert(arena.shape.k === assembly.common.k && arena.shape.suite === assembly.common.suite, 'the arena fits the assembly')
    assert(arena.shape.chunkLog2 === assembly.common.chunkLog2, 'the arena fits the chunk size')
    this.#arena = arena
    this.assembly = assembly
  }

  /** Where record j of a fragment goes before it is judged: its salt, body and ftag in one piece. */
  recordView(slot: Slot, row: number, j: number): Uint8Array<ArrayBuffer> {
    const shape = this.assembly.members[0]!.variant.shape
    const begin = slot.bodies[row]! - SALT_BYTES
    return this.#arena.kernel.memory.subarray(begin, begin + shape.recordBytes(j))
  }

  /** Judges record j that lies in row `row`. */
  judge(slot: Slot, record: ReadRecord, j: number): RecordVerdict {
    const { memory } = this.#arena.kernel
    const shape = record.variant.shape
    const row = slot.bodies[record.row]!
    const length = shape.bodyBytes(j)
    const salt = saltOf(this.assembly.totals, j)
    if (!equalPublic(memory.subarray(row - SALT_BYTES, row), salt)) return 'bad'
    const tag = memory.subarray(row + length, row + length + TAG_BYTES)
    if (record.variant.head.unproven) return tag.every((byte) => byte === 0) ? 'unproven' : 'bad'
    memory.set(recordPrefix(j, j === shape.m - 1), row - FRAME_PREFIX_BYTES)
    const expected = gmac(this.#fragmentKey(record), recordNonce(salt, j), memory.subarray(row - FRAME_PREFIX_BYTES, row + length))
    memory.set(salt, row - SALT_BYTES)
    return equalSecret(expected, tag) ? 'good' : 'bad'
  }

  /**
   * The plaintext S_j from judged records (good or unproven) of at least k locations, as a view into the slot; undefined when no k of them
   * give a chunk whose tag verifies. Then nobody is blamed: the dealer, or a former holder of K, made them so.
   */
  open(
    slot: Slot,
    records: readonly ReadRecord[],
    j: number,
  ): { readonly plain: Uint8Array<ArrayBuffer>; readonly used: readonly ReadRecord[] } | undefined {
    const ordered = records.toSorted((a, b) => Number(a.variant.head.unproven) - Number(b.variant.head.unproven))
    for (const subset of subsets(ordered, this.assembly.common.k)) {
      const plain = this.#combine(slot, subset, j)
      if (plain !== undefined) return { plain, used: subset }
    }
    return undefined
  }

  /**
   * Computes the body of record j at point x from records that `open` accepted, into row `into` of the slot (not one of theirs).
   * @returns the body, a view into the arena
   */
  bodyAt(
    slot: Slot,
    used: readonly ReadRecord[],
    j: number,
    target: { readonly x: number; readonly row: number },
  ): Uint8Array<ArrayBuffer> {
    const length = used[0]!.variant.shape.bodyBytes(j)
    const row = slot.bodies[target.row]!
    this.#arena.kernel.interpolate({
      xs: used.map(({ variant }) => variant.head.x),
      from: used.map((record) => slot.bodies[record.row]!),
      at: [target.x],
      into: [row],
      length,
    })
    return this.#arena.kernel.memory.subarray(row, row + length)
  }

  #combine(slot: Slot, subset: readonly ReadRecord[], j: number): Uint8Array<ArrayBuffer> | undefined {
    return this.assembly.common.suite === 1 ? this.#combineShared(slot, subset, j) : this.#combineSealed(slot, subset, j)
  }

  #combineShared(slot: Slot, subset: readonly ReadRecord[], j: number): Uint8Array<ArrayBuffer> | undefined {
    const { kernel } = this.#arena
    const shape = subset[0]!.variant.shape
    const piece = shape.pieceBytes(j)
    kernel.combine({
      xs: subset.map(({ variant }) => variant.head.x),
      shares: subset.map((record) => slot.bodies[record.row]!),
      secret: slot.secret,
      length: piece + TAG_BYTES,
    })
    const prefix = chunkPrefix(this.assembly.keys.contentId, j, j === shape.m - 1)
    kernel.memory.set(prefix, slot.secret - prefix.length)
    const tag = gmac(this.assembly.keys.chunkKey, chunkNonce(j), kernel.memory.subarray(slot.secret - prefix.length, slot.secret + piece))
    const end = slot.secret + piece
    return equalSecret(tag, kernel.memory.subarray(end, end + TAG_BYTES)) ? kernel.memory.subarray(slot.secret, end) : undefined
  }

  #combineSealed(slot: Slot, subset: readonly ReadRecord[], j: number): Uint8Array<ArrayBuffer> | undefined {
    const { kernel, pieces } = this.#arena
    const { k } = this.assembly.common
    const shape = subset[0]!.variant.shape
    const width = shape.bodyBytes(j)
    const piece = shape.pieceBytes(j)
    const xs = subset.map(({ variant }) => variant.head.x)
    kernel.interpolate({
      xs,
      from: subset.map((record) => slot.bodies[record.row]!),
      at: Array.from({ length: k }, (_, index) => index + 1),
      into: pieces,
      length: width,
    })
    const padded = new Uint8Array(k * width)
    for (let index = 0; index < k; index++) padded.set(kernel.memory.subarray(pieces[index], pieces[index]! + width), index * width)
    const sealed = padded.subarray(0, piece + TAG_BYTES)
    if (padded.subarray(sealed.length).some((byte) => byte !== 0)) return undefined
    const { contentId } = this.assembly.keys
    const key = sealKey(this.assembly.F, contentId, saltOf(this.assembly.totals, j), j)
    const plain = gcmOpen(key, chunkNonce(j), chunkPrefix(contentId, j, j === shape.m - 1), sealed)
    if (plain === undefined) return undefined
    kernel.memory.set(plain, slot.secret)
    return kernel.memory.subarray(slot.secret, slot.secret + piece)
  }

  #fragmentKey(member: Member): Bytes {
    const known = this.#fragmentKeys.get(member.variant)
    if (known !== undefined) return known
    const key = this.assembly.keys.fragmentKey(member.variant.head)
    this.#fragmentKeys.set(member.variant, key)
    return key
  }
}
