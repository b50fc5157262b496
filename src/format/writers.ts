// Who may write to a vault: certificates and their revocation, rooted in the dealer of the recovery sheet (docs/spec/vault.md, "Writers").
import { type Bytes, concat, fromBase64, utf8 } from '#base'
import { type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import { canonicalBytes } from './canonical-json.ts'
import { dealerFingerprint } from './meta.ts'

export const CERTIFY = 'fragment/1 writer'
export const REVOKE = 'fragment/1 writer gone'
const MLDSA65_BYTES = 1952
const ED25519_BYTES = 32

interface Pair {
  readonly mldsa65: string
  readonly ed25519: string
}

/** As heads carry them; strings are standard base64. */
export interface WriterCertificate {
  readonly keys: Pair
  readonly name: string
  readonly role: 'writer'
  /** Fingerprint of who signs it. */
  readonly by: string
  readonly signature: Pair
}

export interface WriterRevocation {
  /** Fingerprint. */
  readonly writer: string
  readonly by: string
  readonly signature: Pair
}

export interface KnownWriter {
  readonly fingerprint: string
  readonly keys: VerifyingKeys
  readonly name: string
  /** Fingerprints of those whose certificates count. */
  readonly by: readonly string[]
}

export interface WriterRoll {
  /** May write now, the dealer first. */
  readonly active: ReadonlyMap<string, KnownWriter>
  /** Wrote once; what they dealt before stays readable, their heads count no more. */
  readonly revoked: ReadonlyMap<string, KnownWriter>
}

/**
 * Who may write: from the dealer down, whoever holds a certificate of somebody who may, and was not revoked by somebody above. A writer who is
 * revoked takes those with him whom nobody else certified, for a stolen key could have made them.
 */
export function writerRoll(given: {
  readonly vault: string
  readonly root: VerifyingKeys
  readonly certificates: readonly WriterCertificate[]
  readonly revocations: readonly WriterRevocation[]
}): WriterRoll {
  const { vault, root } = given
  const first = dealerFingerprint(root)
  const known = new Map<string, KnownWriter>([[first, { fingerprint: first, keys: root, name: '', by: [] }]])
  const above = (print: string): ReadonlySet<string> => {
    const found = new Set<string>()
    for (let waiting = known.get(print)?.by ?? []; waiting.length > 0;) {
      for (const one of waiting) found.add(one)
      waiting = waiting.flatMap((one) => known.get(one)!.by).filter((one) => !found.has(one))
    }
    return found
  }
  // In an order that is the same for every reader, whichever heads it heard first.
  const certificates = given.certificates
    .flatMap((certificate) => {
      const keys = readKeys(certificate.keys)
      return keys === undefined ? [] : [{ certificate, keys, print: dealerFingerprint(keys) }]
    })
    .toSorted((a, b) => (`${a.print}${a.certificate.by}` < `${b.print}${b.certificate.by}` ? -1 : 1))
  // Each round brings at least one certificate, or is the last.
  for (let found = true; found;) {
    found = false
    for (const { certificate, keys, print } of certificates) {
      const issuer = known.get(certificate.by)
      const standing = known.get(print)
      if (issuer === undefined || print === first || standing?.by.includes(certificate.by) === true) continue
      if (print === certificate.by || above(certificate.by).has(print)) continue
      if (!signedBy(issuer.keys, certificateBytes(vault, bodyOf(certificate)), CERTIFY, certificate.signature)) continue
      known.set(print, {
        fingerprint: print,
        keys,
        name: standing?.name ?? certificate.name,
        by: [...(standing?.by ?? []), certificate.by],
      })
      found = true
    }
  }
  const judged = new Map<string, boolean>([[first, true]])
  // Ends, since nobody stands above himself.
  const mayWrite = (print: string): boolean => {
    const before = judged.get(print)
    if (before !== undefined) return before
    judged.set(print, false)
    const certified = known.get(print)!.by.some(mayWrite)
    const gone = given.revocations.some(
      ({ writer, by, signature }) =>
        writer === print &&
        above(print).has(by) &&
        mayWrite(by) &&
        signedBy(known.get(by)!.keys, revocationBytes(vault, { writer, by }), REVOKE, signature),
    )
    judged.set(print, certified && !gone)
    return certified && !gone
  }
  const all = [...known.values()]
  const pairs = (which: readonly KnownWriter[]): Map<string, KnownWriter> => new Map(which.map((one) => [one.fingerprint, one]))
  return {
    active: pairs(all.filter(({ fingerprint }) => mayWrite(fingerprint))),
    revoked: pairs(all.filter(({ fingerprint }) => !mayWrite(fingerprint))),
  }
}

function bodyOf({ keys: subject, name, role, by }: WriterCertificate): Omit<WriterCertificate, 'signature'> {
  return { keys: subject, name, role, by }
}

/** What is signed. */
export function certificateBytes(vault: string, body: Omit<WriterCertificate, 'signature'>): Bytes {
  return concat(utf8(CERTIFY), canonicalBytes({ ...body, keys: { ...body.keys }, vault }))
}

export function revocationBytes(vault: string, body: Omit<WriterRevocation, 'signature'>): Bytes {
  return concat(utf8(REVOKE), canonicalBytes({ ...body, vault }))
}

function readKeys(given: { readonly mldsa65: string; readonly ed25519: string }): VerifyingKeys | undefined {
  try {
    const found = { mldsa65: fromBase64(given.mldsa65), ed25519: fromBase64(given.ed25519) }
    return found.mldsa65.length === MLDSA65_BYTES && found.ed25519.length === ED25519_BYTES ? found : undefined
  } catch {
    return undefined
  }
}

function signedBy(
  by: VerifyingKeys,
  message: Bytes,
  context: string,
  signature: { readonly mldsa65: string; readonly ed25519: string },
): boolean {
  try {
    return verifySignatures(by, message, context, { mldsa65: fromBase64(signature.mldsa65), ed25519: fromBase64(signature.ed25519) })
  } catch {
    return false
  }
}
