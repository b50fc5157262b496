// The commands of alarms and breaches, over the door in memory.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inside } from './support.ts'

test('settings are shown, written back from a file, and refused when they are not as they should be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-alarms-cli-'))
  try {
    const at = inside(folder)
    const shown = await at.quorate(['alarms', 'settings'])
    assert.equal(shown.code, 0)
    const settings = JSON.parse(shown.out) as Record<string, unknown>
    assert.equal(settings['unreachableMinutes'], 10)
    const file = join(folder, 'alarms.json')
    await writeFile(file, JSON.stringify({ ...settings, unreachableMinutes: 3 }))
    assert.equal((await at.quorate(['alarms', 'settings', file])).code, 0)
    assert.match((await at.quorate(['alarms', 'settings', '--json'])).out, /"unreachableMinutes":3/)
    for (const text of ['{}', 'no json', JSON.stringify({ ...settings, surplus: 1 }), JSON.stringify({ ...settings, diskPercent: 400 })]) {
      await writeFile(file, text)
      const refused = await at.quorate(['alarms', 'settings', file])
      assert.notEqual(refused.code, 0)
      assert.match(refused.errors, /cli\.file/)
    }
    assert.match((await at.quorate(['alarms', 'settings', join(folder, 'absent.json')])).errors, /cli\.file/)
    assert.match((await at.quorate(['alarms', 'settings', '--json'])).out, /"unreachableMinutes":3/)
    const tried = await at.quorate(['alarms', 'try', 'mail'])
    assert.match(tried.errors, /alarms\.settings/)
    assert.equal((await at.quorate(['alarms', 'try', 'pigeon'])).code, 2)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('what rings and what waits for a decision is in the exit code', async () => {
  const at = inside(tmpdir())
  const quiet = await at.quorate(['alarms'])
  assert.deepEqual([quiet.code, quiet.out], [0, 'Nothing rings.\n'])
  assert.deepEqual([(await at.quorate(['breach'])).code, (await at.quorate(['alarms', 'messages'])).code], [0, 0])
  const { id } = await at.door.beginBreach({ text: 'A notebook was stolen.' })
  const listed = await at.quorate(['breach'])
  assert.equal(listed.code, 3)
  assert.match(listed.out, /UNDECIDED/)
  const shown = await at.quorate(['breach', 'show', id])
  assert.match(shown.out, /A notebook was stolen/)
  await at.door.addToBreach({ id, field: 'decision', text: 'no risk\u202e', choice: 'no-notification' })
  assert.equal((await at.quorate(['breach'])).code, 0)
  const json = JSON.parse((await at.quorate(['breach', 'show', id, '--json'])).out) as { entries: { choice: string | null }[] }
  assert.equal(json.entries.at(-1)?.choice, 'no-notification')
  assert.match((await at.quorate(['breach', 'show', 'f'.repeat(32)])).errors, /alarms\.absent/)
  assert.match((await at.quorate(['alarms', 'acknowledge', 'f'.repeat(32)])).errors, /alarms\.absent/)
})
