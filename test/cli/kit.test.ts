// kit and restore as they are typed: away from the first machine, with what an officer can open.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { problem, status } from '#contract'
import { quorate, scratch, succeeds } from './support.ts'

test('a kit is made, the machine is lost, and a site comes back from kit, identity and places that moved', async () => {
  await using at = await scratch()
  const scan = randomBytes(200_000)
  await writeFile(join(at.folder, 'scan.dcm'), scan)
  await succeeds(at, ['init', '--name', 'Biobank', 'folder:a', 'folder:b', 'folder:c'])
  await succeeds(at, ['put', 'scan.dcm', '/mri/'])
  const identity = await generateX25519Identity()
  await writeFile(join(at.folder, 'officer.txt'), `# created: today\n${identity}\n`)
  const made = await succeeds(at, ['kit', 'kit', '--signing-keys', '--officer', `Dr. Wolf=${await identityToRecipient(identity)}`])
  assert.match(made.out.toString(), /sealed to Dr\. Wolf/)
  assert.equal((await stat(join(at.folder, 'kit'))).mode & 0o777, 0o700)
  assert.deepEqual((await readdir(join(at.folder, 'kit'))).toSorted(), [
    'README.md',
    'START-HERE.txt',
    'dealer-keys.json',
    'kit.json',
    'recover.html',
    'recover.py',
    'secrets.age',
    'sheet.html',
    'spec',
  ])
  const again = await quorate(at, ['kit', 'kit', '--json'])
  assert.deepEqual([again.code, problem.parse(JSON.parse(again.errors)).code], [1, 'cli.file'])
  const before = status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString()))

  await rm(at.home, { recursive: true })
  for (const name of ['a', 'b']) await rename(join(at.folder, name), join(at.folder, `moved-${name}`))
  const short = await quorate(at, ['restore', 'kit', '--json'])
  const refused = problem.parse(JSON.parse(short.errors))
  assert.deepEqual([short.code, refused.code, refused.culprits], [1, 'storage.locations', ['folder:a', 'folder:b']])
  const back = await quorate(at, ['restore', 'kit', 'folder:a=folder:moved-a', '--identity', 'officer.txt'])
  assert.equal(back.code, 3, back.errors)
  assert.match(back.out.toString(), /1 file in 1 folder came back/)
  assert.match(back.out.toString(), /Not there, or not whole: folder:b/)
  const now = status.parse(JSON.parse((await succeeds(at, ['status', '--json'], 3)).out.toString()))
  assert.deepEqual([now.vault?.name, now.vault?.dealer], ['Biobank', before.vault?.dealer])
  assert.deepEqual((await succeeds(at, ['cat', '/mri/scan.dcm'])).out, scan)
})

test('a kit that was changed, an identity that opens nothing and a label that is none are refused', async () => {
  await using at = await scratch()
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  const recipient = await identityToRecipient(await generateX25519Identity())
  await succeeds(at, ['kit', 'kit', '--signing-keys', '--officer', `One=${recipient}`])
  await rm(at.home, { recursive: true })
  const codeOf = async (args: readonly string[]): Promise<string> =>
    problem.parse(JSON.parse((await quorate(at, [...args, '--json'])).errors)).code
  await writeFile(join(at.folder, 'other.txt'), `${await generateX25519Identity()}\n`)
  assert.equal(await codeOf(['restore', 'kit', '--identity', 'other.txt']), 'crypto.passphrase')
  assert.equal(await codeOf(['restore', 'kit', 'nowhere=folder:x']), 'cli.usage')
  const program = join(at.folder, 'kit/recover.py')
  await writeFile(program, `${await readFile(program, 'utf8')}\n`)
  assert.equal(await codeOf(['restore', 'kit']), 'storage.kit')
  // Nothing was begun with it.
  await assert.rejects(stat(join(at.home, 'signing-keys.json')))
})
