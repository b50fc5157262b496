// Vault heads, and which of them counts (docs/spec/vault.md, "Head").
import { concat, fromBase64, toHex, utf8 } from '#base'
import { sha256, type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import {
  canonicalBytes,
  dealerFingerprint,
  type Json,
  parseCanonical,
  type WriterCertificate,
  type WriterRevocation,
  writerRoll,
} from '#format'

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
  /** Fingerprint of the dealer of the recovery sheet, for whom the signer writes. */
  readonly dealer: string
  /** Fingerprint of the keys that signed it. */
  readonly signer: string
  readonly root: VerifyingKeys
  readonly certificates: readonly WriterCertificate[]
  readonly revocations: readonly WriterRevocation[]
  /** Keys that it calls former. */
  readonly former: readonly VerifyingKeys[]
  /** Places at which these very bytes stand. */
  readonly places: Set<string>
}

type Members = { readonly [name: string]: Json | undefined }

/** Parses a head and verifies its signatures under the keys that it names. Throws for anything else. */
export function parseHead(bytes: Uint8Array, name: { readonly vault: string; readonly epoch: number }): Head {
  const value = members(parseCanonical(bytes))
  const { signature, ...unsigned } = value
  const keys = pair(value['dealer'])
  const root = value['root'] === undefined ? keys : pair(value['root'])
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
    dealer: dealerFingerprint(root),
    signer: dealerFingerprint(keys),
    root,
    certificates: list(value['writers'] ?? []).map(certificate),
    revocations: list(value['revoked'] ?? []).map(revocation),
    former: list(value['formerDealers'] ?? []).map(pair),
    places: new Set(),
  }
}

export interface Choice {
  readonly head: Head | undefined
  /** Keys whose objects count: those who write or wrote for the dealer of the head, and those it calls former. */
  readonly keys: readonly VerifyingKeys[]
  /** Why none of the heads was taken. */
  readonly complaint: 'other-dealer' | 'dealers-differ' | undefined
}

/** `dealer`: the fingerprint of the recovery sheet. Without it the order of dealers decides. */
export function chooseHead(heads: readonly Head[], dealer: string | undefined): Choice {
  const byHash = new Map(heads.map((head) => [head.hash, head]))
  const dealers = [...Map.groupBy(heads, (head) => head.dealer)].flatMap(([name, all]) => {
    const { family, wrote } = inOffice(all)
    if (family.length === 0) return []
    const newest = newestOf(family)
    const keys = [...wrote, ...newest.former]
    return [{ name, newest, keys, former: formerOf(newest, byHash), places: new Set(family.flatMap((head) => [...head.places])) }]
  })
  if (dealer !== undefined) {
    const found = dealers.find(({ name }) => name === dealer)
    return { head: found?.newest, keys: found?.keys ?? [], complaint: found === undefined && heads.length > 0 ? 'other-dealer' : undefined }
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
    ? { head: chosen[0]!.newest, keys: chosen[0]!.keys, complaint: undefined }
    : { head: undefined, keys: [], complaint: tied.length === 0 ? undefined : 'dealers-differ' }
}

/** Heads of one dealer without those whose signer was never certified, or was revoked (docs/spec/vault.md, "Writers"). */
function inOffice(heads: readonly Head[]): { readonly family: readonly Head[]; readonly wrote: readonly VerifyingKeys[] } {
  const [first] = heads
  const roll = writerRoll({
    vault: first!.vault,
    root: first!.root,
    certificates: heads.flatMap(({ certificates }) => certificates),
    revocations: heads.flatMap(({ revocations }) => revocations),
  })
  const wrote = [...roll.active.values(), ...roll.revoked.values()].map(({ keys }) => keys)
  return { family: heads.filter(({ signer }) => roll.active.has(signer)), wrote }
}

function newestOf(family: readonly Head[]): Head {
  return family.toSorted((a, b) => b.epoch - a.epoch || b.places.size - a.places.size || (a.hash < b.hash ? -1 : 1))[0]!
}

function formerOf(head: Head, byHash: ReadonlyMap<string, Head>): Set<string> {
  const former = new Set(head.former.map(dealerFingerprint))
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

function certificate(value: Json): WriterCertificate {
  const { keys, name, role, by, signature } = members(value)
  if (role !== 'writer') refuse('it is not as written')
  return { keys: texts(keys), name: text(name), role: 'writer', by: text(by), signature: texts(signature) }
}

function revocation(value: Json): WriterRevocation {
  const { writer, by, signature } = members(value)
  return { writer: text(writer), by: text(by), signature: texts(signature) }
}

function texts(value: Json | undefined): { readonly mldsa65: string; readonly ed25519: string } {
  const { mldsa65, ed25519 } = members(value)
  return { mldsa65: text(mldsa65), ed25519: text(ed25519) }
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
