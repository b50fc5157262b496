// A vault over real S3 servers: two buckets of Ceph and one of Swift. The line to one of them is cut, hangs, and comes back.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { KEYS, makeBucket, serverFor, type TestServer } from './locations/s3-servers.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

async function specOf(site: TestSite, server: TestServer): Promise<string> {
  const bucket = await makeBucket(server)
  const file = join(site.root, `${server.kind}.ini`)
  const { id, secret } = KEYS[server.kind]
  await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 })
  return `s3:${server.endpoint}/${bucket}/vault?credentials=${encodeURIComponent(file)}`
}

interface Line {
  readonly endpoint: string
  /** Nothing goes through, and nobody is told. */
  hang(): void
  resume(): void
  cut(): Promise<void>
}

/** A line to a server that can hang. */
async function lineTo(endpoint: string): Promise<Line> {
  const target = new URL(endpoint)
  const sockets = new Set<Socket>()
  let hanging = false
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
      if (hanging) socket.pause()
    }
    near.on('data', (bytes) => void (far.write(bytes) || (near.pause(), far.once('drain', () => hanging || near.resume()))))
    far.on('data', (bytes) => void (near.write(bytes) || (far.pause(), near.once('drain', () => hanging || far.resume()))))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    if (hanging) for (const socket of [near, far]) socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hang: () => {
      hanging = true
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      hanging = false
      for (const socket of sockets) socket.resume()
    },
    cut: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

suite('a vault over real object stores', () => {
  const ceph = serverFor('ceph')
  const swift = serverFor('swift')
  const liar = serverFor('s3rver')
  if (ceph === undefined || swift === undefined || liar === undefined) return

  for (const layout of ['shared', 'sealed'] as const) {
    test(`${layout}: one store stops answering and comes back, and nothing is lost`, async () => {
      const line = await lineTo(ceph.endpoint)
      const site = await makeSite({ vault: false, options: { stallMs: 4000, hedgeMs: 200 } })
      try {
        const far = await specOf(site, ceph)
        const specs = [await specOf(site, ceph), await specOf(site, swift), far.replace(ceph.endpoint, line.endpoint)]
        await site.storage.createVault({
          name: 'Clouds',
          threshold: 2,
          layout,
          locations: specs.map((spec, index) => ({ spec, label: ['ceph', 'swift', 'far'][index]! })),
        })
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'healthy')
        assert.deepEqual(
          status.locations.map(({ capabilities }) => capabilities?.honestCreate),
          [true, false, true],
        )
        assert.ok(status.messages.some(({ text, severity }) => severity === 'hint' && text.startsWith('swift: ')))

        const large = pattern(20_000_000, 3)
        const small = pattern(3000, 4)
        assert.equal((await put(site.storage, '/a/large', large)).acknowledged, 3)
        assert.equal((await put(site.storage, '/a/small', small)).acknowledged, 3)
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))

        line.hang()
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))
        const during = await put(site.storage, '/a/during', pattern(9_000_000, 5))
        assert.deepEqual(during.laggards, ['far'])
        assert.match(during.note, /no redundancy yet/)
        const wounded = await site.storage.status({ check: true })
        assert.equal(wounded.health, 'degraded')
        assert.equal(wounded.locations[2]!.state, 'unreachable')

        line.resume()
        await site.storage.status({ check: true })
        const repaired = await finished(site.storage, site.storage.repair({}))
        assert.deepEqual(repaired.report?.findings, [], JSON.stringify(repaired))
        assert.equal((await site.storage.status({ check: true })).health, 'healthy')
        assert.deepEqual((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report?.findings, [])

        await line.cut()
        await site.reopen()
        assert.ok(equalPublic(await get(site.storage, '/a/during'), pattern(9_000_000, 5)))
        assert.ok(
          equalPublic(await get(site.storage, '/a/large', { first: 12_345_678, last: 12_345_999 }), large.subarray(12_345_678, 12_346_000)),
        )
      } finally {
        await site.end()
        await line.cut()
      }
    })
  }

  test('a store that breaks its word is caught before it is in the vault', async () => {
    const site = await makeSite()
    try {
      const spec = await specOf(site, liar)
      await assert.rejects(
        site.storage.addLocation({ spec, label: 'liar' }),
        (error) => isFailure(error, 'location.lies') && error.culprits.includes('liar') && /overwrote/.test(error.message),
      )
      assert.equal((await site.storage.status({ check: true })).locations.length, 3)
    } finally {
      await site.end()
    }
  })

  test('wrong keys are refused with the name of the store and without the keys', async () => {
    const site = await makeSite({ vault: false })
    try {
      const spec = await specOf(site, { ...ceph, kind: 'ceph' })
      await writeFile(join(site.root, 'ceph.ini'), '[default]\naws_access_key_id = RGWMAIN\naws_secret_access_key = notthesecret\n', {
        mode: 0o600,
      })
      const folders = site.folders.slice(0, 2).map((folder) => ({ spec: `folder:${folder}` }))
      await assert.rejects(
        site.storage.createVault({ name: 'x', threshold: 2, locations: [...folders, { spec, label: 'cloud' }] }),
        (error) =>
          isFailure(error, 'location.denied') &&
          error.culprits.includes('cloud') &&
          !`${error.message} ${error.next}`.includes('notthesecret'),
      )
      assert.equal((await site.storage.site()).vault, null)
    } finally {
      await site.end()
    }
  })
})
