// Which vault the given places belong to, and the head that counts (docs/spec/vault.md, "Head").
import { Failure } from '#base'
import { dealerFingerprint, writerRoll } from '#format'
import { decodeKeys, headHash, headName, parseVaultHead, type VaultHead } from './head.ts'
import { headNames, readHead } from './head-look.ts'
import type { Location } from './location.ts'
import { type Marker, readMarker } from './place.ts'
import { type Patience, within } from './patience.ts'

export interface FoundVault {
  readonly head: VaultHead
  readonly headBytes: Uint8Array
  /** Location id for each of the given locations, in their order. */
  readonly ids: readonly string[]
  /** Ids of the vault's locations that were not given. */
  readonly missing: readonly string[]
}

const HEADS_READ_MAX = 16

/**
 * Finds which vault the locations belong to and its newest head. Places without a marker (new and empty ones) and places that do not answer
 * take the location ids that are left over. Throws when they are not of one vault, or no head verifies.
 */
export async function findVault(
  locations: readonly Location[],
  patience: Omit<Patience, 'label'>,
  told: { readonly dealer?: string | undefined; readonly vault?: string | undefined } = {},
): Promise<FoundVault> {
  const markers = await Promise.all(locations.map((location) => markerOf(location, patience)))
  const vaults = new Set(markers.flatMap((marker) => (typeof marker === 'string' ? [] : [marker.vault])))
  const [vault] = vaults
  if (vault === undefined)
    throw new Failure('storage.no-vault', {
      detail: 'none of these places holds fragments of a vault',
      next: 'Name the folders or buckets of the vault.',
    })
  if (vaults.size > 1)
    throw new Failure('location.not-ours', {
      detail: `these places belong to different vaults: ${locations.flatMap(({ label }, index) => (typeof markers[index] === 'string' ? [] : [`${label} to ${markers[index]!.vault.slice(0, 8)}`])).join(', ')}`,
      culprits: locations.map(({ label }) => label),
      next: 'Name the places of one vault only; for one that is gone name a new, empty one.',
    })
  if (told.vault !== undefined && told.vault !== vault)
    throw new Failure('storage.kit', {
      detail: `these places hold vault ${vault.slice(0, 8)}, the kit is of ${told.vault.slice(0, 8)}`,
      next: 'Take the kit of this vault, or its places.',
    })
  const heads = (await Promise.all(locations.map((location) => readHeads(location, vault, patience)))).flat()
  const vouched =
    told.dealer === undefined ? heads : heads.filter(({ head }) => dealerFingerprint(decodeKeys(head.root ?? head.dealer)) === told.dealer)
  if (vouched.length === 0 && heads.length > 0)
    throw new Failure('storage.kit', {
      detail:
        'no place has a head of the dealer whose fingerprint is on the sheet; a sheet that is older than the keys cannot vouch for later ones',
      next: 'Take the newest kit. Without one: quorate recover, and compare the fingerprint that it tells with somebody who knows it.',
    })
  const newest = trusted(vouched)
  const { head } = newest
  const marked = markers.filter((marker) => typeof marker !== 'string').length
  // With fewer the catalogue tells where the others are; which of them an unmarked place stands for, it cannot.
  if (locations.length > head.locations.length || (locations.length < head.locations.length && marked < locations.length)) {
    throw new Failure('storage.locations', {
      detail: `the vault has ${head.locations.length} locations, ${locations.length} were named`,
      next: 'Name one place for each; for those that are gone name new, empty ones, which repair fills.',
    })
  }
  if (marked < head.k) {
    throw new Failure('storage.locations', {
      detail: `${marked} of these places hold fragments of the vault, ${head.k} are needed`,
      next: 'Bring more of its places into reach; fewer tell nothing.',
    })
  }
  const taken = new Set(markers.flatMap((marker) => (typeof marker === 'string' ? [] : [marker.location])))
  const left = head.locations.map(({ id }) => id).filter((id) => !taken.has(id))
  const silent = locations.filter((_, index) => markers[index] === 'silent').map(({ label }) => label)
  // Which of the missing locations a silent place is cannot be told, unless only one is missing.
  if (silent.length > 0 && left.length > 1)
    throw new Failure('location.unreachable', {
      detail: `${silent.join(' and ')} cannot show which location of the vault it is`,
      culprits: silent,
      next: 'Bring it back, or name a new, empty place instead, which repair fills.',
    })
  const ids = markers.map((marker) => (typeof marker === 'string' ? left.shift()! : marker.location))
  if (new Set(ids).size !== ids.length || ids.some((id) => !head.locations.some((one) => one.id === id))) {
    throw new Failure('location.not-ours', {
      detail: 'a place was named twice, or is not of the newest head',
      next: 'Name each place of the vault once.',
    })
  }
  return { head, headBytes: newest.bytes, ids, missing: head.locations.map(({ id }) => id).filter((id) => !ids.includes(id)) }
}

/** `silent`: it does not answer, or its marker is damaged. */
async function markerOf(location: Location, patience: Omit<Patience, 'label'>): Promise<Marker | 'empty' | 'silent'> {
  try {
    return (await within({ ...patience, label: location.label }, (signal) => readMarker(location, signal))) ?? 'empty'
  } catch (error) {
    if (error instanceof Failure && (error.kind === 'unavailable' || error.kind === 'invalid' || error.kind === 'corrupt')) return 'silent'
    throw error
  }
}

export interface Served {
  readonly location: string
  readonly head: VaultHead
  readonly bytes: Uint8Array
}

/**
 * A head is signed by the keys it names, so any one location can write one. A dealer that knows another as former, and whose heads stand at k
 * locations, came after it; of those that nobody came after the one counts whose heads stand at the most locations, of two at equally many the
 * one that stands wherever the other does and knows it as former (docs/spec/vault.md, "Head"). Of that dealer, the newest.
 */
export function trusted(given: readonly Served[]): Served {
  const heads = inOffice(given)
  const byHash = new Map(heads.map(({ head, bytes }) => [headHash(bytes), head]))
  const dealers = [...Map.groupBy(heads, ({ head }) => keyOf(head.root ?? head.dealer))].map(([key, served]) => {
    const standing = Map.groupBy(served, ({ bytes }) => headHash(bytes))
    const places = ({ bytes }: Served): number => standing.get(headHash(bytes))!.length
    // Of one epoch the head that more places show, for only one can have counted; then the lower hash.
    const newest = served.toSorted(
      (a, b) => b.head.epoch - a.head.epoch || places(b) - places(a) || (headHash(a.bytes) < headHash(b.bytes) ? -1 : 1),
    )[0]!
    return { key, newest, former: formerOf(newest.head, byHash), locations: new Set(served.map(({ location }) => location)) }
  })
  type Dealer = (typeof dealers)[number]
  // k of either: a forger says a small one.
  const cameAfter = (one: Dealer, other: Dealer): boolean =>
    one.former.has(other.key) && one.locations.size >= Math.max(one.newest.head.k, other.newest.head.k)
  const last = dealers.filter((one) => !dealers.some((other) => other !== one && cameAfter(other, one) && !cameAfter(one, other)))
  const most = Math.max(0, ...last.map(({ locations }) => locations.size))
  const tied = last.filter(({ locations }) => locations.size === most)
  const chosen = tied.filter((one) =>
    tied.every((other) => other === one || (other.locations.isSubsetOf(one.locations) && one.former.has(other.key))),
  )
  if (chosen.length === 1) return chosen[0]!.newest
  throw tied.length === 0
    ? new Failure('storage.no-vault', {
        detail: 'no head of the vault verifies at any of these places',
        next: 'Restore the files with recovery/recover.py.',
      })
    : new Failure('format.conflict', {
        detail: 'the locations name different dealers, and equally many speak for each',
        culprits: [...new Set(tied.flatMap(({ locations }) => [...locations]))],
        next: 'Compare the fingerprint on the recovery sheet; restore with recovery/recover.py --dealer.',
      })
}

/**
 * Without heads of signers who are not certified by the dealer whom they name, or whom another head shows to be revoked: what is left counts for
 * that dealer (docs/spec/vault.md, "Writers").
 */
function inOffice(heads: readonly Served[]): Served[] {
  return [...Map.groupBy(heads, ({ head }) => keyOf(head.root ?? head.dealer))].flatMap(([, family]) => {
    const [{ head }] = family as [Served]
    const roll = writerRoll({
      vault: head.vault,
      root: decodeKeys(head.root ?? head.dealer),
      certificates: family.flatMap((one) => one.head.writers ?? []),
      revocations: family.flatMap((one) => one.head.revoked ?? []),
    })
    return family.filter((one) => roll.active.has(dealerFingerprint(decodeKeys(one.head.dealer))))
  })
}

/** Keys that a head knows as former: those it names, and those of the earlier heads that it reaches by `previous`. */
function formerOf(head: VaultHead, byHash: ReadonlyMap<string, VaultHead>): Set<string> {
  const former = new Set(head.formerDealers.map(keyOf))
  for (let at = head; at.previous !== null;) {
    const earlier = byHash.get(at.previous)
    if (earlier === undefined || earlier.epoch >= at.epoch) break
    former.add(keyOf(earlier.root ?? earlier.dealer))
    at = earlier
  }
  former.delete(keyOf(head.root ?? head.dealer))
  return former
}

export function keyOf(dealer: { readonly mldsa65: string; readonly ed25519: string }): string {
  return `${dealer.mldsa65} ${dealer.ed25519}`
}

async function readHeads(location: Location, vault: string, given: Omit<Patience, 'label'>): Promise<Served[]> {
  const patience = { ...given, label: location.label }
  let names: readonly string[]
  try {
    names = await headNames(location, { vault }, patience)
  } catch (error) {
    if (error instanceof Failure && error.kind === 'unavailable') return []
    throw error
  }
  const heads: Served[] = []
  for (const name of names.toSorted().toReversed().slice(0, HEADS_READ_MAX)) {
    try {
      const bytes = await within(patience, (signal) => readHead(location, name, signal))
      const head = parseVaultHead(bytes)
      if (head.vault === vault && name === headName(vault, head.epoch)) heads.push({ location: location.label, head, bytes })
    } catch (error) {
      // A head that is damaged is passed over: an older one, or another location's, serves.
      if (!(error instanceof Failure)) throw error
      if (error.code === 'location.stalled') break
    }
  }
  return heads
}
