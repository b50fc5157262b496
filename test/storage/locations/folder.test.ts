// Folders keep the contract, with and without fsync, and stay out of what is not theirs.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import type { Location } from '../../../src/storage/location.ts'
import { createFolderLocation } from '../../../src/storage/locations/folder.ts'
import { locationConformance } from './conformance.ts'
import { listAll, pattern, pour, readAll, refuses, scratch, writeAll } from './support.ts'

for (const syncWrites of [true, false]) {
  locationConformance(`folder, ${syncWrites ? 'synced' : 'not synced'}`, async () => {
    const folder = await scratch()
    return {
      location: createFolderLocation({ root: folder.path, label: 'shelf', syncWrites }),
      close: async () => folder[Symbol.asyncDispose](),
    }
  })
}

function shelfAt(root: string): Location {
  return createFolderLocation({ root, label: 'shelf', syncWrites: false })
}

const CALLS: readonly ((location: Location) => Promise<unknown>)[] = [
  (location) => location.create('aa/new'),
  (location) => location.putIfAbsent('aa/new', pattern(1)),
  (location) => location.open('aa/old'),
  (location) => location.head('aa/old'),
  (location) => location.list({ prefix: '' }),
  (location) => location.discard('aa/old'),
  (location) => location.sweepPartial({ olderThanMs: 0 }),
  (location) => location.probe(),
]

describe('a folder that is not there', () => {
  it('cannot be reached, and is not made', async () => {
    await using folder = await scratch()
    const location = shelfAt(join(folder.path, 'mnt'))
    for (const call of CALLS) await refuses(call(location), 'location.unreachable', 'shelf')
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('that goes away makes nothing look absent', async () => {
    await using folder = await scratch()
    const root = join(folder.path, 'mnt')
    await mkdir(root)
    const location = shelfAt(root)
    await location.putIfAbsent('aa/old', pattern(10))
    const sink = await location.create('aa/begun')
    await rename(root, join(folder.path, 'away'))
    for (const call of CALLS) await refuses(call(location), 'location.unreachable', 'shelf')
    await refuses(sink.finish(), 'location.unreachable', 'shelf')
    assert.deepEqual(await readdir(folder.path), ['away'])
    await rename(join(folder.path, 'away'), root)
    assert.deepEqual(await location.head('aa/old'), { sizeBytes: 10 })
  })

  it('that an empty folder stands in for is not written to', async () => {
    await using folder = await scratch()
    const root = join(folder.path, 'mnt')
    await mkdir(root)
    const location = shelfAt(root)
    await location.putIfAbsent('location.json', pattern(30))
    await location.putIfAbsent('aa/old', pattern(10))
    await rename(root, join(folder.path, 'away'))
    await mkdir(root)
    for (const call of CALLS) await refuses(call(location), 'location.not-ours', 'shelf')
    assert.deepEqual(await readdir(root), [])
    // The same disk, mounted anew, has another identity and the same marker.
    await writeFile(join(root, 'location.json'), pattern(30))
    assert.equal(await location.putIfAbsent('aa/new', pattern(1)), 'created')
    // Another disk is taken only when told so.
    await rename(root, join(folder.path, 'away-too'))
    await mkdir(root)
    await refuses(location.putIfAbsent('aa/new', pattern(1)), 'location.not-ours', 'shelf')
    location.renew?.()
    assert.equal(await location.putIfAbsent('aa/new', pattern(1)), 'created')
  })

  it('is a file', async () => {
    await using folder = await scratch()
    await writeFile(join(folder.path, 'mnt'), '')
    await refuses(shelfAt(join(folder.path, 'mnt')).head('a'), 'location.not-ours', 'shelf')
  })
})

describe('a folder with strange things in it', () => {
  it('follows no links', async () => {
    await using folder = await scratch()
    const root = join(folder.path, 'mnt')
    const elsewhere = join(folder.path, 'elsewhere')
    await mkdir(root)
    await mkdir(join(elsewhere, 'inner'), { recursive: true })
    await writeFile(join(elsewhere, 'secret'), 'secret')
    await writeFile(join(elsewhere, 'inner', 'secret'), 'secret')
    await symlink(elsewhere, join(root, 'aa'))
    await symlink(join(elsewhere, 'secret'), join(root, 'link'))
    await symlink(join(elsewhere, 'nothing'), join(root, 'broken'))
    const location = shelfAt(root)
    for (const name of ['aa/secret', 'aa/inner/secret', 'link']) {
      await refuses(location.open(name), 'location.not-ours', 'shelf')
      await refuses(location.head(name), 'location.not-ours', 'shelf')
    }
    for (const name of ['aa/new', 'aa/inner/new']) {
      await refuses(location.putIfAbsent(name, pattern(1)), 'location.not-ours', 'shelf')
      await refuses(location.create(name), 'location.not-ours', 'shelf')
      await refuses(location.discard(name), 'location.not-ours', 'shelf')
    }
    assert.equal(await location.putIfAbsent('broken', pattern(1)), 'exists')
    assert.deepEqual(await listAll(location, ''), [])
    assert.equal(await location.sweepPartial({ olderThanMs: -1000 }), 0)
    assert.equal(await readFile(join(elsewhere, 'secret'), 'utf8'), 'secret')
    assert.deepEqual(await readdir(elsewhere), ['inner', 'secret'])
  })

  it('does not wait for a pipe, nor read a folder', async () => {
    await using folder = await scratch()
    execFileSync('mkfifo', [join(folder.path, 'pipe')])
    await mkdir(join(folder.path, 'inner'))
    const location = shelfAt(folder.path)
    for (const name of ['pipe', 'inner']) {
      await refuses(location.open(name), 'location.not-ours', 'shelf')
      await refuses(location.head(name), 'location.not-ours', 'shelf')
      assert.equal(await location.putIfAbsent(name, pattern(1)), 'exists')
    }
    assert.deepEqual(await listAll(location, ''), [])
  })

  it('lists only names of ours', async () => {
    await using folder = await scratch()
    for (const name of ['.hidden', 'Upper', 'a b', 'é', 'lost+found', 'x'.repeat(201), 'fine'])
      await writeFile(join(folder.path, name), 'x')
    await mkdir(join(folder.path, '.Trash-0'))
    await writeFile(join(folder.path, '.Trash-0', 'fine'), 'x')
    assert.deepEqual(await listAll(shelfAt(folder.path), ''), ['fine'])
  })
})

describe('a folder with much in it', () => {
  it('lists more than it holds in memory, in order and without gaps', async () => {
    await using folder = await scratch()
    const names = Array.from({ length: 9500 }, (_, index) => (index % 5 === 0 ? `f-${index}` : `f${index}`))
    const fanned = Array.from({ length: 500 }, (_, index) => `${(index % 64).toString(16).padStart(2, '0')}/${index}`)
    for (const folderName of new Set(fanned.map((name) => name.slice(0, 2)))) await mkdir(join(folder.path, folderName))
    const all = [...names, ...fanned]
    for (let at = 0; at < all.length; at += 200)
      await Promise.all(all.slice(at, at + 200).map((name) => writeFile(join(folder.path, name), '')))
    assert.deepEqual(await listAll(shelfAt(folder.path), ''), all.sort())
  })
})

describe('unfinished writes in a folder', () => {
  it('are swept when they are old', async () => {
    await using folder = await scratch()
    const location = shelfAt(folder.path)
    const sinks = [await location.create('aa/one'), await location.create('bb/two')]
    for (const sink of sinks) await pour(sink, pattern(10))
    const [part] = await readdir(join(folder.path, 'aa'))
    assert.match(part ?? '', /^\.part-one\.[0-9a-f]{32}$/)
    const old = new Date(Date.now() - 7_200_000)
    await utimes(join(folder.path, 'aa', part!), old, old)
    assert.equal(await location.sweepPartial({ olderThanMs: 3_600_000 }), 1)
    assert.deepEqual(await readdir(join(folder.path, 'aa')), [])
    assert.equal((await readdir(join(folder.path, 'bb'))).length, 1)
    for (const sink of sinks) await sink.abort()
  })

  it('leave no open files behind, whatever happens', async (t) => {
    const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    if (process.platform !== 'linux') return t.skip('needs /proc')
    await using folder = await scratch()
    const location = shelfAt(folder.path)
    await location.putIfAbsent('a', pattern(10))
    const before = await openFiles()
    for (let round = 0; round < 20; round += 1) {
      const cancel = new AbortController()
      const sink = await location.create(`b${round}`, { signal: cancel.signal })
      const writing = sink.write(pattern(1_000_000))
      cancel.abort()
      await refuses(writing, 'base.cancelled')
      await sink.abort()
      await refuses(writeAll(location, 'a', pattern(5)), 'location.exists')
      await refuses(location.open('absent'), 'location.absent')
      const source = await location.open('a')
      await refuses(source.read(5, new Uint8Array(50)), 'location.truncated')
      await source.close()
      await source.close()
    }
    const left = await openFiles()
    assert.ok(left <= before, `${left} files are open, ${before} were`)
    assert.deepEqual(await readdir(folder.path), ['a'])
  })
})

it('a folder location closes what its callers forgot', async (t) => {
  if (process.platform !== 'linux') return t.skip('needs /proc')
  await using folder = await scratch()
  const location = shelfAt(folder.path)
  await location.putIfAbsent('a', pattern(10))
  const before = (await readdir('/proc/self/fd')).length
  for (let index = 0; index < 10; index += 1) {
    await location.open('a')
    await location.create(`b${index}`)
  }
  await location.close()
  assert.ok((await readdir('/proc/self/fd')).length <= before)
})

/** A small disk of its own, or a line that says why not. */
async function withDisk(t: TestContext, size: string, work: (path: string) => Promise<void>): Promise<void> {
  await using folder = await scratch()
  const mount = (...options: string[]): void =>
    void execFileSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', folder.path], { stdio: 'ignore' })
  try {
    mount(`size=${size}`)
  } catch {
    return t.skip('needs the right to mount a tmpfs')
  }
  try {
    await work(folder.path)
  } finally {
    execFileSync('umount', ['-l', folder.path])
  }
}

describe('a disk', () => {
  it('that is full says so, and keeps nothing of the write', (t) =>
    withDisk(t, '1m', async (path) => {
      const location = createFolderLocation({ root: path, label: 'shelf' })
      await writeAll(location, 'aa/first', pattern(600_000))
      await refuses(writeAll(location, 'aa/second', pattern(600_000), 100_000), 'location.full', 'shelf')
      await refuses(location.putIfAbsent('aa/third', pattern(600_000)), 'location.full', 'shelf')
      assert.deepEqual(await readdir(join(path, 'aa')), ['first'])
      assert.deepEqual(await readAll(location, 'aa/first'), pattern(600_000))
      assert.equal(await location.discard('aa/first'), 'gone')
      await writeAll(location, 'aa/second', pattern(600_000))
    }))

  it('that is mounted read-only denies writing and keeps what it has', (t) =>
    withDisk(t, '1m', async (path) => {
      const location = createFolderLocation({ root: path, label: 'shelf' })
      await writeAll(location, 'aa/first', pattern(1000))
      execFileSync('mount', ['-o', 'remount,ro', path])
      await refuses(writeAll(location, 'aa/second', pattern(1000)), 'location.denied', 'shelf')
      await refuses(writeAll(location, 'bb/second', pattern(1000)), 'location.denied', 'shelf')
      assert.equal(await location.discard('aa/first'), 'kept')
      assert.deepEqual(await readAll(location, 'aa/first'), pattern(1000))
    }))

  it('that is unmounted under us is not written through', (t) =>
    withDisk(t, '1m', async (path) => {
      const location = createFolderLocation({ root: path, label: 'shelf' })
      await location.putIfAbsent('location.json', pattern(30))
      execFileSync('umount', [path])
      try {
        for (const call of CALLS) await refuses(call(location), 'location.not-ours', 'shelf')
        assert.deepEqual(await readdir(path), [])
      } finally {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path])
      }
    }))
})
