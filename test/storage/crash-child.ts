// A site that is killed in the middle of its work. Prints what it begins and what was acknowledged; its parent holds it to that.
// Usage: crash-child.ts ROOT SEED [OPERATIONS [stop]]   with `stop` it ends at the first failure, as somebody does whose disk fails
//        crash-child.ts ROOT SEED [OPERATIONS [change]] with `change` the shape of the vault changes all the time
import { readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSiteStorage, type SiteStorage } from '#storage'
import { put } from './site.ts'
import { chance, type Chance, content, type Operation } from './crash-model.ts'

const [root = '', seed = '1', operations = '100000', mode] = process.argv.slice(2)
const stops = mode === 'stop'
const changing = mode === 'change'

/** Written before the next statement runs: what a killed process has said, it has done. */
function say(what: 'begin' | 'done' | 'failed', id: number, operation: Operation, code?: string): void {
  tell({ what, id, operation, ...(code === undefined ? {} : { code }) })
}

function tell(message: unknown): void {
  const line = `${JSON.stringify(message)}\n`
  for (let tried = 0; ; tried++) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      // The error that was planned for the disk met what we say.
      if (!stops || tried > 3) throw error
    }
  }
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
tell('ready')
let last = 0
const disk = { failed: false }
for (let round = 0; round < Number(operations) && !disk.failed; round++) {
  const batch = Array.from({ length: random.below(3) + 1 }, (_, index) => choose(random, index))
  await Promise.all(batch.map((operation) => run(++last, operation)))
  if (changing && random.below(3) === 0) await change()
  if (!changing && !disk.failed && random.below(stops ? 2 : 12) === 0) await harmAndRepair()
}
await storage.close()

async function run(id: number, operation: Operation): Promise<void> {
  say('begin', id, operation)
  try {
    await perform(storage, operation)
  } catch (error) {
    if (!stops) throw error
    disk.failed = true
    say('failed', id, operation, error instanceof Error && 'code' in error ? String(error.code) : String(error))
    return
  }
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
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (stops ? code !== 'storage.absent' && code !== 'storage.exists' : !code.startsWith('storage.')) throw error
  }
}

/** Another shape is asked for; what was under way goes on towards the new one. */
async function change(): Promise<void> {
  const { wanted } = await storage.change()
  const { locations } = await storage.status({ check: false })
  const kind = random.below(6)
  try {
    if (kind === 0) await storage.requestChange({ refresh: 'shares' })
    else if (kind === 1) await storage.requestChange({ refresh: 'keys' })
    else if (kind === 2) await storage.requestChange({ layout: wanted.layout === 'shared' ? 'sealed' : 'shared' })
    else if (kind === 3) await storage.requestChange({ threshold: wanted.threshold === 2 ? 3 : 2 })
    else if (locations.some(({ label }) => label === 'd')) await storage.requestChange({ leave: [{ location: 'd' }] })
    else {
      await storage.addLocation({ spec: `folder:${join(root, 'd')}`, label: 'd' })
      await storage.requestChange({})
    }
  } catch (error) {
    // Three of three locations cannot lose one, and `d` may have gone meanwhile.
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code !== 'storage.few-locations' && code !== 'storage.absent') throw error
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
