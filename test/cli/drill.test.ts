// import and drill as they are typed.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { problem } from '#contract'
import { noPython } from '../storage/recover-py.ts'
import { quorate, scratch, succeeds } from './support.ts'

test('a folder is adopted, two people try whether it comes back, and the report is verified', { skip: noPython() ?? false }, async () => {
  await using at = await scratch()
  await mkdir(join(at.folder, 'old/mri'), { recursive: true })
  await writeFile(join(at.folder, 'old/mri/scan.dcm'), 'scan')
  await writeFile(join(at.folder, 'old/notes'), 'notes')
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  assert.match((await succeeds(at, ['import', 'old', '/', '--preview'])).out.toString(), /^2 files, 9 B, at /)
  assert.match((await succeeds(at, ['import', 'folder:old', '/'])).out.toString(), /2 files stored, 0 there already/)
  assert.match((await succeeds(at, ['import', 'old', '/', '--check'])).out.toString(), /0 files stored, 2 there already/)
  assert.equal((await succeeds(at, ['cat', '/mri/scan.dcm'])).out.toString(), 'scan')

  for (const by of [[], ['--by', 'Ada'], ['--by', 'Ada', '--by', ' ada ']]) {
    const refused = await quorate(at, ['drill', ...by, '--json'])
    assert.deepEqual([refused.code, problem.parse(JSON.parse(refused.errors)).code], [2, 'cli.usage'])
  }
  assert.match((await succeeds(at, ['drill', '--by', 'Ada', '--by', 'Ben'])).out.toString(), /Passed: every file came back/)
  assert.match(
    (await succeeds(at, ['drill', '--by', 'Ada', '--by', 'Ben', '--block', 'folder:b', '--out', 'home'])).out.toString(),
    /Passed: every file came back with folder:b blocked/,
  )
  const [page, report] = (await readdir(at.folder)).filter((name) => name.startsWith('quorate-drill-')).toSorted()
  assert.match(page!, /\.html$/)
  assert.match(
    (await succeeds(at, ['drill', 'verify', report!])).out.toString(),
    /Both signatures are right\.\nSigned by this vault's own keys/,
  )
  const text = await readFile(join(at.folder, report!), 'utf8')
  await writeFile(join(at.folder, 'forged.json'), text.replace('"Ada"', '"Eve"'))
  assert.match((await succeeds(at, ['drill', 'verify', 'forged.json'], 1)).out.toString(), /signatures are WRONG/)
})
