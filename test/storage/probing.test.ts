// Locations are tried again by themselves; one that no longer keeps its promises loses its vote, and an alarm says so until a person has seen to it.
import assert from 'node:assert/strict'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Clock, Failure, systemClock } from '#base'
import type { Capabilities, LocationStatus, Status } from '#contract'
import type { Location } from '../../src/storage/location.ts'
import { BUCKET, fakeS3 } from './locations/fake-s3.ts'
import { makeSite, type TestSite } from './site.ts'

const DAY_MS = 86_400_000

/** The real clock, moved on by a test. */
function movedClock(): Clock & { movedMs: number } {
  const clock: Clock & { movedMs: number } = {
    movedMs: 0,
    now: () => Date.now() + clock.movedMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  }
  return clock
}

interface Actor {
  /** What the location named so says of itself at its next trials; the last is repeated. Without it, the truth. */
  readonly says: Map<string, (Partial<Capabilities> | Failure)[]>
  /** Trials so far, by label. */
  readonly tried: Map<string, number>
  wrap(location: Location): Location
}

function actor(): Actor {
  const says: Actor['says'] = new Map()
  const tried: Actor['tried'] = new Map()
  return {
    says,
    tried,
    wrap: (location) =>
      new Proxy(location, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target)
          if (name !== 'probe') return typeof value === 'function' ? value.bind(target) : value
          return async (options: object) => {
            tried.set(target.label, (tried.get(target.label) ?? 0) + 1)
            const script = says.get(target.label)
            const said = script === undefined ? {} : script.length > 1 ? script.shift()! : script[0]!
            if (said instanceof Failure) throw said
            return { ...(await target.probe(options)), ...said }
          }
        },
      }),
  }
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  for (let look = 0; look < 20_000; look += 1) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  assert.fail('it did not come to that')
}

interface Stage {
  readonly site: TestSite
  readonly clock: ReturnType<typeof movedClock>
  readonly actor: Actor
  readonly at: (label: string) => Promise<LocationStatus>
  readonly alarms: () => Promise<Status['messages']>
}

async function withSite(work: (stage: Stage) => Promise<void>): Promise<void> {
  const clock = movedClock()
  const players = actor()
  const site = await makeSite({ options: { clock, wrapLocation: (location) => players.wrap(location), probeLookMs: 4 } })
  const status = (): Promise<Status> => site.storage.status({ check: false })
  try {
    await work({
      site,
      clock,
      actor: players,
      at: async (label) => (await status()).locations.find((one) => one.label === label)!,
      alarms: async () => (await status()).messages.filter(({ severity }) => severity === 'alarm'),
    })
  } finally {
    await site.end()
  }
}

describe('trials of locations', () => {
  it('happen about once a day, and tell when and how fast', async () => {
    await withSite(async ({ clock, actor: { tried }, at }) => {
      assert.deepEqual([...tried.values()], [1, 1, 1], 'at enrolment')
      assert.equal((await at('a')).probe, null)
      clock.movedMs = 0.85 * DAY_MS
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual([...tried.values()], [1, 1, 1], 'not before the day is over')
      clock.movedMs = 1.15 * DAY_MS
      await until(async () => (await Promise.all(['a', 'b', 'c'].map(at))).every(({ probe }) => probe !== null))
      const { probe, capabilities } = await at('b')
      assert.ok(Math.abs(Date.parse(probe!.at) - clock.now()) < 600_000)
      assert.ok(probe!.upBytesPerSecond! > 0 && probe!.downBytesPerSecond! > 0)
      assert.deepEqual(probe!.lost, [])
      assert.equal(capabilities?.honestCreate, true)
      const before = new Map(tried)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual(tried, before, 'and then not again that day')
    })
  })

  it('take the vote from a location that is not honest any more, until a person has seen to it', async () => {
    await withSite(async ({ site, clock, actor: { says, tried }, at, alarms }) => {
      says.set('b', [
        { honestCreate: false, findings: ['It overwrote an object although it was asked not to: it may not vote on the vault head.'] },
      ])
      clock.movedMs = 1.2 * DAY_MS
      await until(async () => (await at('b')).probe !== null)
      assert.equal((await at('b')).capabilities?.honestCreate, false)
      assert.deepEqual((await at('b')).probe?.lost, ['honestCreate'])
      const [alarm, ...others] = await alarms()
      assert.deepEqual(others, [])
      assert.equal(alarm?.code, 'location.lies')
      assert.match(alarm.text, /^b no longer keeps .* no vote/)
      assert.match(alarm.next, /quorate location test b/)
      assert.equal((await at('a')).capabilities?.honestCreate, true)

      says.delete('b')
      const before = tried.get('b')!
      clock.movedMs = 2.5 * DAY_MS
      await until(async () => tried.get('b')! > before && Date.parse((await at('b')).probe!.at) > clock.now() - 600_000)
      assert.equal((await at('b')).capabilities?.honestCreate, false, 'a good day does not make it honest')
      assert.equal((await alarms()).length, 1)

      await site.reopen()
      assert.equal((await alarms()).length, 1, 'a restart does not either')
      const found = await site.storage.testLocation({ location: 'b' })
      assert.equal(found.honestCreate, true)
      assert.deepEqual([(await at('b')).probe?.lost, await alarms()], [[], []])
    })
  })

  it('do not let a person take back what is still so', async () => {
    await withSite(async ({ site, actor: { says }, at }) => {
      says.set('c', [{ rangedRead: false, objectLock: true }])
      await site.storage.testLocation({ location: 'c' })
      assert.deepEqual((await at('c')).probe?.lost, ['rangedRead'])
      says.set('c', [{ rangedRead: false, objectLock: false }])
      await site.storage.testLocation({ location: 'c' })
      assert.deepEqual((await at('c')).probe?.lost, ['rangedRead', 'objectLock'])
      says.set('c', [{ rangedRead: true, objectLock: false }])
      await site.storage.testLocation({ location: 'c' })
      assert.deepEqual((await at('c')).probe?.lost, ['objectLock'])
    })
  })

  it('are made twice before a location counts as dishonest', async () => {
    await withSite(async ({ clock, actor: { says, tried }, at, alarms }) => {
      says.set('a', [{ honestCreate: false }, {}])
      clock.movedMs = 1.2 * DAY_MS
      await until(async () => (await at('a')).probe !== null)
      assert.equal(tried.get('a'), 3)
      assert.equal((await at('a')).capabilities?.honestCreate, true)
      assert.deepEqual(await alarms(), [])
    })
  })

  it('that cannot be made change nothing, and are made later', async () => {
    await withSite(async ({ clock, actor: { says, tried }, at }) => {
      says.set('a', [new Failure('location.unreachable', { culprits: ['a'] })])
      clock.movedMs = 1.2 * DAY_MS
      await until(() => tried.get('a') === 2)
      await until(async () => (await at('c')).probe !== null)
      assert.equal((await at('a')).probe, null)
      assert.equal((await at('a')).capabilities?.honestCreate, true)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(tried.get('a'), 2, 'not at every look')
      says.delete('a')
      clock.movedMs += 1.1 * 3_600_000
      await until(async () => (await at('a')).probe !== null)
    })
  })

  it('are seldom where nothing can be deleted, and measure no speed there', async () => {
    await withSite(async ({ site, clock, actor: { says, tried }, at }) => {
      says.set('b', [{ deletes: false }])
      await site.storage.testLocation({ location: 'b' })
      assert.deepEqual([(await at('b')).probe?.upBytesPerSecond, (await at('b')).probe?.downBytesPerSecond], [null, null])
      clock.movedMs = 2 * DAY_MS
      await until(async () => (await at('c')).probe !== null)
      assert.equal(tried.get('b'), 2)
      clock.movedMs = 8 * DAY_MS
      await until(() => tried.get('b') === 3)
    })
  })

  it('happen soon after the credentials have changed', async () => {
    await using fake = await fakeS3()
    const site = await makeSite({ vault: false, options: { probeLookMs: 4 } })
    try {
      const keys = join(site.root, 'keys.json')
      await writeFile(keys, JSON.stringify({ accessKeyId: 'A', secretAccessKey: 'S' }))
      await utimes(keys, new Date(), new Date(Date.now() - DAY_MS))
      const spec = `s3:${fake.endpoint}/${BUCKET}?credentials=${encodeURIComponent(keys)}`
      const locations = [...site.folders.slice(0, 2).map((folder) => ({ spec: `folder:${folder}` })), { spec, label: 'cloud' }]
      await site.storage.createVault({ name: 'T', threshold: 2, layout: 'shared', requireAll: false, locations })
      const trials = (): number =>
        new Set(fake.requests.filter(({ key }) => key.startsWith('probe/')).map(({ key }) => key.split('/')[1])).size
      assert.equal(trials(), 1)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(trials(), 1)
      await utimes(keys, new Date(), new Date(Date.now() + 1000))
      await until(() => trials() > 1)
    } finally {
      await site.end()
    }
  })

  it('end with the site, in the middle too', async () => {
    await withSite(async ({ site, clock, actor: { says, tried } }) => {
      says.set('a', [{}])
      clock.movedMs = 1.2 * DAY_MS
      await until(() => (tried.get('a') ?? 0) > 1)
      await site.storage.close()
      const before = new Map(tried)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual(tried, before)
      site.storage = await site.reopen().catch(() => site.storage)
    })
  })
})
