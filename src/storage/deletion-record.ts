// The signed record of a deletion: what each location answered about each fragment (docs/spec/deletion.md).
import { type Bytes, concat, Failure, fromBase64, toBase64, utf8 } from '#base'
import { type Signer, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, dealerFingerprint, type Json, parseCanonical } from '#format'
import { z } from 'zod'

const CONTEXT = 'quorate/1 deletion'
export const DELETION_RECORD_BYTES_MAX = 2 ** 24

const id = z.string().regex(/^[0-9a-f]{32}$/)
const keys = z.object({ mldsa65: z.string(), ed25519: z.string() })

/**
 * gone = absent when asked for by name, and absent in a fresh listing; left = the location left the vault before it could be asked; the others are
 * what is awaited: not asked yet, unreachable, kept under a lock or for want of a right, denied, removed but not looked for yet, still shown.
 */
const deletionAnswer = z.enum(['gone', 'left', 'awaited', 'unreachable', 'kept', 'denied', 'removed', 'shown'])

const record = z.object({
  v: z.literal(1),
  kind: z.literal('deletion'),
  vault: id,
  deletion: id,
  path: z.string(),
  what: z.enum(['file', 'folder', 'version']),
  reason: z.enum(['removed', 'expired']),
  by: z.string(),
  at: z.string(),
  written: z.string(),
  state: z.enum(['open', 'closed']),
  stillNamed: z.number().int().min(0),
  locations: z.array(z.object({ id, label: z.string() })).max(255),
  dealings: z
    .array(
      z.object({
        dealId: id,
        fragments: z
          .array(z.object({ x: z.number().int(), location: id, name: z.string(), answer: deletionAnswer, at: z.string() }))
          .max(255),
      }),
    )
    .max(10_000),
  dealer: keys,
  signature: keys,
})

export type DeletionRecord = z.infer<typeof record>

export function encodeDeletionRecord(unsigned: Omit<DeletionRecord, 'v' | 'kind' | 'dealer' | 'signature'>, signer: Signer): Bytes {
  const dealer = { mldsa65: toBase64(signer.keys.mldsa65), ed25519: toBase64(signer.keys.ed25519) }
  const body = { v: 1, kind: 'deletion', ...unsigned, dealer }
  const made = signer.sign(signedBytes(body), CONTEXT)
  return canonicalBytes({ ...body, signature: { mldsa65: toBase64(made.mldsa65), ed25519: toBase64(made.ed25519) } })
}

/**
 * Parses a record and verifies both signatures under the keys that it carries; `dealer` is their fingerprint, which a reader compares with the
 * recovery sheet. Throws `format.framing`, `format.signature`.
 */
export function verifyDeletionRecord(bytes: Uint8Array): { readonly record: DeletionRecord; readonly dealer: string } {
  if (bytes.length > DELETION_RECORD_BYTES_MAX) throw new Failure('format.framing', { detail: 'the record is too long' })
  let parsed: DeletionRecord
  let body: Json
  let decoded: { readonly keys: { mldsa65: Bytes; ed25519: Bytes }; readonly signature: { mldsa65: Bytes; ed25519: Bytes } }
  try {
    const json = parseCanonical(bytes) as { readonly [name: string]: Json }
    parsed = record.parse(json)
    const { signature: _, ...unsigned } = json
    body = unsigned
    decoded = { keys: pair(parsed.dealer), signature: pair(parsed.signature) }
  } catch (error) {
    throw new Failure('format.framing', { detail: 'this is not a record of a deletion, or it was changed', cause: error })
  }
  if (!verifySignatures(decoded.keys, signedBytes(body), CONTEXT, decoded.signature))
    throw new Failure('format.signature', { detail: 'the signature of the record is wrong: it was changed after it was signed' })
  const open = parsed.dealings.some(({ fragments }) => fragments.some(({ answer }) => answer !== 'gone' && answer !== 'left'))
  if (open !== (parsed.state === 'open') && parsed.dealings.length > 0)
    throw new Failure('format.framing', { detail: 'the record says closed while an answer is awaited, or the other way round' })
  return { record: parsed, dealer: dealerFingerprint(decoded.keys) }
}

function pair(given: { readonly mldsa65: string; readonly ed25519: string }): { mldsa65: Bytes; ed25519: Bytes } {
  return { mldsa65: fromBase64(given.mldsa65), ed25519: fromBase64(given.ed25519) }
}

function signedBytes(unsigned: Json): Bytes {
  return concat(utf8(CONTEXT), canonicalBytes(unsigned))
}
