// From the description of a location to the location.
import { readFile } from 'node:fs/promises'
import { type Clock, Failure, systemClock } from '#base'
import type { LocationConfig } from './config.ts'
import type { Location } from './contract.ts'
import { createFolderLocation } from './folder.ts'
import { keyFromEnvironment, readKeyFile } from './key-file.ts'
import { cachedCredentials } from './s3/credentials.ts'
import { createS3Location } from './s3/s3.ts'

export { formatLocation, locationConfigSchema, parseLocation, type LocationConfig } from './config.ts'

export interface LocationEnvironment {
  /** What people call it. Without it, its path, or its bucket and host. */
  readonly label?: string
  /** Where AWS_ACCESS_KEY_ID and so on are looked up; only the program itself reads the real environment. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  /** What the last probe found: true spares a look before each write to S3. */
  readonly honestCreate?: boolean
  /** False skips fsync, for tests only. */
  readonly syncWrites?: boolean
}

/** Opens a location as described. Nothing is written; the place itself is not asked before the first call. */
export async function openLocation(config: LocationConfig, environment: LocationEnvironment = {}): Promise<Location> {
  const label = environment.label ?? labelOf(config)
  const clock = environment.clock ?? systemClock
  if (config.kind === 'folder') return createFolderLocation({ root: config.path, label, clock, syncWrites: environment.syncWrites ?? true })
  const { credentials: keyFile, profile } = config
  const load =
    keyFile === undefined
      ? async () => keyFromEnvironment(environment.variables ?? {}, label)
      : () => readKeyFile(keyFile, { label, profile })
  return createS3Location({
    label,
    clock,
    endpoint: config.endpoint,
    bucket: config.bucket,
    prefix: config.prefix,
    region: config.region,
    style: config.style,
    lock: config.lock,
    ca: config.ca === undefined ? undefined : await readAuthorities(config.ca, label),
    credentials: cachedCredentials(load, { clock }),
    honestCreate: environment.honestCreate ?? false,
    ...(config.partMiB === undefined ? {} : { partBytes: config.partMiB * 2 ** 20 }),
  })
}

/** A name for a location that was given none. */
export function labelOf(config: LocationConfig): string {
  return config.kind === 'folder' ? config.path : `${config.bucket} at ${new URL(config.endpoint).host}`
}

async function readAuthorities(path: string, label: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Failure('location.config', {
    detail: `The file of certificate authorities for ${label} cannot be read or holds no certificate.`,
    next: 'Name a file of PEM certificates with ca=FILE.',
    culprits: [label],
  })
}
