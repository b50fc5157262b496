// As sync-kill.test.ts, at each fsync. ACT names one act.
import { suite, test } from 'node:test'
import { noStrace } from './crash-run.ts'
import { ACTS } from './sync-kill-acts.ts'
import { survivesEachSyncOf } from './sync-kill.ts'

const only = process.env['ACT']

suite('killed at every fsync', { skip: noStrace() ?? false, concurrency: 2 }, () => {
  for (const act of ACTS.filter((one) => only === undefined || one === only))
    test(act, (context) => survivesEachSyncOf(act, { first: 1, step: 1, say: (text) => context.diagnostic(text) }))
})
