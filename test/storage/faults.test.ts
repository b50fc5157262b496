// Locations that hang, refuse, fill up, lie, forget and die: what is acknowledged stays, who fails is named, and nothing half-written is seen.
import assert from 'node:assert/strict'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { equalPublic, type Failure, isFailure } from '#base'
import { type Location, openSiteStorage } from '#storage'
import type { Fault, FaultyOperation } from '../../src/storage/locations/faulty.ts'
import { type Control, type FaultySite, fragmentsAt, IMPATIENT, isFragment, on, remember, withFaultySite } from './faulty-site.ts'
import { databaseOf } from './database-of.ts'
import { finished, get, pattern, put, quiet } from './site.ts'

const HANG: Fault = { kind: 'hang' }
const BYTES = pattern(700_000, 7)

async function scrubbed(site: FaultySite, location?: string): Promise<string[]> {
  const task = await finished(site.storage, site.storage.scrub({ depth: 'tags', ...(location === undefined ? {} : { location }) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return task.report!.findings.map((one) => `${one.location} ${one.kind} ${one.path}`).toSorted()
}

async function repaired(site: FaultySite): Promise<{ fragments: number; findings: string[] }> {
  const task = await finished(site.storage, site.storage.repair({}))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return { fragments: task.report!.repairedFragments, findings: task.report!.findings.map((one) => `${one.location} ${one.kind}`) }
}

/** Everything is well: no findings, no orphans, full redundancy. */
async function healthy(site: FaultySite): Promise<void> {
  assert.deepEqual(await scrubbed(site), [])
  const status = await site.storage.status({ check: true })
  assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
  assert.equal(status.repairDue, 0)
}

/** Fragments of files only, by path: the names the catalogue knows at a place. */
async function nameAt(site: FaultySite, path: string, label: string): Promise<string> {
  const { fragments } = await site.storage.placement({ path })
  return fragments.find((one) => one.label === label)!.name!
}

function harm(site: FaultySite, label: string, name: string, ...offsets: number[]): void {
  const bytes = site.at[label]!.memory.objects.get(name)!
  for (const at of offsets) bytes[at < 0 ? bytes.length + at : at]! ^= 0x11
}

suite('one location hangs', () => {
  for (const operation of ['create', 'write', 'finish'] as FaultyOperation[]) {
    test(`in ${operation}: the upload is acknowledged without it, and repair brings the rest`, () =>
      withFaultySite({}, async (site) => {
        site.at['b']!.plan = on([operation], HANG)
        const stored = await put(site.storage, '/x', BYTES)
        assert.equal(stored.acknowledged, 2)
        assert.deepEqual(stored.laggards, ['b'])
        assert.match(stored.note, /^stored, no redundancy yet: b did not take it; repair due$/)
        assert.equal(stored.entry.redundancy, 'no-redundancy')
        assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
        site.at['b']!.plan = () => undefined
        const status = await site.storage.status({ check: true })
        assert.equal(status.health, 'degraded')
        assert.equal(status.repairDue, 1)
        assert.equal(status.withoutRedundancy, 1)
        const { fragments, findings } = await repaired(site)
        assert.deepEqual([fragments, findings], [1, []])
        await healthy(site)
      }))

    test(`in ${operation}: a vault that demands all refuses, and keeps nothing`, () =>
      withFaultySite({ requireAll: true }, async (site) => {
        const before = ['a', 'b', 'c'].map((label) => fragmentsAt(site.at[label]!).length)
        site.at['b']!.plan = on([operation], HANG)
        await assert.rejects(put(site.storage, '/x', BYTES), (error) => isFailure(error, 'storage.quorum') && error.culprits.join() === 'b')
        site.at['b']!.plan = () => undefined
        assert.deepEqual((await site.storage.list({ path: '/', recursive: true })).entries, [])
        assert.deepEqual(
          ['a', 'b', 'c'].map((label) => fragmentsAt(site.at[label]!).length),
          before,
        )
        await site.storage.status({ check: true })
        assert.ok((await put(site.storage, '/x', BYTES)).acknowledged === 3)
        await healthy(site)
      }))
  }

  for (const operation of ['open', 'read'] as FaultyOperation[]) {
    test(`in ${operation}: a reader asks another, again and again, and leaves nothing open`, () =>
      withFaultySite({}, async (site) => {
        await put(site.storage, '/x', BYTES)
        for (const label of ['a', 'b', 'c']) {
          site.at[label]!.plan = on([operation], HANG)
          for (let round = 0; round < 3; round++) {
            assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
            assert.ok(equalPublic(await get(site.storage, '/x', { first: 300_000, last: 400_000 }), BYTES.subarray(300_000, 400_001)))
          }
          site.at[label]!.plan = () => undefined
          await site.storage.status({ check: true })
        }
        // A location that was slow is no liar.
        await healthy(site)
      }))

    test(`two of three hang in ${operation}: a refusal that names them, in time`, () =>
      withFaultySite({}, async (site) => {
        await put(site.storage, '/x', BYTES)
        site.at['a']!.plan = on([operation], HANG)
        site.at['c']!.plan = on([operation], HANG)
        await assert.rejects(
          get(site.storage, '/x'),
          (error) =>
            isFailure(error) &&
            /^format\.(incomplete|record)$/.test(error.code) &&
            ['a', 'c'].every((label) => error.culprits.includes(label)),
        )
        site.at['a']!.plan = () => undefined
        assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      }))
  }

  test('in everything: the site starts, lists, scrubs, repairs and closes without it', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      site.at['a']!.plan = () => HANG
      await site.reopen()
      assert.equal((await site.storage.status({ check: true })).locations[0]!.state, 'unreachable')
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.ok((await put(site.storage, '/y', BYTES)).acknowledged === 2)
      await site.storage.remove({ path: '/x', recursive: false })
      assert.deepEqual(await scrubbed(site), ['a unreachable '])
      assert.deepEqual((await repaired(site)).findings[0], 'a unreachable')
      await site.reopen()
      site.at['a']!.plan = () => undefined
      await site.storage.status({ check: true })
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))
})

suite('answers that are errors', () => {
  for (const operation of ['create', 'write', 'finish'] as FaultyOperation[]) {
    for (const when of operation === 'create' ? (['before'] as const) : (['before', 'after'] as const)) {
      test(`${operation}, ${when} the effect: settled by looking, and never an orphan`, () =>
        withFaultySite({}, async (site) => {
          site.at['c']!.plan = on([operation], { kind: 'fail', when, code: 'location.unreachable' })
          const stored = await put(site.storage, '/x', BYTES)
          // An error after everything was done is no loss.
          assert.equal(stored.acknowledged, operation === 'finish' && when === 'after' ? 3 : 2)
          site.at['c']!.plan = () => undefined
          await site.storage.status({ check: true })
          await repaired(site)
          await site.reopen()
          await healthy(site)
        }))
    }
  }

  for (const [code, words] of [
    ['location.denied', /misbehaves/],
    ['location.full', /misbehaves/],
  ] as const) {
    test(`${code}: named with what to do, and repaired when it is over`, () =>
      withFaultySite({}, async (site) => {
        site.at['a']!.plan = on(['create', 'write'], { kind: 'fail', when: 'before', code })
        const stored = await put(site.storage, '/x', BYTES)
        assert.deepEqual(stored.laggards, ['a'])
        const place = (await site.storage.status({ check: false })).locations[0]!
        assert.match(place.detail, words)
        assert.equal(place.next, 'This is a test.')
        assert.notEqual(place.state, 'healthy')
        site.at['b']!.plan = on(['create', 'write'], { kind: 'fail', when: 'before', code })
        await assert.rejects(
          put(site.storage, '/y', BYTES),
          (error) => isFailure(error, 'storage.quorum') && error.culprits.toSorted().join() === 'a,b' && error.next === 'This is a test.',
        )
        site.at['a']!.plan = site.at['b']!.plan = () => undefined
        await site.storage.status({ check: true })
        await repaired(site)
        await site.reopen()
        await healthy(site)
      }))
  }

  test('the quorum is lost at any record: nothing is visible, nothing is left, at once or after a restart', () =>
    withFaultySite({}, async (site) => {
      // The catalogue has gone into the vault.
      await site.reopen()
      const before = () => ['a', 'b', 'c'].map((label) => fragmentsAt(site.at[label]!).length)
      // The vault's own description is there from the first flush on.
      await site.reopen()
      const [first] = [before()]
      for (let at = 0; at < 6; at++) {
        const counts = { a: 0, b: 0 }
        for (const label of ['a', 'b'] as const)
          site.at[label]!.plan = on(
            ['write', 'finish'],
            { kind: 'fail', when: 'before', code: 'location.unreachable' },
            () => counts[label]++ === at,
          )
        await assert.rejects(put(site.storage, '/x', BYTES), (error) => isFailure(error, 'storage.quorum'), `record ${at}`)
        assert.deepEqual((await site.storage.list({ path: '/', recursive: true })).entries, [])
        site.at['a']!.plan = site.at['b']!.plan = () => undefined
        await site.storage.status({ check: true })
      }
      await site.reopen()
      assert.deepEqual(before(), first)
      await healthy(site)
    }))

  test('the places die with the quorum: what they hold is swept when they are back', () =>
    withFaultySite({}, async (site) => {
      await site.reopen()
      const count = (): number[] => ['a', 'b', 'c'].map((label) => fragmentsAt(site.at[label]!).length)
      // The vault's own description is there from the first flush on.
      await site.reopen()
      const before = count()
      let finishes = 0
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) => {
          if (call.operation === 'finish' && isFragment(call)) finishes += 1
          // All three take the file whole; then two are gone before they can say so.
          return finishes > 0 && label !== 'c'
            ? { kind: 'fail', when: call.operation === 'finish' ? 'after' : 'before', code: 'location.unreachable' }
            : undefined
        }
      await assert.rejects(put(site.storage, '/x', pattern(1000)), (error) => isFailure(error, 'storage.quorum'))
      assert.ok(fragmentsAt(site.at['a']!).length > before[0]!)
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      await site.storage.status({ check: true })
      await site.reopen()
      assert.deepEqual(count(), before)
      await healthy(site)
    }))

  test('a body that is cancelled or breaks at any piece leaves nothing', () =>
    withFaultySite({}, async (site) => {
      const before = fragmentsAt(site.at['a']!).length
      for (let at = 0; at <= 7; at++) {
        for (const how of ['cancel', 'break'] as const) {
          const cancel = new AbortController()
          const grant = await site.storage.openToWrite({ path: '/x', ifAbsent: false })
          const body = async function* (): AsyncGenerator<Uint8Array> {
            for (let piece = 0; piece < 8; piece++) {
              if (piece === at && how === 'break') throw new Error('the line broke')
              if (piece === at) cancel.abort()
              yield BYTES.subarray(piece * 87_500, (piece + 1) * 87_500)
            }
          }
          await assert.rejects(grant.store(body(), cancel.signal), (error) =>
            how === 'cancel' ? isFailure(error, 'base.cancelled') : (error as Failure).cause instanceof Error,
          )
        }
      }
      assert.deepEqual((await site.storage.list({ path: '/', recursive: true })).entries, [])
      for (const label of ['a', 'b', 'c']) assert.equal(fragmentsAt(site.at[label]!).length, before)
      await healthy(site)
    }))
})

suite('lies', () => {
  test('two of five lie differently: right bytes, and exactly they are blamed', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      harm(site, 'a', await nameAt(site, '/x', 'a'), 400, 300_000, 600_000)
      // The bytes of another fragment of the same file, under this name.
      site.at['d']!.memory.objects.set(
        await nameAt(site, '/x', 'd'),
        site.at['e']!.memory.objects.get(await nameAt(site, '/x', 'e'))!.slice(),
      )
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await scrubbed(site), ['a corrupt /x', 'd corrupt /x'])
      const status = await site.storage.status({ check: true })
      assert.deepEqual(
        status.locations.map(({ label, state }) => `${label} ${state}`),
        ['a lying', 'b healthy', 'c healthy', 'd lying', 'e healthy'],
      )
      assert.equal(status.health, 'degraded')
      assert.equal(status.withoutRedundancy, 1)
      assert.equal((await repaired(site)).fragments, 2)
      await site.reopen()
      await healthy(site)
    }))

  test('one of five gone and one corrupt', () =>
    withFaultySite({ threshold: 3, count: 5, layout: 'sealed' }, async (site) => {
      await put(site.storage, '/x', BYTES)
      harm(site, 'c', await nameAt(site, '/x', 'c'), 5000, 100_000)
      site.at['b']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await scrubbed(site), ['b unreachable ', 'c corrupt /x'])
      assert.equal((await site.storage.status({ check: true })).locations[1]!.state, 'unreachable')
      site.at['b']!.plan = () => undefined
      await site.storage.status({ check: true })
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: damage in different records of two of three, also while it is repaired`, () =>
      withFaultySite({ layout }, async (site) => {
        await put(site.storage, '/x', BYTES)
        const size = (await site.storage.placement({ path: '/x' })).fragments[0]!.sizeBytes
        harm(site, 'a', await nameAt(site, '/x', 'a'), Math.floor(size / 6))
        harm(site, 'b', await nameAt(site, '/x', 'b'), Math.floor(size / 2))
        assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
        assert.deepEqual(await scrubbed(site), ['a corrupt /x', 'b corrupt /x'])
        assert.deepEqual(await repaired(site), { fragments: 2, findings: [] })
        await site.reopen()
        await healthy(site)
        assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      }))

  test('truncated, emptied and replaced by noise', () =>
    withFaultySite({ threshold: 2, count: 5 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      const set = async (label: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> => {
        const name = await nameAt(site, '/x', label)
        const { objects } = site.at[label]!.memory
        objects.set(name, change(objects.get(name)!))
      }
      await set('a', (bytes) => bytes.slice(0, 300_000))
      await set('b', () => new Uint8Array(0))
      await set('c', (bytes) => pattern(bytes.length, 99))
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await scrubbed(site), ['a corrupt /x', 'b corrupt /x', 'c corrupt /x'])
      assert.equal((await finished(site.storage, site.storage.scrub({ depth: 'present' }))).report!.findings.length, 2)
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  test('the fragment of another file under this name, and a file swapped at one place', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      await put(site.storage, '/y', pattern(700_000, 8))
      const { objects } = site.at['a']!.memory
      const [x, y] = [await nameAt(site, '/x', 'a'), await nameAt(site, '/y', 'a')]
      const [bytesX, bytesY] = [objects.get(x)!, objects.get(y)!]
      objects.set(x, bytesY)
      objects.set(y, bytesX)
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.ok(equalPublic(await get(site.storage, '/y'), pattern(700_000, 8)))
      assert.deepEqual(await scrubbed(site), ['a corrupt /x', 'a corrupt /y'])
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  test('a place that was put back to an earlier state: new files are lost there, old ones are fine', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/old', BYTES)
      const back = remember(site.at['b']!)
      await put(site.storage, '/new', pattern(300_000, 3))
      await put(site.storage, '/old', pattern(300_000, 4))
      back()
      assert.ok(equalPublic(await get(site.storage, '/new'), pattern(300_000, 3)))
      assert.ok(equalPublic(await get(site.storage, '/old'), pattern(300_000, 4)))
      assert.deepEqual(
        (await scrubbed(site)).filter((one) => !one.includes('catalogue')),
        ['b lost /new', 'b lost /old'],
      )
      const status = await site.storage.status({ check: true })
      assert.equal(status.locations[1]!.state, 'degraded')
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  test('a location that denies what it has and claims what it has not', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      site.at['a']!.plan = on(['open', 'head'], { kind: 'lie', says: 'absent' })
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.ok((await scrubbed(site)).includes('a lost /x'))
      // It acknowledges what it does not keep: only looking tells.
      site.at['a']!.plan = on(['finish'], { kind: 'lie', says: 'done' })
      assert.equal((await put(site.storage, '/y', BYTES)).acknowledged, 3)
      site.at['a']!.plan = () => undefined
      assert.ok((await scrubbed(site)).includes('a lost /y'))
      assert.ok(equalPublic(await get(site.storage, '/y'), BYTES))
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  test('bytes that were wrong on their way only: a scrub acquits the place', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      for (const label of ['a', 'b', 'c']) {
        site.at[label]!.plan = on(['read'], { kind: 'corrupt', offset: 300_000, xor: 1 })
        assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
        site.at[label]!.plan = () => undefined
      }
      await healthy(site)
    }))

  test('exactly k left, and the trailing HEAD copy of one is damaged: the front copy serves', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      const name = await nameAt(site, '/x', 'a')
      const bytes = site.at['a']!.memory.objects.get(name)!
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const trailer = bytes.length - 8 - view.getUint32(bytes.length - 8)
      harm(site, 'a', name, trailer + 8 + 5 + 3)
      site.at['b']!.plan = on(['open'], { kind: 'fail', when: 'before', code: 'location.unreachable' })
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      site.at['b']!.plan = () => undefined
      await site.storage.status({ check: true })
      assert.deepEqual(await scrubbed(site), ['a head-copy /x'])
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))
})

suite('readers', () => {
  test('a range is read again after a place of the first read is gone', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      await get(site.storage, '/x', { first: 0, last: 10 })
      for (const label of ['a', 'b', 'c']) {
        site.at[label]!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
        assert.ok(equalPublic(await get(site.storage, '/x', { first: 5, last: 600_000 }), BYTES.subarray(5, 600_001)), label)
        site.at[label]!.plan = () => undefined
        await site.storage.status({ check: true })
      }
    }))

  test('places come and go while a file is read', () =>
    withFaultySite({ layout: 'sealed' }, async (site) => {
      const bytes = pattern(5_000_000, 2)
      await put(site.storage, '/x', bytes)
      const labels = ['a', 'b', 'c']
      let turn = 0
      const opened = await site.storage.openToRead({ path: '/x' })
      const parts: Uint8Array[] = []
      for await (const part of opened.read({ first: 0, last: bytes.length - 1 })) {
        parts.push(part.slice())
        const away = labels[turn++ % 3]!
        for (const label of labels)
          site.at[label]!.plan = label === away ? () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' }) : () => undefined
      }
      await opened.close()
      assert.ok(equalPublic(Buffer.concat(parts), bytes))
    }))

  test('readers that leave early, are cancelled or never read give everything back', () =>
    withFaultySite({ options: { arenaBytesMax: 16 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(4_000_000, 2)
      await put(site.storage, '/x', bytes)
      for (let round = 0; round < 1000; round++) {
        const cancel = new AbortController()
        const opened = await site.storage.openToRead({ path: '/x' }, cancel.signal)
        if (round % 4 === 0) {
          for await (const _ of opened.read({ first: 0, last: bytes.length - 1 })) break
        } else if (round % 4 === 1) {
          const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
          await reading.next()
          cancel.abort()
          await assert.rejects(
            async () => {
              while ((await reading.next()).done !== true);
            },
            (error) => isFailure(error, 'base.cancelled'),
          )
        } else if (round % 4 === 2) {
          const reading = opened.read({ first: 100, last: 400_000 }, cancel.signal)[Symbol.asyncIterator]()
          const next = reading.next()
          cancel.abort()
          await next.catch(() => undefined)
          await reading.return?.(undefined)
        }
        await opened.close()
      }
      for (const label of ['a', 'b', 'c']) assert.equal(site.at[label]!.open, 0, label)
      // Far more than fits into the memory, one after the other: nothing is kept back.
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      await put(site.storage, '/y', bytes)
    }))

  test('many paused readers do not keep an upload, or each other, waiting', () =>
    withFaultySite({ options: { arenaBytesMax: 8 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(2_000_000, 2)
      await put(site.storage, '/x', bytes)
      const readers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const opened = await site.storage.openToRead({ path: '/x' })
          const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
          return { opened, reading, first: (await reading.next()).value!.slice() }
        }),
      )
      await put(site.storage, '/y', bytes)
      for (const { opened, reading, first } of readers) {
        const parts = [first]
        for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value.slice())
        await opened.close()
        assert.ok(equalPublic(Buffer.concat(parts), bytes))
      }
    }))

  test('a copy through the gateway reads and writes at once, many times in little memory', () =>
    withFaultySite({ options: { arenaBytesMax: 12 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(1_200_000, 2)
      await put(site.storage, '/x', bytes)
      await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const opened = await site.storage.openToRead({ path: '/x' })
          const grant = await site.storage.openToWrite({ path: `/copies/${index}`, ifAbsent: true })
          await grant.store(opened.read({ first: 0, last: bytes.length - 1 }))
          await opened.close()
        }),
      )
      for (let index = 0; index < 6; index++) assert.ok(equalPublic(await get(site.storage, `/copies/${index}`), bytes))
    }))
})

suite('at the same time', () => {
  test('uploads to one path are all kept, as versions', () =>
    withFaultySite({}, async (site) => {
      const contents = Array.from({ length: 8 }, (_, index) => pattern(10_000 + index, index))
      await Promise.all(contents.map((bytes) => put(site.storage, '/x', bytes)))
      const { versions } = await site.storage.versions({ path: '/x' })
      assert.deepEqual(
        versions.map(({ number }) => number),
        [8, 7, 6, 5, 4, 3, 2, 1],
      )
      assert.deepEqual(new Set(versions.map(({ size }) => size)), new Set(contents.map(({ length }) => length)))
      await healthy(site)
    }))

  test('an upload of a new version while the file moves away: both stand', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      const grant = await site.storage.openToWrite({ path: '/x', ifAbsent: false })
      await site.storage.move({ from: '/x', to: '/moved', replace: false })
      await grant.store(
        (async function* () {
          yield pattern(200, 2)
        })(),
      )
      assert.ok(equalPublic(await get(site.storage, '/x'), pattern(200, 2)))
      assert.ok(equalPublic(await get(site.storage, '/moved'), pattern(100, 1)))
    }))

  test('a folder takes the name of an upload under way: the upload is refused and leaves nothing', () =>
    withFaultySite({}, async (site) => {
      const before = fragmentsAt(site.at['a']!).length
      const grant = await site.storage.openToWrite({ path: '/x', ifAbsent: false })
      await site.storage.createFolder({ path: '/x' })
      await assert.rejects(
        grant.store(
          (async function* () {
            yield pattern(200, 2)
          })(),
        ),
        (error) => isFailure(error, 'storage.exists'),
      )
      assert.equal(fragmentsAt(site.at['a']!).length, before)
    }))

  test('files that are moved, replaced and removed while they are read', () =>
    withFaultySite({}, async (site) => {
      const bytes = pattern(3_000_000, 5)
      await put(site.storage, '/x', bytes)
      const opened = await site.storage.openToRead({ path: '/x' })
      const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
      const parts = [(await reading.next()).value!.slice()]
      await site.storage.move({ from: '/x', to: '/y', replace: false })
      await put(site.storage, '/y', pattern(10))
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value.slice())
      await opened.close()
      assert.ok(equalPublic(Buffer.concat(parts), bytes))
      // Removed in the middle: the reader ends well or with an error, never with a short file.
      const again = await site.storage.openToRead({ path: '/y', version: 1 })
      const rest = again.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
      await rest.next()
      await site.storage.remove({ path: '/y', recursive: false })
      let length = 0
      try {
        for (let next = await rest.next(); next.done !== true; next = await rest.next()) length += next.value.length
        assert.ok(length > 2_000_000)
      } catch (error) {
        assert.ok(isFailure(error), String(error))
      }
      await again.close()
      await site.reopen()
      await healthy(site)
    }))

  test('closing while uploads and reads are under way leaves a vault that is whole', () =>
    withFaultySite({}, async (site) => {
      const long = pattern(5_000_000, 3)
      await put(site.storage, '/x', long)
      const stalled = await site.storage.openToWrite({ path: '/slow', ifAbsent: false })
      const open = await site.storage.openToRead({ path: '/x' })
      const reading = open.read({ first: 0, last: long.length - 1 })[Symbol.asyncIterator]()
      await reading.next()
      let more = (): void => undefined
      const storing = stalled.store(
        (async function* () {
          yield BYTES
          await new Promise<void>((resolve) => {
            more = resolve
          })
          yield BYTES
        })(),
      )
      const refused = assert.rejects(storing, (error) => isFailure(error, 'base.cancelled'))
      setImmediate(() => more())
      await site.reopen()
      more()
      await refused
      await assert.rejects(async () => {
        while ((await reading.next()).done !== true);
      })
      await healthy(site)
    }))
})

suite('repair and scrub', () => {
  test('a repair that is cancelled or cut off goes on where it was', () =>
    withFaultySite({}, async (site) => {
      for (let index = 0; index < 12; index++) await put(site.storage, `/f/${index}`, pattern(5000, index))
      for (const name of fragmentsAt(site.at['c']!)) site.at['c']!.memory.objects.delete(name)
      await scrubbed(site)
      let made = 0
      const started = site.storage.repair({})
      const { id } = await started
      site.at['c']!.plan = (call) => {
        if (call.operation === 'finish' && isFragment(call) && ++made === 5) void site.storage.cancelTask(id)
        return undefined
      }
      const first = await finished(site.storage, started)
      assert.equal(first.state, 'cancelled')
      site.at['c']!.plan = () => undefined
      assert.ok(fragmentsAt(site.at['c']!).length < 12)
      await site.reopen()
      const second = await repaired(site)
      assert.ok(second.fragments > 0 && second.fragments < 13, String(second.fragments))
      await site.reopen()
      await healthy(site)
    }))

  test('a place that dies while it is repaired is named, and nothing of it is left', () =>
    withFaultySite({}, async (site) => {
      for (let index = 0; index < 6; index++) await put(site.storage, `/f/${index}`, pattern(5000, index))
      for (const name of fragmentsAt(site.at['c']!)) site.at['c']!.memory.objects.delete(name)
      await scrubbed(site)
      for (const fault of [
        HANG,
        { kind: 'fail', when: 'before', code: 'location.full' },
        { kind: 'fail', when: 'before', code: 'location.unreachable' },
      ] as Fault[]) {
        let writes = 0
        site.at['c']!.plan = on(['write'], fault, () => ++writes > 4)
        const { findings } = await repaired(site)
        assert.ok(findings.includes('c unreachable'), JSON.stringify(findings))
        site.at['c']!.plan = () => undefined
        await site.storage.status({ check: true })
      }
      await repaired(site)
      await site.reopen()
      await healthy(site)
    }))

  test('a helper that dies or lies while another is repaired', () =>
    withFaultySite({ threshold: 2, count: 4 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      site.at['d']!.memory.objects.delete(await nameAt(site, '/x', 'd'))
      harm(site, 'a', await nameAt(site, '/x', 'a'), 300_000)
      await scrubbed(site)
      let reads = 0
      site.at['b']!.plan = on(['read', 'open'], { kind: 'fail', when: 'before', code: 'location.unreachable' }, () => ++reads > 3)
      await repaired(site)
      site.at['b']!.plan = () => undefined
      await site.storage.status({ check: true })
      await repaired(site)
      await site.reopen()
      await healthy(site)
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
    }))

  test('a scrub that is cancelled changes nothing', () =>
    withFaultySite({}, async (site) => {
      for (let index = 0; index < 30; index++) await put(site.storage, `/f/${index}`, pattern(5000, index))
      const { id } = await site.storage.scrub({ depth: 'tags' })
      const task = await site.storage.cancelTask(id)
      assert.equal(task.state, 'cancelled')
      await healthy(site)
    }))

  test('a scrub beside uploads and removals blames nobody', () =>
    withFaultySite({}, async (site) => {
      for (let index = 0; index < 30; index++) await put(site.storage, `/f/${index}`, pattern(5000, index))
      const scrub = finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      for (let index = 0; index < 30; index++) {
        await site.storage.remove({ path: `/f/${index}`, recursive: false })
        await put(site.storage, `/g/${index}`, pattern(5000, index))
      }
      assert.deepEqual((await scrub).report!.findings, [])
      await site.reopen()
      await healthy(site)
    }))
})

suite('what the status says', () => {
  test("unreachable, empty, another vault's, degraded, lying: each by its own words, and numbers that add up", () =>
    withFaultySite({ threshold: 2, count: 5 }, async (site) => {
      await put(site.storage, '/x', pattern(1000))
      const states = async (): Promise<string[]> => (await site.storage.status({ check: true })).locations.map(({ state }) => state)
      site.at['a']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      site.at['b']!.memory.objects.delete('location.json')
      const marker = site.at['c']!.memory.objects.get('location.json')!
      site.at['c']!.memory.objects.set('location.json', site.at['d']!.memory.objects.get('location.json')!)
      site.at['d']!.memory.objects.delete(await nameAt(site, '/x', 'd'))
      assert.ok((await scrubbed(site)).includes('d lost /x'))
      assert.deepEqual(await states(), ['unreachable', 'empty', 'empty', 'degraded', 'healthy'])
      const status = await site.storage.status({ check: true })
      assert.equal(status.health, 'unreadable')
      assert.equal(status.withoutRedundancy, 1)
      assert.equal((await site.storage.stat({ path: '/x' })).redundancy, 'unreadable')
      assert.ok(status.messages.some(({ text }) => /one file cannot be opened/.test(text)))
      site.at['a']!.plan = () => undefined
      site.at['c']!.memory.objects.set('location.json', marker)
      assert.deepEqual(await states(), ['healthy', 'empty', 'healthy', 'degraded', 'healthy'])
      assert.equal((await site.storage.status({ check: false })).health, 'degraded')
      assert.equal((await site.storage.stat({ path: '/x' })).redundancy, 'repair-due')
      await repaired(site)
      await site.reopen()
      await healthy(site)
      assert.equal((await site.storage.stat({ path: '/x' })).redundancy, 'redundant')
    }))

  test('a place that fails in work is shown as away at once, and as back after its next answer', () =>
    withFaultySite({}, async (site) => {
      const stop = new AbortController()
      const seen: string[] = []
      const listening = (async () => {
        for await (const event of site.storage.events(stop.signal)) if (event.kind === 'status') seen.push(event.status.locations[1]!.state)
      })()
      site.at['b']!.plan = (call) =>
        call.operation === 'create' ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined
      await put(site.storage, '/x', pattern(1000))
      assert.equal((await site.storage.status({ check: false })).locations[1]!.state, 'unreachable')
      while (!seen.includes('unreachable')) await new Promise((resolve) => setTimeout(resolve, 5))
      site.at['b']!.plan = () => undefined
      await site.storage.status({ check: true })
      while (seen.at(-1) !== 'degraded') await new Promise((resolve) => setTimeout(resolve, 5))
      stop.abort()
      await listening
    }))

  test('a location that was added later gets its share of old files by repair, and of new ones at once', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/old', BYTES)
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      await put(site.storage, '/new', BYTES)
      assert.equal((await site.storage.placement({ path: '/new' })).fragments.length, 4)
      assert.equal((await repaired(site)).findings.length, 0)
      assert.equal((await site.storage.placement({ path: '/old' })).fragments.filter(({ state }) => state === 'held').length, 4)
      site.at['a']!.plan = site.at['b']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await site.storage.status({ check: true })
      assert.ok(equalPublic(await get(site.storage, '/old'), BYTES))
      assert.ok(equalPublic(await get(site.storage, '/new'), BYTES))
      site.at['a']!.plan = site.at['b']!.plan = () => undefined
      await site.storage.status({ check: true })
      await site.reopen()
      await healthy(site)
      await assert.rejects(site.storage.addLocation({ spec: `folder:${site.root}/e`, label: 'd' }), (error) =>
        isFailure(error, 'storage.exists'),
      )
    }))
})

suite('the catalogue in the vault', () => {
  test('one location that holds junk under the name of every head does not stop the others', () =>
    withFaultySite({}, async (site) => {
      site.at['b']!.plan = (call) =>
        call.operation === 'putIfAbsent' && call.name!.startsWith('head/') ? { kind: 'lie', says: 'exists' } : undefined
      await put(site.storage, '/x', pattern(10))
      await site.reopen()
      const { recoveryPoint } = await site.storage.status({ check: true })
      assert.equal(recoveryPoint.pendingChanges, 0)
      assert.ok(recoveryPoint.sequence > 0)
    }))

  test('heads that were written and not answered: the next epoch is taken, and nothing is lost', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(10))
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) =>
          call.operation === 'putIfAbsent' && call.name!.startsWith('head/')
            ? { kind: 'fail', when: 'after', code: 'location.unreachable' }
            : undefined
      await site.reopen()
      await put(site.storage, '/y', pattern(11))
      await site.reopen()
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      await put(site.storage, '/z', pattern(12))
      await site.reopen()
      const { recoveryPoint } = await site.storage.status({ check: true })
      assert.equal(recoveryPoint.pendingChanges, 0)
      await healthy(site)
    }))

  test('a home that was put back from a backup writes over nothing, and says what to do', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      await site.storage.close()
      const backup = `${site.home}.backup`
      await cp(site.home, backup, { recursive: true })
      await site.reopen()
      for (let index = 0; index < 12; index++) {
        await put(site.storage, `/later/${index}`, pattern(10 + index))
        await site.reopen()
      }
      await site.storage.remove({ path: '/x', recursive: false })
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await rename(backup, site.home)
      await site.reopen()
      await put(site.storage, '/z', pattern(12))
      let said: readonly { code: string; next: string }[] = []
      while (said.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        said = (await site.storage.status({ check: false })).messages.filter(({ code }) => code === 'storage.read-only')
      }
      assert.match(said[0]!.next, /quorate recover/)
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await mkdir(site.home, { mode: 0o700 })
      await site.reopen()
      const locations = site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! }))
      assert.equal((await finished(site.storage, site.storage.recover({ locations }))).state, 'done')
      const names = (await site.storage.list({ path: '/', recursive: true })).entries.map(({ path }) => path)
      assert.equal(names.filter((path) => path.startsWith('/later/')).length, 12)
      // What the old home took in meanwhile is there as well; what was removed stays removed.
      assert.ok(names.includes('/z') && !names.includes('/x'))
    }))

  test('a copy of the home that writes beside us is told as that, and no location is blamed', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      await site.storage.close()
      const home = `${site.home}.copy`
      await cp(site.home, home, { recursive: true })
      // Ours has looked at the heads and may write; its own head is kept from the places until the copy has written its own.
      await site.reopen()
      const kept: string[] = []
      const plan: Control['plan'] = ({ operation, name }) => {
        if (operation !== 'putIfAbsent' || !name!.startsWith('head/')) return undefined
        kept.push(name!)
        return { kind: 'fail', when: 'before', code: 'location.full' }
      }
      for (const control of Object.values(site.at)) control.plan = plan
      await put(site.storage, '/ours', pattern(11))
      while (kept.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
      const wrapLocation = ({ label }: Location): Location => site.at[label]!.memory
      for (let index = 0; index < 4; index++) {
        const copy = await openSiteStorage({
          home,
          database: await databaseOf(home),
          variables: {},
          log: quiet,
          productVersion: 'test',
          ...IMPATIENT,
          wrapLocation,
        })
        await put(copy, `/theirs/${index}`, pattern(12))
        await copy.close()
      }
      for (const control of Object.values(site.at)) control.plan = () => undefined
      let codes: readonly string[] = []
      for (let tried = 0; tried < 2000 && !codes.includes('storage.read-only'); tried++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        codes = (await site.storage.status({ check: true })).messages.map(({ code }) => code)
      }
      assert.ok(codes.includes('storage.read-only'), codes.join())
      const { locations } = await site.storage.status({ check: false })
      assert.deepEqual(
        locations.map(({ state }) => state),
        ['healthy', 'healthy', 'healthy'],
      )
    }))

  test('a failure is shown, tried again, and nothing of the changes is lost', () =>
    withFaultySite({ options: { logLimits: { flushMs: 20 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      for (const label of ['a', 'b'])
        site.at[label]!.plan = (call) => (call.operation === 'create' ? { kind: 'fail', when: 'before', code: 'location.full' } : undefined)
      await site.storage.createFolder({ path: '/f' })
      while (!(await site.storage.status({ check: false })).messages.some(({ code }) => code === 'storage.quorum'))
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.ok((await site.storage.status({ check: false })).recoveryPoint.pendingChanges > 0)
      for (const label of ['a', 'b']) site.at[label]!.plan = () => undefined
      while ((await site.storage.status({ check: true })).recoveryPoint.pendingChanges > 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
      await site.reopen()
      await healthy(site)
    }))

  test('snapshots replace segments, and what they replace goes', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10, segmentLinesMax: 5, segmentsMax: 3 } } }, async (site) => {
      for (let index = 0; index < 40; index++) await put(site.storage, `/f/${index}`, pattern(100, index))
      for (let index = 0; index < 40; index += 2) await site.storage.remove({ path: `/f/${index}`, recursive: false })
      await site.reopen()
      await site.reopen()
      await healthy(site)
      // 20 files, a snapshot and at most three segments.
      for (const label of ['a', 'b', 'c']) assert.ok(fragmentsAt(site.at[label]!).length <= 24, String(fragmentsAt(site.at[label]!).length))
    }))
})

suite('names and sizes', () => {
  test('any name of Unicode comes back as it was given, in NFC', () =>
    withFaultySite({}, async (site) => {
      const names = [
        'a b',
        'ä',
        'ﬁ',
        '\u{1F9EC}',
        'x\ny',
        '%2e%2e',
        'CON',
        'نص',
        '例',
        '-',
        '.hidden',
        'o\'brien "q"',
        'Å'.normalize('NFD'),
        'z\u0301\u0302',
        '\u202Eabc',
        'x'.repeat(255),
      ]
      for (const [index, name] of names.entries()) await put(site.storage, `/n/${name}`, pattern(index, index))
      const { entries } = await site.storage.list({ path: '/n', recursive: false })
      assert.deepEqual(entries.map(({ name }) => name).toSorted(), names.map((name) => name.normalize('NFC')).toSorted())
      for (const [index, name] of names.entries()) assert.ok(equalPublic(await get(site.storage, `/n/${name}`), pattern(index, index)))
      await site.storage.move({ from: '/n', to: '/\u{1F4C1}', replace: false })
      for (const [index, name] of names.entries())
        assert.ok(equalPublic(await get(site.storage, `/\u{1F4C1}/${name}`), pattern(index, index)))
      await assert.rejects(site.storage.move({ from: '/\u{1F4C1}', to: `/${'y/'.repeat(2000)}y`, replace: false }), (error) =>
        isFailure(error, 'storage.path'),
      )
    }))

  test('sizes around every edge, in both layouts', async () => {
    for (const layout of ['shared', 'sealed'] as const)
      await withFaultySite({ layout, threshold: 3, count: 4 }, async (site) => {
        for (const size of [0, 1, 1023, 1024, 1025, 262_128, 262_143, 262_144, 262_145, 524_288, 1_048_577]) {
          const bytes = pattern(size, size)
          await put(site.storage, `/${size}`, bytes)
          assert.ok(equalPublic(await get(site.storage, `/${size}`), bytes), `${layout} ${size}`)
          if (size > 0)
            assert.ok(equalPublic(await get(site.storage, `/${size}`, { first: size - 1, last: size - 1 }), bytes.subarray(size - 1)))
        }
        await healthy(site)
      })
  })

  test('every flip in a small fragment is survived, and blamed on its location alone', () =>
    withFaultySite({}, async (site) => {
      const bytes = pattern(100, 9)
      await put(site.storage, '/x', bytes)
      const name = await nameAt(site, '/x', 'a')
      const fragment = site.at['a']!.memory.objects.get(name)!
      const size = fragment.length
      for (let at = 0; at < size; at += 1) {
        // Every byte of HEAD, the record's frame and the tags; a sample of the long shares between them.
        if (at > 250 && at < size - 300 && at % 37 !== 0) continue
        fragment[at]! ^= 1 << (at % 8)
        assert.ok(equalPublic(await get(site.storage, '/x'), bytes), `offset ${at}`)
        fragment[at]! ^= 1 << (at % 8)
      }
      const { locations } = await site.storage.status({ check: true })
      assert.deepEqual(
        locations.map(({ state }) => state === 'healthy'),
        [locations[0]!.state === 'healthy', true, true],
      )
      for (const at of [0, 9, 60, 120, 200, 1200, -20, -60, -120]) {
        harm(site, 'a', name, at)
        assert.match((await scrubbed(site)).join(), /^a (corrupt|head-copy) \/x$/, `offset ${at}`)
        harm(site, 'a', name, at)
      }
      await healthy(site)
    }))
})

test('short times are for tests only', () => assert.ok(IMPATIENT.stallMs < 1000))
