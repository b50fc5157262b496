// Kills a site at any moment, again and again, and holds what is left to what it had acknowledged.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { isFailure } from '#base'
import { openSiteStorage, type SiteStorage } from '#storage'
import { apply, chance, describe, type Files, hashOf, type Operation, outcomes } from './crash-model.ts'
import { finished, get, makeSite, quiet } from './site.ts'

const CHILD = join(import.meta.dirname, 'crash-child.ts')
/** An unfinished head may be another site's, so it stays until it is old; what a probe tried may be removed at any time. */
const FRAGMENT_OR_OURS =
  /^(?:[0-9a-f]{2}(?:\/[0-9a-f]{32})?|probe(?:\/.*)?|location\.json|head(?:\/[0-9a-f]{32}(?:\/(?:[0-9a-f]{16}|\.part-[0-9a-f]{16}\.[0-9a-f]{32}))?)?)$/

export interface Kill {
  readonly done: readonly Operation[]
  /** Begun, not acknowledged. */
  readonly uncertain: readonly Operation[]
}

/** Runs the child, under a wrapper when one is given, until it is killed. */
export async function runAndKill(given: {
  readonly root: string
  readonly seed: number
  readonly afterMs?: number
  readonly operations?: number
  readonly stops?: boolean
  /** The shape of the vault changes all the time. */
  readonly changing?: boolean
  readonly wrapper?: readonly string[]
}): Promise<
  Kill & { readonly codes: readonly string[]; readonly signal: NodeJS.Signals | null; readonly code: number | null; readonly said: string }
> {
  const line = [...(given.wrapper ?? []), process.execPath, CHILD, given.root, String(given.seed), String(given.operations ?? 100_000)]
  if (given.stops === true) line.push('stop')
  if (given.changing === true) line.push('change')
  const child = spawn(line[0]!, line.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  const begun = new Map<number, Operation>()
  const done: Operation[] = []
  const codes: string[] = []
  let said = ''
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-4000)
  })
  const ended = new Promise<{ signal: NodeJS.Signals | null; code: number | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  for await (const text of createInterface({ input: child.stdout })) {
    let message: { what: 'begin' | 'done' | 'failed'; id: number; operation: Operation; code?: string } | 'ready'
    try {
      message = JSON.parse(text) as typeof message
    } catch {
      break
    }
    if (message === 'ready') {
      if (given.afterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), given.afterMs)
    } else if (message.what === 'begin') begun.set(message.id, message.operation)
    else if (message.what === 'failed') codes.push(message.code ?? '')
    else {
      begun.delete(message.id)
      done.push(message.operation)
    }
  }
  return { done, uncertain: [...begun.values()], codes, ...(await ended), said }
}

export async function filesOf(storage: SiteStorage): Promise<Files> {
  const files = new Map<string, readonly string[]>()
  for (let after: string | undefined; ;) {
    const page = await storage.list({ path: '/', recursive: true, ...(after === undefined ? {} : { after }) })
    for (const { path, kind } of page.entries) {
      if (kind !== 'file') continue
      const { versions } = await storage.versions({ path })
      const hashes: string[] = []
      for (const { number } of versions.toReversed()) hashes.push(hashOf(await get(storage, path, undefined, number)))
      files.set(path, hashes)
    }
    if (page.next === null) return files
    after = page.next
  }
}

/** Kills `kills` times; after each, everything acknowledged is there and nothing else. */
export async function survives(given: {
  readonly kills: number
  readonly seed: number
  readonly layout: 'shared' | 'sealed'
  readonly changing?: boolean
  readonly say: (text: string) => void
}): Promise<void> {
  const random = chance(given.seed)
  const { changing = false } = given
  const grave = await Grave.dig(given.layout, changing ? 4 : 3)
  let acknowledged = 0
  try {
    for (let kill = 0; kill < given.kills; kill++) {
      const seed = given.seed * 1000 + kill
      const killed = await runAndKill({ root: grave.root, seed, afterMs: random.below(changing ? 1500 : 600), changing })
      assert.equal(killed.signal, 'SIGKILL', `seed ${seed}: ${killed.said}`)
      acknowledged += killed.done.length
      await grave.rise(killed, { name: `seed ${seed}`, lose: kill % 4 === 3, compare: kill % 4 === 1 })
    }
    given.say(`${given.kills} kills, ${acknowledged} acknowledged operations`)
  } finally {
    await grave.fill()
  }
}

/** Kills at the fsync with each number, `step` apart, until the work ends before it. */
export async function survivesEachSync(given: {
  readonly step: number
  readonly first: number
  readonly say: (text: string) => void
}): Promise<void> {
  const grave = await Grave.dig('shared')
  try {
    for (let when = given.first; ; when += given.step) {
      const killed = await runAndKill({
        root: grave.root,
        seed: 7000 + when,
        operations: 2,
        wrapper: [
          'strace',
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          `inject=fsync,fdatasync:signal=SIGKILL:when=${when}`,
        ],
      })
      await grave.rise(killed, { name: `fsync ${when}: ${killed.said}`, lose: false, compare: false })
      if (killed.code === 0) {
        given.say(`killed at fsyncs up to ${when}, every ${given.step}`)
        return
      }
      assert.ok(when < 2000, `it never ends: ${killed.said}`)
    }
  } finally {
    await grave.fill()
  }
}

/** Calls by which bytes, names and folders reach the disk. */
const WRITING = 'write,pwrite64,writev,pwritev,pwritev2,link,linkat,rename,renameat,renameat2,mkdir,mkdirat,ftruncate'
const SYNCING = 'fsync,fdatasync'
/** Refusals that name what failed: the database's disk, the places, or too few of them. */
const CLEAR = /^(?:database\.|location\.|storage\.(?:quorum|read-only)|base\.internal)/

/** A disk that refuses one call, each in turn, `step` apart: the work fails with a reason or goes on, and nothing that was acknowledged is lost. */
export async function survivesEachError(given: {
  readonly step: number
  readonly first: number
  readonly say: (text: string) => void
}): Promise<void> {
  const grave = await Grave.dig('shared')
  const log = join(grave.root, 'strace')
  const codes = new Map<string, number>()
  try {
    for (const [calls, error] of [
      [WRITING, 'ENOSPC'],
      [WRITING, 'EIO'],
      [SYNCING, 'EIO'],
    ] as const) {
      for (let when = given.first; ; when += given.step) {
        const ran = await runAndKill({
          root: grave.root,
          seed: 9000 + when,
          operations: 2,
          stops: true,
          wrapper: ['strace', '-f', '-qq', '-o', log, '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${when}`],
        })
        const name = `${error} at ${calls.split(',')[0]} ${when}: ${ran.said}`
        for (const code of ran.codes) {
          assert.match(code, CLEAR, name)
          codes.set(code, (codes.get(code) ?? 0) + 1)
        }
        await grave.rise(ran, { name, lose: false, compare: false })
        if (!readFileSync(log, 'utf8').includes('(INJECTED)')) break
        assert.ok(when < 20_000, name)
      }
    }
    given.say(`refusals: ${[...codes].map(([code, count]) => `${code} ${count}`).join(', ')}`)
  } finally {
    await grave.fill()
  }
}

/** Why processes cannot be killed at a system call here, or undefined. */
export function noStrace(): string | undefined {
  const tried = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true'])
  return tried.status === 0 ? undefined : 'strace is not here, or may not trace: crashes at each fsync were not tried'
}

/** A vault over folders whose process dies, and what it must hold. */
class Grave {
  readonly root: string
  readonly #home: string
  readonly #folders: readonly string[]
  #files: Files = new Map()

  private constructor(site: { readonly root: string; readonly home: string; readonly folders: readonly string[] }) {
    this.root = site.root
    this.#home = site.home
    this.#folders = site.folders
  }

  static async dig(layout: 'shared' | 'sealed', count = 3): Promise<Grave> {
    const site = await makeSite({ layout, count, options: { syncWrites: true } })
    await site.storage.close()
    return new Grave(site)
  }

  async fill(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }

  /**
   * Opens what the dead left behind and holds it to what it had said.
   * @param how.lose the database is lost as well: contents must come back all the same
   * @param how.compare afterwards the catalogue in the vault must tell the same as the database
   */
  async rise(killed: Kill, how: { readonly name: string; readonly lose: boolean; readonly compare: boolean }): Promise<void> {
    for (const operation of killed.done) this.#files = apply(this.#files, operation)
    const possible = outcomes(this.#files, killed.uncertain)
    const without = how.lose ? await this.#recovered() : undefined
    const storage = await open(this.#home)
    try {
      const found = await filesOf(storage)
      const match = possible.find((state) => describe(state) === describe(found))
      assert.ok(
        match !== undefined,
        `${how.name}, uncertain ${JSON.stringify(killed.uncertain)}\nfound\n${describe(found)}\nexpected\n${describe(this.#files)}`,
      )
      this.#files = match
      if (without !== undefined) {
        // Names may be some seconds old; the bytes of every file that stands are there.
        const contents = new Set([...without.values()].flat())
        for (const [path, hashes] of match)
          for (const hash of hashes) assert.ok(contents.has(hash), `${how.name}: ${path} was not recovered`)
      }
      await settled(storage)
      await repairAll(storage)
      const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
      assert.deepEqual(scrub.report!.findings, [], how.name)
    } finally {
      await storage.close()
    }
    for (const folder of this.#folders)
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) assert.match(name, FRAGMENT_OR_OURS, how.name)
    const hidden = readdirSync(this.#home).filter((name) => name.startsWith('.'))
    assert.deepEqual(hidden, [], how.name)
    if (how.compare)
      assert.equal(describe(await this.#recovered()), describe(this.#files), `${how.name}: the catalogue in the vault differs`)
  }

  /** What a fresh home finds in copies of the folders, as after the loss of the database. */
  async #recovered(): Promise<Files> {
    // A location that is being emptied still has its marker, and is named by no head.
    const marked = this.#folders.filter((folder) => existsSync(join(folder, 'location.json')))
    try {
      return await this.#recoveredFrom(marked)
    } catch (error) {
      if (!isFailure(error, 'storage.locations') && !isFailure(error, 'location.not-ours')) throw error
      return this.#recoveredFrom(marked.slice(0, -1))
    }
  }

  async #recoveredFrom(places: readonly string[]): Promise<Files> {
    const other = join(this.root, 'other')
    const folders = places.map((folder) => join(other, basename(folder)))
    for (const [index, folder] of folders.entries()) cpSync(places[index]!, folder, { recursive: true })
    mkdirSync(join(other, 'home'), { mode: 0o700 })
    const storage = await open(join(other, 'home'))
    try {
      const task = await finished(storage, storage.recover({ locations: folders.map((folder) => ({ spec: `folder:${folder}` })) }))
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      return await filesOf(storage)
    } finally {
      await storage.close()
      await rm(other, { recursive: true, force: true })
    }
  }
}

/** A change that was under way goes on by itself, to its end; one that waits to try again, as on a busy machine, is asked to go on now. */
async function settled(storage: SiteStorage): Promise<void> {
  let last: Awaited<ReturnType<typeof finished>> | undefined
  for (let round = 0; round < 200; round++) {
    const { state, task } = await storage.change()
    if (state === 'idle') return
    if (task === null || task === last?.id) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      await storage.requestChange({})
    } else last = await finished(storage, Promise.resolve({ id: task }))
  }
  throw new Error(`the change does not end: ${JSON.stringify({ change: await storage.change(), last })}`)
}

function open(home: string): Promise<SiteStorage> {
  return openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
}

async function repairAll(storage: SiteStorage): Promise<void> {
  await finished(storage, storage.scrub({ depth: 'present' }))
  const task = await finished(storage, storage.repair({}))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
}
