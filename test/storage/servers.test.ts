// A vault over an SFTP server, a WebDAV server and a folder, all real. One server freezes, one is killed in the middle, and nothing is lost.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic } from '#base'
import { type RunningServer, startServer } from '../../scripts/servers.ts'
import { formatLocation } from '../../src/storage/locations/config.ts'
import { freeze, processesBelow, thaw, signalled } from './locations/processes.ts'
import { endpointOf } from './locations/s3-servers.ts'
import { sftpConfigOn } from './locations/sftp-servers.ts'
import { WEBDAV_USER, webdavFolder } from './locations/webdav-servers.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

async function webdavSpec(site: TestSite, endpoint: string): Promise<string> {
  const file = join(site.root, 'dav.toml')
  await writeFile(file, `user = "${WEBDAV_USER.user}"\npassword = "${WEBDAV_USER.password}"\n`, { mode: 0o600 })
  return `webdav:${endpoint}/${await webdavFolder(endpoint)}?credentials=${encodeURIComponent(file)}`
}

suite('a vault over servers of others', () => {
  if (endpointOf('sshd') === undefined || endpointOf('apache') === undefined) return

  for (const layout of ['shared', 'sealed'] as const) {
    test(`${layout}: one server freezes, the other is killed in the middle, and repair makes it whole`, async () => {
      const site = await makeSite({ vault: false, options: { stallMs: 4000, hedgeMs: 200 } })
      const servers: RunningServer[] = []
      try {
        // Of our own: they are killed.
        for (const kind of ['sshd', 'apache'] as const) servers.push((await startServer(kind))!)
        const [sshd, apache] = servers as [RunningServer, RunningServer]
        await site.storage.createVault({
          name: 'Servers',
          threshold: 2,
          layout,
          locations: [
            { spec: `folder:${site.folders[0]}`, label: 'here' },
            { spec: formatLocation(await sftpConfigOn(sshd.endpoint)), label: 'ssh' },
            { spec: await webdavSpec(site, apache.endpoint), label: 'dav' },
          ],
        })
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'healthy')
        assert.deepEqual(
          status.locations.map(({ kind, capabilities }) => [kind, capabilities?.honestCreate]),
          [
            ['folder', true],
            ['sftp', true],
            ['webdav', true],
          ],
        )
        const large = pattern(12_000_000, 3)
        assert.equal((await put(site.storage, '/a/large', large)).acknowledged, 3)
        assert.equal((await put(site.storage, '/a/small', pattern(3000, 4))).acknowledged, 3)

        const frozen = processesBelow(sshd.groupId)
        await freeze(frozen)
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))
        const during = await put(site.storage, '/a/during', pattern(6_000_000, 5))
        assert.deepEqual(during.laggards, ['ssh'])
        const wounded = await site.storage.status({ check: true })
        assert.equal(wounded.health, 'degraded')
        assert.equal(wounded.locations[1]!.state, 'unreachable')
        thaw(frozen)
        await site.storage.status({ check: true })
        const repaired = await finished(site.storage, site.storage.repair({}))
        assert.deepEqual(repaired.report?.findings, [], JSON.stringify(repaired))

        // Killed while a file goes to it.
        const killing = (async () => {
          await new Promise((resolve) => setImmediate(resolve))
          for (const pid of processesBelow(apache.groupId)) signalled(pid, 'SIGKILL')
        })()
        const killed = await put(site.storage, '/a/killed', pattern(9_000_000, 6))
        await killing
        assert.deepEqual(killed.laggards, ['dav'])
        await site.reopen()
        assert.ok(equalPublic(await get(site.storage, '/a/killed'), pattern(9_000_000, 6)))
        assert.ok(equalPublic(await get(site.storage, '/a/during'), pattern(6_000_000, 5)))
        assert.ok(
          equalPublic(await get(site.storage, '/a/large', { first: 7_345_678, last: 7_345_999 }), large.subarray(7_345_678, 7_346_000)),
        )
        assert.equal((await site.storage.status({ check: true })).locations[2]!.state, 'unreachable')
      } finally {
        await site.end()
        await Promise.all(servers.map((server) => server.stop()))
      }
    })
  }
})
