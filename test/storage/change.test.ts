// Change: other locations, another threshold or layout, fresh shares, fresh keys; nothing is ever less safe meanwhile.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Failure } from '#base'
import type { ChangeRequest, ChangeStatus } from '#contract'
import type { SiteStorage } from '#storage'
import { type FaultySite, fragmentsAt, on, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put } from './site.ts'

const SIZES = [0, 1, 3000, 300_000, 600_000]

/** Files whose bytes are known by their names. */
async function fill(storage: SiteStorage): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const [index, size] of SIZES.entries()) {
    const path = `/f/${size}`
    const bytes = pattern(size, index + 1)
    await put(storage, path, bytes)
    files.set(path, bytes)
  }
  return files
}

async function requireAll(storage: SiteStorage, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of files) assert.deepEqual(Buffer.from(await get(storage, path)), Buffer.from(bytes), path)
}

/** Asks for a change and waits until its task has ended. */
async function change(storage: SiteStorage, request: ChangeRequest): Promise<ChangeStatus> {
  const { task } = await storage.requestChange(request)
  if (task !== null) {
    const ended = await finished(storage, Promise.resolve({ id: task }))
    assert.equal(ended.state, 'done', JSON.stringify(ended.problem))
    assert.deepEqual(ended.report!.findings, [])
  }
  return storage.change()
}

/** Nothing is lost, damaged, or left over. */
async function requireHealthy({ storage, at }: FaultySite): Promise<void> {
  const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
  assert.equal(scrub.state, 'done', JSON.stringify(scrub.problem))
  assert.deepEqual(scrub.report!.findings, [])
  const status = await storage.status({ check: true })
  assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
  assert.equal(status.repairDue, 0)
  for (const { label, fragments } of status.locations) assert.equal(fragmentsAt(at[label]!).length, fragments.held, `names at ${label}`)
}

async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
  return 'done'
}

for (const layout of ['shared', 'sealed'] as const) {
  suite(`change of a ${layout} vault`, () => {
    for (const [name, from, request] of [
      ['a larger threshold', { threshold: 2, count: 5 }, { threshold: 3 }],
      ['a smaller threshold', { threshold: 3, count: 5 }, { threshold: 2 }],
      ['the other layout', { threshold: 2, count: 3 }, { layout: layout === 'shared' ? 'sealed' : 'shared' }],
      ['fresh shares', { threshold: 2, count: 3 }, { refresh: 'shares' }],
      ['fresh keys', { threshold: 2, count: 3 }, { refresh: 'keys' }],
      ['one location less', { threshold: 2, count: 4 }, { leave: [{ location: 'b' }] }],
      [
        'one location less, fresh shares, a larger threshold',
        { threshold: 2, count: 5 },
        { leave: [{ location: 'e' }], refresh: 'shares', threshold: 3 },
      ],
    ] as const) {
      test(`${name}: every file opens before and after a restart, nothing is left over`, async () => {
        await withFaultySite({ ...from, layout }, async (site) => {
          const files = await fill(site.storage)
          await put(site.storage, '/f/3000', pattern(2000, 9))
          const preview = await site.storage.previewChange(request as ChangeRequest)
          assert.ok(preview.objects > 0)
          const status = await change(site.storage, request as ChangeRequest)
          assert.equal(status.state, 'idle')
          assert.equal(status.due.objects, 0)
          assert.equal(status.shapes.length, 1, JSON.stringify(status.shapes))
          await requireAll(site.storage, new Map([...files, ['/f/3000', pattern(2000, 9)]]))
          assert.deepEqual(Buffer.from(await get(site.storage, '/f/3000', undefined, 1)), Buffer.from(pattern(3000, 3)))
          await requireHealthy(site)
          await site.reopen()
          await requireAll(site.storage, new Map([...files, ['/f/3000', pattern(2000, 9)]]))
        })
      })
    }
  })
}

suite('refused changes', () => {
  for (const [name, request, expected] of [
    ['fewer locations than must come together', { leave: [{ location: 'a' }, { location: 'b' }] }, 'storage.few-locations'],
    ['a threshold above the number of locations', { threshold: 4 }, 'storage.few-locations'],
    ['a location that is not there', { leave: [{ location: 'x' }] }, 'storage.absent'],
    ['to leave and to stay', { leave: [{ location: 'a' }], stay: ['a'] }, 'base.invalid'],
  ] as const) {
    test(`${name}: ${expected}, and nothing is changed`, async () => {
      await withFaultySite({}, async ({ storage }) => {
        assert.equal(await code(storage.requestChange(request as unknown as ChangeRequest)), expected)
        assert.equal(await code(storage.previewChange(request as unknown as ChangeRequest)), expected)
        const { state, wanted, leaving } = await storage.change()
        assert.deepEqual([state, wanted.threshold, wanted.count, leaving], ['idle', 2, 3, []])
      })
    })
  }

  test('a threshold that a disaster could not search: crypto.threshold', async () => {
    await withFaultySite({ threshold: 2, count: 25 }, async ({ storage }) => {
      assert.equal(await code(storage.requestChange({ threshold: 12 })), 'crypto.threshold')
    })
  })

  test('the last location that keeps its promises stays: storage.last-honest names it', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      for (const label of ['b', 'c']) {
        const { memory } = site.at[label]!
        const honest = memory.probe.bind(memory)
        Object.assign(memory, {
          probe: async (options: Parameters<typeof honest>[0]) => ({ ...(await honest(options)), honestCreate: false }),
        })
      }
      for (const location of ['b', 'c']) await site.storage.testLocation({ location })
      await assert.rejects(site.storage.requestChange({ leave: [{ location: 'a' }] }), (error: Failure) => {
        assert.deepEqual([error.code, error.culprits], ['storage.last-honest', ['a']])
        return true
      })
    })
  })

  test('a smaller threshold begins with a head that says it: while none can be written it is storage.quorum', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      const { storage } = site
      await put(storage, '/before', pattern(3000))
      for (const control of Object.values(site.at))
        control.plan = ({ operation, name }) =>
          operation === 'putIfAbsent' && name?.startsWith('head/') === true
            ? { kind: 'fail', when: 'before', code: 'location.unreachable' }
            : undefined
      assert.equal(await code(storage.requestChange({ threshold: 2 })), 'storage.quorum')
      for (const control of Object.values(site.at)) control.plan = () => undefined
      await storage.status({ check: true })
      await put(storage, '/after', pattern(3000))
      assert.equal((await storage.placement({ path: '/after' })).threshold, 3)
      await change(storage, { threshold: 2 })
      assert.equal((await storage.placement({ path: '/after' })).threshold, 2)
    }))

  test('what is not under way cannot be paused: storage.absent', async () => {
    await withFaultySite({}, async ({ storage }) => {
      assert.equal(await code(storage.steerChange({ state: 'paused' })), 'storage.absent')
    })
  })
})

suite('locations that come and go', () => {
  test('one takes the place of another in one pass, and the old one is left empty', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      const files = await fill(site.storage)
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      const status = await change(site.storage, { leave: [{ location: 'b' }] })
      assert.deepEqual([status.state, status.wanted.count, status.leaving], ['idle', 3, []])
      assert.deepEqual([...site.at['b']!.memory.objects.keys()], [])
      const { locations } = await site.storage.status({ check: true })
      assert.deepEqual(
        locations.map(({ label }) => label),
        ['a', 'c', 'd'],
      )
      await requireAll(site.storage, files)
      await requireHealthy(site)
      // Any two of the three that stay.
      for (const away of ['a', 'c', 'd']) {
        site.at[away]!.plan = on(['open', 'read', 'head'], { kind: 'fail', when: 'before', code: 'location.unreachable' })
        await requireAll(site.storage, files)
        site.at[away]!.plan = () => undefined
      }
    })
  })

  test('what is put while a location leaves does not go there', async () => {
    await withFaultySite({ count: 4 }, async (site) => {
      await site.storage.requestChange({ leave: [{ location: 'd' }] })
      const before = fragmentsAt(site.at['d']!).length
      const stored = await put(site.storage, '/new', pattern(1000))
      assert.equal(stored.count, 3)
      assert.ok(fragmentsAt(site.at['d']!).length <= before)
      await settle(site.storage)
      assert.deepEqual([...site.at['d']!.memory.objects.keys()], [])
    })
  })

  test('a location that is gone for good does not answer: it is waited for, until it is abandoned, which is told', async () => {
    await withFaultySite({ count: 4 }, async (site) => {
      const files = await fill(site.storage)
      site.at['d']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await site.storage.status({ check: true })
      const { task } = await site.storage.requestChange({ leave: [{ location: 'd' }] })
      await finished(site.storage, Promise.resolve({ id: task! }))
      const waiting = await site.storage.change()
      assert.equal(waiting.state, 'running')
      assert.deepEqual(
        waiting.leaving.map(({ label, phase, fragments }) => ({ label, phase, fragments })),
        [{ label: 'd', phase: 'emptying', fragments: 0 }],
      )
      assert.match(waiting.waits.join(), /d does not answer/)
      const again = await site.storage.requestChange({ leave: [{ location: 'd', abandon: true }] })
      const ended = await finished(site.storage, Promise.resolve({ id: again.task! }))
      assert.deepEqual(
        ended.report!.findings.map(({ location, kind }) => [location, kind]),
        [['d', 'orphan']],
      )
      const { state, leaving, wanted } = await site.storage.change()
      assert.deepEqual([state, leaving, wanted.count], ['idle', [], 3])
      await requireAll(site.storage, files)
      await requireHealthy(site)
    })
  })

  test('an added location that goes away is waited for, not asked again and again', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      const files = await fill(site.storage)
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      site.at['d']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await site.storage.status({ check: true })
      const { task } = await site.storage.requestChange({})
      const ended = await finished(site.storage, Promise.resolve({ id: task! }))
      assert.equal(ended.report!.findings.filter(({ path }) => path.startsWith('/f/')).length, files.size)
      assert.equal((await site.storage.change()).due.objects, files.size)
      site.at['d']!.plan = () => undefined
      await site.storage.status({ check: true })
      await settle(site.storage)
      await requireAll(site.storage, files)
      // A part of the catalogue that was written meanwhile is repair's.
      await finished(site.storage, site.storage.repair({}))
      await requireHealthy(site)
    })
  })

  test('a date to leave by is told, as an alarm when it is near', async () => {
    await withFaultySite({ count: 4 }, async (site) => {
      const inDays = (days: number): string => new Date(Date.now() + days * 24 * 3600_000).toISOString()
      site.at['d']!.plan = on(['discard'], { kind: 'fail', when: 'before', code: 'location.unreachable' })
      const said = async (by: string): Promise<unknown> => {
        const { task } = await site.storage.requestChange({ leave: [{ location: 'd', by }] })
        await finished(site.storage, Promise.resolve({ id: task! }))
        const { messages } = await site.storage.status({ check: false })
        return messages.filter((one) => one.code === 'storage.leave-by').map(({ severity }) => severity)
      }
      await put(site.storage, '/x', pattern(10))
      assert.deepEqual(await said(inDays(60)), [])
      assert.deepEqual(await said(inDays(20)), ['warning'])
      assert.deepEqual(await said(inDays(3)), ['alarm'])
    })
  })

  test('one that was to be left stays after all, and is filled again', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      const files = await fill(site.storage)
      await site.storage.steerChange({ bytesPerSecond: 1 })
      await site.storage.requestChange({ leave: [{ location: 'c' }] })
      await put(site.storage, '/meanwhile', pattern(500))
      await site.storage.steerChange({ bytesPerSecond: 0 })
      const status = await site.storage.change()
      if (status.leaving.length > 0 && status.leaving[0]!.phase === 'leaving') await site.storage.requestChange({ stay: ['c'] })
      await settle(site.storage)
      await requireAll(site.storage, new Map([...files, ['/meanwhile', pattern(500)]]))
      await requireHealthy(site)
    })
  })
})

suite('a change under way', () => {
  test('is paused, slowed, cancelled and taken up again; a restart goes on by itself', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      const files = await fill(site.storage)
      await site.storage.steerChange({ bytesPerSecond: 1000 })
      const { task } = await site.storage.requestChange({ refresh: 'shares' })
      assert.equal((await site.storage.steerChange({ state: 'paused' })).state, 'paused')
      await requireAll(site.storage, files)
      await site.reopen()
      assert.equal((await site.storage.change()).state, 'paused')
      const cancelled = await site.storage.steerChange({ state: 'cancelled' })
      assert.deepEqual([cancelled.state, cancelled.task], ['cancelled', null])
      assert.ok(cancelled.due.objects > 0)
      const { messages } = await site.storage.status({ check: false })
      assert.ok(messages.some((one) => one.code === 'storage.change'))
      await site.reopen()
      assert.equal((await site.storage.change()).task, null)
      await site.storage.steerChange({ state: 'running', bytesPerSecond: 0 })
      await site.reopen()
      await settle(site.storage)
      assert.equal((await site.storage.change()).due.objects, 0)
      await requireAll(site.storage, files)
      await requireHealthy(site)
      assert.ok(task !== null)
    })
  })

  test('cancelled as a task, it stays cancelled', async () => {
    await withFaultySite({}, async (site) => {
      await fill(site.storage)
      await site.storage.steerChange({ bytesPerSecond: 1 })
      const { task } = await site.storage.requestChange({ refresh: 'keys' })
      await site.storage.cancelTask(task!)
      assert.equal((await site.storage.change()).state, 'cancelled')
    })
  })

  test('puts, removals and copies go on meanwhile, in the new shape; a second change comes on top', async () => {
    await withFaultySite({ count: 5, threshold: 2 }, async (site) => {
      const files = await fill(site.storage)
      await site.storage.requestChange({ threshold: 3 })
      const busy = (async () => {
        for (let round = 0; round < 8; round++) {
          await put(site.storage, `/new/${round}`, pattern(20_000, round))
          files.set(`/new/${round}`, pattern(20_000, round))
          await site.storage.copy({ from: '/f/300000', to: `/copy/${round}`, replace: false })
          files.set(`/copy/${round}`, files.get('/f/300000')!)
        }
        await site.storage.remove({ path: '/f/600000', recursive: false })
        files.delete('/f/600000')
      })()
      await site.storage.requestChange({ layout: 'sealed', leave: [{ location: 'b' }] })
      await busy
      await site.storage.requestChange({ refresh: 'keys' })
      await settle(site.storage)
      const status = await site.storage.change()
      assert.deepEqual(
        status.shapes.map(({ threshold, count, layout }) => [threshold, count, layout]),
        [[3, 4, 'sealed']],
      )
      await requireAll(site.storage, files)
      await requireHealthy(site)
    })
  })

  test('a download that was begun before ends right, though its fragments were replaced and swept', async () => {
    await withFaultySite({ count: 3 }, async (site) => {
      const bytes = pattern(3_000_000, 5)
      await put(site.storage, '/big', bytes)
      const opened = await site.storage.openToRead({ path: '/big' })
      const parts: Uint8Array[] = []
      let changed = false
      for await (const part of opened.read({ first: 0, last: bytes.length - 1 })) {
        parts.push(part.slice())
        if (changed) continue
        changed = true
        await change(site.storage, { refresh: 'shares' })
      }
      assert.deepEqual(Buffer.concat(parts), Buffer.from(bytes))
      await opened.close()
      await site.reopen()
      await requireHealthy(site)
    })
  })

  test('with n-k bad locations it says what it waits for, keeps everything readable, and ends when they are back', async () => {
    for (const fault of [{ kind: 'fail', when: 'before', code: 'location.unreachable' }, { kind: 'hang' }, { kind: 'full' }] as const) {
      await withFaultySite({ count: 4, threshold: 2 }, async (site) => {
        const files = await fill(site.storage)
        for (const label of ['c', 'd']) site.at[label]!.plan = on(['create', 'write', 'open', 'read'], fault)
        const { task } = await site.storage.requestChange({ threshold: 3, layout: 'sealed' })
        await finished(site.storage, Promise.resolve({ id: task! }))
        await requireAll(site.storage, files)
        assert.equal((await site.storage.change()).state, 'running')
        for (const label of ['c', 'd']) site.at[label]!.plan = () => undefined
        await site.storage.status({ check: true })
        await site.storage.requestChange({})
        await settle(site.storage)
        await requireAll(site.storage, files)
        await finished(site.storage, site.storage.repair({}))
        await requireHealthy(site)
      })
    }
  })
})

/** Waits until nothing is to be changed any more. */
async function settle(storage: SiteStorage): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const { state, task } = await storage.change()
    if (state === 'idle') return
    if (task === null) await storage.requestChange({})
    else await finished(storage, Promise.resolve({ id: task }))
  }
  throw new Error(`the change does not end: ${JSON.stringify(await storage.change())}`)
}
