// RLE of DICOM (PS3.5, annex G): PackBits, each byte of each sample in a segment of its own, the most significant first.
import { CannotShow } from '../cannot-show.ts'

interface RleFrame {
  readonly packed: Uint8Array
  readonly pixels: number
  readonly samples: number
  readonly bytesEach: number
}

const SEGMENTS_MAX = 15

/** Samples of a pixel together, little endian. */
export function unpackRle({ packed, pixels, samples, bytesEach }: RleFrame): Uint8Array {
  if (packed.length < 64) throw new CannotShow('truncated')
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const segments = view.getUint32(0, true)
  if (segments !== samples * bytesEach || segments > SEGMENTS_MAX) throw new CannotShow('damaged', 'RLE segments')
  const result = new Uint8Array(pixels * samples * bytesEach)
  for (let segment = 0; segment < segments; segment++) {
    const first = view.getUint32(4 + segment * 4, true)
    const end = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : packed.length
    if (first < 64 || end < first || end > packed.length) throw new CannotShow('damaged', 'RLE offsets')
    const sample = Math.floor(segment / bytesEach)
    const significance = bytesEach - 1 - (segment % bytesEach)
    unpackBits(packed.subarray(first, end), result, { at: sample * bytesEach + significance, step: samples * bytesEach, count: pixels })
  }
  return result
}

function unpackBits(packed: Uint8Array, into: Uint8Array, { at, step, count }: { at: number; step: number; count: number }): void {
  let from = 0
  let done = 0
  while (done < count) {
    const control = packed[from++]
    if (control === undefined) throw new CannotShow('truncated')
    if (control === 128) continue
    const repeats = control > 128
    const length = Math.min(repeats ? 257 - control : control + 1, count - done)
    for (let index = 0; index < length; index++) {
      const byte = packed[repeats ? from : from + index]
      if (byte === undefined) throw new CannotShow('truncated')
      into[at + (done + index) * step] = byte
    }
    done += length
    from += repeats ? 1 : control + 1
  }
}
