// As store.sim.test.ts, more of them, and longer ones. SEED begins, SCHEDULES counts the short ones, LONG the long ones.
// On two slow cores a short one takes a third of a second of one of them, a long one some seconds.
import { suite, test } from 'node:test'
import { runSchedules } from './schedules.ts'

const first = Number(process.env['SEED'] ?? '100000')
const short = Number(process.env['SCHEDULES'] ?? '10000')
const long = Number(process.env['LONG'] ?? '200')

suite(`the store under faults, from seed ${first}`, () => {
  for (const { name, count, epochs, commands } of [
    { name: 'short histories', count: short, epochs: 1, commands: 8 },
    { name: 'long histories', count: long, epochs: 3, commands: 25 },
  ])
    if (count > 0)
      test(name, async (context) => {
        const told = await runSchedules({ first, count, epochs, commands, two: 5 })
        context.diagnostic(`${count} histories, ${told.reduce((sum, { commands: done = 0 }) => sum + done, 0)} commands`)
      })
})
