// Many short histories of a vault with misbehaving locations, in virtual time. SEED replays one and tells it; SCHEDULES runs more.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { runSchedules } from './schedules.ts'

const given = process.env['SEED']
const first = given === undefined ? 1 : Number(given)
const count = given === undefined ? Number(process.env['SCHEDULES'] ?? '300') : 1
const lengths = { epochs: Number(process.env['EPOCHS'] ?? '2'), commands: Number(process.env['COMMANDS'] ?? '8') }

suite(`the store under faults, seeds ${first} to ${first + count - 1}`, () => {
  test('no acknowledged file is lost, no file is half, no good place is blamed', async (context) => {
    const told = await runSchedules({ first, count, ...lengths })
    if (given !== undefined) console.log(told[0]?.history?.join('\n'))
    context.diagnostic(`${count} histories, ${told.reduce((sum, { commands = 0 }) => sum + commands, 0)} commands`)
  })

  test('a seed runs the same way twice', async () => {
    const [once, again] = [await runSchedules({ first, count: 2, ...lengths }), await runSchedules({ first, count: 2, ...lengths })]
    const traces = (told: typeof once): unknown => new Map(told.map(({ seed, trace }) => [seed, trace]))
    assert.deepEqual(traces(once), traces(again))
  })
})
