// Repair and scrub that are cut off, and what the status says of every location meanwhile.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import type { Fault } from '../../src/storage/locations/faulty.ts'
import { BYTES, HANG, harm, healthy, nameAt, repaired, scrubbed } from './faulty-checks.ts'
import { fragmentsAt, isFragment, on, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put } from './site.ts'

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
