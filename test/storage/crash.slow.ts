// As crash.test.ts, for longer.
import { suite, test } from 'node:test'
import { noStrace, survives, survivesEachError, survivesEachSync } from './crash-run.ts'

const SEED = Number(process.env['SEED'] ?? String(Date.now() % 100_000))

suite('kill -9', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: 200 times at random (SEED=${SEED})`, (context) =>
      survives({ kills: 200, seed: SEED + (layout === 'shared' ? 0 : 500), layout, say: (text) => context.diagnostic(text) }))

  test('at every fsync', { skip: noStrace() ?? false }, (context) =>
    survivesEachSync({ first: 1, step: 1, say: (text) => context.diagnostic(text) }),
  )

  test('a disk that refuses each call in turn', { skip: noStrace() ?? false }, (context) =>
    survivesEachError({ first: 1, step: 1, say: (text) => context.diagnostic(text) }),
  )
})
