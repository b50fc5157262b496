// How a folder on a WebDAV server is described.
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKind, endpoint, filePath, isPrivate, parseAddress, queryOf } from '../spec-text.ts'

const PARAMETERS = ['credentials', 'profile', 'ca', 'insecure'] as const
const FORM = 'webdav:https://host/path with ?credentials=FILE, profile=, ca=FILE'
const NO_SECRETS =
  'Put user and password into a file and name it with credentials=FILE, or set QUORATE_WEBDAV_USER and QUORATE_WEBDAV_PASSWORD.'

const fields = z.strictObject({
  kind: z.literal('webdav'),
  /** `https://host[:port]`; `http://` to loopback, elsewhere only with `insecure`. */
  endpoint,
  /** The folder of the location, decoded, without a slash at either end; it must exist. */
  path: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]*$/u)
    .refine((path) => path.split('/').every((segment, _, all) => all.length === 1 || !['', '.', '..'].includes(segment))),
  /** A file with user and password, or a token; without it they are in QUORATE_WEBDAV_USER and so on. */
  credentials: filePath.optional(),
  /** The section of that file. */
  profile: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .optional(),
  /** A file of PEM certificates: the authorities to trust instead of the system's. */
  ca: filePath.optional(),
  insecure: z.literal(true).optional(),
})

export type WebdavConfig = Readonly<z.infer<typeof fields>>

export const webdavConfig: ConfigKind<WebdavConfig> = {
  schema: fields.refine((config) => config.insecure === true || isPrivate(config.endpoint), { path: ['insecure'] }),
  fields: Object.keys(fields.shape),
  form: FORM,
  parse: (text) => {
    const { url, path, given } = parseAddress(text, { form: FORM, parameters: PARAMETERS, noSecrets: NO_SECRETS })
    return {
      kind: 'webdav',
      endpoint: url.origin,
      path,
      credentials: given('credentials'),
      profile: given('profile'),
      ca: given('ca'),
      insecure: given('insecure') === undefined ? undefined : given('insecure') === 'true',
    }
  },
  format: ({ endpoint: at, path, credentials, profile, ca, insecure }) => {
    const query = queryOf({ credentials, profile, ca, insecure })
    return `${at}/${path.split('/').map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
  },
  resolve: ({ credentials, ca, ...rest }, from) => ({
    ...rest,
    endpoint: new URL(rest.endpoint).origin,
    ...(credentials === undefined ? {} : { credentials: resolve(from, credentials) }),
    ...(ca === undefined ? {} : { ca: resolve(from, ca) }),
  }),
  label: ({ path, endpoint: at }) => `${path === '' ? '/' : path} at ${new URL(at).host}`,
}
