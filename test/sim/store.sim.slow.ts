// As store.sim.test.ts, for longer histories and more of them. SEED begins, SCHEDULES counts.
import { suite, test } from 'node:test'
import { runSchedules } from './schedules.ts'

const first = Number(process.env['SEED'] ?? '100000')
const count = Number(process.env['SCHEDULES'] ?? '10000')

suite(`the store under faults, seeds ${first} to ${first + count - 1}`, () => {
  test('long histories', async (context) => {
    const told = await runSchedules({ first, count, epochs: 3, commands: 25, two: 5 })
    context.diagnostic(`${count} histories, ${told.reduce((sum, { commands = 0 }) => sum + commands, 0)} commands`)
  })
})
