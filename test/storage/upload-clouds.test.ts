// An upload to real object stores that goes on after a restart of its site: what stands there is joined, read back, copied by the store, and gone on with.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ACCOUNT, KEY, makeContainer } from './locations/azure-servers.ts'
import { fakeGcs, GCS_BUCKET } from './locations/fake-gcs.ts'
import { endpointOf, KEYS, makeBucket, serverFor, type TestServer } from './locations/s3-servers.ts'
import { finished, get, makeSite, pattern, type TestSite } from './site.ts'
import { begun, goOn, takeUp } from './uploading.ts'

const MIB = 2 ** 20

async function specOf(site: TestSite, server: TestServer): Promise<string> {
  const bucket = await makeBucket(server)
  const file = join(site.root, `${server.kind}.ini`)
  const { id, secret } = KEYS[server.kind]
  await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 })
  return `s3:${server.endpoint}/${bucket}/vault?credentials=${encodeURIComponent(file)}`
}

suite('an upload to real object stores', () => {
  const ceph = serverFor('ceph')
  const swift = serverFor('swift')
  if (ceph === undefined || swift === undefined) return

  test('goes on after restarts behind the last part that all have', async () => {
    const site = await makeSite({ vault: false, options: { stallMs: 20_000 } })
    try {
      const specs = [await specOf(site, ceph), await specOf(site, swift), `folder:${site.folders[2]}`]
      await site.storage.createVault({ threshold: 2, locations: specs.map((spec, index) => ({ spec, label: 'abc'[index]! })) })
      const bytes = pattern(33 * MIB + 77)
      const { id } = await begun(site.storage, bytes, { afterBytes: 17 * MIB })
      await site.reopen()
      // Whole parts of 5 MiB had arrived.
      const first = await goOnUntil(site, id, bytes, 27 * MIB)
      assert.ok(first > 14 * MIB && first <= 15 * MIB, `goes on at ${first}`)
      await site.reopen()
      const { from, stored } = await goOn(site.storage, id, bytes)
      assert.ok(from > 24 * MIB && from <= 25 * MIB, `goes on at ${from}`)
      assert.equal(stored.acknowledged, 3)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
      const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      assert.deepEqual(task.report?.findings, [])
    } finally {
      await site.end()
    }
  })
})

suite('an upload to containers of Azure', () => {
  const azurite = endpointOf('azurite')
  if (azurite === undefined) return

  test('goes on after restarts behind the last block that all have', async () => {
    const site = await makeSite({ vault: false, options: { stallMs: 20_000 } })
    try {
      const file = join(site.root, 'azure.txt')
      await writeFile(file, `AccountName=${ACCOUNT};AccountKey=${KEY}`, { mode: 0o600 })
      const specs = [`folder:${site.folders[0]}`]
      for (let count = 0; count < 2; count += 1) {
        const { containerName } = await makeContainer(azurite)
        specs.push(`azure:${azurite}/${ACCOUNT}/${containerName}/vault?credentials=${encodeURIComponent(file)}`)
      }
      await site.storage.createVault({ threshold: 2, locations: specs.map((spec, index) => ({ spec, label: 'abc'[index]! })) })
      const bytes = pattern(33 * MIB + 77)
      const { id } = await begun(site.storage, bytes, { afterBytes: 17 * MIB })
      await site.reopen()
      // Whole blocks of 4 MiB had arrived.
      const first = await goOnUntil(site, id, bytes, 27 * MIB)
      assert.ok(first > 15 * MIB && first <= 16 * MIB, `goes on at ${first}`)
      await site.reopen()
      const { from, stored } = await goOn(site.storage, id, bytes)
      assert.ok(from > 22 * MIB && from <= 27 * MIB, `goes on at ${from}`)
      assert.equal(stored.acknowledged, 3)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
      const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      assert.deepEqual(task.report?.findings, [])
    } finally {
      await site.end()
    }
  })
})

suite('an upload to a bucket of Google, made up', () => {
  test('goes on after restarts behind the last segment that all have', async () => {
    await using fake = await fakeGcs()
    const site = await makeSite({ vault: false, options: { stallMs: 20_000 } })
    try {
      const file = join(site.root, 'google.json')
      await writeFile(file, fake.accountFile, { mode: 0o600 })
      const specs = [`folder:${site.folders[0]}`, `folder:${site.folders[1]}`]
      specs.push(`gcs:${fake.endpoint}/${GCS_BUCKET}/vault?partMiB=1&credentials=${encodeURIComponent(file)}`)
      await site.storage.createVault({
        threshold: 2,
        requireAll: true,
        locations: specs.map((spec, index) => ({ spec, label: 'abc'[index]! })),
      })
      const bytes = pattern(33 * MIB + 77)
      const { id } = await begun(site.storage, bytes, { afterBytes: 17 * MIB })
      await site.reopen()
      const first = await goOnUntil(site, id, bytes, 27 * MIB)
      assert.ok(first > 15 * MIB && first <= 17 * MIB, `goes on at ${first}`)
      await site.reopen()
      const { from, stored } = await goOn(site.storage, id, bytes)
      assert.ok(from > 25 * MIB && from <= 27 * MIB, `goes on at ${from}`)
      assert.deepEqual([stored.acknowledged, stored.laggards], [3, []])
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
      const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      assert.deepEqual(task.report?.findings, [])
      // Begun, and given up after a restart: nothing stays.
      const kept = fake.objects.size
      const second = await begun(site.storage, bytes, { afterBytes: 9 * MIB, path: '/other' })
      await site.reopen()
      assert.ok(fake.objects.size > kept)
      await site.storage.cancelUpload(second.id)
      assert.equal([...fake.objects.keys()].filter((key) => key.includes('.part/')).length, 0)
    } finally {
      await site.end()
    }
  })
})

/** Takes the upload up, brings it to byte `end`, and leaves it; answers where it went on. */
async function goOnUntil(site: TestSite, id: string, bytes: Uint8Array, end: number): Promise<number> {
  const { offset, turn } = await takeUp(site.storage, id, bytes)
  async function* some(): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < end; at += 100_000) yield bytes.subarray(at, Math.min(end, at + 100_000))
  }
  await site.storage.sendUpload(id, { turn, offset }, some())
  return offset
}
