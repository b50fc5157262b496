// The dozen calls for other programs, in their own process and at a site: bytes, ranges, refusals, giving up, damage.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createApi } from '#gateways/api'
import { connect, isFailure } from '../../src/embed/client.ts'
import type { Files } from '../../src/embed/files.ts'
import { Failure, openVault, type Vault } from '../../src/embed/vault.ts'
import { createMemoryDoor, accessTo } from '../gateways/api/memory-door.ts'
import { joinByPasskey, LOCAL, startPeople } from '../identity/support.ts'
import { startGateway, until } from '../gateways/api/support.ts'

const FRAGMENT = /(?:^|\/)[0-9a-f]{32}$/

function folderOf(context: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quorate-embed-')))
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

function open(folder: string, more: Partial<Parameters<typeof openVault>[0]> = {}): Promise<Vault> {
  const locations = ['a', 'b', { spec: `folder:${join(folder, 'c')}`, label: 'third' }].map((one) =>
    typeof one === 'string' ? `folder:${join(folder, one)}` : one,
  )
  return openVault({ home: join(folder, 'home'), make: { name: 'Contracts', threshold: 2, locations }, ...more })
}

/** What holds for both doors. */
async function walk(files: Files): Promise<void> {
  const bytes = randomBytes(600_000)
  const stored = await files.store('/contracts/lease ü.pdf', bytes, { type: 'application/pdf', modified: new Date('2026-01-02T03:04:05Z') })
  assert.deepEqual([stored.entry.size, stored.entry.version, stored.entry.type], [600_000, 1, 'application/pdf'])
  await files.store('/contracts/text', 'grüße')
  await files.store('/contracts/stream', parts(bytes, 70_001), { size: 600_000 })

  const whole = await files.read('/contracts/lease ü.pdf')
  assert.deepEqual(
    [whole.size, whole.whole, whole.type, whole.modified.toISOString()],
    [600_000, 600_000, 'application/pdf', '2026-01-02T03:04:05.000Z'],
  )
  // Pieces belong to whoever got them.
  const pieces = await Array.fromAsync(whole)
  assert.ok(Buffer.concat(pieces).equals(bytes))
  await assert.rejects(whole.bytes(), (error) => isFailure(error, 'base.invalid'))
  const range = await files.read('/contracts/stream', { first: 262_000, last: 262_999 })
  assert.deepEqual([range.size, range.whole], [1000, 600_000])
  assert.ok(Buffer.from(await range.bytes()).equals(bytes.subarray(262_000, 263_000)))
  const tail = await files.read('/contracts/stream', { first: 599_990 })
  assert.ok(Buffer.from(await tail.bytes()).equals(bytes.subarray(599_990)))
  const head = await files.read('/contracts/stream', { last: 9 })
  assert.ok(Buffer.from(await head.bytes()).equals(bytes.subarray(0, 10)))
  await assert.rejects(files.read('/contracts/stream', { first: 600_000 }), (error) => isFailure(error, 'storage.range'))
  assert.equal(Buffer.from(await (await files.read('/contracts/text')).bytes()).toString(), 'grüße')

  await files.store('/contracts/text', 'second')
  assert.deepEqual(
    (await files.versions('/contracts/text')).map(({ number }) => number),
    [2, 1],
  )
  assert.equal(Buffer.from(await (await files.read('/contracts/text', { version: 1 })).bytes()).toString(), 'grüße')
  await assert.rejects(files.store('/contracts/text', 'x', { ifAbsent: true }), (error) => isFailure(error, 'storage.exists'))
  await assert.rejects(files.store('/contracts/short', parts(bytes, 9), { size: 600_001 }), (error) =>
    isFailure(error, 'storage.size-differs'),
  )
  await assert.rejects(files.store('/contracts/short', 'abc', { size: 4 }), (error) => isFailure(error, 'storage.size-differs'))
  await assert.rejects(files.stat('/contracts/short'), (error) => isFailure(error, 'storage.absent') && !error.retry)

  const names = async (path: string, deep = false): Promise<string[]> =>
    (await Array.fromAsync(files.list(path, { deep }))).map((one) => one.path)
  assert.deepEqual(await names('/'), ['/contracts'])
  assert.equal((await names('/', true)).length, 4)
  await files.move('/contracts/text', '/archive/text')
  await assert.rejects(files.move('/archive/text', '/contracts/stream'), (error) => isFailure(error, 'storage.exists'))
  assert.equal((await files.stat('/archive/text')).kind, 'file')
  assert.equal((await files.remove('/archive/text')).removed, 1)
  assert.equal((await files.status()).vault?.threshold, 2)
}

async function* parts(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

test('a vault in the own process: made, used, closed, opened again as it is', async (context) => {
  const folder = folderOf(context)
  await assert.rejects(openVault({ home: join(folder, 'home') }), (error) => isFailure(error, 'storage.no-vault'))
  {
    await using vault = await open(folder)
    await walk(vault)
    await assert.rejects(open(folder), (error) => isFailure(error, 'storage.home-busy'))
  }
  await using again = await open(folder, { make: { threshold: 3, locations: [] } })
  assert.equal((await again.status()).vault?.name, 'Contracts')
  assert.deepEqual((await again.status()).locations.map(({ label }) => label).at(-1), 'third')
  assert.equal((await again.stat('/contracts/stream')).size, 600_000)
  await again.close()
  await again.close()
  await assert.rejects(again.stat('/contracts/stream'))
})

test('keys under a passphrase: the wrong one reads and does not write', async (context) => {
  const folder = folderOf(context)
  {
    await using vault = await open(folder, { passphrase: 'a long passphrase of ours' })
    await vault.store('/a', 'hello')
  }
  await using locked = await open(folder, { passphrase: 'another long passphrase' })
  assert.equal(Buffer.from(await (await locked.read('/a')).bytes()).toString(), 'hello')
  await assert.rejects(locked.store('/b', 'x'), (error) => isFailure(error, 'crypto.passphrase'))
})

test('a location that lies is named, and healed; a scrub can be given up', async (context) => {
  const folder = folderOf(context)
  await using vault = await open(folder)
  const bytes = randomBytes(300_000)
  await vault.store('/a', bytes)
  const place = join(folder, 'b')
  for (const name of readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(
    (one) => FRAGMENT.test(one) && statSync(join(place, one)).isFile(),
  )) {
    const file = readFileSync(join(place, name))
    file[file.length >> 1]! ^= 1
    writeFileSync(join(place, name), file)
  }
  const { findings } = await vault.scrub()
  assert.ok(findings.some(({ kind, path, location }) => kind === 'corrupt' && path === '/a' && location.endsWith('/b')))
  assert.ok(Buffer.from(await (await vault.read('/a')).bytes()).equals(bytes))
  // A file without redundancy is repaired by the vault itself at once: then nothing is left for this.
  await vault.repair({ path: '/a' })
  await vault.repair()
  assert.deepEqual((await vault.scrub()).findings, [])
  await assert.rejects(vault.scrub({ signal: AbortSignal.abort() }), (error) => isFailure(error, 'base.cancelled'))
  await assert.rejects(vault.store('/b', parts(bytes, 10), { signal: AbortSignal.abort() }), (error) => isFailure(error, 'base.cancelled'))
})

test('leaving a loop early gives the reader back', async () => {
  await using gateway = await startGateway()
  const site = connect({ home: gateway.socket.slice(0, -'/socket'.length) })
  for await (const piece of await site.read('/zeros/100000000')) {
    assert.equal(gateway.door.openGrants(), 1)
    assert.ok(piece.length > 0)
    break
  }
  await until(() => gateway.door.openGrants() === 0)
  site.close()
})

test('a site over its socket: the same calls, events, and every other call by its name', async (context) => {
  const folder = folderOf(context)
  const { openSite } = await import('../../src/main/site.ts')
  const { mkdirSync } = await import('node:fs')
  mkdirSync(join(folder, 'home'), { mode: 0o700 })
  const operator = { kind: 'local', name: 'operator' } as const
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const home = join(folder, 'home')
  const inside = await openSite({ home, environment: {}, database: { file: join(home, 'site.sqlite') }, log })
  const api = await createApi({ access: inside.access, operator, log })
  context.after(async () => {
    await api.close()
    await inside.close()
  })
  await api.listenOnSocket(join(home, 'socket'))
  {
    await using site = connect({ home })
    const locations = ['a', 'b', 'c'].map((name) => ({ spec: `folder:${join(folder, name)}` }))
    await site.api.createVault({ threshold: 2, locations })
    await walk(site)
    const stop = new AbortController()
    const heard: string[] = []
    for await (const event of site.events({ signal: stop.signal })) {
      heard.push(event.kind)
      if (heard.length === 1) void site.api.createFolder({ path: '/new' })
      if (event.kind === 'files') stop.abort()
    }
    assert.equal(heard[0], 'status')
    assert.equal(heard.at(-1), 'files')
    assert.equal((await site.api.trash()).entries.length, 1)
  }
})

test('a base address and a token are enough: the dozen and every other call; without the token, or after it is revoked, nothing', async () => {
  await using people = await startPeople()
  await using gateway = await startGateway({ identity: people.identity })
  const person = await joinByPasskey(people, 'ada', ['researcher'])
  const scope = { rights: 'write', path: '/' } as const
  const { id, secret } = await people.identity.makeSecret(LOCAL, person.id, { means: 'token', name: 'photos', scope, days: 1 })
  const url = `http://localhost:${gateway.port}`
  await using site = connect({ url, token: secret })
  const bytes = randomBytes(1_500_000)
  await site.store('/photos/a.jpg', parts(bytes, 100_000))
  assert.ok(Buffer.from(await (await site.read('/photos/a.jpg')).bytes()).equals(bytes))
  assert.equal((await site.api.list({ path: '/photos' })).entries.length, 1)
  await using nobody = connect({ url })
  await assert.rejects(nobody.stat('/photos/a.jpg'), (error) => isFailure(error, 'access.unauthenticated'))
  await people.identity.removeSecret(LOCAL, { person: person.id, id })
  await assert.rejects(site.stat('/photos/a.jpg'), (error) => isFailure(error, 'access.unauthenticated') && error.next !== undefined)
})

test('events that a site ends are a failure; a refusal of them is its own', async () => {
  const door = createMemoryDoor()
  await using gateway = await startGateway({ access: accessTo(door), bounds: { eventListenersMax: 1 } })
  const site = connect({ home: gateway.socket.slice(0, -'/socket'.length) })
  const first = site.events()[Symbol.asyncIterator]()
  assert.equal((await first.next()).value?.kind, 'status')
  await assert.rejects(site.events()[Symbol.asyncIterator]().next(), (error) => error instanceof Failure && error.code === 'api.busy')
  const ended = first.next()
  const closing = gateway.api.close()
  await assert.rejects(ended, (error) => isFailure(error, 'api.unreachable'))
  await closing
  site.close()
})
