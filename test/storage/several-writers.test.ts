// Two sites write one vault over the same places: each sees what the other does, and nothing of either is lost.
import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import type { Location } from '#storage'
import { openSiteStorage, type SiteStorage, type SiteStorageOptions } from '#storage'
import { type Fault, type FaultyCall, wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { type FaultySite, IMPATIENT, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put, quiet } from './site.ts'
import { turnClock } from './turn-clock.ts'

const FAST = { flushMs: 10, followMs: 1_000_000, followFoldersMs: 1_000_000 } as const

interface Second {
  storage: SiteStorage
  readonly home: string
  /** What goes wrong between this site and the places. */
  plan: (label: string, call: FaultyCall) => Fault | undefined
  reopen(): Promise<void>
  end(): Promise<void>
}

/** Another home over the places of a site, with a line of its own to them. */
async function second(site: FaultySite, name: string, options: Partial<SiteStorageOptions> = {}): Promise<Second> {
  const home = join(site.root, name)
  await mkdir(home, { mode: 0o700 })
  const wrapLocation = (location: Location): Location =>
    wrapFaulty(site.at[location.label]!.memory, (call) => made.plan(location.label, call))
  const open = (): Promise<SiteStorage> =>
    openSiteStorage({
      home,
      variables: {},
      log: quiet,
      productVersion: 'test',
      syncWrites: false,
      ...IMPATIENT,
      clock: turnClock(),
      logLimits: FAST,
      ...options,
      wrapLocation,
    })
  const made: Second = {
    home,
    plan: () => undefined,
    storage: undefined as unknown as SiteStorage,
    reopen: async () => {
      await made.storage.close()
      made.storage = await open()
    },
    end: () => made.storage.close(),
  }
  made.storage = await open()
  return made
}

function locations(site: FaultySite): { spec: string; label: string }[] {
  return site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abcdefgh'[index]! }))
}

/** A second site that has joined. */
async function joined(site: FaultySite, name = 'north', options: Partial<SiteStorageOptions> = {}): Promise<Second> {
  const other = await second(site, name, options)
  const { line } = await other.storage.writerKey({})
  await site.storage.addWriter({ line, name })
  const task = await finished(other.storage, other.storage.join({ locations: locations(site) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return other
}

/** Everything that a site did is in the vault. */
async function settled(storage: SiteStorage): Promise<void> {
  for (let tried = 0; tried < 2000; tried++) {
    const { recoveryPoint } = await storage.status({ check: false })
    if (recoveryPoint.pendingChanges === 0) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(JSON.stringify((await storage.status({ check: false })).messages))
}

async function names(storage: SiteStorage): Promise<string[]> {
  return (await storage.list({ path: '/', recursive: true })).entries.map(({ path }) => path)
}

/** Both hear of each other until nothing changes. */
async function together(...sites: readonly SiteStorage[]): Promise<void> {
  for (let round = 0; round < 3; round++)
    for (const site of sites) {
      await site.status({ check: true })
      await settled(site)
    }
}

suite('two sites', () => {
  test('a joined site reads what is there, and both see what the other stores, moves and removes', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/a/one', pattern(300_000, 1))
      const north = await joined(site)
      try {
        assert.ok(equalPublic(await get(north.storage, '/a/one'), pattern(300_000, 1)))
        await put(north.storage, '/a/two', pattern(5000, 2))
        await settled(north.storage)
        await together(site.storage)
        assert.ok(equalPublic(await get(site.storage, '/a/two'), pattern(5000, 2)))
        await site.storage.move({ from: '/a', to: '/b', replace: false })
        await put(site.storage, '/b/one', pattern(10, 3))
        await settled(site.storage)
        await together(north.storage, site.storage)
        assert.deepEqual(await names(north.storage), ['/b', '/b/one', '/b/two'])
        assert.ok(equalPublic(await get(north.storage, '/b/one'), pattern(10, 3)))
        assert.equal((await north.storage.versions({ path: '/b/one' })).versions.length, 2)
        await north.storage.remove({ path: '/b/two', recursive: false })
        await settled(north.storage)
        await together(site.storage)
        assert.deepEqual(await names(site.storage), ['/b', '/b/one'])
        for (const storage of [site.storage, north.storage]) {
          const scrubbed = await finished(storage, storage.scrub({ depth: 'tags' }))
          assert.deepEqual(scrubbed.report!.findings, [])
          const { health, head, messages } = await storage.status({ check: true })
          assert.equal(health, 'healthy', JSON.stringify(messages))
          assert.equal(head?.confirmed, true)
          assert.equal(head?.mayBeStale, false)
          assert.equal(head?.writers, 2)
        }
        const [dealer, writer] = (await north.storage.writers()).writers
        assert.equal(dealer?.role, 'dealer')
        assert.deepEqual([writer?.name, writer?.own, writer?.state], ['north', true, 'active'])
      } finally {
        await north.end()
      }
    }))

  test('both work without hearing of each other: everything of both is there afterwards, conflicts as copies', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/shared.txt', pattern(100, 1))
      await put(site.storage, '/folder/x', pattern(101, 2))
      const north = await joined(site)
      try {
        await together(site.storage, north.storage)
        // No head of north arrives while both work; what it deals does.
        north.plan = (_, call) =>
          call.name?.startsWith('head/') === true || call.operation === 'list'
            ? { kind: 'fail', when: 'before', code: 'location.unreachable' }
            : undefined
        await put(north.storage, '/shared.txt', pattern(50, 11))
        await put(north.storage, '/new.txt', pattern(51, 12))
        await put(north.storage, '/folder/added', pattern(52, 13))
        await north.storage.remove({ path: '/folder/x', recursive: false })
        await put(site.storage, '/shared.txt', pattern(60, 21))
        await put(site.storage, '/new.txt', pattern(61, 22))
        await put(site.storage, '/folder/x', pattern(62, 23))
        await site.storage.move({ from: '/folder', to: '/moved', replace: false })
        await settled(site.storage)
        assert.ok((await north.storage.status({ check: true })).messages.some(({ code }) => code === 'storage.head'))
        assert.ok((await north.storage.status({ check: false })).recoveryPoint.pendingChanges > 0)
        north.plan = () => undefined
        await together(north.storage, site.storage, north.storage)
        const all = await names(site.storage)
        assert.deepEqual(await names(north.storage), all)
        const copy = all.find((path) => path.startsWith('/new (conflict north '))
        assert.ok(copy?.endsWith(').txt'), all.join(' '))
        assert.deepEqual(new Set(all), new Set(['/moved', '/moved/added', '/moved/x', copy, '/new.txt', '/shared.txt']))
        for (const storage of [site.storage, north.storage]) {
          assert.ok(equalPublic(await get(storage, copy!), pattern(51, 12)))
          assert.ok(equalPublic(await get(storage, '/new.txt'), pattern(61, 22)))
          assert.ok(equalPublic(await get(storage, '/moved/added'), pattern(52, 13)))
          assert.ok(equalPublic(await get(storage, '/moved/x'), pattern(62, 23)))
          assert.deepEqual(
            (await storage.versions({ path: '/shared.txt' })).versions.map(({ size }) => size),
            [50, 60, 100],
          )
        }
      } finally {
        await north.end()
      }
    }))

  test('a key that nobody certified joins nothing, and one that was removed writes no more', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      await settled(site.storage)
      const stranger = await second(site, 'stranger')
      await assert.rejects(stranger.storage.join({ locations: locations(site) }), (error) => isFailure(error, 'storage.writer'))
      await stranger.end()
      const north = await joined(site)
      try {
        await put(north.storage, '/y', pattern(101, 2))
        await settled(north.storage)
        await assert.rejects(north.storage.removeWriter({ writer: (await site.storage.writers()).writers[0]!.fingerprint }), (error) =>
          isFailure(error, 'storage.writer'),
        )
        const { writers } = await site.storage.removeWriter({ writer: 'north' })
        assert.equal(writers.find(({ name }) => name === 'north')?.state, 'removed')
        await north.storage.status({ check: true })
        await assert.rejects(put(north.storage, '/z', pattern(102, 3)), (error) => isFailure(error, 'storage.writer'))
        // What it dealt before stays readable, there and here.
        for (const storage of [site.storage, north.storage]) assert.ok(equalPublic(await get(storage, '/y'), pattern(101, 2)))
      } finally {
        await north.end()
      }
    }))

  test('a home that was put back from a backup follows, and loses nothing', () =>
    withFaultySite({ options: { logLimits: { ...FAST, segmentsMax: 3 } } }, async (site) => {
      const north = await joined(site, 'north', { logLimits: { ...FAST, segmentsMax: 3 } })
      try {
        await put(north.storage, '/before', pattern(10, 1))
        await settled(north.storage)
        await north.storage.close()
        const { cp, rename } = await import('node:fs/promises')
        await cp(north.home, `${north.home}.backup`, { recursive: true })
        await north.reopen().catch(() => undefined)
        for (let index = 0; index < 10; index++) {
          await put(north.storage, `/later/${index}`, pattern(20 + index, index))
          await settled(north.storage)
          await together(site.storage)
          await put(site.storage, `/here/${index}`, pattern(40 + index, index))
          await settled(site.storage)
        }
        await site.storage.remove({ path: '/before', recursive: false })
        await settled(site.storage)
        await north.storage.close()
        await rm(north.home, { recursive: true })
        await rename(`${north.home}.backup`, north.home)
        await north.reopen().catch(() => undefined)
        await put(north.storage, '/after', pattern(99, 9))
        await together(north.storage, site.storage, north.storage)
        const all = await names(site.storage)
        assert.deepEqual(await names(north.storage), all)
        assert.equal(all.filter((path) => /^\/(later|here)\/\d+$/.test(path)).length, 20)
        assert.ok(all.includes('/after') && !all.includes('/before'))
        for (let index = 0; index < 10; index++)
          assert.ok(equalPublic(await get(north.storage, `/later/${index}`), pattern(20 + index, index)))
      } finally {
        await north.end()
      }
    }))
})
