// Fetching the frame of one fragment file: its tail first, its front when wanted or when the tail alone does not do.
import { Failure, isFailure, limits } from '#base'
import type { Frame } from './assembly.ts'
import { FOOT_BYTES, parseFrame, trailerLength, type Variant } from './trailer.ts'

/** A fragment file as some location serves it. Short reads throw. */
export interface FragmentFile {
  readonly location: string
  readonly file: string
  readonly sizeBytes: number
  /** The last bytes, if they were fetched already. */
  readonly tail?: Uint8Array | undefined
  read(offset: number, into: Uint8Array): Promise<void>
}

/** Enough for HEAD, TOTALS with a few runs, META and the tags of nearly every object. */
export const TAIL_BYTES = 16_384

/**
 * @param request.front true to compare both HEAD copies (scrub, recovery); false trusts the tail while it parses
 * @returns a frame without variants when the framing is bad; other failures (the location's) are thrown
 */
export async function fetchFrame(file: FragmentFile, request: { readonly front: boolean }): Promise<Frame> {
  const frame = (variants: readonly Variant[]): Frame => ({ location: file.location, file: file.file, variants })
  if (file.sizeBytes < FOOT_BYTES) return frame([])
  try {
    const tail = file.tail ?? (await readAt(file, Math.max(0, file.sizeBytes - TAIL_BYTES), Math.min(TAIL_BYTES, file.sizeBytes)))
    const length = trailerLength(tail)
    if (length > file.sizeBytes) return frame([])
    const whole = length <= tail.length ? tail.subarray(tail.length - length) : await readAt(file, file.sizeBytes - length, length)
    const trailer = whole.subarray(0, whole.length - FOOT_BYTES)
    if (!request.front) {
      try {
        return frame(parseFrame({ front: undefined, trailer, sizeBytes: file.sizeBytes }))
      } catch (error) {
        if (!isFailure(error, 'format.framing')) throw error
      }
    }
    const front = await readAt(file, 0, Math.min(file.sizeBytes, limits.headBytesMax))
    return frame(parseFrame({ front, trailer, sizeBytes: file.sizeBytes }))
  } catch (error) {
    if (error instanceof Failure && error.code === 'format.framing') return frame([])
    throw error
  }
}

async function readAt(file: FragmentFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await file.read(offset, bytes)
  return bytes
}
