// One entry of the audit log: what is in the tree for ever, and what lies beside it and can be erased (docs/spec/audit.md).
import { type Bytes, concat, equalPublic, Failure, fromBase64, isFailure, toBase64, utf8 } from '#base'
import { random, sha256 } from '#crypto/primitives'
import { canonicalBytes, type Json, parseCanonical } from '../canonical-json.ts'

/** An entry is shorter than this. */
export const LEAF_BYTES_MAX = 1023
/** The personal fields of an entry, as canonical JSON. */
export const PERSONAL_BYTES_MAX = 65_536
export const SALT_BYTES = 32

export const OUTCOMES = ['allowed', 'refused', 'done', 'failed'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Leaf {
  readonly v: 1
  /** Its place in the log, from 0. */
  readonly index: number
  /** RFC 3339 in UTC with milliseconds. */
  readonly at: string
  /** What happened: a word of the closed list of the site that wrote it. */
  readonly kind: string
  /** Who: `site`, `nobody`, or `local:` or `person:` and a pseudonym. */
  readonly actor: string
  /** Whom it is about, where that is a person. */
  readonly subject?: string
  readonly object?: { readonly id: string; readonly version: number }
  readonly outcome: Outcome
  /** Why it was refused or failed. */
  readonly code?: string
  /** So many alike, of which this is the first; absent = one. */
  readonly count?: number
  /** Commitment to the personal fields, in base64. */
  readonly personal: string
}

/** What may name a person. Lies beside the log; once erased, the entry still verifies. */
export interface Personal {
  readonly actor?: { readonly id: string; readonly name: string }
  readonly subject?: { readonly id: string; readonly name: string }
  readonly path?: string
  readonly detail?: { readonly [name: string]: string | number }
}

const DOMAIN = utf8('quorate/1 audit personal\0')
const HASH_BYTES = 32
const NUMBER_MAX = 2 ** 53 - 1

const WORD = /^[a-z][a-z-]{0,31}$/
const ACTOR = /^(?:site|nobody|(?:local|person):[0-9a-f]{32})$/
const SUBJECT = /^person:[0-9a-f]{32}$/
const CODE = /^[a-z]+\.[a-z-]{1,40}$/
const OBJECT = /^[0-9a-f]{32}$/
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/** The bytes of the entry. Throws `audit.framing` for what `parseLeaf` would not take. */
export function encodeLeaf(leaf: Leaf): Bytes {
  const bytes = canonicalBytes(leaf as unknown as Json)
  parseLeaf(bytes)
  return bytes
}

/** Throws `audit.framing` for anything but the bytes that `encodeLeaf` gives. */
export function parseLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length > LEAF_BYTES_MAX) throw framing('it is too long')
  const value = canonical(bytes)
  const { v, index, at, kind, actor, subject, object, outcome, code, count, personal, ...more } = asObject(value)
  if (v !== 1) throw framing('it is of a version that this program does not know')
  if (Object.keys(more).length > 0) throw framing('it says more than it may')
  if (!isCount(index, 0)) throw framing('it does not say its place')
  if (!isText(at, MOMENT) || Number.isNaN(Date.parse(at))) throw framing('it does not say when')
  if (!isText(kind, WORD)) throw framing('it does not say what')
  if (!isText(actor, ACTOR) || (subject !== undefined && !isText(subject, SUBJECT))) throw framing('it does not say who')
  if (!(OUTCOMES as readonly unknown[]).includes(outcome)) throw framing('it does not say how it ended')
  if (code !== undefined && !isText(code, CODE)) throw framing('its code is none')
  if (count !== undefined && !isCount(count, 2)) throw framing('its count is none')
  if (object !== undefined) {
    const { id, version, ...rest } = asObject(object)
    if (!isText(id, OBJECT) || !isCount(version, 0) || Object.keys(rest).length > 0) throw framing('its object is none')
  }
  if (typeof personal !== 'string' || !isCommitment(personal)) throw framing('it has no commitment')
  return value as unknown as Leaf
}

export function newSalt(): Bytes {
  return random(SALT_BYTES)
}

/** SHA-256(domain | salt | RFC 8785 of the fields), in base64. Without the salt nobody can try names against it. */
export function commitPersonal(salt: Uint8Array, fields: Personal): string {
  return toBase64(sha256(DOMAIN, salt, personalBytes(fields)))
}

/** Whether these are the fields that the entry committed to. */
export function opensPersonal(leaf: Leaf, salt: Uint8Array, fields: Personal): boolean {
  if (salt.length !== SALT_BYTES) return false
  return equalPublic(utf8(leaf.personal), utf8(commitPersonal(salt, fields)))
}

export function personalBytes(fields: Personal): Bytes {
  const bytes = canonicalBytes(fields as unknown as Json)
  if (bytes.length > PERSONAL_BYTES_MAX) throw framing('its personal fields are too long')
  return bytes
}

/** Throws `audit.framing` for what is not shaped as personal fields; `opensPersonal` says whether they are right. */
export function parsePersonal(bytes: Uint8Array): Personal {
  if (bytes.length > PERSONAL_BYTES_MAX) throw framing('its personal fields are too long')
  const value = canonical(bytes)
  const { actor, subject, path, detail, ...more } = asObject(value)
  if (Object.keys(more).length > 0) throw framing('its personal fields say more than they may')
  for (const one of [actor, subject]) {
    if (one === undefined) continue
    const { id, name, ...rest } = asObject(one)
    if (typeof id !== 'string' || typeof name !== 'string' || Object.keys(rest).length > 0) throw framing('a person in it is none')
  }
  if (path !== undefined && typeof path !== 'string') throw framing('its path is none')
  for (const one of detail === undefined ? [] : Object.values(asObject(detail)))
    if (typeof one !== 'string' && typeof one !== 'number') throw framing('its detail is neither text nor number')
  return value as Personal
}

/** One line of a file of personal fields, beside a copy of the log. */
export type PersonalLine =
  | { readonly index: number; readonly salt: string; readonly fields: Personal }
  /** Since when they are gone. */
  | { readonly index: number; readonly erased: string }

export const PERSONAL_LINE_BYTES_MAX = PERSONAL_BYTES_MAX + 256

export function encodePersonalLine(line: PersonalLine): Bytes {
  return concat(canonicalBytes(line as unknown as Json), utf8('\n'))
}

/** One line without its newline. Throws `audit.framing`. */
export function parsePersonalLine(bytes: Uint8Array): PersonalLine {
  if (bytes.length > PERSONAL_LINE_BYTES_MAX) throw framing('its personal fields are too long')
  const { index, salt, fields, erased, ...more } = asObject(canonical(bytes))
  if (Object.keys(more).length > 0 || !isCount(index, 0)) throw framing('a line of personal fields is malformed')
  if (erased !== undefined) {
    if (!isText(erased, MOMENT) || salt !== undefined || fields !== undefined) throw framing('a line of personal fields is malformed')
    return { index, erased }
  }
  if (typeof salt !== 'string' || fields === undefined) throw framing('a line of personal fields is malformed')
  return { index, salt, fields: parsePersonal(canonicalBytes(fields)) }
}

function isCommitment(text: string): boolean {
  try {
    return fromBase64(text).length === HASH_BYTES
  } catch {
    return false
  }
}

function isText(value: Json | undefined, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isCount(value: Json | undefined, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= NUMBER_MAX
}

function asObject(value: Json | undefined): { readonly [name: string]: Json } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw framing('it is no object')
  return value as { readonly [name: string]: Json }
}

function canonical(bytes: Uint8Array): Json {
  try {
    return parseCanonical(bytes)
  } catch (error) {
    if (isFailure(error, 'base.invalid')) throw framing(error.message)
    throw error
  }
}

function framing(why: string): Failure {
  return new Failure('audit.framing', { detail: `This is no entry of an audit log: ${why}.` })
}
