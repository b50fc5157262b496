// A large file whose upload or download is interrupted: the same command goes on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { resumeLocalTarget } from '../../src/cli/local-target.ts'
import { scratch, start, succeeds, type Scratch } from './support.ts'

const SIZE_BYTES = 66 * 2 ** 20

/** Resolves when the unfinished file in a folder has so many bytes. */
async function grown(folder: string, bytes: number, named = /\.part-/): Promise<void> {
  for (;;) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!named.test(name)) continue
      if ((statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) >= bytes) return
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 2)
    })
  }
}

async function madeFile(at: Scratch): Promise<Buffer> {
  const content = randomBytes(SIZE_BYTES)
  writeFileSync(join(at.folder, 'slide.svs'), content)
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  return content
}

test('put goes on after Ctrl-C and after kill -9, and uploads lists what is unfinished', async () => {
  await using at = await scratch()
  const content = await madeFile(at)
  let from = 4 * 2 ** 20
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const running = start(at, ['put', 'slide.svs', '/slide.svs'], { direct: true })
    await grown(join(at.folder, 'a'), from)
    running.child.kill(signal)
    const ended = await running.ended
    if (signal === 'SIGINT') assert.match(ended.errors, /what was sent of \/slide\.svs is kept for seven days/)
    const listed = await succeeds(at, ['uploads'])
    assert.match(listed.out.toString(), /\/slide\.svs .* waiting, kept until/)
    assert.match(listed.out.toString(), /1 unfinished upload\./)
    from += 4 * 2 ** 20
  }
  const last = await succeeds(at, ['put', 'slide.svs', '/slide.svs'])
  assert.match(last.errors, /An unfinished upload of \/slide\.svs goes on\./)
  assert.match(last.errors, /Reading the first .* again/)
  assert.match(last.out.toString(), /version 1: stored at 3 of 3 locations/)
  await succeeds(at, ['get', '/slide.svs', 'back.svs'])
  assert.ok(readFileSync(join(at.folder, 'back.svs')).equals(content))
  assert.match((await succeeds(at, ['uploads'])).out.toString(), /No unfinished uploads/)
})

test('an unfinished upload of a file that changed stays alone, and can be removed', async () => {
  await using at = await scratch()
  const content = await madeFile(at)
  const running = start(at, ['put', 'slide.svs', '/slide.svs'], { direct: true })
  await grown(join(at.folder, 'a'), 4 * 2 ** 20)
  running.child.kill('SIGINT')
  await running.ended
  content[0]! ^= 1
  writeFileSync(join(at.folder, 'slide.svs'), content)
  const stored = await succeeds(at, ['put', 'slide.svs', '/slide.svs'])
  assert.doesNotMatch(stored.errors, /goes on/)
  const { id } = JSON.parse((await succeeds(at, ['uploads', '--json'])).out.toString()) as { id: string }
  await succeeds(at, ['uploads', '--remove', id])
  assert.match((await succeeds(at, ['uploads'])).out.toString(), /No unfinished uploads/)
  for (const folder of ['a', 'b', 'c'])
    assert.deepEqual(
      readdirSync(join(at.folder, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.part-')),
      [],
    )
})

test('get goes on after kill -9, and damage of what was there is found', async () => {
  await using at = await scratch()
  const content = await madeFile(at)
  await succeeds(at, ['put', 'slide.svs', '/slide.svs'])
  for (const harm of [false, true]) {
    const running = start(at, ['get', '/slide.svs', 'back.svs'], { direct: true })
    await grown(at.folder, 8 * 2 ** 20, /^\.quorate-.*\.part$/)
    running.child.kill('SIGKILL')
    await running.ended
    assert.equal(existsSync(join(at.folder, 'back.svs')), false)
    if (harm) {
      const part = join(
        at.folder,
        readdirSync(at.folder).find((name) => /^\.quorate-.*\.part$/.test(name))!,
      )
      const handle = openSync(part, 'r+')
      writeSync(handle, Buffer.from([content[1000]! ^ 1]), 0, 1, 1000)
      closeSync(handle)
    }
    const last = await succeeds(at, ['get', '/slide.svs', 'back.svs'])
    assert.match(last.errors, /The download of \/slide\.svs goes on\./)
    assert.equal(/is damaged; it is fetched anew/.test(last.errors), harm)
    assert.ok(readFileSync(join(at.folder, 'back.svs')).equals(content))
    assert.deepEqual(
      readdirSync(at.folder).filter((name) => name.startsWith('.quorate')),
      [],
    )
    rmSync(join(at.folder, 'back.svs'))
  }
})

test('what was left of one version goes on with it alone, and goes when another one comes', async () => {
  await using at = await scratch()
  const path = join(at.folder, 'back.svs')
  const left = (): string[] => readdirSync(at.folder).filter((name) => name.startsWith('.quorate'))
  const first = await resumeLocalTarget(path, { replace: false, version: '"a"', sizeBytes: 100 })
  await first.write(Buffer.from('0123456789'))
  await first.keep()
  const again = await resumeLocalTarget(path, { replace: false, version: '"a"', sizeBytes: 100 })
  assert.equal(again.writtenBytes, 10)
  await again.write(Buffer.from('abc'))
  assert.equal(Buffer.concat(await Array.fromAsync(again.read(), (part) => Buffer.from(part))).toString(), '0123456789abc')
  await again.keep()
  assert.equal(left().length, 1)
  const other = await resumeLocalTarget(path, { replace: false, version: '"b"', sizeBytes: 100 })
  assert.equal(other.writtenBytes, 0)
  assert.equal(left().length, 1)
  await other.abort()
  assert.deepEqual(left(), [])
})
