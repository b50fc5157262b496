// As store.sim.test.ts, for longer histories and more of them. SEED begins, SCHEDULES counts.
import { suite, test } from 'node:test'
import { simulate } from './store.sim.ts'

const first = Number(process.env['SEED'] ?? String(Date.now() % 1_000_000))
const schedules = Number(process.env['SCHEDULES'] ?? '300')

suite(`the store under faults, seeds ${first} to ${first + schedules - 1}`, () => {
  test('long histories', async (context) => {
    let commands = 0
    for (let seed = first; seed < first + schedules; seed++) commands += (await simulate(seed, { epochs: 4, commands: 30 })).commands
    context.diagnostic(`${schedules} histories, ${commands} commands`)
  })
})
