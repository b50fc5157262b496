// AWS Signature Version 4 in the Authorization header.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (steps named as there)
import { createHash, createHmac } from 'node:crypto'
import { fromUtf8 } from '#base'
import type { S3Credentials } from './credentials.ts'

export const UNSIGNED = 'UNSIGNED-PAYLOAD'
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export interface Signable {
  readonly method: string
  /** The path as it is sent, each segment encoded by `uriEncode`. */
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  /** Lower-case names, `host` among them. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** Hex SHA-256 of the body, or `UNSIGNED`. */
  readonly payload: string
}

export interface Scope {
  readonly region: string
  readonly nowMs: number
  readonly credentials: S3Credentials
}

/** The headers to send: those given and `x-amz-date`, `x-amz-content-sha256`, the session token and `authorization`. */
export function sign(request: Signable, scope: Scope): Record<string, string> {
  const date = new Date(scope.nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const day = date.slice(0, 8)
  const headers: Record<string, string> = { ...request.headers, 'x-amz-content-sha256': request.payload, 'x-amz-date': date }
  const { accessKeyId, sessionToken } = scope.credentials
  if (sessionToken !== undefined) headers['x-amz-security-token'] = fromUtf8(sessionToken.reveal())

  const names = Object.keys(headers).sort()
  const signedHeaders = names.join(';')
  const canonicalHeaders = names.map((name) => `${name}:${headers[name]!.trim().replaceAll(/ +/g, ' ')}\n`).join('')
  const canonicalRequest = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    canonicalHeaders,
    signedHeaders,
    request.payload,
  ].join('\n')

  const credentialScope = `${day}/${scope.region}/s3/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', date, credentialScope, createHash('sha256').update(canonicalRequest).digest('hex')].join('\n')
  const signature = hmac(signingKey(scope.credentials, { day, region: scope.region }), stringToSign).toString('hex')
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${credentialScope},SignedHeaders=${signedHeaders},Signature=${signature}`
  return headers
}

/** The query string in canonical order; the same is sent. */
export function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  const pairs = query.map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
  // By name, then by value; not by the joined text, in which `=` would sort after `-`.
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** UriEncode of the document: all but unreserved characters, as upper-case percent-encoded UTF-8. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A path with each segment encoded. */
export function encodePath(path: string): string {
  return path.split('/').map(uriEncode).join('/')
}

interface DayKey {
  readonly day: string
  readonly region: string
  readonly key: Buffer
}

// One derived key per set of credentials: it is good for a day and region.
const derived = new WeakMap<S3Credentials, DayKey>()

function signingKey(credentials: S3Credentials, { day, region }: { readonly day: string; readonly region: string }): Buffer {
  const known = derived.get(credentials)
  if (known !== undefined && known.day === day && known.region === region) return known.key
  const secret = Buffer.concat([Buffer.from('AWS4'), credentials.secretAccessKey.reveal()])
  const key = ['s3', 'aws4_request'].reduce((from, step) => hmac(from, step), hmac(hmac(secret, day), region))
  secret.fill(0)
  derived.set(credentials, { day, region, key })
  return key
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
