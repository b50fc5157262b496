// From a passphrase to a key: Argon2id (RFC 9106) with the parameters kept beside what it seals.
import { argon2 } from 'node:crypto'
import { assert, Failure, fromBase64, SecretBytes, toBase64, utf8 } from '#base'
import { random } from '#crypto/primitives'

export interface Argon2Cost {
  readonly algorithm: 'argon2id'
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  /** Base64. */
  readonly salt: string
}

/** What is accepted from a file: not weaker than what we write, and no more than any machine of a site can bear. */
export const argon2Bounds = {
  memoryKibMin: 65_536,
  memoryKibMax: 1_048_576,
  passesMin: 3,
  passesMax: 16,
  lanesMin: 4,
  lanesMax: 16,
  saltBytes: 16,
} as const

const KEY_BYTES = 32
const PASSPHRASE_BYTES_MIN = 12
const PASSPHRASE_BYTES_MAX = 1024

/** A passphrase as any keyboard gives it: Unicode NFC (RFC 8265, 4.2.1). Throws `base.invalid` outside 12 to 1024 bytes of UTF-8. */
export function passphraseOf(text: string): SecretBytes {
  const bytes = utf8(text.normalize('NFC'))
  if (!text.isWellFormed() || bytes.length < PASSPHRASE_BYTES_MIN || bytes.length > PASSPHRASE_BYTES_MAX) {
    throw new Failure('base.invalid', { detail: `a passphrase has ${PASSPHRASE_BYTES_MIN} to ${PASSPHRASE_BYTES_MAX} bytes of UTF-8` })
  }
  const passphrase = new SecretBytes(bytes)
  bytes.fill(0)
  return passphrase
}

/** RFC 9106, 4: the second recommended option, with a fresh salt. */
export function argon2Cost(): Argon2Cost {
  return { algorithm: 'argon2id', memoryKib: 65_536, passes: 3, lanes: 4, salt: toBase64(random(argon2Bounds.saltBytes)) }
}

/** 32 bytes; some 100 ms and `memoryKib` of memory, off the main thread. */
export async function passphraseKey(
  passphrase: SecretBytes,
  { algorithm, memoryKib, passes, lanes, salt }: Argon2Cost,
): Promise<SecretBytes> {
  assert(memoryKib <= argon2Bounds.memoryKibMax && passes <= argon2Bounds.passesMax && lanes <= argon2Bounds.lanesMax, 'bounded cost')
  const parameters = {
    message: passphrase.reveal(),
    nonce: fromBase64(salt),
    parallelism: lanes,
    tagLength: KEY_BYTES,
    memory: memoryKib,
    passes,
  }
  return new Promise((resolve, reject) => {
    argon2(algorithm, parameters, (error, derived) => {
      if (error) return reject(new Failure('base.internal', { detail: 'the passphrase could not be turned into a key', cause: error }))
      const key = new SecretBytes(derived)
      derived.fill(0)
      resolve(key)
    })
  })
}
