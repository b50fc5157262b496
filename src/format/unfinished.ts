// An object whose fragments were never closed, read back record by record so that its dealing can go on (fragment.md, "Dealing once").
// There is no trailer yet: K counts when the first record of k locations verifies under it, and what stands where is what the records say.
import { assert, equalPublic, toHex } from '#base'
import { combineBytes } from '#crypto'
import type { Arena, Slot } from './arena.ts'
import { type Assembly, type Member, subsets } from './assembly.ts'
import { ChunkOpener, type ReadRecord } from './chunks.ts'
import type { DealingBefore } from './dealer.ts'
import { deriveKeys } from './derive.ts'
import type { Head } from './header.ts'
import { paddedLength, recordShape, SALT_BYTES } from './padding.ts'
import type { Run, Variant } from './trailer.ts'

/** A fragment that was not closed. Its records are read into row `row` of the slot. */
export interface UnfinishedFragment {
  readonly location: string
  readonly head: Head
  readonly row: number
}

export interface UnfinishedDealing {
  /**
   * Judges the next record, which lies in the rows of `having`, salt, body and ftag in one piece. Undefined when fewer than k of them hold it as dealt: the dealing ends before
   * it. `good` are those that do; the others hold an earlier run's record, or a damaged one. `plain` is a view into the arena.
   */
  take(
    having: readonly UnfinishedFragment[],
  ): { readonly plain: Uint8Array<ArrayBuffer>; readonly good: readonly UnfinishedFragment[] } | undefined
  /** What a dealer goes on from behind the first `records` records. */
  before(records: number, going: readonly UnfinishedFragment[]): DealingBefore
  wipe(): void
}

const SUBSETS_MAX = 4096

/**
 * Finds K of fragments with equal COMMON whose record 0 lies in its row of the slot. Undefined when no k of them agree.
 * @param sizeBytes of the whole object: only records before the last one can stay
 */
export function findUnfinished(
  arena: Arena,
  slot: Slot,
  given: { readonly fragments: readonly UnfinishedFragment[]; readonly sizeBytes: number },
): UnfinishedDealing | undefined {
  const [first] = given.fragments
  if (first === undefined) return undefined
  const { common } = first.head
  assert(
    given.fragments.every(({ head }) => equalPublic(head.commonBytes, first.head.commonBytes)),
    'fragments of one set',
  )
  const shape = recordShape(common, paddedLength(given.sizeBytes))
  if (shape.m < 2) return undefined
  const members = new Map(
    given.fragments.map((fragment): [UnfinishedFragment, Member] => {
      const variant: Pick<Variant, 'head' | 'shape'> = { head: fragment.head, shape }
      return [fragment, { frame: { location: fragment.location, file: '', variants: [] }, variant: variant as Variant }]
    }),
  )
  let tried = 0
  for (const subset of subsets([...members.values()], common.k)) {
    tried += 1
    if (tried > SUBSETS_MAX) return undefined
    const secret = combineBytes({
      xs: subset.map(({ variant }) => variant.head.x),
      shares: subset.map(({ variant }) => variant.head.keyShare),
    })
    const dealing = new Reading(arena, slot, { secret, members, shape })
    if (dealing.look(given.fragments) !== undefined) return dealing
    dealing.wipe()
  }
  return undefined
}

class Reading implements UnfinishedDealing {
  readonly #slot: Slot
  readonly #arena: Arena
  readonly #members: ReadonlyMap<UnfinishedFragment, Member>
  readonly #opener: ChunkOpener
  readonly #assembly: Assembly
  readonly #runs: Run[] = []
  #next = 0

  constructor(
    arena: Arena,
    slot: Slot,
    given: {
      readonly secret: Uint8Array<ArrayBuffer>
      readonly members: ReadonlyMap<UnfinishedFragment, Member>
      readonly shape: ReturnType<typeof recordShape>
    },
  ) {
    this.#arena = arena
    this.#slot = slot
    this.#members = given.members
    const { common } = [...given.members.keys()][0]!.head
    const K = given.secret.slice(0, 32)
    this.#assembly = {
      common,
      K,
      F: given.secret.slice(32),
      keys: deriveKeys(K, common),
      // The runs grow as they are met.
      totals: { paddedLen: given.shape.paddedLen, m: given.shape.m, runs: this.#runs },
      meta: new Uint8Array(0),
      members: [...given.members.values()],
    }
    this.#opener = new ChunkOpener(arena, this.#assembly)
  }

  take(having: readonly UnfinishedFragment[]): ReturnType<UnfinishedDealing['take']> {
    const found = this.look(having)
    if (found === undefined) return undefined
    this.#next += 1
    return found
  }

  /** As `take`, and stays where it is. */
  look(having: readonly UnfinishedFragment[]): ReturnType<UnfinishedDealing['take']> {
    const j = this.#next
    if (j >= this.#assembly.totals.m - 1) return undefined
    const bySalt = Map.groupBy(having, (fragment) => this.#salt(fragment))
    for (const [salt, agreeing] of [...bySalt].toSorted(([, a], [, b]) => b.length - a.length)) {
      const begins = this.#runs.at(-1)?.runSalt !== salt
      if (begins) this.#runs.push({ firstRecord: j, runSalt: salt })
      const good = agreeing.filter((fragment) => this.#opener.judge(this.#slot, this.#record(fragment), j) === 'good')
      const opened = this.#opener.open(
        this.#slot,
        good.map((fragment) => this.#record(fragment)),
        j,
      )
      if (opened !== undefined) return { plain: opened.plain, good }
      if (begins) this.#runs.pop()
    }
    return undefined
  }

  before(records: number, going: readonly UnfinishedFragment[]): DealingBefore {
    const { common, K, F } = this.#assembly
    assert(records > 0 && records <= this.#next, 'records that were read')
    return {
      common,
      K: K.slice(),
      F: F.slice(),
      heads: going.map(({ head }) => head),
      runs: this.#runs.filter(({ firstRecord }) => firstRecord < records),
      records,
    }
  }

  wipe(): void {
    const { K, F, keys } = this.#assembly
    for (const secret of [K, F, keys.chunkKey, keys.manifestKey]) secret.fill(0)
  }

  #salt(fragment: UnfinishedFragment): string {
    const row = this.#slot.bodies[fragment.row]!
    return toHex(this.#arena.kernel.memory.subarray(row - SALT_BYTES, row))
  }

  #record(fragment: UnfinishedFragment): ReadRecord {
    const member = this.#members.get(fragment)
    assert(member !== undefined, 'a fragment of this dealing')
    return { ...member, row: fragment.row }
  }
}
