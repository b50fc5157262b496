// Calls to a site by its address: tokens, certificates, addresses below a path, answers of something else, silence, kept connections.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { isFailure } from '#base'
import { createClient } from '#contract'
import { httpTransport } from '../../src/cli/http-transport.ts'

const SITE = { version: '1', suggestedFolders: [], vault: null, abilities: [] }

async function listen(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function answer(value: unknown, seen: IncomingMessage[] = []) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    seen.push(request)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
}

test('the token goes with every call, below the path of the address', async (context) => {
  const seen: IncomingMessage[] = []
  const port = await listen(context, createServer(answer(SITE, seen)))
  const transport = httpTransport({ url: `http://localhost:${port}/quorate/`, token: 'qt_secret' })
  assert.deepEqual(await createClient(transport.call).site(), SITE)
  assert.deepEqual(
    [seen[0]!.url, seen[0]!.headers.authorization, seen[0]!.headers.host],
    ['/quorate/api/v1/site', 'Bearer qt_secret', `localhost:${port}`],
  )
  transport.close()
})

test('a token crosses no network in clear, and an address is an address', () => {
  const code = (wanted: string) => (error: unknown) =>
    isFailure(error) && error.code === wanted && !JSON.stringify([error.message, error.next]).includes('qt_')
  for (const url of [
    'http://vault.example.org/',
    'http://10.0.0.1:7878',
    'http://localhost.evil.example/',
    'http://127.0.0.1.evil.example/',
  ])
    assert.throws(() => httpTransport({ url, token: 'qt_secret' }), code('api.in-clear'), url)
  for (const url of ['http://localhost:1/', 'http://127.0.0.1:1', 'http://[::1]:1/', 'https://vault.example.org/'])
    httpTransport({ url, token: 'qt_secret' }).close()
  for (const url of ['', 'vault', 'ftp://localhost/', 'http://user:qt_x@localhost/', 'http://localhost/?token=qt_x', 'data:,x'])
    assert.throws(() => httpTransport({ url }), code('base.invalid'), url)
})

test('a certificate of an own authority is trusted when it is given, and only then', async (context) => {
  const { certificate, key } = await ownAuthority()
  const port = await listen(context, createTlsServer({ cert: certificate, key }, answer(SITE)))
  const url = `https://localhost:${port}/`
  const stranger = httpTransport({ url, token: 'qt_secret' })
  await assert.rejects(createClient(stranger.call).site(), (error) => isFailure(error, 'api.unreachable'))
  stranger.close()
  const known = httpTransport({ url, token: 'qt_secret', ca: certificate })
  assert.deepEqual(await createClient(known.call).site(), SITE)
  known.close()
})

async function ownAuthority(): Promise<{ certificate: string; key: string }> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(crypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=localhost',
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true), new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { certificate: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` }
}

test('what is no site says so: pages, other JSON, refusals without a document, addresses that lead elsewhere', async (context) => {
  let turn: (request: IncomingMessage, response: ServerResponse) => void = answer(SITE)
  const asked: string[] = []
  const port = await listen(
    context,
    createServer((request, response) => {
      asked.push(request.url ?? '')
      turn(request, response)
    }),
  )
  const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
  const client = createClient(transport.call)
  turn = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>Sign in to the network')
  await assert.rejects(client.site(), (error) => isFailure(error, 'api.answer') && error.next !== undefined)
  turn = answer({ version: 7 })
  await assert.rejects(client.site(), (error) => isFailure(error, 'api.answer') && /at version/.test(error.message))
  turn = (_, response) => response.writeHead(502).end('Bad gateway')
  await assert.rejects(client.site(), (error) => isFailure(error, 'base.internal') && /502/.test(error.message))
  turn = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end('moved')
  await assert.rejects(client.site(), (error) => isFailure(error, 'api.unreachable') && /elsewhere/.test(error.message))
  assert.ok(!asked.includes('/elsewhere'))
  turn = answer({ type: 't', title: 't', status: 409, code: 'no.such-code', detail: 'd', culprits: [], retry: false, instance: 'i' })
  const odd = turn
  turn = (request, response) => {
    response.writeHead = ((_: number, headers: object) =>
      Object.getPrototypeOf(response).writeHead.call(response, 409, headers)) as typeof response.writeHead
    odd(request, response)
  }
  await assert.rejects(client.site(), (error) => isFailure(error, 'base.internal') && error.message === 'd')
  transport.close()
})

test('a site that falls silent is given up, before its answer and within it', { timeout: 20_000 }, async (context) => {
  let begin = false
  const port = await listen(
    context,
    createServer((_, response) => {
      if (begin) response.writeHead(200, { 'content-length': '1000' }).write('{')
    }),
  )
  const transport = httpTransport({ url: `http://127.0.0.1:${port}` }, { silenceMs: 200 })
  const client = createClient(transport.call)
  await assert.rejects(client.site(), (error) => isFailure(error, 'api.timeout') && error.retry)
  begin = true
  await assert.rejects(client.site(), (error) => isFailure(error, 'api.timeout'))
  const stop = new AbortController()
  const given = client.site({ signal: stop.signal })
  stop.abort()
  await assert.rejects(given, (error) => isFailure(error, 'base.cancelled'))
  transport.close()
})

test('a kept connection that the other side closed: what only reads is asked once more, what changes something is not', async (context) => {
  let calls = 0
  const server = createServer((request, response) => {
    calls += 1
    // Every second call of a connection is cut without an answer, as by a side that closed it meanwhile.
    const socket = request.socket as typeof request.socket & { served?: boolean }
    if (socket.served === true) return void socket.resetAndDestroy()
    socket.served = true
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(SITE))
  })
  const port = await listen(context, server)
  const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
  const client = createClient(transport.call)
  await client.site()
  assert.deepEqual(await client.site(), SITE)
  assert.equal(calls, 3)
  await assert.rejects(client.createFolder({ path: '/f' }), (error) => isFailure(error, 'api.unreachable') && error.retry)
  assert.equal(calls, 4)
  transport.close()
})

test('nobody there: unreachable, and it may be tried again', async (context) => {
  const server = createServer()
  const port = await listen(context, server)
  await new Promise((closed) => server.close(closed))
  const transport = httpTransport({ url: `http://127.0.0.1:${port}` })
  await assert.rejects(
    createClient(transport.call).site(),
    (error) => isFailure(error, 'api.unreachable') && error.retry && error.next !== undefined,
  )
  transport.close()
})
