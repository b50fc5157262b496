// The browser twin of `#crypto/primitives`: audited pure TypeScript (@noble), because WebCrypto is asynchronous and has no ML-DSA.
// noble's AES looks bytes up in tables. Whoever shares a processor with the page may learn of them: see docs/limitations.md.
import { gcm } from '@noble/ciphers/aes.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { ml_dsa44, ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { type Bytes, assert, concat, utf8 } from '#base'
import type { Primitives, Sha256, Signatures, Signer, SigningSeeds, SingleSigner, VerifyingKeys } from './primitives.ts'

export type * from './primitives.ts'

/** Largest single request to the generator (Web Cryptography API section 10.1.1). */
const RANDOM_BYTES_MAX = 65536

export function randomFill(view: Uint8Array): void {
  for (let at = 0; at < view.length; at += RANDOM_BYTES_MAX) {
    globalThis.crypto.getRandomValues(view.subarray(at, at + RANDOM_BYTES_MAX) as Bytes)
  }
}

export function random(length: number): Bytes {
  const bytes = new Uint8Array(length)
  randomFill(bytes)
  return bytes
}

export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hash = sha256Stream()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export function sha256Stream(): Sha256 {
  return sha256From(nobleSha256.create())
}

function sha256From(hash: ReturnType<typeof nobleSha256.create>): Sha256 {
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
    copy: () => sha256From(hash.clone()),
  }
}

export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const mac = hmac.create(nobleSha256, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

export function hkdfSha256(key: Uint8Array, info: Uint8Array, length: number): Bytes {
  return hkdf(nobleSha256, key, undefined, info, length)
}

export function gmac(key: Uint8Array, nonce: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  return gcmSeal(key, nonce, parts.length === 1 ? parts[0]! : concat(...parts), new Uint8Array(0))
}

export function gcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
  assert(key.length === 32 && nonce.length === 12, 'gcm: key of 32 bytes, nonce of 12')
  return gcm(key, nonce, aad).encrypt(plaintext)
}

export function gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | undefined {
  assert(key.length === 32 && nonce.length === 12, 'gcm: key of 32 bytes, nonce of 12')
  if (sealed.length < 16) return undefined
  try {
    return gcm(key, nonce, aad).decrypt(sealed)
  } catch {
    return undefined
  }
}

export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let different = 0
  for (let at = 0; at < a.length; at++) different |= a[at]! ^ b[at]!
  return different === 0
}

export function signer(seeds: SigningSeeds): Signer {
  const mldsa65 = ml_dsa65.keygen(seeds.mldsa65)
  const keys = { mldsa65: mldsa65.publicKey as Bytes, ed25519: ed25519.getPublicKey(seeds.ed25519) as Bytes }
  return {
    keys,
    sign: (message, context) => ({
      mldsa65: ml_dsa65.sign(message, mldsa65.secretKey, { context: utf8(context) }),
      ed25519: ed25519.sign(message, seeds.ed25519),
    }),
  }
}

export function verifySignatures(keys: VerifyingKeys, message: Uint8Array, context: string, signatures: Signatures): boolean {
  if (keys.mldsa65.length !== 1952 || keys.ed25519.length !== 32) return false
  if (signatures.mldsa65.length !== 3309 || signatures.ed25519.length !== 64) return false
  const postQuantum = ml_dsa65.verify(signatures.mldsa65, message, keys.mldsa65, { context: utf8(context) })
  // zip215: false is RFC 8032, as OpenSSL does.
  return ed25519.verify(signatures.ed25519, message, keys.ed25519, { zip215: false }) && postQuantum
}

export function ed25519Signer(seed: Uint8Array): SingleSigner {
  const secret = seed.slice()
  return { key: ed25519.getPublicKey(secret), sign: (message) => ed25519.sign(message, secret) }
}

export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false
  return ed25519.verify(signature, message, key, { zip215: false })
}

export function mldsa44Signer(seed: Uint8Array): SingleSigner {
  const { publicKey, secretKey } = ml_dsa44.keygen(seed)
  return { key: publicKey, sign: (message) => ml_dsa44.sign(message, secretKey) }
}

export function verifyMldsa44(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 1312 || signature.length !== 2420) return false
  return ml_dsa44.verify(signature, message, key)
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
