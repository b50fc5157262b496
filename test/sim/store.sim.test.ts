// Many short histories of a vault with misbehaving locations. SEED replays one; SCHEDULES runs more.
import { suite, test } from 'node:test'
import { simulate } from './store.sim.ts'

const given = process.env['SEED']
const first = given === undefined ? 1 : Number(given)
const schedules = given === undefined ? Number(process.env['SCHEDULES'] ?? '30') : 1
const AT_ONCE = 4

suite(`the store under faults, seeds ${first} to ${first + schedules - 1}`, () => {
  test('no acknowledged file is lost, no file is half, no good place is blamed', async (context) => {
    let next = first
    let commands = 0
    const work = async (): Promise<void> => {
      while (next < first + schedules) {
        const outcome = await simulate(next++, given === undefined ? { epochs: 2, commands: 12 } : { epochs: 4, commands: 30 })
        commands += outcome.commands
        if (given !== undefined) context.diagnostic(outcome.history.join('\n'))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    context.diagnostic(`${schedules} histories, ${commands} commands`)
  })
})
