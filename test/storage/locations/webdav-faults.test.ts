// The WebDAV driver against a server that loses, delays, cuts and falsifies answers.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureCode } from '#base'
import type { Location } from '../../../src/storage/location.ts'
import { type WebdavLocationOptions, createWebdavLocation } from '../../../src/storage/locations/webdav/webdav.ts'
import { turnClock } from '../turn-clock.ts'
import { type ReadBend, bender, bentReads } from './bending.ts'
import { locationConformance } from './conformance.ts'
import {
  type DavAnswer,
  type DavBend,
  type DavRequest,
  type FakeWebdav,
  davResponse,
  fakeWebdav,
  multistatus,
  reply,
} from './fake-webdav.ts'
import { listAll, pattern, readAll, refuses, writeAll } from './support.ts'
import { basic } from './webdav-servers.ts'

const SECRET = 'TOPSECRET'
const LARGE = 3_000_000

function locationAt(endpoint: string, options: Partial<WebdavLocationOptions> = {}): Location {
  return createWebdavLocation({
    label: 'far',
    endpoint,
    path: 'base dir',
    credentials: async () => basic('u', SECRET),
    backoffMs: 1,
    ...options,
  })
}

locationConformance(
  'WebDAV of the fake server',
  async () => {
    const fake = await fakeWebdav()
    const location = locationAt(fake.endpoint)
    return {
      location,
      close: async () => {
        await location.close()
        await fake[Symbol.asyncDispose]()
      },
    }
  },
  { modelRuns: 10 },
)

describe('the WebDAV driver, when the server misbehaves', () => {
  let fake: FakeWebdav
  let location: Location
  beforeEach(async () => {
    fake = await fakeWebdav()
    location = locationAt(fake.endpoint)
  })
  afterEach(async () => {
    await location.close()
    await fake[Symbol.asyncDispose]()
  })

  const bend = bender(() => fake)
  const is =
    (method: string) =>
    (request: DavRequest): boolean =>
      request.method === method
  /** Files there, without the folder of the location. */
  const kept = (): string[] => [...fake.files.keys()].map((path) => path.replace('/base dir/', ''))

  it('stalls when it does not answer, for each call', async () => {
    location = locationAt(fake.endpoint, { stallMs: 150, clock: turnClock() })
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
      () => writeAll(location, 'b', pattern(LARGE)),
      () => location.sweepPartial({ olderThanMs: 0 }),
    ])
      await refuses(call, 'location.stalled', 'far')
  })

  it('stalls in the middle of an object, but not while we give it nothing', async () => {
    location = locationAt(fake.endpoint, { stallMs: 300, clock: turnClock() })
    const sink = await location.create('a')
    await sink.write(pattern(LARGE))
    for (let turn = 0; turn < 900; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
    await sink.write(pattern(100))
    await sink.finish()
    const source = await location.open('a', { tailBytes: 10 })
    bend(is('GET'), (response) => {
      response.writeHead(206, { 'content-length': '50000', 'content-range': `bytes 0-49999/${LARGE + 100}` })
      response.write(pattern(100_000).subarray(0, 20_000))
    })
    await refuses(source.read(0, new Uint8Array(50_000)), 'location.stalled', 'far')
    bend((request) => request.method === 'PUT' && request.body.length > 0, 'hang')
    await refuses(writeAll(location, 'b', pattern(LARGE)), 'location.stalled', 'far')
  })

  it('cannot be connected to, or speaks no HTTP', async () => {
    const nowhere = locationAt('http://127.0.0.1:1')
    await refuses(nowhere.head('a'), 'location.unreachable', 'far')
    await refuses(writeAll(nowhere, 'a', pattern(LARGE)), 'location.unreachable', 'far')
    await nowhere.close()
    const other = createServer((socket) => void socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.2\r\n'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const strange = locationAt(`http://127.0.0.1:${(other.address() as { port: number }).port}`)
    await refuses(strange.head('a'), 'location.lies', 'far')
    await strange.close()
    other.close()
  })

  describe('that loses requests or answers', () => {
    it('is asked again, and not without end', async () => {
      fake.files.set('/base dir/a', Buffer.from(pattern(100)))
      bend(is('GET'), 'lose', 3)
      assert.deepEqual(await readAll(location, 'a'), pattern(100))
      const met = bend(() => true, 'lose')
      await refuses(location.list({ prefix: '' }), 'location.unreachable', 'far')
      assert.ok(met() >= 4 && met() <= 8, String(met()))
      for (const status of [500, 502, 503, 504, 429]) {
        bend(() => true, { status, headers: { 'retry-after': '0' } }, 2)
        assert.equal(await location.head('b'), undefined)
      }
    })

    for (const lost of ['lose', 'lose answer'] as const) {
      for (const method of ['PUT', 'MOVE', 'MKCOL', 'PROPFIND', 'DELETE']) {
        it(`keeps exactly one write when ${method} goes (${lost})`, async () => {
          for (const sizeBytes of [500, LARGE]) {
            bend((request) => request.method === method && request.headers['transfer-encoding'] === undefined, lost, 2)
            assert.equal(await location.putIfAbsent(`x/a${sizeBytes}`, pattern(500)), 'created')
            bend((request) => request.method === method && request.headers['transfer-encoding'] === undefined, lost, 2)
            await writeAll(location, `y/b${sizeBytes}`, pattern(sizeBytes))
            fake.bend = () => 'pass'
            assert.ok(Buffer.from(pattern(sizeBytes)).equals(await readAll(location, `y/b${sizeBytes}`)))
            assert.equal(await location.putIfAbsent(`y/b${sizeBytes}`, pattern(7)), 'exists')
          }
          assert.deepEqual(kept().sort(), ['x/a3000000', 'x/a500', 'y/b3000000', 'y/b500'])
          assert.deepEqual([...fake.folders].sort(), ['/', '/base dir', '/base dir/x', '/base dir/y'])
        })
      }
    }

    it('in the middle of a large upload: nothing stands there, and it says so', async () => {
      fake.early = (request) => (request.headers['transfer-encoding'] === 'chunked' ? 'lose' : undefined)
      await refuses(writeAll(location, 'x/a', pattern(LARGE)), 'location.unreachable', 'far')
      assert.deepEqual(kept(), [])
    })

    it('keeps its connections', async () => {
      for (let index = 0; index < 20; index += 1) await location.putIfAbsent(`x${index}`, pattern(10))
      assert.ok(fake.connectionCount <= 3, String(fake.connectionCount))
    })
  })

  describe('that cuts or changes what we read', () => {
    beforeEach(() => {
      fake.files.set('/base dir/a', Buffer.from(pattern(10_000)))
    })
    const answers: [string, ReadBend, FailureCode][] = [
      ['nothing any more', { status: 404 }, 'location.absent'],
      ['no right', { status: 403 }, 'location.denied'],
    ]
    bentReads({ location: () => location, bendReads: (what, times) => bend(is('GET'), what, times), answers })

    it('another object under the same name, by its tag', async () => {
      const tagged =
        (tag: string): DavBend =>
        (response, honest) => {
          const answer = honest()
          reply(response, { ...answer, headers: { ...answer.headers, etag: tag } })
        }
      bend(is('GET'), tagged('W/"1"'))
      const source = await location.open('a', { tailBytes: 10 })
      bend(is('GET'), tagged('"1"'))
      await source.read(0, new Uint8Array(1000))
      bend(is('GET'), tagged('"2"'))
      await refuses(source.read(0, new Uint8Array(1000)), 'location.lies', 'far')
    })

    it('knows no ranges from the end', async () => {
      fake.bend = (request) =>
        request.headers.range?.startsWith('bytes=-') === true ? { status: 200, body: fake.files.get(request.path)! } : 'pass'
      const source = await location.open('a', { tailBytes: 100 })
      assert.equal(source.sizeBytes, 10_000)
      assert.deepEqual(source.tail, pattern(10_000).subarray(-100))
      await source.close()
    })
  })

  describe('that does not do what it says', () => {
    it('201 that truncates, small and large', async () => {
      for (const sizeBytes of [1000, LARGE]) {
        bend(
          (request) => request.method === 'PUT' && request.body.length > 10,
          (response, honest) => {
            const answer = honest()
            for (const [path, bytes] of fake.files) if (path.includes('.part-')) fake.files.set(path, bytes.subarray(0, 5))
            reply(response, answer)
          },
        )
        await refuses(writeAll(location, 'x/a', pattern(sizeBytes)), 'location.lies', 'far')
        assert.deepEqual(kept(), [])
      }
    })

    it('201 that keeps nothing of a large body, as some proxies do', async () => {
      bend((request) => request.headers['transfer-encoding'] === 'chunked', { status: 201 })
      await refuses(writeAll(location, 'x/a', pattern(LARGE)), 'location.lies', 'far')
      assert.deepEqual(kept(), [])
    })

    it('overwrites although it was asked not to: said at once, found by the probe, and looked after from then on', async () => {
      await location.putIfAbsent('a', pattern(10))
      fake.bend = (request) => {
        delete request.headers.overwrite
        return 'pass'
      }
      const { honestCreate, findings } = await location.probe()
      assert.equal(honestCreate, false)
      assert.match(findings.join(), /overwrote/)
      await refuses(writeAll(location, 'a', pattern(20)), 'location.exists', 'far')
      assert.equal(await location.putIfAbsent('a', pattern(20)), 'exists')
      assert.equal(fake.files.get('/base dir/a')?.length, 10)
      const trusting = locationAt(fake.endpoint, { honestCreate: true })
      await refuses(writeAll(trusting, 'a', pattern(20)), 'location.lies', 'far')
      await trusting.close()
    })

    it('makes folders twice: it may not vote', async () => {
      bend((request) => request.method === 'MKCOL' && request.path.includes('.part-lock-'), { status: 201 })
      const { honestCreate, findings } = await location.probe()
      assert.equal(honestCreate, false)
      assert.match(findings.join(), /makes a folder that exists/)
      assert.equal(await location.putIfAbsent('a', pattern(20)), 'created')
    })

    it('shows a list that is old: the probe says so', async () => {
      const old = multistatus([davResponse('/base dir/probe/', undefined)])
      fake.bend = (request) =>
        request.method === 'PROPFIND' && request.headers.depth === '1' && request.path.includes('/probe/')
          ? multistatus([davResponse(`${request.path}/`, undefined)])
          : 'pass'
      const { listAfterWrite, findings } = await location.probe()
      assert.equal(listAfterWrite, false)
      assert.match(findings.join(), /list does not show/)
      assert.equal(old.status, 207)
    })

    it('a lock of another writer: waited for, then said', async () => {
      fake.folders.add('/base dir/.part-lock-a')
      await refuses(location.putIfAbsent('a', pattern(10)), 'location.unreachable', 'far')
      fake.files.set('/base dir/a', Buffer.from(pattern(3)))
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'exists')
      fake.files.clear()
      assert.equal(await location.sweepPartial({ olderThanMs: -60_000 }), 1)
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
    })
  })

  describe('that answers nonsense', () => {
    const entry = davResponse('/base dir/a', 1)
    const self = davResponse('/base dir/', undefined)
    const nonsense: [string, string | Uint8Array][] = [
      ['nothing', ''],
      ['a web page', '<!DOCTYPE html><html><body><p>Please log in<br></body></html>'],
      ['a document type', `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><multistatus xmlns="DAV:">&a;</multistatus>`],
      [
        'an outside entity',
        `<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:1/x">]><multistatus xmlns="DAV:"><response><href>&a;</href></response></multistatus>`,
      ],
      ['half an answer', `<multistatus xmlns="DAV:">${self}`.replaceAll('D:', '')],
      ['another answer', '<other/>'],
      ['no href', '<multistatus><response/></multistatus>'],
      ['bad encoding', '<multistatus><response><href>/%zz</href></response></multistatus>'],
      ['no path', '<multistatus><response><href>javascript:x</href></response></multistatus>'],
      ['bytes', pattern(1000)],
      ['depth', `<multistatus>${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</multistatus>`],
      ['a long name', `<multistatus><response><href>/${'a'.repeat(100_000)}</href></response></multistatus>`],
      ['names elsewhere', multistatus([self, davResponse('/etc/passwd', 1)]).body as string],
      ['names deeper', multistatus([self, davResponse('/base dir/a/b', 1)]).body as string],
      ['names twice', multistatus([self, entry, entry]).body as string],
      ['names upwards', multistatus([self, '<D:response><D:href>/base%20dir/..%2f..%2fetc</D:href></D:response>']).body as string],
    ]
    for (const [what, body] of nonsense) {
      it(`lists ${what}`, async () => {
        bend((request) => request.method === 'PROPFIND' && request.headers.depth === '1', { status: 207, body })
        await refuses(location.list({ prefix: '' }), 'location.lies', 'far')
        await refuses(location.sweepPartial({ olderThanMs: 0 }), 'location.lies', 'far')
      })
    }

    it('lists too much', async () => {
      bend(
        (request) => request.method === 'PROPFIND' && request.headers.depth === '1',
        (response) => {
          response.writeHead(207)
          const more = (): void => {
            if (!response.destroyed) response.write(new Uint8Array(4 * 2 ** 20).fill(32), () => setImmediate(more))
          }
          more()
        },
      )
      await refuses(location.list({ prefix: '' }), 'location.lies', 'far')
    })

    it('passes over names that are not ours, and entries without a size', async () => {
      for (const name of ['Zebra', '.hidden', 'a b', 'bb', 'é']) fake.files.set(`/base dir/${name}`, Buffer.from('x'))
      assert.deepEqual(await listAll(location, ''), ['bb'])
    })

    it('sends us elsewhere, where we do not go; is no WebDAV', async () => {
      for (const status of [301, 302, 307, 308]) {
        bend(() => true, { status, headers: { location: `${fake.endpoint}/elsewhere` } })
        await refuses(location.head('a'), 'location.config', 'far')
        await refuses(location.putIfAbsent('a', pattern(1)), 'location.config', 'far')
        assert.ok(fake.requests.every(({ path }) => path !== '/elsewhere'))
      }
      bend(() => true, { status: 200, body: '<html>' })
      await refuses(location.head('a'), 'location.unsupported', 'far')
      bend(() => true, { status: 405 })
      await refuses(location.head('a'), 'location.unsupported', 'far')
    })
  })

  describe('that refuses', () => {
    const refusals: [number, FailureCode][] = [
      [401, 'location.denied'],
      [403, 'location.denied'],
      [423, 'location.unreachable'],
      [507, 'location.full'],
      [413, 'location.full'],
      [418, 'location.unsupported'],
    ]
    for (const [status, expected] of refusals) {
      it(`with ${status}`, async () => {
        bend(is('PUT'), { status })
        await refuses(location.putIfAbsent('x/a', pattern(1)), expected, 'far')
        await refuses(writeAll(location, 'x/a', pattern(LARGE)), expected, 'far')
        // Full in the middle of a large one, said before its end.
        fake.bend = () => 'pass'
        fake.early = (request): DavAnswer | undefined => (request.headers['transfer-encoding'] === 'chunked' ? { status } : undefined)
        await refuses(writeAll(location, 'x/a', pattern(LARGE)), expected, 'far')
        assert.deepEqual(kept(), [])
      })
    }

    it('deleting', async () => {
      fake.files.set('/base dir/a', Buffer.from('x'))
      for (const status of [403, 405, 423, 501]) {
        bend(is('DELETE'), { status })
        assert.equal(await location.discard('a'), 'kept')
      }
      bend(is('DELETE'), { status: 403 })
      assert.equal((await location.probe()).deletes, false)
    })

    it('nothing, but is another place than before', async () => {
      await location.putIfAbsent('location.json', pattern(50))
      await location.putIfAbsent('a', pattern(50))
      fake.files.clear()
      for (const call of [
        () => location.head('a'),
        () => location.open('a'),
        () => location.list({ prefix: '' }),
        () => location.putIfAbsent('b', pattern(1)),
        () => writeAll(location, 'b/c', pattern(LARGE)),
        () => location.discard('a'),
      ])
        await refuses(call, 'location.not-ours', 'far')
      assert.deepEqual(kept(), [])
      assert.deepEqual([...fake.folders], ['/', '/base dir'])
      location.renew?.()
      assert.equal(await location.putIfAbsent('b', pattern(1)), 'created')
    })
  })

  it('never shows credentials, even when the server repeats them', async () => {
    const spill = (request: DavRequest, status: number): DavAnswer => ({
      status,
      headers: { 'www-authenticate': `Basic realm="${SECRET}"`, 'x-echo': String(request.headers.authorization) },
      body: `${String(request.headers.authorization)} ${SECRET}`,
    })
    for (const status of [401, 403, 400, 200, 207, 503, 409]) {
      fake.bend = (request) => spill(request, status)
      for (const call of [
        () => location.putIfAbsent('a', pattern(1)),
        () => location.open('a'),
        () => location.list({ prefix: '' }),
        () => location.discard('a'),
      ]) {
        const caught = await call().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (caught === undefined) continue
        assert.ok(caught instanceof Failure, inspect(caught))
        const shown = `${inspect(caught, { depth: 20, showHidden: true })} ${JSON.stringify(caught)} ${String(caught.stack)}`
        for (const secret of [SECRET, Buffer.from(`u:${SECRET}`).toString('base64')]) assert.ok(!shown.includes(secret), shown)
      }
    }
    assert.ok(!inspect(location, { depth: 20, showHidden: true }).includes(SECRET))
  })

  it('is dropped when cancelled', async () => {
    const cancel = new AbortController()
    const sink = await location.create('x/a', { signal: cancel.signal })
    await sink.write(pattern(LARGE))
    cancel.abort()
    await refuses(sink.finish(), 'base.cancelled')
    assert.deepEqual(kept(), [])
  })
})
