// The traps of fragment.md against a vault that runs, and against one that lost its database: liars who deal anew, claim other numbers, copy ids.
import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { equalPublic } from '#base'
import { openSigningKeys } from '../../src/storage/signing-keys.ts'
import { dealBytes } from '../format/deal.ts'
import { filesOf } from './crash-run.ts'
import { type FaultySite, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put } from './site.ts'

const BYTES = pattern(70_000, 3)

function place(site: FaultySite, label: string, bytes: Uint8Array, name = newName()): void {
  site.at[label]!.memory.objects.set(name, bytes)
}

let names = 0
function newName(): string {
  return `00/${(++names).toString(16).padStart(32, '0')}`
}

async function vaultOf(site: FaultySite): Promise<string> {
  return (await site.storage.status({ check: false })).vault!.id
}

async function recovered(site: FaultySite): Promise<string[]> {
  await site.storage.close()
  const labels = site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abcdefgh'[index]! }))
  await rm(site.home, { recursive: true })
  await mkdir(site.home, { mode: 0o700 })
  await site.reopen()
  const task = await finished(site.storage, site.storage.recover({ locations: labels }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return task.report!.findings.map(({ kind, path }) => `${kind} ${path}`)
}

async function blamed(site: FaultySite): Promise<string[]> {
  const task = await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
  return task.report!.findings.map(({ location, kind, path }) => `${location} ${kind} ${path}`).toSorted()
}

suite('a vault that runs', () => {
  test('two of five deal the file anew among themselves with k = 2: refused, the right bytes come, both are blamed', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      const { fragments } = await site.storage.placement({ path: '/x' })
      const vault = await vaultOf(site)
      const evil = await dealBytes(pattern(70_000, 66), { k: 2, n: 5, vault }, [], { path: '/x' })
      for (const index of [0, 1]) place(site, 'ab'[index]!, evil.files[index]!, fragments[index]!.name!)
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await blamed(site), ['a corrupt /x', 'b corrupt /x'])
    }))

  test('one location serves three fragments in place of its own: it counts once', () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      const { fragments } = await site.storage.placement({ path: '/x' })
      // The fragments of b and c, as a thief would copy them, under names of a.
      for (const index of [1, 2]) place(site, 'a', site.at['abcde'[index]!]!.memory.objects.get(fragments[index]!.name!)!)
      for (const label of ['b', 'c', 'd']) site.at[label]!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await site.storage.status({ check: true })
      await assert.rejects(get(site.storage, '/x'))
      for (const label of ['b', 'c', 'd']) site.at[label]!.plan = () => undefined
      await site.storage.status({ check: true })
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(
        (await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings.map(
          ({ location, kind }) => `${location} ${kind}`,
        ),
        ['a orphan', 'a orphan'],
      )
    }))

  test('k locations together make a file of their own: it is not signed by the dealer, and refused', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      const { fragments } = await site.storage.placement({ path: '/x' })
      const evil = await dealBytes(pattern(70_000, 66), { vault: await vaultOf(site) }, [], { path: '/x' })
      for (const index of [0, 1, 2]) place(site, 'abc'[index]!, evil.files[index]!, fragments[index]!.name!)
      await assert.rejects(get(site.storage, '/x'))
    }))

  test('a fragment of an earlier version under the name of the present one', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(70_000, 1))
      const old = (await site.storage.placement({ path: '/x' })).fragments
      await put(site.storage, '/x', BYTES)
      const now = (await site.storage.placement({ path: '/x' })).fragments
      const { objects } = site.at['b']!.memory
      objects.set(now[1]!.name!, objects.get(old[1]!.name!)!)
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await blamed(site), ['b corrupt /x'])
    }))

  test('a genuine fragment that was repaired away, put back under the new name', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      const [, before] = (await site.storage.placement({ path: '/x' })).fragments
      const { objects } = site.at['b']!.memory
      const bytes = objects.get(before!.name!)!.slice()
      objects.delete(before!.name!)
      await blamed(site)
      await finished(site.storage, site.storage.repair({}))
      const [, after] = (await site.storage.placement({ path: '/x' })).fragments
      assert.notEqual(after!.name, before!.name)
      objects.set(after!.name!, bytes)
      // Its share is right, so it serves; it is not what was written, and a scrub says so.
      assert.ok(equalPublic(await get(site.storage, '/x'), BYTES))
      assert.deepEqual(await blamed(site), ['b corrupt /x'])
    }))
})

suite('without the database', () => {
  test("liars who deal with a smaller k, or from one place, or without the dealer's keys add no file", () =>
    withFaultySite({ threshold: 3, count: 5 }, async (site) => {
      await put(site.storage, '/x', BYTES)
      const before = await filesOf(site.storage)
      const vault = await vaultOf(site)
      const two = await dealBytes(BYTES, { k: 2, n: 5, vault }, [], { path: '/evil' })
      for (const index of [0, 1]) place(site, 'ab'[index]!, two.files[index]!)
      const one = await dealBytes(BYTES, { k: 3, n: 5, vault }, [], { path: '/evil' })
      for (const index of [0, 1, 2]) place(site, 'a', one.files[index]!)
      const strangers = await dealBytes(BYTES, { k: 3, n: 5, vault }, [], { path: '/evil' })
      for (const index of [0, 1, 2]) place(site, 'abc'[index]!, strangers.files[index]!)
      assert.deepEqual(await recovered(site), ['incomplete '])
      assert.deepEqual(await filesOf(site.storage), before)
    }))

  test('one liar does not keep a new file from coming back: other numbers, copied ids, damaged HEAD copies', () =>
    withFaultySite({}, async (site) => {
      const signer = await openSigningKeys({ home: site.home })
      const vault = await vaultOf(site)
      const fresh = await dealBytes(BYTES, { vault }, [], { path: '/fresh', signer })
      // The first place lies in every way it can, and is looked at first.
      for (let x = 1; x <= 3; x++) {
        const lie = fresh.files[0]!.slice()
        const trailer = lie.length - 8 - new DataView(lie.buffer).getUint32(lie.length - 8)
        const at = 8 + new DataView(lie.buffer).getUint32(4) - 1 - 32 - 16
        lie[at] = x
        lie[trailer + at] = x
        lie[2000]! ^= 1
        place(site, 'a', lie)
      }
      place(site, 'b', fresh.files[1]!)
      const damaged = fresh.files[2]!.slice()
      damaged[damaged.length - 8 - new DataView(damaged.buffer).getUint32(damaged.length - 8) + 20]! ^= 1
      place(site, 'c', damaged)
      assert.deepEqual(await recovered(site), [])
      assert.ok(equalPublic(await get(site.storage, '/fresh'), BYTES))
      await finished(site.storage, site.storage.scrub({ depth: 'tags' }))
      await finished(site.storage, site.storage.repair({}))
      assert.ok(!(await blamed(site)).some((one) => one.endsWith('/fresh')))
    }))

  test('two dealings of one version: neither is chosen in silence', () =>
    withFaultySite({}, async (site) => {
      const signer = await openSigningKeys({ home: site.home })
      const spec = { vault: await vaultOf(site), object: 'ab'.repeat(16), version: 1 }
      for (const seed of [1, 2]) {
        const dealt = await dealBytes(pattern(500, seed), spec, [], { path: '/x', signer })
        for (const index of [0, 1, 2]) place(site, 'abc'[index]!, dealt.files[index]!)
      }
      assert.deepEqual(await recovered(site), ['conflict /x', 'conflict /x'])
      assert.deepEqual(await filesOf(site.storage), new Map())
    }))

  test('a source that was opened again in the middle, and a stale record of before at one place', () =>
    withFaultySite({}, async (site) => {
      const signer = await openSigningKeys({ home: site.home })
      const bytes = pattern(200_000, 4)
      const vault = await vaultOf(site)
      const dealt = await dealBytes(bytes, { vault }, [1, 2], { path: '/runs', signer })
      const stale = await dealBytes(bytes, { vault }, [], { path: '/runs', signer })
      for (const index of [0, 1, 2]) place(site, 'abc'[index]!, dealt.files[index]!)
      // The second record of another run, in place of the one of this.
      const [file, other] = [dealt.files[0]!, stale.files[0]!]
      const head = 8 + new DataView(file.buffer).getUint32(4)
      const record = 65_536 + 16 + 24
      file.set(other.subarray(head + record, head + 2 * record), head + record)
      assert.deepEqual(await recovered(site), [])
      assert.ok(equalPublic(await get(site.storage, '/runs'), bytes))
      assert.deepEqual(await blamed(site), ['a corrupt /runs'])
    }))
})
