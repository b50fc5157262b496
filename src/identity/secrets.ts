// Secrets that programs and browsers carry: 256 random bits each, known here by their digest only.
import { createHash, randomBytes } from 'node:crypto'

const SECRET_BYTES = 32
const ID_BYTES = 16

/** What a secret looks like says where it belongs, also to scanners that look for lost ones. */
export const PREFIXES = { token: 'qt_', 'app-password': 'qp_', 'access-key': '' } as const
/** 20 letters, as S3 clients expect of a name of a key. */
const ACCESS_KEY_NAME = 'QU'
const NAME_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function newSecret(prefix = ''): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url')
}

export function newId(): string {
  return randomBytes(ID_BYTES).toString('hex')
}

export function newAccessKeyName(): string {
  return ACCESS_KEY_NAME + Array.from(randomBytes(18), (byte) => NAME_LETTERS[byte % 32]).join('')
}

/** Looking a digest up gives no time away that would help to guess a secret. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
