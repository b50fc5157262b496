// A home is lost with unfinished uploads in it: the home that is recovered goes on with them, and with nobody else's.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { type Clock, isFailure } from '#base'
import type { SiteStorage } from '#storage'
import { fragmentsAt, type FaultySite, withFaultySite } from './faulty-site.ts'
import { noPython, recoverPy } from './recover-py.ts'
import { FAST, joined, locations, second, settled, together } from './several-sites.ts'
import { finished, get, makeSite, pattern, put } from './site.ts'
import { turnClock } from './turn-clock.ts'
import { begun, CHUNK, goOn } from './uploading.ts'

const bytes = pattern(10 * CHUNK + 12_345)
const DAY_MS = 86_400_000

/** A clock that a test moves on. */
function movingClock(): Clock & { ahead: number } {
  const turns = turnClock()
  const clock = { ahead: 0, now: () => turns.now() + clock.ahead, sleep: (ms: number, signal?: AbortSignal) => turns.sleep(ms, signal) }
  return clock
}

async function recovered(site: FaultySite): Promise<void> {
  await site.storage.close()
  await rm(site.home, { recursive: true })
  await mkdir(site.home, { mode: 0o700 })
  await site.reopen()
  const task = await finished(site.storage, site.storage.recover({ locations: locations(site) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  assert.deepEqual(task.report?.findings, [])
}

async function whole(storage: SiteStorage, path: string, content: Uint8Array): Promise<void> {
  assert.ok(Buffer.from(content).equals(await get(storage, path)))
  assert.equal((await storage.versions({ path })).versions.length, 1)
  const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
  assert.deepEqual(scrub.report?.findings, [])
}

suite('a home that was lost with an unfinished upload', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: killed in the middle, recovered elsewhere, gone on with`, async () => {
      const size = 20 * 2 ** 20 + 777
      const site = await makeSite({ layout, options: { syncWrites: true } })
      try {
        await site.storage.close()
        const child = spawn(process.execPath, [join(import.meta.dirname, 'upload-lost-child.ts'), site.root, String(size)], {
          stdio: ['ignore', 'inherit', 'inherit'],
        })
        assert.equal(await new Promise((resolve) => child.on('close', (_, signal) => resolve(signal))), 'SIGKILL')
        await rm(site.home, { recursive: true })
        await mkdir(site.home, { mode: 0o700 })
        const storage = await site.reopen()
        const task = await finished(
          storage,
          storage.recover({ locations: site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! })) }),
        )
        assert.deepEqual([task.state, task.report?.findings], ['done', []])
        const [upload] = await storage.uploads()
        assert.deepEqual(
          [upload?.path, upload?.size, upload?.state, upload?.restarts, upload?.offset],
          ['/genome.bam', size, 'waiting', 0, null],
        )
        const { from, stored } = await goOn(storage, upload!.id, pattern(size, 7))
        assert.ok(from > 0 && from <= 0.4 * size, `goes on at ${from}`)
        assert.equal(stored.acknowledged, 3)
        await whole(storage, '/genome.bam', pattern(size, 7))
      } finally {
        await site.end()
      }
    })

  test('what was known is known again after a snapshot, and after the next loss', () =>
    withFaultySite({ options: { logLimits: { ...FAST, segmentsMax: 1 } } }, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK, path: '/a', modified: '2026-01-02T03:04:05.000Z' })
      for (const path of ['/x', '/y']) {
        await site.storage.createFolder({ path })
        await settled(site.storage)
      }
      await recovered(site)
      await settled(site.storage)
      await recovered(site)
      const [upload] = await site.storage.uploads()
      assert.equal(upload?.id, id)
      const { from, stored } = await goOn(site.storage, id, bytes)
      assert.ok(from > 0)
      assert.equal(stored.entry.modified, '2026-01-02T03:04:05.000Z')
      await settled(site.storage)
      await recovered(site)
      assert.deepEqual(await site.storage.uploads(), [])
      await whole(site.storage, '/a', bytes)
    }))

  test('an upload that was acknowledged is a file, though the vault was not told of its end', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      await settled(site.storage)
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) =>
          call.name?.startsWith('head/') === true ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined
      await goOn(site.storage, id, bytes)
      await site.storage.close()
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      await recovered(site)
      assert.deepEqual(await site.storage.uploads(), [])
      await whole(site.storage, '/scan.dcm', bytes)
    }))

  test('one that was given up, or is small, is told no more; one that nobody goes on with ends after its time', () => {
    const clock = movingClock()
    return withFaultySite({ options: { logLimits: FAST, clock } }, async (site) => {
      const cancelled = await begun(site.storage, bytes, { afterBytes: 2 * CHUNK, path: '/cancelled' })
      await begun(site.storage, pattern(3 * CHUNK), { afterBytes: 2 * CHUNK, path: '/small' })
      await begun(site.storage, bytes, { afterBytes: 2 * CHUNK, path: '/kept' })
      await settled(site.storage)
      await site.storage.cancelUpload(cancelled.id)
      await settled(site.storage)
      clock.ahead += 6 * DAY_MS
      await recovered(site)
      assert.deepEqual(
        (await site.storage.uploads()).map(({ path }) => path),
        ['/kept'],
      )
      clock.ahead += 6 * DAY_MS
      await site.storage.sweepUploads()
      assert.equal((await site.storage.uploads()).length, 1, 'a recovery is a sign of life')
      clock.ahead += 1.1 * DAY_MS
      await site.storage.sweepUploads()
      assert.deepEqual(await site.storage.uploads(), [])
      await settled(site.storage)
      await recovered(site)
      assert.deepEqual(await site.storage.uploads(), [])
    })
  })

  test('progress writes nothing to the catalogue', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const { id, turn } = await begun(site.storage, bytes, { afterBytes: CHUNK })
      await settled(site.storage)
      const before = (await site.storage.status({ check: false })).recoveryPoint
      const named = Object.values(site.at).map((control) => fragmentsAt(control).length)
      for (let chunk = 1; chunk < 9; chunk += 1) {
        async function* one(): AsyncGenerator<Uint8Array> {
          yield bytes.subarray(chunk * CHUNK, (chunk + 1) * CHUNK)
        }
        await site.storage.sendUpload(id, { turn, offset: chunk * CHUNK }, one())
        await settled(site.storage)
      }
      assert.deepEqual((await site.storage.status({ check: false })).recoveryPoint, before)
      assert.deepEqual(
        Object.values(site.at).map((control) => fragmentsAt(control).length),
        named,
      )
    }))

  test('another site of the vault leaves it alone, and keeps it known', () =>
    withFaultySite({ options: { logLimits: { ...FAST, segmentsMax: 2 } } }, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      const north = await joined(site, 'north', { logLimits: { ...FAST, segmentsMax: 2 } })
      try {
        await together(site.storage, north.storage)
        // Enough for snapshots of north.
        for (const path of ['/1', '/2', '/3', '/4']) {
          await north.storage.createFolder({ path })
          await together(north.storage, site.storage)
        }
        assert.deepEqual(await north.storage.uploads(), [])
        await north.storage.sweepUploads()
        await assert.rejects(north.storage.upload(id), (error) => isFailure(error, 'storage.upload-absent'))
        const [parked] = await site.storage.uploads()
        assert.equal(parked?.id, id)
      } finally {
        await north.end()
      }
      // A new home with new keys takes the vault over, and all that was unfinished.
      await site.storage.close()
      const third = await second(site, 'third')
      try {
        const task = await finished(third.storage, third.storage.recover({ locations: locations(site) }))
        assert.equal(task.state, 'done', JSON.stringify(task.problem))
        const { from } = await goOn(third.storage, id, bytes)
        assert.ok(from > 0)
        await whole(third.storage, '/scan.dcm', bytes)
      } finally {
        await third.end()
      }
    }))

  test('recover.py passes over what is unfinished', { skip: noPython() ?? false }, async () => {
    const site = await makeSite({ options: { logLimits: FAST } })
    try {
      await put(site.storage, '/there', pattern(10))
      await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      await settled(site.storage)
      await site.storage.close()
      const { status, report } = await recoverPy(site.root, site.folders)
      assert.equal(status, 0)
      assert.deepEqual(
        report.files.map(({ path, state }) => [path, state]),
        [['/there', 'restored']],
      )
      assert.ok(
        report.notes.every((note) => !note.includes('does not know')),
        report.notes.join(),
      )
    } finally {
      await site.end()
    }
  })
})
