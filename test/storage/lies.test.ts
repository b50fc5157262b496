// Locations that lie, forget, are put back or swapped: the right bytes come, and exactly who lied is named.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic } from '#base'
import { BYTES, harm, healthy, nameAt, repaired, scrubbed } from './faulty-checks.ts'
import { on, remember, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put } from './site.ts'

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

suite('every byte', () => {
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
