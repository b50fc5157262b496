// What is said when a package of real files cannot be had.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testData } from '../../scripts/test-data.ts'

test('a package that cannot be had is one line, and nothing of it stays', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'quorate-cache-'))
  const before = { cache: process.env['XDG_CACHE_HOME'], path: process.env['PATH'] }
  t.after(async () => {
    for (const [name, value] of [
      ['XDG_CACHE_HOME', before.cache],
      ['PATH', before.path],
    ] as const) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await rm(cache, { recursive: true })
  })
  process.env['XDG_CACHE_HOME'] = cache
  const unknown = await testData('quorate-no-such-package')
  assert.ok(unknown.kind === 'missing')
  assert.match(unknown.line, /^not found: files of quorate-no-such-package \(Debian: quorate-no-such-package\): [^\n]+$/)
  process.env['PATH'] = cache
  const without = await testData('quorate-another-package')
  assert.ok(without.kind === 'missing')
  assert.match(without.line, /: there is no apt-get$/)
  assert.deepEqual(await readdir(join(cache, 'quorate-test-data')), [])
})
