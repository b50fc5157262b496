// The life of files in a vault over folders: stored, read, ranged, moved, copied, removed; locations that go, lie and come back.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

async function withSite(request: Parameters<typeof makeSite>[0], work: (site: TestSite) => Promise<void>): Promise<void> {
  const site = await makeSite(request)
  try {
    await work(site)
  } finally {
    await site.end()
  }
}

async function fragmentFiles(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true }))
    .filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name))
    .map((name) => join(folder, name))
}

suite('files', () => {
  for (const layout of ['shared', 'sealed'] as const) {
    test(`${layout}: bytes come back, whole and in ranges, after a restart too`, () =>
      withSite({ layout }, async (site) => {
        for (const size of [0, 1, 1000, 262_144, 262_145, 1_500_000]) {
          const bytes = pattern(size, size + 1)
          const stored = await put(site.storage, `/f/${size}.bin`, bytes)
          assert.equal(stored.acknowledged, 3)
          assert.equal(stored.note, 'stored at 3 of 3 locations')
          assert.ok(equalPublic(await get(site.storage, `/f/${size}.bin`), bytes), `size ${size}`)
        }
        const bytes = pattern(1_500_000, 1_500_001)
        await site.reopen()
        for (const [first, last] of [
          [0, 0],
          [262_143, 262_144],
          [1_000_000, 1_499_999],
          [5, 900_000],
        ] as const) {
          assert.ok(equalPublic(await get(site.storage, '/f/1500000.bin', { first, last }), bytes.subarray(first, last + 1)))
        }
        const { entries } = await site.storage.list({ path: '/f', recursive: false })
        assert.equal(entries.length, 6)
        assert.ok(entries.every(({ redundancy }) => redundancy === 'redundant'))
      }))
  }

  test('versions, moves, copies and removals', () =>
    withSite({}, async (site) => {
      const { storage } = site
      await put(storage, '/a/x.txt', pattern(10, 1))
      await put(storage, '/a/x.txt', pattern(20, 2))
      const { versions } = await storage.versions({ path: '/a/x.txt' })
      assert.deepEqual(
        versions.map(({ number, size, current }) => ({ number, size, current })),
        [
          { number: 2, size: 20, current: true },
          { number: 1, size: 10, current: false },
        ],
      )
      await storage.copy({ from: '/a', to: '/b', replace: false })
      await storage.move({ from: '/a/x.txt', to: '/c/d/y.txt', replace: false })
      assert.ok(equalPublic(await get(storage, '/c/d/y.txt'), pattern(20, 2)))
      await assert.rejects(storage.stat({ path: '/a/x.txt' }), (error) => isFailure(error, 'storage.absent'))
      await assert.rejects(storage.move({ from: '/c', to: '/c/d/e', replace: false }), (error) => isFailure(error, 'storage.path'))
      await storage.move({ from: '/c', to: '/𝒳', replace: false })
      assert.ok(equalPublic(await get(storage, '/𝒳/d/y.txt'), pattern(20, 2)))
      await assert.rejects(storage.remove({ path: '/𝒳', recursive: false }), (error) => isFailure(error, 'storage.exists'))
      assert.equal(await storage.remove({ path: '/𝒳', recursive: true }), 1)
      assert.ok(equalPublic(await get(storage, '/b/x.txt'), pattern(20, 2)))
      assert.equal(await storage.remove({ path: '/b/x.txt', recursive: false }), 1)
      await site.reopen()
      // What is removed is gone at the locations, and was looked for there.
      const { deletions } = await site.storage.deletions({})
      assert.deepEqual(
        deletions.map(({ path, what, stillNamed, closed, awaited }) => ({ path, what, stillNamed, closed: closed !== null, awaited })),
        [
          { path: '/b/x.txt', what: 'file', stillNamed: 0, closed: true, awaited: [] },
          { path: '/𝒳', what: 'folder', stillNamed: 1, closed: true, awaited: [] },
        ],
      )
    }))

  test('paths that mean nothing, or two things, are refused', () =>
    withSite({}, async ({ storage }) => {
      for (const path of ['x', '/a//b', '/../x', '/a/./b', '/a\0b', `/${'x'.repeat(2000)}`, '/\ud800']) {
        await assert.rejects(storage.openToWrite({ path, ifAbsent: false }), (error) => isFailure(error, 'storage.path'), path)
      }
      await put(storage, '/Ä/ünï 🧬\n.txt'.normalize('NFD'), pattern(5))
      assert.equal((await storage.stat({ path: '/Ä/ünï 🧬\n.txt' })).size, 5)
      await assert.rejects(put(storage, '/Ä', pattern(1)), (error) => isFailure(error, 'storage.exists'))
      await assert.rejects(put(storage, '/Ä/ünï 🧬\n.txt/below', pattern(1)), (error) => isFailure(error, 'storage.exists'))
    }))

  test('an upload of another length, or one that breaks off, leaves nothing', () =>
    withSite({}, async ({ storage, folders }) => {
      const before = (await fragmentFiles(folders[0]!)).length
      const short = await storage.openToWrite({ path: '/s', sizeBytes: 11, ifAbsent: false })
      await assert.rejects(
        short.store(
          (async function* () {
            yield pattern(10)
          })(),
        ),
        (error) => isFailure(error, 'storage.size-differs'),
      )
      const broken = await storage.openToWrite({ path: '/t', ifAbsent: false })
      await assert.rejects(
        broken.store(
          (async function* () {
            yield pattern(700_000)
            throw new Error('the line broke')
          })(),
        ),
      )
      const cancel = new AbortController()
      const slow = await storage.openToWrite({ path: '/u', ifAbsent: false })
      await assert.rejects(
        slow.store(
          (async function* () {
            yield pattern(700_000)
            cancel.abort()
            yield pattern(700_000)
          })(),
          cancel.signal,
        ),
        (error) => isFailure(error, 'base.cancelled'),
      )
      assert.deepEqual((await storage.list({ path: '/', recursive: true })).entries, [])
      for (const folder of folders)
        assert.equal((await readdir(folder, { recursive: true })).filter((name) => name.includes('.part-')).length, 0)
      assert.equal((await fragmentFiles(folders[0]!)).length, before)
    }))
})

suite('locations', () => {
  test('one gone: files open, the status names it; an empty place is filled by repair', () =>
    withSite({}, async (site) => {
      const bytes = pattern(600_000)
      await put(site.storage, '/x', bytes)
      await rename(site.folders[1]!, `${site.folders[1]}-gone`)
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      const status = await site.storage.status({ check: true })
      assert.equal(status.health, 'degraded')
      const lost = status.locations.find(({ label }) => label === 'b')!
      assert.equal(lost.state, 'unreachable')
      assert.ok(lost.fragments.lost >= 1)
      assert.ok(status.repairDue >= 1)
      const during = await put(site.storage, '/y', pattern(100))
      assert.equal(during.acknowledged, 2)
      assert.deepEqual(during.laggards, ['b'])
      assert.match(during.note, /no redundancy yet/)
      await mkdir(site.folders[1]!)
      assert.equal((await site.storage.status({ check: true })).locations[1]!.state, 'empty')
      const repaired = await finished(site.storage, site.storage.repair({}))
      assert.equal(repaired.state, 'done', JSON.stringify(repaired.problem))
      assert.deepEqual(repaired.report!.findings, [])
      assert.equal((await site.storage.status({ check: true })).health, 'healthy')
      const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      assert.deepEqual(scrubbed.report!.findings, [])
      // The repaired fragments are as good as the first ones.
      await rename(site.folders[0]!, `${site.folders[0]}-gone`)
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      assert.ok(equalPublic(await get(site.storage, '/y'), pattern(100)))
    }))

  test('bytes damaged at random are healed, and the right location is blamed', () =>
    withSite({}, async (site) => {
      const bytes = pattern(900_000, 5)
      await put(site.storage, '/x', bytes)
      const sizes = await Promise.all((await fragmentFiles(site.folders[2]!)).map(async (file) => ({ file, bytes: await readFile(file) })))
      const { file, bytes: fragment } = sizes.toSorted((a, b) => b.bytes.length - a.bytes.length)[0]!
      for (const at of [300, 400_000, 800_000]) fragment[at]! ^= 0x40
      await writeFile(file, fragment)
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags', location: 'c' }))
      assert.deepEqual(
        scrubbed.report!.findings.map(({ location, path, kind }) => ({ location, path, kind })),
        [{ location: 'c', path: '/x', kind: 'corrupt' }],
      )
      assert.equal((await site.storage.status({ check: false })).locations[2]!.state, 'lying')
      const repaired = await finished(site.storage, site.storage.repair({ path: '/x' }))
      assert.equal(repaired.report!.repairedFragments, 1)
      assert.deepEqual((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings, [])
    }))

  test('too many gone: a clear refusal that names them, and nothing is lost', () =>
    withSite({ threshold: 3, count: 5 }, async (site) => {
      const bytes = pattern(50_000)
      await put(site.storage, '/x', bytes)
      for (const folder of site.folders.slice(0, 3)) await rename(folder, `${folder}.away`)
      await site.storage.status({ check: true })
      await assert.rejects(
        get(site.storage, '/x'),
        (error) => isFailure(error, 'format.incomplete') && ['a', 'b', 'c'].every((label) => error.culprits.includes(label)),
      )
      assert.equal((await site.storage.status({ check: true })).health, 'unreadable')
      await assert.rejects(put(site.storage, '/y', bytes), (error) => isFailure(error, 'storage.quorum'))
      for (const folder of site.folders.slice(0, 3)) await rename(`${folder}.away`, folder)
      await site.storage.status({ check: true })
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      assert.equal((await site.storage.list({ path: '/', recursive: true })).entries.length, 1)
      assert.equal((await site.storage.status({ check: true })).health, 'healthy')
    }))

  test('the vault survives the loss of the database', () =>
    withSite({}, async (site) => {
      await put(site.storage, '/a/one', pattern(300_000, 1))
      await put(site.storage, '/a/two', pattern(10, 2))
      await put(site.storage, '/a/two', pattern(11, 3))
      await site.storage.move({ from: '/a/one', to: '/b/moved', replace: false })
      await site.storage.createFolder({ path: '/empty' })
      await put(site.storage, '/gone', pattern(5))
      await site.storage.remove({ path: '/gone', recursive: false })
      await site.storage.close()
      const before = site.folders
      await rm(site.home, { recursive: true })
      await mkdir(site.home)
      await rm(before[1]!, { recursive: true })
      await site.reopen().catch(() => undefined)
      const task = await finished(site.storage, site.storage.recover({ locations: before.map((folder) => ({ spec: `folder:${folder}` })) }))
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      const { entries } = await site.storage.list({ path: '/', recursive: true })
      assert.deepEqual(
        entries.map(({ path }) => path),
        ['/a', '/a/two', '/b', '/b/moved', '/empty'],
      )
      assert.ok(equalPublic(await get(site.storage, '/b/moved'), pattern(300_000, 1)))
      assert.ok(equalPublic(await get(site.storage, '/a/two'), pattern(11, 3)))
      assert.equal((await site.storage.versions({ path: '/a/two' })).versions.length, 2)
      await put(site.storage, '/new', pattern(7))
      const repaired = await finished(site.storage, site.storage.repair({}))
      assert.equal(repaired.state, 'done', JSON.stringify(repaired.problem))
      assert.equal((await site.storage.status({ check: true })).health, 'healthy')
      assert.deepEqual((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings, [])
    }))
})
