// How a container of Azure Blob Storage is described.
import { isIP } from 'node:net'
import { z } from 'zod'
import { type ConfigKind, bucketFields, bucketGiven, parseAddress, profile, queryOf, resolveWeb, staysPrivate } from '../spec-text.ts'

const PARAMETERS = ['account', 'style', 'lock', 'days', 'credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  'azure:https://account.blob.core.windows.net/container/prefix with ?credentials=FILE, profile=, account=, style=host|path, lock=governance|compliance and days=, ca=FILE, partMiB='
const NO_SECRETS =
  'Put the key, signature or connection string into a file and name it with credentials=FILE, or set AZURE_STORAGE_CONNECTION_STRING.'
const ACCOUNT = /^[a-z0-9]{3,24}$/

const fields = z.strictObject({
  kind: z.literal('azure'),
  ...bucketFields,
  account: z.string().regex(ACCOUNT),
  /** `path`: the account is the first part of the path, as emulators and appliances have it. */
  style: z.enum(['host', 'path']).default('host'),
  container: z
    .string()
    .min(3)
    .max(63)
    .regex(/^[a-z0-9](?:-?[a-z0-9])*$/),
  profile: profile.optional(),
  partMiB: z.int().min(1).max(512).optional(),
})

export type AzureConfig = Readonly<z.infer<typeof fields>>

export const azureConfig: ConfigKind<AzureConfig> = {
  schema: fields.refine(staysPrivate, { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const address = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const { url, path, given } = address
    const host = url.hostname
    const bare = host === 'localhost' || host.startsWith('[') || isIP(host) !== 0
    const style = given('style') ?? (bare ? 'path' : 'host')
    const parts = path.split('/')
    const account = style === 'path' ? parts.shift() : (given('account') ?? host.split('.')[0])
    const [container, ...prefix] = parts
    return {
      kind: 'azure',
      ...bucketGiven(address),
      account,
      style,
      container,
      prefix: prefix.join('/'),
    }
  },
  format: (config) => {
    const { account, style, container, prefix, lock: held, credentials, profile, ca, insecure, partMiB } = config
    const path = [...(style === 'path' ? [account] : []), container, ...(prefix === '' ? [] : [prefix])].join('/')
    const named = style === 'host' ? { account } : {}
    const query = queryOf({ style, ...named, lock: held?.mode, days: held?.days, credentials, profile, ca, insecure, partMiB })
    return `${config.endpoint}/${path}?${query}`
  },
  resolve: resolveWeb,
  label: ({ container, endpoint: at, account, style }) => `${container} at ${style === 'path' ? `${account} of ` : ''}${new URL(at).host}`,
}
