// change, refresh, and locations that leave: over a door in memory, and as real processes over real folders.
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeStatus, problem, status } from '#contract'
import { bytesOf } from '../../src/cli/commands/change.ts'
import { inside, quorate, scratch, succeeds } from './support.ts'

test('what is asked for reaches the site, and nothing does that was only to be seen', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  for (const [args, calls] of [
    [['change', '--threshold', '3', '--preview'], ['previewChange']],
    [
      ['change', '--layout', 'sealed'],
      ['previewChange', 'requestChange', 'change'],
    ],
    [
      ['refresh', '--begin'],
      ['previewChange', 'requestChange'],
    ],
    [
      ['location', 'remove', 'a', 'b', '--refresh'],
      ['previewChange', 'requestChange', 'change'],
    ],
    [
      ['location', 'leave-by', 'a', '2027-03-31'],
      ['previewChange', 'requestChange', 'change'],
    ],
    [
      ['location', 'keep', 'a'],
      ['previewChange', 'requestChange', 'change'],
    ],
    [['location', 'replace', 'a', 'folder:x', '--preview'], ['previewChange']],
    [['change', 'status'], ['change']],
    [['change', 'pause'], ['steerChange']],
    [
      ['change', 'resume'],
      ['steerChange', 'change'],
    ],
    [['change', 'cancel'], ['steerChange']],
    [['change', 'throttle', '10M'], ['steerChange']],
  ] as const) {
    cli.door.calls.length = 0
    const { code, errors } = await cli.quorate(args)
    assert.equal(code, 0, `${args.join(' ')}: ${errors}`)
    assert.deepEqual(cli.door.calls, calls, args.join(' '))
  }
})

test('usage errors are 2', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  for (const args of [
    ['change', '--threshold', 'x'],
    ['change', '--layout', 'odd'],
    ['change', 'throttle', 'fast'],
    ['change', 'throttle'],
    ['location', 'remove'],
    ['location', 'replace', 'a'],
    ['location', 'leave-by', 'a', 'soon'],
    ['location', 'leave-by', 'a', '2027-13-40'],
    ['location', 'leave-by', 'a', '2027-02-31'],
  ]) {
    const answer = await cli.quorate([...args, '--json'])
    assert.equal(answer.code, 2, args.join(' '))
    assert.equal(problem.parse(JSON.parse(answer.errors)).code, 'cli.usage', args.join(' '))
  }
})

test('a pace is read as people write it', () => {
  assert.deepEqual(
    ['off', '0', '500', '500k', '10M', '1.5GiB/s', '2MB'].map(bytesOf),
    [0, 0, 500, 512_000, 10_485_760, 1_610_612_736, 2_097_152],
  )
})

test('processes: a location is replaced, the threshold raised, shares renewed, and every file opens', async () => {
  await using at = await scratch()
  await succeeds(at, ['init', '--threshold', '2', ...['a', 'b', 'c'].map((name) => `folder:${name}`)])
  await writeFile(join(at.folder, 'file'), 'hello')
  await succeeds(at, ['put', 'file', '/file'])
  const few = await quorate(at, ['location', 'remove', 'folder:a', 'folder:b', '--json'])
  assert.equal(problem.parse(JSON.parse(few.errors.trim().split('\n').at(-1) ?? '')).code, 'storage.few-locations')
  const replaced = await succeeds(at, ['location', 'replace', 'folder:b', 'folder:d'])
  assert.match(replaced.out.toString(), /folder:d is location 4, and takes over from folder:b/)
  assert.match(replaced.out.toString(), /stays a valid share; add --refresh/)
  assert.deepEqual(
    (await readdir(join(at.folder, 'b'), { recursive: true, withFileTypes: true })).filter((one) => one.isFile()),
    [],
  )
  await succeeds(at, ['location', 'add', 'folder:e'])
  await succeeds(at, ['change', '--threshold', '3'])
  await succeeds(at, ['refresh'])
  const changed = changeStatus.parse(JSON.parse((await succeeds(at, ['change', 'status', '--json'])).out.toString()))
  assert.deepEqual([changed.state, changed.wanted.threshold, changed.wanted.count, changed.due.objects], ['idle', 3, 4, 0])
  const { health, locations } = status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString()))
  assert.deepEqual([health, locations.map(({ label }) => label)], ['healthy', ['folder:a', 'folder:c', 'folder:d', 'folder:e']])
  assert.equal((await succeeds(at, ['cat', '/file'])).out.toString(), 'hello')
})
