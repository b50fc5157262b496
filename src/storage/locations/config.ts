// How a location is described: as one line, or as a record of JSON. Never with secrets in it.
import { resolve } from 'node:path'
import { z } from 'zod'
import { Failure } from '#base'

const SEGMENTS = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$/
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/
const DNS_BUCKET = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/
const REGION = /^[A-Za-z0-9-]{1,64}$/
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

const filePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]*$/)

const folderSchema = z.strictObject({
  kind: z.literal('folder'),
  /** Absolute. */
  path: filePath,
})

const s3Schema = z.strictObject({
  kind: z.literal('s3'),
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint: z.string().max(512).refine(isEndpoint),
  bucket: z.string().regex(BUCKET),
  prefix: z.string().max(200).regex(SEGMENTS).default(''),
  region: z.string().regex(REGION).default('us-east-1'),
  style: z.enum(['path', 'virtual']).default('path'),
  lock: z.strictObject({ mode: z.enum(['governance', 'compliance']), days: z.int().min(1).max(36_500) }).optional(),
  /** A file with an access key; without it the keys are in AWS_ACCESS_KEY_ID and so on. */
  credentials: filePath.optional(),
  /** The section of that file. */
  profile: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .optional(),
  /** A file of PEM certificates: the authorities to trust instead of the system's. */
  ca: filePath.optional(),
  insecure: z.literal(true).optional(),
  partMiB: z.int().min(5).max(512).optional(),
})

/** May be stored and shown: it names where keys are, never the keys. */
export type LocationConfig = Readonly<z.infer<typeof folderSchema>> | Readonly<z.infer<typeof s3Schema>>

export const locationConfigSchema = z
  .discriminatedUnion('kind', [folderSchema, s3Schema])
  .refine((config) => config.kind !== 's3' || config.insecure === true || isSafe(new URL(config.endpoint)), { path: ['insecure'] })
  .refine((config) => config.kind !== 's3' || config.style !== 'virtual' || DNS_BUCKET.test(config.bucket), { path: ['style'] })

const FORMS =
  'Write folder:/path/to/folder, or s3:https://endpoint/bucket/prefix with ?region=, style=path|virtual, lock=governance|compliance and days=, credentials=FILE, profile=, ca=FILE, partMiB=.'
const NO_SECRETS = 'Put the access key into a file and name it with credentials=FILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
const PARAMETERS = ['region', 'style', 'lock', 'days', 'credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const
const SECRET_WORDS = /key|secret|token|password|signature|auth/i

/**
 * Parses `folder:PATH`, `s3:URL?...` or a record. Relative paths begin at `from` (default: the working folder). Anything doubtful is
 * `location.config`; the failure says which field and never repeats what was written, which may hold a secret by mistake.
 */
export function parseLocation(spec: string | Readonly<Record<string, unknown>>, options: { readonly from?: string } = {}): LocationConfig {
  const from = options.from ?? process.cwd()
  if (typeof spec !== 'string') return validated(spec, from)
  if (spec.length > 8192 || /[\0\r\n]/.test(spec)) throw refused('It is too long or holds control characters.')
  if (spec.startsWith('folder:')) return validated({ kind: 'folder', path: spec.slice('folder:'.length) }, from)
  if (spec.startsWith('s3:')) return validated(parseS3(spec.slice('s3:'.length)), from)
  throw refused('It begins neither with folder: nor with s3:.')
}

/** The line that `parseLocation` gives back the same record for. */
export function formatLocation(config: LocationConfig): string {
  if (config.kind === 'folder') return `folder:${config.path}`
  const query = new URLSearchParams({ region: config.region, style: config.style })
  if (config.lock !== undefined) {
    query.set('lock', config.lock.mode)
    query.set('days', String(config.lock.days))
  }
  for (const name of ['credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const) {
    const value = config[name]
    if (value !== undefined) query.set(name, String(value))
  }
  const path = config.prefix === '' ? config.bucket : `${config.bucket}/${config.prefix}`
  return `s3:${config.endpoint}/${path}?${query.toString()}`
}

function parseS3(text: string): Record<string, unknown> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:\/\//i.test(text)) throw refused('After s3: a web address is expected.')
  if (url.username !== '' || url.password !== '') throw refused('It holds a user or key before the host.', NO_SECRETS)
  if (url.hash !== '') throw refused('It holds a #.')
  for (const name of url.searchParams.keys()) {
    if ((PARAMETERS as readonly string[]).includes(name)) continue
    throw SECRET_WORDS.test(name) ? refused('It holds what looks like a key.', NO_SECRETS) : refused('It holds an unknown parameter.')
  }
  const given = (name: (typeof PARAMETERS)[number]): string | undefined => {
    const values = url.searchParams.getAll(name)
    if (values.length > 1) throw refused(`It says ${name} twice.`)
    return values[0]
  }
  const [bucket, ...prefix] = decodePath(url.pathname).replace(/^\//, '').replace(/\/$/, '').split('/')
  const endpoint = url.origin
  const lock = given('lock')
  const days = given('days')
  if ((lock === undefined) !== (days === undefined)) throw refused('lock and days go together.')
  return {
    kind: 's3',
    endpoint,
    bucket,
    prefix: prefix.join('/'),
    region: given('region'),
    style: given('style') ?? (url.hostname.endsWith('.amazonaws.com') && !bucket!.includes('.') ? 'virtual' : 'path'),
    lock: lock === undefined ? undefined : { mode: lock, days: wholeNumber(days) },
    credentials: given('credentials'),
    profile: given('profile'),
    ca: given('ca'),
    insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
    partMiB: wholeNumber(given('partMiB')),
  }
}

function validated(record: Readonly<Record<string, unknown>>, from: string): LocationConfig {
  const result = locationConfigSchema.safeParse(withoutUndefined(record))
  if (!result.success) {
    const field = result.error.issues[0]?.path[0]
    const known = typeof field === 'string' && (field === 'kind' || field === 'path' || field in s3Schema.shape)
    if (field === 'insecure')
      throw refused('Over plain http everybody on the way reads along.', 'Use https, or say insecure=true for a closed network.')
    throw refused(known ? `Its ${field} is missing or not usable.` : 'It has a field that is not known or not usable.')
  }
  const config = result.data
  if (config.kind === 'folder') return { ...config, path: resolve(from, config.path) }
  const { credentials, ca, ...rest } = config
  return {
    ...rest,
    endpoint: new URL(config.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const bare = url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/'
  return bare && url.hostname !== '' && (url.protocol === 'https:' || url.protocol === 'http:')
}

function isSafe(url: URL): boolean {
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname)
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw refused('Its path is not well encoded.')
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

function refused(why: string, next = FORMS): Failure {
  return new Failure('location.config', { detail: `This description of a location is not usable. ${why}`, next })
}
