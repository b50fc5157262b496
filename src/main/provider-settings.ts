// The sign-in service of the house (OpenID Connect), as the environment names it. The client secret stands in a file.
import { readFile } from 'node:fs/promises'
import { Failure } from '#base'
import type { ProviderSettings } from '#identity'

export interface ProviderRequest {
  /** QUORATE_OIDC_ISSUER: `https://login.hospital.example/realms/staff`. */
  readonly issuer: string | undefined
  /** QUORATE_OIDC_CLIENT: how the provider knows this site. */
  readonly client: string | undefined
  /** QUORATE_OIDC_SECRET_FILE; without one the client is public. */
  readonly secretFile: string | undefined
  /** QUORATE_OIDC_NAME: what the button says. */
  readonly name: string | undefined
  /** QUORATE_OIDC_NEW_PEOPLE=1: whoever the provider knows may come in, without a role. */
  readonly newPeople: boolean
}

const SECRET_BYTES_MAX = 4096
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/

export async function providerSettings(request: ProviderRequest): Promise<ProviderSettings | undefined> {
  const { issuer, client, secretFile, name, newPeople } = request
  if (issuer === undefined && client === undefined) return undefined
  if (issuer === undefined || client === undefined)
    throw refused('Only one of QUORATE_OIDC_ISSUER and QUORATE_OIDC_CLIENT is set.', 'Set both, or neither.')
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (url === undefined || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '')
    throw refused('QUORATE_OIDC_ISSUER is no address of a provider.', 'Write https://HOST/PATH, as the provider names itself.')
  const clientSecret = secretFile === undefined ? undefined : await readSecret(secretFile)
  return { name: name ?? url.hostname, issuer, clientId: client, clientSecret, newPeople }
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const secret = text?.replace(/\r?\n$/, '')
  if (secret === undefined || secret === '' || secret.length > SECRET_BYTES_MAX)
    throw refused('The file with the client secret of the sign-in service cannot be read.', 'Name a small file that the site may read.')
  return secret
}

function refused(detail: string, next: string): Failure {
  return new Failure('main.config', { detail, next })
}
