// The audit log on the command line: a site's log is listed, copied and proven; a copy that was changed is named wrong, without any site.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { systemClock } from '#base'
import { auditEntry, auditHead, problem } from '#contract'
import { openDatabase } from '#database'
import { ADA, BEN, opened } from '../audit/homes.ts'
import { type Ended, quorate, scratch, type Scratch } from './support.ts'

const COUNT = 520

let at: Scratch

async function ask(args: readonly string[], code = 0): Promise<Ended> {
  const ended = await quorate(at, args, { direct: true })
  assert.equal(ended.code, code, `quorate ${args.join(' ')}: ${ended.out.toString()}${ended.errors}`)
  return ended
}

async function json(args: readonly string[], code = 0): Promise<Record<string, unknown>> {
  return JSON.parse((await ask([...args, '--json'], code)).out.toString()) as Record<string, unknown>
}

/** The problem that a refusal says. */
async function refusal(args: readonly string[], code = 1): Promise<string> {
  const { errors } = await ask([...args, '--json'], code)
  return problem.parse(JSON.parse(errors.trim().split('\n').at(-1) ?? '')).code
}

const file = (...path: string[]): string => join(at.folder, ...path)

/** A copy of the exported log with something done to it. */
function altered(name: string, change: (folder: string) => void): string {
  cpSync(file('copy'), file(name), { recursive: true })
  change(file(name))
  return name
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path)
  bytes[offset]! ^= 1
  writeFileSync(path, bytes)
}

before(async () => {
  at = await scratch()
  mkdirSync(at.home, { mode: 0o700 })
  const db = await openDatabase<AuditTables>({ file: join(at.home, 'site.sqlite'), migrations: auditMigrations })
  const audit = await openAudit({ db, clock: systemClock, home: at.home })
  await Promise.all(Array.from({ length: COUNT }, (_, n) => audit.append(opened(n, n % 2 === 0 ? ADA : BEN))))
  await audit.close()
  await db.close()
  await ask(['audit', 'checkpoint', 'first.checkpoint'])
  await ask(['audit', 'export', 'copy', '--personal'])
})

after(async () => at[Symbol.asyncDispose]())

suite('the site', () => {
  test('says how long its log is, and lists it', async () => {
    const head = auditHead.parse(await json(['audit', 'status']))
    assert.ok(head.size >= COUNT && head.state === 'sound' && head.vkeys.length === 2)
    assert.match((await ask(['audit', 'status'])).out.toString(), /sound/)
    const lines = (await ask(['audit', 'list', '-n', '5', '--kind', 'open', '--json'])).out.toString().trim().split('\n')
    const entries = lines.map((line) => auditEntry.parse(JSON.parse(line)))
    assert.deepEqual(
      entries.map(({ index }) => index),
      [515, 516, 517, 518, 519],
    )
    const text = (await ask(['audit', 'list', '-n', '3', '--actor', ADA.id])).out.toString()
    assert.match(text, /Ada Wolf.*open.*allowed.*\/mri\/518\.dcm/)
    assert.ok(!text.includes('Ben'))
    assert.equal(await refusal(['audit', 'list', '--kind', 'nonsense']), 'api.body')
  })

  test('copies its log into the home, without names', async () => {
    const { folder, size } = await json(['audit', 'export'])
    assert.ok(String(folder).startsWith(join(at.home, 'audit')) && Number(size) >= COUNT)
    await ask(['verify-audit', String(folder), '--key', 'copy/vkeys'])
    assert.ok(!existsSync(join(String(folder), 'personal.jsonl')))
    await refusal(['audit', 'export', '--personal'], 2)
  })

  test('recomputes its log', async () => {
    const verdict = await json(['audit', 'verify'])
    assert.equal(verdict['problem'], null)
    assert.match((await ask(['audit', 'verify'])).out.toString(), /are as they were written and signed/)
  })

  test('refuses what is no entry, and a folder of another log', async () => {
    assert.equal(await refusal(['audit', 'proof', '99999']), 'audit.absent')
    await refusal(['audit', 'proof', '-1'], 2)
    await refusal(['audit', 'erase', '--reason', 'x'], 2)
    const other = await scratch()
    const foreign = await quorate(other, ['audit', 'export', join(at.folder, 'copy')], { direct: true })
    assert.equal(foreign.code, 1)
    assert.match(foreign.errors, /copy of another log/)
    await other[Symbol.asyncDispose]()
  })
})

suite('a copy, without any site', () => {
  test('is proven under the keys that were noted, with names and an older head', async () => {
    const args = ['verify-audit', 'copy', '--key', 'copy/vkeys', '--since', 'first.checkpoint', '--personal', 'copy/personal.jsonl']
    const verdict = await json(args)
    assert.deepEqual(
      { proven: verdict['proven'], since: verdict['since'], problem: verdict['problem'], opened: Number(verdict['opened']) >= COUNT },
      { proven: true, since: COUNT, problem: null, opened: true },
    )
    const text = (await ask(args)).out.toString()
    assert.match(text, /every entry is the one that was signed/)
    assert.match(text, /It begins with the 520 entries of the older head/)
  })

  test('fits together without a key, and says that it is not proven whose it is', async () => {
    assert.match((await ask(['verify-audit', 'copy'], 3)).out.toString(), /NOT PROVEN WHOSE/)
  })

  const wrong: readonly { readonly name: string; readonly says: RegExp; readonly change: (folder: string) => void }[] = [
    {
      name: 'an-entry',
      says: /WRONG, entry 300:/,
      change: (folder) => {
        const path = join(folder, 'tile/entries/001')
        writeFileSync(path, readFileSync(path, 'latin1').replace('"index":300,', '"index":301,'), 'latin1')
      },
    },
    { name: 'a-hash', says: /WRONG, entry 2:/, change: (folder) => flip(join(folder, 'tile/0/000'), 70) },
    { name: 'a-hash-above', says: /WRONG, entries 256 to 511:/, change: (folder) => flip(join(folder, tileOne(folder)), 40) },
    { name: 'a-tile-gone', says: /WRONG, entries 256 to 511:.*missing/, change: (folder) => rmSync(join(folder, 'tile/0/001')) },
    { name: 'a-bundle-gone', says: /WRONG, entries 0 to 255:.*missing/, change: (folder) => rmSync(join(folder, 'tile/entries/000')) },
    {
      name: 'bundles-exchanged',
      says: /WRONG, entry 0:/,
      change: (folder) => {
        for (const kind of ['entries', '0']) {
          const [one, two] = [join(folder, 'tile', kind, '000'), join(folder, 'tile', kind, '001')]
          const [first, second] = [readFileSync(one), readFileSync(two)]
          writeFileSync(one, second)
          writeFileSync(two, first)
        }
      },
    },
    {
      name: 'a-long-file',
      says: /WRONG, entries 0 to 255:/,
      change: (folder) => writeFileSync(join(folder, 'tile/0/000'), Buffer.alloc(9000)),
    },
  ]
  for (const { name, says, change } of wrong)
    test(`${name}: is named`, async () => {
      const folder = altered(name, change)
      assert.match((await ask(['verify-audit', folder, '--key', 'copy/vkeys'], 1)).out.toString(), says)
    })

  test('with other names beside it is named', async () => {
    const lines = readFileSync(file('copy', 'personal.jsonl'), 'utf8').split('\n')
    writeFileSync(file('other.jsonl'), lines.with(77, lines[77]!.replace('/mri/77.dcm', '/mri/78.dcm')).join('\n'))
    assert.match(
      (await ask(['verify-audit', 'copy', '--key', 'copy/vkeys', '--personal', 'other.jsonl'], 1)).out.toString(),
      /WRONG, entry 77:/,
    )
    writeFileSync(file('no.jsonl'), 'no JSON\n')
    assert.equal(await refusal(['verify-audit', 'copy', '--personal', 'no.jsonl']), 'audit.framing')
  })

  test('whose head is altered, gone, cut or of another log is refused', async () => {
    const checkpoint = (folder: string): string => join(folder, 'checkpoint')
    const changed = altered('head-altered', (folder) =>
      writeFileSync(
        checkpoint(folder),
        readFileSync(checkpoint(folder), 'utf8').replace(/\n(\d+)\n/, (_, size: string) => `\n${Number(size) - 1}\n`),
      ),
    )
    assert.equal(await refusal(['verify-audit', changed, '--key', 'copy/vkeys']), 'audit.signature')
    const gone = altered('head-gone', (folder) => rmSync(checkpoint(folder)))
    assert.equal(await refusal(['verify-audit', gone, '--key', 'copy/vkeys']), 'cli.file')
    const cut = altered('head-cut', (folder) => writeFileSync(checkpoint(folder), readFileSync(checkpoint(folder), 'utf8').slice(0, 60)))
    assert.equal(await refusal(['verify-audit', cut, '--key', 'copy/vkeys']), 'audit.framing')

    // A whole log of somebody else, genuine in itself.
    const other = await scratch()
    await quorate(other, ['audit', 'erase', '--person', 'nobody', '--reason', 'an entry'], { direct: true })
    await quorate(other, ['audit', 'export', file('foreign')], { direct: true })
    await ask(['verify-audit', 'foreign'], 3)
    assert.equal(await refusal(['verify-audit', 'foreign', '--key', 'copy/vkeys']), 'audit.unsigned')
    await other[Symbol.asyncDispose]()
  })

  test('that is shorter than an older head is refused', async () => {
    await ask(['audit', 'erase', '--person', 'nobody', '--reason', 'an entry more'])
    await ask(['audit', 'checkpoint', 'second.checkpoint'])
    assert.match(
      (await ask(['verify-audit', 'copy', '--key', 'copy/vkeys', '--since', 'second.checkpoint'], 1)).out.toString(),
      /the older head has/,
    )
    await ask(['audit', 'export', 'copy'])
    await ask(['verify-audit', 'copy', '--key', 'copy/vkeys', '--since', 'second.checkpoint'])
  })

  test('nonsense for a key, a folder or a file is said', async () => {
    await refusal(['verify-audit', 'copy', '--key', 'a+b+c'], 2)
    assert.equal(await refusal(['verify-audit', 'nowhere']), 'cli.file')
    assert.equal(await refusal(['verify-audit', 'copy', '--since', 'nowhere']), 'cli.file')
  })
})

test('a receipt is proven under the keys of the log, and altered it is refused', async () => {
  await ask(['audit', 'proof', '300', 'entry.tlog-proof'])
  assert.match(
    (await ask(['verify-audit', 'entry.tlog-proof', '--key', 'copy/vkeys'])).out.toString(),
    /Entry 300 is in the log .*: open, allowed/,
  )
  await refusal(['verify-audit', 'entry.tlog-proof'], 2)
  const text = readFileSync(file('entry.tlog-proof'), 'utf8')
  const [, extra = ''] = /^extra (.*)$/m.exec(text) ?? []
  const leaf = Buffer.from(extra, 'base64').toString().replace('allowed', 'refused')
  writeFileSync(file('forged.tlog-proof'), text.replace(extra, Buffer.from(leaf).toString('base64')))
  assert.equal(await refusal(['verify-audit', 'forged.tlog-proof', '--key', 'copy/vkeys']), 'audit.proof')
  writeFileSync(file('moved.tlog-proof'), text.replace('index 300', 'index 301'))
  assert.equal(await refusal(['verify-audit', 'moved.tlog-proof', '--key', 'copy/vkeys']), 'audit.proof')
  assert.equal((await ask(['audit', 'proof', '300'])).out.toString().split('\n')[0], 'c2sp.org/tlog-proof@v1')
})

test('a database that is gone is noticed, read about, and a new log is begun by a person only', async () => {
  for (const end of ['', '-wal', '-shm']) rmSync(join(at.home, `site.sqlite${end}`), { force: true })
  const head = auditHead.parse(await json(['audit', 'status'], 1))
  assert.equal(head.state, 'tampered')
  assert.match(head.problem!.detail, /entries are not in the database any more/)
  await ask(['audit', 'list'])
  assert.equal(await refusal(['audit', 'erase', '--person', 'x', '--reason', 'y']), 'audit.tampered')
  assert.equal(await refusal(['audit', 'export', 'another']), 'audit.tampered')
  assert.ok(!existsSync(file('another', 'checkpoint')))
  const fresh = auditHead.parse(await json(['audit', 'restart', '--reason', 'the disk died']))
  assert.notEqual(fresh.origin, head.origin)
  assert.match((await ask(['audit', 'list'])).out.toString(), /restart/)
  await ask(['audit', 'status'])
})

/** The tile of level 1, as wide as the log is long. */
function tileOne(folder: string): string {
  return ['tile/1/000.p/2', 'tile/1/000.p/3'].find((path) => existsSync(join(folder, path)))!
}
