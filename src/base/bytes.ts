// Byte strings: joining, hex, base64, big-endian integers, and a parser that never reads past its end.
import { Failure, assert } from './failure.ts'

export type Bytes = Uint8Array<ArrayBuffer>

const TEXT_ENCODER = new TextEncoder()
const TEXT_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  return TEXT_ENCODER.encode(text)
}

/** The text of UTF-8 bytes; throws a `TypeError` on bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return TEXT_DECODER.decode(bytes)
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Equality of public bytes. Secrets are compared by `equalSecret` of `#crypto/primitives`. */
export function equalPublic(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

export function toHex(bytes: Uint8Array): string {
  return bytes.toHex()
}

/** Parses lower-case hex; throws `base.invalid` on anything else. */
export function fromHex(text: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Failure('base.invalid', { detail: 'not lower-case hex' })
  return Uint8Array.fromHex(text)
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64()
}

/** Parses standard, padded, canonical base64; throws `base.invalid` on anything else. */
export function fromBase64(text: string): Bytes {
  let bytes: Bytes
  try {
    bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    throw new Failure('base.invalid', { detail: 'not base64' })
  }
  if (toBase64(bytes) !== text) throw new Failure('base.invalid', { detail: 'not canonical base64' })
  return bytes
}

export function u8(value: number): Bytes {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'u8 range')
  return Uint8Array.of(value)
}

export function u16(value: number): Bytes {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xffff, 'u16 range')
  return Uint8Array.of(value >>> 8, value & 0xff)
}

export function u32(value: number): Bytes {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, 'u32 range')
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

/** A safe integer (below 2^53) as eight bytes. */
export function u64(value: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, 'u64 range')
  return concat(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32))
}

/** Reads big-endian fields in order. Every read past the end is `code` (default `format.framing`). */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get position(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Bytes {
    assert(Number.isSafeInteger(length) && length >= 0, 'take length')
    if (length > this.remaining) throw new Failure('format.framing', { detail: 'the bytes end too early' })
    const part = this.#bytes.slice(this.#at, this.#at + length)
    this.#at += length
    return part
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    return this.u8() * 256 + this.u8()
  }

  u32(): number {
    return this.u16() * 65536 + this.u16()
  }

  /** Values of 2^53 and more are refused: nothing of ours is that large. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32()
    if (!Number.isSafeInteger(value)) throw new Failure('format.framing', { detail: 'an integer is too large' })
    return value
  }

  end(): void {
    if (this.remaining !== 0) throw new Failure('format.framing', { detail: 'bytes follow the end' })
  }
}
