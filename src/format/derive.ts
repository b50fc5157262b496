// Everything that is computed from K and F: keys, tags, the commitment (fragment.md, "Bytes").
import { type Bytes, concat, fromHex, u32, u64, u8, utf8 } from '#base'
import { gmac, hkdfSha256, hmacSha256, sha256 } from '#crypto/primitives'
import type { Common, Head } from './header.ts'

const KEY_BYTES = 32
const META_NONCE = new Uint8Array(12).fill(0xff)
const U64_ZERO = new Uint8Array(8)

/** Survives refresh and resharing. */
export function contentId(common: Common): Bytes {
  return sha256(
    utf8('fragment/1 content'),
    u8(common.suite),
    u8(common.chunkLog2),
    fromHex(common.vault),
    fromHex(common.object),
    fromHex(common.dealId),
    u64(common.version),
  )
}

export interface DealKeys {
  readonly contentId: Bytes
  /** Kt: tags of plaintext chunks and of META. */
  readonly chunkKey: Bytes
  /** Km: ktags. */
  readonly manifestKey: Bytes
  /** Kx of one fragment. */
  fragmentKey(head: Pick<Head, 'x' | 'fragId'>): Bytes
}

export function deriveKeys(K: Uint8Array, common: Common): DealKeys {
  const content = contentId(common)
  return {
    contentId: content,
    chunkKey: hkdfSha256(K, concat(utf8('chunk'), content), KEY_BYTES),
    manifestKey: hkdfSha256(K, utf8('manifest'), KEY_BYTES),
    fragmentKey: ({ x, fragId }) =>
      hkdfSha256(K, concat(utf8('fragment'), fromHex(common.setId), u32(common.generation), u8(x), fromHex(fragId)), KEY_BYTES),
  }
}

/** F_r: one key never seals two texts under one nonce, nor too many blocks. */
export function sealKey(F: Uint8Array, content: Bytes, runSalt: Uint8Array, j: number): Bytes {
  return hkdfSha256(F, concat(utf8('sealed'), content, runSalt, u32(Math.floor(j / 65536))), KEY_BYTES)
}

/** u96 j */
export function chunkNonce(j: number): Bytes {
  return concat(U64_ZERO, u32(j))
}

/** contentId | u32 j | u8 last, 37 bytes: stands before S_j under its tag, and is the AAD of suite 2. */
export function chunkPrefix(content: Bytes, j: number, last: boolean): Bytes {
  return concat(content, u32(j), u8(last ? 1 : 0))
}

/** runSalt[8] | u32 j */
export function recordNonce(runSalt: Uint8Array, j: number): Bytes {
  return concat(runSalt, u32(j))
}

/** u32 j | u8 last, 5 bytes: stands before body_j under its ftag. */
export function recordPrefix(j: number, last: boolean): Bytes {
  return concat(u32(j), u8(last ? 1 : 0))
}

export function metaTag(keys: DealKeys, meta: Uint8Array): Bytes {
  return gmac(keys.chunkKey, META_NONCE, keys.contentId, meta)
}

export interface ManifestParts {
  readonly commonBytes: Uint8Array
  readonly unproven: boolean
  readonly x: number
  readonly fragId: string
  readonly totalsBytes: Uint8Array
  readonly keyShare: Uint8Array
  readonly metaShare: Uint8Array
  readonly nonce: Uint8Array
}

export function ktag(manifestKey: Uint8Array, parts: ManifestParts): Bytes {
  return hmacSha256(
    manifestKey,
    utf8('fragment/1 manifest'),
    parts.commonBytes,
    u8(parts.unproven ? 1 : 0),
    u8(parts.x),
    fromHex(parts.fragId),
    parts.totalsBytes,
    sha256(parts.keyShare),
    sha256(parts.metaShare),
    parts.nonce,
  )
}

/** The only thing about a fragment that may stand outside it. */
export function commitment(parts: Pick<ManifestParts, 'commonBytes' | 'x' | 'fragId' | 'nonce'> & { readonly ktag: Uint8Array }): Bytes {
  return sha256(utf8('fragment/1 commit'), parts.nonce, parts.ktag, parts.commonBytes, u8(parts.x), fromHex(parts.fragId))
}
