// What was acknowledged survives a killed process, and the log goes on from a head that it has signed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { systemClock } from '#base'
import { openDatabase } from '#database'

const KILLS = 6
const SEED = Number(process.env['SEED'] ?? Date.now() % 100_000)

const folder = mkdtempSync(join(tmpdir(), 'quorate-audit-crash-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a process killed while it writes entries has lost none that it acknowledged, and the log is whole', async (t) => {
  t.diagnostic(`seed ${SEED}`)
  const file = join(folder, 'killed.sqlite')
  let acknowledged = -1
  for (let kill = 0; kill < KILLS; kill++) {
    // From nothing at all, the first start with its keys included, up to a few hundred.
    const enough = kill === 0 ? 0 : 1 + ((SEED * (kill + 7) * 7919) % 400)
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'appender.ts'), folder, file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const exited = once(child, 'exit')
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Math.max(acknowledged, Number(line))
      if (++lines > enough) child.kill('SIGKILL')
    }
    assert.equal((await exited)[1], 'SIGKILL')

    const db = await openDatabase<AuditTables>({ file, migrations: auditMigrations })
    const audit = await openAudit({ db, clock: systemClock, home: folder })
    const head = await audit.head()
    assert.equal(head.state, 'sound')
    assert.ok(head.size > acknowledged, `${head.size} entries, ${acknowledged} was acknowledged`)
    let last
    for await (const step of audit.verify({})) last = step
    assert.ok(last?.kind === 'verdict' && last.problem === null && last.entries === head.size)
    t.diagnostic(`killed after ${lines} acknowledgements; ${head.size} entries`)
    await audit.close()
    await db.close()
  }
})
