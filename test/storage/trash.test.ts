// What was removed and what was: trash, versions, rules of keeping, holds, moments, deletions that are proven.
import assert from 'node:assert/strict'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { type Clock, equalPublic, type FailureCode, fromUtf8, isFailure, rfc3339, systemClock, utf8 } from '#base'
import { type SiteStorage, verifyDeletionRecord } from '#storage'
import { on, withFaultySite } from './faulty-site.ts'
import { noPython, recoverPy, restoredFiles } from './recover-py.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

const DAY_MS = 86_400_000

/** The time of the machine, moved on by whoever wants later. Waits are as short as ever. */
function movedClock(): Clock & { later(ms: number): void } {
  let ahead = 0
  return { now: () => systemClock.now() + ahead, sleep: (ms, signal) => systemClock.sleep(ms, signal), later: (ms) => void (ahead += ms) }
}

interface Scene {
  readonly site: TestSite
  readonly clock: ReturnType<typeof movedClock>
  /** A moment between what was before and what comes. */
  readonly moment: () => Promise<string>
  readonly storage: () => SiteStorage
}

async function scene(work: (scene: Scene) => Promise<void>, request: Parameters<typeof makeSite>[0] = {}): Promise<void> {
  const clock = movedClock()
  const site = await makeSite({ ...request, options: { clock, ...request.options } })
  const moment = async (): Promise<string> => {
    clock.later(10)
    const at = rfc3339(clock.now())
    clock.later(10)
    return at
  }
  try {
    await work({ site, clock, moment, storage: () => site.storage })
  } finally {
    await site.end()
  }
}

function refused(code: FailureCode): (error: unknown) => boolean {
  return (error) => isFailure(error, code)
}

async function namesBelow(storage: SiteStorage, path = '/'): Promise<string[]> {
  const { entries } = await storage.list({ path, recursive: true })
  return entries.filter(({ kind }) => kind === 'file').map((entry) => entry.path)
}

/** The home is lost; the vault is taken over from its locations. */
async function loseHome(site: TestSite): Promise<void> {
  await site.storage.close()
  await rm(site.home, { recursive: true })
  await mkdir(site.home, { mode: 0o700 })
  await site.reopen()
  const locations = site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abcdef'[index]! }))
  const task = await finished(site.storage, site.storage.recover({ locations }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  assert.deepEqual(task.report!.findings, [])
}

async function fragmentsAt(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name))
}

suite('trash', () => {
  test('a file goes there with its versions, is hidden, and comes back', () =>
    scene(async ({ storage }) => {
      await put(storage(), '/a/x.txt', pattern(10, 1))
      await put(storage(), '/a/x.txt', pattern(20, 2))
      const { id, removed } = await storage().moveToTrash({ path: '/a/x.txt', recursive: false, by: 'maria' })
      assert.equal(removed, 1)
      assert.deepEqual(await namesBelow(storage()), [])
      const top = await storage().list({ path: '/', recursive: false })
      assert.deepEqual(
        top.entries.map(({ path }) => path),
        ['/a'],
      )
      const status = await storage().status({ check: false })
      assert.deepEqual([status.files, status.folders, status.bytes], [0, 1, 0])
      const trash = await storage().trash({})
      assert.deepEqual([trash.total, trash.files, trash.bytes, trash.next], [1, 1, 30, null])
      const [entry] = trash.entries
      assert.deepEqual([entry!.path, entry!.name, entry!.kind, entry!.by, entry!.heldUntil], ['/a/x.txt', 'x.txt', 'file', 'maria', null])
      assert.equal(Date.parse(entry!.expires) - Date.parse(entry!.at), 30 * DAY_MS)
      assert.equal((await storage().restoreTrash({ id })).path, '/a/x.txt')
      assert.ok(equalPublic(await get(storage(), '/a/x.txt', undefined, 1), pattern(10, 1)))
      assert.equal((await storage().trash({})).total, 0)
      await assert.rejects(storage().restoreTrash({ id }), refused('storage.absent'))
      assert.equal((await storage().status({ check: false })).folders, 1)
    }))

  test('a folder comes back whole, to another name when its own is taken, and elsewhere on demand', () =>
    scene(async ({ storage }) => {
      for (const name of ['one', 'deep/two']) await put(storage(), `/f/${name}`, pattern(50))
      await assert.rejects(storage().moveToTrash({ path: '/f', recursive: false }), refused('storage.exists'))
      const first = await storage().moveToTrash({ path: '/f', recursive: true })
      assert.equal(first.removed, 2)
      await put(storage(), '/f/new', pattern(5))
      assert.equal((await storage().restoreTrash({ id: first.id })).path, '/f (2)')
      assert.deepEqual(await namesBelow(storage()), ['/f (2)/deep/two', '/f (2)/one', '/f/new'])
      await put(storage(), '/g.tar.gz', pattern(7))
      const second = await storage().moveToTrash({ path: '/g.tar.gz', recursive: false })
      await put(storage(), '/g.tar.gz', pattern(8))
      assert.equal((await storage().restoreTrash({ id: second.id })).path, '/g.tar (2).gz')
      const third = await storage().moveToTrash({ path: '/f (2)', recursive: true })
      await assert.rejects(storage().restoreTrash({ id: third.id, to: '/g.tar.gz/in' }), refused('storage.exists'))
      assert.equal((await storage().restoreTrash({ id: third.id, to: '/h/back' })).path, '/h/back')
      assert.ok(equalPublic(await get(storage(), '/h/back/deep/two'), pattern(50)))
    }))

  test('the paths of the trash are nobody’s to name', () =>
    scene(async ({ storage }) => {
      await put(storage(), '/x', pattern(5))
      const { id } = await storage().moveToTrash({ path: '/x', recursive: false })
      const inside = `/.quorate-trash/${id}/x`
      await put(storage(), '/y', pattern(5))
      const site = storage()
      for (const call of [
        () => site.list({ path: '/.quorate-trash', recursive: false }),
        () => site.stat({ path: inside }),
        () => site.versions({ path: inside }),
        () => site.openToRead({ path: inside }),
        () => site.openToWrite({ path: '/.quorate-trash/new', ifAbsent: false }),
        () => site.createFolder({ path: '/.quorate-trash/f' }),
        () => site.move({ from: inside, to: '/z', replace: false }),
        () => site.move({ from: '/y', to: '/.quorate-trash/y', replace: false }),
        () => site.copy({ from: inside, to: '/z', replace: false }),
        () => site.copy({ from: '/y', to: '/.quorate-trash/y', replace: false }),
        () => site.remove({ path: inside, recursive: true }),
        () => site.moveToTrash({ path: inside, recursive: true }),
        () => site.placement({ path: inside }),
        () => site.repair({ path: inside }),
        () => site.restoreTrash({ id, to: '/.quorate-trash/z' }),
        () => site.setKeeping({ path: '/.quorate-trash', ...NO_RULE, holdUntil: null, release: false }),
      ])
        await assert.rejects(call, refused('storage.path'), call.toString())
      await assert.rejects(site.moveToTrash({ path: '/', recursive: true }), refused('storage.path'))
      await assert.rejects(site.moveToTrash({ path: '/none', recursive: true }), refused('storage.absent'))
      // Like it is not it.
      await put(storage(), '/.quorate-trashed', pattern(3))
      await put(storage(), '/.quorate-trash-', pattern(3))
      assert.deepEqual(await namesBelow(storage()), ['/.quorate-trash-', '/.quorate-trashed', '/y'])
    }))

  test('what a move or a copy replaces is in the trash', () =>
    scene(async ({ storage }) => {
      await put(storage(), '/a', pattern(1, 1))
      await put(storage(), '/b', pattern(2, 2))
      await put(storage(), '/c', pattern(3, 3))
      await storage().move({ from: '/a', to: '/b', replace: true })
      await storage().copy({ from: '/b', to: '/c', replace: true })
      const { entries } = await storage().trash({})
      assert.deepEqual(
        entries.map(({ path, bytes }) => [path, bytes]),
        [
          ['/c', 3],
          ['/b', 2],
        ],
      )
    }))

  test('a path as long as a path may be goes there and back', () =>
    scene(async ({ storage }) => {
      const path = `/${Array.from({ length: 4 }, (_, index) => String(index).repeat(1020)).join('/')}`
      await put(storage(), path, pattern(9))
      const { id } = await storage().moveToTrash({ path, recursive: false })
      await storage().restoreTrash({ id })
      assert.deepEqual(await namesBelow(storage()), [path])
    }))

  test('emptied, its bytes leave every location; pages go on where the last one ended', () =>
    scene(async ({ site, storage, clock }) => {
      for (let index = 0; index < 7; index++) {
        await put(storage(), `/f${index}`, pattern(40, index))
        clock.later(1)
        await storage().moveToTrash({ path: `/f${index}`, recursive: false })
      }
      const seen: string[] = []
      for (let after: string | undefined; ;) {
        const page = await storage().trash({ limit: 3, after })
        seen.push(...page.entries.map(({ path }) => path))
        if (page.next === null) break
        after = page.next
      }
      assert.deepEqual(seen, ['/f6', '/f5', '/f4', '/f3', '/f2', '/f1', '/f0'])
      const { entries } = await storage().trash({})
      const one = await finished(storage(), storage().emptyTrash({ ids: [entries[0]!.id] }))
      assert.equal(one.state, 'done')
      assert.equal((await storage().trash({})).total, 6)
      const rest = await finished(storage(), storage().emptyTrash({}))
      assert.deepEqual([rest.state, rest.done, rest.total], ['done', 6, 6])
      await assert.rejects(storage().emptyTrash({ ids: [entries[0]!.id] }), refused('storage.absent'))
      await site.reopen()
      const { deletions } = await storage().deletions({})
      assert.equal(deletions.length, 7)
      assert.ok(deletions.every(({ closed, dealings }) => closed !== null && dealings === 1))
    }))
})

const NO_RULE = { versionsDays: null, versionsMin: null, trashDays: null } as const

suite('rules of keeping', () => {
  test('a number comes from the nearest folder that says it', () =>
    scene(async ({ storage }) => {
      await put(storage(), '/a/b/x', pattern(1))
      assert.deepEqual((await storage().keeping({ path: '/' })).effective, {
        versionsDays: 36_500,
        versionsMin: 3,
        trashDays: 30,
        holdUntil: null,
      })
      await storage().setKeeping({ path: '/', versionsDays: 10, versionsMin: 2, trashDays: 5, holdUntil: null, release: false })
      await storage().setKeeping({ path: '/a', ...NO_RULE, trashDays: 7, holdUntil: null, release: false, by: 'maria' })
      const deep = await storage().keeping({ path: '/a/b/x' })
      assert.deepEqual(deep.effective, { versionsDays: 10, versionsMin: 2, trashDays: 7, holdUntil: null })
      assert.equal(deep.own, null)
      const at = await storage().keeping({ path: '/a' })
      assert.deepEqual([at.own?.trashDays, at.by], [7, 'maria'])
      await storage().move({ from: '/a', to: '/c', replace: false })
      assert.equal((await storage().keeping({ path: '/c/b' })).effective.trashDays, 7)
      await storage().setKeeping({ path: '/c', ...NO_RULE, holdUntil: null, release: false })
      assert.equal((await storage().keeping({ path: '/c/b' })).effective.trashDays, 5)
      await assert.rejects(storage().setKeeping({ path: '/none', ...NO_RULE, holdUntil: null, release: false }), refused('storage.absent'))
      assert.deepEqual(
        (await storage().keepingRules()).map(({ path }) => path),
        ['/'],
      )
    }))

  test('a purge takes what is past its time, and says before what it would take', () =>
    scene(async ({ storage, clock }) => {
      for (let version = 1; version <= 6; version++) {
        await put(storage(), '/a/x', pattern(10 * version, version))
        clock.later(DAY_MS)
      }
      await put(storage(), '/a/gone', pattern(7))
      await storage().moveToTrash({ path: '/a/gone', recursive: false })
      await storage().setKeeping({ path: '/a', versionsDays: 2, versionsMin: 2, trashDays: 3, holdUntil: null, release: false })
      // Version 3 was replaced three days ago, version 4 two days ago.
      const plan = await storage().planPurge()
      assert.deepEqual(
        plan.versions.map(({ path, number }) => [path, number]),
        [
          ['/a/x', 4],
          ['/a/x', 3],
          ['/a/x', 2],
          ['/a/x', 1],
        ],
      )
      assert.deepEqual([plan.counts, plan.bytes], [{ trash: 0, versions: 4, held: 0 }, 100])
      assert.equal((await storage().versions({ path: '/a/x' })).versions.length, 6)
      clock.later(3 * DAY_MS)
      assert.equal((await storage().planPurge()).counts.trash, 1)
      const task = await finished(storage(), storage().purge({}))
      assert.deepEqual([task.state, task.done], ['done', 5])
      assert.deepEqual(
        (await storage().versions({ path: '/a/x' })).versions.map(({ number }) => number),
        [6, 5],
      )
      assert.equal((await storage().trash({})).total, 0)
      assert.deepEqual((await storage().planPurge()).counts, { trash: 0, versions: 0, held: 0 })
      assert.deepEqual([...new Set((await storage().deletions({})).deletions.map(({ reason }) => reason))], ['expired'])
    }))

  test('a hold: nothing at, in or above it is removed, moved out, emptied or expired; it only grows', () =>
    scene(async ({ storage, clock, moment }) => {
      await put(storage(), '/p/case/scan', pattern(5, 1))
      await put(storage(), '/p/case/scan', pattern(6, 2))
      await put(storage(), '/p/case/other', pattern(7))
      await put(storage(), '/p/free', pattern(8))
      const trashed = await storage().moveToTrash({ path: '/p/case/other', recursive: false })
      const before = await moment()
      const until = rfc3339(clock.now() + 400 * DAY_MS)
      await storage().setKeeping({ path: '/p/case', ...NO_RULE, holdUntil: until, release: false })
      const site = storage()
      for (const call of [
        () => site.moveToTrash({ path: '/p/case/scan', recursive: false }),
        () => site.moveToTrash({ path: '/p/case', recursive: true }),
        () => site.moveToTrash({ path: '/p', recursive: true }),
        () => site.remove({ path: '/p', recursive: true }),
        () => site.remove({ path: '/p/case/scan', recursive: false }),
        () => site.remove({ path: '/p/case/scan', recursive: false, version: 1 }),
        () => site.move({ from: '/p/case/scan', to: '/p/scan', replace: false }),
        () => site.move({ from: '/p/free', to: '/p/case/scan', replace: true }),
        () => site.copy({ from: '/p/free', to: '/p/case/scan', replace: true }),
        () => site.emptyTrash({ ids: [trashed.id] }),
        () => site.setKeeping({ path: '/p/case', ...NO_RULE, holdUntil: null, release: false }),
        () => site.setKeeping({ path: '/p/case', ...NO_RULE, holdUntil: rfc3339(clock.now() + DAY_MS), release: false }),
      ])
        await assert.rejects(call, refused('storage.held'), call.toString())
      const free = await site.moveToTrash({ path: '/p/free', recursive: false })
      await site.restoreTrash({ id: free.id })
      // Within the hold, and with it, things may move; content may change.
      await site.move({ from: '/p/case/scan', to: '/p/case/in/scan', replace: false })
      await site.move({ from: '/p/case', to: '/q', replace: false })
      await put(site, '/q/in/scan', pattern(9))
      await assert.rejects(site.moveToTrash({ path: '/q/in', recursive: true }), refused('storage.held'))
      await put(site, '/q/late', pattern(1))
      await assert.rejects(site.planMoment({ path: '/q', at: before }), refused('storage.held'))
      clock.later(200 * DAY_MS)
      await site.setKeeping({ path: '/q', ...NO_RULE, versionsMin: 1, versionsDays: 1, holdUntil: until, release: false })
      assert.equal((await site.planPurge()).counts.held, 2)
      await finished(site, site.purge({}))
      assert.equal((await site.versions({ path: '/q/in/scan' })).versions.length, 3)
      await site.setKeeping({ path: '/q', ...NO_RULE, versionsMin: 1, versionsDays: 1, holdUntil: null, release: true })
      assert.equal((await site.planPurge()).counts.held, 0)
      await finished(site, site.purge({}))
      assert.equal((await site.versions({ path: '/q/in/scan' })).versions.length, 1)
      await site.moveToTrash({ path: '/q', recursive: true })
    }))

  test('an ended hold holds nothing', () =>
    scene(async ({ storage, clock }) => {
      await put(storage(), '/f/x', pattern(1))
      await storage().setKeeping({ path: '/f', ...NO_RULE, holdUntil: rfc3339(clock.now() + DAY_MS), release: false })
      await assert.rejects(storage().moveToTrash({ path: '/f', recursive: true }), refused('storage.held'))
      clock.later(DAY_MS + 1)
      await storage().moveToTrash({ path: '/f', recursive: true })
    }))
})

suite('versions', () => {
  test('an older one becomes current again without bytes, and says that it is the same', () =>
    scene(async ({ site, storage }) => {
      await put(storage(), '/x', pattern(10, 1))
      await put(storage(), '/x', pattern(20, 2))
      const before = (await fragmentsAt(site.folders[0]!)).length
      const entry = await storage().restoreVersion({ path: '/x', version: 1 })
      assert.deepEqual([entry.version, entry.size], [3, 10])
      assert.ok(equalPublic(await get(storage(), '/x'), pattern(10, 1)))
      assert.equal((await fragmentsAt(site.folders[0]!)).length, before)
      const { versions } = await storage().versions({ path: '/x' })
      assert.deepEqual(
        versions.map(({ number, sameAs }) => [number, sameAs]),
        [
          [3, null],
          [2, null],
          [1, 3],
        ],
      )
      assert.equal((await storage().restoreVersion({ path: '/x', version: 3 })).version, 3)
      await assert.rejects(storage().restoreVersion({ path: '/x', version: 9 }), refused('storage.absent'))
    }))
})

suite('moments', () => {
  test('a folder is made as it was: what came goes, what went comes, what changed goes back', () =>
    scene(async ({ storage, moment }) => {
      await put(storage(), '/f/same', pattern(1, 1))
      await put(storage(), '/f/changed', pattern(10, 2))
      await put(storage(), '/f/removed', pattern(20, 3))
      await put(storage(), '/f/moved', pattern(30, 4))
      await put(storage(), '/f/sub/deep', pattern(40, 5))
      await put(storage(), '/f/file', pattern(50, 6))
      await put(storage(), '/outside', pattern(60, 7))
      const then = await moment()
      await put(storage(), '/f/changed', pattern(11, 8))
      await storage().moveToTrash({ path: '/f/removed', recursive: false })
      await storage().move({ from: '/f/moved', to: '/f/else/moved', replace: false })
      await storage().move({ from: '/f/sub', to: '/g', replace: false })
      await storage().moveToTrash({ path: '/f/file', recursive: false })
      await put(storage(), '/f/file/is/a/folder', pattern(12, 9))
      await put(storage(), '/f/new/one', pattern(13, 10))
      await put(storage(), '/f/new/two', pattern(14, 11))
      await put(storage(), '/f/sub', pattern(15, 12))
      const plan = await storage().planMoment({ path: '/f', at: then })
      assert.deepEqual(plan.counts, { returns: 4, replaces: 1, trashes: 4, unchanged: 1, doubtful: 0 })
      assert.deepEqual(plan.trashes, [
        { path: '/f/else', size: 30 },
        { path: '/f/file', size: 12 },
        { path: '/f/new', size: 27 },
        { path: '/f/sub', size: 15 },
      ])
      const now = await moment()
      const task = await finished(storage(), storage().restoreMoment({ path: '/f', at: then }))
      assert.deepEqual([task.state, task.report!.findings], ['done', []])
      assert.deepEqual(await namesBelow(storage()), [
        '/f/changed',
        '/f/file',
        '/f/moved',
        '/f/removed',
        '/f/same',
        '/f/sub/deep',
        '/g/deep',
        '/outside',
      ])
      assert.ok(equalPublic(await get(storage(), '/f/changed'), pattern(10, 2)))
      assert.ok(equalPublic(await get(storage(), '/f/changed', undefined, 2), pattern(11, 8)))
      assert.ok(equalPublic(await get(storage(), '/f/sub/deep'), pattern(40, 5)))
      assert.deepEqual((await storage().planMoment({ path: '/f', at: then })).counts.unchanged, 6)
      // And the way back is a moment, too.
      await finished(storage(), storage().restoreMoment({ path: '/f', at: now }))
      assert.deepEqual(
        (await namesBelow(storage(), '/f')).toSorted(),
        ['/f/changed', '/f/else/moved', '/f/file/is/a/folder', '/f/new/one', '/f/new/two', '/f/same', '/f/sub'].toSorted(),
      )
    }))

  test('moments outside what is known, and versions that are gone, are said', () =>
    scene(async ({ storage, clock, moment }) => {
      const early = rfc3339(clock.now() - 10 * DAY_MS)
      await put(storage(), '/f/x', pattern(1, 1))
      const one = await moment()
      await put(storage(), '/f/x', pattern(2, 2))
      const two = await moment()
      await put(storage(), '/f/x', pattern(3, 3))
      await assert.rejects(storage().planMoment({ path: '/f', at: early }), refused('storage.moment'))
      await assert.rejects(storage().planMoment({ path: '/f', at: rfc3339(clock.now() + DAY_MS) }), refused('storage.moment'))
      await assert.rejects(storage().planMoment({ path: '/f', at: 'yesterday' }), refused('storage.moment'))
      await assert.rejects(storage().planMoment({ path: '/none', at: two }), refused('storage.absent'))
      await assert.rejects(storage().restoreMoment({ path: '/.quorate-trash', at: two }), refused('storage.path'))
      await storage().remove({ path: '/f/x', recursive: false, version: 2 })
      assert.deepEqual((await storage().planMoment({ path: '/f', at: two })).doubtful, [{ path: '/f/x', why: 'older' }])
      await storage().remove({ path: '/f/x', recursive: false, version: 1 })
      const plan = await storage().planMoment({ path: '/f', at: one })
      assert.deepEqual(plan.doubtful, [{ path: '/f/x', why: 'gone' }])
      assert.deepEqual(plan.trashes, [])
    }))
})

suite('deletions', () => {
  test('the record is open while a location is away, names it, and closes when it is back', () =>
    scene(async ({ site, storage }) => {
      await put(storage(), '/a/one', pattern(10, 1))
      await put(storage(), '/a/two', pattern(20, 2))
      await rename(site.folders[2]!, `${site.folders[2]!}-away`)
      await storage().status({ check: true })
      await storage().remove({ path: '/a', recursive: true, by: 'maria' })
      await site.reopen()
      const { deletions } = await storage().deletions({})
      assert.equal(deletions.length, 1)
      const [deletion] = deletions
      assert.equal(deletion!.closed, null)
      assert.deepEqual(deletion!.awaited, [{ location: 'c', fragments: 2, why: 'it does not answer' }])
      const open = verifyDeletionRecord(await storage().deletionRecord({ id: deletion!.id }))
      assert.equal(open.record.state, 'open')
      assert.deepEqual(
        open.record.dealings.flatMap(({ fragments }) => fragments.map(({ x, answer }) => [x, answer])),
        [
          [1, 'gone'],
          [2, 'gone'],
          [3, 'unreachable'],
          [1, 'gone'],
          [2, 'gone'],
          [3, 'unreachable'],
        ],
      )
      await rename(`${site.folders[2]!}-away`, site.folders[2]!)
      await site.reopen()
      await site.reopen()
      const closed = await storage().deletions({})
      assert.deepEqual([closed.deletions[0]!.awaited, closed.deletions[0]!.closed === null], [[], false])
      const bytes = await storage().deletionRecord({ id: deletion!.id })
      const { record, dealer } = verifyDeletionRecord(bytes)
      assert.equal(dealer, (await storage().site()).vault!.dealer)
      assert.deepEqual([record.state, record.path, record.what, record.by, record.reason], ['closed', '/a', 'folder', 'maria', 'removed'])
      assert.ok(record.dealings.every(({ fragments }) => fragments.length === 3 && fragments.every(({ answer }) => answer === 'gone')))
      for (const folder of site.folders) {
        const names = new Set(await fragmentsAt(folder))
        for (const { fragments } of record.dealings) for (const { name } of fragments) assert.ok(!names.has(name))
      }
      // Whoever changes it is found out.
      const text = fromUtf8(bytes)
      for (const [from, to] of [
        ['"path":"/a"', '"path":"/b"'],
        ['"answer":"gone"', '"answer":"left"'],
        ['"by":"maria"', '"by":"marie"'],
      ] as const) {
        assert.ok(text.includes(from))
        assert.throws(() => verifyDeletionRecord(utf8(text.replace(from, to))), refused('format.signature'))
      }
      assert.throws(() => verifyDeletionRecord(utf8('{}')), refused('format.framing'))
      assert.throws(() => verifyDeletionRecord(utf8(`${text} `)), refused('format.framing'))
      await assert.rejects(storage().deletionRecord({ id: '0'.repeat(32) }), refused('storage.absent'))
    }))

  test('who refuses, and who says gone and shows it still, is named', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(100))
      site.at['a']!.plan = on(['discard'], { kind: 'fail', when: 'before', code: 'location.denied' })
      site.at['b']!.plan = on(['discard'], { kind: 'lie', says: 'done' })
      await site.storage.remove({ path: '/x', recursive: false })
      await site.reopen()
      const [open] = (await site.storage.deletions({})).deletions
      assert.equal(open!.closed, null)
      assert.deepEqual(open!.awaited, [
        { location: 'a', fragments: 1, why: 'it refuses our credentials' },
        { location: 'b', fragments: 1, why: 'it said gone, and shows the fragments still' },
      ])
      const { record } = verifyDeletionRecord(await site.storage.deletionRecord({ id: open!.id }))
      assert.deepEqual(
        record.dealings[0]!.fragments.map(({ answer }) => answer),
        ['denied', 'shown', 'gone'],
      )
      for (const label of ['a', 'b']) site.at[label]!.plan = () => undefined
      await site.storage.status({ check: true })
      await site.reopen()
      await site.reopen()
      // Who showed it is asked again at once, who refused in its own time.
      const [left] = (await site.storage.deletions({})).deletions
      assert.deepEqual(
        left!.awaited.map(({ location }) => location),
        ['a'],
      )
      const names = record.dealings.flatMap(({ fragments }) => fragments.map(({ name }) => name))
      for (const label of ['b', 'c']) for (const name of names) assert.ok(!site.at[label]!.memory.objects.has(name))
    }))

  test('a copy keeps the bytes: the record says that other names need them', () =>
    scene(async ({ site, storage }) => {
      await put(storage(), '/x', pattern(10))
      await storage().copy({ from: '/x', to: '/y', replace: false })
      await storage().remove({ path: '/x', recursive: false })
      await site.reopen()
      const { deletions } = await storage().deletions({})
      assert.deepEqual([deletions[0]!.dealings, deletions[0]!.stillNamed, deletions[0]!.closed === null], [0, 1, false])
      assert.ok(equalPublic(await get(storage(), '/y'), pattern(10)))
    }))
})

suite('after the home is lost', () => {
  for (const segmentsMax of [64, 2])
    test(`trash, rules, holds, names over time and records come back (${segmentsMax === 2 ? 'snapshots' : 'segments'})`, () =>
      scene(
        async ({ site, storage, clock, moment }) => {
          await put(storage(), '/f/x', pattern(10, 1))
          await put(storage(), '/f/y', pattern(20, 2))
          const then = await moment()
          await storage().move({ from: '/f/x', to: '/f/z', replace: false })
          await put(storage(), '/f/z', pattern(30, 3))
          await moment()
          await storage().moveToTrash({ path: '/f/y', recursive: false, by: 'maria' })
          await put(storage(), '/h/held', pattern(1))
          await storage().setKeeping({
            path: '/h',
            ...NO_RULE,
            trashDays: 9,
            holdUntil: rfc3339(clock.now() + DAY_MS),
            release: false,
            by: 'maria',
          })
          await put(storage(), '/gone', pattern(5))
          await storage().remove({ path: '/gone', recursive: false })
          await site.reopen()
          const kept = async (): Promise<unknown> => ({
            trash: await storage().trash({}),
            rules: await storage().keepingRules(),
            plan: { ...(await storage().planMoment({ path: '/f', at: then })), knownSince: '' },
            deletions: await storage().deletions({}),
            names: await namesBelow(storage()),
          })
          const before = await kept()
          await loseHome(site)
          assert.deepEqual(await kept(), before)
          await loseHome(site)
          assert.deepEqual(await kept(), before)
          await assert.rejects(storage().moveToTrash({ path: '/h', recursive: true }), refused('storage.held'))
          await finished(storage(), storage().restoreMoment({ path: '/f', at: then }))
          assert.deepEqual(await namesBelow(storage(), '/f'), ['/f/x', '/f/y'])
          assert.ok(equalPublic(await get(storage(), '/f/x'), pattern(10, 1)))
        },
        { options: { logLimits: { flushMs: 20, segmentLinesMax: 5, segmentsMax, snapshotLinesMin: 20_000 } } },
      ))
})

suite('recovery/recover.py', { skip: noPython() ?? false }, () => {
  for (const segmentsMax of [64, 2])
    test(`restores what was kept, the trash in a folder of its own (${segmentsMax === 2 ? 'snapshots' : 'segments'})`, () =>
      scene(
        async ({ site, storage }) => {
          await put(storage(), '/f/x', pattern(10, 1))
          await put(storage(), '/f/y', pattern(20, 2))
          await storage().move({ from: '/f/x', to: '/f/z', replace: false })
          await storage().setKeeping({ path: '/f', ...NO_RULE, trashDays: 9, holdUntil: null, release: false })
          const { id } = await storage().moveToTrash({ path: '/f/y', recursive: false })
          const back = await storage().moveToTrash({ path: '/f/z', recursive: false })
          await storage().restoreTrash({ id: back.id })
          await put(storage(), '/gone', pattern(30, 3))
          const gone = await storage().moveToTrash({ path: '/gone', recursive: false })
          await finished(storage(), storage().emptyTrash({ ids: [gone.id] }))
          await site.reopen()
          await site.storage.close()
          const { status, report, out } = await recoverPy(site.root, site.folders.slice(1))
          assert.equal(status, 0, JSON.stringify(report))
          assert.deepEqual([...(await restoredFiles(out)).keys()].toSorted(), [`/.quorate-trash/${id}/y`, '/f/z'])
          assert.ok(report.notes.some((note) => note.includes('1 of the files were in the trash')))
          await site.reopen()
        },
        { options: { logLimits: { flushMs: 20, segmentLinesMax: 4, segmentsMax, snapshotLinesMin: 20_000 } } },
      ))
})
