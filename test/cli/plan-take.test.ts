// plan --take: from a choice to a change, over a door in memory and as real processes.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { changePreview, plan, problem, status } from '#contract'
import { inside, quorate, scratch, succeeds } from './support.ts'

test('a choice is shown, asked about and begun; what cannot be taken says why, and nothing is requested', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const asked = async (args: readonly string[]): Promise<{ code: number; out: string; errors: string; calls: readonly string[] }> => {
    cli.door.calls.length = 0
    const ended = await cli.quorate(['plan', ...args])
    return { ...ended, calls: [...cli.door.calls] }
  }
  const seen = await asked(['--take', '2-sealed-1.3', '--preview'])
  assert.equal(seen.code, 0, seen.errors)
  assert.match(seen.out, /^2 of 2, sealed: west, north$/m)
  assert.deepEqual(seen.calls, ['plan', 'previewChange'])
  const taken = await asked(['--take', '2-sealed-1.3', '--yes', '--begin'])
  assert.deepEqual(taken.calls, ['plan', 'previewChange', 'requestChange'])
  await writeFile(join(at.folder, 'thought.json'), JSON.stringify([{ label: 'far', traits: { provider: 'Far' } }]))
  for (const [code, args] of [
    // Nobody sits at a keyboard.
    ['cli.usage', ['--take', '2-sealed-1.3']],
    ['storage.absent', ['--take', '7-shared-1.2', '--yes']],
    ['storage.absent', ['--with', 'thought.json', '--take', '2-shared-1.2.4', '--yes']],
  ] as const) {
    const refused = await asked([...args, '--json'])
    assert.equal(problem.parse(JSON.parse(refused.errors)).code, code, args.join(' '))
    assert.ok(!refused.calls.includes('requestChange'))
  }
  const far = problem.parse(JSON.parse((await asked(['--with', 'thought.json', '--take', '2-shared-1.2.4', '--yes', '--json'])).errors))
  assert.deepEqual(far.culprits, ['far'])
  assert.match(far.next ?? '', /quorate location add PLACE --label "far"/)
})

test('processes: the dearest location is left for less money a month, and the vault is what was taken', async () => {
  await using at = await scratch()
  await succeeds(at, ['init', '--threshold', '2', ...['a', 'b', 'c', 'd'].map((name) => `folder:${name}`)])
  await writeFile(join(at.folder, 'file'), 'hello')
  await succeeds(at, ['put', 'file', '/file'])
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
    await succeeds(at, [
      'location',
      'describe',
      `folder:${name}`,
      '--provider',
      name,
      '--currency',
      'EUR',
      '--per-gib-month',
      `0.0${index + 1}`,
    ])
  const args = ['plan', '--size', '1TiB']
  const answer = plan.parse(JSON.parse((await quorate(at, [...args, '--json'])).out.toString()))
  assert.equal(answer.options[answer.current!]!.id, '2-shared-1.2.3.4')
  const preview = changePreview.parse(
    JSON.parse((await succeeds(at, [...args, '--take', '2-shared-1.2.3', '--preview', '--json'])).out.toString()),
  )
  assert.ok(preview.monthly.before!.amount > preview.monthly.after!.amount)
  const unasked = await quorate(at, [...args, '--take', '2-shared-1.2.3', '--json'])
  assert.equal(problem.parse(JSON.parse(unasked.errors.trim())).code, 'cli.usage')
  const taken = await succeeds(at, [...args, '--take', '2-shared-1.2.3', '--yes'])
  assert.match(taken.out.toString(), /^a month, as it is used: 0\.00 EUR now, 0\.00 EUR then$/m)
  const { health, locations } = status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString()))
  assert.deepEqual([health, locations.map(({ label }) => label)], ['healthy', ['folder:a', 'folder:b', 'folder:c']])
  assert.equal((await succeeds(at, ['cat', '/file'])).out.toString(), 'hello')
})
