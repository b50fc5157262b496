// Two sites write one vault over the same places: each sees what the other does, and nothing of either is lost.
import assert from 'node:assert/strict'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { equalPublic, fromBase64, isFailure } from '#base'
import { type KitFacts, type KitSecrets, kitSecrets } from '#contract'
import { random, signer } from '#crypto/primitives'
import { encodeVaultHead, headName, parseVaultHead } from '../../src/storage/head.ts'
import { type FaultySite, fragmentsAt, withFaultySite } from './faulty-site.ts'
import { FAST, joined, locations, names, second, type Second, settled, together } from './several-sites.ts'
import { finished, get, pattern, put } from './site.ts'

suite('two sites', () => {
  test('a joined site reads what is there, and both see what the other stores, moves and removes', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/a/one', pattern(300_000, 1))
      const north = await joined(site)
      try {
        assert.ok(equalPublic(await get(north.storage, '/a/one'), pattern(300_000, 1)))
        await put(north.storage, '/a/two', pattern(5000, 2))
        await settled(north.storage)
        await together(site.storage)
        assert.ok(equalPublic(await get(site.storage, '/a/two'), pattern(5000, 2)))
        await site.storage.move({ from: '/a', to: '/b', replace: false })
        await put(site.storage, '/b/one', pattern(10, 3))
        await settled(site.storage)
        await together(north.storage, site.storage)
        assert.deepEqual(await names(north.storage), ['/b', '/b/one', '/b/two'])
        assert.ok(equalPublic(await get(north.storage, '/b/one'), pattern(10, 3)))
        assert.equal((await north.storage.versions({ path: '/b/one' })).versions.length, 2)
        await north.storage.remove({ path: '/b/two', recursive: false })
        await settled(north.storage)
        await together(site.storage)
        assert.deepEqual(await names(site.storage), ['/b', '/b/one'])
        for (const storage of [site.storage, north.storage]) {
          const scrubbed = await finished(storage, storage.scrub({ depth: 'tags' }))
          assert.deepEqual(scrubbed.report!.findings, [])
          const { health, head, messages } = await storage.status({ check: true })
          assert.equal(health, 'healthy', JSON.stringify(messages))
          assert.equal(head?.confirmed, true)
          assert.equal(head?.mayBeStale, false)
          assert.equal(head?.writers, 2)
        }
        const [dealer, writer] = (await north.storage.writers()).writers
        assert.equal(dealer?.role, 'dealer')
        assert.deepEqual([writer?.name, writer?.own, writer?.state], ['north', true, 'active'])
      } finally {
        await north.end()
      }
    }))

  for (const [what, request] of [
    ['fresh shares', { refresh: 'shares' }],
    ['fresh keys', { refresh: 'keys' }],
    ['another threshold', { threshold: 3 }],
  ] as const)
    test(`one site has not heard of a change (${what}) and misses what it replaced: it asks, reads, and calls nothing lost`, () =>
      withFaultySite({ count: 4, options: { logLimits: { ...FAST, graceMs: 0 } } }, async (site) => {
        const kept = [pattern(300_000, 1), pattern(500, 2), pattern(0)]
        for (const [index, bytes] of kept.entries()) await put(site.storage, `/${index}`, bytes)
        const north = await joined(site)
        try {
          await together(north.storage, site.storage)
          const before = fragmentsAt(site.at['a']!)
          await site.storage.requestChange(request)
          for (let round = 0; round < 2000 && (await site.storage.change()).state !== 'idle'; round++)
            await new Promise((resolve) => setTimeout(resolve, 5))
          assert.equal((await site.storage.change()).state, 'idle')
          const gone = (): boolean => before.filter((name) => site.at['a']!.memory.objects.has(name)).length <= before.length - kept.length
          for (let round = 0; round < 2000 && !gone(); round++) await new Promise((resolve) => setTimeout(resolve, 5))
          assert.ok(gone(), 'what was replaced is taken away')
          for (const [index, bytes] of kept.entries()) assert.ok(equalPublic(await get(north.storage, `/${index}`), bytes), `/${index}`)
          const scrubbed = await finished(north.storage, north.storage.scrub({ depth: 'tags' }))
          assert.deepEqual(scrubbed.report!.findings, [])
        } finally {
          await north.end()
        }
      }))

  for (const depth of ['present', 'tags', 'full'] as const)
    test(`one site checks (${depth}) before it has heard of a change: nothing is found`, () =>
      withFaultySite({ count: 3, options: { logLimits: FAST } }, async (site) => {
        for (let index = 0; index < 3; index++) await put(site.storage, `/${index}`, pattern(5000, index))
        const north = await joined(site)
        try {
          await together(north.storage, site.storage)
          await site.storage.requestChange({ refresh: 'shares' })
          for (let round = 0; round < 2000 && (await site.storage.change()).state !== 'idle'; round++)
            await new Promise((resolve) => setTimeout(resolve, 5))
          const scrubbed = await finished(north.storage, north.storage.scrub({ depth }))
          assert.deepEqual(scrubbed.report!.findings, [])
        } finally {
          await north.end()
        }
      }))

  test('both work without hearing of each other: everything of both is there afterwards, conflicts as copies', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/shared.txt', pattern(100, 1))
      await put(site.storage, '/folder/x', pattern(101, 2))
      const north = await joined(site)
      try {
        await together(site.storage, north.storage)
        // No head of north arrives while both work; what it deals does, since a place that garbles an answer is not taken for one that is away.
        north.plan = (_, call) =>
          call.name?.startsWith('head/') === true || call.operation === 'list'
            ? { kind: 'fail', when: 'before', code: 'location.truncated' }
            : undefined
        await put(north.storage, '/shared.txt', pattern(50, 11))
        await put(north.storage, '/new.txt', pattern(51, 12))
        await put(north.storage, '/folder/added', pattern(52, 13))
        await north.storage.remove({ path: '/folder/x', recursive: false })
        await put(site.storage, '/shared.txt', pattern(60, 21))
        await put(site.storage, '/new.txt', pattern(61, 22))
        await put(site.storage, '/folder/x', pattern(62, 23))
        await site.storage.move({ from: '/folder', to: '/moved', replace: false })
        await settled(site.storage)
        assert.ok((await north.storage.status({ check: true })).messages.some(({ code }) => code === 'storage.head'))
        assert.ok((await north.storage.status({ check: false })).recoveryPoint.pendingChanges > 0)
        north.plan = () => undefined
        await together(north.storage, site.storage, north.storage)
        const all = await names(site.storage)
        assert.deepEqual(await names(north.storage), all)
        const copy = all.find((path) => path.startsWith('/new (conflict north '))
        assert.ok(copy?.endsWith(').txt'), all.join(' '))
        assert.deepEqual(new Set(all), new Set(['/moved', '/moved/added', '/moved/x', copy, '/new.txt', '/shared.txt']))
        for (const storage of [site.storage, north.storage]) {
          assert.ok(equalPublic(await get(storage, copy!), pattern(51, 12)))
          assert.ok(equalPublic(await get(storage, '/new.txt'), pattern(61, 22)))
          assert.ok(equalPublic(await get(storage, '/moved/added'), pattern(52, 13)))
          assert.ok(equalPublic(await get(storage, '/moved/x'), pattern(62, 23)))
          assert.deepEqual(
            (await storage.versions({ path: '/shared.txt' })).versions.map(({ size }) => size),
            [50, 60, 100],
          )
        }
      } finally {
        await north.end()
      }
    }))

  test('a snapshot that one wrote and the other had no need to read is scrubbed and repaired by the other', () =>
    withFaultySite({ options: { logLimits: { ...FAST, segmentsMax: 2 } } }, async (site) => {
      const north = await joined(site)
      try {
        for (let index = 0; index < 6; index++) {
          await put(site.storage, `/${index}`, pattern(100 + index, index))
          await settled(site.storage)
          await north.storage.status({ check: true })
        }
        const { objects } = site.at['c']!.memory
        for (const name of objects.keys()) if (/^[0-9a-f]{2}\//.test(name)) objects.delete(name)
        await finished(north.storage, north.storage.scrub({ depth: 'present' }))
        const repaired = await finished(north.storage, north.storage.repair({}))
        assert.deepEqual(repaired.report!.findings, [])
        const scrubbed = await finished(north.storage, north.storage.scrub({ depth: 'full' }))
        assert.deepEqual(scrubbed.report!.findings, [])
      } finally {
        await north.end()
      }
    }))

  test('a key that nobody certified joins nothing, and one that was removed writes no more', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      await settled(site.storage)
      const stranger = await second(site, 'stranger')
      await assert.rejects(stranger.storage.join({ locations: locations(site) }), (error) => isFailure(error, 'storage.writer'))
      await stranger.end()
      const north = await joined(site)
      try {
        await put(north.storage, '/y', pattern(101, 2))
        await settled(north.storage)
        await assert.rejects(north.storage.removeWriter({ writer: (await site.storage.writers()).writers[0]!.fingerprint }), (error) =>
          isFailure(error, 'storage.writer'),
        )
        const { writers } = await site.storage.removeWriter({ writer: 'north' })
        assert.equal(writers.find(({ name }) => name === 'north')?.state, 'removed')
        await north.storage.status({ check: true })
        await assert.rejects(put(north.storage, '/z', pattern(102, 3)), (error) => isFailure(error, 'storage.writer'))
        // What it dealt before stays readable, there and here.
        for (const storage of [site.storage, north.storage]) assert.ok(equalPublic(await get(storage, '/y'), pattern(101, 2)))
      } finally {
        await north.end()
      }
    }))

  test('a home that was put back from a backup follows, and loses nothing', () =>
    withFaultySite({ options: { logLimits: { ...FAST, segmentsMax: 3 } } }, async (site) => {
      const north = await joined(site, 'north', { logLimits: { ...FAST, segmentsMax: 3 } })
      try {
        await put(north.storage, '/before', pattern(10, 1))
        await settled(north.storage)
        await north.storage.close()
        await cp(north.home, `${north.home}.backup`, { recursive: true })
        await north.reopen().catch(() => undefined)
        for (let index = 0; index < 10; index++) {
          await put(north.storage, `/later/${index}`, pattern(20 + index, index))
          await settled(north.storage)
          await together(site.storage)
          await put(site.storage, `/here/${index}`, pattern(40 + index, index))
          await settled(site.storage)
        }
        await site.storage.remove({ path: '/before', recursive: false })
        await settled(site.storage)
        await north.storage.close()
        await rm(north.home, { recursive: true })
        await rename(`${north.home}.backup`, north.home)
        await north.reopen().catch(() => undefined)
        await put(north.storage, '/after', pattern(99, 9))
        await together(north.storage, site.storage, north.storage)
        const all = await names(site.storage)
        assert.deepEqual(await names(north.storage), all)
        assert.equal(all.filter((path) => /^\/(later|here)\/\d+$/.test(path)).length, 20)
        assert.ok(all.includes('/after') && !all.includes('/before'))
        for (let index = 0; index < 10; index++)
          assert.ok(equalPublic(await get(north.storage, `/later/${index}`), pattern(20 + index, index)))
      } finally {
        await north.end()
      }
    }))
})

function headsAt(site: FaultySite, label: string): string[] {
  return [...site.at[label]!.memory.objects.keys()].filter((name) => name.startsWith('head/')).toSorted()
}

suite('places and keys that lie to several sites', () => {
  test('both write at the same moment, again and again: no change of either is lost, and nobody is alarmed', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const north = await joined(site)
      try {
        for (let round = 0; round < 8; round++) {
          await Promise.all([
            put(site.storage, `/here/${round}`, pattern(10 + round, 1)),
            put(north.storage, `/north/${round}`, pattern(20 + round, 2)),
            put(site.storage, `/both`, pattern(30 + round, 3)),
            put(north.storage, `/both`, pattern(40 + round, 4)),
          ])
          if (round % 3 === 2) await together(site.storage, north.storage)
        }
        await together(site.storage, north.storage, site.storage)
        const all = await names(site.storage)
        assert.deepEqual(await names(north.storage), all)
        for (let round = 0; round < 8; round++) assert.ok(all.includes(`/here/${round}`) && all.includes(`/north/${round}`))
        let versions = 0
        for (const path of all.filter((one) => one.startsWith('/both'))) versions += (await site.storage.versions({ path })).versions.length
        assert.equal(versions, 16)
        for (const storage of [site.storage, north.storage]) assert.deepEqual((await storage.writers()).alarms, [])
      } finally {
        await north.end()
      }
    }))

  test('one place replays an old state: it is not believed, and the newest head comes back there', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const north = await joined(site)
      try {
        await put(site.storage, '/old', pattern(10, 1))
        await settled(site.storage)
        await together(north.storage)
        const { objects } = site.at['c']!.memory
        const before = new Map(objects)
        await put(site.storage, '/new', pattern(11, 2))
        await settled(site.storage)
        const { head } = await site.storage.status({ check: true })
        for (const name of headsAt(site, 'c')) if (!before.has(name)) objects.delete(name)
        await north.storage.status({ check: true })
        assert.deepEqual(await names(north.storage), ['/new', '/old'])
        assert.ok((await north.storage.status({ check: false })).head!.epoch >= head!.epoch)
        await together(north.storage)
        assert.equal((await north.storage.status({ check: true })).head!.confirmed, true)
        assert.deepEqual(headsAt(site, 'c').at(-1), headsAt(site, 'a').at(-1))
      } finally {
        await north.end()
      }
    }))

  test('too few places answer: what is seen may be stale, nothing is overwritten, and changes wait', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const north = await joined(site)
      try {
        await put(site.storage, '/x', pattern(10, 1))
        await settled(site.storage)
        north.plan = (label, call) =>
          label !== 'a' && call.name?.startsWith('head/') === true
            ? { kind: 'fail', when: 'before', code: 'location.unreachable' }
            : undefined
        const heads = headsAt(site, 'a')
        await put(north.storage, '/y', pattern(11, 2)).catch((error: unknown) => assert.ok(isFailure(error, 'storage.quorum')))
        const { head, messages } = await north.storage.status({ check: true })
        assert.equal(head!.mayBeStale, true)
        assert.ok(
          messages.some(({ code, text }) => code === 'storage.head' || /stale/.test(text)),
          JSON.stringify(messages),
        )
        assert.deepEqual(headsAt(site, 'a'), heads)
        north.plan = () => undefined
        await together(north.storage, site.storage)
        assert.deepEqual(await names(site.storage), await names(north.storage))
      } finally {
        await north.end()
      }
    }))

  test('heads that are too long, too far in the future, of nobody or of a removed writer: passed over', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const north = await joined(site)
      try {
        await put(north.storage, '/x', pattern(10, 1))
        await settled(north.storage)
        await together(site.storage)
        const [newest = ''] = headsAt(site, 'a').toReversed()
        const head = parseVaultHead(site.at['a']!.memory.objects.get(newest)!)
        const { signature: _s, dealer: _d, v: _v, ...rest } = head
        const stranger = signer({ mldsa65: random(32), ed25519: random(32) })
        for (const label of ['a', 'b']) {
          const { objects } = site.at[label]!.memory
          objects.set(headName(head.vault, head.epoch + 1), new Uint8Array(2 ** 20 + 1))
          objects.set(
            headName(head.vault, head.epoch + 2),
            encodeVaultHead({ ...rest, epoch: head.epoch + 2, segments: [], catalogue: null }, stranger),
          )
          objects.set(`head/${head.vault}/ffffffffffffffff`, new Uint8Array(10))
        }
        assert.throws(
          () => parseVaultHead(encodeVaultHead({ ...rest, epoch: 2 ** 48 + 1 }, stranger)),
          (error) => isFailure(error, 'format.framing'),
        )
        await put(site.storage, '/y', pattern(11, 2))
        await settled(site.storage)
        await together(north.storage, site.storage)
        assert.deepEqual(await names(north.storage), ['/x', '/y'])
        assert.deepEqual(await names(site.storage), ['/x', '/y'])
      } finally {
        await north.end()
      }
    }))

  test('two histories come to light: one stands, what only the other had is added, and a person is told until it is acknowledged', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      const north = await joined(site)
      try {
        await put(site.storage, '/base', pattern(10, 1))
        await settled(site.storage)
        await together(north.storage, site.storage)
        await north.storage.close()
        await put(site.storage, '/only here', pattern(11, 2))
        await settled(site.storage)
        // Two of three places lose the newest heads: more than may lie together.
        const epoch = Math.max(...headsAt(site, 'c').map((name) => Number.parseInt(name.slice(-16), 16)))
        for (const label of ['a', 'b']) site.at[label]!.memory.objects.delete(headsAt(site, label).at(-1) ?? '')
        north.plan = (label) => (label === 'c' ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined)
        await north.reopen().catch(() => undefined)
        for (let index = 0; index < 3; index++) {
          await put(north.storage, `/only north ${index}`, pattern(20 + index, 3))
          await settled(north.storage)
        }
        assert.ok((await north.storage.status({ check: false })).head!.epoch > epoch)
        await together(site.storage)
        const { alarms } = await site.storage.writers()
        assert.deepEqual(
          alarms.map(({ code }) => code),
          ['storage.fork'],
        )
        north.plan = () => undefined
        await together(site.storage, north.storage, site.storage)
        const all = ['/base', '/only here', '/only north 0', '/only north 1', '/only north 2']
        assert.deepEqual(await names(site.storage), all)
        assert.deepEqual(await names(north.storage), all)
        assert.ok(equalPublic(await get(north.storage, '/only here'), pattern(11, 2)))
        assert.ok(
          (await site.storage.status({ check: false })).messages.some(
            ({ code, severity }) => code === 'storage.fork' && severity === 'alarm',
          ),
        )
        assert.deepEqual((await site.storage.acknowledge({ alarm: alarms[0]!.id })).alarms, [])
      } finally {
        await north.end()
      }
    }))
})

suite('a joined site that is lost', () => {
  async function kitOf(north: Second): Promise<{ readonly facts: KitFacts; readonly secrets: KitSecrets }> {
    const identity = await generateX25519Identity()
    const officers = [{ name: 'Officer', recipient: await identityToRecipient(identity) }]
    const { facts, files } = await north.storage.makeKit({ officers, credentials: true, signingKeys: true })
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity)
    const sealed = fromBase64(files.find(({ name }) => name === 'secrets.age')!.data)
    return { facts, secrets: kitSecrets.parse(JSON.parse(await decrypter.decrypt(sealed, 'text'))) }
  }

  async function lose(north: Second): Promise<void> {
    await north.storage.close()
    await rm(north.home, { recursive: true })
    await mkdir(north.home, { mode: 0o700 })
    await north.reopen()
  }

  test('comes back from its own kit as the writer that it was, and both go on', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/a/one', pattern(3000, 1))
      const north = await joined(site)
      try {
        await put(north.storage, '/a/two', pattern(5000, 2))
        await settled(north.storage)
        await together(site.storage, north.storage)
        // When a site heard of a writer is its own memory.
        const listed = async (): Promise<object[]> => (await north.storage.writers()).writers.map((one) => ({ ...one, added: null }))
        const before = await listed()
        const { facts, secrets } = await kitOf(north)
        // The sheet names the one who certified the others.
        assert.equal(facts.dealer.fingerprint, (await site.storage.site()).vault!.dealer)
        await lose(north)
        const task = await finished(north.storage, north.storage.restore({ kit: facts, secrets, places: [] }))
        assert.equal(task.state, 'done', JSON.stringify(task.problem))
        assert.deepEqual(task.report!.findings, [])
        assert.deepEqual(await listed(), before)
        assert.ok(equalPublic(await get(north.storage, '/a/two'), pattern(5000, 2)))
        await put(north.storage, '/a/three', pattern(10, 3))
        await settled(north.storage)
        await put(site.storage, '/a/four', pattern(11, 4))
        await settled(site.storage)
        await together(site.storage, north.storage)
        for (const storage of [site.storage, north.storage]) {
          assert.deepEqual(await names(storage), ['/a', '/a/four', '/a/one', '/a/three', '/a/two'])
          const { health, messages } = await storage.status({ check: true })
          assert.equal(health, 'healthy', JSON.stringify(messages))
        }
      } finally {
        await north.end()
      }
    }))

  test('without its keys it takes nothing over from the others, and its kit may be used again with them', () =>
    withFaultySite({ options: { logLimits: FAST } }, async (site) => {
      await put(site.storage, '/a/one', pattern(3000, 1))
      const north = await joined(site)
      try {
        await settled(north.storage)
        const { facts, secrets } = await kitOf(north)
        await lose(north)
        await assert.rejects(finished(north.storage, north.storage.restore({ kit: facts, places: [] })), (error) =>
          isFailure(error, 'storage.writer'),
        )
        assert.equal((await north.storage.site()).vault, null)
        await put(site.storage, '/a/two', pattern(10, 2))
        await settled(site.storage)
        assert.deepEqual((await site.storage.status({ check: true })).messages, [])
        const task = await finished(north.storage, north.storage.restore({ kit: facts, secrets, places: [] }))
        assert.equal(task.state, 'done', JSON.stringify(task.problem))
        assert.deepEqual(await names(north.storage), ['/a', '/a/one', '/a/two'])
      } finally {
        await north.end()
      }
    }))
})
