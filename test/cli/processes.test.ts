// Real processes over one home: beside each other, stopped by signals, killed, and a site that hangs.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { listing, problem, status } from '#contract'
import { quorate, scratch, start, succeeds, type Ended, type Scratch, type Started } from './support.ts'

const WAIT = ['--wait', '120']

async function vault(at: Scratch): Promise<void> {
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
}

interface Served {
  readonly site: Started
  readonly link: string
  readonly url: string
}

async function serve(at: Scratch): Promise<Served> {
  const site = start(at, ['serve', '--port', '0', '--json'], { direct: true })
  await site.said('"link"')
  // What stands on standard output so far is one JSON document.
  const holder = JSON.parse(await readFile(join(at.home, 'holder.json'), 'utf8')) as { link: string }
  return { site, link: holder.link, url: holder.link.split('#')[0]! }
}

async function stop(site: Started, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  site.child.kill(signal)
  return site.ended
}

function problemIn(ended: Ended): string {
  return problem.parse(JSON.parse(ended.errors.trim().split('\n').at(-1) ?? '')).code
}

async function filesAt(at: Scratch): Promise<string[]> {
  return listing
    .parse(JSON.parse((await succeeds(at, ['ls', '-r', '/', '--json', ...WAIT])).out.toString()))
    .entries.map((entry) => entry.path)
}

test('commands at once, without a site, take turns and all succeed', async () => {
  await using at = await scratch()
  await vault(at)
  await Promise.all(
    ['one', 'two', 'three'].map(async (name) => {
      await writeFile(join(at.folder, name), name)
      await succeeds(at, ['put', name, `/${name}`, ...WAIT])
    }),
  )
  assert.deepEqual(await filesAt(at), ['/one', '/three', '/two'])
})

test('a home that is in use and not given back in time is said, with the process', async () => {
  await using at = await scratch()
  await vault(at)
  const holder = start(at, ['put', '-', '/slow', '--progress'], { input: 'the beginning', keepInput: true, direct: true })
  await holder.said('13 B')
  const other = await quorate(at, ['ls', '--wait', '0', '--json'])
  assert.deepEqual([other.code, problemIn(other)], [1, 'storage.home-busy'])
  assert.ok(other.errors.includes(`Process ${holder.child.pid} (quorate put)`))
  holder.child.stdin!.end()
  assert.equal((await holder.ended).code, 0)
  assert.deepEqual(await filesAt(at), ['/slow'])
})

test('signals end a put with nothing stored and its own exit code', async () => {
  await using at = await scratch()
  await vault(at)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const put = start(at, ['put', '-', '/a', '--progress', '--json'], { input: randomBytes(1_000_000), keepInput: true, direct: true })
    await put.said('977 KiB')
    const ended = await stop(put, signal)
    assert.deepEqual([ended.code, problemIn(ended)], [code, 'base.cancelled'], ended.errors)
  }
  const viaLauncher = start(at, ['put', '-', '/a', '--progress'], { input: randomBytes(1_000_000), keepInput: true })
  await viaLauncher.said('977 KiB')
  assert.equal((await stop(viaLauncher, 'SIGINT')).code, 130)
  assert.deepEqual(await filesAt(at), [])
  await succeeds(at, ['status'])
})

test('a signal ends a cat whose reader does not read', async () => {
  await using at = await scratch()
  await vault(at)
  await writeFile(join(at.folder, 'big'), randomBytes(5_000_000))
  await succeeds(at, ['put', 'big', '/big'])
  const cat = start(at, ['cat', '/big'], { direct: true })
  cat.child.stdout!.pause()
  await new Promise((resolve) => cat.child.stdout!.once('readable', resolve))
  cat.child.kill('SIGINT')
  const code = await new Promise((resolve) => cat.child.once('exit', resolve))
  cat.child.stdout!.destroy()
  assert.equal(code, 130)
})

test('a reader that leaves is no failure', async () => {
  await using at = await scratch()
  await vault(at)
  await writeFile(join(at.folder, 'big'), randomBytes(5_000_000))
  await succeeds(at, ['put', 'big', '/big'])
  const cat = start(at, ['cat', '/big'], { direct: true })
  cat.child.stdout!.once('data', () => cat.child.stdout!.destroy())
  const ended = await cat.ended
  assert.deepEqual([ended.code, ended.errors], [0, ''])
})

test('kill -9 in the middle of a put needs no cleaning up', async () => {
  await using at = await scratch()
  await vault(at)
  await writeFile(join(at.folder, 'kept'), 'kept')
  await succeeds(at, ['put', 'kept', '/a'])
  const put = start(at, ['put', '-', '/a', '--progress'], { input: randomBytes(3_000_000), keepInput: true, direct: true })
  await put.said('2.9 MiB')
  assert.equal((await stop(put, 'SIGKILL')).signal, 'SIGKILL')
  assert.equal((await succeeds(at, ['cat', '/a'])).out.toString(), 'kept')
  assert.deepEqual(await filesAt(at), ['/a'])
})

test('of two sites started at once exactly one serves, and the other names its page', async () => {
  await using at = await scratch()
  await vault(at)
  const both = [1, 2].map(() => start(at, ['serve', '--port', '0', '--json', '--wait', '60'], { direct: true }))
  const loser = await Promise.race(both.map(async (site) => ({ site, ended: await site.ended })))
  assert.deepEqual([loser.ended.code, problemIn(loser.ended)], [1, 'storage.home-busy'])
  const winner = both.find((site) => site !== loser.site)!
  await winner.said('"link"')
  const { link } = JSON.parse(await readFile(join(at.home, 'holder.json'), 'utf8')) as { link: string }
  assert.ok(loser.ended.errors.includes(link))
  assert.equal((await stop(winner)).code, 0)
})

test('commands use a running site, any number at once, and it may be killed', async () => {
  await using at = await scratch()
  await vault(at)
  const { site, url } = await serve(at)
  assert.equal((await stat(at.home)).mode & 0o777, 0o700)
  assert.equal((await stat(join(at.home, 'socket'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(at.home, 'holder.json'))).mode & 0o777, 0o600)
  assert.equal(await (await fetch(`${url}health`)).text(), '{"status":"ok"}')
  assert.equal((await fetch(`${url}api/v1/site`)).status, 401)
  const bytes = randomBytes(3_000_000)
  await writeFile(join(at.folder, 'file'), bytes)
  await Promise.all([1, 2, 3].map((number) => succeeds(at, ['put', 'file', `/${number}`])))
  assert.deepEqual((await succeeds(at, ['cat', '/2'])).out, bytes)
  assert.equal(status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString())).files, 3)
  const completed = await succeeds(at, ['complete-path', '/'])
  assert.equal(completed.out.toString(), '/1\n/2\n/3\n')
  await stop(site, 'SIGKILL')
  assert.deepEqual(await filesAt(at), ['/1', '/2', '/3'])
  assert.equal((await succeeds(at, ['complete-path', '/'])).out.toString(), '')
  const again = await serve(at)
  assert.equal((await stop(again.site, 'SIGINT')).code, 0)
  assert.deepEqual(
    (await readdir(at.home)).filter((name) => ['socket', 'holder.json', 'open.html'].includes(name)),
    [],
  )
})

test('an interrupted put at a running site stores nothing, and a stopped site says so to its caller', async () => {
  await using at = await scratch()
  await vault(at)
  const { site } = await serve(at)
  const put = start(at, ['put', '-', '/a', '--progress', '--json'], { input: randomBytes(1_000_000), keepInput: true, direct: true })
  await put.said('977 KiB')
  assert.equal((await stop(put, 'SIGINT')).code, 130)
  const left = start(at, ['put', '-', '/b', '--progress', '--json'], { input: randomBytes(1_000_000), keepInput: true, direct: true })
  await left.said('977 KiB')
  site.child.kill('SIGTERM')
  const ended = await left.ended
  assert.equal(ended.code, 1)
  assert.ok(['api.unreachable', 'base.cancelled'].includes(problemIn(ended)), ended.errors)
  await site.ended
  assert.deepEqual(await filesAt(at), [])
})

test('a site that hangs is named instead of waited for', async () => {
  await using at = await scratch()
  await vault(at)
  const { site } = await serve(at)
  site.child.kill('SIGSTOP')
  const ended = await quorate(at, ['ls', '--wait', '0.2', '--json'])
  site.child.kill('SIGCONT')
  assert.deepEqual([ended.code, problemIn(ended)], [1, 'storage.home-busy'])
  assert.ok(ended.errors.includes(`kill ${site.child.pid}`))
  await stop(site)
})

test('a home with a long path works like any other', async () => {
  await using at = await scratch()
  const home = join(at.home, 'a'.repeat(100), 'b'.repeat(100))
  await mkdir(home, { recursive: true })
  const long = { ...at, home }
  await vault(long)
  const { site } = await serve(long)
  await writeFile(join(at.folder, 'file'), 'x')
  await succeeds(long, ['put', 'file', '/a'])
  await stop(site)
  assert.deepEqual(await filesAt(long), ['/a'])
})

test('a home that is no folder of ours is refused', async () => {
  await using at = await scratch()
  await mkdir(at.home)
  await writeFile(join(at.home, 'letter'), 'something else')
  await chmod(at.home, 0o755)
  const ended = await quorate(at, ['ls', '--json'])
  assert.deepEqual([ended.code, problemIn(ended)], [1, 'main.config'])
  assert.equal((await stat(at.home)).mode & 0o777, 0o755)
  const file = await quorate({ ...at, home: join(at.home, 'letter') }, ['ls', '--json'])
  assert.deepEqual([file.code, problemIn(file)], [1, 'main.config'])
})

test('sealed keys are opened by a file named in the environment, and their absence is said', async () => {
  await using at = await scratch()
  await writeFile(join(at.folder, 'secret'), 'correct horse battery\n')
  await writeFile(join(at.folder, 'file'), 'x')
  await succeeds(at, ['init', '--passphrase-file', 'secret', 'folder:a', 'folder:b'])
  const without = await quorate(at, ['put', 'file', '/a', '--json'])
  assert.deepEqual([without.code, problemIn(without)], [1, 'crypto.passphrase'])
  const given = await quorate(at, ['put', 'file', '/a'], { environment: { QUORATE_PASSPHRASE_FILE: join(at.folder, 'secret') } })
  assert.equal(given.code, 0, given.errors)
  assert.equal((await succeeds(at, ['cat', '/a'])).out.toString(), 'x')
})
