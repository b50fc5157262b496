// Uploads that go on: after a broken link, after a restart, after places were away, and never with another source.
import assert from 'node:assert/strict'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type FailureCode, isFailure } from '#base'
import type { Fault } from '../../src/storage/locations/faulty.ts'
import { fragmentsAt, isFragment, on, withFaultySite } from './faulty-site.ts'
import { noPython, recoverPy, restoredFiles } from './recover-py.ts'
import { finished, get, makeSite, pattern, pieces, type TestSite } from './site.ts'
import { awake, begun, broken, CHUNK, digest, goOn, takeUp } from './uploading.ts'

async function refuses(work: Promise<unknown>, code: FailureCode, ...culprits: string[]): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isFailure(error), String(error))
    assert.equal(error.code, code, error.message)
    if (culprits.length > 0) assert.deepEqual(error.culprits, culprits)
    return true
  })
}

async function inSite(request: Parameters<typeof makeSite>[0], work: (site: TestSite) => Promise<void>): Promise<void> {
  const site = await makeSite(request)
  try {
    await work(site)
  } finally {
    await site.end()
  }
}

const bytes = pattern(5 * CHUNK + 12_345)

describe('an upload whose link breaks', () => {
  it('goes on where it was, and is stored once', async () => {
    await inSite({}, async ({ storage }) => {
      const { id, turn } = await begun(storage, bytes, { afterBytes: 2 * CHUNK + 777, modified: '2026-01-02T03:04:05.000Z' })
      const [listed] = await storage.uploads()
      assert.equal(listed?.id, id)
      assert.equal(listed?.offset, 2 * CHUNK + 777)
      await assert.rejects(storage.sendUpload(id, { turn, offset: listed?.offset ?? 0 }, broken(bytes.subarray(2 * CHUNK + 777), 100_000)))
      const { offset } = await storage.upload(id)
      assert.equal(offset, 2 * CHUNK + 100_777)
      await storage.sendUpload(id, { turn, offset: offset ?? 0 }, pieces(bytes.subarray(offset ?? 0)))
      const stored = await storage.finishUpload(id, { turn })
      assert.equal(stored.acknowledged, 3)
      assert.equal(stored.entry.modified, '2026-01-02T03:04:05.000Z')
      assert.ok(Buffer.from(bytes).equals(await get(storage, '/scan.dcm')))
      assert.deepEqual(await storage.finishUpload(id, { turn }), stored)
      assert.equal((await storage.upload(id)).state, 'done')
      assert.equal((await storage.versions({ path: '/scan.dcm' })).versions.length, 1)
    })
  })

  it('is shown nowhere before its end, and leaves nothing when it is cancelled', async () => {
    await withFaultySite({}, async ({ storage, at }) => {
      const { id } = await begun(storage, bytes, { afterBytes: 3 * CHUNK })
      await refuses(storage.stat({ path: '/scan.dcm' }), 'storage.absent')
      await storage.cancelUpload(id)
      assert.deepEqual(await storage.uploads(), [])
      await refuses(storage.upload(id), 'storage.upload-absent')
      for (const control of Object.values(at)) {
        assert.deepEqual(fragmentsAt(control), [])
        assert.equal(await control.memory.sweepPartial({ olderThanMs: -1 }), 0)
      }
    })
  })

  it('is sent by one client at a time, in order, and by no other source', async () => {
    await inSite({}, async ({ storage }) => {
      const { id, turn } = await begun(storage, bytes, { afterBytes: CHUNK })
      await refuses(storage.sendUpload(id, { turn, offset: 5 }, pieces(bytes)), 'storage.upload-offset')
      await refuses(storage.finishUpload(id, { turn }), 'storage.upload-offset')
      const other = bytes.slice()
      other[17]! ^= 1
      await refuses(storage.takeUpload(id, { offset: CHUNK, sha256: digest(other.subarray(0, CHUNK)) }), 'storage.source-changed')
      await refuses(storage.takeUpload(id, { offset: 9, sha256: digest(bytes.subarray(0, 9)) }), 'storage.upload-offset')
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(CHUNK, CHUNK + 10)
        await held
      }
      const sending = storage.sendUpload(id, { turn, offset: CHUNK }, slow())
      while ((await storage.upload(id)).offset !== CHUNK + 10) await new Promise(setImmediate)
      await refuses(storage.takeUpload(id, { offset: CHUNK + 10, sha256: digest(bytes.subarray(0, CHUNK + 10)) }), 'storage.upload-busy')
      await refuses(storage.sendUpload(id, { turn: '0'.repeat(32), offset: CHUNK + 10 }, pieces(bytes)), 'storage.upload-busy')
      release()
      await sending
      const second = await takeUp(storage, id, bytes)
      await refuses(storage.sendUpload(id, { turn, offset: second.offset }, pieces(bytes)), 'storage.upload-busy')
      const { stored } = await goOn(storage, id, bytes)
      assert.equal(stored.entry.size, bytes.length)
    })
  })

  it('goes on with the same client although its former request still hangs', async () => {
    await inSite({}, async ({ storage }) => {
      const { id, turn } = await begun(storage, bytes, { afterBytes: CHUNK })
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(CHUNK, CHUNK + 10)
        await held
        yield pattern(1000)
      }
      const hung = storage.sendUpload(id, { turn, offset: CHUNK }, hanging())
      while ((await storage.upload(id)).offset !== CHUNK + 10) await new Promise(setImmediate)
      await storage.sendUpload(id, { turn, offset: CHUNK + 10 }, pieces(bytes.subarray(CHUNK + 10)))
      release()
      await refuses(hung, 'storage.upload-busy')
      await storage.finishUpload(id, { turn })
      assert.ok(Buffer.from(bytes).equals(await get(storage, '/scan.dcm')))
    })
  })

  it('takes no more than was announced', async () => {
    await inSite({}, async ({ storage }) => {
      const { id, turn } = await storage.beginUpload({ path: '/x', size: 1000, ifAbsent: false })
      await refuses(storage.sendUpload(id, { turn, offset: 0 }, pieces(pattern(1001))), 'storage.size-differs')
      await storage.sendUpload(id, { turn, offset: 0 }, pieces(pattern(1000)))
      await storage.finishUpload(id, { turn })
      assert.deepEqual(await get(storage, '/x'), Buffer.from(pattern(1000)))
    })
  })

  for (const size of [0, 1, 1024, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]) {
    it(`may be as short as ${size} bytes`, async () => {
      await inSite({}, async (site) => {
        const { id } = await site.storage.beginUpload({ path: '/x', size, ifAbsent: true })
        await site.reopen()
        await goOn(site.storage, id, pattern(size))
        assert.deepEqual(await get(site.storage, '/x'), Buffer.from(pattern(size)))
        await refuses(site.storage.beginUpload({ path: '/x', size, ifAbsent: true }), 'storage.exists')
      })
    })
  }

  it('is refused at its end when the name was taken meanwhile, and leaves nothing', async () => {
    await withFaultySite({}, async ({ storage, at }) => {
      const { id, turn } = await storage.beginUpload({ path: '/x', size: 10, ifAbsent: true })
      await storage.sendUpload(id, { turn, offset: 0 }, pieces(pattern(10)))
      const grant = await storage.openToWrite({ path: '/x', ifAbsent: true })
      await grant.store(pieces(pattern(20)))
      await refuses(storage.finishUpload(id, { turn }), 'storage.exists')
      assert.deepEqual(await storage.uploads(), [])
      for (const control of Object.values(at)) assert.equal(await control.memory.sweepPartial({ olderThanMs: -1 }), 0)
    })
  })
})

describe('an upload after a restart of the site', () => {
  for (const layout of ['shared', 'sealed'] as const) {
    it(`goes on behind what every location holds, in layout ${layout}`, async () => {
      await inSite({ layout }, async (site) => {
        const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK + 5 })
        for (let round = 0; round < 3; round++) {
          await site.reopen()
          const [listed] = await site.storage.uploads({ path: '/scan.dcm' })
          assert.equal(listed?.state, 'waiting')
          assert.equal(listed?.offset, null)
          const { offset, turn } = await takeUp(site.storage, id, bytes)
          // The last whole chunk is held back, since it might be the last of all.
          assert.equal(offset, [4, 4, 5][round]! * CHUNK)
          await assert.rejects(site.storage.sendUpload(id, { turn, offset }, broken(bytes.subarray(offset), CHUNK + round)))
        }
        await site.reopen()
        const { from, stored } = await goOn(site.storage, id, bytes)
        assert.equal(from, 5 * CHUNK)
        assert.equal(stored.acknowledged, 3)
        assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
        const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
        assert.deepEqual(task.report?.findings, [])
      })
    })
  }

  it('is restored by recover.py and by a new home, with its several runs', { skip: noPython() ?? false }, async () => {
    await inSite({}, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 2 * CHUNK })
      await site.reopen()
      const second = await takeUp(site.storage, id, bytes)
      assert.equal(second.offset, CHUNK)
      await assert.rejects(site.storage.sendUpload(id, second, broken(bytes.subarray(CHUNK), 3 * CHUNK)))
      await site.reopen()
      const { from } = await goOn(site.storage, id, bytes)
      assert.equal(from, 3 * CHUNK)
      // Runs begin at records 0, 1 and 3: TOTALS says so at the end of every fragment.
      for (const pair of [site.folders.slice(0, 2), site.folders.slice(1)]) {
        const { report, out } = await recoverPy(site.root, pair)
        assert.deepEqual(report.blames, [])
        assert.equal((await restoredFiles(out)).get('/scan.dcm'), digest(bytes))
      }
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await mkdir(site.home, { mode: 0o700 })
      await site.reopen()
      const task = await finished(
        site.storage,
        site.storage.recover({ locations: site.folders.map((folder) => ({ spec: `folder:${folder}` })) }),
      )
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
    })
  })

  it('refuses a source that changed, says so, and lets it be sent as a new one', async () => {
    await inSite({}, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      await site.reopen()
      const changed = bytes.slice()
      changed[CHUNK + 1]! ^= 0x40
      await refuses(takeUp(site.storage, id, changed), 'storage.source-changed')
      assert.equal((await site.storage.upload(id)).offset, 3 * CHUNK)
      await site.storage.cancelUpload(id)
      const again = await begun(site.storage, changed, { afterBytes: 100 })
      await goOn(site.storage, again.id, changed)
      assert.ok(Buffer.from(changed).equals(await get(site.storage, '/scan.dcm')))
    })
  })

  it('begins anew when one of its locations left the vault', async () => {
    await inSite({}, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      await site.storage.close()
      const database = new DatabaseSync(join(site.home, 'site.sqlite'))
      database.exec(`update fragment set location = '${'0'.repeat(32)}' where x = 2`)
      database.close()
      await site.reopen()
      const { from } = await goOn(site.storage, id, bytes)
      assert.equal(from, 0)
      assert.equal((await site.storage.upload(id)).restarts, 1)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
    })
  })

  it('lives for seven days after its last sign of life, no longer', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z')
    const clock = {
      now: () => nowMs,
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
        }),
    }
    await inSite({ options: { clock } }, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 4 * CHUNK })
      await site.reopen()
      nowMs += 7 * 24 * 3_600_000 - 1000
      await site.storage.sweepUploads()
      assert.equal((await awake(site.storage, id)).state, 'ready')
      await site.reopen()
      nowMs += 7 * 24 * 3_600_000 + 1000
      await site.storage.sweepUploads()
      assert.deepEqual(await site.storage.uploads(), [])
      await refuses(site.storage.wakeUpload(id), 'storage.upload-absent')
      for (const folder of site.folders) {
        const names = await readdir(folder, { recursive: true })
        assert.deepEqual(
          names.filter((name) => name.includes('.part-')),
          [],
        )
      }
    })
  })

  it('parks what nobody sends when others wait for memory', async () => {
    await withFaultySite({ options: { arenaBytesMax: 3 * 2 ** 20 } }, async ({ storage }) => {
      const { id } = await begun(storage, bytes, { afterBytes: 3 * CHUNK })
      const grant = await storage.openToWrite({ path: '/other', ifAbsent: false })
      await grant.store(pieces(bytes))
      assert.equal((await storage.upload(id)).state, 'waiting')
      await goOn(storage, id, bytes)
      assert.ok(Buffer.from(bytes).equals(await get(storage, '/scan.dcm')))
    })
  })
})

describe('an upload whose locations fail', () => {
  for (const holder of ['a', 'b', 'c'] as const) {
    it(`finds a flipped record at ${holder}, and deals it anew`, async () => {
      await withFaultySite({}, async (site) => {
        const { id } = await begun(site.storage, bytes, { afterBytes: 5 * CHUNK })
        await site.reopen()
        // Record 1 lies there with one bit changed.
        const flip: Fault = { kind: 'corrupt', offset: 3000 + CHUNK, xor: 4 }
        site.at[holder]!.plan = on(['read'], flip, (call) => isFragment(call))
        const upload = await awake(site.storage, id)
        site.at[holder]!.plan = () => undefined
        assert.equal(upload.offset, CHUNK)
        await goOn(site.storage, id, bytes)
        assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
        const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
        assert.deepEqual(task.report?.findings, [])
      })
    })

    it(`goes on without ${holder} when it lost its part, and repair brings it there`, async () => {
      await withFaultySite({}, async (site) => {
        const { id } = await begun(site.storage, bytes, { afterBytes: 5 * CHUNK })
        await site.reopen()
        site.at[holder]!.plan = on(['adopt'], { kind: 'lie', says: 'absent' })
        const { from, stored } = await goOn(site.storage, id, bytes)
        site.at[holder]!.plan = () => undefined
        assert.ok(from > 0)
        assert.deepEqual(stored.laggards, [holder])
        const task = await finished(site.storage, site.storage.repair({}))
        assert.equal(task.state, 'done')
        assert.equal((await site.storage.status({ check: true })).health, 'healthy')
        for (const away of ['a', 'b', 'c'].filter((label) => label !== holder).slice(0, 1))
          site.at[away]!.plan = on(['open', 'read'], { kind: 'fail', when: 'before', code: 'location.unreachable' })
        assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
      })
    })
  }

  it('begins anew, and says so, when too few locations kept anything', async () => {
    await withFaultySite({}, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 5 * CHUNK })
      await site.reopen()
      for (const label of ['a', 'b']) site.at[label]!.plan = on(['adopt'], { kind: 'lie', says: 'absent' })
      const upload = await awake(site.storage, id)
      assert.equal(upload.offset, 0)
      assert.equal(upload.restarts, 1)
      for (const control of Object.values(site.at)) control.plan = () => undefined
      const { from } = await goOn(site.storage, id, bytes)
      assert.equal(from, 0)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
      for (const control of Object.values(site.at)) assert.equal(await control.memory.sweepPartial({ olderThanMs: -1 }), 0)
    })
  })

  it('waits for locations that are away when they could go on', async () => {
    await withFaultySite({}, async (site) => {
      const { id } = await begun(site.storage, bytes, { afterBytes: 5 * CHUNK })
      await site.reopen()
      for (const label of ['a', 'b']) site.at[label]!.plan = on(['adopt'], { kind: 'fail', when: 'before', code: 'location.unreachable' })
      const upload = await awake(site.storage, id)
      assert.equal(upload.state, 'waiting')
      assert.equal(upload.problem?.code, 'storage.quorum')
      assert.deepEqual(upload.problem?.culprits.toSorted(), ['a', 'b'])
      assert.equal(upload.restarts, 0)
      for (const control of Object.values(site.at)) control.plan = () => undefined
      await site.storage.status({ check: true })
      const { from } = await goOn(site.storage, id, bytes)
      assert.ok(from > 0)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
    })
  })

  it('goes on when locations that failed in the middle are back', async () => {
    await withFaultySite({}, async (site) => {
      const { id, turn } = await begun(site.storage, bytes, { afterBytes: CHUNK })
      for (const label of ['a', 'b']) site.at[label]!.plan = on(['write'], { kind: 'fail', when: 'before', code: 'location.full' })
      await refuses(site.storage.sendUpload(id, { turn, offset: CHUNK }, pieces(bytes.subarray(CHUNK))), 'storage.quorum', 'a', 'b')
      assert.equal((await site.storage.upload(id)).problem?.code, 'storage.quorum')
      for (const control of Object.values(site.at)) control.plan = () => undefined
      await site.storage.status({ check: true })
      await goOn(site.storage, id, bytes)
      assert.ok(Buffer.from(bytes).equals(await get(site.storage, '/scan.dcm')))
    })
  })
})
