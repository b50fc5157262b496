// The writer of format version 1: deals the chunks of a stream into one record per fragment, each once (fragment.md, "Dealing once").
import { assert, type Bytes, concat, equalPublic, toHex } from '#base'
import { interpolateBytes, splitBytes } from '#crypto'
import { random, randomFill } from '#crypto/primitives'
import type { Arena, Slot } from './arena.ts'
import type { Assembly } from './assembly.ts'
import { ChunkDealer, type ChunkKeys, type ChunkTurn } from './chunk-dealer.ts'
import { commitment, type DealKeys, deriveKeys, ktag, metaTag } from './derive.ts'
import { type Common, encodeCommon, encodeHead, type Head, keyShareBytes, parseHead } from './header.ts'
import { paddedLength, SALT_BYTES, TAG_BYTES } from './padding.ts'
import { encodeTotals, encodeTrailer, type Run, saltOf, type Totals } from './trailer.ts'

/** What the caller decides; ids of the dealing and of the fragments are drawn here. */
export type DealSpec = Pick<Common, 'suite' | 'k' | 'n' | 'chunkLog2' | 'rng' | 'vault' | 'object' | 'version' | 'ext'>

/** Key material of a dealing. It lives in memory only; after a crash it is read back from k key shares. */
export interface DealSecrets {
  readonly K: Bytes
  /** Suite 2 only; empty in suite 1. */
  readonly F: Bytes
}

/** Where an interrupted dealing goes on: read back from its unfinished fragments, never from a database. */
export interface DealingBefore extends DealSecrets {
  readonly common: Common
  /** Of at least k fragments; those without one get a HEAD that is never written. */
  readonly heads: readonly Head[]
  /** Of the records that stay. */
  readonly runs: readonly Run[]
  /** Records that stay: every location that goes on holds them whole. The next one begins a new run. */
  readonly records: number
}

/** What a new set of fragments of one dealing takes from the set before it. */
export type SetBefore = Pick<Assembly, 'common' | 'K' | 'F' | 'totals' | 'meta'>

export interface FinishedFragment {
  /** TRAILER with its foot, to be written behind the last record. */
  readonly trailer: Bytes
  readonly commitment: string
}

/** C(n,k) above this makes the search for K in a disaster too long; the writer refuses (fragment.md, "Bytes"). */
const SUBSETS_MAX = 2 ** 20

/** A new random id: 32 hex digits. */
export function newId(): string {
  return toHex(random(16))
}

function follow(before: Common, spec: DealSpec): { readonly dealId: string; readonly generation: number } {
  const same = (['suite', 'chunkLog2', 'vault', 'object', 'version'] as const).every((name) => before[name] === spec[name])
  assert(same, 'a set anew is of the same dealing')
  return { dealId: before.dealId, generation: before.generation + 1 }
}

/** True when the writer may deal k of n. */
export function dealable(k: number, n: number): boolean {
  if (!(Number.isInteger(k) && Number.isInteger(n) && 2 <= k && k <= n && n <= 255)) return false
  let subsets = 1
  for (let i = 1; i <= Math.min(k, n - k); i++) {
    subsets = (subsets * (n - i + 1)) / i
    if (subsets > SUBSETS_MAX) return false
  }
  return true
}

/**
 * Deals one object version. The caller fills `plain(slot)` and calls `deal`; the records lie in the arena until the slot comes round again.
 * Never two concurrent uses of one arena.
 */
export class Dealer {
  readonly common: Common
  readonly heads: readonly Head[]
  readonly #arena: Arena
  readonly #secrets: DealSecrets
  readonly #keys: DealKeys
  readonly #chunks: ChunkDealer
  /** What another thread needs to deal chunks of this object. Wiped with the rest. */
  readonly chunkKeys: ChunkKeys
  readonly #runs: Run[] = []
  #salt: Bytes
  #next = 0
  #paddedLen = 0
  #ended = false
  #touched = 0
  /** The set that this one follows; it says what every record and META must be. */
  readonly #set: SetBefore | undefined

  /**
   * @param before goes on with an interrupted dealing
   * @param set shares the same dealing anew (fragment.md, "Change by a gateway"): dealId, K, F, tags, runs and META stay, every polynomial is
   * fresh, the generation rises; suite, chunk size, vault, object and version must be its own
   */
  constructor(arena: Arena, spec: DealSpec, before?: DealingBefore, set?: SetBefore) {
    assert(dealable(spec.k, spec.n), 'dealable k and n')
    assert(before === undefined || set === undefined, 'an interrupted dealing goes on, or a whole one gets another set')
    this.#arena = arena
    this.#set = set
    const { dealId, generation } = set === undefined ? { dealId: newId(), generation: 0 } : follow(set.common, spec)
    this.common = before?.common ?? { ...spec, dealId, setId: newId(), generation }
    const secrets = before ?? set
    this.#secrets = {
      K: secrets?.K.slice() ?? random(32),
      F: secrets?.F.slice() ?? (spec.suite === 2 ? random(32) : new Uint8Array(0)),
    }
    const commonBytes = encodeCommon(this.common)
    const xs = Array.from({ length: spec.n }, (_, index) => index + 1)
    const keyShares =
      before === undefined
        ? splitBytes({ secret: concat(this.#secrets.K, this.#secrets.F), k: spec.k, xs })
        : sharesThrough(before.heads.slice(0, spec.k), xs)
    assert(keyShares[0]!.length === keyShareBytes(spec.suite), 'key share length')
    this.heads = xs.map(
      (x, index) =>
        before?.heads.find((head) => head.x === x) ??
        parseHead(encodeHead({ commonBytes, unproven: false, x, fragId: newId(), keyShare: keyShares[index]! })),
    )
    this.#keys = deriveKeys(this.#secrets.K, this.common)
    this.chunkKeys = {
      suite: spec.suite,
      k: spec.k,
      n: spec.n,
      chunkLog2: spec.chunkLog2,
      contentId: this.#keys.contentId,
      chunkKey: this.#keys.chunkKey,
      F: this.#secrets.F,
      fragmentKeys: this.heads.map((head) => this.#keys.fragmentKey(head)),
    }
    this.#chunks = new ChunkDealer(arena, this.chunkKeys)
    this.#salt = random(SALT_BYTES)
    if (before === undefined) this.#runs.push({ firstRecord: 0, runSalt: toHex(this.#salt) })
    else {
      assert(before.records > 0 && before.heads.length >= spec.k, 'k heads and a record to go on from')
      this.#runs.push(...before.runs)
      this.#next = before.records
      this.newRun()
    }
  }

  get contentId(): Bytes {
    return this.#keys.contentId
  }

  get chunkBytes(): number {
    return 2 ** this.common.chunkLog2
  }

  /** The number of records dealt so far. */
  get records(): number {
    return this.#next
  }

  /** Where the plaintext of the slot's chunk goes. */
  plain(slot: Slot): Uint8Array<ArrayBuffer> {
    return this.#chunks.plain(slot)
  }

  /** Begins a new run with the next record: after a source was reopened, or bytes of a record were lost before every location had them. */
  newRun(firstRecord = this.#next): void {
    assert(!this.#ended && firstRecord <= this.#next && this.#set === undefined, 'newRun: record')
    while (this.#runs.length > 0 && this.#runs.at(-1).firstRecord >= firstRecord) this.#runs.pop()
    this.#salt = random(SALT_BYTES)
    this.#runs.push({ firstRecord, runSalt: toHex(this.#salt) })
    this.#next = firstRecord
    this.#paddedLen = firstRecord * this.chunkBytes
  }

  /**
   * Deals the first `length` bytes of the slot's plaintext as the next record.
   * @returns n records, views into the arena
   */
  deal(slot: Slot, length: number, last: boolean): Uint8Array<ArrayBuffer>[] {
    this.#touched = Math.max(this.#touched, length)
    return this.#chunks.deal(slot, this.turn(length, last))
  }

  /** Counts the next record as dealt: for whoever deals it elsewhere with `chunkKeys`. Only the last chunk may be shorter than the others. */
  turn(length: number, last: boolean): ChunkTurn {
    assert(!this.#ended, 'deal after the last chunk')
    assert(length > 0 && (length === this.chunkBytes || (last && length < this.chunkBytes)), 'deal: length')
    const turn = { j: this.#next, length, last, salt: this.#set === undefined ? this.#salt : saltOf(this.#set.totals, this.#next) }
    this.#next += 1
    this.#paddedLen += length
    this.#ended = last
    return turn
  }

  /** Shares META and closes the frames. Call once, after the last chunk. */
  finish(meta: Uint8Array): FinishedFragment[] {
    assert(this.#ended, 'finish before the last chunk')
    const totals: Totals = { paddedLen: this.#paddedLen, m: this.#next, runs: this.#set?.totals.runs ?? this.#runs }
    if (this.#set !== undefined) {
      const { paddedLen, m } = this.#set.totals
      assert(totals.paddedLen === paddedLen && totals.m === m && equalPublic(meta, this.#set.meta), 'a set anew is of the same content')
    }
    const totalsBytes = encodeTotals(totals)
    const metaShares = this.#shareLong(concat(meta, metaTag(this.#keys, meta)))
    return this.heads.map((head, index) => {
      const parts = { ...head, totalsBytes, metaShare: metaShares[index]!, nonce: random(64) }
      const tag = ktag(this.#keys.manifestKey, parts)
      return {
        trailer: encodeTrailer({ head: head.bytes, totals: totalsBytes, metaShare: parts.metaShare, ktag: tag, nonce: parts.nonce }),
        commitment: toHex(commitment({ ...parts, ktag: tag })),
      }
    })
  }

  /** Overwrites keys and every row that held plaintext or shares. */
  wipe(): void {
    this.#secrets.K.fill(0)
    this.#secrets.F.fill(0)
    this.#keys.chunkKey.fill(0)
    this.#keys.manifestKey.fill(0)
    for (const key of this.chunkKeys.fragmentKeys) key.fill(0)
    wipeArena(this.#arena, this.#touched)
  }

  /** Shares a string of any length, piece by piece through the rows of the first slot. */
  #shareLong(secret: Uint8Array): Bytes[] {
    const { kernel, slots, random: coefficients, bodyBytesMax } = this.#arena
    const slot = slots[0]!
    const { k, n } = this.common
    const shares = Array.from({ length: n }, () => new Uint8Array(secret.length))
    const step = Math.floor(Math.min(bodyBytesMax, this.chunkBytes) / 16) * 16
    for (let at = 0; at < secret.length; at += step) {
      const piece = secret.subarray(at, at + step)
      kernel.memory.set(piece, slot.secret)
      for (const row of coefficients) randomFill(kernel.memory.subarray(row, row + piece.length))
      kernel.split({ k, n, secret: slot.secret, random: coefficients, shares: slot.bodies.slice(0, n), length: piece.length })
      for (let index = 0; index < n; index++) {
        const row = slot.bodies[index]!
        shares[index]!.set(kernel.memory.subarray(row, row + piece.length), at)
      }
      this.#touched = Math.max(this.#touched, piece.length)
    }
    return shares
  }
}

/** Key shares at every x of the polynomials through k of them. */
function sharesThrough(heads: readonly Head[], xs: readonly number[]): Bytes[] {
  return interpolateBytes({ xs: heads.map(({ x }) => x), shares: heads.map(({ keyShare }) => keyShare), at: xs })
}

/**
 * Zeroes the rows of an arena up to the longest plaintext that went through it.
 * @param rowsOf slots that were used, with the number of their first rows; all when it is not given
 */
export function wipeArena(arena: Arena, touchedBytes: number, rowsOf?: ReadonlyMap<Slot, number>): void {
  const { kernel, slots, random: coefficients, pieces, bodyBytesMax } = arena
  const plain = touchedBytes + TAG_BYTES
  const body = Math.min(plain + TAG_BYTES, bodyBytesMax)
  for (const slot of slots) {
    const rows = rowsOf === undefined ? slot.bodies.length : rowsOf.get(slot)
    if (rows === undefined) continue
    kernel.memory.fill(0, slot.secret, slot.secret + plain)
    for (const row of slot.bodies.slice(0, rows)) kernel.memory.fill(0, row, row + body)
  }
  for (const row of [...coefficients, ...pieces]) kernel.memory.fill(0, row, row + body)
}

/** Length of S for a file of `size` bytes, in chunks: how many zero bytes the writer adds. */
export function zerosAfter(size: number): number {
  return paddedLength(size) - size
}
