// The room in a real browser: both builds of the kernel against the scalar twin there and here, and the browser primitives against Node's.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { fromHex, utf8 } from '#base'
import { combineBytes, interpolateBytes, type KernelBuild } from '#crypto'
import * as node from '#crypto/primitives'
import { startBrowser, type StartedBrowser } from '../browser.ts'
import { BUILDS, byteSource, rows } from './rows.ts'

type Room = typeof import('./browser-room.ts')
const PATH = '/room.js'

let started: StartedBrowser
let server: Server
let page: Page

before(async () => {
  const script = await bundle()
  server = createServer((request, response) => {
    // The strictest policy under which WebAssembly starts: sites that serve the room need no more than this.
    response.setHeader('content-security-policy', "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'")
    response.setHeader('content-type', request.url === PATH ? 'text/javascript' : 'text/html')
    response.end(request.url === PATH ? script : '<!doctype html><title>room</title>')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  started = await startBrowser()
  page = await started.browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})

after(async () => {
  await started?.close()
  server?.close()
})

for (const kernelBuild of BUILDS) {
  for (const [k, n] of [
    [2, 3],
    [3, 5],
    [5, 9],
    [12, 20],
  ] as const) {
    test(`${kernelBuild}: a browser splits ${k}-of-${n} and combines; Node reads its shares`, async () => {
      const secret = byteSource(n)(4099)
      const seen = await page.evaluate(inPage, { path: PATH, kernelBuild, k, n, secret: secret.toHex() })
      assert.equal(seen.build, kernelBuild)
      const shares = seen.shares.map(fromHex)
      const xs = rows(k, (index) => n - index)
      const chosen = xs.map((x) => shares[x - 1]!)
      assert.deepEqual(combineBytes({ xs, shares: chosen }), secret)
      const all = rows(n, (index) => index + 1)
      assert.deepEqual(interpolateBytes({ xs, shares: chosen, at: all }), shares)
      assert.equal(seen.combined, secret.toHex())
      assert.equal(seen.combinedByTwin, secret.toHex())
      assert.equal(seen.repaired, seen.shares[0])
    })
  }
}

test('a browser chooses a build by itself', async () => {
  const chosen = await page.evaluate(async (path) => {
    const room = (await import(path)) as Room
    return (await room.createKernel({ arenaBytes: 64 })).build
  }, PATH)
  assert.ok(BUILDS.includes(chosen))
})

test('what a browser seals, tags and signs, Node opens and verifies', async () => {
  const seen = await page.evaluate(async (path) => {
    const { primitives, toHex, utf8 } = (await import(path)) as Room
    const [key, nonce, mldsa65, ed25519] = [32, 12, 32, 32].map((length) => primitives.random(length))
    const message = utf8('a message')
    const signer = primitives.signer({ mldsa65: mldsa65!, ed25519: ed25519! })
    const signatures = signer.sign(message, 'context')
    return {
      key: toHex(key!),
      nonce: toHex(nonce!),
      sealed: toHex(primitives.gcmSeal(key!, nonce!, utf8('aad'), message)),
      tag: toHex(primitives.gmac(key!, nonce!, utf8('a'), message)),
      mac: toHex(primitives.hmacSha256(key!, message)),
      derived: toHex(primitives.hkdfSha256(key!, utf8('purpose'), 32)),
      keys: { mldsa65: toHex(signer.keys.mldsa65), ed25519: toHex(signer.keys.ed25519) },
      signatures: { mldsa65: toHex(signatures.mldsa65), ed25519: toHex(signatures.ed25519) },
      verified: primitives.verifySignatures(signer.keys, message, 'context', signatures),
    }
  }, PATH)
  const [key, nonce] = [fromHex(seen.key), fromHex(seen.nonce)]
  const message = utf8('a message')
  assert.deepEqual(node.gcmOpen(key, nonce, utf8('aad'), fromHex(seen.sealed)), message)
  assert.equal(node.gmac(key, nonce, utf8('a'), message).toHex(), seen.tag)
  assert.equal(node.hmacSha256(key, message).toHex(), seen.mac)
  assert.equal(node.hkdfSha256(key, utf8('purpose'), 32).toHex(), seen.derived)
  const both = (pair: { mldsa65: string; ed25519: string }) => ({ mldsa65: fromHex(pair.mldsa65), ed25519: fromHex(pair.ed25519) })
  assert.ok(node.verifySignatures(both(seen.keys), message, 'context', both(seen.signatures)))
  assert.ok(seen.verified)
})

/** Runs inside the page. */
async function inPage(job: { path: string; kernelBuild: KernelBuild; k: number; n: number; secret: string }) {
  const room = (await import(job.path)) as Room
  const { k, n } = job
  const secret = room.fromHex(job.secret)
  const { length } = secret
  const kernel = await room.createKernel({ arenaBytes: 2 ** 20, build: job.kernelBuild })
  const view = (at: number): Uint8Array => kernel.memory.subarray(at, at + length)
  const alloc = (): number => kernel.alloc(length)
  const source = alloc()
  view(source).set(secret)
  const random = Array.from({ length: k - 1 }, alloc)
  for (const row of random) room.primitives.randomFill(view(row))
  const shares = Array.from({ length: n }, alloc)
  kernel.split({ k, n, secret: source, random, shares, length })
  const xs = Array.from({ length: k }, (_, index) => n - index)
  const chosen = xs.map((x) => shares[x - 1]!)
  const [combined, repaired] = [alloc(), alloc()]
  kernel.combine({ xs, shares: chosen, secret: combined, length })
  kernel.interpolate({ xs, from: chosen, at: [1], into: [repaired], length })
  return {
    build: kernel.build,
    shares: shares.map((row) => room.toHex(view(row))),
    combined: room.toHex(view(combined)),
    repaired: room.toHex(view(repaired)),
    combinedByTwin: room.toHex(room.combineBytes({ xs, shares: chosen.map(view) })),
  }
}

/** One module for browsers, made in memory. */
async function bundle(): Promise<string> {
  const made = await build({
    configFile: false,
    root: resolve(import.meta.dirname, '../..'),
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry: resolve(import.meta.dirname, 'browser-room.ts'), formats: ['es'] },
    },
  })
  const [first] = Array.isArray(made) ? made : [made]
  assert.ok(first && 'output' in first)
  const chunks = first.output.filter((file) => file.type === 'chunk')
  assert.equal(chunks.length, 1)
  assert.ok(!chunks[0]!.code.includes('node:'), 'the room needs no module of Node')
  return chunks[0]!.code
}
