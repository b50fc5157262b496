// Passwords: Argon2id (RFC 9106) in PHC strings, a few at a time, with the same work for names that nobody has.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { Failure, limits } from '#base'

// OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB = 19_456
const PASSES = 2
const LANES = 1
const SALT_BYTES = 16
const HASH_BYTES = 32

/** More than we write is not computed: a row that was tampered with must not stall the site. */
const MEMORY_KIB_MAX = 262_144
const PASSES_MAX = 8
const LANES_MAX = 8

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$/

export interface Passwords {
  hash(password: string): Promise<string>
  /** `hash` undefined: nobody has this name; as much work is done, and the answer is false. */
  verify(password: string, hash: string | undefined): Promise<boolean>
}

export function createPasswords(): Passwords {
  const turns = createTurns()
  // Of a password that nobody knows.
  let decoy: Promise<string> | undefined
  const hash = async (password: string): Promise<string> => {
    const salt = randomBytes(SALT_BYTES)
    const cost = { memory: MEMORY_KIB, passes: PASSES, lanes: LANES }
    const derived = await turns(() => derive(password, salt, cost))
    return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.lanes}$${base64(salt)}$${base64(derived)}`
  }
  return {
    hash,
    async verify(password, known) {
      decoy ??= hash(randomBytes(32).toString('hex')).catch((error: unknown) => {
        decoy = undefined
        throw error
      })
      const [, memory, passes, lanes, salt = '', expected = ''] = PHC.exec(known ?? (await decoy)) ?? []
      const cost = { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) }
      if (!(cost.memory >= 8 * cost.lanes && cost.memory <= MEMORY_KIB_MAX && cost.passes <= PASSES_MAX && cost.lanes <= LANES_MAX))
        throw new Failure('identity.key', { detail: 'The stored form of a password is damaged.' })
      const derived = await turns(() => derive(password, Buffer.from(salt, 'base64'), cost))
      return timingSafeEqual(derived, Buffer.from(expected, 'base64')) && known !== undefined
    },
  }
}

/** Refuses what is guessed first. With a second factor beside it, length is what counts (NIST SP 800-63B, 3.1.1). */
export function assertGoodPassword(password: string, account: string, name: string): void {
  const text = normal(password)
  const length = Array.from(text).length
  const detail =
    length < limits.passwordLengthMin
      ? `A password has at least ${limits.passwordLengthMin} characters.`
      : text.length > limits.passwordLengthMax || !text.isWellFormed()
        ? `A password has at most ${limits.passwordLengthMax} characters.`
        : isGuessable(text, [account, account.split('@')[0]!, name, ...name.split(/[\s-]+/), 'quorate'])
          ? 'This password is guessed too easily.'
          : undefined
  if (detail !== undefined) throw new Failure('identity.password', { detail, next: 'Take four or five words that do not belong together.' })
}

function isGuessable(text: string, known: readonly string[]): boolean {
  let rest = text.toLowerCase()
  for (const word of known) if (word.length >= 3) rest = rest.replaceAll(word.toLowerCase(), '')
  if (new Set(rest).size < 5) return true
  return /^(?:0123456789|1234567890|abcdefgh|qwerty|qwertz|password|passwort)/.test(rest) && new Set(rest).size < 16
}

function derive(password: string, nonce: Uint8Array, { memory, passes, lanes }: Cost): Promise<Buffer> {
  const message = Buffer.from(normal(password))
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message, nonce, parallelism: lanes, tagLength: HASH_BYTES, memory, passes }, (error, derived) => {
      message.fill(0)
      if (error) reject(new Failure('base.internal', { cause: error }))
      else resolve(Buffer.from(derived))
    })
  })
}

function normal(password: string): string {
  return password.slice(0, limits.passwordLengthMax + 1).normalize('NFC')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** Few at once, since each takes a thread and its memory; a line that is too long is told so instead of waiting. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= limits.passwordsAtOnce) {
      if (waiting.length >= limits.passwordsWaiting) throw new Failure('api.busy')
      // Whoever ends hands its turn over.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
