// Making what lets another site write to a vault, or write no more (docs/spec/vault.md, "Writers"); who may is told by `format/writers.ts`.
import { concat, Failure, fromBase64, toBase64 } from '#base'
import type { Signer, VerifyingKeys } from '#crypto/primitives'
import {
  certificateBytes,
  CERTIFY,
  dealerFingerprint,
  revocationBytes,
  REVOKE,
  type WriterCertificate,
  type WriterRevocation,
} from '#format'
import { z } from 'zod'

export const WRITERS_MAX = 32
const WRITER_NAME_MAX = 60
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

export function certifyWriter(
  given: { readonly vault: string; readonly keys: VerifyingKeys; readonly name: string },
  signer: Signer,
): WriterCertificate {
  const body = { keys: encoded(given.keys), name: given.name, role: 'writer' as const, by: dealerFingerprint(signer.keys) }
  return { ...body, signature: encoded(signer.sign(certificateBytes(given.vault, body), CERTIFY)) }
}

export function revokeWriter(given: { readonly vault: string; readonly writer: string }, signer: Signer): WriterRevocation {
  const body = { writer: given.writer, by: dealerFingerprint(signer.keys) }
  return { ...body, signature: encoded(signer.sign(revocationBytes(given.vault, body), REVOKE)) }
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

function encoded(given: { readonly mldsa65: Uint8Array; readonly ed25519: Uint8Array }): { mldsa65: string; ed25519: string } {
  return { mldsa65: toBase64(given.mldsa65), ed25519: toBase64(given.ed25519) }
}
