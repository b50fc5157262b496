// From the description of a location to the location.
import { readFile } from 'node:fs/promises'
import { type Clock, Failure, systemClock } from '#base'
import { createAzureLocation } from './azure/azure.ts'
import type { AzureConfig } from './azure/config.ts'
import { azureFromEnvironment, readAzureFile } from './azure/credentials.ts'
import { labelOf, type LocationConfig } from './config.ts'
import type { Location } from './contract.ts'
import { createFolderLocation } from './folder.ts'
import type { GcsConfig } from './gcs/config.ts'
import { readServiceAccount, serviceAccountFromEnvironment } from './gcs/credentials.ts'
import { createGcsLocation } from './gcs/gcs.ts'
import { keyFromEnvironment, readKeyFile } from './key-file.ts'
import type { S3Config } from './s3/config.ts'
import { cachedCredentials } from './s3/credentials.ts'
import { createS3Location } from './s3/s3.ts'
import type { SftpConfig } from './sftp/config.ts'
import { cached } from './web/cached.ts'
import type { WebdavConfig } from './webdav/config.ts'
import { readWebdavFile, webdavFromEnvironment } from './webdav/credentials.ts'
import { createWebdavLocation } from './webdav/webdav.ts'

export { formatLocation, labelOf, type LocationConfig, parseLocation } from './config.ts'

export interface LocationEnvironment {
  /** What people call it. Without it, its path, or its bucket and host. */
  readonly label?: string
  /** Where AWS_ACCESS_KEY_ID, AZURE_STORAGE_KEY and so on are looked up; only the program itself reads the real environment. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  /** What the last probe found: true spares a look before each write to S3. */
  readonly honestCreate?: boolean
  /** False skips fsync, for tests only. */
  readonly syncWrites?: boolean
}

type Surroundings = Required<LocationEnvironment>

/** Opens a location as described. Nothing is written; the place itself is not asked before the first call. */
export async function openLocation(config: LocationConfig, environment: LocationEnvironment = {}): Promise<Location> {
  const around: Surroundings = {
    label: labelOf(config),
    variables: {},
    clock: systemClock,
    honestCreate: false,
    syncWrites: true,
    ...environment,
  }
  switch (config.kind) {
    case 'folder':
      return createFolderLocation({ root: config.path, label: around.label, clock: around.clock, syncWrites: around.syncWrites })
    case 's3':
      return openS3(config, around)
    case 'azure':
      return openAzure(config, around)
    case 'sftp':
      return openSftp(config, around)
    case 'gcs':
      return openGcs(config, around)
    case 'webdav':
      return openWebdav(config, around)
  }
}

async function openS3(config: S3Config, { label, clock, variables, honestCreate }: Surroundings): Promise<Location> {
  const { credentials: keyFile, profile } = config
  const load = keyFile === undefined ? async () => keyFromEnvironment(variables, label) : () => readKeyFile(keyFile, { label, profile })
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
    honestCreate,
    ...(config.partMiB === undefined ? {} : { partBytes: config.partMiB * 2 ** 20 }),
  })
}

async function openAzure(config: AzureConfig, { label, clock, variables }: Surroundings): Promise<Location> {
  const { credentials: file, profile } = config
  const load = file === undefined ? async () => azureFromEnvironment(variables, label) : () => readAzureFile(file, { label, profile })
  return createAzureLocation({
    label,
    clock,
    endpoint: config.endpoint,
    account: config.account,
    accountInPath: config.style === 'path',
    container: config.container,
    prefix: config.prefix,
    lock: config.lock,
    ca: config.ca === undefined ? undefined : await readAuthorities(config.ca, label),
    credentials: cached(load, { clock }),
    partBytes: config.partMiB === undefined ? undefined : config.partMiB * 2 ** 20,
  })
}

async function openGcs(config: GcsConfig, { label, clock, variables }: Surroundings): Promise<Location> {
  const { credentials: file } = config
  return createGcsLocation({
    label,
    clock,
    endpoint: config.endpoint,
    bucket: config.bucket,
    prefix: config.prefix,
    lock: config.lock,
    ca: config.ca === undefined ? undefined : await readAuthorities(config.ca, label),
    account: () => (file === undefined ? serviceAccountFromEnvironment(variables, label) : readServiceAccount(file, label)),
    partBytes: config.partMiB === undefined ? undefined : config.partMiB * 2 ** 20,
  })
}

/** SSH is loaded by whoever uses it: it takes 20 MB of memory. */
async function openSftp(config: SftpConfig, { label, clock, variables }: Surroundings): Promise<Location> {
  const [{ loginFrom }, { createSftpLocation }] = await Promise.all([import('./sftp/login.ts'), import('./sftp/sftp.ts')])
  const { host, port, path } = config
  return createSftpLocation({ label, clock, address: { host, port }, path, login: loginFrom(config, { label, variables }) })
}

async function openWebdav(config: WebdavConfig, { label, clock, variables, honestCreate }: Surroundings): Promise<Location> {
  const { credentials: file, profile } = config
  const load = file === undefined ? async () => webdavFromEnvironment(variables, label) : () => readWebdavFile(file, { label, profile })
  return createWebdavLocation({
    label,
    clock,
    endpoint: config.endpoint,
    path: config.path,
    ca: config.ca === undefined ? undefined : await readAuthorities(config.ca, label),
    credentials: cached(load, { clock }),
    honestCreate,
  })
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
