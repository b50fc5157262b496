// As crash.test.ts, for longer. KILLS says how often at random, STEP how many calls lie between two that the disk refuses.
import { suite, test } from 'node:test'
import { noStrace, survives, survivesEachError, survivesEachSync } from './crash-run.ts'

const KILLS = Number(process.env['KILLS'] ?? '80')
const STEP = Number(process.env['STEP'] ?? '7')
const SEED = Number(process.env['SEED'] ?? String(Date.now() % 100_000))

suite('kill -9', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: ${KILLS} times at random (SEED=${SEED})`, (context) =>
      survives({ kills: KILLS, seed: SEED + (layout === 'shared' ? 0 : 500), layout, say: (text) => context.diagnostic(text) }))

  test('at every fsync', { skip: noStrace() ?? false }, (context) =>
    survivesEachSync({ first: 1, step: 1, say: (text) => context.diagnostic(text) }),
  )

  test(`a disk that refuses every ${STEP}th call`, { skip: noStrace() ?? false }, (context) =>
    survivesEachError({ first: 1 + (SEED % STEP), step: STEP, say: (text) => context.diagnostic(text) }),
  )
})
