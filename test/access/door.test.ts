// The one door: what is not given is refused, what is done leaves its leaf first, and what is taken back ends what runs.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Door } from '#access'
import { isFailure, systemClock } from '#base'
import type { GrantRequest, Right, Role } from '#contract'
import { Authority } from '../../src/access/authority.ts'
import { SITE_RULES, siteDoor } from '../../src/access/door-site.ts'
import { ABILITIES } from '../../src/access/rights.ts'
import { pattern } from '../storage/site.ts'
import { turnClock } from '../storage/turn-clock.ts'
import { groupId, idOf, memoryLedger, names, nobody, once, openDesk, read, store } from './support.ts'

const denied = (error: unknown): boolean => isFailure(error, 'access.denied')

function toPerson(number: number, path: string, right: Right | null, until: string | null = null): GrantRequest {
  return { path, to: { kind: 'person', id: idOf(number) }, right, until }
}

describe('grants', () => {
  it('without one nothing opens, and what exists looks like what does not', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'secret')
    const door = desk.access.enter(desk.staff.hire(1))
    assert.deepEqual(await names(door, '/'), [])
    for (const path of ['/study', '/study/a.txt', '/nothing', '/study/nothing']) {
      for (const work of [
        () => door.list({ path, recursive: false }),
        () => door.stat({ path }),
        () => door.openToRead({ path }),
        () => door.versions({ path }),
        () => door.placement({ path }),
        () => door.fragment({ path, x: 1, offset: 0, lengthBytes: 10 }),
        () => door.openToWrite({ path, ifAbsent: false }),
        () => door.beginUpload({ path, size: 3_000_000, ifAbsent: false }),
        () => door.createFolder({ path }),
        () => door.move({ from: path, to: '/mine', replace: false }),
        () => door.copy({ from: path, to: '/mine', replace: false }),
        () => door.remove({ path, recursive: true }),
        () => door.remove({ path, recursive: true, now: true }),
        () => door.restoreVersion({ path, version: 1 }),
        () => door.keeping({ path }),
        () => door.planMoment({ path, at: new Date().toISOString() }),
        () => door.setGrant(toPerson(1, path, 'manage')),
      ])
        await assert.rejects(work, denied, `${path} ${work.toString()}`)
    }
    assert.ok(desk.memory.deeds.some(({ kind, outcome, code }) => kind === 'open' && outcome === 'refused' && code === 'access.denied'))
  })

  it('a folder given to read is read with all below, and nothing else', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/mri/a.txt', 'alpha')
    await store(desk.local, '/study/b.txt', 'beta')
    await store(desk.local, '/study.txt', 'beside')
    desk.staff.hire(1)
    await desk.local.setGrant(toPerson(1, '/study/mri', 'read'))
    const door = desk.access.enter(desk.staff.hire(1))
    assert.deepEqual(await names(door, '/'), ['/study'])
    assert.deepEqual(await names(door, '/study'), ['/study/mri'])
    assert.deepEqual(await names(door, '/', true), ['/study', '/study/mri', '/study/mri/a.txt'])
    assert.equal(await read(door, '/study/mri/a.txt'), 'alpha')
    assert.equal((await door.stat({ path: '/study' })).kind, 'folder')
    await assert.rejects(read(door, '/study/b.txt'), denied)
    await assert.rejects(read(door, '/study.txt'), denied)
    await assert.rejects(store(door, '/study/mri/new.txt', 'x'), denied)
    assert.equal((await door.grants({ path: '/study/mri' })).own, 'read')
    assert.deepEqual((await door.grants({ path: '/study/mri' })).grants, [])
  })

  it('who writes may change, but neither grant nor remove for good, nor become a manager by a move', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'alpha')
    await desk.local.createFolder({ path: '/mine' })
    const door = desk.access.enter(desk.staff.hire(1))
    await desk.local.setGrant(toPerson(1, '/study', 'write'))
    await desk.local.setGrant(toPerson(1, '/mine', 'manage'))
    await store(door, '/study/b.txt', 'beta')
    await door.createFolder({ path: '/study/c' })
    await door.move({ from: '/study/b.txt', to: '/study/c/b.txt', replace: false })
    const { trash } = await door.remove({ path: '/study/c/b.txt', recursive: false })
    assert.deepEqual(
      (await door.trash({})).entries.map(({ path, by }) => [path, by]),
      [['/study/c/b.txt', 'person 1']],
    )
    await door.restoreTrash({ id: trash ?? '' })
    await assert.rejects(door.setGrant(toPerson(1, '/study', 'manage')), denied)
    await assert.rejects(door.remove({ path: '/study/a.txt', recursive: false, now: true }), denied)
    await assert.rejects(door.remove({ path: '/study/a.txt', recursive: false, version: 1 }), denied)
    await assert.rejects(door.move({ from: '/study/a.txt', to: '/mine/a.txt', replace: false }), denied)
    await door.copy({ from: '/study/a.txt', to: '/mine/a.txt', replace: false })
    await door.setGrant({ path: '/mine', to: { kind: 'group', id: desk.staff.group(1) }, right: 'read', until: null })
    // Not the folder itself out of where it lies, for that is the folder above.
    await assert.rejects(door.move({ from: '/study', to: '/mine/study', replace: false }), denied)
  })

  it('they go where the path goes, into the trash and back, and not to what comes after it', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'alpha')
    const door = desk.access.enter(desk.staff.hire(1))
    await desk.local.setGrant(toPerson(1, '/study', 'read'))
    await desk.local.move({ from: '/study', to: '/archive/study', replace: false })
    assert.equal(await read(door, '/archive/study/a.txt'), 'alpha')
    const { trash } = await desk.local.remove({ path: '/archive/study', recursive: true })
    await store(desk.local, '/archive/study/other.txt', 'of another study')
    await assert.rejects(read(door, '/archive/study/other.txt'), denied)
    assert.deepEqual(await names(door, '/', true), [])
    await desk.local.remove({ path: '/archive/study', recursive: true, now: true })
    await desk.local.restoreTrash({ id: trash ?? '' })
    assert.equal(await read(door, '/archive/study/a.txt'), 'alpha')
    await desk.local.remove({ path: '/archive/study', recursive: true, now: true })
    await store(desk.local, '/archive/study/a.txt', 'made anew')
    await assert.rejects(read(door, '/archive/study/a.txt'), denied)
  })

  it('whoever is given a folder of the same name gets nothing of what lay there before', async () => {
    await using desk = await openDesk()
    const { local, staff } = desk
    await store(local, '/a/x/secret.txt', 'of before')
    const before = new Date().toISOString()
    const { trash } = await local.remove({ path: '/a/x', recursive: true })
    await store(local, '/a/x/new.txt', 'new')
    staff.hire(1)
    await local.setGrant(toPerson(1, '/a', 'manage'))
    const door = desk.access.enter(staff.hire(1))
    assert.deepEqual((await door.trash({})).entries, [])
    await assert.rejects(door.restoreTrash({ id: trash ?? '', to: '/a/x/old' }), denied)
    await assert.rejects(door.emptyTrash({ ids: [trash ?? ''] }), denied)
    await assert.rejects(door.planMoment({ path: '/a', at: before }), denied)
    await assert.rejects(door.restoreMoment({ path: '/a', at: before }), denied)
    // What one removed oneself comes back, but not to where one would manage it.
    await store(local, '/b/mine.txt', 'mine')
    await local.setGrant(toPerson(1, '/b', 'write'))
    const own = await door.remove({ path: '/b/mine.txt', recursive: false })
    await assert.rejects(door.restoreTrash({ id: own.trash ?? '', to: '/a/mine.txt' }), denied)
    assert.equal((await door.restoreTrash({ id: own.trash ?? '' })).path, '/b/mine.txt')
  })

  it('of groups, until a day, and never beyond what a token was limited to', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'alpha')
    await store(desk.local, '/other/b.txt', 'beta')
    desk.staff.group(7)
    await desk.local.setGrant({ path: '/study', to: { kind: 'group', id: groupId(7) }, right: 'write', until: null })
    await desk.local.setGrant({ path: '/other', to: { kind: 'group', id: groupId(7) }, right: 'read', until: '2020-01-01T00:00:00.000Z' })
    const member = desk.staff.hire(1, { groups: [7] })
    const door = desk.access.enter(member)
    assert.equal(await read(door, '/study/a.txt'), 'alpha')
    await assert.rejects(read(door, '/other/b.txt'), denied)
    assert.deepEqual(await names(door, '/'), ['/study'])
    await assert.rejects(read(desk.access.enter(desk.staff.hire(2, { groups: [8] })), '/study/a.txt'), denied)
    const limited = desk.access.enter({ ...member, means: 'token', scope: { rights: 'read', path: '/study/sub' } })
    await assert.rejects(read(limited, '/study/a.txt'), denied)
    const reader = desk.access.enter({ ...member, means: 'token', scope: { rights: 'read', path: '/study' } })
    assert.equal(await read(reader, '/study/a.txt'), 'alpha')
    await assert.rejects(store(reader, '/study/c.txt', 'c'), denied)
    const steward = desk.staff.hire(3, { roles: ['data-steward', 'administrator'], scope: { rights: 'write', path: '/study' } })
    const token = desk.access.enter({ ...steward, means: 'token' })
    await store(token, '/study/d.txt', 'd')
    await assert.rejects(token.setGrant(toPerson(1, '/study', 'manage')), denied)
    await assert.rejects(read(token, '/other/b.txt'), denied)
    await assert.rejects(token.setHealth({}), denied)
    // Limited in any way, it does nothing for the whole site.
    for (const scope of [
      { rights: 'read', path: '/' },
      { rights: 'write', path: '/' },
      { rights: 'all', path: '/study' },
    ] as const) {
      const some = desk.access.enter({ ...steward, means: 'token', scope })
      for (const work of [
        () => some.emptyTrash({}),
        () => some.purge(),
        () => some.planPurge(),
        () => some.setHealth({}),
        () => some.auditHead(),
      ])
        await assert.rejects(work, denied, `${JSON.stringify(scope)} ${work.toString()}`)
    }
  })

  it('only to those whom the site knows', async () => {
    await using desk = await openDesk()
    await assert.rejects(desk.local.setGrant(toPerson(5, '/', 'read')), (error) => isFailure(error, 'base.invalid'))
    await assert.rejects(
      (async () => {
        desk.staff.hire(5)
        await desk.local.setGrant(toPerson(5, '/nowhere', 'read'))
      })(),
      (error) => isFailure(error, 'storage.absent'),
    )
  })

  it('outlive the database: they stand in the vault', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'alpha')
    desk.staff.hire(1)
    await desk.local.setGrant(toPerson(1, '/study', 'write', '2099-01-01T00:00:00.000Z'))
    const page = await desk.site.storage.grants({})
    assert.deepEqual(
      page.map(({ path, subject, right, until }) => [path, subject, right, until]),
      [['/study', `person:${idOf(1)}`, 'write', '2099-01-01T00:00:00.000Z']],
    )
  })
})

describe('roles', () => {
  const requests: Readonly<Record<string, unknown>> = { testLocation: { location: 'a' }, status: { check: false } }

  it('each call about the site is open to those roles that the table says, and to nobody else', async () => {
    await using desk = await openDesk()
    for (const [index, role] of (Object.keys(ABILITIES) as Role[]).entries()) {
      const door = desk.access.enter(desk.staff.hire(10 + index, { roles: [role] })) as unknown as Record<
        string,
        (request: unknown) => Promise<unknown>
      >
      for (const [name, { needs }] of Object.entries(SITE_RULES)) {
        const may = needs === undefined || ABILITIES[role].includes(needs)
        // Asked for nothing sensible: a refusal by the door comes before any look at the request.
        const answer = door[name]!(requests[name] ?? {})
        if (may) await answer.catch((error: unknown) => assert.ok(!denied(error), `${role} ${name}`))
        else await assert.rejects(answer, denied, `${role} ${name}`)
      }
    }
  })

  it('each reaches storage as a method of it', async () => {
    const storage: Record<string, unknown> = {}
    for (const name of Object.keys(SITE_RULES))
      storage[name] = function (this: unknown) {
        return Promise.resolve({ whole: this === storage })
      }
    const { audit } = memoryLedger()
    const parts = { storage: storage as never, ledger: audit, people: nobody, clock: systemClock }
    const authority = new Authority(parts, { kind: 'local', name: 'operator' })
    const door = siteDoor({ storage: parts.storage, authority }) as unknown as Record<
      string,
      (request: unknown) => Promise<{ whole: boolean }>
    >
    for (const name of Object.keys(SITE_RULES)) assert.equal((await door[name]!({ officers: [] })).whole, true, name)
  })

  it('an administrator opens no file, a steward every file', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/study/a.txt', 'alpha')
    await assert.rejects(read(desk.access.enter(desk.staff.hire(1, { roles: ['administrator'] })), '/study/a.txt'), denied)
    const steward = desk.access.enter(desk.staff.hire(2, { roles: ['data-steward'] }))
    assert.equal(await read(steward, '/study/a.txt'), 'alpha')
    await steward.setGrant(toPerson(1, '/study', 'read'))
    assert.deepEqual((await steward.deletions({})).deletions, [])
    await assert.rejects(desk.access.enter(desk.staff.hire(3, { roles: ['clinician'] })).deletions({}), denied)
  })
})

describe('leaves', () => {
  it('no leaf, no byte: what cannot be noted is not opened', async () => {
    await using desk = await openDesk()
    await store(desk.local, '/a.txt', 'alpha')
    desk.memory.broken = true
    await assert.rejects(read(desk.local, '/a.txt'), /cannot be written/)
    await assert.rejects(desk.local.fragment({ path: '/a.txt', x: 1, offset: 0, lengthBytes: 10 }), /cannot be written/)
    await assert.rejects(desk.local.scrub({ depth: 'present' }), /cannot be written/)
  })

  it('no leaf, no change: the change is undone with it', async () => {
    await using desk = await openDesk()
    const { local, memory } = desk
    await store(local, '/a.txt', 'alpha')
    desk.staff.hire(1)
    memory.broken = true
    for (const work of [
      () => store(local, '/a.txt', 'other'),
      () => store(local, '/b.txt', 'other'),
      () => local.createFolder({ path: '/f' }),
      () => local.move({ from: '/a.txt', to: '/c.txt', replace: false }),
      () => local.copy({ from: '/a.txt', to: '/c.txt', replace: false }),
      () => local.remove({ path: '/a.txt', recursive: false }),
      () => local.remove({ path: '/a.txt', recursive: false, now: true }),
      () => local.setKeeping({ path: '/', versionsDays: 1, versionsMin: null, trashDays: null, holdUntil: null, release: false }),
      () => local.setGrant(toPerson(1, '/', 'read')),
    ])
      await assert.rejects(work, /cannot be written/, work.toString())
    memory.broken = false
    assert.deepEqual(await names(local, '/'), ['/a.txt'])
    assert.equal(await read(local, '/a.txt'), 'alpha')
    assert.equal((await local.keeping({ path: '/' })).own, null)
    assert.deepEqual((await local.grants({ path: '/' })).grants, [])
  })

  it('they say who, what and how it ended, and an object only by its random id', async () => {
    await using desk = await openDesk()
    const door = desk.access.enter(desk.staff.hire(1, { roles: ['data-steward'] }))
    await store(door, '/a.txt', 'alpha')
    await read(door, '/a.txt')
    await door.move({ from: '/a.txt', to: '/b.txt', replace: false })
    const seen = desk.memory.deeds.map(({ kind, outcome, actor, object }) => [kind, outcome, actor.id, object?.version])
    assert.deepEqual(seen, [
      ['store', 'done', idOf(1), 1],
      ['open', 'allowed', idOf(1), 1],
      ['move', 'done', idOf(1), 1],
    ])
    const ids = new Set(desk.memory.deeds.map(({ object }) => object?.id))
    assert.equal(ids.size, 1)
  })
})

describe('revocation', () => {
  it('ends a running download and a running upload', async () => {
    const clock = turnClock()
    await using desk = await openDesk(clock)
    const { local, staff } = desk
    await local.createFolder({ path: '/study' })
    const big = await local.openToWrite({ path: '/study/big', ifAbsent: false })
    await big.store(once(pattern(3_000_000)))
    const person = staff.hire(1)
    await local.setGrant(toPerson(1, '/study', 'write'))
    const door = desk.access.enter(person)
    const opened = await door.openToRead({ path: '/study/big' })
    const bytes = opened.read({ first: 0, last: opened.sizeBytes - 1 })[Symbol.asyncIterator]()
    assert.equal((await bytes.next()).done, false)
    const write = await door.openToWrite({ path: '/study/new', ifAbsent: false })
    const upload = write.store(
      (async function* () {
        yield pattern(1000)
        await local.setGrant(toPerson(1, '/study', null))
        await clock.sleep(1001, new AbortController().signal)
        yield pattern(1000)
      })(),
    )
    await assert.rejects(upload, denied)
    await assert.rejects(async () => {
      for (;;) if ((await bytes.next()).done === true) return
    }, denied)
    await opened.close()
    await assert.rejects(local.stat({ path: '/study/new' }), (error) => isFailure(error, 'storage.absent'))
  })

  it('a person who left hears no more events', async () => {
    await using desk = await openDesk()
    const person = desk.staff.hire(1, { roles: ['administrator'] })
    const stop = new AbortController()
    const events = desk.access.enter(person).events(stop.signal)[Symbol.asyncIterator]()
    assert.equal((await events.next()).value?.kind, 'status')
    desk.staff.leave(person)
    const next = assert.rejects(events.next(), (error) => isFailure(error, 'access.unauthenticated'))
    await store(desk.local, '/a.txt', 'alpha')
    await next
    stop.abort()
  })
})

describe('uploads that go on', () => {
  it('belong to whoever began them', async () => {
    await using desk = await openDesk()
    await desk.local.createFolder({ path: '/study' })
    const [one, two]: Door[] = [1, 2].map((number) => desk.access.enter(desk.staff.hire(number)))
    for (const number of [1, 2]) await desk.local.setGrant(toPerson(number, '/study', 'write'))
    const begun = await one!.beginUpload({ path: '/study/big', size: 2_000_000, ifAbsent: false })
    assert.equal((await one!.uploads({})).length, 1)
    assert.equal((await two!.uploads({})).length, 0)
    const absent = (error: unknown): boolean => isFailure(error, 'storage.upload-absent')
    for (const work of [
      () => two!.upload(begun.id),
      () => two!.wakeUpload(begun.id),
      () => two!.takeUpload(begun.id, { offset: 0, sha256: '0'.repeat(64) }),
      () => two!.sendUpload(begun.id, { turn: begun.turn, offset: 0 }, once(pattern(10))),
      () => two!.finishUpload(begun.id, { turn: begun.turn }),
      () => two!.cancelUpload(begun.id),
    ])
      await assert.rejects(work, absent)
    await one!.sendUpload(begun.id, { turn: begun.turn, offset: 0 }, once(pattern(2_000_000)))
    await desk.local.setGrant(toPerson(1, '/study', 'read'))
    await assert.rejects(one!.finishUpload(begun.id, { turn: begun.turn }), denied)
    await desk.local.setGrant(toPerson(1, '/study', 'write'))
    assert.equal((await one!.finishUpload(begun.id, { turn: begun.turn })).acknowledged, 3)
    assert.ok(
      desk.memory.deeds.some(({ kind, outcome, object }) => kind === 'store' && outcome === 'done' && object?.path === '/study/big'),
    )
  })
})

describe('search', () => {
  it('finds names below a folder whatever their case, and for a person only what was given', async () => {
    await using desk = await openDesk()
    for (const path of ['/a/Übersicht.TXT', '/a/deep/übersicht 2.txt', '/b/übersicht.txt', '/b/other.txt', '/übersicht/x.txt'])
      await store(desk.local, path, path)
    const found = async (door: Door, path: string, text: string): Promise<string[]> => {
      const paths: string[] = []
      for (let after: string | undefined; ;) {
        const page = await door.search({ path, text, limit: 1, ...(after === undefined ? {} : { after }) })
        paths.push(...page.entries.map((entry) => entry.path))
        if (page.next === null) return paths
        after = page.next
      }
    }
    assert.deepEqual(
      await found(desk.local, '/', 'ÜBERSICHT'),
      ['/a/deep/übersicht 2.txt', '/a/Übersicht.TXT', '/b/übersicht.txt', '/übersicht'].toSorted((a, b) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      ),
    )
    assert.deepEqual(await found(desk.local, '/b', 'übersicht'), ['/b/übersicht.txt'])
    const { trash } = await desk.local.remove({ path: '/b/übersicht.txt', recursive: false })
    assert.deepEqual(await found(desk.local, '/b', 'übersicht'), [])
    await desk.local.restoreTrash({ id: trash ?? '' })
    const door = desk.access.enter(desk.staff.hire(1))
    assert.deepEqual(await found(door, '/', 'übersicht'), [])
    await desk.local.setGrant(toPerson(1, '/a/deep', 'read'))
    await desk.local.setGrant(toPerson(1, '/b/übersicht.txt', 'read'))
    assert.deepEqual(await found(door, '/', 'übersicht'), ['/a/deep/übersicht 2.txt', '/b/übersicht.txt'])
  })
})
