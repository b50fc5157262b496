// The key of a service account, and the access tokens that are got with it (RFC 7523).
// https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
import { createPrivateKey, sign } from 'node:crypto'
import { type Clock, Failure, SecretBytes, fromUtf8, utf8 } from '#base'
import { gcsBounds } from '../bounds.ts'
import { readSecretFile } from '../key-file.ts'
import { isPrivate } from '../spec-text.ts'
import type { WebClient } from '../web/client.ts'
import { garbage } from './errors.ts'

export interface ServiceAccount {
  readonly email: string
  readonly keyId: string | undefined
  /** PEM, PKCS #8. */
  readonly privateKey: SecretBytes
  /** Where tokens are got; the file says it. */
  readonly tokenUri: string
}

export interface AccessToken {
  readonly token: SecretBytes
  readonly endsAtMs: number
}

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write'
const TOKEN_URI = 'https://oauth2.googleapis.com/token'

/** Reads the JSON file that Google gives out for a key of a service account. Failures never quote it. */
export async function readServiceAccount(path: string, label: string): Promise<ServiceAccount> {
  const account = parseServiceAccount(await readSecretFile(path, (why) => refused(label, why)))
  if (account === undefined) throw refused(label, 'holds no key of a service account')
  return account
}

/** The file named by GOOGLE_APPLICATION_CREDENTIALS. */
export async function serviceAccountFromEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  label: string,
): Promise<ServiceAccount> {
  const path = variables['GOOGLE_APPLICATION_CREDENTIALS']
  if (path !== undefined && path !== '') return readServiceAccount(path, label)
  throw new Failure('location.denied', {
    detail: `There is no key for ${label}.`,
    next: 'Name the JSON file of a service account with credentials=FILE or in GOOGLE_APPLICATION_CREDENTIALS.',
    culprits: [label],
  })
}

/** The account in the text of a file, or undefined when it holds none. */
export function parseServiceAccount(text: string): ServiceAccount | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const {
    type,
    client_email: email,
    private_key: key,
    private_key_id: keyId,
    token_uri: uri = TOKEN_URI,
  } = parsed as Record<string, unknown>
  if (type !== 'service_account' || typeof email !== 'string' || !/^[\x21-\x7e]{3,320}$/.test(email)) return undefined
  if (typeof key !== 'string' || !key.includes('-----BEGIN PRIVATE KEY-----')) return undefined
  if (typeof uri !== 'string' || !/^https?:\/\//.test(uri) || !URL.canParse(uri) || !isPrivate(uri)) return undefined
  return {
    email,
    keyId: typeof keyId === 'string' && /^[\x21-\x7e]{1,256}$/.test(keyId) ? keyId : undefined,
    privateKey: new SecretBytes(utf8(key)),
    tokenUri: uri,
  }
}

/** Asks for a token that is good for an hour. `client` speaks to the host of the account's `tokenUri`. */
export async function fetchToken(account: ServiceAccount, client: WebClient, clock: Clock): Promise<AccessToken> {
  const askedAtMs = clock.now()
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertionOf(account, Math.floor(askedAtMs / 1000), client.label),
  })
  const answer = await client.send({
    method: 'POST',
    path: new URL(account.tokenUri).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: [utf8(form.toString())],
  })
  if (answer.status === 400 || answer.status === 401 || answer.status === 403) {
    throw new Failure('location.denied', {
      detail: `${client.label} does not accept the key of the service account (HTTP ${answer.status}).`,
      next: 'Check that the key was not deleted or disabled, and the clock of this machine.',
      culprits: [client.label],
    })
  }
  if (answer.status !== 200 || answer.body.length > gcsBounds.tokenBytesMax) throw garbage(client.label)
  const { token, seconds } = parseToken(answer.body, client.label)
  return { token, endsAtMs: askedAtMs + seconds * 1000 }
}

function assertionOf(account: ServiceAccount, nowSeconds: number, label: string): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(account.keyId === undefined ? {} : { kid: account.keyId }) }
  const claims = {
    iss: account.email,
    scope: SCOPE,
    aud: account.tokenUri,
    iat: nowSeconds,
    exp: nowSeconds + gcsBounds.tokenSeconds,
  }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  try {
    const key = createPrivateKey(fromUtf8(account.privateKey.reveal()))
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
  } catch {
    throw refused(label, 'holds a private key that cannot be used')
  }
}

function parseToken(body: Uint8Array, label: string): { readonly token: SecretBytes; readonly seconds: number } {
  let parsed: { access_token?: unknown; expires_in?: unknown } | null
  try {
    parsed = JSON.parse(fromUtf8(body)) as typeof parsed
  } catch {
    throw garbage(label)
  }
  const { access_token: token, expires_in: seconds } = parsed ?? {}
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) throw garbage(label)
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= 86_400)) throw garbage(label)
  return { token: new SecretBytes(utf8(token)), seconds }
}

function refused(label: string, why: string): Failure {
  return new Failure('location.denied', {
    detail: `The file with the key for ${label} ${why}.`,
    next: 'It is the JSON file of a service account ("type": "service_account"), as Google gives it out.',
    culprits: [label],
  })
}
