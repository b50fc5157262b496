// How a folder on an SFTP server is described.
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, filePath, parseAddress, queryOf, wholeNumber } from '../spec-text.ts'

const PARAMETERS = ['key', 'passphrase', 'password', 'hostKey', 'knownHosts'] as const
const FORM = 'sftp:ssh://user@host:port/path with hostKey=SHA256:... or knownHosts=FILE, and key=FILE (passphrase=FILE) or password=FILE'
const NO_SECRETS = 'Put the password into a file and name it with password=FILE, or set QUORATE_SFTP_PASSWORD.'
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}=?$/
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])$/

const fields = z.strictObject({
  kind: z.literal('sftp'),
  host: z.string().regex(HOST),
  port: z.int().min(1).max(65_535).default(22),
  /** Who logs in. */
  user: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\p{Cc}]+$/u),
  /** Absolute, or `~/...` below the folder where the login begins. */
  path: z
    .string()
    .max(1024)
    .regex(/^(?:\/|~(?:\/|$))[^\p{Cc}]*$/u)
    .refine((path) => !path.split('/').includes('..')),
  /** A file with a private key. */
  key: filePath.optional(),
  /** A file with that key's passphrase. */
  passphrase: filePath.optional(),
  /** A file with a password. */
  password: filePath.optional(),
  /** Fingerprints of the server's keys as `ssh-keygen -l` shows them. Several while one is exchanged. */
  hostKey: z.array(z.string().regex(FINGERPRINT)).min(1).max(8).optional(),
  /** A file as OpenSSH keeps it. */
  knownHosts: filePath.optional(),
})

export type SftpConfig = Readonly<z.infer<typeof fields>>

export const sftpConfig: ConfigKind<SftpConfig> = {
  // Nobody is trusted on first use: a description without a pinned key is not a description.
  schema: fields.refine((config) => (config.hostKey === undefined) !== (config.knownHosts === undefined), { path: ['hostKey'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const { url, path, given } = parseAddress(text, {
      form: FORM,
      parameters: PARAMETERS,
      noSecrets: NO_SECRETS,
      schemes: /^(?:ssh|sftp):\/\//i,
      user: true,
    })
    return {
      kind: 'sftp',
      host: url.hostname,
      port: wholeNumber(url.port === '' ? undefined : url.port),
      user: decoded(url.username),
      path: path === '~' || path.startsWith('~/') ? path : `/${path}`,
      key: given('key'),
      passphrase: given('passphrase'),
      password: given('password'),
      // A `+` of base64 that was not encoded came out as a space.
      hostKey: given('hostKey')?.replaceAll(' ', '+').split(','),
      knownHosts: given('knownHosts'),
    }
  },
  format: ({ host, port, user, path, key, passphrase, password, hostKey, knownHosts }) => {
    const at = port === 22 ? host : `${host}:${port}`
    const way = path.replace(/^\//, '').split('/').map(encodeURIComponent).join('/')
    const query = queryOf({ key, passphrase, password, hostKey: hostKey?.join(','), knownHosts })
    return `ssh://${encodeURIComponent(user)}@${at}/${way}?${query}`
  },
  resolve: ({ key, passphrase, password, knownHosts, ...rest }, from) => ({
    ...rest,
    ...(key === undefined ? {} : { key: resolve(from, key) }),
    ...(passphrase === undefined ? {} : { passphrase: resolve(from, passphrase) }),
    ...(password === undefined ? {} : { password: resolve(from, password) }),
    ...(knownHosts === undefined ? {} : { knownHosts: resolve(from, knownHosts) }),
  }),
  label: ({ host, port, path }) => `${path} at ${host}${port === 22 ? '' : `:${port}`}`,
}

/** The text itself where it is not well encoded: the schema refuses what is left of it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
