// A vault over Azurite, a made-up Google Cloud Storage and a folder. Each goes away in the middle and comes back; nothing is lost, and a new home finds all.
import assert from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic } from '#base'
import { ACCOUNT, KEY, makeContainer } from './locations/azure-servers.ts'
import { type BendingProxy, bendingProxy } from './locations/bending-proxy.ts'
import { type FakeGcs, GCS_BUCKET, fakeGcs } from './locations/fake-gcs.ts'
import { endpointOf } from './locations/s3-servers.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

async function locationsOf(
  site: TestSite,
  proxy: BendingProxy,
  fake: FakeGcs,
  azurite: string,
): Promise<{ spec: string; label: string }[]> {
  const [azureKey, googleKey] = [join(site.root, 'azure.txt'), join(site.root, 'google.json')]
  await writeFile(azureKey, `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY}`, { mode: 0o600 })
  await writeFile(googleKey, fake.accountFile, { mode: 0o600 })
  const { containerName } = await makeContainer(azurite)
  return [
    { spec: `folder:${site.folders[0]}`, label: 'here' },
    { spec: `azure:${proxy.endpoint}/${ACCOUNT}/${containerName}/v?credentials=${encodeURIComponent(azureKey)}`, label: 'azure' },
    { spec: `gcs:${fake.endpoint}/${GCS_BUCKET}/v?credentials=${encodeURIComponent(googleKey)}`, label: 'google' },
  ]
}

/** Repairs until all is well: calls that were begun while a location was away may still fail for a while. */
async function healed(site: TestSite): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    await site.storage.status({ check: true })
    await finished(site.storage, site.storage.repair({}))
    if ((await site.storage.status({ check: true })).health === 'healthy') return
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  assert.fail(JSON.stringify(await site.storage.status({ check: true })))
}

suite('a vault over Azure and Google', () => {
  const azurite = endpointOf('azurite')
  if (azurite === undefined) return

  for (const layout of ['shared', 'sealed'] as const) {
    test(`${layout}: each goes away and comes back, repair makes it whole, and a new home finds all`, async () => {
      await using proxy = await bendingProxy(azurite)
      await using fake = await fakeGcs()
      const site = await makeSite({ vault: false, options: { stallMs: 5000, hedgeMs: 200, checkMs: 1500 } })
      try {
        const locations = await locationsOf(site, proxy, fake, azurite)
        await site.storage.createVault({ name: 'Clouds', threshold: 2, layout, requireAll: false, locations })
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'healthy')
        assert.deepEqual(
          status.locations.map(({ kind, capabilities }) => [kind, capabilities?.honestCreate, capabilities?.findings]),
          ['folder', 'azure', 'gcs'].map((kind) => [kind, true, []]),
        )
        const large = pattern(21_000_000, 3)
        assert.equal((await put(site.storage, '/a/large', large)).acknowledged, 3)
        assert.equal((await put(site.storage, '/a/small', pattern(3000, 4))).acknowledged, 3)
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))
        assert.ok(
          equalPublic(await get(site.storage, '/a/large', { first: 20_000_000, last: 20_000_099 }), large.subarray(20_000_000, 20_000_100)),
        )

        proxy.bend = () => 'hang'
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))
        assert.deepEqual((await put(site.storage, '/a/during', pattern(6_000_000, 5))).laggards, ['azure'])
        proxy.bend = () => 'pass'
        await healed(site)
        fake.bend = () => ({ status: 503 })
        assert.deepEqual((await put(site.storage, '/a/later', pattern(9_000_000, 6))).laggards, ['google'])
        assert.ok(equalPublic(await get(site.storage, '/a/large'), large))
        fake.bend = () => 'pass'
        await healed(site)
        const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
        assert.deepEqual(scrubbed.report?.findings, [], JSON.stringify(scrubbed))
        await site.storage.close()
        for (const name of await readdir(site.home)) {
          const bytes = await readFile(join(site.home, name)).catch(() => Buffer.alloc(0))
          assert.ok(!bytes.includes(KEY) && !bytes.includes('PRIVATE KEY-----\nMII'), `${name} holds no key of a location`)
        }

        const fresh = await makeSite({ vault: false })
        try {
          await finished(fresh.storage, fresh.storage.recover({ locations }))
          assert.ok(equalPublic(await get(fresh.storage, '/a/large'), large))
          assert.ok(equalPublic(await get(fresh.storage, '/a/later'), pattern(9_000_000, 6)))
        } finally {
          await fresh.end()
        }
      } finally {
        await site.end().catch(() => undefined)
      }
    })
  }
})
