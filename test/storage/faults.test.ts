// Locations that hang, refuse, fill up and die: what is acknowledged stays, who fails is named, and nothing half-written is seen.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic, type Failure, isFailure } from '#base'
import type { FaultyOperation } from '../../src/storage/locations/faulty.ts'
import { BYTES, HANG, healthy, repaired, scrubbed } from './faulty-checks.ts'
import { fragmentsAt, IMPATIENT, isFragment, on, withFaultySite } from './faulty-site.ts'
import { get, pattern, put } from './site.ts'

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

test('short times are for tests only', () => assert.ok(IMPATIENT.stallMs < 1000))
