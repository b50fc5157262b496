// The driver for Google Cloud Storage keeps the contract on a made-up store, also when it loses, delays, cuts and falsifies answers.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { type Clock, type FailureCode, SecretBytes, utf8 } from '#base'
import { parseServiceAccount } from '../../../src/storage/locations/gcs/credentials.ts'
import { type GcsLocationOptions, createGcsLocation } from '../../../src/storage/locations/gcs/gcs.ts'
import { openLocation, parseLocation } from '../../../src/storage/locations/from-config.ts'
import type { Location } from '../../../src/storage/location.ts'
import { CALLS, type ReadBend, bender, bentReads, failsInKnownWords, isNowhere } from './bending.ts'
import { locationConformance } from './conformance.ts'
import { type FakeGcs, type FakeGcsRequest, GCS_BUCKET, type GcsBend, fakeGcs, gcsError } from './fake-gcs.ts'
import { begun, listAll, pattern, pour, readAll, refuses, scratch, writeAll } from './support.ts'

const PART = 256 * 1024

function locationAt(fake: FakeGcs, options: Partial<GcsLocationOptions> = {}): Location {
  return createGcsLocation({
    label: 'cloud',
    endpoint: fake.endpoint,
    bucket: GCS_BUCKET,
    account: async () => fake.account,
    partBytes: PART,
    backoffMs: 1,
    ...options,
  })
}

for (const prefix of ['', 'site-1/vault']) {
  locationConformance(
    `Google Cloud Storage, made up, ${prefix === '' ? 'whole bucket' : 'below a prefix'}`,
    async () => {
      const fake = await fakeGcs()
      const location = locationAt(fake, { prefix })
      return {
        location,
        close: async () => {
          await location.close()
          await fake[Symbol.asyncDispose]()
        },
      }
    },
    { largeBytes: 5 * PART + 17, nothingToSweep: true, adopts: 'shown' },
  )
}

describe('the driver for Google Cloud Storage', () => {
  let fake: FakeGcs
  let location: Location
  beforeEach(async () => {
    fake = await fakeGcs()
    location = locationAt(fake)
  })
  afterEach(async () => {
    await location.close()
    await fake[Symbol.asyncDispose]()
  })

  const bendAny = bender(() => fake)
  /** The office for tokens stays honest. */
  const bend: typeof bendAny = (matches, what, times) => bendAny((request) => request.path !== '/token' && matches(request), what, times)
  const always = (): boolean => true
  const isMedia = ({ query }: FakeGcsRequest): boolean => query.get('alt') === 'media'
  const isSimple = ({ query }: FakeGcsRequest): boolean => query.get('uploadType') === 'media'
  const isPiece = ({ method }: FakeGcsRequest): boolean => method === 'PUT'
  const isLast = (request: FakeGcsRequest): boolean => isPiece(request) && !request.headers['content-range']!.endsWith('/*')

  describe('writes in pieces', () => {
    it('of every size around the pieces', async () => {
      for (const sizeBytes of [PART - 1, PART, PART + 1, 2 * PART - 1, 2 * PART, 3 * PART + 5]) {
        const bytes = pattern(sizeBytes, 7)
        await writeAll(location, `a/${sizeBytes}`, bytes, 10_007)
        assert.ok(Buffer.from(bytes).equals(fake.objects.get(`a/${sizeBytes}`)!.bytes), `${sizeBytes} bytes`)
      }
    })

    it('of which the store keeps only a part each time', async () => {
      fake.pieceBytesMax = PART
      const coarse = locationAt(fake, { partBytes: PART * 4 })
      const bytes = pattern(PART * 9 + 5)
      await writeAll(coarse, 'a', bytes)
      await coarse.close()
      assert.ok(Buffer.from(bytes).equals(fake.objects.get('a')!.bytes))
    })

    it('that are lost, on the way there or back, now and then', async () => {
      const kinds = ['lose', 'lose answer', { status: 503 }, { status: 408 }, 'pass', 'pass'] as const
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 }),
          fc.nat(3 * PART),
          async (plan, sizeBytes) => {
            fake.objects.delete('a')
            let index = 0
            fake.bend = (request) => (isPiece(request) && index < plan.length ? plan[index++]! : 'pass')
            const bytes = pattern(PART + sizeBytes, 3)
            await writeAll(location, 'a', bytes)
            assert.ok(Buffer.from(bytes).equals(fake.objects.get('a')!.bytes))
          },
        ),
        { numRuns: 40 },
      )
    })

    it('that never arrive', async () => {
      bend(isPiece, 'lose')
      await refuses(writeAll(location, 'a', pattern(PART * 3)), 'location.unreachable', 'cloud')
      assert.equal(fake.objects.size, 0)
    })

    it('whose end was lost, every time', async () => {
      const bytes = pattern(2 * PART + 5)
      let met = 0
      bend((request) => isLast(request) && (met += 1) <= 6, 'lose answer')
      await writeAll(location, 'a', bytes)
      assert.ok(Buffer.from(bytes).equals(fake.objects.get('a')!.bytes))
    })

    it('that the store forgets', async () => {
      bend((request) => isPiece(request) && !request.headers['content-range']!.startsWith('bytes 0-'), {
        status: 308,
        headers: { range: 'bytes=0-100' },
      })
      await refuses(writeAll(location, 'a', pattern(PART * 4)), 'location.lies', 'cloud')
      bend(isPiece, { status: 308, headers: { range: `bytes=0-${PART * 100}` } })
      await refuses(writeAll(location, 'b', pattern(PART * 4)), 'location.lies', 'cloud')
      bend(isPiece, { status: 308 })
      await refuses(writeAll(location, 'c', pattern(PART * 4)), 'location.unreachable', 'cloud')
      bend(isPiece, { status: 410 })
      await refuses(writeAll(location, 'd', pattern(PART * 4)), 'location.unreachable', 'cloud')
      assert.equal(fake.objects.size, 0)
    })

    it('and lies about what it kept', async () => {
      let ended = false
      fake.bend = (request) => {
        if (isLast(request)) ended = true
        return ended && request.method === 'GET' ? { status: 200, body: '{"size":"5","generation":"1"}' } : 'pass'
      }
      await refuses(writeAll(location, 'a', pattern(PART * 2 + 1)), 'location.lies', 'cloud')
    })

    it('to an address that only the store names', async () => {
      for (const headers of [{}, { location: 'nonsense' }, { location: 'https://elsewhere.example/upload' }] as Record<string, string>[]) {
        bend(({ query }) => query.get('uploadType') === 'resumable', { status: 200, headers })
        await refuses(writeAll(location, 'a', pattern(PART * 2)), 'location.lies', 'cloud')
      }
      // The host that it names is not followed: everything goes to the host of the description.
      fake.bend = (request) => {
        if (request.query.get('uploadType') !== 'resumable' || request.method !== 'POST') return 'pass'
        return (response, honest) => {
          const answer = honest()
          const named = answer.headers!['location']!.replace(fake.endpoint, 'https://elsewhere.example')
          response.writeHead(200, { location: named, 'content-length': '0' }).end()
        }
      }
      await writeAll(location, 'b', pattern(PART * 2))
      assert.equal(fake.objects.get('b')!.bytes.length, PART * 2)
    })
  })

  describe('writes that may be gone on with', () => {
    const parts = (): string[] => [...fake.objects.keys()].filter((key) => key.startsWith('.part/'))
    /** A write whose process dies: what is on its way may arrive, and nobody says goodbye. */
    async function dead(name: string, bytes: Uint8Array): Promise<void> {
      const sink = await location.create(name, { adoptable: true })
      await pour(sink, bytes)
      const whole = bytes.length - (bytes.length % PART)
      for (let look = 0; look < 30_000 && sink.acceptedBytes < whole; look += 1) await new Promise((resolve) => setTimeout(resolve, 1))
      assert.equal(sink.acceptedBytes, whole)
    }

    it('leave whole segments, which double, and show nowhere; the store joins them', async () => {
      const bytes = pattern(20 * PART + 5)
      await dead('aa/x', bytes)
      const sizes = parts()
        .toSorted()
        .map((key) => fake.objects.get(key)!.bytes.length / PART)
      assert.deepEqual(sizes, [1, 1, 2, 4, 8])
      assert.deepEqual(await listAll(location, ''), [])
      assert.equal(await location.head('aa/x'), undefined)
      const later = locationAt(fake)
      const left = await later.adopt?.('aa/x')
      assert.equal(left?.sizeBytes, 16 * PART)
      const across = new Uint8Array(3 * PART)
      await left?.read(PART / 2, across)
      assert.ok(Buffer.from(bytes.subarray(PART / 2, 3.5 * PART)).equals(across))
      const sink = await left?.resume(7 * PART + 9)
      assert.ok(sink !== undefined)
      const other = pattern(20 * PART + 5, 2)
      await pour(sink, other.subarray(7 * PART + 9))
      await sink.finish()
      const whole = Buffer.concat([bytes.subarray(0, 7 * PART + 9), other.subarray(7 * PART + 9)])
      assert.ok(whole.equals(fake.objects.get('aa/x')!.bytes))
      assert.deepEqual(parts(), [], 'also those of the dead process that did not stay')
      await later.close()
    })

    it('are known to the last byte when they are suspended, again and again, also where they were cut', async () => {
      const [bytes, other] = [pattern(12 * PART, 3), pattern(12 * PART, 4)]
      const first = await location.create('aa/x', { adoptable: true })
      await pour(first, bytes.subarray(0, 6 * PART))
      await first.suspend?.()
      let left = await location.adopt?.('aa/x')
      assert.equal(left?.sizeBytes, 6 * PART)
      const second = await left?.resume(3 * PART + 100)
      assert.ok(second !== undefined)
      await pour(second, other.subarray(3 * PART + 100, 5 * PART))
      await second.suspend?.()
      left = await location.adopt?.('aa/x')
      assert.equal(left?.sizeBytes, 5 * PART, 'the later write counts, though it is shorter')
      const third = await left?.resume(5 * PART)
      assert.ok(third !== undefined)
      await pour(third, other.subarray(5 * PART))
      await third.finish()
      const whole = Buffer.concat([bytes.subarray(0, 3 * PART + 100), other.subarray(3 * PART + 100)])
      assert.ok(whole.equals(fake.objects.get('aa/x')!.bytes))
      await refuses(writeAll(location, 'aa/x', pattern(PART * 2)), 'location.exists', 'cloud')
    })

    it('are joined in steps where they are many', async () => {
      const bytes = pattern(250 * PART)
      const sink = await location.create('aa/x', { adoptable: true })
      await pour(sink, bytes, 8 * PART)
      await sink.finish()
      assert.ok(Buffer.from(bytes).equals(fake.objects.get('aa/x')!.bytes))
      assert.equal(fake.requests.filter(({ path }) => path.endsWith('/compose')).length, 3)
      assert.deepEqual([...fake.objects.keys()], ['aa/x'])
    })

    it('are joined although the answers were lost, and never over what somebody else put there', async () => {
      const bytes = pattern(4 * PART + 5)
      bend(({ path }) => path.endsWith('/compose'), 'lose answer')
      const sink = await location.create('a', { adoptable: true })
      await pour(sink, bytes)
      await sink.finish()
      assert.ok(Buffer.from(bytes).equals(fake.objects.get('a')!.bytes))
      fake.bend = () => 'pass'
      const late = await location.create('b', { adoptable: true })
      await pour(late, bytes)
      await location.putIfAbsent('b', pattern(7))
      await refuses(late.finish(), 'location.exists', 'cloud')
      assert.deepEqual(await readAll(location, 'b'), pattern(7))
      assert.deepEqual(parts(), [], 'nothing of it stays')
    })

    it('are dropped when they are given up, and swept when nobody adds to them', async () => {
      const given = await location.create('aa/given', { adoptable: true })
      await pour(given, pattern(5 * PART))
      await begun(given)
      await given.abort()
      assert.deepEqual(parts(), [])
      await dead('aa/x', pattern(5 * PART))
      await dead('aa/x/deeper', pattern(5 * PART))
      fake.objects.set('.part/notes of others', { bytes: Buffer.from('x'), generation: '1' })
      assert.equal(await location.sweepPartial({ olderThanMs: 3_600_000 }), 0)
      await location.forget?.('aa/x')
      assert.ok(parts().length > 1 && parts().every((key) => !key.startsWith('.part/aa/x/0')))
      assert.equal(await location.sweepPartial({ olderThanMs: -1000 }), 1)
      assert.deepEqual(parts(), ['.part/notes of others'])
    })

    it('are ordinary ones where the right to delete is missing', async () => {
      fake.denied.add('delete')
      const sink = await location.create('aa/x', { adoptable: true })
      await pour(sink, pattern(5 * PART))
      await sink.suspend?.()
      assert.deepEqual(parts(), [])
      assert.equal(await location.adopt?.('aa/x'), undefined)
      const whole = await location.create('aa/x', { adoptable: true })
      await pour(whole, pattern(5 * PART))
      await whole.finish()
      assert.deepEqual([...fake.objects.keys()], ['aa/x'])
    })

    it('get their lock when they are joined, or right after', async () => {
      for (const forgets of [false, true]) {
        fake.composeForgetsRetention = forgets
        const locked = locationAt(fake, { lock: { mode: 'compliance', days: 3 } })
        const sink = await locked.create(`aa/${forgets}`, { adoptable: true })
        await pour(sink, pattern(5 * PART))
        assert.ok(parts().every((key) => fake.objects.get(key)?.retention === undefined))
        await sink.finish()
        assert.equal(fake.objects.get(`aa/${forgets}`)?.retention?.mode, 'Locked')
        assert.equal(await locked.discard(`aa/${forgets}`), 'kept')
        assert.deepEqual(parts(), [])
        await locked.close()
      }
      fake.denied.add('retention')
      const locked = locationAt(fake, { lock: { mode: 'governance', days: 3 } })
      const sink = await locked.create('aa/none', { adoptable: true })
      await pour(sink, pattern(5 * PART))
      await refuses(sink.finish(), 'location.denied', 'cloud')
      await locked.close()
    })
  })

  it('keeps our own write when only the answers were lost, and sees that somebody else was first', async () => {
    bend(isSimple, 'lose answer', 1)
    assert.equal(await location.putIfAbsent('a', pattern(500)), 'created')
    bend(isSimple, 'lose answer')
    assert.equal(await location.putIfAbsent('b', pattern(500)), 'created')
    let first = true
    fake.bend = (request) => {
      if (!isSimple(request) || !first) return 'pass'
      first = false
      fake.objects.set('c', { bytes: Buffer.from(pattern(500, 2)), generation: '5' })
      return 'lose'
    }
    assert.equal(await location.putIfAbsent('c', pattern(500, 1)), 'exists')
    bend(isSimple, 'lose')
    await refuses(location.putIfAbsent('d', pattern(500)), 'location.unreachable', 'cloud')
    assert.deepEqual([...fake.objects.keys()], ['a', 'b', 'c'])
  })

  it('stalls, for each call, when nobody answers', async () => {
    const impatient = locationAt(fake, { stallMs: 150 })
    await impatient.putIfAbsent('a', pattern(1000))
    const source = await impatient.open('a')
    bend(always, 'hang')
    for (const call of [
      () => impatient.head('b'),
      () => impatient.open('a'),
      () => source.read(0, new Uint8Array(10)),
      () => impatient.list({ prefix: '' }),
      () => impatient.discard('a'),
      () => impatient.putIfAbsent('b', pattern(10)),
      () => writeAll(impatient, 'b', pattern(10)),
      () => writeAll(impatient, 'b', pattern(PART * 2)),
      () => impatient.probe(),
    ])
      await refuses(call, 'location.stalled', 'cloud')
    await impatient.close()
    const tokenless = locationAt(fake, { stallMs: 150 })
    fake.bend = ({ path }) => (path === '/token' ? 'hang' : 'pass')
    await refuses(tokenless.head('a'), 'location.stalled', 'cloud')
    await tokenless.close()
  })

  describe('cuts or changes what we read', () => {
    beforeEach(() => {
      fake.objects.set('a', { bytes: Buffer.from(pattern(10_000)), generation: '7' })
    })
    const answers: [string, ReadBend, FailureCode][] = [
      ['another object', gcsError(412, 'conditionNotMet'), 'location.lies'],
      ['nothing any more', gcsError(404, 'notFound'), 'location.absent'],
      ['no right', gcsError(403, 'forbidden'), 'location.denied'],
      ['trouble', gcsError(500, 'backendError'), 'location.unreachable'],
    ]
    bentReads({ location: () => location, bendReads: (what, times) => bend(isMedia, what, times), answers })

    it('notices that the object was exchanged', async () => {
      const source = await location.open('a', { tailBytes: 10 })
      fake.objects.set('a', { bytes: Buffer.from(pattern(10_000, 2)), generation: '8' })
      await refuses(source.read(0, new Uint8Array(1000)), 'location.lies', 'cloud')
    })
  })

  it('tells a missing bucket from a missing object', async () => {
    const nowhere = locationAt(fake, { bucket: 'no-such-bucket' })
    await isNowhere(nowhere, PART * 2)
    fake.denied.add('list')
    assert.equal(await location.head('a'), undefined, 'a key that may not list still reads')
  })

  describe('its tokens', () => {
    it('are got once, and anew when they end', async () => {
      let nowMs = Date.now()
      const clock: Clock = {
        now: () => nowMs,
        sleep: (_, signal) => new Promise((__, reject) => signal?.addEventListener('abort', reject)),
      }
      const timed = locationAt(fake, { clock })
      await Promise.all([timed.head('a'), timed.head('b'), timed.list({ prefix: '' })])
      assert.equal(fake.tokensGiven, 1)
      nowMs += 58 * 60_000
      await timed.head('a')
      assert.equal(fake.tokensGiven, 1)
      nowMs += 61_000
      await refuses(timed.head('a'), 'location.denied', 'cloud')
      nowMs = Date.now()
      await timed.close()
    })

    it('are got anew when they are refused, in the middle of an upload too', async () => {
      const sink = await location.create('a')
      await pour(sink, pattern(PART * 2))
      await begun(sink)
      fake.tokens.clear()
      await pour(sink, pattern(PART * 2 + 5))
      await sink.finish()
      assert.equal(fake.objects.get('a')!.bytes.length, PART * 4 + 5)
      assert.ok(fake.tokensGiven >= 2)
    })

    it('are refused for a key that was revoked in the middle of an upload, and nobody repeats it', async () => {
      const sink = await location.create('a')
      await pour(sink, pattern(PART * 2))
      await begun(sink)
      fake.tokens.clear()
      fake.bend = ({ path }) =>
        path === '/token' ? { status: 400, body: '{"error":"invalid_grant","error_description":"TOPSECRET"}' } : 'pass'
      const failure = await refuses(async () => {
        await pour(sink, pattern(PART * 3))
        await sink.finish()
      }, 'location.denied')
      assert.ok(!inspect(failure, { depth: 9, showHidden: true }).includes('TOPSECRET'))
      assert.equal(fake.objects.size, 0)
    })

    it('that make no sense are not used', async () => {
      for (const body of [
        '',
        '{',
        'null',
        '{}',
        '{"access_token":"a b","expires_in":5}',
        '{"access_token":"a","expires_in":-1}',
        'x'.repeat(20_000),
      ]) {
        const fresh = locationAt(fake)
        fake.bend = ({ path }) => (path === '/token' ? { status: 200, body } : 'pass')
        await refuses(fresh.head('a'), 'location.lies', 'cloud')
        await fresh.close()
      }
    })

    it('are not got with a key that is none', async () => {
      const privateKey = new SecretBytes(utf8('-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----'))
      const fresh = locationAt(fake, { account: async () => ({ ...fake.account, privateKey }) })
      const failure = await refuses(fresh.head('a'), 'location.denied', 'cloud')
      assert.ok(!inspect(failure, { depth: 9, showHidden: true }).includes('TOPSECRET'))
      await fresh.close()
    })
  })

  it('is opened by its description, with the key in a file or named by the environment', async () => {
    await using folder = await scratch()
    const path = join(folder.path, 'key.json')
    await writeFile(path, fake.accountFile)
    for (const [line, variables, answer] of [
      [`gcs:${fake.endpoint}/${GCS_BUCKET}/p?credentials=${path}`, {}, 'created'],
      [`gcs:${fake.endpoint}/${GCS_BUCKET}/p`, { GOOGLE_APPLICATION_CREDENTIALS: path }, 'exists'],
    ] as const) {
      const opened = await openLocation(parseLocation(line), { variables })
      assert.equal(opened.label, `${GCS_BUCKET} at ${new URL(fake.endpoint).host}`)
      assert.equal(await opened.putIfAbsent('a', pattern(3)), answer)
      await opened.close()
    }
    await writeFile(path, '{"type":"authorized_user","client_secret":"TOPSECRET"}')
    const wrong = await openLocation(parseLocation(`gcs:${fake.endpoint}/${GCS_BUCKET}?credentials=${path}`), { label: 'cloud' })
    const failure = await refuses(wrong.head('a'), 'location.denied', 'cloud')
    assert.ok(!inspect(failure).includes('TOPSECRET'))
    const none = await openLocation(parseLocation(`gcs:${fake.endpoint}/${GCS_BUCKET}`), { label: 'cloud' })
    await refuses(none.head('a'), 'location.denied', 'cloud')
    await Promise.all([wrong.close(), none.close()])
  })

  it('takes keys of service accounts only, and its reader never stumbles', () => {
    const good = JSON.parse(fake.accountFile) as Record<string, unknown>
    assert.equal(parseServiceAccount(fake.accountFile)?.email, fake.account.email)
    for (const change of [
      { type: 'external_account' },
      { client_email: 5 },
      { private_key: 'x' },
      { token_uri: 'http://elsewhere.example/token' },
      { token_uri: 7 },
    ])
      assert.equal(parseServiceAccount(JSON.stringify({ ...good, ...change })), undefined, JSON.stringify(change))
    for (const text of ['', '[]', 'null', '{', '"x"']) assert.equal(parseServiceAccount(text), undefined)
    fc.assert(fc.property(fc.json(), (text) => void parseServiceAccount(text)))
  })

  for (const mode of ['governance', 'compliance'] as const) {
    it(`keeps what ${mode} holds, whole and in pieces`, async () => {
      const locked = locationAt(fake, { lock: { mode, days: 1 } })
      assert.equal(await locked.putIfAbsent('aa/small', pattern(100)), 'created')
      await writeAll(locked, 'aa/large', pattern(3 * PART))
      assert.deepEqual(await readAll(locked, 'aa/small'), pattern(100))
      for (const name of ['aa/small', 'aa/large']) {
        assert.equal(await locked.discard(name), 'kept')
        assert.equal(fake.objects.get(name)?.retention?.mode, mode === 'governance' ? 'Unlocked' : 'Locked')
      }
      // What the probe itself writes below the contract is not held, but its one object written through it is.
      const { objectLock } = await locked.probe()
      assert.equal(objectLock, true)
      await locked.close()
    })
  }

  for (const [mode, word] of [
    ['governance', 'Unlocked'],
    ['compliance', 'Locked'],
  ] as const) {
    it(`makes locks of ${mode} longer before they end, and never weaker`, async () => {
      const daysLeft = (): number => (Date.parse(fake.objects.get('aa/x')?.retention?.retainUntilTime ?? '') - Date.now()) / 86_400_000
      const [short, long] = [4, 10].map((days) => locationAt(fake, { lock: { mode, days } }))
      const lenient = locationAt(fake, { lock: { mode: 'governance', days: 100 } })
      await short!.putIfAbsent('aa/x', pattern(10))
      assert.equal(await short!.extendLock?.('aa/x'), 'held')
      assert.equal(await long!.extendLock?.('aa/x'), 'extended')
      assert.ok(Math.abs(daysLeft() - 10) < 0.01)
      assert.equal(await long!.extendLock?.('aa/x'), 'held')
      assert.equal(await lenient.extendLock?.('aa/x'), 'extended')
      assert.ok(Math.abs(daysLeft() - 100) < 0.01)
      assert.equal(fake.objects.get('aa/x')?.retention?.mode, word)
      assert.equal(await short!.discard('aa/x'), 'kept')
      await Promise.all([short!.close(), long!.close(), lenient.close()])
    })
  }

  it('says that a lock cannot be made longer: no right, no retention in the bucket, nothing there', async () => {
    await location.putIfAbsent('aa/x', pattern(10))
    assert.equal(await location.extendLock?.('aa/x'), 'refused')
    const locked = locationAt(fake, { lock: { mode: 'governance', days: 4 } })
    fake.denied.add('retention')
    assert.equal(await locked.extendLock?.('aa/x'), 'refused')
    fake.denied.clear()
    fake.keepsRetention = false
    assert.equal(await locked.extendLock?.('aa/x'), 'refused')
    await refuses(async () => locked.extendLock?.('aa/none'), 'location.absent', 'cloud')
    fake.keepsRetention = true
    assert.equal(await locked.extendLock?.('aa/x'), 'extended')
    await locked.close()
  })

  it('says that a lock does not hold where the right to delete is missing', async () => {
    fake.denied.add('delete')
    const locked = locationAt(fake, { lock: { mode: 'governance', days: 1 } })
    fake.bend = (request) => (request.query.get('fields') === 'retention' ? { status: 200, body: '{}' } : 'pass')
    const { objectLock, deletes } = await locked.probe()
    assert.deepEqual([objectLock, deletes], [false, false])
    await locked.close()
  })

  it('answers nonsense, and no list of it counts', async () => {
    for (const body of [
      '',
      '[]',
      '<html>',
      '{"items":{}}',
      '{"items":[{"name":"a"}]}',
      '{"items":[{"name":"a","size":"-1"}]}',
      '{"items":[{"name":"a","size":1}]}',
      '{"items":[{"name":"b","size":"1"},{"name":"a","size":"1"}]}',
      '{"items":[{"name":"b","size":"1"},{"name":"b","size":"1"}]}',
      `{"nextPageToken":"${'x'.repeat(5000)}"}`,
    ]) {
      bend(always, { status: 200, body })
      await refuses(location.list({ prefix: '' }), 'location.lies', 'cloud')
    }
    let pages = 0
    fake.bend = (request) => {
      if (request.path === '/token') return 'pass'
      pages += 1
      return { status: 200, body: pages < 5 ? '{"nextPageToken":"x"}' : '{"items":[{"name":"a","size":"1"}]}' }
    }
    assert.deepEqual(await listAll(location, ''), ['a'])
    bend(always, { status: 200, body: '{"nextPageToken":"x"}' })
    await refuses(location.list({ prefix: '' }), 'location.lies', 'cloud')
  })

  it('fails in known words only, whatever it answers', async () => {
    const answer = fc.record({
      status: fc.constantFrom(200, 201, 204, 206, 301, 308, 400, 401, 403, 404, 409, 410, 412, 413, 416, 499, 500, 501),
      headers: fc.constantFrom({}, { range: 'bytes=0-9' }, { range: 'bytes=0-x' }, { location: 'http://h/x?upload_id=1' }),
      body: fc.oneof(fc.json({ maxDepth: 3 }), fc.constant('{"error":{"errors":[{"reason":"TOPSECRET"}]}}'), fc.string({ maxLength: 50 })),
    })
    const call = fc.constantFrom(...CALLS)
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 3 }), call, async (answers, what) => {
        const fresh = locationAt(fake, { backoffMs: 0 })
        let index = 0
        fake.bend = ({ path }) => (path === '/token' ? 'pass' : (answers[index++ % answers.length] as GcsBend))
        await failsInKnownWords(fresh, what, PART * 2)
      }),
      { numRuns: 150 },
    )
  })
})
