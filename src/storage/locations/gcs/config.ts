// How a bucket of Google Cloud Storage is described.
import { z } from 'zod'
import { type ConfigKind, bucketFields, bucketGiven, parseAddress, queryOf, resolveWeb, staysPrivate } from '../spec-text.ts'

const PARAMETERS = ['lock', 'days', 'credentials', 'ca', 'insecure', 'partMiB'] as const
const FORM =
  'gcs:https://storage.googleapis.com/bucket/prefix with ?credentials=FILE, lock=governance|compliance and days=, ca=FILE, partMiB='
const NO_SECRETS = 'Name the JSON file of a service account with credentials=FILE, or set GOOGLE_APPLICATION_CREDENTIALS.'

const fields = z.strictObject({
  kind: z.literal('gcs'),
  ...bucketFields,
  bucket: z.string().regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/),
  partMiB: z.int().min(1).max(512).optional(),
})

export type GcsConfig = Readonly<z.infer<typeof fields>>

export const gcsConfig: ConfigKind<GcsConfig> = {
  schema: fields.refine(staysPrivate, { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const address = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    const [bucket, ...prefix] = address.path.split('/')
    return {
      kind: 'gcs',
      ...bucketGiven(address),
      bucket,
      prefix: prefix.join('/'),
    }
  },
  format: ({ bucket, prefix, lock: held, credentials, ca, insecure, partMiB, endpoint: at }) => {
    const path = prefix === '' ? bucket : `${bucket}/${prefix}`
    const query = queryOf({ lock: held?.mode, days: held?.days, credentials, ca, insecure, partMiB })
    return query === '' ? `${at}/${path}` : `${at}/${path}?${query}`
  },
  resolve: resolveWeb,
  label: ({ bucket, endpoint: at }) => `${bucket} at ${new URL(at).host}`,
}
