// A passphrase comes from a file or from the keyboard, never from the command line, where everyone on the machine can read it.
import { readFile, stat } from 'node:fs/promises'
import { Failure } from '#base'
import type { Host } from './host.ts'
import { localFailure } from './local-failure.ts'

export interface PassphraseOptions {
  readonly passphraseFile?: string | undefined
  readonly askPassphrase?: true | undefined
}

const FILE_BYTES_MAX = 4096

/** Undefined where nobody named one: then the key file in the home opens the signing keys. */
export async function passphraseOf(host: Host, options: PassphraseOptions, twice: boolean): Promise<string | undefined> {
  if (options.askPassphrase === true) return ask(host, twice)
  const file = options.passphraseFile ?? host.passphraseFile
  return file === undefined ? undefined : fromFile(file)
}

async function fromFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX)
      throw new Failure('cli.file', { detail: `${path} is too large for a passphrase.`, culprits: [path] })
    const passphrase = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    if (passphrase === '') throw new Failure('cli.file', { detail: `${path} is empty.`, culprits: [path] })
    return passphrase
  } catch (error) {
    throw localFailure(error, 'read the passphrase from', path)
  }
}

async function ask(host: Host, twice: boolean): Promise<string> {
  if (!host.keyboard) {
    throw new Failure('cli.usage', { detail: 'There is no keyboard to ask for the passphrase.', next: 'Use --passphrase-file.' })
  }
  const { isCancel, password } = await import('@clack/prompts')
  const one = async (message: string): Promise<string> => {
    const answer = await password({
      message,
      output: process.stderr,
      validate: (value) => ((value ?? '').length < 12 ? 'At least 12 characters.' : undefined),
    })
    if (isCancel(answer)) throw new Failure('base.cancelled')
    return answer
  }
  const passphrase = await one('Passphrase of the signing keys')
  if (twice && (await one('The same again')) !== passphrase) {
    throw new Failure('cli.usage', { detail: 'The two passphrases differ.', next: 'Start again.' })
  }
  return passphrase
}
