// A process killed at any moment loses nothing that it acknowledged, and leaves nothing half-done.
import { suite, test } from 'node:test'
import { noStrace, survives, survivesEachError, survivesEachSync } from './crash-run.ts'

const SEED = Number(process.env['SEED'] ?? '1')

suite('kill -9', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: 10 times at random (SEED=${SEED})`, (context) =>
      survives({ kills: 10, seed: SEED + (layout === 'shared' ? 0 : 500), layout, say: (text) => context.diagnostic(text) }))

  test('at every ninth fsync', { skip: noStrace() ?? false }, (context) =>
    survivesEachSync({ first: 1 + (SEED % 9), step: 9, say: (text) => context.diagnostic(text) }),
  )

  test('a disk that refuses every hundredth call', { skip: noStrace() ?? false }, (context) =>
    survivesEachError({ first: 1 + (SEED % 101), step: 101, say: (text) => context.diagnostic(text) }),
  )
})
