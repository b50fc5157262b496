// Writing what is too much for memory down in the home, also when the disk takes no more.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSpool } from '../../src/storage/spool.ts'

test('lines come back as they were written, readable by their user only', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-spool-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'spool')
  const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${'é'.repeat(index % 50)}`)
  await using spool = await createSpool(path)
  for (const line of lines) await spool.write(line)
  await spool.end()
  assert.equal(await readFile(path, 'utf8'), lines.map((line) => `${line}\n`).join(''))
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(createSpool(path), { code: 'EEXIST' })
})

test('a home that takes no more fails the work with storage.read-only, not the process', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-spool-'))
  context.after(() => rm(folder, { recursive: true }))
  const child = spawnSync(
    'sh',
    [
      '-c',
      'trap "" XFSZ; ulimit -f 512; exec "$0" --disable-warning=ExperimentalWarning "$@"',
      process.execPath,
      join(import.meta.dirname, 'spool-child.ts'),
      join(folder, 'spool'),
    ],
    { encoding: 'utf8', timeout: 120_000 },
  )
  assert.equal(child.status, 0, child.stderr)
  assert.equal(child.stdout, 'storage.read-only: the home of this site takes no more of the catalogue (EFBIG)\n')
})
