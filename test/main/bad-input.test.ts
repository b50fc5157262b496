// Hostile names and people at once, against a real site: nothing outside the vault is touched, nothing is lost, what is refused says why.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Failure, isFailure } from '#base'
import { createClient, type Client } from '#contract'
import { createApi } from '#gateways/api'
import { httpTransport } from '../../src/cli/http-transport.ts'
import { openSite } from '../../src/main/site.ts'

interface Running {
  readonly client: Client
  readonly folder: string
}

async function running(context: TestContext): Promise<Running> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quorate-bad-')))
  for (const name of ['home', 'a', 'b', 'c']) mkdirSync(join(folder, name), { mode: 0o700 })
  const home = join(folder, 'home')
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const site = await openSite({ home, environment: {}, database: { file: join(home, 'site.sqlite') }, log })
  const operator = { kind: 'local', name: 'operator' } as const
  const api = await createApi({ access: site.access, operator, log })
  await api.listenOnSocket(join(home, 'socket'))
  const transport = httpTransport({ socket: join(home, 'socket') })
  const client = createClient(transport.call)
  context.after(async () => {
    transport.close()
    await api.close()
    await site.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  await client.createVault({ threshold: 2, locations: ['a', 'b', 'c'].map((name) => ({ spec: `folder:${join(folder, name)}` })) })
  return { client, folder }
}

const TRICKS = [
  '',
  'a',
  '\\a',
  '/..',
  '/../etc/passwd',
  '/a/../../b',
  '/./a',
  '/a/.',
  '//a',
  '/a//b',
  '/\u0000',
  '/a\u0000.txt',
  '/\ud800',
  '/a\udfff',
  `/${'x'.repeat(1100)}`,
  `/${'ü'.repeat(600)}`,
  `/${'a/'.repeat(2100)}b`,
  '/.quorate-trash',
  '/.quorate-trash/x',
]

/** Odd, and nevertheless names. */
const NAMES = [
  '/line\nbreak',
  '/\u001b[2J',
  '/\u007f',
  '/%2e%2e/a',
  '/a%2fb',
  '/C:\\Windows',
  '/con',
  '/aux.txt',
  '/~root',
  '/$(id)',
  '/`id`',
  "/'; drop table entry; --",
  '/<script>alert(1)</script>',
  '/\u202egpj.exe',
  '/a\u200bb',
  '/é',
  '/😀',
  '/ leading',
  '/trailing ',
  '/dot.',
  '/-rf',
  '/*',
  '/?',
  '/#',
  '/&a=b',
  '/+',
  '/ü'.normalize('NFD'),
  `/${'x'.repeat(255)}`,
  '/__proto__',
  '/constructor',
]

test('path tricks are refused or are plain names; nothing appears outside the locations', async (context) => {
  const { client, folder } = await running(context)
  const outside = (): string[] => readdirSync(folder).toSorted()
  const before = outside()
  for (const path of TRICKS) {
    for (const attempt of [
      () => client.upload({ path, body: Buffer.from('x'), size: 1 }),
      () => client.createFolder({ path }),
      () => client.stat({ path }),
      () => client.download({ path }),
    ]) {
      await assert.rejects(
        attempt(),
        (error) => {
          assert.ok(isFailure(error), String(error))
          assert.ok(error.status < 500, `${JSON.stringify(path)}: ${error.code} ${error.message}`)
          return true
        },
        `${JSON.stringify(path)} was taken`,
      )
    }
  }
  assert.deepEqual((await client.list({ path: '/', recursive: true })).entries, [])
  for (const path of NAMES) {
    const { entry } = await client.upload({ path, body: Buffer.from(path), size: Buffer.byteLength(path) })
    assert.equal(entry.path, path.normalize('NFC'))
    const { body } = await client.download({ path })
    assert.equal(Buffer.concat(await Array.fromAsync(body, (part) => Buffer.from(part))).toString(), path)
  }
  const { entries } = await client.list({ path: '/' })
  assert.equal(entries.length, NAMES.length)
  assert.deepEqual(outside(), before)
})

test('law: a path is refused with a code of its own, or comes back from a list as it was given', async (context) => {
  const { client } = await running(context)
  const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 3 }), async (segments) => {
      const path = `/${segments.join('/')}`
      try {
        const { entry } = await client.upload({ path, body: new Uint8Array(0), size: 0 })
        assert.equal(entry.path, path.normalize('NFC'))
        assert.equal((await client.stat({ path })).path, entry.path)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        assert.ok(['storage.path', 'storage.exists', 'api.body'].includes(error.code), `${JSON.stringify(path)}: ${error.code}`)
      }
    }),
    { numRuns: 150 },
  )
})

test('two people rename one folder: one of them wins, the other one is told, every file is there', async (context) => {
  const { client } = await running(context)
  for (let round = 0; round < 5; round++) {
    const from = `/round${round}`
    for (const name of ['x', 'y', 'z']) await client.upload({ path: `${from}/${name}`, body: Buffer.from(name), size: 1 })
    const outcomes = await Promise.allSettled(['one', 'two'].map((to) => client.move({ from, to: `/${to}${round}` })))
    const [lost] = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.ok(lost !== undefined && isFailure(lost.reason, 'storage.absent'), String(lost?.reason))
    const there = (await client.list({ path: '/', recursive: true })).entries.filter(
      ({ kind, path }) => kind === 'file' && path.includes(`${round}/`),
    )
    assert.deepEqual(
      there.map(({ name }) => name),
      ['x', 'y', 'z'],
    )
  }
})

test('the same file sent twice at once becomes two versions; one that breaks off leaves nothing at any location', async (context) => {
  const { client } = await running(context)
  const [one, other] = [Buffer.alloc(500_000, 1), Buffer.alloc(500_000, 2)]
  const both = await Promise.all([one, other].map((body) => client.upload({ path: '/same', body, size: body.length })))
  assert.deepEqual(
    both.map(({ entry }) => entry.version).toSorted((a, b) => a - b),
    [1, 2],
  )
  const first = await Promise.allSettled([1, 2].map(() => client.upload({ path: '/once', body: one, size: one.length, ifAbsent: true })))
  assert.equal(first.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.ok(first.some((outcome) => outcome.status === 'rejected' && isFailure(outcome.reason, 'storage.exists')))
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 8; at++) yield Buffer.alloc(262_144, at)
    throw new Error('the laptop was closed')
  }
  await assert.rejects(client.upload({ path: '/broken', body: broken(), size: 10 * 262_144 }), /the laptop was closed/)
  await assert.rejects(client.stat({ path: '/broken' }), (error) => isFailure(error, 'storage.absent'))
  for (let task = await client.scrub({ depth: 'tags' }); ; task = await client.task(task.id)) {
    if (task.state === 'running') continue
    assert.deepEqual([task.state, task.report?.findings], ['done', []])
    break
  }
})
