// META: what a reader learns of an object beside its bytes, and the dealer's signature (fragment.md, "Bytes").
import { type Bytes, ByteReader, concat, Failure, fromBase64, fromHex, limits, toBase64, toHex, u32, utf8 } from '#base'
import { sha256, type Signatures, type Signer, type VerifyingKeys, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, type Json, parseCanonical } from './canonical-json.ts'

/** Members of META.JSON that version 1 knows. Unknown ones are kept in `rest`. */
export interface Meta {
  readonly path: string
  readonly type: string
  /** RFC 3339, UTC. */
  readonly created: string
  readonly modified: string
  /** Bytes of the data without padding. */
  readonly size: number
  /** Hex, of the data without padding. */
  readonly sha256: string
  /** Hex SHA-256 of raw ML-DSA-65 key | raw Ed25519 key. */
  readonly dealer: string
  readonly user: string
}

export type DealerVerdict = 'verified' | 'not-verified'

const UNIT_BYTES = 512
const CONTEXT = 'fragment/1 meta'
const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/

/** The fingerprint that names a dealer. */
export function dealerFingerprint(keys: VerifyingKeys): string {
  return toHex(sha256(keys.mldsa65, keys.ed25519))
}

/** META with length and padding, signed. Its length is a multiple of 512 and at most 1 MiB. */
export function encodeMeta(meta: Meta, signer: Signer, content: Bytes): Bytes {
  const unsigned: { [name: string]: Json } = { v: 1, ...meta }
  const signatures = signer.sign(signedBytes(unsigned, content, meta.sha256), CONTEXT)
  const json = canonicalBytes({
    ...unsigned,
    signature: { mldsa65: toBase64(signatures.mldsa65), ed25519: toBase64(signatures.ed25519) },
  })
  const length = Math.ceil((4 + json.length) / UNIT_BYTES) * UNIT_BYTES
  if (length > limits.metaBytesMax) throw new Failure('base.invalid', { detail: 'the description of the object is too long' })
  const whole = new Uint8Array(length)
  whole.set(u32(json.length))
  whole.set(json, 4)
  return whole
}

export interface ParsedMeta {
  readonly meta: Meta
  readonly json: { readonly [name: string]: Json }
  readonly signatures: Signatures
}

/** Parses META exactly. Throws `format.meta`. */
export function parseMeta(bytes: Uint8Array): ParsedMeta {
  const reader = new ByteReader(bytes)
  const length = reader.u32()
  if (length > reader.remaining) refuse('its length is wrong')
  const source = reader.take(length)
  if (bytes.length !== Math.ceil((4 + length) / UNIT_BYTES) * UNIT_BYTES) refuse('it is not padded as written')
  if (reader.take(reader.remaining).some((byte) => byte !== 0)) refuse('its padding is not zero')
  const json = attempt(() => parseCanonical(source))
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return refuse('it is not an object')
  const object = json as { readonly [name: string]: Json }
  if (object['v'] !== 1) refuse('its version is unknown')
  const text = (name: string): string => {
    const value = object[name]
    return typeof value === 'string' ? value : refuse(`${name} is not a text`)
  }
  const time = (name: string): string => (RFC3339_UTC.test(text(name)) ? text(name) : refuse(`${name} is not a time`))
  const size = object['size']
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return refuse('size is not a length')
  const sha = text('sha256')
  if (!/^[0-9a-f]{64}$/.test(sha)) refuse('sha256 is not a hash')
  const signature = object['signature']
  if (signature === null || typeof signature !== 'object' || Array.isArray(signature)) return refuse('it is not signed')
  const pair = signature as { readonly [name: string]: Json }
  const { mldsa65, ed25519 } = pair
  if (typeof mldsa65 !== 'string' || typeof ed25519 !== 'string') return refuse('a signature is missing')
  return {
    meta: {
      path: text('path'),
      type: text('type'),
      created: time('created'),
      modified: time('modified'),
      size,
      sha256: sha,
      dealer: text('dealer'),
      user: text('user'),
    },
    json: object,
    signatures: attempt(() => ({ mldsa65: fromBase64(mldsa65), ed25519: fromBase64(ed25519) })),
  }
}

/** True when both signatures are the dealer's. `sha256` inside META is compared with the content by a whole read. */
export function verifyMeta(parsed: ParsedMeta, keys: VerifyingKeys, content: Bytes): boolean {
  const { signature: _, ...unsigned } = parsed.json
  return verifySignatures(keys, signedBytes(unsigned, content, parsed.meta.sha256), CONTEXT, parsed.signatures)
}

function signedBytes(unsigned: { readonly [name: string]: Json }, content: Bytes, sha: string): Bytes {
  return concat(utf8(CONTEXT), content, fromHex(sha), canonicalBytes(unsigned))
}

function attempt<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof Failure) return refuse(error.message)
    throw error
  }
}

function refuse(what: string): never {
  throw new Failure('format.meta', { detail: `the description of the object is damaged: ${what}` })
}
