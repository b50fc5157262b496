// rclone 1.60 and newer as a peer: its remotes described by variables, so that it reads and writes no configuration.
import { randomBytes } from 'node:crypto'
import { run } from './processes.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Variables of a remote `name` that encrypts into `of`, together with those given. */
export async function cryptRemote({
  name,
  of,
  env,
}: {
  readonly name: string
  readonly of: string
  readonly env: Variables
}): Promise<Variables> {
  const { output } = await run({ program: 'rclone', args: ['obscure', randomBytes(24).toString('hex')] })
  const prefix = `RCLONE_CONFIG_${name.toUpperCase()}_`
  // Debian's rclone dies over this one.
  return {
    ...env,
    RCLONE_CONFIG: '/dev/null',
    AWS_CA_BUNDLE: undefined,
    [`${prefix}TYPE`]: 'crypt',
    [`${prefix}REMOTE`]: of,
    [`${prefix}PASSWORD`]: output.trim(),
  }
}

/** Variables of a remote `name` on an S3 server. */
export function s3Remote(name: string, server: { readonly endpoint: string; readonly id: string; readonly secret: string }): Variables {
  const prefix = `RCLONE_CONFIG_${name.toUpperCase()}_`
  return {
    [`${prefix}TYPE`]: 's3',
    [`${prefix}PROVIDER`]: 'Other',
    [`${prefix}ENDPOINT`]: server.endpoint,
    [`${prefix}ACCESS_KEY_ID`]: server.id,
    [`${prefix}SECRET_ACCESS_KEY`]: server.secret,
    [`${prefix}NO_CHECK_BUCKET`]: 'true',
  }
}
