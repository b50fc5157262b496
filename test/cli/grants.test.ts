// Finding files, and who may open them, as a person types it.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { grantList, problem } from '#contract'
import { quorate, scratch, succeeds } from './support.ts'

test('names are found whatever their case, and only known people are granted', async () => {
  await using at = await scratch()
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  await writeFile(join(at.folder, 'x'), 'first')
  await succeeds(at, ['put', 'x', '/f/g/Übersicht.txt'])
  await succeeds(at, ['put', 'x', '/f/other.txt'])
  assert.equal((await succeeds(at, ['find', 'ubers'])).out.toString(), '/f/g/Übersicht.txt\n')
  assert.equal((await succeeds(at, ['find', 'G', '/f'])).out.toString(), '/f/g/\n')
  assert.equal((await succeeds(at, ['find', 'nothing'])).out.toString(), '')
  const none = grantList.parse(JSON.parse((await succeeds(at, ['grant', 'list', '/f', '--json'])).out.toString()))
  assert.deepEqual(none, { own: 'manage', grants: [] })
  for (const args of [
    ['give', '/f', '--to', 'Anna'],
    ['take', '/f', '--from', 'Anna'],
  ]) {
    const refused = await quorate(at, ['grant', ...args, '--json'])
    assert.equal(problem.parse(JSON.parse(refused.errors.trim())).code, 'cli.usage')
    assert.match(refused.errors, /Anna/)
  }
})
