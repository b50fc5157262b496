// A site that is killed at any call or fsync of an upload goes on with it.
import { suite, test } from 'node:test'
import { noStrace } from './crash-run.ts'
import { uploadSurvives, uploadSurvivesEachSync } from './upload-crash-run.ts'

const SEED = Number(process.env['SEED'] ?? '1')
const SIZE_BYTES = 9 * 2 ** 18 + 1000

suite('kill -9 in the middle of an upload', () => {
  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: 8 times at random calls (SEED=${SEED})`, (context) =>
      uploadSurvives({ kills: 8, seed: SEED + 3, layout, sizeBytes: SIZE_BYTES, say: (text) => context.diagnostic(text) }))

  test('at every seventh fsync', { skip: noStrace() ?? false }, (context) =>
    uploadSurvivesEachSync({ first: 1 + (SEED % 7), step: 7, sizeBytes: SIZE_BYTES, say: (text) => context.diagnostic(text) }),
  )
})
