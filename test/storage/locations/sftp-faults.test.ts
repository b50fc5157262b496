// The SFTP driver against a server that loses, delays and falsifies answers.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureCode } from '#base'
import type { Location } from '../../../src/storage/location.ts'
import { ANSWER, REQUEST, STATUS, encodeRequest } from '../../../src/storage/locations/sftp/packets.ts'
import { type SftpLocationOptions, createSftpLocation } from '../../../src/storage/locations/sftp/sftp.ts'
import { turnClock } from '../turn-clock.ts'
import { bender } from './bending.ts'
import { locationConformance } from './conformance.ts'
import { ALL_EXTENSIONS, type FakeSftp, type SftpBend, type SftpRequest, contentsOf, fakeSftp, putFile, status } from './fake-sftp.ts'
import { listAll, pattern, pour, readAll, refuses, writeAll } from './support.ts'

const SECRET = 'TOPSECRET'

function locationAt(fake: FakeSftp, options: Partial<SftpLocationOptions> = {}): Location {
  return createSftpLocation({
    label: 'far',
    address: { host: '127.0.0.1', port: fake.port },
    path: '/base',
    login: async () => ({ user: 'u', key: undefined, password: SECRET, pins: [fake.fingerprint] }),
    backoffMs: 1,
    ...options,
  })
}

const conforms = (name: string, options: Parameters<typeof fakeSftp>[0], expectations: Parameters<typeof locationConformance>[2]): void =>
  locationConformance(
    name,
    async () => {
      const fake = await fakeSftp(options)
      const location = locationAt(fake)
      return {
        location,
        close: async () => {
          await location.close()
          await fake[Symbol.asyncDispose]()
        },
      }
    },
    expectations,
  )

conforms('SFTP of the fake server', {}, { modelRuns: 10 })
// Without any extension it works, and says what it lacks.
conforms('SFTP without extensions', { extensions: [] }, { modelRuns: 10, deviations: {} })
conforms('SFTP whose rename replaces', { extensions: [['fsync@openssh.com', '1']], renameReplaces: true }, { modelRuns: 5, deviations: {} })

describe('the SFTP driver, when the server misbehaves', () => {
  let fake: FakeSftp
  let location: Location
  beforeEach(async () => {
    fake = await fakeSftp()
    location = locationAt(fake)
  })
  afterEach(async () => {
    await location.close()
    await fake[Symbol.asyncDispose]()
  })

  const bend = bender(() => fake)
  const is =
    (type: number) =>
    (request: SftpRequest): boolean =>
      request.type === type
  const extension =
    (name: string) =>
    (request: SftpRequest): boolean =>
      request.extension === name

  it('stalls when it does not answer, for each call', async () => {
    location = locationAt(fake, { stallMs: 150, clock: turnClock() })
    await location.putIfAbsent('a', pattern(1000))
    for (const call of [
      () => location.head('b'),
      () => location.open('a'),
      () => location.list({ prefix: '' }),
      () => location.discard('a'),
      () => location.putIfAbsent('b', pattern(10)),
      () => writeAll(location, 'b', pattern(10)),
      () => location.sweepPartial({ olderThanMs: 0 }),
    ]) {
      fake.bend = () => 'hang'
      await refuses(call, 'location.stalled', 'far')
    }
    fake.bend = () => 'pass'
    assert.deepEqual(await readAll(location, 'a'), pattern(1000), 'and serves on over a new connection')
  })

  it('stalls in the middle of a write and of a read', async () => {
    location = locationAt(fake, { stallMs: 150, clock: turnClock() })
    await writeAll(location, 'a', pattern(1_000_000))
    const source = await location.open('a', { tailBytes: 10 })
    bend(is(REQUEST.read), 'hang')
    await refuses(source.read(0, new Uint8Array(500_000)), 'location.stalled', 'far')
    bend(is(REQUEST.write), 'hang')
    await refuses(writeAll(location, 'b', pattern(5_000_000)), 'location.stalled', 'far')
    assert.equal(contentsOf(fake, '/base/b'), undefined)
  })

  it('cannot be connected to, or is something else', async () => {
    const nowhere = locationAt(fake, { address: { host: '127.0.0.1', port: 1 } })
    await refuses(nowhere.head('a'), 'location.unreachable', 'far')
    await nowhere.close()
    const { createServer } = await import('node:net')
    for (const [greeting, code] of [
      ['HTTP/1.1 400 Bad Request\r\n\r\n', 'location.unreachable'],
      ['SSH-2.0-x\r\n\0\0\0\x01garbage that is no packet of SSH at all, however long it may be', 'location.lies'],
    ] as const) {
      const other = createServer((socket) => void socket.on('error', () => undefined).end(greeting))
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      const { port } = other.address() as { port: number }
      const strange = locationAt(fake, { address: { host: '127.0.0.1', port } })
      const failure = await strange.head('a').then(
        () => assert.fail('it answered'),
        (error: unknown) => error,
      )
      assert.ok(failure instanceof Failure && [code, 'location.lies', 'location.unreachable'].includes(failure.code), inspect(failure))
      await strange.close()
      other.close()
    }
    const none = await fakeSftp({ sftp: false })
    const without = locationAt(none)
    await refuses(without.head('a'), 'location.unsupported', 'far')
    await without.close()
    await none[Symbol.asyncDispose]()
  })

  it('does not get in between: another host key is refused, and nothing is sent to it', async () => {
    await location.putIfAbsent('a', pattern(10))
    const before = fake.requests.length
    fake.changeHostKey()
    const failure = await refuses(location.head('a'), 'location.untrusted', 'far')
    assert.match(`${failure.message} ${failure.next}`, /another host key.*Ask who runs the server/s)
    await refuses(location.putIfAbsent('b', pattern(10)), 'location.untrusted', 'far')
    assert.equal(fake.requests.length, before)
  })

  it('takes a password that was exchanged, and says when it is wrong', async () => {
    let password = SECRET
    let asked = 0
    location = locationAt(fake, {
      login: async () => {
        asked += 1
        return { user: 'u', key: undefined, password, pins: [fake.fingerprint] }
      },
    })
    const sink = await location.create('x/b')
    await sink.write(pattern(3_000_000))
    // Revoked in mid-upload: what is open goes on, a new connection does not.
    fake.password = 'another'
    fake.cut()
    const failure = await refuses(
      async () => {
        for (let piece = 0; piece < 20; piece += 1) await sink.write(pattern(1_000_000))
        await sink.finish()
      },
      'location.denied',
      'far',
    )
    assert.ok(!inspect(failure, { depth: 20, showHidden: true }).includes(SECRET))
    await sink.abort()
    await refuses(location.head('a'), 'location.denied', 'far')
    password = 'another'
    assert.equal(await location.head('a'), undefined)
    assert.ok(asked > 2)
  })

  describe('that loses the connection', () => {
    it('is asked again, and not without end', async () => {
      putFile(fake, '/base/a', pattern(100_000))
      bend(is(REQUEST.read), 'lose', 3)
      assert.deepEqual(await readAll(location, 'a'), pattern(100_000))
      const met = bend(is(REQUEST.lstat), 'lose')
      await refuses(location.head('a'), 'location.unreachable', 'far')
      assert.equal(met(), 4)
    })

    it('goes on with a long write where it was, again and again', async () => {
      const bytes = pattern(6_000_001)
      let writes = 0
      fake.bend = ({ type }) => {
        if (type !== REQUEST.write) return 'pass'
        writes += 1
        return writes % 70 === 0 ? (writes % 140 === 0 ? 'lose' : 'lose answer') : 'pass'
      }
      await writeAll(location, 'a', bytes, 100_003)
      fake.bend = () => 'pass'
      assert.ok(fake.connectionCount > 2, String(fake.connectionCount))
      assert.ok(Buffer.from(bytes).equals(await readAll(location, 'a')))
      assert.deepEqual([...fake.files.keys()], ['/base/a'])
    })

    it('gives a long write up when nothing gets through', async () => {
      bend(is(REQUEST.write), 'lose')
      await refuses(writeAll(location, 'a', pattern(3_000_000)), 'location.unreachable', 'far')
      assert.equal(contentsOf(fake, '/base/a'), undefined)
    })

    it('notices a server that forgot what it had acknowledged', async () => {
      const sink = await location.create('a')
      await pour(sink, pattern(4_000_000))
      while (sink.acceptedBytes < 3_000_000) await new Promise((resolve) => setImmediate(resolve))
      for (const file of fake.files.values()) file.length = 100
      fake.cut()
      await refuses(sink.finish(), 'location.truncated', 'far')
      assert.equal(contentsOf(fake, '/base/a'), undefined)
    })

    for (const lost of ['lose', 'lose answer'] as const) {
      for (const [what, matches, options] of [
        ['the link', extension('hardlink@openssh.com'), {}],
        ['the sync', extension('fsync@openssh.com'), {}],
        ['the rename', is(REQUEST.rename), { extensions: [] }],
        ['the removal of the part', is(REQUEST.remove), {}],
      ] as const) {
        it(`keeps exactly one write, when ${what} goes (${lost})`, async () => {
          await using other = await fakeSftp(options)
          const there = locationAt(other)
          for (const sizeBytes of [500, 2_000_000]) {
            let met = 0
            other.bend = (request) => (matches(request) && met++ < 1 ? lost : 'pass')
            assert.equal(await there.putIfAbsent(`x/a${sizeBytes > 500 ? 'b' : 'c'}`, pattern(500)), 'created')
            met = 0
            await writeAll(there, `x/${sizeBytes}`, pattern(sizeBytes))
            other.bend = () => 'pass'
            assert.deepEqual(await readAll(there, `x/${sizeBytes}`), pattern(sizeBytes))
            assert.equal(await there.putIfAbsent(`x/${sizeBytes}`, pattern(7)), 'exists')
          }
          await there.close()
        })
      }
    }

    it('sees that somebody else was first', async () => {
      let first = true
      fake.bend = (request) => {
        if (request.extension !== 'hardlink@openssh.com' || !first) return 'pass'
        first = false
        putFile(fake, '/base/a', pattern(500, 2))
        return 'lose'
      }
      assert.equal(await location.putIfAbsent('a', pattern(500, 1)), 'exists')
      assert.deepEqual(contentsOf(fake, '/base/a'), Buffer.from(pattern(500, 2)))
    })
  })

  describe('that answers nonsense', () => {
    const id0 =
      (bytes: (id: number) => Uint8Array): SftpBend =>
      (id) =>
        bytes(id)
    const nonsense: [string, SftpBend][] = [
      ['a length of nothing', Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 5)],
      ['a length without end', Uint8Array.of(255, 255, 255, 255, 101, 0, 0, 0, 1)],
      ['a second greeting', encodeRequest(ANSWER.version, 3, [])],
      ['an unknown packet', id0((id) => encodeRequest(77, id, [1]))],
      ['an answer to nothing', id0((id) => status(id + 1000, 0))],
      ['half a handle', id0((id) => encodeRequest(ANSWER.handle, id, [1000]))],
      ['bytes nobody asked for', id0((id) => encodeRequest(ANSWER.data, id, [pattern(10)]))],
      ['names instead', id0((id) => encodeRequest(ANSWER.name, id, [0]))],
      ['a false count of names', id0((id) => encodeRequest(ANSWER.name, id, [0xffff_ffff]))],
      ['a size beyond all sizes', id0((id) => encodeRequest(ANSWER.attrs, id, [1, 2n ** 63n]))],
      ['a handle instead', id0((id) => encodeRequest(ANSWER.handle, id, [pattern(300)]))],
      ['no status', id0((id) => encodeRequest(ANSWER.status, id, []))],
    ]
    for (const [what, answer] of nonsense) {
      it(`such as ${what}`, async () => {
        putFile(fake, '/base/a', pattern(100))
        bend(is(REQUEST.lstat), answer)
        await refuses(location.head('a'), 'location.lies', 'far')
        fake.bend = () => 'pass'
        assert.deepEqual(await location.head('a'), { sizeBytes: 100 })
      })
    }

    it('such as more bytes than were asked for, fewer, or none', async () => {
      putFile(fake, '/base/a', pattern(100_000))
      const source = await location.open('a', { tailBytes: 10 })
      const around = new Uint8Array(3000)
      bend(is(REQUEST.read), (id) => encodeRequest(ANSWER.data, id, [new Uint8Array(1001).fill(9)]))
      await refuses(source.read(0, around.subarray(1000, 2000)), 'location.lies', 'far')
      assert.ok(around.every((byte) => byte === 0))
      // A short read is allowed by the protocol: the rest is asked for.
      bend(is(REQUEST.read), (id) => encodeRequest(ANSWER.data, id, [pattern(100_000).subarray(0, 400)]), 1)
      await source.read(0, around.subarray(0, 1000))
      assert.deepEqual(around.subarray(0, 1000), pattern(100_000).subarray(0, 1000))
      bend(is(REQUEST.read), (id) => encodeRequest(ANSWER.data, id, [new Uint8Array(0)]))
      await refuses(source.read(0, new Uint8Array(10)), 'location.lies', 'far')
      bend(is(REQUEST.read), STATUS.eof)
      await refuses(source.read(0, new Uint8Array(10)), 'location.truncated', 'far')
    })

    it('such as a folder without end, or names that are not ours', async () => {
      bend(is(REQUEST.readdir), (id) => encodeRequest(ANSWER.name, id, [0]))
      await refuses(location.list({ prefix: '' }), 'location.lies', 'far')
      for (const name of ['a', 'B', '.hidden', 'ä', 'a b']) putFile(fake, `/base/${name}`, pattern(3))
      bend(is(REQUEST.readdir), (id, honest) => honest(), 0)
      assert.deepEqual(await listAll(location, ''), ['a'])
      const evil = ['..', '.', 'x/../../y', 'ok', '\0', '/etc/passwd'].flatMap((name) => [name, '-rw', 5, 3n, 0o100_640])
      let pages = 0
      bend(is(REQUEST.readdir), (id) => (pages++ === 0 ? encodeRequest(ANSWER.name, id, [6, ...evil]) : status(id, STATUS.eof)))
      assert.deepEqual(await listAll(location, ''), ['ok'])
    })
  })

  describe('that refuses', () => {
    const refusals: [number, FailureCode][] = [
      [STATUS.denied, 'location.denied'],
      [STATUS.failure, 'location.unreachable'],
      [STATUS.unsupported, 'location.unsupported'],
      [99, 'location.unreachable'],
    ]
    for (const [code, expected] of refusals) {
      it(`with status ${code}`, async () => {
        for (const type of [REQUEST.open, REQUEST.write]) {
          bend(is(type), code)
          const failure = await refuses(writeAll(location, 'a/b', pattern(100)), expected, 'far')
          assert.ok(!inspect(failure).includes(SECRET), 'the text of the server is not repeated')
        }
        bend(is(REQUEST.lstat), code)
        await refuses(location.head('a'), expected, 'far')
        fake.bend = () => 'pass'
        assert.deepEqual([...fake.files.keys()], [], 'nothing is left behind')
      })
    }

    it('because it is full', async () => {
      fake.bend = ({ type, extension: name }) => {
        if (name === 'statvfs@openssh.com')
          return (id) => encodeRequest(ANSWER.extended, id, [4096n, 4096n, 1000n, 5n, 5n, 0n, 0n, 0n, 0n, 0n, 255n])
        return type === REQUEST.write ? STATUS.failure : 'pass'
      }
      await refuses(writeAll(location, 'a', pattern(1_000_000)), 'location.full', 'far')
      assert.deepEqual([...fake.files.keys()], [])
    })

    it('to sync: the name is taken back', async () => {
      let syncs = 0
      fake.bend = (request) => (request.extension === 'fsync@openssh.com' && ++syncs > 1 ? STATUS.failure : 'pass')
      await refuses(location.putIfAbsent('a', pattern(10)), 'location.unreachable', 'far')
      assert.deepEqual([...fake.files.keys()], [])
    })

    it('to delete', async () => {
      putFile(fake, '/base/a', pattern(1))
      for (const code of [STATUS.denied, STATUS.failure]) {
        bend(is(REQUEST.remove), code)
        assert.equal(await location.discard('a'), 'kept')
      }
    })

    it('links: a lock and a rename stand in', async () => {
      bend(extension('hardlink@openssh.com'), STATUS.denied)
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'exists')
      assert.deepEqual([...fake.files.keys()], ['/base/a'])
      assert.match((await location.probe()).findings.join(), /no hard links/)
    })

    it('nothing, but is another place than before', async () => {
      await location.putIfAbsent('location.json', pattern(50))
      await location.putIfAbsent('a', pattern(50))
      fake.files.clear()
      await refuses(location.head('a'), 'location.not-ours', 'far')
      await refuses(location.open('a'), 'location.not-ours', 'far')
      await refuses(location.list({ prefix: '' }), 'location.not-ours', 'far')
      await refuses(location.putIfAbsent('b', pattern(1)), 'location.not-ours', 'far')
      await refuses(location.discard('a'), 'location.not-ours', 'far')
      assert.deepEqual([...fake.files.keys()], [])
      location.renew?.()
      assert.equal(await location.putIfAbsent('b', pattern(1)), 'created')
      fake.folders.delete('/base')
      fake.files.clear()
      await refuses(location.head('a'), 'location.unreachable', 'far')
      await refuses(location.putIfAbsent('c/d', pattern(1)), 'location.unreachable', 'far')
      assert.ok(!fake.folders.has('/base'), 'the folder of the location is never made')
    })
  })

  it('settles a cancelled read at once, and leaves the view alone', async () => {
    putFile(fake, '/base/a', pattern(400_000))
    const source = await location.open('a', { tailBytes: 10 })
    const late: (() => void)[] = []
    fake.bend = ({ type }) => {
      if (type !== REQUEST.read) return 'pass'
      return (_id, honest, send) => {
        late.push(() => send(honest()))
        return undefined
      }
    }
    const view = new Uint8Array(300_000)
    const cancel = new AbortController()
    const reading = source.read(0, view, { signal: cancel.signal })
    for (let turn = 0; turn < 10_000 && late.length < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    cancel.abort()
    await refuses(reading, 'base.cancelled')
    fake.bend = () => 'pass'
    assert.ok(late.length >= 10)
    for (const send of late) send()
    assert.deepEqual(await readAll(location, 'a'), pattern(400_000))
    assert.ok(view.every((byte) => byte === 0))
  })

  it('lets the writer wait when blocks are not acknowledged', async () => {
    const seen = { writes: 0 }
    fake.bend = ({ type }) => {
      if (type !== REQUEST.write) return 'pass'
      seen.writes += 1
      return 'hang'
    }
    const sink = await location.create('a')
    let written = 0
    const writing = (async () => {
      for (let piece = 0; piece < 100; piece += 1) {
        await sink.write(pattern(100_000))
        written += 100_000
      }
    })()
    writing.catch(() => undefined)
    for (let turn = 0; turn < 10_000 && seen.writes < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(written <= 2_400_000, `${written} bytes were taken`)
    assert.equal(sink.acceptedBytes, 0)
    fake.bend = () => 'pass'
    fake.cut()
    await writing
    await sink.finish()
    assert.deepEqual(await location.head('a'), { sizeBytes: 10_000_000 })
  })

  it('keeps one connection for all', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, index) => location.putIfAbsent(`x/${index}`, pattern(10))))
    assert.equal(fake.connectionCount, 1)
    assert.equal(ALL_EXTENSIONS.length, 3)
  })
})
