// What was, as a person types it: removed and brought back, kept by rules, made as it was, deleted with a record that a stranger verifies.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { deletion, keeping, momentPlan, problem, purgePlan, trashEntry, versions } from '#contract'
import { inside, quorate, scratch, succeeds, type Scratch } from './support.ts'

async function json(at: Scratch, ...args: string[]): Promise<unknown> {
  return JSON.parse((await succeeds(at, [...args, '--json'])).out.toString())
}

async function refused(at: Scratch, code: string, ...args: string[]): Promise<void> {
  const ended = await quorate(at, [...args, '--json'])
  assert.notEqual(ended.code, 0, args.join(' '))
  assert.equal(problem.parse(JSON.parse(ended.errors.trim().split('\n').at(-1) ?? '')).code, code, args.join(' '))
}

test('removed, brought back, held, compared, made as it was, and deleted with a record', async () => {
  await using at = await scratch()
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  await writeFile(join(at.folder, 'x'), 'first')
  await succeeds(at, ['put', 'x', '/f/x'])
  const then = new Date().toISOString()
  await writeFile(join(at.folder, 'x'), 'second!')
  await succeeds(at, ['put', 'x', '/f/x'])

  const removed = (await json(at, 'rm', '/f/x')) as { readonly trash: string }
  const entry = trashEntry.parse(await json(at, 'trash', 'list'))
  assert.deepEqual([entry.id, entry.path, entry.files], [removed.trash, '/f/x', 1])
  await refused(at, 'storage.absent', 'trash', 'restore', 'ffffffff')
  assert.match((await succeeds(at, ['trash', 'restore', entry.id.slice(0, 8)])).out.toString(), /restored: \/f\/x/)
  assert.match((await succeeds(at, ['trash', 'list'])).out.toString(), /The trash is empty/)

  const shown = await succeeds(at, ['versions', '/f/x', '--compare', '1,2'])
  assert.match(shown.out.toString(), /5 bytes +7 bytes/)
  assert.match(shown.out.toString(), /The content differs/)
  await succeeds(at, ['versions', '/f/x', '--restore', '1'])
  assert.equal((await succeeds(at, ['cat', '/f/x'])).out.toString(), 'first')
  assert.match((await succeeds(at, ['versions', '/f/x', '--compare', '1,3'])).out.toString(), /The content is the same/)
  assert.equal(versions.parse(await json(at, 'versions', '/f/x')).versions.length, 3)

  await succeeds(at, ['put', 'x', '/f/new'])
  const plan = momentPlan.parse(await json(at, 'restore-to', '-n', then, '/f'))
  assert.deepEqual([plan.counts.trashes, plan.counts.unchanged], [1, 1])
  await succeeds(at, ['restore-to', then, '/f'])
  assert.equal((await succeeds(at, ['ls', '/f'])).out.toString(), 'x\n')
  await refused(at, 'storage.moment', 'restore-to', '2020-01-01T00:00:00Z', '/f')
  await refused(at, 'cli.usage', 'restore-to', 'yesterday', '/f')

  const rule = keeping.parse(await json(at, 'keep', '/f', '--trash-days', '5', '--hold', '2999-01-01'))
  assert.deepEqual([rule.effective.trashDays, rule.effective.versionsMin, rule.own?.holdUntil], [5, 3, '2999-01-01T00:00:00.000Z'])
  await refused(at, 'storage.held', 'rm', '-r', '/f')
  await refused(at, 'storage.held', 'keep', '/f', '--hold', '2998-01-01')
  await succeeds(at, ['keep', '/f', '--release'])
  assert.match((await succeeds(at, ['keep'])).out.toString(), /\/f +- +- +5 +-/)
  assert.deepEqual(purgePlan.parse(await json(at, 'purge', '-n')).counts, { trash: 0, versions: 0, held: 0 })
  await succeeds(at, ['purge'])
  await succeeds(at, ['trash', 'empty'])

  await succeeds(at, ['rm', '-r', '--now', '/f'])
  const lines = (await succeeds(at, ['deletion', 'list', '--json'])).out.toString().trim().split('\n')
  const gone = lines.map((line) => deletion.parse(JSON.parse(line)))
  assert.ok(gone.every(({ closed }) => closed !== null))
  const one = gone.find(({ what }) => what === 'folder')!
  await succeeds(at, ['deletion', 'record', one.id.slice(0, 10), 'record.json'])
  await refused(at, 'cli.file', 'deletion', 'record', one.id, 'record.json')

  // A stranger has the file and the sheet, no home.
  const stranger: Scratch = { ...at, home: join(at.folder, 'nowhere') }
  const said = (await json(stranger, 'deletion', 'verify', 'record.json')) as { readonly dealer: string; readonly state: string }
  assert.equal(said.state, 'closed')
  await succeeds(stranger, ['deletion', 'verify', 'record.json', '--dealer', said.dealer.toUpperCase()])
  await refused(stranger, 'format.signature', 'deletion', 'verify', 'record.json', '--dealer', '0'.repeat(64))
  const text = await readFile(join(at.folder, 'record.json'), 'utf8')
  await writeFile(join(at.folder, 'changed.json'), text.replace('"path":"/f"', '"path":"/g"'))
  await refused(stranger, 'format.signature', 'deletion', 'verify', 'changed.json')
  await refused(stranger, 'format.framing', 'deletion', 'verify', 'x')
  await refused(stranger, 'cli.file', 'deletion', 'verify', 'absent.json')
})

test('each command asks the site for what it says', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/f/x', Buffer.from('x'))
  const said = async (...args: string[]): Promise<string> => {
    const before = cli.door.calls.length
    await cli.quorate(args)
    return cli.door.calls.slice(before).join('; ')
  }
  assert.equal(await said('trash', 'list'), 'trash  ')
  assert.equal(await said('trash', 'empty'), 'emptyTrash all; task')
  assert.equal(await said('versions', '/f/x', '--restore', '1'), 'restoreVersion /f/x 1')
  assert.equal(await said('keep'), 'keepingRules')
  assert.equal(await said('keep', '/f'), 'keeping /f')
  assert.equal(await said('keep', '/f', '--hold', '2030-01-02'), 'keeping /f; setKeeping /f false 2030-01-02T00:00:00.000Z')
  assert.equal(await said('keep', '/f', '--release'), 'keeping /f; setKeeping /f true null')
  assert.equal(await said('keep', '/f', '--hold', '2030-01-02', '--release'), '')
  assert.equal(await said('purge', '--dry-run'), 'planPurge')
  assert.equal(await said('restore-to', '-n', '2026-01-01T00:00:00Z', '/f'), 'planMoment /f 2026-01-01T00:00:00.000Z')
  assert.equal(await said('deletion', 'list'), 'deletions  ')
})
