// Unpacks with what the browser brings, never more than a bound.
import { CannotShow } from './cannot-show.ts'

type Packing = 'gzip' | 'deflate' | 'deflate-raw'
type End = 'whole' | 'more' | 'broken'

const START_PIECE_BYTES = 8192

/** All of it. More than `bytesMax` is refused, so that a bomb stays small; what does not unpack is damaged. */
export async function unpack(packed: Uint8Array, packing: Packing, bytesMax: number): Promise<Uint8Array> {
  const { bytes, end } = await pull(packed, packing, bytesMax)
  if (end === 'more') throw new CannotShow('too-large', `> ${bytesMax}`)
  if (end === 'broken') throw new CannotShow('damaged', packing)
  return bytes
}

/** The beginning of it, as far as the packed bytes reach; a little of the end may be missing. */
export async function unpackStart(packed: Uint8Array, packing: Packing, bytesMax: number): Promise<Uint8Array> {
  const stream = new DecompressionStream(packing)
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  const reading = (async () => {
    try {
      while (length < bytesMax) {
        const { done, value } = await reader.read()
        if (done) return
        parts.push(value)
        length += value.length
      }
      await reader.cancel()
    } catch {
      // Cut off or broken here: what came before counts.
    }
  })()
  try {
    // In small pieces, since what waits to be read is lost when the stream breaks.
    for (let at = 0; at < packed.length; at += START_PIECE_BYTES) await writer.write(packed.slice(at, at + START_PIECE_BYTES))
    await writer.close()
  } catch {
    // As above.
  }
  await reading
  return joined(parts, Math.min(length, bytesMax))
}

async function pull(packed: Uint8Array, packing: Packing, bytesMax: number): Promise<{ readonly bytes: Uint8Array; readonly end: End }> {
  const stream = new DecompressionStream(packing)
  const writer = stream.writable.getWriter()
  // What goes wrong here is seen by the reader.
  writer.write(packed as Uint8Array<ArrayBuffer>).catch(() => undefined)
  writer.close().catch(() => undefined)
  const reader = stream.readable.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { bytes: joined(parts, length), end: 'whole' }
      length += value.length
      if (length > bytesMax) {
        await reader.cancel().catch(() => undefined)
        return { bytes: new Uint8Array(0), end: 'more' }
      }
      parts.push(value)
    }
  } catch {
    return { bytes: new Uint8Array(0), end: 'broken' }
  }
}

/** The first `length` bytes of the parts. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part.subarray(0, length - at), at)
    at += Math.min(part.length, length - at)
  }
  return bytes
}
