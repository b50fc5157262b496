// Passwords and keys of the ways by which alarms leave: files in one folder of the home, read when they are needed, named by nothing but their name.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base'

export interface Secrets {
  /** Without a line end. */
  text(name: string): Promise<string>
  /** At least 32 of them. */
  bytes(name: string): Promise<Uint8Array>
}

const BYTES_MAX = 65_536
const KEY_BYTES_MIN = 32

/** The names come from a page, so they never lead out of the folder: letters, digits, points and dashes, checked by the contract and here. */
export function createSecrets(folder: string): Secrets {
  const read = async (name: string): Promise<Buffer> => {
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) throw missing(name)
    try {
      const handle = await open(join(folder, name), 'r')
      try {
        const facts = await handle.stat()
        if (!facts.isFile() || facts.size > BYTES_MAX) throw missing(name)
        return await handle.readFile()
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw missing(name, error)
    }
  }
  return {
    text: async (name) => (await read(name)).toString('utf8').replace(/\r?\n$/, ''),
    async bytes(name) {
      const text = (await read(name)).toString('utf8').trim()
      const bytes = Buffer.from(text, 'utf8')
      if (bytes.length < KEY_BYTES_MIN)
        throw new Failure('alarms.settings', {
          detail: `The secret ${name} is shorter than ${KEY_BYTES_MIN} characters.`,
          next: 'Write a random one: openssl rand -hex 32',
          culprits: [name],
        })
      return bytes
    },
  }
}

function missing(name: string, cause?: unknown): Failure {
  return new Failure('alarms.settings', {
    detail: `The file ${name} in the folder secrets of the home cannot be read.`,
    next: 'Put it there, readable by the user of the site only.',
    culprits: [name],
    cause,
  })
}
