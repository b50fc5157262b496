// Kills a site at each fsync of one act, always from the same vault, and holds what is left to what stood before and what was acknowledged.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { isFailure } from '#base'
import { openSiteStorage, type SiteStorage } from '#storage'
import { apply, content, describe, type Files, type Operation } from './crash-model.ts'
import { filesOf } from './crash-run.ts'
import { finished, makeSite, put, quiet, type TestSite } from './site.ts'
import { type Act, isChange, operationsOf, PREPARED, REQUESTS, type Said } from './sync-kill-acts.ts'

const CHILD = join(import.meta.dirname, 'sync-kill-child.ts')
/** Who syncs: the thread of the database, and the one that writes to folders. */
const THREADS = ['database', 'libuv-worker'] as const
type Thread = (typeof THREADS)[number]
const SYNCS_MAX = 1000
const ATTACH_LOOKS_MAX = 6000
/** An unfinished head may be another site's, so it stays until it is old. */
const OURS =
  /^(?:[0-9a-f]{2}(?:\/[0-9a-f]{32})?|probe(?:\/[0-9a-f]{32})?|location\.json|head(?:\/[0-9a-f]{32}(?:\/(?:[0-9a-f]{16}|\.part-[0-9a-f]{16}\.[0-9a-f]{32}))?)?)$/

interface Killed {
  readonly reached: boolean
  readonly asked: boolean
  readonly begun: number
  readonly done: number
  readonly said: string
}

/** Kills at every `step`th fsync of either thread, until the act ends before it, or so many times. */
export async function survivesEachSyncOf(
  act: Act,
  given: { readonly step: number; readonly first: number; readonly killsMax?: number; readonly say: (text: string) => void },
): Promise<void> {
  const vault = await Prepared.make()
  const counts: string[] = []
  try {
    for (const thread of THREADS) {
      let kills = 0
      for (let when = given.first; kills < (given.killsMax ?? SYNCS_MAX); when += given.step) {
        assert.ok(when <= SYNCS_MAX, `${act} does not end`)
        vault.restore(act)
        const killed = await runAndKill(vault.root, { act, thread, when })
        if (!killed.reached) break
        kills += 1
        try {
          await vault.hold(act, killed)
        } catch (error) {
          throw new Error(`${act}, killed at fsync ${when} of ${thread}: ${killed.said}`, { cause: error })
        }
      }
      assert.ok(kills > 0, `${act} ends before fsync ${given.first} of ${thread}`)
      counts.push(`${thread} ${kills}`)
    }
    given.say(`${act}: kills at fsyncs of ${counts.join(', of ')}`)
  } finally {
    await vault.end()
  }
}

async function runAndKill(root: string, at: { readonly act: Act; readonly thread: Thread; readonly when: number }): Promise<Killed> {
  // With one thread for files, its fsyncs have an order.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, root, at.act], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined)
  let said = ''
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-4000)
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  let tracer: ChildProcess | undefined
  let [asked, begun, done] = [false, 0, 0]
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as Said
      if (message.what === 'ready') {
        const thread = message.threads.find(({ name }) => name === at.thread)
        assert.ok(thread !== undefined, `no thread ${at.thread} among ${JSON.stringify(message.threads)}`)
        tracer = spawn('strace', [
          '-qq',
          '-o',
          '/dev/null',
          '-p',
          String(thread.id),
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          `inject=fsync,fdatasync:signal=SIGKILL:when=${at.when}`,
        ])
        await attached(child.pid!, thread.id)
        child.stdin.write('\n')
      } else if (message.what === 'asked') asked = true
      else if (message.what === 'begin') begun += 1
      else done += 1
    }
    const [code, signal] = await ended
    assert.ok(signal === 'SIGKILL' || code === 0, `${at.act} failed: ${said}`)
    return { reached: signal === 'SIGKILL', asked, begun, done, said }
  } finally {
    child.kill('SIGKILL')
    if (tracer !== undefined && tracer.exitCode === null && tracer.signalCode === null) await once(tracer, 'exit')
  }
}

/** Until somebody traces the thread. */
async function attached(pid: number, thread: number): Promise<void> {
  for (let look = 0; look < ATTACH_LOOKS_MAX; look++) {
    if (/^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))) return
    await wait(5)
  }
  throw new Error('strace does not attach')
}

/** A vault that can be put back as it was, in its place. */
class Prepared {
  readonly #site: TestSite
  readonly #files: Files

  private constructor(site: TestSite, files: Files) {
    this.#site = site
    this.#files = files
  }

  static async make(): Promise<Prepared> {
    const site = await makeSite({ count: 4, threshold: 2, layout: 'shared' })
    let files: Files = new Map()
    for (const operation of PREPARED) {
      if (operation.kind === 'put') await put(site.storage, operation.path, content(operation))
      else if (operation.kind === 'copy') await site.storage.copy({ from: operation.from, to: operation.to, replace: true })
      files = apply(files, operation)
    }
    await site.storage.close()
    const prepared = new Prepared(site, files)
    for (const folder of prepared.#all) cpSync(folder, prepared.#copyOf(folder), { recursive: true, preserveTimestamps: true })
    return prepared
  }

  get root(): string {
    return this.#site.root
  }

  get #all(): string[] {
    return [this.#site.home, ...this.#site.folders]
  }

  #copyOf(folder: string): string {
    return join(this.root, 'prepared', basename(folder))
  }

  async end(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }

  restore(act: Act): void {
    for (const folder of this.#all) {
      rmSync(folder, { recursive: true, force: true })
      cpSync(this.#copyOf(folder), folder, { recursive: true, preserveTimestamps: true })
    }
    if (act !== 'repair') return
    // One place lost all that it kept of the vault's files, and nothing else.
    const folder = this.#site.folders[1]!
    for (const name of readdirSync(folder)) if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(folder, name), { recursive: true })
  }

  /** Whatever happened, and whatever is lost besides: what was acknowledged stands, and the act goes on to its end. */
  async hold(act: Act, killed: Killed): Promise<void> {
    const states = statesAfter(this.#files, operationsOf(act))
    await this.#holdWithoutDatabase(act, { states, killed })
    const storage = await open(this.#site.home)
    try {
      const found = describe(await filesOf(storage))
      const possible = states.slice(killed.done, killed.begun + 1).map(describe)
      assert.ok(possible.includes(found), `found\n${found}\nexpected\n${possible.join('\nor\n')}`)
      if (isChange(act)) await requireChanged(storage, { act, asked: killed.asked })
      // Killed before it knew what is lost, a repair knows nothing.
      await finished(storage, storage.scrub({ depth: 'present' }))
      const repaired = await finished(storage, storage.repair({}))
      assert.equal(repaired.state, 'done', JSON.stringify(repaired.problem))
      const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
      assert.deepEqual(scrub.report!.findings, [])
      assert.equal(describe(await filesOf(storage)), found)
      const { health, repairDue, messages } = await storage.status({ check: true })
      assert.deepEqual([health, repairDue], ['healthy', 0], JSON.stringify(messages))
    } finally {
      await storage.close()
    }
    const gone = act === 'leave' && !existsSync(join(this.#site.folders[1]!, 'location.json')) ? this.#site.folders[1] : undefined
    for (const folder of this.#site.folders.filter((one) => one !== gone))
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) assert.match(name, OURS)
    assert.deepEqual(
      readdirSync(this.#site.home).filter((name) => name.startsWith('.')),
      [],
    )
  }

  /** The database is lost with the process: files that stood before stand, and changes of the last seconds are there in their order or not. */
  async #holdWithoutDatabase(act: Act, given: { readonly states: readonly Files[]; readonly killed: Killed }): Promise<void> {
    const other = join(this.root, 'other')
    // A location that is being emptied still has its marker, and may be named by no head any more.
    const marked = this.#site.folders.filter((folder) => existsSync(join(folder, 'location.json')))
    const staying = act === 'leave' ? marked.filter((folder) => basename(folder) !== 'b') : marked
    let storage: SiteStorage
    try {
      storage = await recovered(other, marked)
    } catch (error) {
      if (!isFailure(error, 'storage.locations') && !isFailure(error, 'location.not-ours')) throw error
      storage = await recovered(other, staying)
    }
    try {
      const found = describe(await filesOf(storage))
      const possible = given.states.slice(0, given.killed.begun + 1).map(describe)
      assert.ok(possible.includes(found), `without the database, found\n${found}\nexpected\n${possible.join('\nor\n')}`)
    } finally {
      await storage.close()
      await rm(other, { recursive: true, force: true })
    }
  }
}

/** Before the first operation, after it, and so on. */
function statesAfter(files: Files, operations: readonly Operation[]): Files[] {
  const states = [files]
  let after = files
  for (const operation of operations) {
    after = apply(after, operation)
    states.push(after)
  }
  return states
}

/** What was asked for is done by itself; what was not acknowledged is done or not begun. */
async function requireChanged(storage: SiteStorage, { act, asked }: { readonly act: Act; readonly asked: boolean }): Promise<void> {
  for (let round = 0; ; round++) {
    assert.ok(round < 50, `the change does not end: ${JSON.stringify(await storage.change())}`)
    const { state, task } = await storage.change()
    if (state === 'idle') break
    if (task === null) await storage.requestChange({})
    else await finished(storage, Promise.resolve({ id: task }))
  }
  const { wanted, due, leaving, shapes } = await storage.change()
  assert.deepEqual([due.objects, leaving], [0, []])
  for (const shape of shapes) assert.deepEqual([shape.threshold, shape.layout], [wanted.threshold, wanted.layout])
  if (!asked) return
  assert.equal(wanted.threshold, act === 'threshold' ? REQUESTS.threshold.threshold : 2)
  assert.equal(wanted.layout, act === 'layout' ? REQUESTS.layout.layout : 'shared')
  assert.equal(wanted.count, act === 'leave' ? 3 : 4)
}

async function recovered(other: string, folders: readonly string[]): Promise<SiteStorage> {
  rmSync(other, { recursive: true, force: true })
  for (const folder of folders) cpSync(folder, join(other, basename(folder)), { recursive: true })
  mkdirSync(join(other, 'home'), { mode: 0o700, recursive: true })
  const storage = await open(join(other, 'home'))
  try {
    const locations = folders.map((folder) => ({ spec: `folder:${join(other, basename(folder))}` }))
    const task = await finished(storage, storage.recover({ locations }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    return storage
  } catch (error) {
    await storage.close()
    throw error
  }
}

function open(home: string): Promise<SiteStorage> {
  return openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
}
