// How a container of Azure Blob Storage is described.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, endpoint, filePath, isPrivate, lock, parseAddress, prefixPath, queryOf, wholeNumber } from '../spec-text.ts'

const PARAMETERS = ['account', 'style', 'lock', 'days', 'credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  'azure:https://account.blob.core.windows.net/container/prefix with ?credentials=FILE, profile=, account=, style=host|path, lock=governance|compliance and days=, ca=FILE, partMiB='
const NO_SECRETS =
  'Put the key, signature or connection string into a file and name it with credentials=FILE, or set AZURE_STORAGE_CONNECTION_STRING.'
const ACCOUNT = /^[a-z0-9]{3,24}$/

const fields = z.strictObject({
  kind: z.literal('azure'),
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint,
  account: z.string().regex(ACCOUNT),
  /** `path`: the account is the first part of the path, as emulators and appliances have it. */
  style: z.enum(['host', 'path']).default('host'),
  container: z
    .string()
    .min(3)
    .max(63)
    .regex(/^[a-z0-9](?:-?[a-z0-9])*$/),
  prefix: prefixPath.default(''),
  lock: lock.optional(),
  /** A file with a key, a signature or a connection string; without it they are in AZURE_STORAGE_CONNECTION_STRING and so on. */
  credentials: filePath.optional(),
  /** The section of that file. */
  profile: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .optional(),
  /** A file of PEM certificates: the authorities to trust instead of the system's. */
  ca: filePath.optional(),
  insecure: z.literal(true).optional(),
  partMiB: z.int().min(1).max(512).optional(),
})

export type AzureConfig = Readonly<z.infer<typeof fields>>

export const azureConfig: ConfigKind<AzureConfig> = {
  schema: fields.refine((config) => config.insecure === true || isPrivate(config.endpoint), { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const { url, path, given } = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const host = url.hostname
    const bare = host === 'localhost' || host.startsWith('[') || isIP(host) !== 0
    const style = given('style') ?? (bare ? 'path' : 'host')
    const parts = path.split('/')
    const account = style === 'path' ? parts.shift() : (given('account') ?? host.split('.')[0])
    const [container, ...prefix] = parts
    const [mode, days] = [given('lock'), given('days')]
    return {
      kind: 'azure',
      endpoint: url.origin,
      account,
      style,
      container,
      prefix: prefix.join('/'),
      lock: mode === undefined && days === undefined ? undefined : { mode, days: wholeNumber(days) },
      credentials: given('credentials'),
      profile: given('profile'),
      ca: given('ca'),
      insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
      partMiB: wholeNumber(given('partMiB')),
    }
  },
  format: (config) => {
    const { account, style, container, prefix, lock: held, credentials, profile, ca, insecure, partMiB } = config
    const path = [...(style === 'path' ? [account] : []), container, ...(prefix === '' ? [] : [prefix])].join('/')
    const named = style === 'host' ? { account } : {}
    const query = queryOf({ style, ...named, lock: held?.mode, days: held?.days, credentials, profile, ca, insecure, partMiB })
    return `${config.endpoint}/${path}?${query}`
  },
  resolve: ({ credentials, ca, ...rest }, from) => ({
    ...rest,
    endpoint: new URL(rest.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }),
  label: ({ container, endpoint: at, account, style }) => `${container} at ${style === 'path' ? `${account} of ` : ''}${new URL(at).host}`,
}
