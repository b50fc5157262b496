// How a bucket of an S3 store is described.
import { z } from 'zod'
import { type ConfigKind, bucketFields, bucketGiven, parseAddress, profile, queryOf, resolveWeb, staysPrivate } from '../spec-text.ts'

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/
const DNS_BUCKET = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/
const REGION = /^[A-Za-z0-9-]{1,64}$/
const PARAMETERS = ['region', 'style', 'lock', 'days', 'credentials', 'profile', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  's3:https://endpoint/bucket/prefix with ?region=, style=path|virtual, lock=governance|compliance and days=, credentials=FILE, profile=, ca=FILE, partMiB='
const NO_SECRETS = 'Put the access key into a file and name it with credentials=FILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'

const fields = z.strictObject({
  kind: z.literal('s3'),
  ...bucketFields,
  bucket: z.string().regex(BUCKET),
  region: z.string().regex(REGION).default('us-east-1'),
  style: z.enum(['path', 'virtual']).default('path'),
  profile: profile.optional(),
  partMiB: z.int().min(5).max(512).optional(),
})

export type S3Config = Readonly<z.infer<typeof fields>>

export const s3Config: ConfigKind<S3Config> = {
  schema: fields
    .refine(staysPrivate, { path: ['insecure'] })
    .refine((config) => config.style !== 'virtual' || DNS_BUCKET.test(config.bucket), { path: ['style'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const address = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const { url, path, given } = address
    const [bucket, ...prefix] = path.split('/')
    return {
      kind: 's3',
      ...bucketGiven(address),
      bucket,
      prefix: prefix.join('/'),
      region: given('region'),
      style: given('style') ?? (url.hostname.endsWith('.amazonaws.com') && !bucket!.includes('.') ? 'virtual' : 'path'),
    }
  },
  format: (config) => {
    const { bucket, prefix, region, style, lock: held, credentials, profile, ca, insecure, partMiB } = config
    const path = prefix === '' ? bucket : `${bucket}/${prefix}`
    const query = queryOf({ region, style, lock: held?.mode, days: held?.days, credentials, profile, ca, insecure, partMiB })
    return `${config.endpoint}/${path}?${query}`
  },
  resolve: resolveWeb,
  label: ({ bucket, endpoint: at }) => `${bucket} at ${new URL(at).host}`,
}
