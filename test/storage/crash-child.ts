// A site that is killed in the middle of its work. Prints what it begins and what was acknowledged; its parent holds it to that.
// Usage: crash-child.ts ROOT SEED [OPERATIONS]
import { readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSiteStorage, type SiteStorage } from '#storage'
import { put } from './site.ts'
import { chance, type Chance, content, type Operation } from './crash-model.ts'

const [root = '', seed = '1', operations = '100000'] = process.argv.slice(2)

/** Written before the next statement runs: what a killed process has said, it has done. */
function say(what: 'begin' | 'done', id: number, operation: Operation): void {
  writeSync(1, `${JSON.stringify({ what, id, operation })}\n`)
}

const random = chance(Number(seed))
const storage = await openSiteStorage({
  home: join(root, 'home'),
  variables: {},
  log: { info: () => undefined, warn: () => undefined },
  productVersion: 'test',
  logLimits: { flushMs: 20, segmentLinesMax: 8, segmentsMax: 4 },
  stallMs: 20_000,
})
writeSync(1, '"ready"\n')
let last = 0
for (let round = 0; round < Number(operations); round++) {
  const batch = Array.from({ length: random.below(3) + 1 }, (_, index) => choose(random, index))
  await Promise.all(batch.map((operation) => run(++last, operation)))
  if (random.below(12) === 0) await harmAndRepair()
}
await storage.close()

async function run(id: number, operation: Operation): Promise<void> {
  say('begin', id, operation)
  await perform(storage, operation)
  say('done', id, operation)
}

/** Operations of one batch touch different paths, so that the order among them does not matter. */
function choose(numbers: Chance, lane: number): Operation {
  const below = (bound: number): number => numbers.below(bound)
  const path = `/${lane}/${below(6)}`
  const kind = below(10)
  if (kind < 6) return { kind: 'put', path, seed: below(1000), size: [0, 10, 3000, 300_000][below(4)]! }
  if (kind < 8) return { kind: 'move', from: path, to: `/${lane}/${below(6)}` }
  if (kind < 9) return { kind: 'copy', from: path, to: `/${lane}/${below(6)}` }
  return { kind: 'remove', path }
}

async function perform(site: SiteStorage, operation: Operation): Promise<void> {
  try {
    if (operation.kind === 'put') await put(site, operation.path, content(operation))
    else if (operation.kind === 'remove') await site.remove({ path: operation.path, recursive: true })
    else await site[operation.kind]({ from: operation.from, to: operation.to, replace: true })
  } catch (error) {
    // Nothing to move, or the same name: the model says so, too.
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('storage.'))) throw error
  }
}

/** One fragment is lost, and repair brings it back: the parent must not notice. */
async function harmAndRepair(): Promise<void> {
  const folder = join(root, 'b')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name))
  if (names.length > 0) rmSync(join(folder, names[random.below(names.length)]!), { force: true })
  const { id } = await storage.scrub({ depth: 'present' })
  while (storage.task(id).state === 'running') await new Promise((resolve) => setTimeout(resolve, 2))
  const repairing = await storage.repair({})
  while (storage.task(repairing.id).state === 'running') await new Promise((resolve) => setTimeout(resolve, 2))
}
