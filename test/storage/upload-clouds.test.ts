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

suite('an upload to real object stores goes on after restarts', () => {
  const ceph = serverFor('ceph')
  const swift = serverFor('swift')
  const azurite = endpointOf('azurite')

  test('S3: behind the last part that all have', { skip: ceph === undefined || swift === undefined }, () =>
    withSite(async (site) => {
      const specs = [await specOf(site, ceph!), await specOf(site, swift!), `folder:${site.folders[2]}`]
      // Whole parts of 5 MiB had arrived.
      await goesOn(site, specs, { first: [14, 15], second: [24, 25] })
    }),
  )

  test('Azure: behind the last block that all have', { skip: azurite === undefined }, () =>
    withSite(async (site) => {
      const file = join(site.root, 'azure.txt')
      await writeFile(file, `AccountName=${ACCOUNT};AccountKey=${KEY}`, { mode: 0o600 })
      const specs = [`folder:${site.folders[0]}`]
      for (let count = 0; count < 2; count += 1) {
        const { containerName } = await makeContainer(azurite!)
        specs.push(`azure:${azurite}/${ACCOUNT}/${containerName}/vault?credentials=${encodeURIComponent(file)}`)
      }
      // Whole blocks of 4 MiB had arrived.
      await goesOn(site, specs, { first: [15, 16], second: [22, 27] })
    }),
  )

  test('Google, made up: behind the last segment that all have; given up, it leaves nothing', async () => {
    await using fake = await fakeGcs()
    await withSite(async (site) => {
      const file = join(site.root, 'google.json')
      await writeFile(file, fake.accountFile, { mode: 0o600 })
      const specs = [`folder:${site.folders[0]}`, `folder:${site.folders[1]}`]
      specs.push(`gcs:${fake.endpoint}/${GCS_BUCKET}/vault?partMiB=1&credentials=${encodeURIComponent(file)}`)
      await goesOn(site, specs, { first: [15, 17], second: [25, 27] })
      const kept = fake.objects.size
      const { id } = await begun(site.storage, BYTES, { afterBytes: 9 * MIB, path: '/other' })
      await site.reopen()
      assert.ok(fake.objects.size > kept)
      await site.storage.cancelUpload(id)
      assert.equal([...fake.objects.keys()].filter((key) => key.includes('.part/')).length, 0)
    })
  })
})

const BYTES = pattern(33 * MIB + 77)

async function withSite(work: (site: TestSite) => Promise<void>): Promise<void> {
  const site = await makeSite({ vault: false, options: { stallMs: 20_000 } })
  try {
    await work(site)
  } finally {
    await site.end()
  }
}

/** Begun, and gone on with after each of two restarts: behind the first, and up to the second number of MiB. */
async function goesOn(
  site: TestSite,
  specs: readonly string[],
  expected: { readonly first: readonly [number, number]; readonly second: readonly [number, number] },
): Promise<void> {
  const within = (offset: number, [least, most]: readonly [number, number]): void =>
    assert.ok(offset > least * MIB && offset <= most * MIB, `goes on at ${offset}`)
  const locations = specs.map((spec, index) => ({ spec, label: 'abc'[index]! }))
  await site.storage.createVault({ threshold: 2, requireAll: true, locations })
  const { id } = await begun(site.storage, BYTES, { afterBytes: 17 * MIB })
  await site.reopen()
  within(await goOnUntil(site, id, BYTES, 27 * MIB), expected.first)
  await site.reopen()
  const { from, stored } = await goOn(site.storage, id, BYTES)
  within(from, expected.second)
  assert.deepEqual([stored.acknowledged, stored.laggards], [3, []])
  assert.ok(Buffer.from(BYTES).equals(await get(site.storage, '/scan.dcm')))
  const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
  assert.deepEqual(task.report?.findings, [])
}

/** Takes the upload up, brings it to byte `end`, and leaves it; answers where it went on. */
async function goOnUntil(site: TestSite, id: string, bytes: Uint8Array, end: number): Promise<number> {
  const { offset, turn } = await takeUp(site.storage, id, bytes)
  async function* some(): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < end; at += 100_000) yield bytes.subarray(at, Math.min(end, at + 100_000))
  }
  await site.storage.sendUpload(id, { turn, offset }, some())
  return offset
}
