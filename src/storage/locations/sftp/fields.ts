// Numbers and strings of SSH (RFC 4251, section 5), read where there are enough bytes for them.

/** uint32, or undefined past the end. */
export function readU32(bytes: Uint8Array, at: number): number | undefined {
  if (at + 4 > bytes.length) return undefined
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** uint64 as far as JavaScript counts exactly; undefined past the end or beyond. */
export function readU64(bytes: Uint8Array, at: number): number | undefined {
  const high = readU32(bytes, at)
  const low = readU32(bytes, at + 4)
  if (high === undefined || low === undefined || high >= 2 ** 21) return undefined
  return high * 2 ** 32 + low
}

/** A string with its length in front, as a view; undefined when it does not fit. */
export function readString(bytes: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly next: number } | undefined {
  const length = readU32(bytes, at)
  if (length === undefined || at + 4 + length > bytes.length) return undefined
  return { bytes: bytes.subarray(at + 4, at + 4 + length), next: at + 4 + length }
}

/** Names that are not UTF-8 come out with replacement characters, which no name of ours has. */
export function fromUtf8Lossy(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes)
}
