// How a location is described: as one line, or as a record of JSON. Never with secrets in it. Each kind says its own part.
import type { LocationKind } from '#contract'
import { type AzureConfig, azureConfig } from './azure/config.ts'
import { type FolderConfig, folderConfig } from './folder-config.ts'
import { type GcsConfig, gcsConfig } from './gcs/config.ts'
import { type S3Config, s3Config } from './s3/config.ts'
import { type SftpConfig, sftpConfig } from './sftp/config.ts'
import { type ConfigKind, refused } from './spec-text.ts'
import { type WebdavConfig, webdavConfig } from './webdav/config.ts'

/** May be stored and shown: it names where keys are, never the keys. */
export type LocationConfig = FolderConfig | S3Config | AzureConfig | GcsConfig | SftpConfig | WebdavConfig

type ConfigOf<Kind extends LocationKind> = Extract<LocationConfig, { readonly kind: Kind }>

const kinds: { readonly [Kind in LocationKind]: ConfigKind<ConfigOf<Kind>> } = {
  folder: folderConfig,
  s3: s3Config,
  azure: azureConfig,
  gcs: gcsConfig,
  sftp: sftpConfig,
  webdav: webdavConfig,
}

const FORMS = `Write ${Object.values(kinds)
  .map(({ form }) => form)
  .join(', or ')}.`

/**
 * Parses a line `KIND:...` or a record. Relative paths begin at `from` (default: the working folder). Anything doubtful is
 * `location.config`; the failure says which field and never repeats what was written, which may hold a secret by mistake.
 */
export function parseLocation(spec: string | Readonly<Record<string, unknown>>, options: { readonly from?: string } = {}): LocationConfig {
  const from = options.from ?? process.cwd()
  if (typeof spec !== 'string') return validated(spec, from)
  if (spec.length > 8192 || /[\0\r\n]/.test(spec)) throw refused('It is too long or holds control characters.', FORMS)
  const kind = spec.slice(0, Math.max(0, spec.indexOf(':')))
  if (isKind(kind)) return validated(kinds[kind].parse(spec.slice(kind.length + 1)), from)
  throw refused(`It begins with none of ${Object.keys(kinds).join(':, ')}:.`, FORMS)
}

/** The line that `parseLocation` gives back the same record for. */
export function formatLocation(config: LocationConfig): string {
  return `${config.kind}:${kindOf(config).format(config)}`
}

/** A name for a location that was given none. */
export function labelOf(config: LocationConfig): string {
  return kindOf(config).label(config)
}

function validated(record: Readonly<Record<string, unknown>>, from: string): LocationConfig {
  const { kind } = record
  if (!isKind(kind)) throw refused('Its kind is missing or not usable.', FORMS)
  const { schema, fields, form, resolve } = kinds[kind] as ConfigKind<LocationConfig>
  const result = schema.safeParse(withoutUndefined(record))
  if (result.success) return resolve(result.data, from)
  const field = result.error.issues[0]?.path[0]
  if (field === 'insecure')
    throw refused('Over plain http everybody on the way reads along.', 'Use https, or say insecure=true for a closed network.')
  const known = typeof field === 'string' && fields.includes(field)
  throw refused(known ? `Its ${field} is missing or not usable.` : 'It has a field that is not known or not usable.', `Write ${form}.`)
}

function kindOf(config: LocationConfig): ConfigKind<LocationConfig> {
  return kinds[config.kind] as ConfigKind<LocationConfig>
}

function isKind(kind: unknown): kind is LocationKind {
  return typeof kind === 'string' && Object.hasOwn(kinds, kind)
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
