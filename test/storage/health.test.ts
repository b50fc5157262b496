// The vault looks after itself: what is checked when, what is repaired in which order, what waits for a person, and what is noted of it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Clock, equalPublic, isFailure } from '#base'
import { type FaultySite, fragmentsAt, isFragment, makeFaultySite, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put } from './site.ts'
import { turnClock } from './turn-clock.ts'

const HOUR_MS = 3_600_000
const BYTES = pattern(300_000, 3)

/** Goes by turns, and jumps when it is told to. Who sleeps is not woken by a jump. */
function jumpClock(): Clock & { jump(ms: number): void } {
  const turns = turnClock()
  let ahead = 0
  return {
    now: () => turns.now() + ahead,
    sleep: (ms, signal) => turns.sleep(ms, signal),
    jump: (ms) => {
      ahead += ms
    },
  }
}

const TICK = { healthTickMs: 8 } as const
const ROUNDS_MAX = 6000

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (await condition()) return
    await new Promise((resolve) => {
      setTimeout(resolve, 3)
    })
  }
  assert.fail(`this did not come: ${what}`)
}

async function withWatchedSite(
  request: NonNullable<Parameters<typeof makeFaultySite>[0]>,
  work: (site: FaultySite, clock: ReturnType<typeof jumpClock>) => Promise<void>,
): Promise<void> {
  const clock = jumpClock()
  await withFaultySite({ ...request, options: { clock, ...TICK, ...request.options } }, (site) => work(site, clock))
}

/** Checks hold still; nothing happens by itself but what the test switches on. */
async function still(site: FaultySite, change: Parameters<FaultySite['storage']['setHealth']>[0] = {}): Promise<void> {
  await site.storage.setHealth({ paused: true, autoRepair: false, timeShare: 1, bytesPerSecond: 1e11, repairDelaySeconds: 0, ...change })
}

async function nameAt(site: FaultySite, path: string, label: string): Promise<string> {
  const { fragments } = await site.storage.placement({ path })
  return fragments.find((one) => one.label === label)!.name!
}

function harm(site: FaultySite, label: string, name: string): void {
  const bytes = site.at[label]!.memory.objects.get(name)!
  bytes[Math.floor(bytes.length / 2)]! ^= 0x21
}

async function passOf(site: FaultySite, depth: 'present' | 'tags' | 'full') {
  return (await site.storage.health()).schedule.find((pass) => pass.depth === depth)!
}

/** Checks of this depth begin, and time goes by in small jumps until the first of them has come to its end. */
async function firstPass(
  site: FaultySite,
  clock: ReturnType<typeof jumpClock>,
  { depth, autoRepair = false }: { readonly depth: 'present' | 'tags' | 'full'; readonly autoRepair?: boolean },
): Promise<void> {
  const before = (await passOf(site, depth)).finished
  await still(site, { paused: false, autoRepair, schedule: only(depth) })
  let rounds = 0
  await until(`the end of a pass of ${depth}`, async () => {
    // Nearly a period, then slowly: the next pass must not begin before this one is seen to end.
    clock.jump(rounds++ < 49 ? HOUR_MS / 50 : HOUR_MS / 100_000)
    return (await passOf(site, depth)).finished !== before
  })
}

const only = (depth: 'present' | 'tags' | 'full', everyHours = 1) =>
  (['present', 'tags', 'full'] as const).map((one) => ({ depth: one, enabled: one === depth, everyHours }))

suite('checking by schedule', () => {
  test('a damaged byte that nobody reads is found by tags and repaired by itself, also in the catalogue', () =>
    withWatchedSite({ options: { logLimits: { flushMs: 15 } } }, async (site, clock) => {
      await still(site)
      for (let i = 0; i < 4; i++) await put(site.storage, `/f${i}`, BYTES)
      await until(
        'the catalogue in the vault',
        async () => (await site.storage.status({ check: false })).recoveryPoint.pendingChanges === 0,
      )
      for (let i = 0; i < 4; i++) harm(site, 'c', await nameAt(site, `/f${i}`, 'c'))
      const ofFiles = new Set(await Promise.all([0, 1, 2, 3].map((i) => nameAt(site, `/f${i}`, 'a'))))
      const ofCatalogue = fragmentsAt(site.at['a']!).filter((name) => !ofFiles.has(name))
      assert.ok(ofCatalogue.length > 0)
      for (const name of ofCatalogue) harm(site, 'a', name)
      await firstPass(site, clock, { depth: 'tags', autoRepair: true })
      assert.ok((await passOf(site, 'tags')).findings >= 4 + ofCatalogue.length)
      await until('a repair', async () => {
        clock.jump(60_000)
        return (await site.storage.health()).debt.fragments === 0 && site.storage.tasks().every(({ state }) => state !== 'running')
      })
      const repairs = site.storage.tasks().filter(({ kind }) => kind === 'repair')
      assert.ok(repairs.length >= 1)
      assert.equal((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings.length, 0)
      assert.ok(equalPublic(await get(site.storage, '/f0'), BYTES))
    }))

  test('names and sizes are compared with lists; a list that hides a name blames nobody', () =>
    withWatchedSite({ count: 4 }, async (site, clock) => {
      await still(site)
      for (const path of ['/gone', '/short', '/hidden', '/well']) await put(site.storage, path, BYTES)
      const [gone, short, hidden] = await Promise.all([
        nameAt(site, '/gone', 'b'),
        nameAt(site, '/short', 'c'),
        nameAt(site, '/hidden', 'd'),
      ])
      site.at['b']!.memory.objects.delete(gone)
      site.at['c']!.memory.objects.set(short, site.at['c']!.memory.objects.get(short)!.slice(0, 999))
      const { memory } = site.at['d']!
      const list = memory.list.bind(memory)
      memory.list = async (request, options) => {
        const page = await list(request, options)
        return { ...page, entries: page.entries.filter(({ name }) => name !== hidden) }
      }
      await firstPass(site, clock, { depth: 'present' })
      const stateOf = async (path: string, label: string) =>
        (await site.storage.placement({ path })).fragments.find((one) => one.label === label)!.state
      assert.equal(await stateOf('/gone', 'b'), 'lost')
      assert.equal(await stateOf('/short', 'c'), 'corrupt')
      assert.equal(await stateOf('/hidden', 'd'), 'held')
      assert.equal((await passOf(site, 'present')).findings, 2)
      assert.equal((await site.storage.health()).debt.fragments, 2)
    }))

  test('a full read names what cannot be read any more, and who gave wrong bytes', () =>
    withWatchedSite({}, async (site, clock) => {
      await still(site)
      await put(site.storage, '/lost', BYTES)
      await put(site.storage, '/empty', new Uint8Array(0))
      for (const label of ['a', 'b']) harm(site, label, await nameAt(site, '/lost', label))
      await firstPass(site, clock, { depth: 'full' })
      assert.ok((await passOf(site, 'full')).findings >= 1)
      const task = await finished(site.storage, site.storage.scrub({ depth: 'full' }))
      const unreadable = task.report!.findings.filter(({ kind }) => kind === 'unreadable')
      assert.deepEqual(
        unreadable.map(({ path }) => path),
        ['/lost'],
      )
      await assert.rejects(site.storage.scrub({ depth: 'full', location: 'a' }), (error) => isFailure(error, 'base.invalid'))
    }))

  test('a pass goes on after a restart where it was, and holds still while it is paused', () =>
    withWatchedSite({}, async (site, clock) => {
      await still(site)
      for (let i = 0; i < 12; i++) await put(site.storage, `/f${i}`, pattern(500, i))
      const before = site.at['a']!.faulty.calls.length
      for (let i = 0; i < 20; i++) {
        clock.jump(HOUR_MS)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
      }
      const opened = site.at['a']!.faulty.calls.slice(before).filter((call) => isFragment(call) && call.operation === 'open')
      assert.equal(opened.length, 0, 'nothing is read while checks are paused')
      await still(site, { paused: false, schedule: only('tags', 1000) })
      await until('some of the pass', async () => {
        clock.jump(HOUR_MS * 5)
        const { progress } = await passOf(site, 'tags')
        return progress !== null && progress > 0.2
      })
      const { began, progress, checkedFragments } = await passOf(site, 'tags')
      assert.ok(progress! < 1 && checkedFragments > 0)
      await site.reopen()
      const again = await passOf(site, 'tags')
      assert.equal(again.began, began)
      assert.ok(again.progress! >= progress!)
      assert.ok(again.checkedFragments >= checkedFragments)
      await until('the end', async () => {
        clock.jump(HOUR_MS * 20)
        return (await passOf(site, 'tags')).finished !== null
      })
      const end = await passOf(site, 'tags')
      assert.equal(end.began, began)
      const names = fragmentsAt(site.at['a']!).length * 3
      assert.ok(end.checkedFragments >= 36 && end.checkedFragments <= names, `${end.checkedFragments} of ${names}`)
      assert.equal(end.findings, 0)
    }))
})

suite('repair by itself', () => {
  test('what is nearest to loss comes first', () =>
    withWatchedSite({ threshold: 2, count: 4 }, async (site) => {
      await still(site)
      for (const path of ['/calm', '/near', '/middle']) await put(site.storage, path, BYTES)
      const lose = async (path: string, ...labels: string[]): Promise<void> => {
        for (const label of labels) site.at[label]!.memory.objects.delete(await nameAt(site, path, label))
      }
      await lose('/calm', 'd')
      await lose('/near', 'd', 'c')
      await lose('/middle', 'd')
      await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      const calls = site.at['d']!.faulty.calls.length
      const { urgent } = (await site.storage.health()).debt
      assert.equal(urgent, 2, 'both fragments of the file with exactly k left')
      await still(site, { autoRepair: true })
      await until('repair', async () => (await site.storage.status({ check: false })).repairDue === 0)
      const written = site.at['d']!.faulty.calls.slice(calls).filter((call) => isFragment(call) && call.operation === 'create')
      assert.equal(written[0]!.name, await nameAt(site, '/near', 'd'))
    }))

  test('one lost fragment of several waits for the delay; one without redundancy does not', () =>
    withWatchedSite({ threshold: 2, count: 4 }, async (site, clock) => {
      await still(site, { autoRepair: true, repairDelaySeconds: 86_400 })
      await put(site.storage, '/calm', BYTES)
      site.at['d']!.memory.objects.delete(await nameAt(site, '/calm', 'd'))
      await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      await until('a note of the damage', async () => (await site.storage.health()).debt.oldest !== null)
      clock.jump(HOUR_MS)
      await until('a sample', async () => (await site.storage.healthHistory({})).samples.some(({ lost }) => lost === 1))
      assert.deepEqual(
        site.storage.tasks().filter(({ kind }) => kind === 'repair'),
        [],
      )
      site.at['c']!.memory.objects.delete(await nameAt(site, '/calm', 'c'))
      await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      await until('a repair at once', async () => (await site.storage.status({ check: false })).repairDue === 0)
    }))

  test('a place that was emptied under its marker is not filled until a person says so, and the next time asks anew', () =>
    withWatchedSite({}, async (site) => {
      await still(site)
      for (let i = 0; i < 25; i++) await put(site.storage, `/f${i}`, pattern(100, i))
      const empty = async (): Promise<void> => {
        for (const name of fragmentsAt(site.at['b']!)) site.at['b']!.memory.objects.delete(name)
        await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      }
      await empty()
      await still(site, { autoRepair: true })
      await until('the alarm', async () => (await site.storage.health()).debt.heldBack.includes('b'))
      const messages = (await site.storage.status({ check: false })).messages
      assert.ok(
        messages.some(({ severity, code, text }) => severity === 'alarm' && code === 'storage.mass-loss' && text.includes('b lost')),
        JSON.stringify(messages),
      )
      assert.ok(messages.every(({ text }) => !text.includes('older versions')))
      const before = fragmentsAt(site.at['b']!).length
      for (let i = 0; i < 30; i++)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
      assert.equal(fragmentsAt(site.at['b']!).length, before, 'nothing was written there')
      const task = await finished(site.storage, site.storage.repair({}))
      assert.equal(task.state, 'done')
      assert.ok(task.report!.repairedFragments >= 25)
      assert.deepEqual((await site.storage.health()).debt.heldBack, [])
      await still(site)
      await empty()
      assert.deepEqual((await site.storage.health()).debt.heldBack, ['b'])
    }))

  test('while a change is paused, damage is repaired all the same, and what the change is to fill waits for it', () =>
    withWatchedSite({ threshold: 2, count: 3 }, async (site) => {
      await still(site)
      for (let i = 0; i < 3; i++) await put(site.storage, `/f${i}`, BYTES)
      await site.storage.steerChange({ bytesPerSecond: 1 })
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      await site.storage.requestChange({ refresh: 'shares' })
      await site.storage.steerChange({ state: 'paused' })
      site.at['c']!.memory.objects.delete(await nameAt(site, '/f1', 'c'))
      await finished(site.storage, site.storage.scrub({ depth: 'present', location: 'c' }))
      await still(site, { autoRepair: true })
      await until('the repair of what was lost', async () => {
        const { fragments } = await site.storage.placement({ path: '/f1' })
        return fragments.find(({ label }) => label === 'c')!.state === 'held'
      })
      const { fragments } = await site.storage.placement({ path: '/f0' })
      assert.notEqual(fragments.find(({ label }) => label === 'd')?.state, 'held', 'the change is paused')
    }))

  test('a bucket that still keeps what was deleted is said to', () =>
    withWatchedSite({}, async (site) => {
      await still(site)
      for (let i = 0; i < 25; i++) await put(site.storage, `/f${i}`, pattern(100, i))
      const { faulty, memory } = site.at['b']!
      const deleted = new Set(fragmentsAt(site.at['b']!))
      Object.assign(faulty, { hides: async (name: string) => deleted.has(name) && !memory.objects.has(name) })
      for (const name of deleted) memory.objects.delete(name)
      const task = await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      assert.ok(task.report!.findings.some(({ detail }) => detail === 'it was deleted; the place still keeps an older version of it'))
      const alarm = async () => (await site.storage.status({ check: false })).messages.find(({ code }) => code === 'storage.mass-loss')
      const said = await alarm()
      assert.match(said!.text, /^b lost or changed \d+ fragments at once.* still keeps older versions of at least 2[5-9] of them/)
      assert.match(said!.next, /bring the older versions back/)
      await finished(site.storage, site.storage.repair({}))
      assert.equal(await alarm(), undefined)
    }))

  test('a place that was exchanged is never filled by itself', () =>
    withWatchedSite({}, async (site) => {
      await still(site)
      await put(site.storage, '/f', BYTES)
      site.at['b']!.memory.objects.clear()
      await site.storage.status({ check: true })
      await still(site, { autoRepair: true })
      for (let i = 0; i < 30; i++)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
      assert.equal(site.at['b']!.memory.objects.size, 0)
      assert.equal((await site.storage.status({ check: true })).locations.find(({ label }) => label === 'b')!.state, 'empty')
    }))
})

suite('what is measured', () => {
  test('calls, bytes and failures of each location are summed, kept over a restart, and priced', () =>
    withWatchedSite({}, async (site) => {
      await still(site)
      await put(site.storage, '/f', BYTES)
      const of = async (label: string) => (await site.storage.health()).locations.find((one) => one.label === label)!
      const written = await of('a')
      assert.ok(written.usage.bytesIn > BYTES.length, 'the fragment, the catalogue and the head went in')
      assert.ok(written.usage.puts >= 2 && written.usage.errors === 0)
      assert.notEqual(written.usage.p50Ms, null)
      site.at['b']!.plan = (call) =>
        isFragment(call) && call.operation === 'open' ? { kind: 'fail', code: 'location.unreachable', when: 'before' } : undefined
      await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      site.at['b']!.plan = () => undefined
      const [a, b, c] = [await of('a'), await of('b'), await of('c')]
      assert.ok(a.usage.bytesOut > BYTES.length && c.usage.bytesOut > BYTES.length)
      assert.ok(b.usage.errors > 0 && a.usage.errors === 0 && c.usage.errors === 0, 'the one that refused')
      assert.equal(a.costPerMonth, null)
      const price = { currency: 'EUR', perGiBMonth: 1024, perGiBOut: 0, per10kPuts: 0, per10kGets: 0 }
      const priced = await site.storage.setTraits({ location: 'a', traits: { provider: 'West', jurisdiction: 'DE', price } })
      assert.equal(priced.costPerMonth!.currency, 'EUR')
      assert.ok(Math.abs(priced.costPerMonth!.amount - (priced.storedBytes / 2 ** 30) * 1024) < 1e-6)
      const before = await of('a')
      await site.reopen()
      const after = await of('a')
      assert.ok(after.usage.bytesIn >= before.usage.bytesIn && after.usage.gets >= before.usage.gets)
      assert.equal(after.traits.provider, 'West')
      await assert.rejects(site.storage.setTraits({ location: 'z', traits: {} }), (error) => isFailure(error, 'storage.absent'))
    }))

  test('a sample each hour; of days long ago the worst one stays', () =>
    withWatchedSite({}, async (site, clock) => {
      await still(site)
      await put(site.storage, '/f', BYTES)
      const name = await nameAt(site, '/f', 'b')
      const first = clock.now()
      const samples = async () => (await site.storage.healthHistory({ days: 3653 })).samples
      const next = async (): Promise<void> => {
        const last = (await samples()).at(-1)?.at
        clock.jump(8 * HOUR_MS)
        await until('the next sample', async () => (await samples()).at(-1)?.at !== last)
      }
      await next()
      // One bad stretch of eight hours on the second day.
      for (let i = 0; i < 3; i++) await next()
      const bytes = site.at['b']!.memory.objects.get(name)!
      site.at['b']!.memory.objects.delete(name)
      await finished(site.storage, site.storage.scrub({ depth: 'present' }))
      await next()
      site.at['b']!.memory.objects.set(name, bytes)
      await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      while (clock.now() < first + 36 * 24 * HOUR_MS) await next()
      const all = await samples()
      const old = all.filter(({ at }) => Date.parse(at) < clock.now() - 31 * 24 * HOUR_MS)
      const days = new Set(old.map(({ at }) => at.slice(0, 10)))
      assert.equal(old.length, days.size, 'one of each day')
      assert.ok(old.length >= 3)
      assert.equal(old.filter(({ lost }) => lost === 1).length, 1, 'the worst hour of its day stays')
      assert.ok(all.length - old.length > 80, 'of newer days every sample stays')
    }))
})
