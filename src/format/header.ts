// HEAD and COMMON of a fragment (fragment.md, "Bytes"). Parsing is exact: whatever is not as written is refused.
import { type Bytes, ByteReader, concat, Failure, fromHex, limits, toHex, u16, u32, u64, u8, utf8, fromUtf8, assert } from '#base'

/** 1 = `shared`: every byte Shamir-shared. 2 = `sealed`: AES-256-GCM, Reed-Solomon over the ciphertext, the key shared. */
export type Suite = 1 | 2

export interface Extension {
  readonly type: number
  readonly value: Bytes
}

/** Identical in all fragments of a set. Ids are 32 lower-case hex digits. */
export interface Common {
  readonly suite: Suite
  readonly k: number
  readonly n: number
  readonly chunkLog2: number
  /** 0 = the operating system's generator, 1 = the same XOR a hardware source. */
  readonly rng: 0 | 1
  readonly vault: string
  readonly object: string
  readonly dealId: string
  readonly version: number
  readonly generation: number
  readonly setId: string
  readonly ext: readonly Extension[]
}

export interface Head {
  readonly common: Common
  readonly commonBytes: Bytes
  readonly unproven: boolean
  readonly x: number
  readonly fragId: string
  /** 32 bytes (share of K), in suite 2 64 bytes (share of K | share of F). */
  readonly keyShare: Bytes
  /** The whole HEAD as it stands in the file. */
  readonly bytes: Bytes
}

/** Type of the extension that names the dealing which this one was dealt anew from (fragment.md, "Change by a gateway"). */
const DEALT_FROM = 1
const MAGIC = utf8('FRG1')
const COMMON_FIXED_BYTES = 5 + 4 * 16 + 8 + 4 + 2
const CHUNK_LOG2_MIN = 16
const CHUNK_LOG2_MAX = 22

/** The extension of a dealing that takes the place of another one. */
export function dealtAnew(from: string): Extension {
  return { type: DEALT_FROM, value: fromHex(from) }
}

/** The dealing that this one was dealt anew from. */
export function dealtFrom({ ext }: Pick<Common, 'ext'>): string | undefined {
  const found = ext.find(({ type }) => type === DEALT_FROM)
  return found?.value.length === 16 ? toHex(found.value) : undefined
}

export function keyShareBytes(suite: Suite): number {
  return suite === 1 ? 32 : 64
}

export function encodeCommon(common: Common): Bytes {
  const ext = concat(...common.ext.flatMap(({ type, value }) => [u16(type), u16(value.length), value]))
  assert(ext.length <= limits.extBytesMax, 'ext length')
  return concat(
    Uint8Array.of(common.suite, common.k, common.n, common.chunkLog2, common.rng),
    fromHex(common.vault),
    fromHex(common.object),
    fromHex(common.dealId),
    u64(common.version),
    u32(common.generation),
    fromHex(common.setId),
    u16(ext.length),
    ext,
  )
}

export function encodeHead(head: Omit<Head, 'bytes' | 'common'>): Bytes {
  const body = concat(head.commonBytes, u8(head.unproven ? 1 : 0), u8(head.x), fromHex(head.fragId), head.keyShare)
  return concat(MAGIC, u32(body.length), body)
}

/** Parses the HEAD at the beginning of `bytes`; bytes after it are not looked at. Throws `format.framing`. */
export function parseHead(bytes: Uint8Array): Head {
  const reader = new ByteReader(bytes)
  if (fromAscii(reader.take(4)) !== 'FRG1') refuse('it does not begin with FRG1')
  const length = reader.u32()
  if (length > limits.headBytesMax) refuse('HEAD is too long')
  const body = new ByteReader(reader.take(length))
  const { common, commonBytes } = takeCommon(body)
  const flags = body.u8()
  if (flags > 1) refuse('unknown flags')
  const x = body.u8()
  if (x === 0) refuse('x is 0')
  const fragId = toHex(body.take(16))
  const keyShare = body.take(keyShareBytes(common.suite))
  body.end()
  return { common, commonBytes, unproven: flags === 1, x, fragId, keyShare, bytes: bytes.slice(0, 8 + length) }
}

/** Parses COMMON alone, exactly. */
export function parseCommon(bytes: Uint8Array): Common {
  const reader = new ByteReader(bytes)
  const { common } = takeCommon(reader)
  reader.end()
  return common
}

function takeCommon(reader: ByteReader): { common: Common; commonBytes: Bytes } {
  const fixed = reader.take(COMMON_FIXED_BYTES)
  const fields = new ByteReader(fixed)
  const suite = fields.u8()
  const k = fields.u8()
  const n = fields.u8()
  const chunkLog2 = fields.u8()
  const rng = fields.u8()
  if (suite !== 1 && suite !== 2) refuse('unknown suite')
  if (k < 2 || k > n) refuse('impossible k and n')
  if (chunkLog2 < CHUNK_LOG2_MIN || chunkLog2 > CHUNK_LOG2_MAX) refuse('chunk size out of range')
  if (rng !== 0 && rng !== 1) refuse('unknown rng')
  const vault = toHex(fields.take(16))
  const object = toHex(fields.take(16))
  const dealId = toHex(fields.take(16))
  const version = fields.u64()
  const generation = fields.u32()
  const setId = toHex(fields.take(16))
  const extLength = fields.u16()
  if (extLength > limits.extBytesMax) refuse('ext is too long')
  const extBytes = reader.take(extLength)
  const ext = parseExt(extBytes)
  return {
    common: { suite, k, n, chunkLog2, rng, vault, object, dealId, version, generation, setId, ext },
    commonBytes: concat(fixed, extBytes),
  }
}

/** Type 1 is known; unknown odd ones are ignored, unknown even ones refused. */
function parseExt(bytes: Uint8Array): Extension[] {
  const reader = new ByteReader(bytes)
  const ext: Extension[] = []
  let before = -1
  while (reader.remaining > 0) {
    const type = reader.u16()
    if (type <= before) refuse('ext types do not rise')
    if (type % 2 === 0) refuse('ext holds an unknown even type')
    before = type
    ext.push({ type, value: reader.take(reader.u16()) })
  }
  return ext
}

function fromAscii(bytes: Uint8Array): string {
  return bytes.every((byte) => byte < 0x80) ? fromUtf8(bytes) : ''
}

function refuse(what: string): never {
  throw new Failure('format.framing', { detail: `not a fragment: ${what}` })
}
