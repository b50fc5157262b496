// The log of a site: order, groups, openings, refusals, receipts, erasure, the head that goes on; on both databases.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isFailure, utf8 } from '#base'
import type { DatabasePlace } from '#database'
import type { AuditStep } from '#contract'
import {
  LEAF_BYTES_MAX,
  parseKey,
  parseLeaf,
  parsePersonalLine,
  verifyCheckpoint,
  verifyConsistency,
  verifyLog,
  verifyReceipt,
} from '#format/log'
import { postgresServer } from '../database/postgres-server.ts'
import { ADA, BEN, makeHome, opened, refused, SITE, type TestHome } from './homes.ts'

const server = postgresServer()
const PLACES: readonly { readonly name: string; readonly place: () => DatabasePlace | undefined }[] = [
  { name: 'embedded', place: () => undefined },
  ...(server === undefined ? [] : [{ name: 'PostgreSQL', place: () => server.place() }]),
]

async function verdictOf(home: TestHome): Promise<Extract<AuditStep, { kind: 'verdict' }>> {
  let last: AuditStep | undefined
  for await (const step of home.audit.verify({})) last = step
  assert.equal(last?.kind, 'verdict')
  return last
}

async function keysOf(home: TestHome) {
  return (await home.audit.head()).vkeys.map(parseKey)
}

for (const { name, place } of PLACES)
  suite(`the audit log, ${name}`, () => {
    test('many entries at once have places without gaps, and the order of the tree', async () => {
      const home = await makeHome({ place: place() })
      const places = await Promise.all(Array.from({ length: 700 }, (_, n) => home.audit.append(opened(n))))
      assert.deepEqual(
        places.map(({ index }) => index).toSorted((a, b) => a - b),
        Array.from({ length: 700 }, (_, n) => n),
      )
      assert.deepEqual(await verdictOf(home), {
        kind: 'verdict',
        size: 700,
        root: (await home.audit.head()).root,
        entries: 700,
        opened: 700,
        erased: 0,
        problem: null,
      })
      const { entries, next } = await home.audit.entries({ limit: 3 })
      assert.deepEqual(
        entries.map(({ index }) => index),
        [699, 698, 697],
      )
      const after = await home.audit.entries({ limit: 2, after: next! })
      assert.deepEqual(
        after.entries.map(({ index }) => index),
        [696, 695],
      )
      await home.close()
    })

    test('entries of a transaction of the caller come with it, and go with it', async () => {
      const home = await makeHome({ place: place() })
      await home.audit.append(opened(0))
      await home.db.transaction((tx) => home.audit.appendIn(tx, [opened(1), opened(2)]))
      await assert.rejects(
        home.db.transaction(async (tx) => {
          assert.deepEqual(await home.audit.appendIn(tx, [opened(3)]), [{ index: 3 }])
          throw new Error('undone')
        }),
        /undone/,
      )
      assert.deepEqual(await home.audit.append(opened(4)), { index: 3 })
      assert.equal((await verdictOf(home)).problem, null)
      await home.close()
    })

    test('the log goes on after a restart, each head is the beginning of the next, and the keys stay', async () => {
      const home = await makeHome({ place: place() })
      const vkeys = (await home.audit.head()).vkeys
      let before = verifyCheckpoint(await home.audit.checkpoint(), vkeys.map(parseKey))
      assert.equal(before.size, 0)
      for (const count of [1, 2, 255, 1, 300]) {
        await Promise.all(Array.from({ length: count }, (_, n) => home.audit.append(opened(n))))
        await home.reopen()
        const now = verifyCheckpoint(await home.audit.checkpoint(), vkeys.map(parseKey))
        assert.equal(now.signers.length, 2)
        assert.equal(now.size, before.size + count)
        const { proof } = await home.audit.consistency(before.size)
        verifyConsistency({
          from: before.size,
          fromRoot: before.root,
          size: now.size,
          root: now.root,
          proof: proof.map((one) => Buffer.from(one, 'base64')),
        })
        before = now
      }
      assert.deepEqual((await home.audit.head()).vkeys, vkeys)
      assert.equal((await verdictOf(home)).problem, null)
      await assert.rejects(home.audit.consistency(before.size + 1), (error) => isFailure(error, 'audit.absent'))
      assert.deepEqual(home.alarms, [])
      await home.close()
    })

    test('an entry holds no name and no path, is small, and says who by a pseudonym that stays the same', async () => {
      const home = await makeHome({ place: place() })
      const long = `/${'x\u0001'.repeat(2000)}`
      await home.audit.append({ ...opened(1), object: { id: 'f'.repeat(32), version: 2 ** 40, path: long } })
      await home.audit.append({
        kind: 'grant',
        actor: BEN,
        subject: ADA,
        outcome: 'done',
        path: '/mri',
        detail: { to: 'Ada Wolf', note: 'n'.repeat(5000) },
      })
      await home.audit.append({ kind: 'start', actor: SITE, outcome: 'done' })
      const rows = await home.db.kysely.selectFrom('audit_leaf').select('leaf').orderBy('idx').execute()
      for (const { leaf } of rows) {
        assert.ok(utf8(leaf).length <= LEAF_BYTES_MAX)
        // The commitment is random letters, in which any short word may stand.
        const rest = leaf.replace(/"personal":"[^"]*"/, '')
        for (const word of ['Ada', 'Wolf', 'Ben', 'mri', 'xx', ADA.id, BEN.id]) assert.ok(!rest.includes(word), `${word} in ${leaf}`)
      }
      const [first, second, third] = rows.map(({ leaf }) => parseLeaf(utf8(leaf)))
      assert.equal(first!.actor, second!.subject)
      assert.match(second!.actor, /^person:[0-9a-f]{32}$/)
      assert.equal(third!.actor, 'site')
      const { entries } = await home.audit.entries({ actor: ADA.id })
      assert.deepEqual(
        entries.map(({ index }) => index),
        [1, 0],
      )
      assert.equal(entries[1]!.personal!.path!.length, 4001)
      assert.deepEqual(entries[0]!.personal!.subject, { id: ADA.id, name: ADA.name })
      await home.close()
    })

    test('one entry covers the openings of a version by a person for 15 minutes, or until it is revoked', async () => {
      const home = await makeHome({ place: place() })
      const places = await Promise.all(Array.from({ length: 50 }, () => home.audit.opening(opened(1))))
      assert.deepEqual([...new Set(places.map(({ index }) => index))], [0])
      assert.deepEqual(await home.audit.opening(opened(1, BEN)), { index: 1 })
      assert.deepEqual(await home.audit.opening(opened(2)), { index: 2 })
      assert.deepEqual(await home.audit.opening({ ...opened(1), object: { ...opened(1).object!, version: 2 } }), { index: 3 })
      home.clock.advance(15 * 60_000 - 1)
      assert.deepEqual(await home.audit.opening(opened(1)), { index: 0 })
      home.clock.advance(1)
      assert.deepEqual(await home.audit.opening(opened(1)), { index: 4 })
      home.audit.revoked(BEN.id)
      assert.deepEqual(await home.audit.opening(opened(1)), { index: 4 })
      home.audit.revoked(ADA.id)
      assert.deepEqual(await home.audit.opening(opened(1)), { index: 5 })
      home.audit.revoked()
      assert.deepEqual(await home.audit.opening(opened(1)), { index: 6 })
      await home.close()
    })

    test('refusals that repeat are two entries a minute with their number, and many different ones few more', async () => {
      const home = await makeHome({ place: place() })
      for (let n = 0; n < 40; n++) assert.deepEqual(await home.audit.append(refused('/a')), { index: 0 })
      assert.deepEqual(await home.audit.append(refused('/a', 'access.unauthenticated')), { index: 1 })
      for (let n = 0; n < 500; n++)
        await home.audit.append(refused(`/many/${n}`, 'access.denied', { kind: 'nobody', id: String(n), name: '' }))
      home.clock.advance(60_000)
      await home.audit.append(refused('/a'))
      await home.reopen()
      const { entries } = await home.audit.entries({ limit: 1000, outcome: 'refused' })
      const ofBen = entries.filter(({ personal }) => personal?.actor?.id === BEN.id).toReversed()
      assert.deepEqual(
        ofBen.map(({ code, count }) => [code, count ?? 1]),
        [
          ['access.denied', 1],
          ['access.unauthenticated', 1],
          ['access.denied', 39],
          ['access.denied', 1],
        ],
      )
      const ofNobody = entries.filter(({ actor }) => actor === 'nobody')
      assert.ok(ofNobody.length <= 52, String(ofNobody.length))
      assert.equal(
        ofNobody.reduce((sum, { count }) => sum + (count ?? 1), 0),
        500,
      )
      await home.close()
    })

    test('a receipt proves an entry to whoever has the keys', async () => {
      const home = await makeHome({ place: place() })
      await Promise.all(Array.from({ length: 300 }, (_, n) => home.audit.append(opened(n))))
      for (const index of [0, 255, 256, 299]) {
        const { entry, checkpoint, index: at } = verifyReceipt(await home.audit.inclusion(index), await keysOf(home))
        assert.equal(at, index)
        assert.equal(checkpoint.size, 300)
        assert.equal(parseLeaf(entry).index, index)
      }
      for (const index of [300, -1, 1.5, Number.NaN])
        await assert.rejects(home.audit.inclusion(index), (error) => isFailure(error, 'audit.absent'))
      await home.close()
    })

    test('erased personal fields are gone from the rows, and the log still verifies and says when', async () => {
      const home = await makeHome({ place: place() })
      await home.audit.append(opened(1))
      await home.audit.append(opened(2, BEN))
      await home.audit.append({ kind: 'person', actor: BEN, subject: ADA, outcome: 'done', detail: { name: 'Ada Wolf' } })
      await home.audit.append(opened(3))
      const { root } = await home.audit.head()
      assert.deepEqual(await home.audit.erase({ person: ADA.id, reason: 'Art. 17', actor: BEN }), { entries: 3 })
      const rows = await home.db.kysely.selectFrom('audit_personal').selectAll().orderBy('idx').execute()
      assert.deepEqual(
        rows.map(({ salt, fields, erased }) => [salt === null, fields === null, erased === null]),
        [
          [true, true, false],
          [false, false, true],
          [true, true, false],
          [true, true, false],
          [false, false, true],
        ],
      )
      assert.ok(!rows.some(({ fields }) => fields?.includes('Ada')))
      assert.deepEqual(await home.db.kysely.selectFrom('audit_actor').select('actor').execute(), [{ actor: BEN.id }])
      const { entries } = await home.audit.entries({})
      assert.equal(entries.find(({ index }) => index === 0)!.erased, '2030-01-01T00:00:00.000Z')
      assert.equal(entries[0]!.kind, 'erase')
      const verdict = await verdictOf(home)
      assert.deepEqual(
        { opened: verdict.opened, erased: verdict.erased, problem: verdict.problem },
        { opened: 2, erased: 3, problem: null },
      )
      assert.notEqual(verdict.root, root)
      // The person comes back as somebody else.
      await home.audit.append(opened(1))
      const leaves = await home.db.kysely.selectFrom('audit_leaf').select(['idx', 'actor']).orderBy('idx').execute()
      assert.notEqual(leaves.at(-1)?.actor, leaves[0]!.actor)
      assert.deepEqual(await home.audit.erase({ object: opened(2).object!.id, reason: 'Art. 17', actor: BEN }), { entries: 1 })
      assert.equal((await verdictOf(home)).problem, null)
      await home.close()
    })

    test('exported files verify on their own, and a second export adds what came since', async () => {
      const home = await makeHome({ place: place() })
      await Promise.all(Array.from({ length: 260 }, (_, n) => home.audit.append(opened(n))))
      for (const size of [260, 263]) {
        const { folder, size: exported } = await home.audit.exportFiles()
        assert.equal(exported, size)
        const read = async (path: string): Promise<Uint8Array | undefined> => {
          try {
            return readFileSync(join(folder, path))
          } catch {
            return undefined
          }
        }
        const keys = readFileSync(join(folder, 'vkeys'), 'utf8').trimEnd().split('\n').map(parseKey)
        const head = verifyCheckpoint((await read('checkpoint'))!, keys)
        const lines = async function* () {
          for await (const line of home.audit.personal()) yield parsePersonalLine(line.subarray(0, -1))
        }
        const verdict = await verifyLog({ files: { read }, head, personal: lines() })
        assert.deepEqual(verdict, { problem: undefined, entries: size, opened: size, erased: 0 })
        for (let n = 0; n < 3; n++) await home.audit.append(opened(n))
      }
      await home.close()
    })

    test('the site serves exactly the tiles of its size', async () => {
      const home = await makeHome({ place: place() })
      await Promise.all(Array.from({ length: 258 }, (_, n) => home.audit.append(opened(n))))
      for (const path of [
        'tile/0/000',
        'tile/0/001.p/2',
        'tile/0/001.p/1',
        'tile/1/000.p/1',
        'tile/entries/000',
        'tile/entries/001.p/2',
        'checkpoint',
      ])
        assert.ok((await home.audit.file(path)) !== undefined, path)
      for (const path of [
        'tile/0/001',
        'tile/0/001.p/3',
        'tile/1/000',
        'tile/2/000.p/1',
        'tile/entries/001.p/3',
        'tile/0/../../x',
        'vkeys',
        '',
      ])
        assert.equal(await home.audit.file(path), undefined, path)
      await home.close()
    })

    test('what no entry can say is refused alone, and the others are written', async () => {
      const home = await makeHome({ place: place() })
      const wrong = home.audit.append({ ...opened(1), object: { id: 'a path', version: 1, path: '/' } })
      const good = home.audit.append(opened(2))
      await assert.rejects(wrong, (error) => isFailure(error, 'audit.framing'))
      assert.deepEqual(await good, { index: 0 })
      await home.close()
    })

    test('the head is kept in the home a little after the log has grown', async () => {
      const home = await makeHome({ place: place() })
      await home.audit.append(opened(1))
      const row = await home.db.kysely.selectFrom('audit_edge').select('vkeys').executeTakeFirstOrThrow()
      const keys = row.vkeys.trimEnd().split('\n').map(parseKey)
      const kept = (): number => verifyCheckpoint(readFileSync(join(home.folder, 'audit-checkpoint')), keys).size
      assert.equal(kept(), 0)
      home.clock.advance(2000)
      while (kept() === 0) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(kept(), 1)
      await home.close()
    })
  })

test('the keys of the log are for their person only', async () => {
  const home = await makeHome()
  assert.equal(statSync(join(home.folder, 'audit-keys.json')).mode & 0o777, 0o600)
  assert.equal(statSync(join(home.folder, 'audit-checkpoint')).mode & 0o777, 0o600)
  assert.deepEqual(
    (await readdir(home.folder)).filter((file) => file.startsWith('.part')),
    [],
  )
  const { vkeys } = await home.audit.head()
  assert.ok(vkeys.every((key) => key.startsWith('quorate/log/')))
  await home.close()
})

test('two homes have two logs', async () => {
  const [one, two] = [await makeHome(), await makeHome()]
  assert.notEqual((await one.audit.head()).origin, (await two.audit.head()).origin)
  await one.close()
  await two.close()
})
