// How a bucket of Google Cloud Storage is described.
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, endpoint, filePath, isPrivate, lock, parseAddress, prefixPath, queryOf, wholeNumber } from '../spec-text.ts'

const PARAMETERS = ['lock', 'days', 'credentials', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  'gcs:https://storage.googleapis.com/bucket/prefix with ?credentials=FILE, lock=governance|compliance and days=, ca=FILE, partMiB='
const NO_SECRETS = 'Name the JSON file of a service account with credentials=FILE, or set GOOGLE_APPLICATION_CREDENTIALS.'

const fields = z.strictObject({
  kind: z.literal('gcs'),
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint,
  bucket: z.string().regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/),
  prefix: prefixPath.default(''),
  lock: lock.optional(),
  /** The JSON file of a service account; without it the one that GOOGLE_APPLICATION_CREDENTIALS names. */
  credentials: filePath.optional(),
  /** A file of PEM certificates: the authorities to trust instead of the system's. */
  ca: filePath.optional(),
  insecure: z.literal(true).optional(),
  partMiB: z.int().min(1).max(512).optional(),
})

export type GcsConfig = Readonly<z.infer<typeof fields>>

export const gcsConfig: ConfigKind<GcsConfig> = {
  schema: fields.refine((config) => config.insecure === true || isPrivate(config.endpoint), { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const { url, path, given } = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const [bucket, ...prefix] = path.split('/')
    const [mode, days] = [given('lock'), given('days')]
    return {
      kind: 'gcs',
      endpoint: url.origin,
      bucket,
      prefix: prefix.join('/'),
      lock: mode === undefined && days === undefined ? undefined : { mode, days: wholeNumber(days) },
      credentials: given('credentials'),
      ca: given('ca'),
      insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
      partMiB: wholeNumber(given('partMiB')),
    }
  },
  format: ({ bucket, prefix, lock: held, credentials, ca, insecure, partMiB, endpoint: at }) => {
    const path = prefix === '' ? bucket : `${bucket}/${prefix}`
    const query = queryOf({ lock: held?.mode, days: held?.days, credentials, ca, insecure, partMiB })
    return query === '' ? `${at}/${path}` : `${at}/${path}?${query}`
  },
  resolve: ({ credentials, ca, ...rest }, from) => ({
    ...rest,
    endpoint: new URL(rest.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }),
  label: ({ bucket, endpoint: at }) => `${bucket} at ${new URL(at).host}`,
}
