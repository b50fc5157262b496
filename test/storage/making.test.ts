// Making a vault and adding locations: places that fail in the middle, a process that dies in the middle, and a second try that succeeds.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { openSiteStorage } from '#storage'
import { createGroupCommit } from '../../src/storage/group-commit.ts'
import { parseVaultHead } from '../../src/storage/head.ts'
import { type StorageTables, storageMigrations } from '../../src/storage/tables.ts'
import { openDatabase } from '#database'
import { noStrace } from './crash-run.ts'
import { type FaultySite, isFragment, makeFaultySite, withFaultySite } from './faulty-site.ts'
import { finished, get, pattern, put, quiet } from './site.ts'

function making(site: FaultySite): ReturnType<FaultySite['storage']['createVault']> {
  return site.storage.createVault({
    threshold: 2,
    layout: 'shared',
    requireAll: false,
    locations: site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! })),
  })
}

suite('a vault is made', () => {
  for (const kind of ['hang', 'fail'] as const)
    test(`one place ${kind}s at any step: refused with its name, the others are as before, and a second try succeeds`, () =>
      withFaultySite({}, async (site) => {
        // The first vault of this site goes, its places stay: they are emptied.
        await site.storage.close()
        for (const control of Object.values(site.at)) control.memory.objects.clear()
        let tried = 0
        for (let step = 0; ; step++) {
          await rm(site.home, { recursive: true })
          await mkdir(site.home, { mode: 0o700 })
          await site.reopen()
          let calls = 0
          site.at['c']!.plan = ({ name }) => {
            if (name?.startsWith('probe/') === true || name === undefined) return undefined
            return calls++ >= step ? (kind === 'hang' ? { kind } : { kind, when: 'before', code: 'location.unreachable' }) : undefined
          }
          const made = await making(site).catch((error: unknown) => error)
          site.at['c']!.plan = () => undefined
          if (!(made instanceof Error)) break
          assert.ok(isFailure(made) && made.culprits.includes('c'), String(made))
          for (const label of ['a', 'b']) assert.deepEqual([...site.at[label]!.memory.objects.keys()], [], `step ${step}`)
          site.at['c']!.memory.objects.clear()
          assert.equal((await site.storage.status({ check: false })).health, 'none')
          await making(site)
          await put(site.storage, '/x', pattern(10))
          await site.storage.close()
          for (const control of Object.values(site.at)) control.memory.objects.clear()
          tried += 1
          assert.ok(step < 20)
        }
        assert.ok(tried > 0)
      }))

  test('a process that dies at any fsync: the vault is there, or can be made', { skip: noStrace() ?? false }, async (context) => {
    for (let when = 1; when < 60; when += 2) {
      const root = await mkdtemp(join(tmpdir(), 'making-'))
      const home = join(root, 'home')
      await mkdir(home, { mode: 0o700 })
      const inject = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:signal=SIGKILL:when=${when}`]
      const child = [process.execPath, join(import.meta.dirname, 'making-child.ts'), root]
      const run = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, ...child], { encoding: 'utf8' })
      const storage = await openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
      try {
        const status = await storage.status({ check: true })
        if (status.health === 'none') {
          await storage.createVault({
            threshold: 2,
            layout: 'shared',
            requireAll: false,
            locations: ['a', 'b', 'c'].map((name) => ({ spec: `folder:${join(root, name)}`, label: name })),
          })
        } else assert.equal(status.health, 'healthy', `fsync ${when}: ${JSON.stringify(status.messages)}`)
        await put(storage, '/y', pattern(20))
        assert.ok(equalPublic(await get(storage, '/y'), pattern(20)))
        assert.deepEqual((await finished(storage, storage.scrub({ depth: 'tags' }))).report!.findings, [], `fsync ${when}`)
      } finally {
        await storage.close()
        await rm(root, { recursive: true, force: true })
      }
      if (run.status === 0) {
        context.diagnostic(`killed at every second fsync up to ${when}`)
        return
      }
    }
  })
})

/** Locations that the newest head at a place names. */
function namedByHead({ memory }: FaultySite['at'][string]): number {
  const newest = [...memory.objects.keys()]
    .filter((name) => name.startsWith('head/'))
    .toSorted()
    .at(-1)
  return newest === undefined ? 0 : parseVaultHead(memory.objects.get(newest)!).locations.length
}

suite('a location is added', () => {
  test('it stands after a restart, and its label cannot be given twice', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(10))
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      const add = (): Promise<unknown> => site.storage.addLocation({ spec: `folder:${site.root}/e`, label: 'e' })
      await add()
      assert.equal((await site.storage.status({ check: true })).locations.length, 5)
      await assert.rejects(add(), (error) => isFailure(error, 'storage.exists'))
      await site.reopen()
      assert.equal((await site.storage.status({ check: true })).locations.length, 5)
    }))

  test('a marker that stands although its writing was not answered does not keep the place from being added again', async () => {
    let lost = true
    const site = await makeFaultySite({
      heard: (label, { operation, name }) => {
        if (label !== 'd') return
        const hit = lost && operation === 'putIfAbsent' && name === 'location.json'
        site.at['d']!.plan = () => (hit ? { kind: 'fail', when: 'after', code: 'location.unreachable' } : undefined)
        if (hit) lost = false
      },
    })
    try {
      const add = (): ReturnType<typeof site.storage.addLocation> => site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      await assert.rejects(add(), (error) => isFailure(error, 'location.unreachable'))
      assert.equal((await site.storage.status({ check: true })).locations.length, 3)
      await add()
      assert.equal((await site.storage.status({ check: true })).locations.length, 4)
    } finally {
      await site.end()
    }
  })

  test('too few locations take the vault head: it is added all the same, and the head follows when they are back', () =>
    withFaultySite({ options: { logLimits: { flushMs: 5 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) =>
          call.operation === 'putIfAbsent' && call.name?.startsWith('head/') === true
            ? { kind: 'fail', when: 'before', code: 'location.unreachable' }
            : undefined
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      assert.equal((await site.storage.status({ check: false })).locations.length, 4)
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      await site.storage.status({ check: true })
      const everywhere = (): boolean => ['a', 'b', 'c', 'd'].every((label) => namedByHead(site.at[label]!) === 4)
      for (let round = 0; round < 2000 && !everywhere(); round++)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
      assert.ok(everywhere())
    }))

  test('while uploads are under way: each of them is whole', () =>
    withFaultySite({}, async (site) => {
      const uploads = Array.from({ length: 12 }, async (_, index) => {
        const grant = await site.storage.openToWrite({ path: `/f/${index}`, ifAbsent: true })
        return grant.store(
          (async function* () {
            yield pattern(300_000, index)
            await new Promise((resolve) => setImmediate(resolve))
            yield pattern(300_000, index + 1)
          })(),
        )
      })
      await site.storage.addLocation({ spec: `folder:${site.root}/d`, label: 'd' })
      await Promise.all(uploads)
      await finished(site.storage, site.storage.repair({}))
      await site.reopen()
      assert.deepEqual((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings, [])
      site.at['a']!.plan = (call) => (isFragment(call) ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined)
      for (let index = 0; index < 12; index++) assert.equal((await get(site.storage, `/f/${index}`)).length, 600_000)
    }))
})

suite('transactions that are shared', () => {
  test('one that refuses does not undo the others, and all are durable when they resolve', async (context) => {
    const root = await mkdtemp(join(tmpdir(), 'group-'))
    context.after(() => rm(root, { recursive: true }))
    const db = await openDatabase<StorageTables>({ file: join(root, 'db.sqlite'), migrations: storageMigrations })
    context.after(() => db.close())
    let transactions = 0
    const group = createGroupCommit({
      ...db,
      transaction: (work) => {
        transactions += 1
        return db.transaction(work)
      },
    })
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        group.run(async (tx) => {
          await tx
            .insertInto('debris')
            .values({ location: 'l', name: String(index) })
            .execute()
          if (index % 3 === 0) throw new Error(`no ${index}`)
          return index
        }),
      ),
    )
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
      Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? `Error: no ${index}` : index)),
    )
    assert.equal((await db.kysely.selectFrom('debris').select('name').execute()).length, 13)
    assert.equal(transactions, 2)
  })
})
