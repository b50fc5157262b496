// Listening and stopping: both loopback addresses or none, running calls may end, and the pages.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLoopback } from '#gateways/api'
import { call, problemOf, startGateway, until } from './support.ts'

test('a port that another program holds on either address is refused', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const other = createServer()
    const listening = await new Promise<boolean>((resolve) => {
      other.once('error', () => resolve(false)).listen({ host, port: 0, ipv6Only: host === '::1' }, () => resolve(true))
    })
    if (!listening) continue
    await using gateway = await startGateway()
    const { port } = other.address() as AddressInfo
    await assert.rejects(gateway.api.listenOnLoopback({ port, loopback: createLoopback() }), { code: 'EADDRINUSE' })
    other.close()
  }
})

test('nothing but loopback listens', async () => {
  await using gateway = await startGateway()
  const refused = await new Promise((resolve) => {
    connect({ host: '127.0.0.2', port: gateway.port })
      .once('error', () => resolve(true))
      .once('connect', () => resolve(false))
  })
  assert.equal(refused, true)
})

test('a stop lets a running upload end and drops what does not', async () => {
  for (const finishes of [true, false]) {
    const gateway = await startGateway({ bounds: { stopGraceMs: finishes ? 60_000 : 50 } })
    const headers = { host: `localhost:${gateway.port}`, cookie: gateway.cookie, 'content-length': '10' }
    const request = httpRequest({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'PUT',
      path: '/api/v1/content?path=/a',
      agent: false,
      headers,
    })
    const outcome = new Promise<number | undefined>((resolve) => {
      request.once('response', (response) => resolve(response.resume().statusCode)).once('error', () => resolve(undefined))
    })
    request.write('01234')
    await until(() => gateway.door.calls.includes('part'))
    const stopped = gateway[Symbol.asyncDispose]()
    if (finishes) request.end('56789')
    assert.equal(await outcome, finishes ? 201 : undefined)
    await stopped
    assert.equal(gateway.door.bytesOf('/a')?.length, finishes ? 10 : undefined)
    assert.equal(gateway.door.dropped.length, finishes ? 0 : 1)
  }
})

test('the pages are served under a policy that runs nothing but their own files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-pages-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Quorate</title>')
  await writeFile(join(folder, '.sources'), 'not served')
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'assets', 'index-1234.js'), 'export {}')
  await using gateway = await startGateway({ pages: folder })
  for (const [path, cache] of [
    ['/', 'no-cache'],
    ['/index.html', 'no-cache'],
    ['/assets/index-1234.js', 'public, max-age=31536000, immutable'],
  ] as const) {
    const answer = await call(gateway, { path, headers: { cookie: '', 'sec-fetch-site': 'cross-site' } })
    assert.equal(answer.status, 200, path)
    assert.equal(answer.headers['cache-control'], cache)
    assert.match(
      String(answer.headers['content-security-policy']),
      /default-src 'none'; script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors 'none'/,
    )
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  }
  for (const path of [
    '/.sources',
    '/assets/',
    '/assets/../.sources',
    '/assets/..%2f.sources',
    '/%2e%2e/x',
    '/index.html/',
    '/assets%00.js',
    '/..\\..\\x',
  ]) {
    assert.ok(problemOf(await call(gateway, { path, headers: { cookie: '' } })).status >= 400, path)
  }
  assert.equal(problemOf(await call(gateway, { path: '/', headers: { host: 'evil.example' } })).code, 'api.host')
  await rm(folder, { recursive: true })
})
