// As change-crash.test.ts, for longer.
import { suite, test } from 'node:test'
import { survives } from './crash-run.ts'

const SEED = Number(process.env['SEED'] ?? String(Date.now() % 100_000))

suite('kill -9 while the vault changes, and loss of the database', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: 100 times at random (SEED=${SEED})`, (context) =>
      survives({ kills: 100, seed: SEED, layout, changing: true, say: (text) => context.diagnostic(text) }))
})
