// How bytes are spread over their 256 values: what makes noise visible as noise.

export function histogramOf(bytes: Uint8Array): readonly number[] {
  const counts = Array.from({ length: 256 }, () => 0)
  for (const byte of bytes) counts[byte]!++
  return counts
}

/** Shannon entropy of the observed frequencies, in bits per byte. */
export function entropyOf(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0
  let bits = 0
  for (const count of histogramOf(bytes)) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length)
  return bits
}

/** What uniformly random bytes give on average in a sample of this length (Miller-Madow bias, capped by the sample). */
export function entropyOfChance(length: number): number {
  if (length === 0) return 0
  return Math.max(0, Math.min(Math.log2(length), 8 - 255 / (2 * length * Math.LN2)))
}

/** Length of what stands open at the start of a fragment: magic, length and COMMON, flags, x, fragId (docs/spec/fragment.md, "Bytes"). */
export function labelBytesOf(bytes: Uint8Array): number {
  const magic = String.fromCharCode(...bytes.subarray(0, 4))
  if (magic !== 'FRG1' || bytes.length < 8) return 0
  const headLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4)
  const keyShares = bytes[8] === 2 ? 64 : 32
  return Math.max(0, Math.min(bytes.length, 8 + headLength - keyShares))
}
