// Vault heads, and which of them counts (docs/spec/vault.md, "Head").
import { concat, fromBase64, toHex, utf8 } from '#base'
import { sha256, type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, dealerFingerprint, type Json, parseCanonical } from '#format'

export const HEAD_BYTES_MAX = 2 ** 20
const CONTEXT = 'fragment/1 head'
const HEX32 = /^[0-9a-f]{32}$/

export interface Reference {
  readonly object: string
  readonly version: number
  readonly dealId: string
  readonly sequence: number
}

export interface Head {
  readonly hash: string
  readonly vault: string
  readonly epoch: number
  readonly k: number
  readonly n: number
  readonly created: string
  readonly catalogue: Reference | null
  readonly segments: readonly Reference[]
  readonly previous: string | null
  /** Fingerprint of the keys that signed it. */
  readonly dealer: string
  /** The dealer's keys first, then those it calls former. */
  readonly keys: readonly VerifyingKeys[]
  /** Places at which these very bytes stand. */
  readonly places: Set<string>
}

type Members = { readonly [name: string]: Json | undefined }

/** Parses a head and verifies its signatures under the keys that it names. Throws for anything else. */
export function parseHead(bytes: Uint8Array, name: { readonly vault: string; readonly epoch: number }): Head {
  const value = members(parseCanonical(bytes))
  const { signature, ...unsigned } = value
  const keys = pair(value['dealer'])
  const body = canonicalBytes(unsigned as Json)
  if (value['v'] !== 1 || value['vault'] !== name.vault || value['epoch'] !== name.epoch) refuse('it does not belong under its name')
  const [k, n] = [count(value['k']), count(value['n'])]
  if (k < 2 || k > n || n > 255) refuse('k and n are wrong')
  if (!verifySignatures(keys, concat(utf8(CONTEXT), body), CONTEXT, pair(signature))) refuse('its signatures do not verify')
  return {
    hash: toHex(sha256(bytes)),
    vault: name.vault,
    epoch: name.epoch,
    k,
    n,
    created: text(value['created']),
    catalogue: value['catalogue'] === null ? null : reference(value['catalogue']),
    segments: list(value['segments']).map(reference),
    previous: value['previous'] === null ? null : text(value['previous']),
    dealer: dealerFingerprint(keys),
    keys: [keys, ...list(value['formerDealers'] ?? []).map(pair)],
    places: new Set(),
  }
}

export interface Choice {
  readonly head: Head | undefined
  /** Why none of the heads was taken. */
  readonly complaint: 'other-dealer' | 'dealers-differ' | undefined
}

/** `dealer`: the fingerprint of the recovery sheet. Without it the order of dealers decides. */
export function chooseHead(heads: readonly Head[], dealer: string | undefined): Choice {
  const byHash = new Map(heads.map((head) => [head.hash, head]))
  const dealers = [...Map.groupBy(heads, (head) => head.dealer)].map(([name, family]) => {
    const newest = newestOf(family)
    return { name, newest, former: formerOf(newest, byHash), places: new Set(family.flatMap((head) => [...head.places])) }
  })
  if (dealer !== undefined) {
    const head = dealers.find(({ name }) => name === dealer)?.newest
    return { head, complaint: head === undefined && heads.length > 0 ? 'other-dealer' : undefined }
  }
  type Dealer = (typeof dealers)[number]
  // k of either: a forger says a small one.
  const cameAfter = (one: Dealer, other: Dealer): boolean =>
    one.former.has(other.name) && one.places.size >= Math.max(one.newest.k, other.newest.k)
  const last = dealers.filter((one) => !dealers.some((other) => other !== one && cameAfter(other, one) && !cameAfter(one, other)))
  const most = Math.max(0, ...last.map(({ places }) => places.size))
  const tied = last.filter(({ places }) => places.size === most)
  const chosen = tied.filter((one) =>
    tied.every((other) => other === one || (other.places.isSubsetOf(one.places) && one.former.has(other.name))),
  )
  return chosen.length === 1
    ? { head: chosen[0]!.newest, complaint: undefined }
    : { head: undefined, complaint: tied.length === 0 ? undefined : 'dealers-differ' }
}

function newestOf(family: readonly Head[]): Head {
  return family.toSorted((a, b) => b.epoch - a.epoch || (a.hash < b.hash ? -1 : 1))[0]!
}

function formerOf(head: Head, byHash: ReadonlyMap<string, Head>): Set<string> {
  const former = new Set(head.keys.slice(1).map(dealerFingerprint))
  for (let at = head; at.previous !== null;) {
    const earlier = byHash.get(at.previous)
    if (earlier === undefined || earlier.epoch >= at.epoch) break
    former.add(earlier.dealer)
    at = earlier
  }
  former.delete(head.dealer)
  return former
}

function reference(value: Json | undefined): Reference {
  const { object, version, dealId, sequence } = members(value)
  return { object: id(object), version: count(version), dealId: id(dealId), sequence: count(sequence) }
}

function pair(value: Json | undefined): VerifyingKeys {
  const { mldsa65, ed25519 } = members(value)
  return { mldsa65: fromBase64(text(mldsa65)), ed25519: fromBase64(text(ed25519)) }
}

function members(value: Json | undefined): Members {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return refuse('it is not as written')
  return value as Members
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) && value.length <= 4096 ? (value as readonly Json[]) : refuse('it is not as written')
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : refuse('it is not as written')
}

function id(value: Json | undefined): string {
  return typeof value === 'string' && HEX32.test(value) ? value : refuse('it is not as written')
}

function count(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : refuse('it is not as written')
}

function refuse(what: string): never {
  throw new Error(`this is not a vault head: ${what}`)
}
