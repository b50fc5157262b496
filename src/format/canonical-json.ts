// RFC 8785 (JSON Canonicalization Scheme): one byte string for one value.
import { type Bytes, Failure, fromUtf8, utf8 } from '#base'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const DEPTH_MAX = 32

/** The RFC 8785 form. Refuses lone surrogates and numbers that are not finite (sections 3.2.2.2 and 3.2.2.3). */
export function canonicalJson(value: Json, depth = 0): string {
  if (depth > DEPTH_MAX) throw new Failure('base.invalid', { detail: 'JSON is nested too deeply' })
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Failure('base.invalid', { detail: 'JSON has no such number' })
    return JSON.stringify(value)
  }
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item, depth + 1)).join(',')}]`
  const object = value as { readonly [name: string]: Json }
  // Section 3.2.3: names in the order of their UTF-16 code units, which is the order of `<` on strings.
  const names = Object.keys(object).toSorted((a, b) => (a < b ? -1 : 1))
  return `{${names.map((name) => `${text(name)}:${canonicalJson(object[name]!, depth + 1)}`).join(',')}}`
}

export function canonicalBytes(value: Json): Bytes {
  return utf8(canonicalJson(value))
}

/** Parses bytes that must be their own RFC 8785 form. Throws `base.invalid`. */
export function parseCanonical(bytes: Uint8Array): Json {
  let value: Json
  let source: string
  try {
    source = fromUtf8(bytes)
    value = JSON.parse(source) as Json
  } catch {
    throw new Failure('base.invalid', { detail: 'not JSON' })
  }
  if (canonicalJson(value) !== source) throw new Failure('base.invalid', { detail: 'JSON is not in its canonical form' })
  return value
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new Failure('base.invalid', { detail: 'a text has half a character' })
  return JSON.stringify(value)
}
