// A folder location whose process is killed, or whose disk fails, at each call to the system in turn.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createFolderLocation } from '../../../src/storage/locations/folder.ts'
import { listAll, pattern, readAll, scratch } from './support.ts'

const CALLS = 'fsync,fdatasync,link,linkat,unlink,unlinkat,mkdir,mkdirat,rename,renameat,renameat2'
const hasStrace = spawnSync('strace', ['-f', '-qq', '-e', 'trace=fsync', 'true']).status === 0
const missing = hasStrace ? false : 'not found: strace (Debian: strace)'

/** Runs the writer with a fault; answers what it said. */
function write(root: string, round: number, inject: string): string[] {
  const writer = join(import.meta.dirname, 'folder-crash-writer.ts')
  const strace = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${CALLS},write,pwrite64,pwritev,writev`, '-e', `inject=${inject}`]
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', writer, root, String(round)]
  // One thread for files: strace counts the calls of each thread by itself.
  const { stdout } = spawnSync('strace', [...strace, ...node], {
    env: { ...process.env, UV_USE_IO_URING: '0', UV_THREADPOOL_SIZE: '1' },
    encoding: 'utf8',
    timeout: 60_000,
  })
  return stdout.split('\n').filter((line) => line !== '')
}

describe('a folder location', { skip: missing }, () => {
  it('holds after a crash at any point what it acknowledged, and shows nothing by halves', async () => {
    let crashes = 0
    const points = ['mkdir,mkdirat', 'fsync,fdatasync', 'link,linkat', 'unlink,unlinkat'].flatMap((call) =>
      Array.from({ length: 20 }, (_, index) => ({ call, when: index + 1 })),
    )
    const passed = new Set<string>()
    for (const { call, when } of points) {
      if (passed.has(call)) continue
      await using folder = await scratch()
      const location = createFolderLocation({ root: folder.path, label: 'shelf' })
      const said = write(folder.path, 1, `${call}:signal=SIGKILL:when=${when}`)
      assert.equal(said[0], 'began')
      const names = await listAll(location, '')
      for (const name of names) {
        const wanted = name.startsWith('head/') ? pattern(5000) : pattern(300_000)
        assert.ok(Buffer.from(wanted).equals(await readAll(location, name)), `${name} after the crash at ${call} ${when}`)
      }
      if (said.includes('fragment')) assert.ok(names.includes('aa/fragment-1'))
      if (said.includes('created')) assert.ok(names.includes('head/v/0001'))
      await location.sweepPartial({ olderThanMs: -60_000 })
      assert.ok((await readdir(folder.path, { recursive: true })).every((name) => !name.includes('.part-')))
      // Whoever comes after goes on where it ended.
      assert.deepEqual(write(folder.path, 2, 'rename:error=EIO:when=1').slice(0, 2), ['began', 'fragment'])
      if (said.length === 3) passed.add(call)
      else crashes += 1
    }
    assert.equal(passed.size, 4, 'every kind of call was passed in the end')
    assert.ok(crashes >= 12, `${crashes} crashes`)
  })

  for (const [call, error, code] of [
    ['fsync', 'EIO', 'location.unreachable'],
    ['fsync', 'ENOSPC', 'location.full'],
    ['fsync', 'EDQUOT', 'location.full'],
    ['link,linkat', 'EACCES', 'location.denied'],
  ] as const) {
    it(`says ${code} for ${error} of ${call}, and keeps nothing of it`, async () => {
      await using folder = await scratch()
      const said = write(folder.path, 1, `${call}:error=${error}:when=1+`)
      assert.deepEqual(said, ['began', code])
      const location = createFolderLocation({ root: folder.path, label: 'shelf' })
      assert.deepEqual(await listAll(location, ''), [])
      assert.equal(await location.sweepPartial({ olderThanMs: -60_000 }), 0)
    })
  }

  for (const error of ['EPERM', 'EOPNOTSUPP', 'EMLINK']) {
    it(`does without links where there are none (${error})`, async () => {
      await using folder = await scratch()
      const inject = `link,linkat:error=${error}:when=1+`
      assert.deepEqual(write(folder.path, 1, inject), ['began', 'fragment', 'created'])
      assert.deepEqual(write(folder.path, 1, inject), ['began', 'location.exists'])
      assert.deepEqual(write(folder.path, 2, inject), ['began', 'fragment', 'exists'])
      const location = createFolderLocation({ root: folder.path, label: 'shelf' })
      assert.deepEqual(await listAll(location, ''), ['aa/fragment-1', 'aa/fragment-2', 'head/v/0001'])
      assert.equal(await location.sweepPartial({ olderThanMs: -60_000 }), 0)
    })
  }
})
