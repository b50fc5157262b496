// As upload-crash.test.ts, for longer. KILLS says how often at random calls.
import { suite, test } from 'node:test'
import { noStrace } from './crash-run.ts'
import { uploadSurvives, uploadSurvivesEachSync } from './upload-crash-run.ts'

const KILLS = Number(process.env['KILLS'] ?? '50')
const SEED = Number(process.env['SEED'] ?? String(Date.now() % 100_000))
const SIZE_BYTES = 40 * 2 ** 18 + 1000

suite('kill -9 in the middle of an upload', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: ${KILLS} times at random calls (SEED=${SEED})`, (context) =>
      uploadSurvives({ kills: KILLS, seed: SEED, layout, sizeBytes: SIZE_BYTES, say: (text) => context.diagnostic(text) }))

  test('at every fsync', { skip: noStrace() ?? false }, (context) =>
    uploadSurvivesEachSync({ first: 1, step: 1, sizeBytes: SIZE_BYTES, say: (text) => context.diagnostic(text) }),
  )
})
