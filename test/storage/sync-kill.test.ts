// A process killed at an fsync of a repair, a change or a part of the catalogue leaves nothing that does not become whole.
// SEED says at which fsync; sync-kill.slow.ts tries each one.
import { suite, test } from 'node:test'
import { noStrace } from './crash-run.ts'
import { ACTS, syncsAtLeast } from './sync-kill-acts.ts'
import { survivesEachSyncOf } from './sync-kill.ts'

const SEED = Number(process.env['SEED'] ?? '3')

suite(`killed at an fsync of each kind (SEED=${SEED})`, { skip: noStrace() ?? false }, () => {
  for (const act of ACTS)
    test(act, (context) =>
      survivesEachSyncOf(act, {
        first: 1 + ((SEED * 7) % syncsAtLeast(act)),
        step: 1,
        killsMax: 1,
        say: (text) => context.diagnostic(text),
      }),
    )
})
