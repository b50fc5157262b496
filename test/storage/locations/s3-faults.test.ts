// The S3 driver against a server that loses, delays, cuts and falsifies answers.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureCode } from '#base'
import type { Location } from '../../../src/storage/location.ts'
import { cachedCredentials } from '../../../src/storage/locations/s3/credentials.ts'
import { type S3LocationOptions, createS3Location } from '../../../src/storage/locations/s3/s3.ts'
import { partBytesOf } from '../../../src/storage/locations/s3/sink.ts'
import { type ReadBend, bender, bentReads, sameAgain } from './bending.ts'
import { locationConformance } from './conformance.ts'
import { BUCKET, type Bend, type FakeAnswer, type FakeRequest, type FakeS3, error, fakeS3, listAnswer, reply } from './fake-s3.ts'
import { keysOf } from './s3-servers.ts'
import { listAll, pattern, pour, readAll, refuses, writeAll } from './support.ts'

const PART = 256 * 1024
const SECRET = 'TOPSECRETTOPSECRET'
const KEY_ID = 'AKIDTOPSECRET'

function locationAt(endpoint: string, options: Partial<S3LocationOptions> = {}): Location {
  return createS3Location({
    label: 'cloud',
    endpoint,
    bucket: BUCKET,
    region: 'us-east-1',
    credentials: async () => ({ ...keysOf(KEY_ID, SECRET), sessionToken: keysOf('', `${SECRET}token`).secretAccessKey }),
    partBytes: PART,
    backoffMs: 1,
    ...options,
  })
}

locationConformance(
  'S3 of the fake server',
  async () => {
    const fake = await fakeS3()
    const location = locationAt(fake.endpoint, { prefix: 'a/b' })
    return {
      location,
      close: async () => {
        await location.close()
        await fake[Symbol.asyncDispose]()
      },
    }
  },
  { largeBytes: 5 * PART + 17, adopts: 'shown' },
)

describe('the S3 driver, when the store misbehaves', () => {
  let fake: FakeS3
  let location: Location
  beforeEach(async () => {
    fake = await fakeS3()
    location = locationAt(fake.endpoint)
  })
  afterEach(async () => {
    await location.close()
    await fake[Symbol.asyncDispose]()
  })

  const bend = bender(() => fake)
  const isPut = (request: FakeRequest): boolean => request.method === 'PUT'
  const isGet = (request: FakeRequest): boolean => request.method === 'GET'
  const isPart = (request: FakeRequest): boolean => request.query.has('partNumber')
  const isComplete = (request: FakeRequest): boolean => request.method === 'POST' && request.query.has('uploadId')

  /** Gives up soon: only for tests in which the store does not answer. */
  const impatient = (): Location => {
    location = locationAt(fake.endpoint, { stallMs: 150 })
    return location
  }

  describe('that does not answer', () => {
    beforeEach(impatient)

    it('stalls, for each call', async () => {
      await location.putIfAbsent('a', pattern(1000))
      const source = await location.open('a')
      fake.bend = () => 'hang'
      for (const call of [
        () => location.head('b'),
        () => location.open('a'),
        () => source.read(0, new Uint8Array(10)),
        () => location.list({ prefix: '' }),
        () => location.discard('a'),
        () => location.putIfAbsent('b', pattern(10)),
        () => writeAll(location, 'b', pattern(10)),
        () => location.sweepPartial({ olderThanMs: 0 }),
      ])
        await refuses(call, 'location.stalled', 'cloud')
    })

    it('stalls in the middle of an object', async () => {
      await location.putIfAbsent('a', pattern(100_000))
      const source = await location.open('a', { tailBytes: 10 })
      bend(isGet, (response) => {
        response.writeHead(206, { 'content-length': '50000', 'content-range': 'bytes 0-49999/100000' })
        response.write(pattern(100_000).subarray(0, 20_000))
      })
      await refuses(source.read(0, new Uint8Array(50_000)), 'location.stalled', 'cloud')
    })

    it('stalls when it drips', async () => {
      await location.putIfAbsent('a', pattern(100_000))
      const source = await location.open('a', { tailBytes: 10 })
      bend(isGet, (response) => {
        response.writeHead(206, { 'content-length': '50000', 'content-range': 'bytes 0-49999/100000' })
        const drip = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(drip))
      })
      await refuses(source.read(0, new Uint8Array(50_000)), 'location.stalled', 'cloud')
    })

    it('does not keep a cancelled caller waiting, and leaves the view alone', async () => {
      await location.putIfAbsent('a', pattern(100_000))
      const source = await location.open('a', { tailBytes: 10 })
      let send = (): void => undefined
      const closed = new Promise((resolve) => {
        bend(isGet, (response) => {
          response.writeHead(206, { 'content-length': '50000', 'content-range': 'bytes 0-49999/100000' })
          response.write(new Uint8Array(20_000).fill(7))
          send = () => void response.write(new Uint8Array(20_000).fill(9))
          response.on('close', () => resolve(true))
        })
      })
      const view = new Uint8Array(50_000)
      const cancel = new AbortController()
      const reading = source.read(0, view, { signal: cancel.signal })
      while (view[0] !== 7) await new Promise((resolve) => setImmediate(resolve))
      cancel.abort()
      await refuses(reading, 'base.cancelled')
      const before = view.slice()
      send()
      assert.equal(await closed, true)
      assert.deepEqual(view, before)
    })

    it('ends reads when the source is closed', async () => {
      await location.putIfAbsent('a', pattern(1000))
      const source = await location.open('a')
      fake.bend = () => 'hang'
      const reading = source.read(0, new Uint8Array(10))
      await source.close()
      await refuses(reading, 'base.cancelled')
    })

    it('cannot be connected to', async () => {
      const nowhere = locationAt('http://127.0.0.1:1')
      await refuses(nowhere.head('a'), 'location.unreachable', 'cloud')
      await refuses(writeAll(nowhere, 'a', pattern(PART * 3)), 'location.unreachable', 'cloud')
      await nowhere.close()
      const nobody = locationAt('http://nobody.invalid')
      await refuses(nobody.head('a'), 'location.unreachable', 'cloud')
      await nobody.close()
    })
  })

  describe('that loses requests or answers', () => {
    it('is asked again, and not without end', async () => {
      fake.objects.set('a', pattern(100))
      assert.equal(bend(isGet, 'lose', 3)(), 0)
      assert.deepEqual(await readAll(location, 'a'), pattern(100))
      const met = bend(() => true, 'lose')
      await refuses(location.list({ prefix: '' }), 'location.unreachable', 'cloud')
      assert.ok(met() >= 4 && met() <= 8)
    })

    it('is asked again after 500, 503 and 429', async () => {
      for (const status of [500, 502, 503, 504, 429]) {
        bend(() => true, { status, headers: { 'retry-after': '0' } }, 2)
        assert.equal(await location.head('a'), undefined)
        const met = bend(() => true, { status })
        await refuses(location.head('a'), 'location.unreachable', 'cloud')
        assert.equal(met(), 4)
      }
    })

    it('keeps our own write when only the answer was lost', async () => {
      for (const name of ['a', 'b']) {
        const met = bend(isPut, 'lose answer', 1)
        if (name === 'a') assert.equal(await location.putIfAbsent(name, pattern(500)), 'created')
        else await writeAll(location, name, pattern(500))
        assert.equal(met(), 1)
        assert.deepEqual(await readAll(location, name), pattern(500))
      }
    })

    it('keeps our own write when every answer to it was lost', async () => {
      const met = bend(isPut, 'lose answer')
      assert.equal(await location.putIfAbsent('a', pattern(500)), 'created')
      assert.ok(met() >= 4)
    })

    it('sees that somebody else was first', async () => {
      let first = true
      fake.bend = (request) => {
        if (!isPut(request) || !first) return 'pass'
        first = false
        fake.objects.set('a', pattern(500, 2))
        return 'lose'
      }
      assert.equal(await location.putIfAbsent('a', pattern(500, 1)), 'exists')
    })

    it('fails when nothing landed', async () => {
      bend(isPut, 'lose')
      await refuses(location.putIfAbsent('a', pattern(500)), 'location.unreachable', 'cloud')
      await refuses(writeAll(location, 'a', pattern(500)), 'location.unreachable', 'cloud')
      assert.equal(fake.objects.size, 0)
    })

    it('tries again when two writers met', async () => {
      bend(isPut, error(409, 'ConditionalRequestConflict'), 2)
      assert.equal(await location.putIfAbsent('a', pattern(5)), 'created')
    })

    it('gets the same bytes again for a part', () => sameAgain(location, fake, { bytes: PART, named: 'partNumber' }))

    it('has joined the parts although the answer was lost', async () => {
      const bytes = pattern(PART * 3 + 5)
      bend(isComplete, 'lose answer', 1)
      await writeAll(location, 'a', bytes)
      bend(isComplete, 'lose answer')
      await writeAll(location, 'b', bytes)
      assert.deepEqual(await readAll(location, 'a'), bytes)
      assert.deepEqual(await readAll(location, 'b'), bytes)
    })

    it('says an error after it has said 200', async () => {
      const bytes = pattern(PART * 2 + 5)
      bend(isComplete, { ...error(200, 'InternalError') }, 2)
      await writeAll(location, 'a', bytes)
      assert.deepEqual(await readAll(location, 'a'), bytes)
      bend(isComplete, { ...error(200, 'AccessDenied') })
      await refuses(writeAll(location, 'b', bytes), 'location.denied', 'cloud')
      assert.equal(fake.uploads.size, 0)
    })

    it('closes connections that we kept', async () => {
      fake.bend = () => (response, honest) => {
        reply(response, { method: 'GET' }, honest())
        response.on('finish', () => setImmediate(() => response.socket?.destroy()))
      }
      for (let index = 0; index < 20; index += 1) {
        assert.equal(await location.putIfAbsent(`x${index}`, pattern(10)), 'created')
        await new Promise((resolve) => setTimeout(resolve, index % 3))
      }
    })
  })

  describe('that cuts or changes what we read', () => {
    beforeEach(() => {
      fake.objects.set('a', pattern(10_000))
    })

    const answers: [string, ReadBend, FailureCode][] = [
      ['another object', error(412, 'PreconditionFailed'), 'location.lies'],
      ['nothing any more', error(404, 'NoSuchKey'), 'location.absent'],
      ['no right', error(403, 'AccessDenied'), 'location.denied'],
    ]
    bentReads({ location: () => location, bendReads: (what, times) => bend(isGet, what, times), answers })

    it('knows no ranges from the end', async () => {
      fake.bend = (request) =>
        request.headers.range?.startsWith('bytes=-') === true ? { status: 200, body: fake.objects.get(request.key)! } : 'pass'
      const source = await location.open('a', { tailBytes: 100 })
      assert.equal(source.sizeBytes, 10_000)
      assert.deepEqual(source.tail, pattern(10_000).subarray(-100))
      await source.close()
    })
  })

  describe('that answers nonsense', () => {
    const nonsense: [string, string | Uint8Array][] = [
      ['nothing', ''],
      ['a web page', '<!DOCTYPE html><html><body><p>Please log in<br></body></html>'],
      [
        'a document type',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><ListBucketResult><IsTruncated>false</IsTruncated>&b;</ListBucketResult>',
      ],
      ['half an answer', '<ListBucketResult><IsTruncated>false</IsTruncated>'],
      ['another answer', '<Other><IsTruncated>false</IsTruncated></Other>'],
      ['no end', '<ListBucketResult></ListBucketResult>'],
      ['an endless list', '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'],
      [
        'a negative size',
        '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>',
      ],
      [
        'bad encoding',
        '<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size></Contents></ListBucketResult>',
      ],
      ['bytes', pattern(1000)],
      ['depth', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`],
    ]
    for (const [what, body] of nonsense) {
      it(`lists ${what}`, async () => {
        bend(isGet, { status: 200, body })
        await refuses(location.list({ prefix: '' }), 'location.lies', 'cloud')
        await refuses(location.sweepPartial({ olderThanMs: 0 }), 'location.lies', 'cloud')
      })
    }

    it('lists too much', async () => {
      bend(isGet, { status: 200, body: new Uint8Array(9 * 2 ** 20).fill(32) })
      await refuses(location.list({ prefix: '' }), 'location.lies', 'cloud')
    })

    it('lists out of order, others than asked for, or again what was listed', async () => {
      const lists: [string, string[], string | undefined][] = [
        ['', ['b', 'a'], undefined],
        ['', ['a', 'a'], undefined],
        ['x', ['y'], undefined],
        ['', ['a'], 'b'],
      ]
      for (const [prefix, keys, after] of lists) {
        bend(
          isGet,
          listAnswer(
            keys.map((key) => ({ key, size: 1 })),
            false,
          ),
        )
        await refuses(location.list({ prefix, after }), 'location.lies', 'cloud')
      }
    })

    it('speaks no HTTP', async () => {
      fake.bend = () => (response) => {
        response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')
      }
      await refuses(location.head('a'), 'location.lies', 'cloud')
    })

    it('sends stray bytes after the answer to a HEAD', async () => {
      fake.bend = () => (response) => {
        response.socket?.write('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
      }
      for (let index = 0; index < 5; index += 1) {
        fake.bend = (request) =>
          request.method === 'HEAD' && request.key !== ''
            ? (response) => void response.socket?.write('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
            : 'pass'
        assert.equal(await location.head('a'), undefined)
      }
    })

    it('sends us elsewhere, where we do not go', async () => {
      for (const status of [301, 302, 307, 308]) {
        const met = bend(() => true, { ...error(status, 'PermanentRedirect'), headers: { location: `${fake.endpoint}/elsewhere` } })
        await refuses(location.head('a'), 'location.config', 'cloud')
        await refuses(location.putIfAbsent('a', pattern(1)), 'location.config', 'cloud')
        assert.ok(fake.requests.every((request) => request.key !== 'elsewhere'))
        assert.ok(met() > 0)
      }
    })

    it('acknowledges what it does not keep', async () => {
      bend(isComplete, (response, honest) => {
        const answer = honest()
        fake.objects.set('a', pattern(3))
        reply(response, { method: 'POST' }, answer)
      })
      await refuses(writeAll(location, 'a', pattern(PART * 2)), 'location.lies', 'cloud')
    })
  })

  describe('that refuses', () => {
    const refusals: [number, string, FailureCode][] = [
      [403, 'InvalidAccessKeyId', 'location.denied'],
      [403, 'SignatureDoesNotMatch', 'location.denied'],
      [403, 'RequestTimeTooSkewed', 'location.denied'],
      [403, 'QuotaExceeded', 'location.full'],
      [507, 'InsufficientStorage', 'location.full'],
      [507, 'Whatever', 'location.full'],
      [413, 'EntityTooLarge', 'location.full'],
      [404, 'NoSuchBucket', 'location.config'],
      [400, 'AuthorizationHeaderMalformed', 'location.config'],
      [418, 'Teapot', 'location.unsupported'],
    ]
    for (const [status, code, expected] of refusals) {
      it(`with ${status} ${code}`, async () => {
        bend(() => true, error(status, code))
        await refuses(location.list({ prefix: '' }), expected, 'cloud')
        bend(isPut, error(status, code))
        await refuses(location.putIfAbsent('a', pattern(1)), expected, 'cloud')
        await refuses(writeAll(location, 'a', pattern(PART * 3)), expected, 'cloud')
        assert.equal(fake.uploads.size, 0, 'nothing is left behind')
      })
    }

    it('a missing bucket is not a missing object', async () => {
      const other = locationAt(fake.endpoint, { bucket: 'other-bucket' })
      await refuses(other.head('a'), 'location.config', 'cloud')
      await refuses(other.open('a'), 'location.config', 'cloud')
      await refuses(other.discard('a'), 'location.config', 'cloud')
      await refuses(other.putIfAbsent('a', pattern(1)), 'location.config', 'cloud')
      await other.close()
    })

    it('conditional writes: we look first', async () => {
      fake.bend = (request) => (request.headers['if-none-match'] === undefined ? 'pass' : error(501, 'NotImplemented'))
      for (const size of [10, PART * 2 + 1]) {
        await writeAll(location, `a${size}`, pattern(size))
        await refuses(writeAll(location, `a${size}`, pattern(size)), 'location.exists', 'cloud')
      }
      const { honestCreate, findings } = await location.probe()
      assert.equal(honestCreate, false)
      assert.match(findings.join(), /no conditional write/)
    })

    it('nothing, and overwrites: the probe notices', async () => {
      fake.bend = (request) => {
        delete request.headers['if-none-match']
        return 'pass'
      }
      const { honestCreate, findings } = await location.probe()
      assert.equal(honestCreate, false)
      assert.match(findings.join(), /overwrote/)
      await writeAll(location, 'a', pattern(10))
      await refuses(writeAll(location, 'a', pattern(10)), 'location.exists', 'cloud')
    })

    it('deleting', async () => {
      fake.objects.set('a', pattern(1))
      bend((request) => request.method === 'DELETE', error(403, 'AccessDenied'))
      assert.equal(await location.discard('a'), 'kept')
      assert.equal((await location.probe()).deletes, false)
    })
  })

  describe('and keys', () => {
    it('never show in a failure, even when the store repeats them', async () => {
      impatient()
      const spill = (request: FakeRequest): FakeAnswer => ({
        ...error(
          403,
          KEY_ID,
          `<AWSAccessKeyId>${KEY_ID}</AWSAccessKeyId><Sent>${String(request.headers.authorization)}</Sent><T>${SECRET}</T>`,
        ),
        headers: { 'x-amz-echo': SECRET },
      })
      const bends: ((request: FakeRequest) => Bend)[] = [
        spill,
        (request) => ({ ...spill(request), status: 400 }),
        (request) => ({ ...spill(request), status: 200 }),
        (request) => ({ ...spill(request), status: 503 }),
        () => 'lose',
        () => 'hang',
      ]
      for (const each of bends) {
        fake.bend = each
        for (const call of [
          () => location.putIfAbsent('a', pattern(1)),
          () => location.open('a'),
          () => location.list({ prefix: '' }),
          () => writeAll(location, 'b', pattern(PART * 2)),
          () => location.probe(),
          () => location.discard('a'),
        ]) {
          let caught: unknown
          await call().catch((error: unknown) => (caught = error))
          if (caught === undefined) continue
          assert.ok(caught instanceof Failure, inspect(caught))
          const shown = `${inspect(caught, { depth: 20, showHidden: true })} ${JSON.stringify(caught)} ${String(caught.stack)}`
          for (const secret of [SECRET, KEY_ID, 'Signature=', 'AWS4-HMAC']) assert.ok(!shown.includes(secret), shown)
        }
      }
      assert.ok(!inspect(location, { depth: 20, showHidden: true }).includes(SECRET))
    })

    it('are loaded anew when the store refuses them', async () => {
      let keys = keysOf('OLD', 'old')
      let loads = 0
      const rotating = locationAt(fake.endpoint, {
        credentials: cachedCredentials(async () => {
          loads += 1
          return keys
        }),
      })
      fake.bend = (request) =>
        request.headers.authorization?.includes('Credential=NEW/') === true ? 'pass' : error(403, 'InvalidAccessKeyId')
      await refuses(rotating.head('a'), 'location.denied', 'cloud')
      keys = keysOf('NEW', 'new')
      assert.equal(await rotating.head('a'), undefined)
      assert.equal(await rotating.putIfAbsent('a', pattern(10)), 'created')
      assert.ok(loads <= 3, String(loads))
      await rotating.close()
    })

    it('that cannot be loaded are no riddle', async () => {
      const without = locationAt(fake.endpoint, { credentials: () => Promise.reject(new Error(SECRET)) })
      const failure = await refuses(without.head('a'), 'location.denied', 'cloud')
      assert.ok(!inspect(failure).includes(SECRET))
    })
  })

  describe('and memory', () => {
    it('lets the writer wait when parts are not taken', async () => {
      const held: (() => void)[] = []
      fake.bend = (request) =>
        isPart(request) ? (response, honest) => void held.push(() => reply(response, { method: 'PUT' }, honest())) : 'pass'
      const slow = locationAt(fake.endpoint, { partsInFlight: 2 })
      const sink = await slow.create('a')
      let written = 0
      const writing = (async () => {
        for (let index = 0; index < 40; index += 1) {
          await sink.write(pattern(PART / 4, index + 1))
          written += PART / 4
        }
        await sink.finish()
      })()
      while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(held.length, 2)
      assert.ok(written < 3 * PART, `${written} bytes were taken`)
      assert.equal(sink.acceptedBytes, 0)
      const release = setInterval(() => held.shift()?.(), 1)
      await writing
      clearInterval(release)
      assert.equal(fake.objects.get('a')?.length, 10 * PART)
      await slow.close()
    })

    it('does not take a slow line for a stalled store', async () => {
      let received = 0
      const slow = createServer((request, response) => {
        request.on('data', (chunk: Buffer) => {
          received += chunk.length
          if (received % (2 * 2 ** 20) >= chunk.length) return
          request.pause()
          setTimeout(() => request.resume(), 300)
        })
        request.on('end', () => response.writeHead(request.method === 'HEAD' && request.url !== '/bucket' ? 404 : 200).end())
      })
      await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
      const { port } = slow.address() as AddressInfo
      const patient = locationAt(`http://127.0.0.1:${port}`, { stallMs: 1500, partBytes: 32 * 2 ** 20 })
      await writeAll(patient, 'a', new Uint8Array(20 * 2 ** 20))
      assert.equal(received, 20 * 2 ** 20)
      await patient.close()
      slow.close()
    })

    it('gives up the other parts when one fails', async () => {
      bend((request) => request.query.get('partNumber') === '2', error(403, 'AccessDenied'))
      const sink = await location.create('a')
      await refuses(
        async () => {
          for (let index = 0; index < 1000; index += 1) await sink.write(pattern(PART / 2))
        },
        'location.denied',
        'cloud',
      )
      await sink.abort()
      assert.equal(fake.uploads.size, 0)
      await refuses(writeAll(location, 'b', pattern(PART * 2)), 'location.denied', 'cloud')
      assert.equal(fake.uploads.size, 0)
    })

    it('keeps its connections', async () => {
      for (let index = 0; index < 50; index += 1) await location.putIfAbsent(`x${index}`, pattern(10))
      assert.ok(fake.connectionCount <= 2, String(fake.connectionCount))
    })

    it('makes parts that suffice', () => {
      const partBytes = 8 * 2 ** 20
      let known = 0
      const expectedBytes = 10 ** 12
      for (let number = 1; number <= 10_000; number += 1) known += partBytesOf(number, { partBytes, expectedBytes })
      assert.ok(known > expectedBytes)
      assert.equal(partBytesOf(1, { partBytes, expectedBytes: 100 }), partBytes)
      let unknown = 0
      for (let number = 1; number <= 10_000; number += 1) unknown += partBytesOf(number, { partBytes })
      assert.ok(unknown > 290 * 2 ** 30)
    })
  })

  describe('and what is sent', () => {
    it('has a length, a lock where wanted, and a checksum then', async () => {
      const locked = locationAt(fake.endpoint, { lock: { mode: 'compliance', days: 10 } })
      await locked.putIfAbsent('a', pattern(10))
      await writeAll(locked, 'b', pattern(PART * 2))
      const heldPuts = fake.requests.filter((request) => request.method === 'PUT' || request.query.has('uploads'))
      for (const request of heldPuts) {
        if (request.query.has('partNumber') || request.query.has('retention')) assert.ok(request.headers['content-md5'])
        else {
          assert.equal(request.headers['x-amz-object-lock-mode'], 'COMPLIANCE')
          const until = Date.parse(String(request.headers['x-amz-object-lock-retain-until-date']))
          assert.ok(Math.abs(until - Date.now() - 10 * 86_400_000) < 3_600_000)
        }
      }
      assert.equal(fake.locks.get('b')?.['x-amz-object-lock-mode'], 'COMPLIANCE', 'a lock that was forgotten is put on the whole')
      assert.ok(fake.requests.every((request) => request.headers['transfer-encoding'] === undefined))
      await locked.close()
    })

    it('leaves uploads of others in the bucket alone', async () => {
      const below = locationAt(fake.endpoint, { prefix: 'mine' })
      const old = new Date(Date.now() - 86_400_000).toISOString()
      fake.uploads.set('1', { key: 'mine/aa/bb', parts: new Map(), initiated: old })
      fake.uploads.set('2', { key: 'theirs/aa/bb', parts: new Map(), initiated: old })
      fake.uploads.set('3', { key: 'mine/Not Ours', parts: new Map(), initiated: old })
      fake.uploads.set('4', { key: 'mine/young', parts: new Map(), initiated: new Date().toISOString() })
      assert.equal(await below.sweepPartial({ olderThanMs: 3_600_000 }), 1)
      assert.deepEqual([...fake.uploads.keys()], ['2', '3', '4'])
      await below.close()
    })

    it('passes over names that are not ours, over pages', async () => {
      for (const key of ['Zebra', '.hidden', 'a b', 'aa/x', 'bb/y', 'cc/Z', 'é']) fake.objects.set(key, pattern(1))
      assert.deepEqual(await listAll(location, '', 1), ['aa/x', 'bb/y'])
      assert.deepEqual(await listAll(location, ''), ['aa/x', 'bb/y'])
    })

    it('falls back to the first version of the list', async () => {
      for (const key of ['a', 'b', 'c']) fake.objects.set(key, pattern(1))
      fake.bend = (request) => (request.query.get('list-type') === '2' ? error(501, 'NotImplemented') : 'pass')
      assert.deepEqual(await listAll(location, '', 1), ['a', 'b', 'c'])
    })

    it('is dropped when cancelled', async () => {
      const cancel = new AbortController()
      const sink = await location.create('a', { signal: cancel.signal })
      await pour(sink, pattern(PART * 2))
      cancel.abort()
      await refuses(sink.finish(), 'base.cancelled')
      assert.equal(fake.uploads.size, 0)
      assert.equal(fake.objects.size, 0)
    })
  })
})
