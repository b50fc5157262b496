// A process killed in the middle of changes loses nothing that it acknowledged, leaves nothing half-done, and goes on with the change.
// At every fourth kill the database is lost as well.
import { suite, test } from 'node:test'
import { survives } from './crash-run.ts'

const SEED = Number(process.env['SEED'] ?? '1')
const KILLS = Number(process.env['KILLS'] ?? '6')

suite('kill -9 while the vault changes', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: ${KILLS} times at random (SEED=${SEED})`, (context) =>
      survives({
        kills: KILLS,
        seed: SEED + (layout === 'shared' ? 100 : 600),
        layout,
        changing: true,
        say: (text) => context.diagnostic(text),
      }))
})
