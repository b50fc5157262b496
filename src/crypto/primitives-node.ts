// The Node twin of `#crypto/primitives`: everything from node:crypto (OpenSSL 3.5).
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type Hash,
  type KeyObject,
  hkdfSync,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { type Bytes, concat } from '#base'
import type { Primitives, Sha256, Signatures, Signer, SigningSeeds, SingleSigner, VerifyingKeys } from './primitives.ts'

export type * from './primitives.ts'

/** Largest single request to the generator; Node refuses more than 2^31-1. */
const RANDOM_BYTES_MAX = 2 ** 26

export function randomFill(view: Uint8Array): void {
  for (let at = 0; at < view.length; at += RANDOM_BYTES_MAX) randomFillSync(view.subarray(at, at + RANDOM_BYTES_MAX))
}

export function random(length: number): Bytes {
  const bytes = new Uint8Array(length)
  randomFill(bytes)
  return bytes
}

export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function sha256Stream(): Sha256 {
  return sha256From(createHash('sha256'))
}

function sha256From(hash: Hash): Sha256 {
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
    copy: () => sha256From(hash.copy()),
  }
}

export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}

export function hkdfSha256(key: Uint8Array, info: Uint8Array, length: number): Bytes {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), info, length))
}

export function gmac(key: Uint8Array, nonce: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  for (const part of parts) cipher.setAAD(part)
  cipher.final()
  return new Uint8Array(cipher.getAuthTag())
}

export function gcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

export function gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | undefined {
  if (sealed.length < 16) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - 16))
  const opened = decipher.update(sealed.subarray(0, sealed.length - 16))
  try {
    decipher.final()
  } catch {
    opened.fill(0)
    return undefined
  }
  return new Uint8Array(opened.buffer, opened.byteOffset, opened.length)
}

export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

// DER prefixes: RFC 8410 (Ed25519), RFC 9881 (ML-DSA, seed only private key).
const ED25519_PKCS8 = Uint8Array.fromHex('302e020100300506032b657004220420')
const ED25519_SPKI = Uint8Array.fromHex('302a300506032b6570032100')
const MLDSA65_PKCS8 = Uint8Array.fromHex('3034020100300b060960864801650304031204228020')
const MLDSA65_SPKI = Uint8Array.fromHex('308207b2300b0609608648016503040312038207a100')
const MLDSA44_PKCS8 = Uint8Array.fromHex('3034020100300b060960864801650304031104228020')
const MLDSA44_SPKI = Uint8Array.fromHex('30820532300b06096086480165030403110382052100')

export function signer(seeds: SigningSeeds): Signer {
  const mldsa65 = privateKey(MLDSA65_PKCS8, seeds.mldsa65)
  const ed25519 = privateKey(ED25519_PKCS8, seeds.ed25519)
  const keys = { mldsa65: rawPublic(mldsa65, MLDSA65_SPKI), ed25519: rawPublic(ed25519, ED25519_SPKI) }
  return {
    keys,
    sign: (message, context) => ({
      mldsa65: new Uint8Array(sign(null, message, { key: mldsa65, context: Buffer.from(context) })),
      ed25519: new Uint8Array(sign(null, message, ed25519)),
    }),
  }
}

export function verifySignatures(keys: VerifyingKeys, message: Uint8Array, context: string, signatures: Signatures): boolean {
  if (keys.mldsa65.length !== 1952 || keys.ed25519.length !== 32) return false
  if (signatures.mldsa65.length !== 3309 || signatures.ed25519.length !== 64) return false
  const mldsa65 = publicKey(MLDSA65_SPKI, keys.mldsa65)
  const ed25519 = publicKey(ED25519_SPKI, keys.ed25519)
  const postQuantum = verify(null, message, { key: mldsa65, context: Buffer.from(context) }, signatures.mldsa65)
  return verify(null, message, ed25519, signatures.ed25519) && postQuantum
}

export function ed25519Signer(seed: Uint8Array): SingleSigner {
  return singleSigner(privateKey(ED25519_PKCS8, seed), ED25519_SPKI)
}

export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false
  return verify(null, message, publicKey(ED25519_SPKI, key), signature)
}

export function mldsa44Signer(seed: Uint8Array): SingleSigner {
  return singleSigner(privateKey(MLDSA44_PKCS8, seed), MLDSA44_SPKI)
}

export function verifyMldsa44(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 1312 || signature.length !== 2420) return false
  return verify(null, message, publicKey(MLDSA44_SPKI, key), signature)
}

function singleSigner(key: KeyObject, prefix: Uint8Array): SingleSigner {
  return { key: rawPublic(key, prefix), sign: (message) => new Uint8Array(sign(null, message, key)) }
}

function privateKey(prefix: Uint8Array, seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(prefix, seed)), format: 'der', type: 'pkcs8' })
}

function publicKey(prefix: Uint8Array, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(prefix, raw)), format: 'der', type: 'spki' })
}

function rawPublic(key: KeyObject, prefix: Uint8Array): Bytes {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(prefix.length))
}

void ({
  randomFill,
  random,
  sha256,
  sha256Stream,
  hmacSha256,
  hkdfSha256,
  gmac,
  gcmSeal,
  gcmOpen,
  equalSecret,
  signer,
  verifySignatures,
  ed25519Signer,
  verifyEd25519,
  mldsa44Signer,
  verifyMldsa44,
} satisfies Primitives)
