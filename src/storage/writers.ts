// Who may write to a vault: certificates and their revocation, rooted in the dealer of the recovery sheet (docs/spec/vault.md, "Writers").
import { type Bytes, concat, Failure, fromBase64, toBase64, utf8 } from '#base'
import { type Signer, type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, dealerFingerprint } from '#format'
import { z } from 'zod'

export const WRITERS_MAX = 32
export const WRITER_NAME_MAX = 60
const CERTIFY = 'fragment/1 writer'
const REVOKE = 'fragment/1 writer gone'
const KEY_LINE = 'quorate-writer-1 '
const MLDSA65_BYTES = 1952
const ED25519_BYTES = 32

const keys = z.object({ mldsa65: z.string().max(6000), ed25519: z.string().max(200) })
const fingerprint = z.string().regex(/^[0-9a-f]{64}$/)

/** A name that people gave to a site: no control characters and no slash, since it becomes part of file names. */
export const writerName = z
  .string()
  .min(1)
  .max(WRITER_NAME_MAX)
  .regex(/^[^\p{Cc}/\\]+$/u)

export const writerCertificate = z.object({ keys, name: writerName, role: z.literal('writer'), by: fingerprint, signature: keys })
export const writerRevocation = z.object({ writer: fingerprint, by: fingerprint, signature: keys })
export type WriterCertificate = z.infer<typeof writerCertificate>
export type WriterRevocation = z.infer<typeof writerRevocation>

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

export function certifyWriter(
  given: { readonly vault: string; readonly keys: VerifyingKeys; readonly name: string },
  signer: Signer,
): WriterCertificate {
  const body = { keys: encoded(given.keys), name: given.name, role: 'writer' as const, by: dealerFingerprint(signer.keys) }
  return { ...body, signature: encoded(signer.sign(certified(given.vault, body), CERTIFY)) }
}

export function revokeWriter(given: { readonly vault: string; readonly writer: string }, signer: Signer): WriterRevocation {
  const body = { writer: given.writer, by: dealerFingerprint(signer.keys) }
  return { ...body, signature: encoded(signer.sign(revoked(given.vault, body), REVOKE)) }
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
  const rootPrint = dealerFingerprint(root)
  const active = new Map<string, KnownWriter>([[rootPrint, { fingerprint: rootPrint, keys: root, name: '', by: [] }]])
  const gone = new Map<string, KnownWriter>()
  /** Everybody above, for each who may write. */
  const above = new Map<string, ReadonlySet<string>>([[rootPrint, new Set()]])
  // Each round brings at least one new writer, or is the last.
  for (let round = 0; round <= given.certificates.length; round++) {
    let found = false
    for (const certificate of given.certificates) {
      const issuer = active.get(certificate.by)
      if (issuer === undefined) continue
      const subject = readKeys(certificate.keys)
      if (subject === undefined) continue
      const print = dealerFingerprint(subject)
      const known = active.get(print) ?? gone.get(print)
      if (print === rootPrint || known?.by.includes(certificate.by) === true || above.get(certificate.by)!.has(print)) continue
      if (!signedBy(issuer.keys, certified(vault, bodyOf(certificate)), CERTIFY, certificate.signature)) continue
      const writer = { fingerprint: print, keys: subject, name: certificate.name, by: [...(known?.by ?? []), certificate.by] }
      const ancestors = new Set([...(above.get(print) ?? []), certificate.by, ...above.get(certificate.by)!])
      above.set(print, ancestors)
      const revocation = given.revocations.some(
        ({ writer: target, by, signature }) =>
          target === print &&
          ancestors.has(by) &&
          active.has(by) &&
          signedBy(active.get(by)!.keys, revoked(vault, { writer: target, by }), REVOKE, signature),
      )
      if (revocation || gone.has(print)) {
        gone.set(print, writer)
        active.delete(print)
      } else active.set(print, writer)
      found = true
    }
    if (!found) break
  }
  // Those whom only a revoked writer certified were never reached, or were reached before he was found revoked.
  for (const [print, writer] of active)
    if (print !== rootPrint && !reaches(writer, active, rootPrint)) {
      active.delete(print)
      gone.set(print, writer)
    }
  return { active, revoked: gone }
}

function reaches(writer: KnownWriter, active: ReadonlyMap<string, KnownWriter>, root: string): boolean {
  const seen = new Set<string>()
  let waiting = [writer.fingerprint]
  while (waiting.length > 0) {
    const next: string[] = []
    for (const print of waiting) {
      if (print === root) return true
      if (seen.has(print)) continue
      seen.add(print)
      next.push(...(active.get(print)?.by ?? []))
    }
    waiting = next
  }
  return false
}

/** The public keys as one line that a person can carry to another site. */
export function writerKeyLine(given: VerifyingKeys): string {
  return KEY_LINE + toBase64(concat(given.mldsa65, given.ed25519))
}

/** Throws `base.invalid` for anything but such a line. */
export function parseWriterKeyLine(line: string): VerifyingKeys {
  const text = line.trim()
  try {
    if (!text.startsWith(KEY_LINE)) throw new Error('another beginning')
    const bytes = fromBase64(text.slice(KEY_LINE.length).trim())
    if (bytes.length !== MLDSA65_BYTES + ED25519_BYTES) throw new Error('another length')
    return { mldsa65: bytes.slice(0, MLDSA65_BYTES), ed25519: bytes.slice(MLDSA65_BYTES) }
  } catch (error) {
    throw new Failure('base.invalid', {
      detail: 'this is not the key line of a writer',
      next: 'Give the whole line that `quorate writer key` prints on the other site.',
      cause: error,
    })
  }
}

function bodyOf({ keys: subject, name, role, by }: WriterCertificate): Omit<WriterCertificate, 'signature'> {
  return { keys: subject, name, role, by }
}

function certified(vault: string, body: Omit<WriterCertificate, 'signature'>): Bytes {
  return concat(utf8(CERTIFY), canonicalBytes({ ...body, vault }))
}

function revoked(vault: string, body: Omit<WriterRevocation, 'signature'>): Bytes {
  return concat(utf8(REVOKE), canonicalBytes({ ...body, vault }))
}

function encoded(given: { readonly mldsa65: Uint8Array; readonly ed25519: Uint8Array }): { mldsa65: string; ed25519: string } {
  return { mldsa65: toBase64(given.mldsa65), ed25519: toBase64(given.ed25519) }
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
