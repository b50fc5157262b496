// The database is lost: the vault comes back from its locations, whatever a few of them do; and recover.py agrees with the product.
import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { random, signer } from '#crypto/primitives'
import { encodeKeys, encodeVaultHead, headName, parseVaultHead, type VaultHead } from '../../src/storage/head.ts'
import type { Control, FaultySite } from './faulty-site.ts'
import { fragmentsAt, remember, withFaultySite } from './faulty-site.ts'
import { hashOf } from './crash-model.ts'
import { filesOf } from './crash-run.ts'
import { noPython, recoverPy, restoredFiles } from './recover-py.ts'
import { finished, makeSite, pattern, put } from './site.ts'

/** Loses the home. Places named in `replaced` are new and empty. */
async function lose(site: FaultySite, replaced: readonly string[] = []): Promise<void> {
  await site.storage.close()
  await rm(site.home, { recursive: true })
  await mkdir(site.home, { mode: 0o700 })
  for (const label of replaced) site.at[label]!.memory.objects.clear()
  await site.reopen()
}

function begin(site: FaultySite): ReturnType<FaultySite['storage']['recover']> {
  return site.storage.recover({ locations: site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abcdefgh'[index]! })) })
}

async function recover(site: FaultySite): Promise<string[]> {
  const task = await finished(site.storage, begin(site))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return task.report!.findings.map(({ location, kind, path }) => `${location} ${kind} ${path}`)
}

async function well(site: FaultySite): Promise<void> {
  const repaired = await finished(site.storage, site.storage.repair({}))
  assert.deepEqual(repaired.report?.findings, [], JSON.stringify(repaired.problem))
  await site.reopen()
  const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
  assert.deepEqual(scrubbed.report!.findings, [])
  assert.equal((await site.storage.status({ check: true })).health, 'healthy')
}

/** Some of everything that a catalogue can say. */
async function live(site: { readonly storage: FaultySite['storage'] }): Promise<void> {
  const { storage } = site
  await put(storage, '/a/one', pattern(300_000, 1))
  await put(storage, '/a/two', pattern(10, 2))
  await put(storage, '/a/two', pattern(11, 3))
  await put(storage, '/a/two', pattern(12, 4))
  await storage.remove({ path: '/a/two', recursive: false, version: 2 })
  await storage.copy({ from: '/a/one', to: '/copy of one', replace: false })
  await storage.move({ from: '/a', to: '/Ünï/深い', replace: false })
  await put(storage, '/gone', pattern(500, 5))
  await storage.remove({ path: '/gone', recursive: false })
  await put(storage, '/empty file', new Uint8Array(0))
  await storage.createFolder({ path: '/empty/folder' })
}

async function names(site: FaultySite): Promise<string[]> {
  return (await site.storage.list({ path: '/', recursive: true })).entries.map(({ path }) => path)
}

const NAMES = ['/copy of one', '/empty', '/empty file', '/empty/folder', '/Ünï', '/Ünï/深い', '/Ünï/深い/one', '/Ünï/深い/two']

function headsAt(control: Control): string[] {
  return [...control.memory.objects.keys()].filter((name) => name.startsWith('head/')).toSorted()
}

function newestHead(control: Control): VaultHead {
  const [newest = ''] = headsAt(control).toReversed()
  return parseVaultHead(control.memory.objects.get(newest)!)
}

/** A head as one location can write it: signed by keys of its own. */
function forge(control: Control, change: (head: VaultHead) => Partial<VaultHead>): void {
  const head = newestHead(control)
  const { dealer: _dealer, signature: _signature, v: _v, ...rest } = { ...head, ...change(head) }
  const bytes = encodeVaultHead(rest, signer({ mldsa65: random(32), ed25519: random(32) }))
  control.memory.objects.set(headName(rest.vault, rest.epoch), bytes)
}

for (const layout of ['shared', 'sealed'] as const)
  suite(`without the database, ${layout}`, () => {
    test('from all locations, everything is as it was', () =>
      withFaultySite({ layout }, async (site) => {
        await live(site)
        const before = await filesOf(site.storage)
        await lose(site)
        assert.deepEqual(await recover(site), [])
        assert.deepEqual(await names(site), NAMES)
        assert.deepEqual(await filesOf(site.storage), before)
        await well(site)
        // And once more: the keys of the second site signed what came after.
        await put(site.storage, '/second', pattern(77, 7))
        const again = await filesOf(site.storage)
        await lose(site)
        assert.deepEqual(await recover(site), [])
        assert.deepEqual(await filesOf(site.storage), again)
        await well(site)
      }))

    test('from n with one that is new and empty', () =>
      withFaultySite({ layout, threshold: 3, count: 5 }, async (site) => {
        await live(site)
        const before = await filesOf(site.storage)
        await lose(site, ['b'])
        await recover(site)
        assert.deepEqual(await filesOf(site.storage), before)
        assert.equal((await site.storage.status({ check: true })).locations[1]!.state, 'empty')
        await well(site)
      }))

    test('with one location damaged all over', () =>
      withFaultySite({ layout }, async (site) => {
        await live(site)
        const before = await filesOf(site.storage)
        await site.storage.close()
        for (const bytes of site.at['c']!.memory.objects.values()) for (let at = 7; at < bytes.length; at += 97) bytes[at]! ^= 0x55
        await lose(site)
        await recover(site)
        assert.deepEqual(await filesOf(site.storage), before)
        assert.deepEqual(await names(site), NAMES)
      }))
  })

suite('heads', () => {
  test('one forger does not win, with a later epoch and the true dealer called a former one', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      const before = await filesOf(site.storage)
      await site.storage.close()
      forge(site.at['b']!, (head) => ({
        epoch: head.epoch + 50,
        segments: [],
        catalogue: null,
        formerDealers: [head.dealer, ...head.formerDealers],
      }))
      await lose(site)
      await recover(site)
      assert.deepEqual(await filesOf(site.storage), before)
    }))

  test('a forger who hides the true heads, and one place gone: refused, with both named', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      await site.storage.close()
      const b = site.at['b']!
      forge(b, (head) => ({ epoch: head.epoch + 50, segments: [], catalogue: null, formerDealers: [head.dealer] }))
      for (const name of headsAt(b).slice(0, -1)) b.memory.objects.delete(name)
      await lose(site, ['c'])
      await assert.rejects(begin(site), (error) => isFailure(error, 'format.conflict') && error.culprits.toSorted().join() === 'a,b')
      // Nothing was adopted: the site is as empty as before, and may try again with the third place.
      assert.equal((await site.storage.status({ check: false })).health, 'none')
    }))

  test('places that replay old heads are outvoted by one that does not', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      await site.reopen()
      const back = ['a', 'b'].map((label) => remember(site.at[label]!))
      await live(site)
      const before = await filesOf(site.storage)
      await site.storage.close()
      for (const one of back) one()
      await lose(site)
      await recover(site)
      assert.deepEqual(await filesOf(site.storage), before)
      await well(site)
    }))

  test('a second loss: later keys at k places come after older ones that stand at more', () =>
    withFaultySite({ threshold: 2, count: 5 }, async (site) => {
      await live(site)
      await site.storage.close()
      const back = ['a', 'b', 'c'].map((label) => remember(site.at[label]!))
      await lose(site)
      await recover(site)
      await put(site.storage, '/by the second site', pattern(100, 9))
      const before = await filesOf(site.storage)
      await site.storage.close()
      for (const one of back) one()
      await lose(site)
      await recover(site)
      assert.deepEqual(await filesOf(site.storage), before)
      await well(site)
    }))

  test('junk under the names of heads is passed over', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      const before = await filesOf(site.storage)
      await site.storage.close()
      const head = newestHead(site.at['a']!)
      const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
      for (const [index, bytes] of [
        new Uint8Array(0),
        pattern(5000),
        text({}),
        text({ ...head, epoch: head.epoch + 3 }),
        text({ ...head, dealer: { mldsa65: 'AAAA', ed25519: 'AAAA' } }),
        text({ ...head, dealer: { mldsa65: '!', ed25519: '' }, signature: { mldsa65: '', ed25519: '' } }),
        new Uint8Array(3 * 2 ** 20),
      ].entries())
        for (const label of ['a', 'b', 'c']) site.at[label]!.memory.objects.set(headName(head.vault, head.epoch + 1 + index), bytes)
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.memory.objects.set(headName(head.vault, 2 ** 40), site.at['a']!.memory.objects.get(headsAt(site.at['a']!)[0]!)!)
      await lose(site)
      await recover(site)
      assert.deepEqual(await filesOf(site.storage), before)
      assert.equal((await site.storage.status({ check: false })).recoveryPoint.pendingChanges, 0)
    }))

  test('a head says who may have dealt: keys are encoded as in the page', () => {
    const keys = signer({ mldsa65: random(32), ed25519: random(32) }).keys
    assert.equal(Buffer.from(encodeKeys(keys).mldsa65, 'base64').length, 1952)
  })
})

suite('the vault says what it is called and where its locations are', () => {
  test('from k of its places: name, rule for uploads and all other places come back', () =>
    withFaultySite({ threshold: 2, count: 4, requireAll: true }, async (site) => {
      await live(site)
      await site.storage.close()
      await site.reopen()
      const before = await filesOf(site.storage)
      const { vault } = await site.storage.site()
      await lose(site)
      const [b, d] = [site.folders[1]!, site.folders[3]!]
      const begun = site.storage.recover({
        locations: [
          { spec: `folder:${d}`, label: 'd' },
          { spec: `folder:${b}`, label: 'b' },
        ],
      })
      const task = await finished(site.storage, begun)
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      assert.deepEqual(task.report!.findings, [])
      const after = await site.storage.status({ check: true })
      assert.deepEqual(
        after.locations.map(({ label, state }) => `${label} ${state}`),
        ['a healthy', 'b healthy', 'c healthy', 'd healthy'],
      )
      assert.deepEqual({ ...after.vault, dealer: '' }, { ...vault, dealer: '' })
      assert.equal(after.vault?.requireAll, true)
      assert.deepEqual(await filesOf(site.storage), before)
      await well(site)
    }))

  test('fewer than k places are refused, and so are fewer than all with an empty one among them', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await live(site)
      await lose(site, ['e'])
      const named = (labels: string): Parameters<typeof site.storage.recover>[0] => ({
        locations: labels.split('').map((label) => ({ spec: `folder:${site.folders['abcde'.indexOf(label)]}`, label })),
      })
      for (const labels of ['ab', 'abce'])
        await assert.rejects(site.storage.recover(named(labels)), (error) => isFailure(error, 'storage.locations'))
      assert.equal((await site.storage.site()).vault, null)
      assert.equal((await finished(site.storage, site.storage.recover(named('abc')))).state, 'done')
      assert.equal((await site.storage.status({ check: true })).locations[4]!.state, 'empty')
    }))

  test('a vault that was written before it said so asks for every place', () =>
    withFaultySite({ options: { logLimits: { flushMs: 3_600_000 } } }, async (site) => {
      const asItWas = ['a', 'b', 'c'].map((label) => remember(site.at[label]!))
      await site.storage.close()
      for (const back of asItWas) back()
      await lose(site)
      const two = site.folders.slice(0, 2).map((folder, index) => ({ spec: `folder:${folder}`, label: 'ab'[index]! }))
      await assert.rejects(
        site.storage.recover({ locations: two }),
        (error) => isFailure(error, 'storage.locations') && error.message.includes('does not say where'),
      )
      await recover(site)
    }))
})

suite('places that do not behave while the database is rebuilt', () => {
  test('one that hangs in everything: the rest is enough, and its fragments are not called lost', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      const before = await filesOf(site.storage)
      await site.storage.close()
      site.at['c']!.plan = () => ({ kind: 'hang' })
      await lose(site)
      assert.deepEqual(
        (await recover(site)).filter((one) => !one.startsWith('c unreachable')),
        [],
      )
      assert.deepEqual(await filesOf(site.storage), before)
      site.at['c']!.plan = () => undefined
      await site.storage.status({ check: true })
      const scrubbed = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      assert.deepEqual(scrubbed.report!.findings, [])
      await well(site)
    }))

  test('two silent ones cannot be told apart: refused, with both named', () =>
    withFaultySite({ threshold: 2, count: 4 }, async (site) => {
      await live(site)
      await site.storage.close()
      for (const label of ['b', 'd']) site.at[label]!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await lose(site)
      await assert.rejects(begin(site), (error) => isFailure(error, 'location.unreachable') && error.culprits.join() === 'b,d')
    }))

  test('wrong credentials are said at once', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      await site.storage.close()
      site.at['b']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.denied' })
      await lose(site)
      await assert.rejects(begin(site), (error) => isFailure(error, 'location.denied') && error.culprits.join() === 'b')
    }))

  test('a marker of another vault at one place: refused, and it is told which is which', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      await site.storage.close()
      site.at['b']!.memory.objects.set(
        'location.json',
        new TextEncoder().encode(`{"location":"${'ab'.repeat(16)}","v":1,"vault":"${'cd'.repeat(16)}"}`),
      )
      await lose(site)
      await assert.rejects(begin(site), (error) => isFailure(error, 'location.not-ours') && /b to cdcdcdcd/.test(error.message))
    }))

  test('it dies in the middle: nothing was adopted, no head was written, and the next try succeeds', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      const before = await filesOf(site.storage)
      await site.storage.close()
      const heads = headsAt(site.at['a']!)
      await lose(site)
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) =>
          call.operation === 'list' ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined
      await begin(site).catch(() => undefined)
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      // Cut off: the task is cancelled by closing.
      const { id } = await begin(site)
      await site.reopen()
      assert.throws(() => site.storage.task(id))
      if ((await site.storage.status({ check: false })).health === 'none') {
        assert.deepEqual(headsAt(site.at['a']!), heads)
        await recover(site)
      }
      assert.deepEqual(await filesOf(site.storage), before)
      await well(site)
    }))

  test('nobody writes into a vault that is being rebuilt', () =>
    withFaultySite({}, async (site) => {
      await live(site)
      await lose(site)
      const started = begin(site)
      await started
      await assert.rejects(put(site.storage, '/early', pattern(5)), (error) => isFailure(error, 'storage.no-vault'))
      await assert.rejects(begin(site), (error) => isFailure(error, 'storage.vault-exists'))
      assert.equal((await finished(site.storage, started)).state, 'done')
      await put(site.storage, '/late', pattern(5))
      await well(site)
    }))
})

suite('what the catalogue does not know', () => {
  test('files put after the last segment are there, under the name of their upload', () =>
    withFaultySite({ options: { logLimits: { flushMs: 3_600_000 } } }, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      await site.reopen()
      await put(site.storage, '/x', pattern(200, 2))
      await put(site.storage, '/new/file', pattern(300_000, 3))
      const before = await filesOf(site.storage)
      const places = ['a', 'b', 'c'].map((label) => remember(site.at[label]!))
      await site.storage.close()
      for (const back of places) back()
      await lose(site)
      assert.deepEqual(await recover(site), [])
      assert.deepEqual(await filesOf(site.storage), before)
      await well(site)
    }))

  test('an upload that was cut off, fragments of fewer than k, and what a liar adds are not files', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      const before = await filesOf(site.storage)
      await put(site.storage, '/half', pattern(5000, 2))
      const half = (await site.storage.placement({ path: '/half' })).fragments
      const [a, b] = [half[0]!, half[1]!].map(({ label, name }) => ({
        name: name!,
        bytes: site.at[label]!.memory.objects.get(name!)!.slice(),
      }))
      await site.storage.remove({ path: '/half', recursive: false })
      await site.reopen()
      // The drop is forgotten with the database only if the catalogue did not keep it.
      site.at['a']!.memory.objects.set(a!.name, a!.bytes)
      site.at['b']!.memory.objects.set(b!.name, b!.bytes.slice(0, 3000))
      // A liar copies the ids of a file and changes k or n: a group of its own, with too few places.
      const [one] = (await site.storage.placement({ path: '/x' })).fragments
      const copy = site.at['a']!.memory.objects.get(one!.name!)!.slice()
      copy[8 + 2] = 4
      copy[copy.length - 8 - new DataView(copy.buffer).getUint32(copy.length - 8) + 8 + 2] = 4
      site.at['a']!.memory.objects.set('00/00000000000000000000000000000000', copy)
      await lose(site)
      await recover(site)
      assert.deepEqual(await filesOf(site.storage), before)
    }))

  test('an older upload that comes to light does not replace the newer one', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      await site.storage.close()
      const lost = ['a', 'b', 'c'].map(
        (label) => new Map([...site.at[label]!.memory.objects].filter(([name]) => fragmentsAt(site.at[label]!).includes(name))),
      )
      await site.reopen()
      await site.storage.remove({ path: '/x', recursive: false })
      await put(site.storage, '/x', pattern(200, 2))
      // Enough goes by for a snapshot that does not speak of the removed file any more.
      await site.reopen({ logLimits: { segmentsMax: 1 } })
      await put(site.storage, '/y', pattern(1, 1))
      await site.reopen({ logLimits: { segmentsMax: 1 } })
      await put(site.storage, '/z', pattern(1, 1))
      await site.storage.close()
      const before = new Map([
        ['/x', [hashOf(pattern(200, 2))]],
        ['/y', [hashOf(pattern(1, 1))]],
        ['/z', [hashOf(pattern(1, 1))]],
      ])
      for (const [index, label] of ['a', 'b', 'c'].entries())
        for (const [name, bytes] of lost[index]!) site.at[label]!.memory.objects.set(name, bytes)
      await lose(site)
      assert.deepEqual(await recover(site), [' orphan /x'])
      assert.deepEqual(await filesOf(site.storage), before)
    }))

  test('no part of the catalogue can be read: files come back by what they say themselves', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/a/x', pattern(100, 1))
      await put(site.storage, '/a/y', pattern(300_000, 2))
      const files = new Set(
        (await Promise.all(['/a/x', '/a/y'].map((path) => site.storage.placement({ path })))).flatMap(({ fragments }) =>
          fragments.map(({ name }) => name),
        ),
      )
      const before = await filesOf(site.storage)
      await site.storage.close()
      for (const label of ['a', 'b', 'c'])
        for (const name of fragmentsAt(site.at[label]!)) if (!files.has(name)) site.at[label]!.memory.objects.set(name, pattern(3000))
      await lose(site)
      const findings = await recover(site)
      assert.ok(findings.includes(' unreadable catalogue'), findings.join('\n'))
      assert.deepEqual(await filesOf(site.storage), before)
    }))

  test('through snapshots, too', () =>
    withFaultySite({ options: { logLimits: { flushMs: 5, segmentLinesMax: 4, segmentsMax: 2 } } }, async (site) => {
      for (let index = 0; index < 12; index++) await put(site.storage, `/f/${index}`, pattern(100 + index, index))
      for (let index = 0; index < 12; index += 3) await site.storage.remove({ path: `/f/${index}`, recursive: false })
      await live(site)
      await put(site.storage, '/f/1', pattern(9, 9))
      await site.storage.move({ from: '/f', to: '/g', replace: false })
      const before = await filesOf(site.storage)
      const listed = await names(site)
      await lose(site)
      assert.deepEqual(await recover(site), [])
      assert.deepEqual(await filesOf(site.storage), before)
      assert.deepEqual(await names(site), listed)
      await well(site)
    }))
})

suite('recovery/recover.py', { skip: noPython() ?? false }, () => {
  for (const [layout, k, n] of [
    ['shared', 2, 3],
    ['sealed', 2, 3],
    ['shared', 3, 5],
    ['sealed', 3, 4],
  ] as const)
    test(`${layout} ${k} of ${n}: what the product wrote, from exactly k folders`, async (context) => {
      const site = await makeSite({
        layout,
        threshold: k,
        count: n,
        options: { logLimits: { flushMs: 5, segmentLinesMax: 6, segmentsMax: 3 } },
      })
      context.after(() => site.end())
      await live(site)
      // One place is emptied and repaired: its fragments are of the second hand.
      await rename(site.folders[1]!, `${site.folders[1]!}.broken`)
      await mkdir(site.folders[1]!)
      await site.storage.status({ check: true })
      assert.deepEqual((await finished(site.storage, site.storage.repair({}))).report?.findings, [])
      // Nothing may wait for repair: exactly k folders are to hold everything.
      await site.storage.status({ check: true })
      await put(site.storage, '/last', pattern(400_000, 8))
      assert.deepEqual((await finished(site.storage, site.storage.repair({}))).report?.findings, [])
      await site.storage.status({ check: true })
      const expected = await filesOf(site.storage)
      await site.storage.close()
      for (const chosen of [site.folders.slice(0, k), site.folders.slice(n - k)]) {
        const { status, report, out } = await recoverPy(site.root, chosen)
        assert.equal(status, 0, JSON.stringify(report))
        assert.deepEqual(await restoredFiles(out), new Map([...expected].map(([path, versions]) => [path, versions.at(-1)])))
        assert.deepEqual(report.blames, [])
      }
      const everything = await recoverPy(site.root, site.folders, '--all-versions')
      assert.equal(everything.status, 0, JSON.stringify(everything.report))
      assert.equal((await restoredFiles(everything.out)).size, [...expected.values()].flat().length)
      assert.equal((await recoverPy(site.root, site.folders.slice(0, k - 1))).status, 2)
    })

  test('damage in different records of two of three is survived, and every bad file is named', async (context) => {
    const site = await makeSite({})
    context.after(() => site.end())
    await put(site.storage, '/x', pattern(900_000, 5))
    await put(site.storage, '/y', pattern(100, 6))
    const { fragments } = await site.storage.placement({ path: '/x' })
    const expected = await filesOf(site.storage)
    await site.storage.close()
    for (const [index, at] of [
      [0, 100_000],
      [1, 700_000],
    ] as const) {
      const file = join(site.folders[index]!, fragments[index]!.name!)
      const bytes = await readFile(file)
      bytes[at]! ^= 1
      await writeFile(file, bytes)
    }
    const { status, report, out } = await recoverPy(site.root, site.folders)
    assert.equal(status, 3)
    assert.deepEqual(await restoredFiles(out), new Map([...expected].map(([path, versions]) => [path, versions.at(-1)])))
    assert.deepEqual(
      report.blames.map(({ file }) => file.split('/').slice(-2).join('/')).toSorted(),
      [fragments[0]!.name!, fragments[1]!.name!].toSorted(),
    )
  })

  test('after a recovery by the product, and a second dealer', async (context) => {
    const site = await makeSite({})
    context.after(() => site.end())
    await live(site)
    await site.storage.close()
    await rm(site.home, { recursive: true })
    await mkdir(site.home, { mode: 0o700 })
    await site.reopen().catch(() => undefined)
    const task = await finished(
      site.storage,
      site.storage.recover({ locations: site.folders.map((folder) => ({ spec: `folder:${folder}` })) }),
    )
    assert.equal(task.state, 'done')
    await put(site.storage, '/by the second', pattern(50, 5))
    const expected = await filesOf(site.storage)
    await site.storage.close()
    const { status, report, out } = await recoverPy(site.root, site.folders.slice(0, 2))
    assert.equal(status, 0, JSON.stringify(report))
    assert.deepEqual(await restoredFiles(out), new Map([...expected].map(([path, versions]) => [path, versions.at(-1)])))
    assert.ok(equalPublic(await readFile(join(out, 'by the second')), pattern(50, 5)))
  })
})
