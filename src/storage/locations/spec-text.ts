// What the descriptions of all kinds of locations share: refusals that never repeat what was written, and web addresses without secrets.
import { resolve } from 'node:path'
import { z } from 'zod'
import { Failure } from '#base'

/** How one kind of location is described: as a line that begins with its name, and as a record of JSON. */
export interface ConfigKind<Config> {
  /** Checks a record; what people may not combine is refused at the field that is wrong. */
  readonly schema: z.ZodType<Config>
  /** Names of its fields, for messages. */
  readonly fields: readonly string[]
  /** How the line is written, for messages. */
  readonly form: string
  /** The record in a line, without its `kind:`; checked afterwards. */
  readonly parse: (text: string) => Record<string, unknown>
  /** The line that `parse` gives back the same record for, without its `kind:`. */
  readonly format: (config: Config) => string
  /** Makes paths of files absolute. */
  readonly resolve: (config: Config, from: string) => Config
  /** A name for a location that was given none. */
  readonly label: (config: Config) => string
}

/** Path of a file or folder; it may be relative until it is resolved. */
export const filePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]*$/)

/** Folders below a bucket or web address: empty, or segments joined by `/`. */
export const prefixPath = z
  .string()
  .max(200)
  .regex(/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$/)

/** `https://host[:port]`, `http://` too; whether plain http is wanted is asked elsewhere. */
export const endpoint = z.string().max(512).refine(isEndpoint)

/** Holds everything written for so many days from then on. */
export const lock = z.strictObject({ mode: z.enum(['governance', 'compliance']), days: z.int().min(1).max(36_500) })

/** `governance` can be lifted by who may, `compliance` by nobody. At Azure and Google they are `Unlocked` and `Locked`. */
export type ObjectLock = Readonly<z.infer<typeof lock>>

/** The section of a file of keys. */
export const profile = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/)

/** Of every location with a web address. */
export const webFields = {
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint,
  /** A file of keys; without it they are where the variables of the kind say. */
  credentials: filePath.optional(),
  /** A file of PEM certificates: the authorities to trust instead of the system's. */
  ca: filePath.optional(),
  insecure: z.literal(true).optional(),
} as const

/** Of every bucket. */
export const bucketFields = { ...webFields, prefix: prefixPath.default(''), lock: lock.optional() } as const

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/
const SECRET_WORDS = /key|secret|token|password|signature|auth/i

/** False for plain http to another machine: everybody on the way reads along. */
export function isPrivate(address: string): boolean {
  const url = new URL(address)
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname)
}

export function refused(why: string, next: string): Failure {
  return new Failure('location.config', { detail: `This description of a location is not usable. ${why}`, next })
}

export interface AddressParts {
  readonly url: URL
  /** The path, decoded, without a slash at either end. */
  readonly path: string
  /** A parameter of the query. */
  readonly given: (name: string) => string | undefined
}

/** Takes a web address apart. Users, passwords, unknown parameters and parameters said twice are refused with `location.config`. */
export function parseAddress(
  text: string,
  how: {
    readonly form: string
    readonly parameters: readonly string[]
    readonly noSecrets: string
    readonly schemes?: RegExp
    readonly user?: boolean
  },
): AddressParts {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !(how.schemes ?? /^https?:\/\//i).test(text))
    throw refused('After its kind a web address is expected.', how.form)
  if (url.password !== '' || (url.username !== '' && how.user !== true))
    throw refused('It holds a user or key before the host.', how.noSecrets)
  if (url.hash !== '') throw refused('It holds a #.', how.form)
  for (const name of url.searchParams.keys()) {
    if (how.parameters.includes(name)) continue
    throw SECRET_WORDS.test(name)
      ? refused('It holds what looks like a key.', how.noSecrets)
      : refused('It holds an unknown parameter.', how.form)
  }
  return {
    url,
    path: decodePath(url.pathname, how.form).replace(/^\//, '').replace(/\/$/, ''),
    given: (name) => {
      const values = url.searchParams.getAll(name)
      if (values.length > 1) throw refused(`It says ${name} twice.`, how.form)
      return values[0]
    },
  }
}

/** The fields of `webFields` and `profile` in a line. */
export function webGiven({ url, given }: AddressParts): Record<string, unknown> {
  return {
    endpoint: url.origin,
    credentials: given('credentials'),
    profile: given('profile'),
    ca: given('ca'),
    insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
  }
}

/** As `webGiven`, with the lock and the size of parts. */
export function bucketGiven(address: AddressParts): Record<string, unknown> {
  const { given } = address
  const [mode, days] = [given('lock'), given('days')]
  return {
    ...webGiven(address),
    lock: mode === undefined && days === undefined ? undefined : { mode, days: wholeNumber(days) },
    partMiB: wholeNumber(given('partMiB')),
  }
}

/** False where everybody on the way would read along, and nobody said that this is meant. */
export function staysPrivate(config: { readonly endpoint: string; readonly insecure?: true | undefined }): boolean {
  return config.insecure === true || isPrivate(config.endpoint)
}

/** Makes the paths of `webFields` absolute. */
export function resolveWeb<
  Config extends { readonly endpoint: string; readonly credentials?: string | undefined; readonly ca?: string | undefined },
>(config: Config, from: string): Config {
  const { credentials, ca } = config
  return {
    ...config,
    endpoint: new URL(config.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }
}

/** NaN for what is not a number of at most six digits, which every schema refuses. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
}

/** The query of a line from the fields of a record that are there. */
export function queryOf(fields: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value))
  return query.toString()
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const bare = url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/'
  return bare && url.hostname !== '' && (url.protocol === 'https:' || url.protocol === 'http:')
}

function decodePath(path: string, form: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw refused('Its path is not well encoded.', form)
  }
}
