// Files packed in blocks (BGZF, SAM v1 section 4.1): each block is a gzip member of at most 64 KiB, so that reading can begin anywhere.
import { type Bytes, readExactly } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import { unpack } from '../inflate.ts'

export interface BlockPlace {
  /** Where the packed bytes of the content lie. */
  readonly first: number
  readonly length: number
  /** Where the next block begins. */
  readonly next: number
  /** Bytes of its content. */
  readonly unpackedBytes: number
}

const HEADER_BYTES = 18
const TAIL_BYTES = 8
const EXTRA_BYTES_MAX = 1024
const BLOCK_BYTES_MAX = 65_536

/** The block that begins at `at`; undefined at the end of the file. */
export async function blockAt(bytes: Bytes, at: number, signal?: AbortSignal): Promise<BlockPlace | undefined> {
  if (at >= bytes.sizeBytes) return undefined
  const header = await readExactly(bytes, at, HEADER_BYTES, signal)
  if (header[0] !== 0x1f || header[1] !== 0x8b || header[2] !== 8 || (header[3]! & 4) === 0) throw new CannotShow('damaged', 'bgzip block')
  const extraBytes = header[10]! | (header[11]! << 8)
  if (extraBytes < 6 || extraBytes > EXTRA_BYTES_MAX) throw new CannotShow('damaged', 'bgzip block')
  const extra = extraBytes === 6 ? header.subarray(12) : await readExactly(bytes, at + 12, extraBytes, signal)
  const size = blockSize(extra)
  const first = at + 12 + extraBytes
  const next = at + size
  if (size < 12 + extraBytes + TAIL_BYTES + 2) throw new CannotShow('damaged', 'bgzip block')
  if (next > bytes.sizeBytes) throw new CannotShow('truncated')
  const tail = await readExactly(bytes, next - 4, 4, signal)
  const unpackedBytes = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  if (unpackedBytes > BLOCK_BYTES_MAX) throw new CannotShow('damaged', 'bgzip block')
  return { first, length: next - TAIL_BYTES - first, next, unpackedBytes }
}

export async function unpackBlock(bytes: Bytes, block: BlockPlace, signal?: AbortSignal): Promise<Uint8Array> {
  if (block.unpackedBytes === 0) return new Uint8Array(0)
  const content = await unpack(await readExactly(bytes, block.first, block.length, signal), 'deflate-raw', BLOCK_BYTES_MAX)
  if (content.length !== block.unpackedBytes) throw new CannotShow('damaged', 'bgzip block')
  return content
}

/** All of it, up to a bound. */
export async function unpackBlocks(bytes: Bytes, bytesMax: number, signal?: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let total = 0
  for (let block = await blockAt(bytes, 0, signal); block !== undefined; block = await blockAt(bytes, block.next, signal)) {
    total += block.unpackedBytes
    if (total > bytesMax) throw new CannotShow('packed')
    parts.push(await unpackBlock(bytes, block, signal))
  }
  const whole = new Uint8Array(total)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** BSIZE of the subfield BC: length of the block less one. */
function blockSize(extra: Uint8Array): number {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra[at + 2]! | (extra[at + 3]! << 8)
    if (extra[at] === 66 && extra[at + 1] === 67 && length === 2 && at + 6 <= extra.length)
      return (extra[at + 4]! | (extra[at + 5]! << 8)) + 1
    at += 4 + length
  }
  throw new CannotShow('damaged', 'bgzip block')
}
