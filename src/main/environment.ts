// The only reader of the environment. Everybody else is told what concerns them.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { OutsideRequest } from './outside-request.ts'
import type { ProviderRequest } from './provider-settings.ts'

export interface Environment {
  /** QUORATE_HOME, default `.quorate` in the person's own folder. Absolute. */
  readonly home: string
  /** QUORATE_PASSPHRASE_FILE: opens the signing keys. The passphrase itself never stands in the environment. */
  readonly passphraseFile: string | undefined
  /** QUORATE_DATABASE: PostgreSQL instead of a file in the home; without the password. */
  readonly database: string | undefined
  /** QUORATE_DATABASE_PASSWORD_FILE. */
  readonly databasePasswordFile: string | undefined
  /** QUORATE_NO_OPEN: never open a browser. */
  readonly mayOpenBrowser: boolean
  /** QUORATE_LOG: `info`, `warn`, `error` or `silent`. */
  readonly logLevel: LogLevel | undefined
  readonly personFolder: string
  /** QUORATE_PUBLIC_URL, QUORATE_LISTEN, QUORATE_CERTIFICATE, QUORATE_CERTIFICATE_KEY, QUORATE_TRUSTED_PROXY, QUORATE_REDIRECT_HTTP, QUORATE_TLS12. */
  readonly outside: OutsideRequest
  /** QUORATE_OIDC_*: single sign-on by the house. */
  readonly provider: ProviderRequest
  /** AWS_*, AZURE_*, GOOGLE_*, QUORATE_SFTP_*, QUORATE_WEBDAV_*: credentials of locations that name no file. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

export const LOG_LEVELS = ['info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function readEnvironment(): Environment {
  const { env } = process
  const home = env['QUORATE_HOME']
  const level = env['QUORATE_LOG']
  return {
    home: home === undefined || home === '' ? join(homedir(), '.quorate') : resolve(home),
    passphraseFile: env['QUORATE_PASSPHRASE_FILE'] || undefined,
    database: env['QUORATE_DATABASE'] || undefined,
    databasePasswordFile: env['QUORATE_DATABASE_PASSWORD_FILE'] || undefined,
    mayOpenBrowser: !env['QUORATE_NO_OPEN'],
    logLevel: LOG_LEVELS.find((known) => known === level),
    personFolder: homedir(),
    outside: {
      publicUrl: env['QUORATE_PUBLIC_URL'] || undefined,
      listen: env['QUORATE_LISTEN'] || undefined,
      certificate: env['QUORATE_CERTIFICATE'] || undefined,
      certificateKey: env['QUORATE_CERTIFICATE_KEY'] || undefined,
      trustedProxy: env['QUORATE_TRUSTED_PROXY'] || undefined,
      redirectHttp: env['QUORATE_REDIRECT_HTTP'] || undefined,
      tls12: env['QUORATE_TLS12'] === '1',
    },
    provider: {
      issuer: env['QUORATE_OIDC_ISSUER'] || undefined,
      client: env['QUORATE_OIDC_CLIENT'] || undefined,
      secretFile: env['QUORATE_OIDC_SECRET_FILE'] || undefined,
      name: env['QUORATE_OIDC_NAME'] || undefined,
      newPeople: env['QUORATE_OIDC_NEW_PEOPLE'] === '1',
    },
    variables: Object.fromEntries(Object.entries(env).filter(([name]) => /^(?:AWS|AZURE|GOOGLE|QUORATE_(?:SFTP|WEBDAV))_/.test(name))),
  }
}
