// Two sites on one vault, as two people type it: a key carried over, the vault joined, files seen on both sides, a writer removed.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { problem, status, writerKey, writerList } from '#contract'
import { quorate, scratch, succeeds } from './support.ts'

const recover = resolve(import.meta.dirname, '../../recovery/recover.py')

test('a second site joins with a key of its own, and both write', async () => {
  await using at = await scratch()
  const north = { ...at, home: join(at.folder, 'north') }
  await mkdir(north.home, { mode: 0o700 })
  await writeFile(join(at.folder, 'scan.dcm'), 'first')
  await succeeds(at, ['init', '--threshold', '2', 'folder:a', 'folder:b', 'folder:c'])
  await succeeds(at, ['put', 'scan.dcm', '/mri/'])

  const early = await quorate(north, ['join', 'folder:a', 'folder:b', 'folder:c', '--json'])
  assert.deepEqual([early.code, problem.parse(JSON.parse(early.errors)).code], [1, 'storage.writer'])
  const key = await succeeds(north, ['writer', 'key'])
  assert.match(key.out.toString(), /^quorate-writer-1 [\w+/=]+\n$/)
  const { fingerprint } = writerKey.parse(JSON.parse((await succeeds(north, ['writer', 'key', '--json'])).out.toString()))
  assert.ok(key.errors.includes(fingerprint))
  await writeFile(join(at.folder, 'north.key'), key.out)
  await writeFile(join(at.folder, 'damaged.key'), key.out.subarray(0, 100))
  const damaged = await quorate(at, ['writer', 'add', 'damaged.key', '--name', 'north', '--json'])
  assert.deepEqual([damaged.code, problem.parse(JSON.parse(damaged.errors)).code], [1, 'base.invalid'])
  assert.ok((await succeeds(at, ['writer', 'add', 'north.key', '--name', 'north'])).out.toString().includes(fingerprint))

  const wrong = await quorate(north, ['join', 'folder:a', 'folder:b', 'folder:c', '--dealer', 'ab'.repeat(32), '--json'])
  assert.notEqual(wrong.code, 0)
  await succeeds(north, ['join', 'folder:a', 'folder:b', 'folder:c'])
  assert.equal((await succeeds(north, ['cat', '/mri/scan.dcm'])).out.toString(), 'first')
  await writeFile(join(at.folder, 'second.dcm'), 'second')
  await succeeds(north, ['put', 'second.dcm', '/mri/'])
  const { head, vault } = status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString()))
  assert.deepEqual([head?.writers, head?.confirmed, head?.mayBeStale], [2, true, false])
  assert.equal((await succeeds(at, ['cat', '/mri/second.dcm'])).out.toString(), 'second')

  const { writers } = writerList.parse(JSON.parse((await succeeds(north, ['writer', 'list', '--json'])).out.toString()))
  assert.deepEqual(
    writers.map(({ role, name, own, state }) => [role, name, own, state]),
    [
      ['dealer', '', false, 'active'],
      ['writer', 'north', true, 'active'],
    ],
  )
  assert.equal(writers[0]?.fingerprint, vault?.dealer)
  assert.match((await succeeds(at, ['writer', 'remove', 'north'])).out.toString(), /north.*removed/)
  await succeeds(north, ['status'], 0)
  const refused = await quorate(north, ['put', 'second.dcm', '/third', '--json'])
  assert.deepEqual([refused.code, problem.parse(JSON.parse(refused.errors)).code], [1, 'storage.writer'])

  // With nothing but the places and the sheet: what the removed site stored before is still the vault's.
  const dealer = writers[0]!.fingerprint
  const { stdout } = await promisify(execFile)('python3', [recover, '--json', '--dealer', dealer, '--out', 'restored', 'a', 'b', 'c'], {
    cwd: at.folder,
  })
  const { files } = JSON.parse(stdout) as { files: { path: string; state: string; dealer: string }[] }
  assert.deepEqual(
    files.map((one) => [one.path, one.state, one.dealer]),
    [
      ['/mri/scan.dcm', 'restored', 'verified'],
      ['/mri/second.dcm', 'restored', 'verified'],
    ],
  )
})
