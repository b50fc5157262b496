// The key file of the home, under which lie the few secrets that must be read again: of authenticator apps and of access keys.
import { readFile, rm, writeFile, link, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Bytes, concat, Failure, utf8 } from '#base'
import { gcmOpen, gcmSeal, random } from '#crypto/primitives'

const KEY_BYTES = 32
const NONCE_BYTES = 12

export interface Sealing {
  /** `purpose` says what it is and whose; opened under another one it does not open. */
  seal(plain: Uint8Array, purpose: string): Promise<Bytes>
  /** Throws `identity.key` when it is not what was sealed here. */
  open(sealed: Uint8Array, purpose: string): Promise<Bytes>
}

/** The key is made when something is sealed first. */
export function createSealing(file: string): Sealing {
  let key: Promise<Bytes> | undefined
  const keyOf = (make: boolean): Promise<Bytes> => {
    key ??= readKey(file, make).catch((error: unknown) => {
      key = undefined
      throw error
    })
    return key
  }
  return {
    async seal(plain, purpose) {
      const nonce = random(NONCE_BYTES)
      return concat(nonce, gcmSeal(await keyOf(true), nonce, utf8(`quorate identity ${purpose}`), plain))
    },
    async open(sealed, purpose) {
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const aad = utf8(`quorate identity ${purpose}`)
      const plain = sealed.length < NONCE_BYTES ? undefined : gcmOpen(await keyOf(false), nonce, aad, sealed.subarray(NONCE_BYTES))
      if (plain === undefined) throw broken(file, 'it does not open what was sealed')
      return plain
    },
  }
}

async function readKey(file: string, make: boolean): Promise<Bytes> {
  for (;;) {
    const found = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw broken(file, 'it cannot be read', error)
    })
    if (found !== undefined) {
      if (found.length !== KEY_BYTES) throw broken(file, 'it has another length')
      return new Uint8Array(found)
    }
    if (!make) throw broken(file, 'it is gone')
    await makeKey(file)
  }
}

/** Whole and durable, and never over another one: `link` makes a name only where there is none. */
async function makeKey(file: string): Promise<void> {
  const partial = join(dirname(file), `.part-${Buffer.from(random(8)).toString('hex')}`)
  try {
    await writeFile(partial, random(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true })
    await link(partial, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    const folder = await open(dirname(file), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (error) {
    throw broken(file, 'it cannot be written', error)
  } finally {
    await rm(partial, { force: true })
  }
}

function broken(file: string, why: string, cause?: unknown): Failure {
  return new Failure('identity.key', {
    detail: `The key file for sign-in secrets cannot be used: ${why}.`,
    next: 'Put it back from the backup of the home. Without it, authenticator apps and access keys have to be set up anew; passkeys are not concerned.',
    culprits: [file],
    cause,
  })
}
