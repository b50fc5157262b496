// A site that does one thing from a vault that was prepared for it, and is killed at a system call. Says what it begins and what was acknowledged.
// Usage: sync-kill-child.ts ROOT ACT
import { readdirSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSiteStorage, type SiteStorage } from '#storage'
import { type Act, isChange, operationsOf, REQUESTS, type Said } from './sync-kill-acts.ts'
import { content, type Operation } from './crash-model.ts'
import { finished, put } from './site.ts'

const [root = '', given = ''] = process.argv.slice(2)
const act = given as Act

/** Written before the next statement runs: what a killed process has said, it has done. */
function say(message: Said): void {
  writeSync(1, `${JSON.stringify(message)}\n`)
}

const storage = await openSiteStorage({
  home: join(root, 'home'),
  variables: {},
  log: { info: () => undefined, warn: () => undefined },
  productVersion: 'test',
  // Nothing goes into the vault before the end, where it goes at once; a snapshot is due when any segment stands.
  logLimits: { flushMs: act === 'repair' || isChange(act) ? 20 : 3_600_000, segmentsMax: act === 'snapshot' ? 1 : 64 },
  stallMs: 20_000,
})
// Who counts system calls counts them from here, each thread by itself.
const threads = readdirSync('/proc/self/task').map((id) => ({
  id: Number(id),
  name: readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(),
}))
say({ what: 'ready', threads })
readSync(0, new Uint8Array(1))

if (act === 'repair') {
  await done(storage.scrub({ depth: 'tags' }))
  await done(storage.repair({}))
} else if (isChange(act)) {
  await storage.requestChange(REQUESTS[act])
  say({ what: 'asked' })
  for (;;) {
    const { state, task } = await storage.change()
    if (state === 'idle') break
    if (task !== null) await finished(storage, Promise.resolve({ id: task }))
  }
} else {
  for (const [at, operation] of operationsOf(act).entries()) {
    say({ what: 'begin', at })
    await perform(storage, operation)
    say({ what: 'done', at })
  }
}
await storage.close()

async function done(started: Promise<{ id: string }>): Promise<void> {
  const task = await finished(storage, started)
  if (task.state !== 'done') throw new Error(JSON.stringify(task.problem))
}

async function perform(site: SiteStorage, operation: Operation): Promise<void> {
  if (operation.kind === 'put') await put(site, operation.path, content(operation))
  else if (operation.kind === 'remove') await site.remove({ path: operation.path, recursive: true })
  else await site[operation.kind]({ from: operation.from, to: operation.to, replace: true })
}
