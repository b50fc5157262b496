// The WebDAV driver keeps the contract on real servers, also where they say no, stop, or are killed; what a server cannot do is found out.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { startServer } from '../../../scripts/servers.ts'
import { openLocation, parseLocation } from '../../../src/storage/locations/from-config.ts'
import { locationConformance } from './conformance.ts'
import { freeze, processesBelow, thaw, signalled } from './processes.ts'
import { endpointOf } from './s3-servers.ts'
import { listAll, pattern, readAll, refuses, scratch, writeAll } from './support.ts'
import { WEBDAV_USER, basic, webdavFolder, webdavLocationOn } from './webdav-servers.ts'

const apache = endpointOf('apache')
const rclone = endpointOf('rclone')

if (apache !== undefined) {
  locationConformance(
    'WebDAV of Apache',
    async () => {
      const location = await webdavLocationOn(apache)
      return { location, close: () => location.close() }
    },
    { modelRuns: 10 },
  )
}
if (rclone !== undefined) {
  locationConformance(
    'WebDAV of rclone, the liar',
    async () => {
      const location = await webdavLocationOn(rclone)
      return { location, close: () => location.close() }
    },
    // It makes a folder twice, so that nothing there can be a lock between two writers.
    { modelRuns: 5, deviations: { honestCreate: false }, nothingToSweep: true },
  )
}

for (const [name, endpoint] of [
  ['Apache', apache],
  ['rclone', rclone],
] as const) {
  if (endpoint === undefined) continue
  describe(`WebDAV of ${name}`, () => {
    it('refuses wrong passwords, and nobody repeats them; the right one is read from its file when it was exchanged', async () => {
      await using folder = await scratch()
      const path = await webdavFolder(endpoint)
      const file = join(folder.path, 'dav.toml')
      await writeFile(file, 'user = "quorate"\npassword = "TOPSECRET"\n')
      const location = await openLocation(parseLocation(`webdav:${endpoint}/${path}?credentials=${file}`), { label: 'far' })
      for (const call of [
        () => location.head('a'),
        () => location.open('a'),
        () => location.putIfAbsent('a', pattern(10)),
        () => writeAll(location, 'a/b', pattern(5_000_000)),
        () => location.list({ prefix: '' }),
        () => location.discard('a'),
        () => location.probe(),
        () => location.sweepPartial({ olderThanMs: 0 }),
      ]) {
        const failure = await refuses(call, 'location.denied', 'far')
        assert.ok(!inspect(failure, { depth: 20, showHidden: true }).includes('TOPSECRET'))
      }
      await writeFile(file, `user = "${WEBDAV_USER.user}"\npassword = "${WEBDAV_USER.password}"\n`)
      assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
      await location.close()
    })

    it('tells a missing folder from a missing file, and never makes it', async () => {
      const location = await webdavLocationOn(endpoint, { path: 'vault/absent' })
      for (const call of [
        () => location.head('a'),
        () => location.open('a'),
        () => location.putIfAbsent('a/b', pattern(10)),
        () => writeAll(location, 'a/b', pattern(5_000_000)),
        () => location.list({ prefix: '' }),
        () => location.discard('a'),
      ])
        await refuses(call, 'location.unreachable', 'far')
      await location.close()
    })

    it('never deletes a folder with what is in it', async () => {
      const location = await webdavLocationOn(endpoint)
      await location.putIfAbsent('aa/x', pattern(10))
      await refuses(location.discard('aa'), 'location.not-ours', 'far')
      await refuses(location.head('aa'), 'location.not-ours', 'far')
      await refuses(location.open('aa'), 'location.not-ours', 'far')
      assert.deepEqual(await listAll(location, ''), ['aa/x'])
      await location.close()
    })

    it('lists a large folder in pages, and answers many at once', async () => {
      const location = await webdavLocationOn(endpoint)
      const names = Array.from({ length: 60 }, (_, index) => `m/${String(index).padStart(3, '0')}`)
      await Promise.all(names.map((each, index) => writeAll(location, each, pattern(500, index + 1))))
      assert.deepEqual(await listAll(location, '', 7), names)
      const read = await Promise.all(names.map((each) => readAll(location, each)))
      for (const [index, bytes] of read.entries()) assert.deepEqual(bytes, pattern(500, index + 1))
      await location.close()
    })

    it('loses the right in mid-upload: nothing stands under the name', async () => {
      let credentials = basic(WEBDAV_USER.user, WEBDAV_USER.password)
      const location = await webdavLocationOn(endpoint, { credentials: async () => credentials })
      const sink = await location.create('a/b')
      await sink.write(pattern(3_000_000))
      credentials = basic(WEBDAV_USER.user, 'revoked')
      await sink.write(pattern(3_000_000))
      await refuses(sink.finish(), 'location.denied', 'far')
      credentials = basic(WEBDAV_USER.user, WEBDAV_USER.password)
      assert.deepEqual(await listAll(location, ''), [])
      // Its part could not be removed either; the sweep does.
      assert.equal(await location.sweepPartial({ olderThanMs: -3_600_000 }), 1)
      await location.close()
    })
  })
}

describe('a WebDAV server', () => {
  for (const [kind, endpoint] of [
    ['apache', apache],
    ['rclone', rclone],
  ] as const) {
    if (endpoint === undefined) continue
    it(`of ${kind} that is stopped stalls, and serves on; that is killed in mid-upload cannot be reached`, async () => {
      const own = await startServer(kind)
      assert.ok(own !== undefined)
      try {
        const location = await webdavLocationOn(own.endpoint, { stallMs: 1500, backoffMs: 1 })
        assert.equal(await location.putIfAbsent('a', pattern(10)), 'created')
        const server = processesBelow(own.groupId)
        await freeze(server)
        await refuses(location.head('a'), 'location.stalled', 'far')
        thaw(server)
        assert.deepEqual(await location.head('a'), { sizeBytes: 10 })
        const sink = await location.create('b')
        await sink.write(pattern(4_000_000))
        for (const pid of processesBelow(own.groupId)) signalled(pid, 'SIGKILL')
        await refuses(
          async () => {
            for (let piece = 0; piece < 20; piece += 1) await sink.write(pattern(1_000_000))
            await sink.finish()
          },
          'location.unreachable',
          'far',
        )
        await sink.abort()
        await refuses(location.head('a'), 'location.unreachable', 'far')
        await location.close()
      } finally {
        await own.stop()
      }
    })
  }
})
