// The signed head of a log: its text (c2sp.org/tlog-checkpoint), signing it, and verifying who signed it (c2sp.org/tlog-cosignature).
import { assert, type Bytes, ByteReader, concat, Failure, fromBase64, isFailure, toBase64, u64, u8, utf8 } from '#base'
import { ed25519Signer, mldsa44Signer, verifyEd25519, verifyMldsa44 } from '#crypto/primitives'
import { ED25519, encodeNote, MLDSA44, parseNote, type Note, type NoteSignature, type VerifierKey, verifierKey } from './note.ts'
import { EMPTY_ROOT, HASH_BYTES } from './tree.ts'

export interface Checkpoint {
  /** Which log: a name that no other has. */
  readonly origin: string
  readonly size: number
  readonly root: Bytes
}

/** A head, and the keys whose signatures on it verified. */
export interface SignedCheckpoint extends Checkpoint {
  readonly signers: readonly Signer[]
}

export interface Signer {
  readonly key: VerifierKey
  /** When a cosignature was made, in seconds since 1970; undefined where the signature does not say. */
  readonly time: number | undefined
}

/** Signs heads by one key. */
export interface CheckpointSigner {
  readonly key: VerifierKey
  /** `time` is in whole seconds since 1970. */
  sign(checkpoint: Checkpoint, time: number): NoteSignature
}

const ORIGIN_BYTES_MAX = 255
const COSIGNATURE_LABEL = utf8('subtree/v1\n\0')
const TIME_BYTES = 8

export function checkpointText({ origin, size, root }: Checkpoint): string {
  assert(isOrigin(origin) && Number.isSafeInteger(size) && size >= 0 && root.length === HASH_BYTES, 'a head of a log')
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** The text of a note as a head. Lines behind the third are ignored. Throws `audit.framing`. */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin = '', count = '', encoded = '', ...more] = text.split('\n')
  if (more.pop() !== '' || more.includes('')) throw framing('its lines are not as they should be')
  if (!isOrigin(origin)) throw framing('it does not say which log')
  const size = Number(count)
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(count) || !Number.isSafeInteger(size)) throw framing('it does not say how large the log is')
  const root = unbase64(encoded)
  if (root.length !== HASH_BYTES) throw framing('it has no root')
  if (size === 0 && toBase64(root) !== toBase64(EMPTY_ROOT)) throw framing('the root is not that of an empty log')
  return { origin, size, root }
}

/** The two keys with which a log signs its own heads, from their seeds. Both have the log's name. */
export function logSigners(
  origin: string,
  seeds: { readonly ed25519: Uint8Array; readonly mldsa44: Uint8Array },
): readonly CheckpointSigner[] {
  const ed25519 = ed25519Signer(seeds.ed25519)
  const mldsa44 = mldsa44Signer(seeds.mldsa44)
  const one = verifierKey(origin, ED25519, ed25519.key)
  const two = verifierKey(origin, MLDSA44, mldsa44.key)
  return [
    { key: one, sign: (checkpoint) => ({ name: one.name, id: one.id, signature: ed25519.sign(utf8(checkpointText(checkpoint))) }) },
    {
      key: two,
      sign: (checkpoint, time) => {
        const signature = concat(u64(time), mldsa44.sign(cosignedMessage(two.name, checkpoint, time)))
        return { name: two.name, id: two.id, signature }
      },
    },
  ]
}

export function signCheckpoint(checkpoint: Checkpoint, signers: readonly CheckpointSigner[], time: number): Bytes {
  return encodeNote({ text: checkpointText(checkpoint), signatures: signers.map((signer) => signer.sign(checkpoint, time)) })
}

/**
 * Signatures of other keys are ignored; one of a known key that is wrong refuses the whole (`audit.signature`), and so does a head that no
 * known key has signed (`audit.unsigned`). Throws `audit.framing` for what is no signed head.
 */
export function verifyCheckpoint(bytes: Uint8Array, keys: readonly VerifierKey[]): SignedCheckpoint {
  const note = parseNote(bytes)
  const checkpoint = parseCheckpointText(note.text)
  const signers: Signer[] = []
  for (const line of note.signatures) {
    const key = keys.find(({ name, id }) => name === line.name && id === line.id)
    if (key === undefined) continue
    const verified = verifyLine(key, line, note, checkpoint)
    if (verified === undefined)
      throw new Failure('audit.signature', {
        detail: `The signature of ${key.name} under the head of the log is wrong.`,
        culprits: [`${key.name}+${key.id}`],
      })
    signers.push(verified)
  }
  if (signers.length === 0)
    throw new Failure('audit.unsigned', {
      detail: `None of the given keys has signed this head of the log ${checkpoint.origin}.`,
      next: 'Compare the keys with those that the site shows.',
      culprits: [checkpoint.origin],
    })
  return { ...checkpoint, signers }
}

function verifyLine(key: VerifierKey, { signature }: NoteSignature, note: Note, checkpoint: Checkpoint): Signer | undefined {
  if (key.type === ED25519) return verifyEd25519(key.key, utf8(note.text), signature) ? { key, time: undefined } : undefined
  const time = timeOf(signature)
  if (time === undefined) return undefined
  const good = verifyMldsa44(key.key, cosignedMessage(key.name, checkpoint, time), signature.subarray(TIME_BYTES))
  return good ? { key, time } : undefined
}

function timeOf(signature: Bytes): number | undefined {
  if (signature.length <= TIME_BYTES) return undefined
  try {
    return new ByteReader(signature).u64()
  } catch (error) {
    if (isFailure(error, 'format.framing')) return undefined
    throw error
  }
}

/** c2sp.org/tlog-cosignature, section "ML-DSA-44 signed message", of a whole tree. */
function cosignedMessage(cosigner: string, { origin, size, root }: Checkpoint, time: number): Bytes {
  const vector = (text: string): Bytes => concat(u8(utf8(text).length), utf8(text))
  return concat(COSIGNATURE_LABEL, vector(cosigner), u64(time), vector(origin), u64(0), u64(size), root)
}

function isOrigin(text: string): boolean {
  return /^\S+$/u.test(text) && !text.includes('+') && text.isWellFormed() && utf8(text).length <= ORIGIN_BYTES_MAX
}

function unbase64(text: string): Bytes {
  try {
    return fromBase64(text)
  } catch {
    throw framing('its root is not base64')
  }
}

function framing(why: string): Failure {
  return new Failure('audit.framing', { detail: `This is no head of a log: ${why}.` })
}
