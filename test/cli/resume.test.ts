// A large file whose upload or download is interrupted: the same command goes on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratch, start, succeeds, type Scratch } from './support.ts'

const SIZE_BYTES = 66 * 2 ** 20

/** Resolves when the unfinished file in a folder has so many bytes. */
async function grown(folder: string, bytes: number): Promise<void> {
  for (;;) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.part/.test(name)) continue
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
