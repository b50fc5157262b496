// Real S3 stores where they say no, keep what they must, or stop.
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { PutObjectCommand, S3Client as AwsClient } from '@aws-sdk/client-s3'
import { RECIPES, freePorts, notFound, startServer } from '../../../scripts/servers.ts'
import { createS3Location } from '../../../src/storage/locations/s3/s3.ts'
import { isNowhere, manyAtOnce } from './bending.ts'
import { KEYS, clientFor, keysOf, locationOn, makeBucket, serverFor } from './s3-servers.ts'
import { listAll, pattern, readAll, refuses, writeAll } from './support.ts'

for (const kind of ['ceph', 'swift', 's3rver'] as const) {
  const server = serverFor(kind)
  if (server === undefined) continue
  describe(`S3 of ${kind}`, () => {
    it('refuses wrong keys, and nobody repeats them', async () => {
      const bucket = await makeBucket(server)
      for (const [id, secret] of [
        ['NOSUCHKEYATALL', 'TOPSECRET'],
        [KEYS[kind].id, 'TOPSECRET'],
      ] as const) {
        // It verifies no signatures of version 4.
        if (kind === 's3rver' && id === KEYS[kind].id) continue
        const location = createS3Location({
          label: 'cloud',
          endpoint: server.endpoint,
          bucket,
          region: 'us-east-1',
          credentials: async () => keysOf(id, secret),
        })
        for (const call of [
          () => location.head('a'),
          () => location.open('a'),
          () => location.putIfAbsent('a', pattern(10)),
          () => writeAll(location, 'a', pattern(9 * 2 ** 20)),
          () => location.list({ prefix: '' }),
          () => location.discard('a'),
          () => location.probe(),
        ]) {
          const failure = await refuses(call, 'location.denied', 'cloud')
          const shown = inspect(failure, { depth: 20, showHidden: true })
          assert.ok(!shown.includes('TOPSECRET') && !shown.includes('NOSUCHKEYATALL'), shown)
        }
        await location.close()
      }
    })

    it('tells a missing bucket from a missing object', async () => {
      const location = createS3Location({
        label: 'cloud',
        endpoint: server.endpoint,
        bucket: 'no-such-bucket-here',
        region: 'us-east-1',
        credentials: async () => server.credentials,
      })
      await isNowhere(location, 9 * 2 ** 20)
    })

    it('reads what the kit of AWS wrote', async () => {
      const bucket = await makeBucket(server)
      const aws = new AwsClient({
        region: 'us-east-1',
        endpoint: server.endpoint,
        forcePathStyle: true,
        credentials: { accessKeyId: KEYS[kind].id, secretAccessKey: KEYS[kind].secret },
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      })
      await aws.send(new PutObjectCommand({ Bucket: bucket, Key: 'aa/theirs', Body: pattern(100_000) }))
      aws.destroy()
      const location = createS3Location({
        label: 'cloud',
        endpoint: server.endpoint,
        bucket,
        region: 'us-east-1',
        credentials: async () => server.credentials,
      })
      assert.deepEqual(await readAll(location, 'aa/theirs'), pattern(100_000))
      assert.deepEqual(await listAll(location, ''), ['aa/theirs'])
      await location.close()
    })

    it('answers many at once', async () => {
      const location = await locationOn(server)
      await manyAtOnce(location)
    })
  })
}

const ceph = serverFor('ceph')
if (ceph !== undefined) {
  describe('object lock of Ceph', () => {
    for (const mode of ['governance', 'compliance'] as const) {
      it(`keeps what ${mode} holds, whole and in parts`, async () => {
        const location = await locationOn(ceph, { locked: true, lock: { mode, days: 1 } })
        assert.equal(await location.putIfAbsent('aa/small', pattern(100)), 'created')
        await writeAll(location, 'aa/large', pattern(11 * 2 ** 20))
        for (const [name, sizeBytes] of [
          ['aa/small', 100],
          ['aa/large', 11 * 2 ** 20],
        ] as const) {
          assert.equal(await location.discard(name), 'kept')
          assert.deepEqual(await location.head(name), { sizeBytes })
        }
        await refuses(writeAll(location, 'aa/small', pattern(5)), 'location.exists', location.label)
        const { objectLock, honestCreate, findings } = await location.probe()
        assert.equal(objectLock, true)
        // Ceph 16 minds If-None-Match only in buckets without versions, and a lock needs versions.
        assert.equal(honestCreate, false)
        assert.equal(findings.length, 1)
        await location.close()
      })
    }

    it('is a finding where the bucket has none', async () => {
      const location = await locationOn(ceph, { lock: { mode: 'governance', days: 1 } })
      const { objectLock, findings } = await location.probe()
      assert.equal(objectLock, false)
      assert.match(findings.join(), /lock/)
      await location.close()
    })
  })

  it('finds a bucket of Ceph by its own host name', async (t) => {
    const bucket = await makeBucket(ceph)
    const asked: string[] = []
    t.mock.method(dns, 'lookup', (host: string, options: { all?: boolean }, done: (...answer: unknown[]) => void) => {
      asked.push(host)
      done(null, options.all === true ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)
    })
    const endpoint = ceph.endpoint.replace('127.0.0.1', 'localhost')
    const location = createS3Location({
      label: 'cloud',
      endpoint,
      bucket,
      region: 'us-east-1',
      style: 'virtual',
      credentials: async () => ceph.credentials,
    })
    await writeAll(location, 'aa/x', pattern(9 * 2 ** 20))
    assert.equal(await location.putIfAbsent('aa/x', pattern(10)), 'exists')
    assert.deepEqual(await listAll(location, ''), ['aa/x'])
    assert.ok(asked.every((host) => host === `${bucket}.localhost`) && asked.length > 0)
    await location.close()
  })

  it('deletes every version in a bucket of Ceph that keeps versions', async () => {
    const bucket = await makeBucket(ceph)
    const client = clientFor(ceph, bucket)
    const versioning = new TextEncoder().encode(
      '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
    )
    await client.expect({ method: 'PUT', query: [['versioning', '']], body: [versioning] })
    const location = createS3Location({
      label: 'cloud',
      endpoint: ceph.endpoint,
      bucket,
      region: 'us-east-1',
      credentials: async () => ceph.credentials,
    })
    await location.putIfAbsent('aa/x', pattern(10))
    for (const size of [20, 30]) await client.expect({ method: 'PUT', key: 'aa/x', body: [pattern(size)] })
    assert.equal(await location.discard('aa/x'), 'gone')
    const left = await client.expect({ method: 'GET', query: [['versions', '']] })
    assert.ok(!Buffer.from(left.body).toString().includes('aa/x'))
    await location.close()
    client.close()
  })
}

describe('a server', () => {
  it('that is stopped stalls, and serves on when it continues; that is killed cannot be reached', async () => {
    const own = await startServer('s3rver')
    assert.ok(own !== undefined)
    try {
      const server = { kind: 's3rver' as const, endpoint: own.endpoint, credentials: keysOf(KEYS.s3rver.id, KEYS.s3rver.secret) }
      const location = await locationOn(server, { stallMs: 300, backoffMs: 1 })
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
      process.kill(-own.groupId, 'SIGSTOP')
      await refuses(location.head('a'), 'location.stalled', location.label)
      await refuses(location.putIfAbsent('b', pattern(10)), 'location.stalled', location.label)
      process.kill(-own.groupId, 'SIGCONT')
      const patient = createS3Location({
        label: 'cloud',
        endpoint: own.endpoint,
        bucket: 'no-such-bucket',
        region: 'us-east-1',
        credentials: async () => server.credentials,
      })
      await refuses(patient.head('a'), 'location.config', 'cloud')
      await own.stop()
      await refuses(location.head('a'), 'location.unreachable', location.label)
      await Promise.all([location.close(), patient.close()])
    } finally {
      await own.stop()
    }
  })

  it('is found on ports of its own, and named when it is missing', async () => {
    const ports = await freePorts(20)
    assert.equal(new Set(ports).size, 20)
    assert.equal(notFound('ceph'), `not found: ceph (Debian: ${RECIPES.ceph.packages})`)
  })
})
