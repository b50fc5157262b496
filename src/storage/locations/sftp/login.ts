// With what we log in at an SSH server: read anew for every connection, so that it rotates without a restart.
import { readFile, stat } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import type { Failure } from '#base'
import { sftpBounds } from '../bounds.ts'
import { locationFailure } from '../failures.ts'
import type { SftpConfig } from './config.ts'
import { type HostAddress, knownFingerprints } from './host-keys.ts'

export interface Login {
  readonly user: string
  readonly key: ParsedKey | undefined
  readonly password: string | undefined
  /** Fingerprints of the host keys that are right. */
  readonly pins: readonly string[]
}

/** Answers what to log in with now. Failures name the location and never quote a file. */
export type LoginProvider = () => Promise<Login>

type Source = Pick<SftpConfig, 'user' | 'key' | 'passphrase' | 'password' | 'hostKey' | 'knownHosts'> & HostAddress

/** From the files that a description names, or QUORATE_SFTP_PASSWORD and QUORATE_SFTP_PASSPHRASE. */
export function loginFrom(
  source: Source,
  around: { readonly label: string; readonly variables: Readonly<Record<string, string | undefined>> },
): LoginProvider {
  const { label, variables } = around
  return async () => {
    const passphrase = source.passphrase === undefined ? variables['QUORATE_SFTP_PASSPHRASE'] : await readLine(source.passphrase, label)
    const password = source.password === undefined ? variables['QUORATE_SFTP_PASSWORD'] : await readLine(source.password, label)
    const key = source.key === undefined ? undefined : parsePrivateKey(await readSecret(source.key, label), { label, passphrase })
    if (key === undefined && (password === undefined || password === '')) {
      throw denied(
        label,
        `There is neither a key nor a password for ${label}.`,
        'Name a file with key=FILE or password=FILE, or set QUORATE_SFTP_PASSWORD.',
      )
    }
    return {
      user: source.user,
      key,
      password: password === '' ? undefined : password,
      pins: source.hostKey ?? (await readKnownHosts(source, label)),
    }
  }
}

function parsePrivateKey(text: string, about: { readonly label: string; readonly passphrase: string | undefined }): ParsedKey {
  const { label, passphrase } = about
  const parsed = ssh2.utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key === undefined || key instanceof Error) {
    const next = 'It is a private key of OpenSSH or PEM. A key with a passphrase needs passphrase=FILE or QUORATE_SFTP_PASSPHRASE.'
    throw denied(label, `The private key for ${label} cannot be used, or its passphrase is wrong.`, next)
  }
  if (key.isPrivateKey()) return key
  throw denied(label, `The file of the key for ${label} holds a public key.`, 'Name the file with the private key.')
}

async function readKnownHosts(source: Source, label: string): Promise<string[]> {
  const file = source.knownHosts
  const text = file === undefined ? '' : await readBounded(file, sftpBounds.knownHostsBytesMax)
  const pins = text === undefined ? [] : knownFingerprints(text, source)
  if (pins.length > 0) return pins
  throw locationFailure('location.untrusted', {
    label,
    detail: `The file of known hosts for ${label} cannot be read, or has no key for this server.`,
    next: 'Get the fingerprint from who runs the server (ssh-keygen -lf), compare it, and name it with hostKey=SHA256:...',
  })
}

/** The first line: editors end files with a newline. */
async function readLine(path: string, label: string): Promise<string> {
  return (await readSecret(path, label)).split(/\r?\n/, 1)[0]!
}

async function readSecret(path: string, label: string): Promise<string> {
  const text = await readBounded(path, sftpBounds.secretFileBytesMax)
  if (text !== undefined && text !== '') return text
  throw denied(
    label,
    `A file of credentials for ${label} cannot be read, is empty, or is too large.`,
    'Check the files that the description names, and that the user of Quorate may read them.',
  )
}

async function readBounded(path: string, bytesMax: number): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > bytesMax) return undefined
    return await readFile(path, 'utf8')
  } catch {
    // What went wrong may name the file of a secret; the caller says which kind of file it was.
    return undefined
  }
}

function denied(label: string, detail: string, next: string): Failure {
  return locationFailure('location.denied', { label, detail, next })
}
