// The real S3 servers that the test command has started, and buckets on them. Without a server its tests are skipped, or fail where
// REQUIRE_SERVERS=1 says that all must be there.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { it } from 'node:test'
import { SecretBytes, systemClock, utf8 } from '#base'
import { RECIPES, type ServerKind, notFound } from '../../../scripts/servers.ts'
import { S3Client } from '../../../src/storage/locations/s3/client.ts'
import type { S3Credentials } from '../../../src/storage/locations/s3/credentials.ts'
import { type S3LocationOptions, createS3Location } from '../../../src/storage/locations/s3/s3.ts'
import type { Location } from '../../../src/storage/location.ts'

/** Those that speak S3. */
type S3Kind = Extract<ServerKind, 'ceph' | 'swift' | 's3rver'>

export interface TestServer {
  readonly kind: S3Kind
  readonly endpoint: string
  readonly credentials: S3Credentials
}

export const KEYS: Readonly<Record<S3Kind, { readonly id: string; readonly secret: string }>> = {
  ceph: { id: 'RGWMAIN', secret: 'rgwmainsecret' },
  swift: { id: 'test:tester', secret: 'testing' },
  s3rver: { id: 'S3RVER', secret: 'S3RVER' },
}

export function keysOf(id: string, secret: string): S3Credentials {
  return { accessKeyId: id, secretAccessKey: new SecretBytes(utf8(secret)) }
}

/** The server when it runs; otherwise a test that says what is missing stands in for those that need it. */
export function serverFor(kind: S3Kind): TestServer | undefined {
  const endpoint = endpointOf(kind)
  return endpoint === undefined ? undefined : { kind, endpoint, credentials: keysOf(KEYS[kind].id, KEYS[kind].secret) }
}

/** The address of a server when it runs; otherwise a test that says what is missing stands in for those that need it. */
export function endpointOf(kind: ServerKind): string | undefined {
  const endpoint = process.env[RECIPES[kind].variable]
  if (endpoint !== undefined && endpoint !== '') return endpoint
  const line = notFound(kind)
  it(`with ${kind}`, (t) => {
    assert.notEqual(process.env['REQUIRE_SERVERS'], '1', line)
    t.skip(line)
  })
  return undefined
}

/** Makes a bucket of a new name. */
export async function makeBucket(server: TestServer, options: { readonly locked?: boolean } = {}): Promise<string> {
  const bucket = `q-${randomBytes(8).toString('hex')}`
  const client = clientFor(server, bucket)
  const headers: Record<string, string> = options.locked === true ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {}
  await client.expect({ method: 'PUT', headers })
  client.close()
  return bucket
}

export function clientFor(server: TestServer, bucket: string): S3Client {
  return new S3Client({
    label: server.kind,
    endpoint: server.endpoint,
    bucket,
    region: 'us-east-1',
    style: 'path',
    credentials: async () => server.credentials,
    clock: systemClock,
  })
}

/** A location in a new bucket of the server. */
export async function locationOn(
  server: TestServer,
  options: Partial<S3LocationOptions> & { readonly locked?: boolean } = {},
): Promise<Location> {
  const bucket = await makeBucket(server, options)
  return createS3Location({
    label: `cloud ${server.kind}`,
    endpoint: server.endpoint,
    bucket,
    region: 'us-east-1',
    partBytes: 5 * 2 ** 20,
    credentials: async () => server.credentials,
    ...options,
  })
}
