// Many short histories of a vault with misbehaving locations, in virtual time. SEED replays one and tells it; SCHEDULES runs more.
// Every fifth has two sites that write the vault; TWO=1 gives all of them two.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { runSchedules } from './schedules.ts'

const given = process.env['SEED']
const first = given === undefined ? 1 : Number(given)
const count = given === undefined ? Number(process.env['SCHEDULES'] ?? '300') : 1
const two = Number(process.env['TWO'] ?? '5')
const lengths = { two, epochs: Number(process.env['EPOCHS'] ?? '2'), commands: Number(process.env['COMMANDS'] ?? '8') }

suite(`the store under faults, seeds ${first} to ${first + count - 1}`, () => {
  test('no acknowledged file is lost, no file is half, no good place is blamed', async (context) => {
    const told = await runSchedules({ first, count, ...lengths })
    if (given !== undefined) console.log(told[0]?.history?.join('\n'))
    context.diagnostic(`${count} histories, ${told.reduce((sum, { commands = 0 }) => sum + commands, 0)} commands`)
  })

  for (const sites of ['one site', 'two sites'])
    test(`a seed runs the same way twice: ${sites}`, async () => {
      const same = { ...lengths, first, count: 2, two: sites === 'two sites' ? 1 : 2 ** 40 }
      const [once, again] = [await runSchedules(same), await runSchedules(same)]
      const traces = (told: typeof once): unknown => new Map(told.map(({ seed, trace }) => [seed, trace]))
      assert.deepEqual(traces(once), traces(again))
    })
})
