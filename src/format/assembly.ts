// Which of the offered fragments belong together, under which key, and who lies about a frame (fragment.md, "What each part is for" and
// "The liar must not choose k"). Pure: it sees frames that others have fetched.
import { type Bytes, Failure, toHex } from '#base'
import { combineBytes } from '#crypto'
import { equalSecret } from '#crypto/primitives'
import { type DealKeys, deriveKeys, ktag, metaTag } from './derive.ts'
import type { Common } from './header.ts'
import { TAG_BYTES } from './padding.ts'
import type { Totals, Variant } from './trailer.ts'

/** One file at one location, with the readings of its frame. No reading = its framing is bad. */
export interface Frame {
  /** Who served the bytes. */
  readonly location: string
  readonly file: string
  readonly variants: readonly Variant[]
}

/** What the reader was told by the vault head, the sheet or the catalogue. */
export interface Asked {
  /** A smaller k is refused. */
  readonly k?: number | undefined
  readonly vault?: string | undefined
  readonly object?: string | undefined
  readonly version?: number | undefined
  readonly dealId?: string | undefined
}

/** A fragment that verified under K. */
export interface Member {
  readonly frame: Frame
  readonly variant: Variant
}

export interface Assembly {
  readonly common: Common
  readonly K: Bytes
  /** Empty in suite 1. */
  readonly F: Bytes
  readonly keys: DealKeys
  readonly totals: Totals
  /** META as dealt, with its padding, without its tag. */
  readonly meta: Bytes
  /** Fragments that verified, of the same TOTALS. Several may come from one location. */
  readonly members: readonly Member[]
}

export interface Blame {
  readonly frame: Frame
  readonly reason: string
}

export interface AssemblyReport {
  readonly chosen: Assembly | undefined
  /** Why nothing was chosen. */
  readonly failure: Failure | undefined
  readonly blames: readonly Blame[]
  /** Fragments with one damaged HEAD copy; still read. */
  readonly heads: readonly { readonly frame: Frame; readonly damaged: 'front' | 'trailer' }[]
  /** Fragments of another dealing that verified as well. */
  readonly conflicts: readonly Frame[]
  /** Lower generations of the chosen dealing. */
  readonly superseded: readonly Frame[]
  /** Fragments that are not what was asked for. */
  readonly refused: readonly Frame[]
  /** Fragments without k-1 companions. */
  readonly incomplete: readonly Frame[]
}

interface Group {
  readonly common: Common
  readonly candidates: readonly Member[]
}

/** Bound of the search for K in one group; C(n,k) of a writer's choice is below it. */
const SUBSETS_MAX = 2 ** 20

/** Judges frames of one object. With nothing asked, the greatest k that verifies wins, then the newest version and generation. */
export function assemble(frames: readonly Frame[], asked: Asked = {}): AssemblyReport {
  const groups = [...groupByCommon(frames).values()]
  const wanted = groups.filter((group) => matches(group.common, asked))
  const found: Assembly[] = []
  let clash: Failure | undefined
  for (const group of wanted) {
    const assemblies = search(group)
    if (assemblies.length > 1) clash = conflict(assemblies)
    found.push(...assemblies)
  }
  const ranked = found.toSorted(
    (a, b) => rank(b, asked) - rank(a, asked) || b.common.version - a.common.version || b.common.generation - a.common.generation,
  )
  const best = ranked[0]
  const rivals = ranked.filter((one) => one !== best && one.common.dealId !== best!.common.dealId)
  if (best !== undefined && rivals.some((one) => rank(one, asked) === rank(best, asked) && one.common.version === best.common.version)) {
    clash ??= conflict(ranked)
  }
  const chosen = clash === undefined ? best : undefined
  return {
    chosen,
    failure: chosen === undefined ? (clash ?? tooFew(wanted, asked)) : undefined,
    ...verdicts({ frames, wanted, found, chosen }),
  }
}

function rank(assembly: Assembly, asked: Asked): number {
  return asked.k === undefined && asked.dealId === undefined ? assembly.common.k : 0
}

function verdicts(input: {
  readonly frames: readonly Frame[]
  readonly wanted: readonly Group[]
  readonly found: readonly Assembly[]
  readonly chosen: Assembly | undefined
}): Pick<AssemblyReport, 'blames' | 'heads' | 'conflicts' | 'superseded' | 'refused' | 'incomplete'> {
  const { frames, wanted, found, chosen } = input
  const memberOf = new Map<Frame, { assembly: Assembly; member: Member }>()
  // A file with two HEAD copies may stand in two groups: the set that has a key says what it is, the chosen one before all others.
  for (const assembly of [...found.filter((one) => one !== chosen), ...(chosen === undefined ? [] : [chosen])])
    for (const member of assembly.members) memberOf.set(member.frame, { assembly, member })
  const keyed = new Set(found.map((assembly) => assembly.common))
  const blames: Blame[] = []
  const heads: { frame: Frame; damaged: 'front' | 'trailer' }[] = []
  const conflicts: Frame[] = []
  const superseded: Frame[] = []
  const refused: Frame[] = []
  const incomplete: Frame[] = []
  for (const frame of frames) {
    const place = memberOf.get(frame)
    const groups = wanted.filter((group) => group.candidates.some((candidate) => candidate.frame === frame))
    if (frame.variants.length === 0) blames.push({ frame, reason: 'its framing is damaged' })
    else if (place !== undefined) {
      const { copy } = place.member.variant
      if (copy !== 'both') heads.push({ frame, damaged: copy === 'front' ? 'trailer' : 'front' })
      if (place.assembly === chosen) continue
      if (chosen !== undefined && place.assembly.common.dealId === chosen.common.dealId) superseded.push(frame)
      else conflicts.push(frame)
    } else if (groups.length === 0) refused.push(frame)
    else if (groups.some((group) => keyed.has(group.common))) blames.push({ frame, reason: 'its manifest tag is wrong' })
    else incomplete.push(frame)
  }
  return { blames, heads, conflicts, superseded, refused, incomplete }
}

function groupByCommon(frames: readonly Frame[]): Map<string, Group> {
  const groups = new Map<string, { common: Common; candidates: Member[] }>()
  for (const frame of frames) {
    for (const variant of frame.variants) {
      const key = toHex(variant.head.commonBytes)
      const group = groups.get(key) ?? { common: variant.head.common, candidates: [] }
      group.candidates.push({ frame, variant })
      groups.set(key, group)
    }
  }
  return groups
}

function matches(common: Common, asked: Asked): boolean {
  return (
    (asked.k === undefined || common.k >= asked.k) &&
    (asked.vault === undefined || common.vault === asked.vault) &&
    (asked.object === undefined || common.object === asked.object) &&
    (asked.version === undefined || common.version === asked.version) &&
    (asked.dealId === undefined || common.dealId === asked.dealId)
  )
}

/** Every K of the group that counts: usually none or one; two are a conflict. */
function search(group: Group): Assembly[] {
  const found: Assembly[] = []
  let left = group.candidates
  for (;;) {
    const assembly = searchOnce(group.common, left)
    if (assembly === undefined) return found
    found.push(assembly)
    left = left.filter((candidate) => !assembly.members.includes(candidate))
  }
}

function searchOnce(common: Common, candidates: readonly Member[]): Assembly | undefined {
  const { k } = common
  if (distinct(candidates, location) < k || distinct(candidates, point) < k) return undefined
  let tried = 0
  for (const subset of subsets(candidates, k)) {
    tried += 1
    if (tried > SUBSETS_MAX) return undefined
    const assembly = attempt(common, subset, candidates)
    if (assembly !== undefined) return assembly
  }
  return undefined
}

/** K of one k-subset of key shares; it counts when fragments at k distinct locations verify under it and agree on TOTALS. */
function attempt(common: Common, subset: readonly Member[], candidates: readonly Member[]): Assembly | undefined {
  const K = keySecret(subset).slice(0, 32)
  const keys = deriveKeys(K, common)
  const proven = candidates.filter(({ variant }) => !variant.head.unproven && equalSecret(ktagOf(keys, variant), variant.ktag))
  const enough = distinct(proven, location) >= common.k
  // Custodians never hold K, so what they made carries no ktag: then META's tag under the same subset speaks for K.
  if (!enough && combineMeta(keys, subset) === undefined) return undefined
  const unproven = candidates.filter(({ variant }) => variant.head.unproven)
  const agreeing = agree([...proven, ...unproven])
  if (distinct(agreeing, location) < common.k) return undefined
  const meta = metaOf(keys, agreeing, common.k)
  if (meta === undefined) return undefined
  // F has no check of its own. A ktag covers the whole key share, so it is taken from fragments that verify, not from those that happened to give K.
  const [verified] = enough ? subsets(proven, common.k) : [subset]
  return { common, K, F: keySecret(verified ?? subset).slice(32), keys, totals: agreeing[0]!.variant.totals, meta, members: agreeing }
}

/** K | F of a k-subset of key shares. */
function keySecret(subset: readonly Member[]): Bytes {
  return combineBytes({ xs: subset.map(point), shares: subset.map(({ variant }) => variant.head.keyShare) })
}

function ktagOf(keys: DealKeys, variant: Variant): Bytes {
  return ktag(keys.manifestKey, { ...variant.head, totalsBytes: variant.totalsBytes, metaShare: variant.metaShare, nonce: variant.nonce })
}

/** The largest set of members with equal TOTALS. */
function agree(members: readonly Member[]): Member[] {
  const byTotals = new Map<string, Member[]>()
  for (const member of members) {
    const key = toHex(member.variant.totalsBytes)
    byTotals.set(key, [...(byTotals.get(key) ?? []), member])
  }
  return [...byTotals.values()].toSorted((a, b) => distinct(b, location) - distinct(a, location))[0] ?? []
}

/** META whose tag verifies, by trying subsets: with honest shares the first will do. */
function metaOf(keys: DealKeys, members: readonly Member[], k: number): Bytes | undefined {
  let tried = 0
  for (const subset of subsets(members, k)) {
    const meta = combineMeta(keys, subset)
    if (meta !== undefined) return meta
    tried += 1
    if (tried > SUBSETS_MAX) return undefined
  }
  return undefined
}

function combineMeta(keys: DealKeys, subset: readonly Member[]): Bytes | undefined {
  const shares = subset.map(({ variant }) => variant.metaShare)
  if (shares.some((share) => share.length !== shares[0]!.length)) return undefined
  const whole = combineBytes({ xs: subset.map(point), shares })
  const meta = whole.subarray(0, whole.length - TAG_BYTES)
  return equalSecret(metaTag(keys, meta), whole.subarray(whole.length - TAG_BYTES)) ? meta : undefined
}

/** k-subsets with distinct x and distinct locations, in the order given. */
export function* subsets<M extends Member>(members: readonly M[], k: number, from = 0, taken: readonly M[] = []): Generator<readonly M[]> {
  if (taken.length === k) {
    yield taken
    return
  }
  for (let index = from; index <= members.length - (k - taken.length); index++) {
    const member = members[index]!
    if (taken.some((other) => location(other) === location(member) || point(other) === point(member))) continue
    yield* subsets(members, k, index + 1, [...taken, member])
  }
}

function location(member: Member): string {
  return member.frame.location
}

function point(member: Member): number {
  return member.variant.head.x
}

function distinct(members: readonly Member[], key: (member: Member) => string | number): number {
  return new Set(members.map(key)).size
}

function conflict(assemblies: readonly Assembly[]): Failure {
  return new Failure('format.conflict', {
    detail: 'two dealings of one version exist, and nothing says which is meant',
    culprits: assemblies.flatMap(({ members }) => members.map(({ frame }) => frame.file)),
    next: 'Name the dealing that is meant.',
  })
}

function tooFew(wanted: readonly Group[], asked: Asked): Failure {
  const k = Math.max(asked.k ?? 0, ...wanted.map((group) => group.common.k))
  return new Failure('format.incomplete', {
    detail: k === 0 ? 'no fragment of the object was found' : `fewer than ${k} locations offer fragments that verify`,
    next: 'Bring more locations of the vault into reach.',
  })
}
