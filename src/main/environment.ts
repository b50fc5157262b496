// The only reader of the environment. Everybody else is told what concerns them.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

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
    variables: Object.fromEntries(Object.entries(env).filter(([name]) => /^(?:AWS|AZURE|GOOGLE|QUORATE_(?:SFTP|WEBDAV))_/.test(name))),
  }
}
