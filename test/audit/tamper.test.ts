// Whatever is changed after the fact is found and named: by the site at its start, by its verification, and by whoever has the files.
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isFailure } from '#base'
import type { AuditStep } from '#contract'
import { sql } from '#database'
import { Edge, leafHash, parseKey, verifyCheckpoint, verifyLog, type LogVerdict } from '#format/log'
import { ADA, BEN, makeHome, opened, SITE, type TestHome } from './homes.ts'

const COUNT = 300

/** A log of 300 entries whose head is signed. */
async function filled(): Promise<TestHome> {
  const home = await makeHome()
  await Promise.all(Array.from({ length: COUNT }, (_, n) => home.audit.append(opened(n, n % 2 === 0 ? ADA : BEN))))
  await home.audit.checkpoint()
  return home
}

async function bySite(home: TestHome) {
  let last: AuditStep | undefined
  for await (const step of home.audit.verify({})) last = step
  assert.ok(last?.kind === 'verdict')
  return last.problem
}

/** As an auditor, from what the site serves: tiles, head and keys that were noted before. */
async function byFiles(home: TestHome, checkpoint: Uint8Array, vkeys: readonly string[]): Promise<LogVerdict['problem']> {
  const head = verifyCheckpoint(checkpoint, vkeys.map(parseKey))
  return (await verifyLog({ files: { read: (path) => home.audit.file(path) }, head })).problem
}

interface Case {
  readonly name: string
  readonly sql: string
  /** Undefined: it is not part of what is served. */
  readonly files: boolean
  readonly at: number
}

const CASES: readonly Case[] = [
  {
    name: 'the text of an entry',
    sql: `update audit_leaf set leaf = replace(leaf, 'allowed', 'refused') where idx = 123`,
    at: 123,
    files: true,
  },
  { name: 'the hash of an entry', sql: `update audit_leaf set hash = x'${'00'.repeat(32)}' where idx = 123`, at: 123, files: true },
  { name: 'the hash of an entry, cut', sql: `update audit_leaf set hash = x'00' where idx = 123`, at: 123, files: true },
  { name: 'the time beside an entry', sql: `update audit_leaf set at = '2029-01-01T00:00:00.000Z' where idx = 123`, at: 123, files: false },
  { name: 'the kind beside an entry', sql: `update audit_leaf set kind = 'list' where idx = 123`, at: 123, files: false },
  { name: 'the actor beside an entry', sql: `update audit_leaf set actor = 'site' where idx = 123`, at: 123, files: false },
  { name: 'the subject beside an entry', sql: `update audit_leaf set subject = actor where idx = 123`, at: 123, files: false },
  { name: 'the object beside an entry', sql: `update audit_leaf set object = null where idx = 123`, at: 123, files: false },
  { name: 'the outcome beside an entry', sql: `update audit_leaf set outcome = 'refused' where idx = 123`, at: 123, files: false },
  {
    name: 'the personal fields',
    sql: `update audit_personal set fields = replace(fields, 'Ben', 'Eve') where idx = 123`,
    at: 123,
    files: false,
  },
  { name: 'the salt', sql: `update audit_personal set salt = x'${'00'.repeat(32)}' where idx = 123`, at: 123, files: false },
  {
    name: 'personal fields that nobody erased',
    sql: `update audit_personal set salt = null, fields = null where idx = 123`,
    at: 123,
    files: false,
  },
  {
    name: 'personal fields said to be erased',
    sql: `update audit_personal set erased = '2030-01-01T00:00:00.000Z' where idx = 123`,
    at: 123,
    files: false,
  },
  { name: 'a row of personal fields removed', sql: `delete from audit_personal where idx = 123`, at: 123, files: false },
  { name: 'an entry removed', sql: `delete from audit_leaf where idx = 123`, at: 123, files: true },
  {
    name: 'two entries exchanged, with their hashes',
    sql: `update audit_leaf set idx = case idx when 123 then -1 when 200 then -2 end where idx in (123, 200); update audit_leaf set idx = case idx when -1 then 200 else 123 end where idx < 0`,
    at: 123,
    files: true,
  },
  { name: 'the generation of an entry', sql: `update audit_leaf set generation = 2 where idx = 123`, at: 123, files: true },
]

suite('what is changed behind the site', () => {
  for (const one of CASES)
    test(`${one.name}: found and named by the site${one.files ? ' and from its files' : ''}`, async () => {
      const home = await filled()
      const { vkeys } = await home.audit.head()
      const checkpoint = await home.audit.checkpoint()
      for (const statement of one.sql.split('; ')) await sql.raw(statement).execute(home.db.kysely)
      const problem = await bySite(home)
      assert.deepEqual(
        { first: problem?.first, last: problem?.last },
        { first: one.at, last: one.at },
        problem?.detail ?? 'nothing was found',
      )
      assert.equal(home.alarms.length, 1)
      assert.ok(isFailure(home.alarms[0], 'audit.tampered'))
      const head = await home.audit.head()
      assert.equal(head.state, 'damaged')
      assert.deepEqual({ first: head.problem?.first, last: head.problem?.last }, { first: one.at, last: one.at })
      // The finding is an entry, once.
      await bySite(home)
      assert.equal((await home.audit.entries({ kind: 'alarm' })).entries.length, 1)
      const found = await byFiles(home, checkpoint, vkeys)
      if (one.files) assert.deepEqual({ first: found?.first, last: found?.last }, { first: one.at, last: one.at })
      else assert.equal(found, undefined)
      await home.close()
    })

  test('the fields of an erased entry put back: found', async () => {
    const home = await filled()
    const before = await home.db.kysely.selectFrom('audit_personal').selectAll().where('idx', '=', 123).executeTakeFirstOrThrow()
    await home.audit.erase({ person: BEN.id, reason: 'asked', actor: ADA })
    await home.db.kysely.updateTable('audit_personal').set({ salt: before.salt, fields: before.fields }).where('idx', '=', 123).execute()
    assert.deepEqual((await bySite(home))?.first, 123)
    await home.close()
  })

  test('a hash above the entries: named with the entries below it', async () => {
    const home = await filled()
    const { vkeys } = await home.audit.head()
    const checkpoint = await home.audit.checkpoint()
    await sql.raw(`update audit_node set hash = x'${'11'.repeat(32)}' where level = 1 and idx = 0`).execute(home.db.kysely)
    const site = await bySite(home)
    assert.deepEqual({ first: site?.first, last: site?.last }, { first: 0, last: 255 })
    const files = await byFiles(home, checkpoint, vkeys)
    assert.deepEqual({ first: files?.first, last: files?.last }, { first: 0, last: 255 })
    await home.close()
  })

  test('an entry that nobody wrote, behind the end: named', async () => {
    const home = await filled()
    await sql
      .raw(
        `insert into audit_leaf select generation, 300, hash, leaf, at, kind, actor, subject, object, outcome from audit_leaf where idx = 299`,
      )
      .execute(home.db.kysely)
    assert.deepEqual((await bySite(home))?.first, 300)
    // It stands where the next entry has to be.
    await assert.rejects(home.audit.append(opened(1)), (error) => isFailure(error, 'audit.tampered'))
    assert.equal((await home.audit.head()).state, 'tampered')
    await home.reopen()
    assert.equal((await home.audit.head()).state, 'tampered')
    await home.close()
  })

  test('a whole history computed anew, hashes and edge and all: the site stops, and the old head refuses it', async () => {
    const home = await filled()
    await home.audit.opening(opened(1))
    await home.audit.checkpoint()
    const { vkeys } = await home.audit.head()
    const checkpoint = await home.audit.checkpoint()
    // The forger has the database, not the keys: the same entries without number 7, in a log of its own.
    const forged = await makeHome()
    for (let n = 0; n < COUNT + 1; n++) await forged.audit.append(opened(n === 7 ? 1000 : n))
    for (const table of ['audit_leaf', 'audit_personal', 'audit_node'] as const) {
      await home.db.kysely.deleteFrom(table).execute()
      const rows = await forged.db.kysely.selectFrom(table).selectAll().execute()
      for (let at = 0; at < rows.length; at += 100)
        await home.db.kysely
          .insertInto(table)
          .values(rows.slice(at, at + 100))
          .execute()
    }
    const { size, hashes } = await forged.db.kysely.selectFrom('audit_edge').select(['size', 'hashes']).executeTakeFirstOrThrow()
    await home.db.kysely.updateTable('audit_edge').set({ size, hashes }).execute()

    await assert.rejects(home.audit.checkpoint(), (error) => isFailure(error, 'audit.tampered'))
    await assert.rejects(home.audit.append(opened(1)), (error) => isFailure(error, 'audit.tampered'))
    await assert.rejects(home.audit.opening(opened(1)), (error) => isFailure(error, 'audit.tampered'))
    await assert.rejects(
      home.db.transaction((tx) => home.audit.appendIn(tx, [opened(1)])),
      (error) => isFailure(error, 'audit.tampered'),
    )
    assert.equal((await home.audit.head()).state, 'tampered')
    assert.equal((await byFiles(home, checkpoint, vkeys))?.what, 'head')
    // After a restart too; it can be read all the same.
    await home.reopen()
    assert.equal((await home.audit.head()).state, 'tampered')
    assert.equal((await home.audit.entries({ limit: 5 })).entries.length, 5)
    assert.equal(home.alarms.length, 2)
    await home.close()
    await forged.close()
  })

  test('a receipt of a changed entry is not given', async () => {
    const home = await filled()
    await sql.raw(`update audit_leaf set leaf = replace(leaf, 'allowed', 'refused') where idx = 123`).execute(home.db.kysely)
    await assert.rejects(home.audit.inclusion(123), (error) => isFailure(error, 'audit.tampered'))
    await home.audit.inclusion(122)
    await home.close()
  })
})

suite('what is changed while the site is away', () => {
  const tampered = async (home: TestHome): Promise<void> => {
    const { state, problem } = await home.audit.head()
    assert.equal(state, 'tampered')
    assert.match(problem?.next ?? '', /quorate audit restart/)
    assert.ok(isFailure(home.alarms.at(-1), 'audit.tampered') || isFailure(home.alarms.at(-1), 'audit.key'))
    const code = home.alarms.at(-1)?.code ?? 'base.internal'
    await assert.rejects(home.audit.append({ kind: 'start', actor: SITE, outcome: 'done' }), (error) => isFailure(error, code))
  }

  test('entries cut off at the end, with an edge that fits', async () => {
    const home = await filled()
    const hashes = await edgeAt(home, 250)
    await home.db.transaction(async (tx) => {
      await tx.deleteFrom('audit_leaf').where('idx', '>=', 250).execute()
      await tx.deleteFrom('audit_personal').where('idx', '>=', 250).execute()
      await tx.deleteFrom('audit_node').execute()
      await tx.updateTable('audit_edge').set({ size: 250, hashes }).execute()
    })
    await home.reopen()
    await tampered(home)
    await home.close()
  })

  test('an older copy of the database', async () => {
    const home = await filled()
    const file = join(home.folder, 'test.sqlite')
    const copy = join(home.folder, 'copy.sqlite')
    await home.reopen(() => cpSync(file, copy))
    await home.audit.append(opened(1))
    await home.reopen(() => {
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
      cpSync(copy, file)
    })
    await tampered(home)
    assert.match((await home.audit.head()).problem!.detail, /300 entries, and 301 were signed/)
    await home.close()
  })

  test('the database is gone', async () => {
    const home = await filled()
    await home.reopen(() => {
      for (const end of ['', '-wal', '-shm']) rmSync(join(home.folder, `test.sqlite${end}`), { force: true })
    })
    await tampered(home)
    await home.close()
  })

  for (const [name, change] of [
    ['the head is gone', (path: string) => rmSync(path)],
    [
      'a signature of the head is altered',
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace(/=\n$/, 'A=\n').replace(/A=A=/, '=')),
    ],
    ['the head says more entries', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('\n300\n', '\n299\n'))],
    [
      'one of the two signatures is gone',
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, -2).join('\n') + '\n'),
    ],
    ['the head is empty', (path: string) => writeFileSync(path, '')],
  ] as const)
    test(name, async () => {
      const home = await filled()
      await home.reopen(() => change(join(home.folder, 'audit-checkpoint')))
      await tampered(home)
      await home.close()
    })

  test('the keys are gone, or those of another log', async () => {
    const home = await filled()
    const other = await makeHome()
    await other.close()
    const path = join(home.folder, 'audit-keys.json')
    const own = readFileSync(path)
    await home.reopen(() => rmSync(path))
    await tampered(home)
    assert.ok(!existsSync(path))
    await home.reopen(() => copyFileSync(join(other.folder, 'audit-keys.json'), path))
    await tampered(home)
    await home.reopen(() => writeFileSync(path, own.toString().replace('"v":1', '"v":2')))
    await tampered(home)
    await home.reopen(() => writeFileSync(path, own))
    assert.equal((await home.audit.head()).state, 'sound')
    assert.deepEqual(await home.audit.append(opened(1)), { index: COUNT })
    await home.close()
  })

  test('hashes of the last entries', async () => {
    const home = await filled()
    await sql.raw(`update audit_leaf set hash = x'${'22'.repeat(32)}' where idx = 299`).execute(home.db.kysely)
    await home.reopen()
    await tampered(home)
    await home.close()
  })
})

suite('a log that cannot be continued', () => {
  test('is followed by another one, whose first entry says of which, under keys of its own', async () => {
    const home = await filled()
    const before = await home.audit.head()
    await assert.rejects(home.audit.restart({ actor: ADA, reason: 'no reason' }), (error) => isFailure(error, 'base.invalid'))
    await home.reopen(() => {
      for (const end of ['', '-wal', '-shm']) rmSync(join(home.folder, `test.sqlite${end}`), { force: true })
    })
    const head = await home.audit.restart({ actor: ADA, reason: 'the disk died' })
    assert.equal(head.state, 'sound')
    assert.notEqual(head.origin, before.origin)
    assert.ok(head.vkeys.every((key) => !before.vkeys.includes(key)))
    const { entries } = await home.audit.entries({})
    assert.deepEqual(
      entries.map(({ kind, actor, code }) => ({ kind, code, who: actor.split(':')[0] })),
      [{ kind: 'restart', code: 'audit.tampered', who: 'person' }],
    )
    assert.equal(entries[0]!.personal!.detail!['formerSigned'], COUNT)
    assert.equal(entries[0]!.personal!.detail!['formerRoot'], before.root)
    await home.audit.append(opened(1))
    await home.reopen()
    assert.equal((await home.audit.head()).state, 'sound')
    assert.equal(await bySite(home), null)
    await home.close()
  })

  test('leaves its rows where they are', async () => {
    const home = await filled()
    await sql.raw(`update audit_leaf set hash = x'${'22'.repeat(32)}' where idx = 299`).execute(home.db.kysely)
    await home.reopen()
    await home.audit.restart({ actor: ADA, reason: 'looked at' })
    assert.deepEqual(await home.audit.append(opened(1)), { index: 1 })
    const rows = await home.db.kysely
      .selectFrom('audit_leaf')
      .select(({ fn }) => [fn.countAll<number>().as('count')])
      .where('generation', '=', 1)
      .executeTakeFirst()
    assert.equal(rows?.count, COUNT)
    await home.close()
  })
})

async function edgeAt(home: TestHome, size: number): Promise<Uint8Array> {
  const edge = new Edge()
  for (const { leaf } of await home.db.kysely.selectFrom('audit_leaf').select('leaf').where('idx', '<', size).orderBy('idx').execute())
    edge.append(leafHash(new TextEncoder().encode(leaf)))
  return edge.bytes()
}
