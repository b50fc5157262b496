// The vault head: who the locations are and where the catalogue lies, signed, create-if-absent (docs/spec/vault.md, "Head").
import { type Bytes, concat, Failure, fromBase64, toBase64, toHex, utf8 } from '#base'
import { sha256, type Signer, type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, type Json, parseCanonical } from '#format'
import { z } from 'zod'
import { writerCertificate, writerRevocation, WRITERS_MAX } from './writers.ts'

const CONTEXT = 'fragment/1 head'
export const HEAD_BYTES_MAX = 2 ** 20

/** Far more than a vault can ever need; a number beyond it would leave no room for the next. */
const EPOCH_MAX = 2 ** 48

const id = z.string().regex(/^[0-9a-f]{32}$/)
const count = z.number().int().min(0)
const keys = z.object({ mldsa65: z.string(), ed25519: z.string() })
const reference = z.object({
  object: id,
  version: count,
  dealId: id,
  sequence: count,
  fragments: z.array(z.object({ x: count, location: id, name: z.string() })).max(255),
})

const head = z.object({
  v: z.literal(1),
  vault: id,
  epoch: z.number().int().min(1).max(EPOCH_MAX),
  k: z.number().int().min(2).max(255),
  n: z.number().int().min(2).max(255),
  layout: z.enum(['shared', 'sealed']),
  /** `leaving`: read, and given nothing new. */
  locations: z.array(z.object({ id, x: z.number().int().min(1).max(255), leaving: z.literal(true).exactOptional() })).max(255),
  catalogue: reference.nullable(),
  segments: z.array(reference).max(4096),
  previous: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  created: z.string(),
  dealer: keys,
  formerDealers: z.array(keys).max(64),
  /** The dealer of the recovery sheet, where another writer signs this head. */
  root: keys.optional(),
  writers: z.array(writerCertificate).max(WRITERS_MAX).optional(),
  revoked: z.array(writerRevocation).max(WRITERS_MAX).optional(),
  signature: keys,
})

export type HeadReference = z.infer<typeof reference>
export type VaultHead = z.infer<typeof head>

export function headName(vault: string, epoch: number): string {
  return `head/${vault}/${epoch.toString(16).padStart(16, '0')}`
}

export function headHash(bytes: Uint8Array): string {
  return toHex(sha256(bytes))
}

export function encodeKeys(given: VerifyingKeys): { mldsa65: string; ed25519: string } {
  return { mldsa65: toBase64(given.mldsa65), ed25519: toBase64(given.ed25519) }
}

export function decodeKeys(given: { readonly mldsa65: string; readonly ed25519: string }): VerifyingKeys {
  return { mldsa65: fromBase64(given.mldsa65), ed25519: fromBase64(given.ed25519) }
}

export function encodeVaultHead(unsigned: Omit<VaultHead, 'signature' | 'dealer' | 'v'>, signer: Signer): Bytes {
  const { root, writers, revoked, ...rest } = unsigned
  const several = {
    ...(root === undefined ? {} : { root }),
    ...(writers === undefined ? {} : { writers }),
    ...(revoked === undefined ? {} : { revoked }),
  }
  const body = { v: 1, ...rest, ...several, dealer: encodeKeys(signer.keys) }
  const signatures = signer.sign(signedBytes(body), CONTEXT)
  return canonicalBytes({
    ...body,
    signature: { mldsa65: toBase64(signatures.mldsa65), ed25519: toBase64(signatures.ed25519) },
  })
}

/** Parses a head and verifies both signatures under the keys that it carries. Throws `format.signature` or `format.framing`. */
export function parseVaultHead(bytes: Uint8Array): VaultHead {
  if (bytes.length > HEAD_BYTES_MAX) throw new Failure('format.framing', { detail: 'the vault head is too long' })
  let parsed: VaultHead
  let body: { readonly [name: string]: Json }
  try {
    const json = parseCanonical(bytes) as { readonly [name: string]: Json }
    parsed = head.parse(json)
    const { signature: _, ...unsigned } = json
    body = unsigned
  } catch (error) {
    throw new Failure('format.framing', { detail: 'this is not a vault head', cause: error })
  }
  const verified = verifySignatures(decodeKeys(parsed.dealer), signedBytes(body), CONTEXT, decodeKeys(parsed.signature))
  if (!verified) throw new Failure('format.signature', { detail: 'the signature of the vault head is wrong' })
  return parsed
}

function signedBytes(unsigned: Json): Bytes {
  return concat(utf8(CONTEXT), canonicalBytes(unsigned))
}
