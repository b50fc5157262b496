// What a frame of Zstandard would unpack to, from its headers alone (RFC 8878, section 3.1.1): a small file must not ask for all memory.

const MAGIC = 0xfd2fb528
const BLOCK_BYTES_MAX = 128 * 1024
/** Encoders write blocks of 128 KiB; those that flush more often are still within this. */
const BLOCK_BYTES_USUAL = 8192
const BLOCKS_SPARE = 16

/** False for what is no single frame, says that it is larger than `bytesMax`, or has far more blocks than so many bytes need. */
export function unpacksWithin(frame: Uint8Array, bytesMax: number): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < 6 || view.getUint32(0, true) !== MAGIC) return false
  const descriptor = frame[4]!
  const single = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  let at = 5
  if (!single) {
    const window = frame[at++]!
    const base = 2 ** (10 + (window >> 3))
    if (base + (base / 8) * (window & 7) > Math.max(bytesMax, 8 * 2 ** 20)) return false
  }
  at += dictionaryBytes
  if (at + sizeBytes > frame.length) return false
  if (sizeBytes > 0) {
    const size =
      sizeBytes === 1
        ? view.getUint8(at)
        : sizeBytes === 2
          ? view.getUint16(at, true) + 256
          : sizeBytes === 4
            ? view.getUint32(at, true)
            : Number(view.getBigUint64(at, true))
    if (size > bytesMax) return false
  }
  at += sizeBytes
  let plain = 0
  for (let blocks = 0; blocks <= bytesMax / BLOCK_BYTES_USUAL + BLOCKS_SPARE; blocks++) {
    if (at + 3 > frame.length) return false
    const header = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16)
    const [last, kind, size] = [(header & 1) === 1, (header >> 1) & 3, header >> 3]
    if (size > BLOCK_BYTES_MAX || kind === 3) return false
    if (kind < 2) plain += size
    if (plain > bytesMax) return false
    // A run is one byte, however long.
    at += 3 + (kind === 1 ? 1 : size)
    if (last) return at + ((descriptor & 4) !== 0 ? 4 : 0) === frame.length
  }
  return false
}
