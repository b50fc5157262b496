// How a bucket of an S3 store is described.
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, endpoint, filePath, isPrivate, lock, parseAddress, prefixPath, queryOf, wholeNumber } from '../spec-text.ts'

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/
const DNS_BUCKET = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/
const REGION = /^[A-Za-z0-9-]{1,64}$/
const PARAMETERS = ['region', 'style', 'lock', 'days', 'credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  's3:https://endpoint/bucket/prefix with ?region=, style=path|virtual, lock=governance|compliance and days=, credentials=FILE, profile=, ca=FILE, partMiB='
const NO_SECRETS = 'Put the access key into a file and name it with credentials=FILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'

const fields = z.strictObject({
  kind: z.literal('s3'),
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint,
  bucket: z.string().regex(BUCKET),
  prefix: prefixPath.default(''),
  region: z.string().regex(REGION).default('us-east-1'),
  style: z.enum(['path', 'virtual']).default('path'),
  lock: lock.optional(),
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

export type S3Config = Readonly<z.infer<typeof fields>>

export const s3Config: ConfigKind<S3Config> = {
  schema: fields
    .refine((config) => config.insecure === true || isPrivate(config.endpoint), { path: ['insecure'] })
    .refine((config) => config.style !== 'virtual' || DNS_BUCKET.test(config.bucket), { path: ['style'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const { url, path, given } = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const [bucket, ...prefix] = path.split('/')
    const [mode, days] = [given('lock'), given('days')]
    return {
      kind: 's3',
      endpoint: url.origin,
      bucket,
      prefix: prefix.join('/'),
      region: given('region'),
      style: given('style') ?? (url.hostname.endsWith('.amazonaws.com') && !bucket!.includes('.') ? 'virtual' : 'path'),
      lock: mode === undefined && days === undefined ? undefined : { mode, days: wholeNumber(days) },
      credentials: given('credentials'),
      profile: given('profile'),
      ca: given('ca'),
      insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
      partMiB: wholeNumber(given('partMiB')),
    }
  },
  format: (config) => {
    const { bucket, prefix, region, style, lock: held, credentials, profile, ca, insecure, partMiB } = config
    const path = prefix === '' ? bucket : `${bucket}/${prefix}`
    const query = queryOf({ region, style, lock: held?.mode, days: held?.days, credentials, profile, ca, insecure, partMiB })
    return `${config.endpoint}/${path}?${query}`
  },
  resolve: ({ credentials, ca, ...rest }, from) => ({
    ...rest,
    endpoint: new URL(rest.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }),
  label: ({ bucket, endpoint: at }) => `${bucket} at ${new URL(at).host}`,
}
