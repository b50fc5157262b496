// Bytes in and out: whole or visibly broken, at the pace of the slower side, and given up the moment nobody waits.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { Failure, isFailure } from '#base'
import { createClient, type Client } from '#contract'
import { inProcessTransport } from '#gateways/api'
import { socketTransport } from '../../../src/cli/socket-transport.ts'
import { createMemoryDoor, type MemoryDoor } from './memory-door.ts'
import { call, failure, problemOf, startGateway, until, type Gateway } from './support.ts'

const MIB = 2 ** 20

async function eachTransport(work: (client: Client, door: MemoryDoor) => Promise<void>): Promise<void> {
  const door = createMemoryDoor()
  await work(createClient(inProcessTransport(door)), door)
  await using gateway = await startGateway()
  const transport = socketTransport(gateway.socket)
  await work(createClient(transport.call), gateway.door)
  transport.close()
}

async function* parts(count: number, bytes: number, then?: () => void): AsyncIterable<Uint8Array> {
  const reused = new Uint8Array(bytes)
  for (let part = 0; part < count; part++) yield reused.fill(part)
  then?.()
}

function put(gateway: Gateway, path: string, headers: Record<string, string>): ClientRequest {
  return httpRequest({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'PUT',
    path: `/api/v1/content?path=${path}`,
    agent: false,
    headers: { host: `localhost:${gateway.port}`, cookie: gateway.cookie, ...headers },
  })
}

function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.once('response', resolve).once('error', reject))
}

test('an upload of any length arrives whole, whether its length was said or not', async () => {
  await eachTransport(async (client, door) => {
    for (const [count, bytes] of [
      [0, 0],
      [1, 1],
      [1, 70_000],
      [40, 100_000],
    ] as const) {
      const whole = Buffer.concat(await Array.fromAsync(parts(count, bytes), (part) => Uint8Array.from(part)))
      for (const size of [whole.length, undefined]) {
        const stored = await client.upload({ path: '/a', body: parts(count, bytes), size })
        assert.equal(stored.entry.size, whole.length)
        assert.deepEqual(Buffer.from(door.bytesOf('/a')!), whole)
      }
    }
    assert.deepEqual(door.dropped, [])
  })
})

test('an upload that ends before or after its announced size is dropped', async () => {
  await using gateway = await startGateway()
  const transports = [inProcessTransport(gateway.door), socketTransport(gateway.socket).call]
  for (const transport of transports) {
    for (const size of [0, 5, 299_999, 300_001]) {
      const target = `/api/v1/content?path=/a&size=${size}`
      const answer = await transport({ method: 'PUT', target, headers: {}, body: parts(3, 100_000) })
      assert.equal(answer.status, 409, String(size))
    }
    const both = await transport({
      method: 'PUT',
      target: '/api/v1/content?path=/a&size=3',
      headers: { 'content-length': '4' },
      body: Buffer.from('four'),
    })
    assert.equal(both.status, 409)
  }
  assert.equal(gateway.door.bytesOf('/a'), undefined)
  const codes = gateway.door.dropped.map((error) => (error as Failure).code)
  assert.deepEqual([...new Set(codes)], ['storage.size-differs'])
})

test('a source that fails while it is uploaded fails the upload with its own words, and the site drops it', async () => {
  await eachTransport(async (client, door) => {
    for (const size of [4 * MIB, undefined]) {
      const changed = new Failure('storage.source-changed', { culprits: ['scan.dcm'] })
      const body = parts(3, MIB, () => {
        throw changed
      })
      await assert.rejects(client.upload({ path: '/a', body, size }), (error) => error === changed)
    }
    await until(() => door.dropped.length === 2)
    assert.equal(door.bytesOf('/a'), undefined)
  })
})

test('a connection that breaks or falls silent during an upload leaves nothing', { timeout: 30_000 }, async () => {
  await using gateway = await startGateway({ bounds: { uploadSilenceMs: 100, lingerMs: 50 } })
  const ends: [Record<string, string>, (request: ClientRequest) => void][] = [
    [{ 'content-length': '1000000' }, (request) => request.destroy()],
    [{ 'transfer-encoding': 'chunked' }, (request) => request.destroy()],
    [{ 'content-length': '1000000' }, (request) => request.socket!.end()],
    [{ 'transfer-encoding': 'chunked' }, (request) => request.socket!.end()],
    [{ 'transfer-encoding': 'chunked' }, (request) => request.socket!.end('zz\r\n')],
    [{ 'content-length': '1000000' }, () => {}],
    [{ 'transfer-encoding': 'chunked' }, () => {}],
  ]
  for (const [index, [headers, end]] of ends.entries()) {
    const request = put(gateway, '/a', headers)
    request.on('error', () => {})
    request.write('the beginning')
    await until(() => gateway.door.calls.filter((name) => name === 'part').length > index)
    end(request)
    await until(() => gateway.door.dropped.length > index)
    assert.ok(isFailure(gateway.door.dropped[index], index < 5 ? 'base.cancelled' : 'api.timeout'), String(index))
  }
  assert.equal(gateway.door.bytesOf('/a'), undefined)
})

test('an upload that the caller gives up is dropped', async () => {
  await eachTransport(async (client, door) => {
    const controller = new AbortController()
    async function* body(): AsyncIterable<Uint8Array> {
      yield new Uint8Array(MIB)
      await until(() => door.calls.includes('part'))
      controller.abort()
      yield new Uint8Array(MIB)
      yield new Uint8Array(MIB)
    }
    await assert.rejects(client.upload({ path: '/a', body: body(), size: 3 * MIB }, { signal: controller.signal }), (error) =>
      isFailure(error, 'base.cancelled'),
    )
    await until(() => door.dropped.length === 1)
    assert.equal(door.bytesOf('/a'), undefined)
  })
})

test('a refusal comes before the bytes where the client waits, and reaches the one who does not', async () => {
  await using gateway = await startGateway()
  gateway.door.refuse('openToWrite', failure('storage.read-only'))
  const client = createClient(socketTransport(gateway.socket).call)
  let pulled = 0
  async function* body(): AsyncIterable<Uint8Array> {
    for (;;) {
      pulled += 1
      yield new Uint8Array(MIB)
    }
  }
  await assert.rejects(client.upload({ path: '/a', body: body() }), (error) => isFailure(error, 'storage.read-only'))
  assert.equal(pulled, 0)
  const eager = put(gateway, '/a', { 'content-length': String(64 * MIB) })
  for (let part = 0; part < 64; part++) eager.write(new Uint8Array(MIB))
  eager.end()
  assert.equal((await answered(eager)).statusCode, 503)
})

test('a client that goes on sending after the answer is cut off', async () => {
  await using gateway = await startGateway({ bounds: { lingerMs: 50 } })
  gateway.door.refuse('openToWrite', failure('storage.read-only'))
  const request = put(gateway, '/a', { 'transfer-encoding': 'chunked' })
  const closed = new Promise<void>((resolve) => request.once('close', resolve))
  request.on('error', () => {})
  request.write('the beginning')
  assert.equal((await answered(request)).statusCode, 503)
  await closed
})

test('ranges and conditions of RFC 9110', async () => {
  await using gateway = await startGateway()
  gateway.door.put('/a', Buffer.from('0123456789'))
  gateway.door.put('/empty', Buffer.from(''))
  const rows: [Record<string, string>, number, string, string?][] = [
    [{}, 200, '0123456789'],
    [{ range: 'bytes=0-0' }, 206, '0', 'bytes 0-0/10'],
    [{ range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
    [{ range: 'BYTES = 2 - 4' }, 206, '234', 'bytes 2-4/10'],
    [{ range: 'bytes=7-' }, 206, '789', 'bytes 7-9/10'],
    [{ range: 'bytes=0-99999999999999999999999' }, 206, '0123456789', 'bytes 0-9/10'],
    [{ range: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'],
    [{ range: 'bytes=-99' }, 206, '0123456789', 'bytes 0-9/10'],
    [{ range: 'bytes=10-' }, 416, '', 'bytes */10'],
    [{ range: 'bytes=99999999999999999999-' }, 416, '', 'bytes */10'],
    [{ range: 'bytes=-0' }, 416, '', 'bytes */10'],
    [{ range: 'bytes=4-2' }, 200, '0123456789'],
    [{ range: 'bytes=-' }, 200, '0123456789'],
    [{ range: 'bytes=a-b' }, 200, '0123456789'],
    [{ range: 'bytes=0-1,3-4' }, 200, '0123456789'],
    [{ range: 'lines=0-1' }, 200, '0123456789'],
    [{ range: 'bytes=1-2', 'if-range': '"v1"' }, 206, '12', 'bytes 1-2/10'],
    [{ range: 'bytes=1-2', 'if-range': '"v0"' }, 200, '0123456789'],
    [{ range: 'bytes=1-2', 'if-range': 'W/"v1"' }, 200, '0123456789'],
    [{ range: 'bytes=1-2', 'if-range': 'Fri, 02 Jan 2026 03:04:05 GMT' }, 200, '0123456789'],
    [{ 'if-none-match': '"v1"' }, 304, ''],
    [{ 'if-none-match': '"v0", W/"v1"' }, 304, ''],
    [{ 'if-none-match': '*' }, 304, ''],
    [{ 'if-none-match': '"v0"' }, 200, '0123456789'],
    [{ 'if-match': '"v0"' }, 412, ''],
    [{ 'if-match': '"v1"' }, 200, '0123456789'],
    [{ 'if-match': 'W/"v1"' }, 412, ''],
  ]
  for (const [headers, status, body, range] of rows) {
    const answer = await call(gateway, { path: '/api/v1/content?path=/a', headers })
    const what = JSON.stringify(headers)
    assert.equal(answer.status, status, what)
    if (status < 400) assert.equal(answer.body.toString(), body, what)
    else problemOf(answer)
    assert.equal(answer.headers['content-range'], range, what)
    if (status < 300) assert.equal(answer.headers['accept-ranges'], 'bytes')
    if (status < 400) assert.equal(answer.headers.etag, '"v1"')
  }
  for (const [range, status] of [
    ['bytes=0-', 416],
    ['bytes=-5', 200],
    ['bytes=0-0', 416],
  ] as const) {
    assert.equal((await call(gateway, { path: '/api/v1/content?path=/empty', headers: { range } })).status, status, range)
  }
  const head = await call(gateway, { method: 'HEAD', path: '/api/v1/content?path=/a', headers: { range: 'bytes=1-2' } })
  assert.deepEqual([head.status, head.headers['content-length']], [200, '10'])
  assert.equal(gateway.door.openGrants(), 0)
})

test('a hostile name stays inside its header', async () => {
  await using gateway = await startGateway()
  for (const name of [
    'a"; filename=evil.exe',
    'a\r\nset-cookie: a=b',
    'Ünïcödé 文件.txt',
    '%2e%2e',
    'a\\b',
    '\ud800',
    '🎉'.repeat(50),
    "a'b()*c",
    '\u202egpj.exe',
  ]) {
    gateway.door.put(`/${name.toWellFormed()}`, Buffer.from('x'), `text/plain\r\nset-cookie: a=b`)
    const answer = await call(gateway, { path: `/api/v1/content?path=${encodeURIComponent(`/${name.toWellFormed()}`)}` })
    assert.equal(answer.status, 200, name)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.equal(answer.headers['content-type'], 'application/octet-stream')
    const match = /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([\w!#$&+.^`|~%-]*)$/.exec(
      answer.headers['content-disposition'] ?? '',
    )
    assert.ok(match, String(answer.headers['content-disposition']))
    assert.doesNotMatch(match[1]!, /["\\%/]/)
    assert.equal(decodeURIComponent(match[2]!), name.toWellFormed())
  }
})

test('a file that cannot be read at all is a problem; one that breaks off breaks the connection and never ends short', async () => {
  await using gateway = await startGateway()
  gateway.door.failAfter('/zeros/4000000', 0)
  assert.equal(problemOf(await call(gateway, { path: '/api/v1/content?path=/zeros/4000000' })).code, 'format.record')
  gateway.door.failAfter('/zeros/5000000', 1_000_000)
  await assert.rejects(call(gateway, { path: '/api/v1/content?path=/zeros/5000000' }), { code: 'ECONNRESET' })
  const over = createClient(socketTransport(gateway.socket).call)
  await assert.rejects(Array.fromAsync((await over.download({ path: '/zeros/5000000' })).body), (error) =>
    isFailure(error, 'api.unreachable'),
  )
  const inside = createClient(inProcessTransport(gateway.door))
  await assert.rejects(Array.fromAsync((await inside.download({ path: '/zeros/5000000' })).body), (error) =>
    isFailure(error, 'format.record'),
  )
  await until(() => gateway.door.openGrants() === 0)
})

test('reading stops when the client leaves', async () => {
  await using gateway = await startGateway()
  const size = 50 * 2 ** 30
  const socket: Socket = connect(gateway.port, '127.0.0.1')
  socket.write(`GET /api/v1/content?path=/zeros/${size} HTTP/1.1\r\nhost: localhost:${gateway.port}\r\ncookie: ${gateway.cookie}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  assert.equal(gateway.door.openGrants(), 1)
  socket.destroy()
  await until(() => gateway.door.openGrants() === 0)

  await eachTransport(async (client, door) => {
    const { body } = await client.download({ path: `/zeros/${size}` })
    for await (const part of body) if (part.length > 0) break
    await until(() => door.openGrants() === 0)
    const controller = new AbortController()
    const second = await client.download({ path: `/zeros/${size}` }, { signal: controller.signal })
    await assert.rejects(
      async () => {
        for await (const part of second.body) if (part.length > 0) controller.abort()
      },
      (error) => isFailure(error, 'base.cancelled'),
    )
    await until(() => door.openGrants() === 0)
  })
})

test('a reader that takes nothing is given up in the end', async () => {
  await using gateway = await startGateway({ bounds: { downloadSilenceMs: 100 } })
  const socket: Socket = connect(gateway.port, '127.0.0.1')
  socket.pause()
  socket.write(
    `GET /api/v1/content?path=/zeros/${2 ** 40} HTTP/1.1\r\nhost: localhost:${gateway.port}\r\ncookie: ${gateway.cookie}\r\n\r\n`,
  )
  await until(() => gateway.door.openGrants() === 1)
  await until(() => gateway.door.openGrants() === 0)
  socket.destroy()
})

test('a gibibyte goes up and down in bounded memory', { timeout: 120_000 }, async () => {
  const size = 2 ** 30
  const before = process.memoryUsage().rss
  await eachTransport(async (client) => {
    const zeros = new Uint8Array(MIB)
    async function* body(): AsyncIterable<Uint8Array> {
      for (let sent = 0; sent < size; sent += MIB) yield zeros
    }
    assert.equal((await client.upload({ path: '/void', body: body(), size })).entry.size, size)
    let came = 0
    for await (const part of (await client.download({ path: `/zeros/${size}` })).body) came += part.length
    assert.equal(came, size)
  })
  assert.ok(process.memoryUsage().rss - before < 200 * MIB)
})

test('many uploads and downloads at once do not mix', async () => {
  await eachTransport(async (client) => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const bytes = createHash('shake256', { outputLength: 300_000 + index })
          .update(String(index))
          .digest()
        await client.upload({ path: `/many/${index}`, body: bytes, size: bytes.length })
        const { body } = await client.download({ path: `/many/${index}` })
        assert.deepEqual(Buffer.concat(await Array.fromAsync(body, (part) => Uint8Array.from(part))), bytes)
      }),
    )
  })
})
