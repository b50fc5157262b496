// How a folder on a WebDAV server is described.
import { z } from 'zod'
import { type ConfigKind, parseAddress, profile, queryOf, resolveWeb, staysPrivate, webFields, webGiven } from '../spec-text.ts'

const PARAMETERS = ['credentials', 'profile', 'ca', 'insecure'] as const
const FORM = 'webdav:https://host/path with ?credentials=FILE, profile=, ca=FILE'
const NO_SECRETS =
  'Put user and password into a file and name it with credentials=FILE, or set QUORATE_WEBDAV_USER and QUORATE_WEBDAV_PASSWORD.'

const fields = z.strictObject({
  kind: z.literal('webdav'),
  ...webFields,
  /** The folder of the location, decoded, without a slash at either end; it must exist. */
  path: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]*$/u)
    .refine((path) => path.split('/').every((segment, _, all) => all.length === 1 || !['', '.', '..'].includes(segment))),
  profile: profile.optional(),
})

export type WebdavConfig = Readonly<z.infer<typeof fields>>

export const webdavConfig: ConfigKind<WebdavConfig> = {
  schema: fields.refine(staysPrivate, { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const address = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    return { kind: 'webdav', ...webGiven(address), path: address.path }
  },
  format: ({ endpoint: at, path, credentials, profile, ca, insecure }) => {
    const query = queryOf({ credentials, profile, ca, insecure })
    return `${at}/${path.split('/').map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
  },
  resolve: resolveWeb,
  label: ({ path, endpoint: at }) => `${path === '' ? '/' : path} at ${new URL(at).host}`,
}
