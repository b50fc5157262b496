// Signed notes and verifier keys (c2sp.org/signed-note): a text, and who signed it.
import { type Bytes, concat, Failure, fromBase64, fromUtf8, toBase64, toHex, u8, utf8 } from '#base'
import { sha256 } from '#crypto/primitives'

/** Room for 32 signatures of the largest kind; the specification asks for 16. */
export const NOTE_BYTES_MAX = 262_144
const SIGNATURES_MAX = 64
const NAME_BYTES_MAX = 255
const ID_BYTES = 4

/** Signature types of the specification that we know: Ed25519 over the text, and ML-DSA-44 cosignatures (c2sp.org/tlog-cosignature). */
export const ED25519 = 0x01
export const MLDSA44 = 0x06
const KEY_BYTES: Readonly<Record<number, number>> = { [ED25519]: 32, [MLDSA44]: 1312 }

export interface VerifierKey {
  readonly name: string
  /** Hex of four bytes. */
  readonly id: string
  readonly type: typeof ED25519 | typeof MLDSA44
  /** Raw public key. */
  readonly key: Bytes
}

export interface NoteSignature {
  readonly name: string
  /** Hex of four bytes. */
  readonly id: string
  /** What follows the id. */
  readonly signature: Bytes
}

export interface Note {
  /** Ends with a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Throws `audit.framing`. Verifies nothing. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) throw framing('it is too long')
  const whole = decoded(bytes)
  if (Array.from(whole).some((mark) => mark < ' ' && mark !== '\n')) throw framing('it has control characters')
  const at = whole.lastIndexOf('\n\n')
  if (at < 0 || !whole.endsWith('\n')) throw framing('no signatures follow a blank line')
  const lines = whole.slice(at + 2, -1).split('\n')
  if (lines.length > SIGNATURES_MAX) throw framing('it has too many signatures')
  return { text: whole.slice(0, at + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const found = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line)
  const [, name = '', encoded = ''] = found ?? []
  if (found === null || !isName(name)) throw framing('a line of a signature is malformed')
  const bytes = unbase64(encoded)
  if (bytes.length <= ID_BYTES) throw framing('a signature is too short')
  return { name, id: toHex(bytes.subarray(0, ID_BYTES)), signature: bytes.slice(ID_BYTES) }
}

export function encodeNote({ text, signatures }: Note): Bytes {
  const lines = signatures.map(({ name, id, signature }) => `— ${name} ${toBase64(concat(Uint8Array.fromHex(id), signature))}\n`)
  return utf8(`${text}\n${lines.join('')}`)
}

/** Section "Verifier keys". */
export function encodeKey({ name, id, type, key }: VerifierKey): string {
  return `${name}+${id}+${toBase64(concat(u8(type), key))}`
}

/** Throws `audit.framing`, also for types that we do not know. */
export function parseKey(text: string): VerifierKey {
  const found = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,2000})$/.exec(text)
  const [, name = '', id = '', encoded = ''] = found ?? []
  if (found === null || !isName(name)) throw framing('this is no verifier key')
  const bytes = unbase64(encoded)
  const [type = 0] = bytes
  if ((type !== ED25519 && type !== MLDSA44) || bytes.length !== 1 + KEY_BYTES[type]!) throw framing('a verifier key is of an unknown type')
  const made = verifierKey(name, type, bytes.slice(1))
  if (made.id !== id) throw framing('the id of a verifier key is not that of its key')
  return made
}

export function verifierKey(name: string, type: VerifierKey['type'], key: Bytes): VerifierKey {
  if (!isName(name)) throw framing('a key must have a name without spaces and plus signs')
  const id = toHex(sha256(utf8(`${name}\n`), u8(type), key).subarray(0, ID_BYTES))
  return { name, id, type, key }
}

function isName(name: string): boolean {
  return name !== '' && !/[\s+\p{Z}\p{Cc}]/u.test(name) && name.isWellFormed() && utf8(name).length <= NAME_BYTES_MAX
}

function decoded(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    throw framing('it is not UTF-8')
  }
}

function unbase64(text: string): Bytes {
  try {
    return fromBase64(text)
  } catch {
    throw framing('it is not base64')
  }
}

function framing(why: string): Failure {
  return new Failure('audit.framing', { detail: `This is no signed note: ${why}.` })
}
