// SFTP version 3 (draft-ietf-secsh-filexfer-02) and OpenSSH's extensions (its file PROTOCOL, section 4): requests as bytes, answers from bytes.
import { fromUtf8Lossy, readString, readU32, readU64 } from './fields.ts'

export const REQUEST = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rename: 18,
  extended: 200,
} as const

export const ANSWER = { version: 2, status: 101, handle: 102, data: 103, name: 104, attrs: 105, extended: 201 } as const

/** Section 7. */
export const STATUS = { ok: 0, eof: 1, noSuchFile: 2, denied: 3, failure: 4, badMessage: 5, unsupported: 8 } as const

/** Flags of open, section 6.3. */
export const OPEN = { read: 0x01, write: 0x02, create: 0x08, exclusive: 0x20 } as const

export interface Attributes {
  readonly sizeBytes: number | undefined
  readonly type: 'file' | 'folder' | 'other' | 'unknown'
  /** Seconds since 1970 by the server's clock. */
  readonly modifiedS: number | undefined
}

export interface NamedEntry {
  readonly name: string
  readonly attributes: Attributes
}

export type Answer =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'handle'; readonly handle: Uint8Array }
  | { readonly kind: 'names'; readonly entries: readonly NamedEntry[] }
  | { readonly kind: 'attributes'; readonly attributes: Attributes }
  | { readonly kind: 'extended'; readonly body: Uint8Array }
  /** The bytes went where the request said. */
  | { readonly kind: 'data'; readonly length: number }

/** A request with its length in front. Numbers are uint32, bigints uint64, text and bytes have their length in front. */
export function encodeRequest(type: number, id: number, fields: readonly (number | bigint | string | Uint8Array)[]): Uint8Array {
  const parts = fields.map((field) => (typeof field === 'string' ? Buffer.from(field, 'utf8') : field))
  const length = parts.reduce<number>(
    (sum, part) => sum + (typeof part === 'number' ? 4 : typeof part === 'bigint' ? 8 : 4 + part.length),
    5,
  )
  const out = Buffer.allocUnsafe(4 + length)
  out.writeUInt32BE(length, 0)
  out[4] = type
  out.writeUInt32BE(id, 5)
  let at = 9
  for (const part of parts) {
    if (typeof part === 'number') at = out.writeUInt32BE(part, at)
    else if (typeof part === 'bigint') at = out.writeBigUInt64BE(part, at)
    else {
      at = out.writeUInt32BE(part.length, at)
      out.set(part, at)
      at += part.length
    }
  }
  return out
}

/** Which attributes follow: the size alone, or the permissions of a new file or folder. */
export const SIZE = 0x01
export const PERMISSIONS = 0x04

/** An answer from its type and what follows the id; undefined for what is none. Texts of the server are not looked at. */
export function decodeAnswer(type: number, body: Uint8Array): Answer | undefined {
  switch (type) {
    case ANSWER.status: {
      const status = readU32(body, 0)
      return status === undefined ? undefined : { kind: 'status', status }
    }
    case ANSWER.handle: {
      const handle = readString(body, 0)
      return handle === undefined || handle.bytes.length === 0 ? undefined : { kind: 'handle', handle: handle.bytes.slice() }
    }
    case ANSWER.name:
      return decodeNames(body)
    case ANSWER.attrs: {
      const attributes = readAttributes(body, 0)
      return attributes === undefined ? undefined : { kind: 'attributes', attributes: attributes.value }
    }
    case ANSWER.extended:
      return { kind: 'extended', body: body.slice() }
    default:
      return undefined
  }
}

/** Extensions by name, from what follows the version; undefined when it is not well formed. */
export function decodeExtensions(body: Uint8Array, most: number): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>()
  for (let at = 0; at < body.length;) {
    const name = readString(body, at)
    const data = name === undefined ? undefined : readString(body, name.next)
    if (name === undefined || data === undefined || found.size >= most) return undefined
    found.set(fromUtf8Lossy(name.bytes), fromUtf8Lossy(data.bytes))
    at = data.next
  }
  return found
}

function decodeNames(body: Uint8Array): Answer | undefined {
  const count = readU32(body, 0)
  if (count === undefined) return undefined
  const entries: NamedEntry[] = []
  let at = 4
  // An entry has at least 12 bytes, so that a false count ends the loop with the body.
  for (let index = 0; index < count; index += 1) {
    const name = readString(body, at)
    const long = name === undefined ? undefined : readString(body, name.next)
    const attributes = long === undefined ? undefined : readAttributes(body, long.next)
    if (name === undefined || long === undefined || attributes === undefined) return undefined
    const { value } = attributes
    const type = value.type === 'unknown' ? typeOfLongName(long.bytes) : value.type
    entries.push({ name: fromUtf8Lossy(name.bytes), attributes: { ...value, type } })
    at = attributes.next
  }
  return { kind: 'names', entries }
}

/** Section 5. */
function readAttributes(body: Uint8Array, from: number): { readonly value: Attributes; readonly next: number } | undefined {
  const flags = readU32(body, from)
  if (flags === undefined) return undefined
  let at = from + 4
  let sizeBytes: number | undefined
  let type: Attributes['type'] = 'unknown'
  let modifiedS: number | undefined
  if ((flags & 0x01) !== 0) {
    sizeBytes = readU64(body, at)
    if (sizeBytes === undefined) return undefined
    at += 8
  }
  if ((flags & 0x02) !== 0) at += 8
  if ((flags & PERMISSIONS) !== 0) {
    const mode = readU32(body, at)
    if (mode === undefined) return undefined
    type = typeOfMode(mode)
    at += 4
  }
  if ((flags & 0x08) !== 0) {
    modifiedS = readU32(body, at + 4)
    if (modifiedS === undefined) return undefined
    at += 8
  }
  if ((flags & 0x8000_0000) !== 0) {
    const count = readU32(body, at)
    if (count === undefined) return undefined
    at += 4
    for (let index = 0; index < count; index += 1) {
      const name = readString(body, at)
      const data = name === undefined ? undefined : readString(body, name.next)
      if (data === undefined) return undefined
      at = data.next
    }
  }
  return at > body.length ? undefined : { value: { sizeBytes, type, modifiedS }, next: at }
}

function typeOfMode(mode: number): Attributes['type'] {
  const format = mode & 0o170_000
  if (format === 0o100_000) return 'file'
  if (format === 0o040_000) return 'folder'
  return format === 0 ? 'unknown' : 'other'
}

/** Servers that send no permissions send a line like that of `ls -l`. */
function typeOfLongName(line: Uint8Array): Attributes['type'] {
  if (line[0] === 0x2d) return 'file'
  return line[0] === 0x64 ? 'folder' : 'other'
}
