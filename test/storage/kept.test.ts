// Locations that do not let go, and locks that are kept up: a credential without the right to delete is enough to run a vault.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { type Clock, equalPublic, Failure, utf8 } from '#base'
import { createMemoryLocation, type MemoryLocation } from '../../src/storage/locations/memory.ts'
import { createS3Location } from '../../src/storage/locations/s3/s3.ts'
import { clientFor, KEYS, makeBucket, serverFor } from './locations/s3-servers.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'
import { turnClock } from './turn-clock.ts'

const HOUR_MS = 3_600_000
const BYTES = pattern(30_000, 5)
const ROUNDS_MAX = 4000

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (await condition()) return
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
  assert.fail(`this did not come: ${what}`)
}

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

/** Stores, changes, removes, repairs: everything that would like to delete. */
async function live(site: TestSite): Promise<void> {
  const { storage } = site
  await put(storage, '/a', BYTES)
  await put(storage, '/a', pattern(500, 9))
  await put(storage, '/b', BYTES)
  await storage.remove({ path: '/b', recursive: false })
  await put(storage, '/c', BYTES)
}

suite('a location that does not let go', () => {
  for (const refusal of ['kept', 'denied'] as const) {
    test(`${refusal}: the vault is as well as before, says what lies there, and asks rarer each time`, async () => {
      const clock = jumpClock()
      const memories: Record<string, MemoryLocation> = {}
      let asked: string[] = []
      const site = await makeSite({
        options: {
          clock,
          healthTickMs: 8,
          logLimits: { flushMs: 10 },
          wrapLocation: (location) => {
            const memory = (memories[location.label] ??= createMemoryLocation({ label: location.label, clock }))
            if (location.label === 'b')
              memory.discard = async (name) => {
                asked.push(name)
                if (refusal === 'kept') return 'kept'
                throw new Failure('location.denied', { culprits: ['b'], detail: 'b denies' })
              }
            return memory
          },
        },
      })
      try {
        await live(site)
        await until('what b keeps is noted', async () =>
          (await site.storage.status({ check: false })).messages.some(
            ({ code, text }) => code === 'location.kept' && text.startsWith('b keeps'),
          ),
        )
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
        assert.equal(status.locations.find(({ label }) => label === 'b')!.state, 'healthy')
        assert.ok(status.messages.every(({ severity }) => severity === 'hint'))
        await until('a quiet moment', async () => (await site.storage.status({ check: false })).recoveryPoint.pendingChanges === 0)
        asked = []
        // Each repair sweeps; names that were refused a moment ago are left alone.
        for (let i = 0; i < 3; i++) await finished(site.storage, site.storage.repair({}))
        const often = asked.filter((name, index) => asked.indexOf(name) !== index)
        assert.deepEqual(often, [], 'no name is asked for twice')
        const first = new Set(asked)
        asked = []
        clock.jump(HOUR_MS + 60_000)
        await finished(site.storage, site.storage.repair({}))
        await until('it is asked again after an hour', () => asked.length > 0)
        assert.ok(asked.length >= first.size)
        asked = []
        clock.jump(HOUR_MS + 60_000)
        await finished(site.storage, site.storage.repair({}))
        await site.reopen()
        assert.ok(!asked.some((name) => first.has(name)), 'the second pause is longer')
        assert.ok(equalPublic(await get(site.storage, '/c'), BYTES))
      } finally {
        await site.end()
      }
    })
  }
})

suite('locks', () => {
  test('are made longer for all that is wanted, in each quarter of their time, and what is refused is said', async () => {
    const clock = jumpClock()
    const extended = new Map<string, number>()
    let refuse = false
    const site = await makeSite({
      options: {
        clock,
        healthTickMs: 8,
        logLimits: { flushMs: 10 },
        wrapLocation: (location) => {
          const memory = createMemoryLocation({ label: location.label, clock })
          if (location.label !== 'a') return memory
          return Object.assign(memory, {
            lockDays: 4,
            extendLock: async (name: string) => {
              if (refuse) return 'refused' as const
              if (!memory.objects.has(name)) throw new Failure('location.absent', { culprits: ['a'] })
              extended.set(name, (extended.get(name) ?? 0) + 1)
              return 'extended' as const
            },
          })
        },
      },
    })
    try {
      await site.storage.setHealth({ paused: true })
      for (let i = 0; i < 5; i++) await put(site.storage, `/f${i}`, BYTES)
      const names = await Promise.all(
        [0, 1, 2, 3, 4].map(async (i) => {
          const { fragments } = await site.storage.placement({ path: `/f${i}` })
          return fragments.find(({ label }) => label === 'a')!.name!
        }),
      )
      await until('every lock once, also while checks are paused', () => {
        clock.jump(HOUR_MS)
        return names.every((name) => extended.has(name)) && extended.has('location.json')
      })
      const before = new Map(extended)
      await until('and again in the next day', () => {
        clock.jump(HOUR_MS)
        return names.every((name) => extended.get(name)! > before.get(name)!)
      })
      assert.ok(
        [...extended.keys()].some((name) => name.startsWith('head/')),
        'the newest head, too',
      )
      refuse = true
      await until('the warning', async () => {
        clock.jump(HOUR_MS)
        return (await site.storage.status({ check: false })).messages.some(
          ({ code, severity, text }) => code === 'location.lock' && severity === 'warning' && text.includes('could not be made longer'),
        )
      })
    } finally {
      await site.end()
    }
  })
})

const ceph = serverFor('ceph')
if (ceph !== undefined) {
  suite('Ceph with a policy that forbids to delete', () => {
    test('a vault lives, repairs and is read; nothing fails, and what lies there is said', async () => {
      const site = await makeSite({ vault: false, options: { stallMs: 10_000, logLimits: { flushMs: 50 } } })
      try {
        const bucket = await makeBucket(ceph)
        const file = join(site.root, 'ceph.ini')
        const { id, secret } = KEYS.ceph
        await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 })
        await forbid(bucket, ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'])
        const locations = [
          { spec: `s3:${ceph.endpoint}/${bucket}/vault?credentials=${encodeURIComponent(file)}`, label: 'ceph' },
          ...site.folders.slice(0, 2).map((folder, index) => ({ spec: `folder:${folder}`, label: ['a', 'b'][index]! })),
        ]
        await site.storage.createVault({ name: 'Test', threshold: 2, locations })
        const { deletes } = await site.storage.testLocation({ location: 'ceph' })
        assert.equal(deletes, false, 'the policy holds')
        await live(site)
        await finished(site.storage, site.storage.repair({}))
        await until('what it keeps is noted', async () =>
          (await site.storage.status({ check: false })).messages.some(
            ({ code, text }) => code === 'location.kept' && text.startsWith('ceph keeps'),
          ),
        )
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
        assert.equal(status.locations.find(({ label }) => label === 'ceph')!.state, 'healthy')
        assert.ok(equalPublic(await get(site.storage, '/c'), BYTES))
        const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
        assert.deepEqual(
          scrubbed.report!.findings.filter(({ kind }) => kind !== 'orphan'),
          [],
        )
      } finally {
        await site.end()
      }
    })

    test('what somebody deleted in a bucket with versions is said to be kept there', async () => {
      const bucket = await makeBucket(ceph, { locked: true })
      const location = createS3Location({
        label: 'cloud',
        endpoint: ceph.endpoint,
        bucket,
        region: 'us-east-1',
        credentials: async () => ceph.credentials,
      })
      for (const name of ['aa/x', 'aa/xy']) await location.putIfAbsent(name, utf8(name))
      const client = clientFor(ceph, bucket)
      await client.expect({ method: 'DELETE', key: 'aa/x' })
      assert.equal(await location.head('aa/x'), undefined)
      assert.equal(await location.hides!('aa/x'), true)
      assert.equal(await location.hides!('aa/never'), false)
      assert.equal(await location.hides!('aa'), false, 'what only begins alike is another name')
      client.close()
      await location.close()
    })

    test('a lock is made longer before it ends; one that lasts long enough is left alone; without the right it is refused', async () => {
      const bucket = await makeBucket(ceph, { locked: true })
      const at = (days: number) =>
        createS3Location({
          label: 'cloud',
          endpoint: ceph.endpoint,
          bucket,
          region: 'us-east-1',
          credentials: async () => ceph.credentials,
          lock: { mode: 'governance', days },
        })
      const [short, long] = [at(1), at(40)]
      assert.equal(await short.putIfAbsent('aa/x', utf8('bytes')), 'created')
      assert.equal(await short.extendLock!('aa/x'), 'held')
      assert.equal(await long.extendLock!('aa/x'), 'extended')
      const client = clientFor(ceph, bucket)
      const found = await client.expect({ method: 'HEAD', key: 'aa/x' })
      const untilMs = Date.parse(String(found.headers['x-amz-object-lock-retain-until-date']))
      assert.ok(Math.abs(untilMs - Date.now() - 40 * 24 * HOUR_MS) < HOUR_MS)
      assert.equal(await long.extendLock!('aa/x'), 'held')
      await assert.rejects(long.extendLock!('aa/absent'), (error) => error instanceof Failure && error.code === 'location.absent')
      await forbid(bucket, ['s3:PutObjectRetention'])
      assert.equal(await at(400).extendLock!('aa/x'), 'refused')
      client.close()
      await Promise.all([short.close(), long.close()])
    })
  })
}

/** For everybody, the owner among them. */
async function forbid(bucket: string, actions: readonly string[]): Promise<void> {
  const client = clientFor(ceph!, bucket)
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Principal: '*', Action: actions, Resource }] }
  await client.expect({ method: 'PUT', query: [['policy', '']], body: [utf8(JSON.stringify(policy))] })
  client.close()
}
