// TOTALS and TRAILER, and the reading of a fragment's frame from its tail (fragment.md, "Bytes").
import { type Bytes, ByteReader, concat, equalPublic, Failure, limits, toHex, fromHex, u16, u32, u64, utf8 } from '#base'
import { type Head, parseHead } from './header.ts'
import { recordShape, type RecordShape, SALT_BYTES, TAG_BYTES } from './padding.ts'

/** A run begins at `firstRecord` and gives its salt (16 hex digits) to every record up to the next run. */
export interface Run {
  readonly firstRecord: number
  readonly runSalt: string
}

export interface Totals {
  readonly paddedLen: number
  readonly m: number
  readonly runs: readonly Run[]
}

export const FOOT_BYTES = 8
const MAGIC_END = '1GRF'
const KTAG_BYTES = 32
const NONCE_BYTES = 64
const META_UNIT_BYTES = 512

export function encodeTotals(totals: Totals): Bytes {
  const runs = totals.runs.map(({ firstRecord, runSalt }) => concat(u32(firstRecord), fromHex(runSalt)))
  return concat(u64(totals.paddedLen), u32(totals.m), u16(totals.runs.length), ...runs)
}

function takeTotals(reader: ByteReader): Totals {
  const paddedLen = reader.u64()
  const m = reader.u32()
  const r = reader.u16()
  if (r === 0) refuse('no run')
  const runs: Run[] = []
  for (let index = 0; index < r; index++) {
    const firstRecord = reader.u32()
    const before = runs.at(-1)?.firstRecord
    if (before === undefined ? firstRecord !== 0 : firstRecord <= before) refuse('runs do not rise from 0')
    if (firstRecord >= m) refuse('a run begins behind the last record')
    runs.push({ firstRecord, runSalt: toHex(reader.take(SALT_BYTES)) })
  }
  return { paddedLen, m, runs }
}

/** The salt of record j, 8 bytes. */
export function saltOf(totals: Totals, j: number): Bytes {
  let low = 0
  let high = totals.runs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (totals.runs[middle]!.firstRecord <= j) low = middle
    else high = middle - 1
  }
  return fromHex(totals.runs[low]!.runSalt)
}

export interface TrailerParts {
  readonly head: Bytes
  readonly totals: Bytes
  readonly metaShare: Uint8Array
  readonly ktag: Bytes
  readonly nonce: Bytes
}

/** TRAILER with its foot: what stands behind the last record. */
export function encodeTrailer(parts: TrailerParts): Bytes {
  const trailer = concat(parts.head, parts.totals, parts.metaShare, parts.ktag, parts.nonce)
  if (trailer.length > limits.trailerBytesMax) throw new Failure('base.invalid', { detail: 'the object has too many runs' })
  return concat(trailer, u32(trailer.length), utf8(MAGIC_END))
}

/** One reading of a frame; two are possible while the HEAD copies differ, and ktag decides. */
export interface Variant {
  readonly copy: 'both' | 'front' | 'trailer'
  readonly head: Head
  readonly totals: Totals
  readonly totalsBytes: Bytes
  readonly metaShare: Bytes
  readonly ktag: Bytes
  readonly nonce: Bytes
  readonly shape: RecordShape
}

/** Bytes of the trailer with its foot, read from the last bytes of a fragment (at least 8). Throws `format.framing`. */
export function trailerLength(tail: Uint8Array): number {
  if (tail.length < FOOT_BYTES) refuse('it is too short')
  const foot = new ByteReader(tail.subarray(tail.length - FOOT_BYTES))
  const length = foot.u32()
  const magic = foot.take(4)
  if (!equalPublic(magic, utf8(MAGIC_END))) refuse('it does not end with 1GRF')
  if (length > limits.trailerBytesMax) refuse('TRAILER is too long')
  return length + FOOT_BYTES
}

/**
 * All readings of a frame whose lengths add up to the file exactly.
 * @param front the first bytes of the file, or undefined when they were not fetched
 * @param trailer TRAILER without its foot
 * @throws `format.framing` when there is none
 */
export function parseFrame(request: {
  readonly front: Uint8Array | undefined
  readonly trailer: Uint8Array
  readonly sizeBytes: number
}): readonly Variant[] {
  const front = request.front === undefined ? undefined : attempt(() => parseHead(request.front!))
  const behind = attempt(() => parseHead(request.trailer))
  const heads: { copy: Variant['copy']; head: Head }[] = []
  if (front?.value !== undefined && behind?.value !== undefined && equalPublic(front.value.bytes, behind.value.bytes)) {
    heads.push({ copy: 'both', head: front.value })
  } else {
    if (behind?.value !== undefined) heads.push({ copy: 'trailer', head: behind.value })
    if (front?.value !== undefined) heads.push({ copy: 'front', head: front.value })
  }
  const variants: Variant[] = []
  let reason = front?.reason ?? behind?.reason
  for (const { copy, head } of heads) {
    const parsed = attempt(() => parseVariant(copy, head, request))
    if (parsed.value !== undefined) variants.push(parsed.value)
    else reason = parsed.reason
  }
  if (variants.length === 0) throw reason ?? new Failure('format.framing')
  return variants
}

function parseVariant(copy: Variant['copy'], head: Head, request: { readonly trailer: Uint8Array; readonly sizeBytes: number }): Variant {
  const reader = new ByteReader(request.trailer)
  reader.take(head.bytes.length)
  const begin = reader.position
  const totals = takeTotals(reader)
  const totalsBytes = request.trailer.slice(begin, reader.position)
  const metaShareBytes = reader.remaining - KTAG_BYTES - NONCE_BYTES
  const metaBytes = metaShareBytes - TAG_BYTES
  if (metaBytes < META_UNIT_BYTES || metaBytes % META_UNIT_BYTES !== 0 || metaBytes > limits.metaBytesMax)
    refuse('META has an impossible length')
  const metaShare = reader.take(metaShareBytes)
  const ktag = reader.take(KTAG_BYTES)
  const nonce = reader.take(NONCE_BYTES)
  reader.end()
  if (totals.paddedLen < 1024) refuse('paddedLen is too small')
  const shape = recordShape(head.common, totals.paddedLen)
  if (shape.m !== totals.m) refuse('paddedLen and the number of records differ')
  if (head.bytes.length + shape.totalBytes + request.trailer.length + FOOT_BYTES !== request.sizeBytes)
    refuse('lengths do not add up to the file')
  if (head.unproven && ktag.some((byte) => byte !== 0)) refuse('unproven, yet it has a ktag')
  return { copy, head, totals, totalsBytes, metaShare, ktag, nonce, shape }
}

function attempt<T>(work: () => T): { readonly value: T | undefined; readonly reason: Failure | undefined } {
  try {
    return { value: work(), reason: undefined }
  } catch (error) {
    if (error instanceof Failure && error.code === 'format.framing') return { value: undefined, reason: error }
    throw error
  }
}

function refuse(what: string): never {
  throw new Failure('format.framing', { detail: `not a fragment: ${what}` })
}
