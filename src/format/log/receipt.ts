// A receipt: one entry, its inclusion proof and the signed head of the log in one file (c2sp.org/tlog-proof).
import { type Bytes, Failure, fromBase64, fromUtf8, toBase64, utf8 } from '#base'
import { NOTE_BYTES_MAX } from './note.ts'
import { PROOF_HASHES_MAX, verifyInclusion } from './proofs.ts'
import { type SignedCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import type { VerifierKey } from './note.ts'
import { HASH_BYTES, leafHash } from './tree.ts'

export const RECEIPT_BYTES_MAX = NOTE_BYTES_MAX + 131_072
const FIRST_LINE = 'c2sp.org/tlog-proof@v1'

export interface Receipt {
  /** Of ours: the entry itself. Nothing vouches for it but the proof. */
  readonly extra: Bytes | undefined
  readonly index: number
  readonly proof: readonly Bytes[]
  /** A signed note. */
  readonly checkpoint: Bytes
}

export function encodeReceipt({ extra, index, proof, checkpoint }: Receipt): Bytes {
  const lines = [FIRST_LINE, ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]), `index ${index}`, ...proof.map(toBase64)]
  return utf8(`${lines.join('\n')}\n\n${fromUtf8(checkpoint)}`)
}

/** Throws `audit.framing`. Verifies nothing. */
export function parseReceipt(bytes: Uint8Array): Receipt {
  if (bytes.length > RECEIPT_BYTES_MAX) throw framing('it is too long')
  const text = decoded(bytes)
  const end = text.indexOf('\n\n')
  if (end < 0) throw framing('no head of a log follows')
  const [first, ...lines] = text.slice(0, end).split('\n')
  if (first !== FIRST_LINE) throw framing('its first line is another one')
  const extra = lines[0]?.startsWith('extra ') === true ? unbase64(lines.shift()!.slice('extra '.length)) : undefined
  const found = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '')
  const index = Number(found?.[1])
  if (found === null || !Number.isSafeInteger(index)) throw framing('it does not say which entry')
  if (lines.length > PROOF_HASHES_MAX) throw framing('its proof is too long')
  const proof = lines.map(unbase64)
  if (proof.some((hash) => hash.length !== HASH_BYTES)) throw framing('its proof has something that is no hash')
  return { extra, index, proof, checkpoint: utf8(text.slice(end + 2)) }
}

/** What a receipt proves under these keys: the entry, and the head that it is in. Throws `audit.framing|signature|unsigned|proof`. */
export function verifyReceipt(
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
): { readonly entry: Bytes; readonly index: number; readonly checkpoint: SignedCheckpoint } {
  const { extra, index, proof, checkpoint } = parseReceipt(bytes)
  if (extra === undefined) throw framing('it does not hold the entry')
  const head = verifyCheckpoint(checkpoint, keys)
  verifyInclusion({ index, size: head.size, hash: leafHash(extra), proof, root: head.root })
  return { entry: extra, index, checkpoint: head }
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
    throw framing('something in it is not base64')
  }
}

function framing(why: string): Failure {
  return new Failure('audit.framing', { detail: `This is no proof of a log: ${why}.` })
}
