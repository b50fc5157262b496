// What the Node and the browser twin of `#crypto/primitives` both offer. All calls are synchronous and bounded by their input.
import type { Bytes } from '#base'

/** Private keys are raw: the ML-DSA-65 seed (32 bytes, FIPS 204 xi) and the Ed25519 seed (32 bytes, RFC 8032). */
export interface SigningSeeds {
  readonly mldsa65: Bytes
  readonly ed25519: Bytes
}

/** Raw public keys: ML-DSA-65 1952 bytes (FIPS 204), Ed25519 32 bytes (RFC 8032). */
export interface VerifyingKeys {
  readonly mldsa65: Bytes
  readonly ed25519: Bytes
}

/** Raw signatures: ML-DSA-65 3309 bytes, Ed25519 64 bytes. */
export interface Signatures {
  readonly mldsa65: Bytes
  readonly ed25519: Bytes
}

export interface Sha256 {
  update(bytes: Uint8Array): void
  /** Ends it. */
  digest(): Bytes
  /** Another one that goes on from here. */
  copy(): Sha256
}

export interface Signer {
  readonly keys: VerifyingKeys
  /** ML-DSA-65 pure with the context (hedged), and Ed25519 pure, over the same message. */
  sign(message: Uint8Array, context: string): Signatures
}

/** One key of one algorithm, for formats of others that name which. */
export interface SingleSigner {
  /** Raw. */
  readonly key: Bytes
  sign(message: Uint8Array): Bytes
}

export interface Primitives {
  /** Fills the view from the operating system's generator; works on views of WebAssembly memory. */
  randomFill(view: Uint8Array): void
  random(length: number): Bytes
  sha256(...parts: readonly Uint8Array[]): Bytes
  sha256Stream(): Sha256
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes
  /** RFC 5869 with SHA-256, empty salt. */
  hkdfSha256(key: Uint8Array, info: Uint8Array, length: number): Bytes
  /** AES-256-GCM tag of empty plaintext over the parts as AAD (NIST SP 800-38D, GMAC). key 32, nonce 12, tag 16 bytes. */
  gmac(key: Uint8Array, nonce: Uint8Array, ...parts: readonly Uint8Array[]): Bytes
  /** AES-256-GCM; the answer is ciphertext | tag[16]. */
  gcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes
  /** Opens ciphertext | tag[16]; undefined when the tag is wrong. */
  gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | undefined
  /** Constant time for equal lengths. */
  equalSecret(a: Uint8Array, b: Uint8Array): boolean
  signer(seeds: SigningSeeds): Signer
  /** True only when both signatures verify. */
  verifySignatures(keys: VerifyingKeys, message: Uint8Array, context: string, signatures: Signatures): boolean
  /** Ed25519 pure (RFC 8032) of a seed of 32 bytes; signatures of 64. */
  ed25519Signer(seed: Uint8Array): SingleSigner
  /** False for a key or a signature of another length, too. */
  verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** ML-DSA-44 pure (FIPS 204), hedged, with an empty context, of a seed of 32 bytes; keys of 1312 bytes, signatures of 2420. */
  mldsa44Signer(seed: Uint8Array): SingleSigner
  /** False for a key or a signature of another length, too. */
  verifyMldsa44(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
