// With what we sign in at a WebDAV server: user and password (RFC 7617) or a token (RFC 6750), from a file or from QUORATE_WEBDAV_* variables.
import { Failure, SecretBytes, utf8 } from '#base'
import { type Fields, readSecretFile, tablesOf } from '../key-file.ts'
import type { Cached } from '../web/cached.ts'

/** The value of the header Authorization. */
export interface WebdavCredentials {
  readonly authorization: SecretBytes
}

export type WebdavCredentialsProvider = Cached<WebdavCredentials>

/** Reads a file with fields `user` and `password`, or `token`, in TOML, JSON or INI. Failures never quote it. */
export async function readWebdavFile(
  path: string,
  options: { readonly label: string; readonly profile?: string | undefined },
): Promise<WebdavCredentials> {
  const credentials = parseWebdavFile(await readSecretFile(path, (why) => refused(options.label, why)), options.profile)
  if (credentials === undefined) throw refused(options.label, 'holds no user and password')
  return credentials
}

/** The credentials in the text of a file, or undefined when it holds none. */
export function parseWebdavFile(text: string, profile?: string): WebdavCredentials | undefined {
  const tables = tablesOf(text)
  return credentialsFrom(tables.get(profile ?? 'default') ?? (profile === undefined ? tables.get('') : undefined) ?? new Map())
}

/** QUORATE_WEBDAV_USER and QUORATE_WEBDAV_PASSWORD, or QUORATE_WEBDAV_TOKEN. */
export function webdavFromEnvironment(variables: Readonly<Record<string, string | undefined>>, label: string): WebdavCredentials {
  const fields: Fields = new Map()
  for (const name of ['user', 'password', 'token']) {
    const value = variables[`QUORATE_WEBDAV_${name.toUpperCase()}`]
    if (value !== undefined && value !== '') fields.set(name, value)
  }
  const credentials = credentialsFrom(fields)
  if (credentials !== undefined) return credentials
  throw new Failure('location.denied', {
    detail: `There is no user and password for ${label}.`,
    next: 'Set QUORATE_WEBDAV_USER and QUORATE_WEBDAV_PASSWORD, or name a file with credentials=FILE.',
    culprits: [label],
  })
}

function credentialsFrom(fields: Fields): WebdavCredentials | undefined {
  const token = fields.get('token')
  if (token !== undefined)
    return /^[\x21-\x7e]{1,4096}$/.test(token) ? { authorization: new SecretBytes(utf8(`Bearer ${token}`)) } : undefined
  const user = fields.get('user') ?? fields.get('username')
  const password = fields.get('password')
  if (user === undefined || password === undefined || user === '' || /[:\p{Cc}]/u.test(user) || /\p{Cc}/u.test(password)) return undefined
  return { authorization: new SecretBytes(utf8(`Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`)) }
}

function refused(label: string, why: string): Failure {
  return new Failure('location.denied', {
    detail: `The file with user and password for ${label} ${why}.`,
    next: 'It holds user and password, or token, as TOML, JSON or lines of the form name = value.',
    culprits: [label],
  })
}
