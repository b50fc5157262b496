// Laws of what was: random histories of files, trash, versions, purges and moments, over restarts and lost homes, held against a model in memory.
import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { type Clock, equalPublic, isFailure, rfc3339, systemClock } from '#base'
import { chance, type Chance } from './crash-model.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

const DAY_MS = 86_400_000
const SIZES = [0, 1, 40, 700] as const
const SEED = process.env['SEED']
const HISTORIES = SEED === undefined ? Number(process.env['HISTORIES'] ?? '4') : 1
const STEPS = 70

interface ModelVersion {
  readonly number: number
  readonly seed: number
  readonly size: number
  readonly at: number
}

/** A file with every name that it had, the last one its present name. */
interface ModelFile {
  versions: ModelVersion[]
  readonly names: { readonly path: string; readonly since: number }[]
}

interface ModelEntry {
  readonly id: string
  readonly path: string
  readonly at: number
}

interface Rule {
  versionsDays: number
  versionsMin: number
  trashDays: number
}

class Model {
  files: ModelFile[] = []
  trash: ModelEntry[] = []
  rule: Rule = { versionsDays: 36_500, versionsMin: 3, trashDays: 30 }

  visible(): ModelFile[] {
    return this.files.filter((file) => !pathOf(file).startsWith('trash:'))
  }

  at(path: string): ModelFile | undefined {
    return this.files.find((file) => pathOf(file) === path)
  }

  below(path: string): ModelFile[] {
    return this.files.filter((file) => pathOf(file) === path || pathOf(file).startsWith(`${path}/`))
  }

  move(from: string, to: string, now: number): void {
    for (const file of this.below(from)) file.names.push({ path: to + pathOf(file).slice(from.length), since: now })
  }

  put(path: string, { seed, size }: { readonly seed: number; readonly size: number }, now: number): void {
    const standing = this.at(path)
    if (standing === undefined) this.files.push({ versions: [{ number: 1, seed, size, at: now }], names: [{ path, since: now }] })
    else standing.versions.push({ number: newest(standing).number + 1, seed, size, at: now })
  }

  toTrash(id: string, path: string, now: number): void {
    this.move(path, `trash:${id}`, now)
    this.trash.push({ id, path, at: now })
  }

  /** Path and content at a moment; `undefined` where nothing of then is kept. */
  stateAt(moment: number): Map<string, ModelVersion | undefined> {
    const found = new Map<string, ModelVersion | undefined>()
    for (const file of this.files) {
      const name = file.names.findLast(({ since }) => since <= moment)
      if (name === undefined || name.path.startsWith('trash:')) continue
      found.set(
        name.path,
        file.versions.findLast(({ at }) => at <= moment),
      )
    }
    return found
  }
}

class Run {
  readonly #site: TestSite
  readonly #random: Chance
  readonly #clock: Clock & { later(ms: number): void }
  readonly #model = new Model()
  readonly #moments: number[] = []
  readonly history: string[] = []
  readonly #start: number
  #seed = 0
  refusals = 0

  constructor(site: TestSite, random: Chance, clock: Clock & { later(ms: number): void }) {
    this.#site = site
    this.#random = random
    this.#clock = clock
    this.#start = clock.now()
  }

  async step(): Promise<void> {
    this.#clock.later(20)
    const kind = this.#random.below(100)
    if (kind < 30) await this.#put()
    else if (kind < 42) await this.#move()
    else if (kind < 47) await this.#copy()
    else if (kind < 57) await this.#trash()
    else if (kind < 64) await this.#restoreTrash()
    else if (kind < 68) await this.#remove()
    else if (kind < 73) await this.#restoreVersion()
    else if (kind < 76) await this.#empty()
    else if (kind < 80) await this.#purge()
    else if (kind < 83) await this.#keep()
    else if (kind < 88) this.#remember()
    else if (kind < 94) await this.#goBack()
    else if (kind < 98) await this.#restart()
    else await this.#loseHome()
    await this.check()
  }

  /** What people see is what the model says, and so is what lies in the trash. */
  async check(): Promise<void> {
    const { entries } = await this.#site.storage.list({ path: '/', recursive: true })
    const files = entries.filter(({ kind }) => kind === 'file')
    assert.deepEqual(new Map(files.map(({ path, size }) => [path, size])), new Map(this.#shown().map(({ path, size }) => [path, size])))
    const status = await this.#site.storage.status({ check: false })
    assert.equal(status.files, files.length)
    const trash = await this.#site.storage.trash({})
    assert.deepEqual(
      trash.entries.map(({ id, path }) => `${id} ${path}`).toSorted(),
      this.#model.trash.map(({ id, path }) => `${id} ${path}`).toSorted(),
    )
    assert.equal(trash.files, this.#model.files.length - this.#model.visible().length)
  }

  /** Every version of every file reads as it was stored. */
  async readAll(): Promise<void> {
    for (const file of this.#model.visible()) {
      const { versions } = await this.#site.storage.versions({ path: pathOf(file) })
      assert.deepEqual(
        versions.map(({ number }) => number).toReversed(),
        file.versions.map(({ number }) => number),
        pathOf(file),
      )
      for (const { number, seed, size } of file.versions)
        assert.ok(
          equalPublic(await get(this.#site.storage, pathOf(file), undefined, number), pattern(size, seed)),
          `${pathOf(file)} ${number}`,
        )
    }
  }

  #shown(): { path: string; size: number; seed: number }[] {
    return this.#model
      .visible()
      .map((file) => ({ path: pathOf(file), size: newest(file).size, seed: newest(file).seed }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  async #put(): Promise<void> {
    const path = this.#path()
    const content = { seed: (this.#seed += 1), size: this.#pick(SIZES) }
    await this.#try(`put ${path} ${content.seed}`, async () => {
      await put(this.#site.storage, path, pattern(content.size, content.seed))
      this.#model.put(path, content, this.#clock.now())
    })
  }

  async #move(): Promise<void> {
    const [from, to] = this.#random.below(3) === 0 ? [this.#folder(), `${this.#folder()}/m`] : [this.#some(), this.#path()]
    if (from === undefined || from === to) return
    const replaced = this.#model.at(to)
    await this.#try(`move ${from} ${to}`, async () => {
      await this.#site.storage.move({ from, to, replace: true })
      const now = this.#clock.now()
      if (replaced !== undefined) await this.#displaced(to, now)
      this.#model.move(from, to, now)
    })
  }

  async #copy(): Promise<void> {
    const [from, to] = [this.#some(), this.#path()]
    if (from === undefined || from === to) return
    const source = newest(this.#model.at(from)!)
    const replaced = this.#model.at(to)
    await this.#try(`copy ${from} ${to}`, async () => {
      await this.#site.storage.copy({ from, to, replace: true })
      const now = this.#clock.now()
      if (replaced !== undefined) await this.#displaced(to, now)
      this.#model.put(to, source, now)
    })
  }

  /** The product chose the id. */
  async #displaced(path: string, now: number): Promise<void> {
    const { entries } = await this.#site.storage.trash({})
    const fresh = entries.filter(({ id }) => this.#model.trash.every((known) => known.id !== id))
    assert.deepEqual(
      fresh.map((one) => one.path),
      [path],
    )
    this.#model.toTrash(fresh[0]!.id, path, now)
  }

  async #trash(): Promise<void> {
    const path = this.#random.below(3) === 0 ? this.#folder() : this.#some()
    if (path === undefined) return
    await this.#try(`trash ${path}`, async () => {
      const { id, removed } = await this.#site.storage.moveToTrash({ path, recursive: true })
      assert.equal(removed, this.#model.below(path).length)
      this.#model.toTrash(id, path, this.#clock.now())
    })
  }

  async #restoreTrash(): Promise<void> {
    if (this.#model.trash.length === 0) return
    const entry = this.#pick(this.#model.trash)
    await this.#try(`restore ${entry.path}`, async () => {
      const { path } = await this.#site.storage.restoreTrash({ id: entry.id })
      assert.equal(this.#model.below(path).length, 0)
      this.#model.move(`trash:${entry.id}`, path, this.#clock.now())
      this.#model.trash = this.#model.trash.filter((one) => one !== entry)
    })
  }

  async #remove(): Promise<void> {
    const path = this.#some()
    if (path === undefined) return
    const file = this.#model.at(path)!
    const version = this.#random.below(2) === 0 ? this.#pick(file.versions).number : undefined
    await this.#try(`remove ${path} ${version ?? ''}`, async () => {
      await this.#site.storage.remove({ path, recursive: false, version })
      if (version === undefined || file.versions.length === 1) this.#model.files = this.#model.files.filter((one) => one !== file)
      else file.versions = file.versions.filter(({ number }) => number !== version)
    })
  }

  async #restoreVersion(): Promise<void> {
    const path = this.#some()
    if (path === undefined) return
    const file = this.#model.at(path)!
    const version = this.#pick(file.versions)
    await this.#try(`restore ${path} version ${version.number}`, async () => {
      await this.#site.storage.restoreVersion({ path, version: version.number })
      if (version.seed !== newest(file).seed) this.#model.put(path, version, this.#clock.now())
    })
  }

  async #empty(): Promise<void> {
    const some = this.#random.below(2) === 0 || this.#model.trash.length === 0 ? undefined : [this.#pick(this.#model.trash).id]
    this.#say(`empty ${some?.[0] ?? 'all'}`)
    const task = await finished(this.#site.storage, this.#site.storage.emptyTrash({ ids: some }))
    assert.equal(task.state, 'done')
    const gone = this.#model.trash.filter(({ id }) => some === undefined || some.includes(id))
    this.#forget(gone)
  }

  #forget(gone: readonly ModelEntry[]): void {
    this.#model.trash = this.#model.trash.filter((one) => !gone.includes(one))
    const inside = new Set(gone.flatMap(({ id }) => this.#model.below(`trash:${id}`)))
    this.#model.files = this.#model.files.filter((file) => !inside.has(file))
  }

  async #purge(): Promise<void> {
    this.#clock.later(this.#random.below(3) * DAY_MS)
    const now = this.#clock.now()
    const { rule } = this.#model
    const gone = this.#model.trash.filter(({ at }) => at + rule.trashDays * DAY_MS <= now)
    const expired = this.#model.visible().map((file) => {
      const down = file.versions.toReversed()
      const keep = down.filter(
        (_, index) => index < rule.versionsMin || Math.max(down[index - 1]!.at, this.#start) + rule.versionsDays * DAY_MS > now,
      )
      return { file, keep: keep.toReversed() }
    })
    const versions = expired.reduce((sum, { file, keep }) => sum + file.versions.length - keep.length, 0)
    this.#say(`purge ${gone.length} ${versions}`)
    const { counts } = await this.#site.storage.planPurge()
    assert.deepEqual(counts, { trash: gone.length, versions, held: 0 })
    const task = await finished(this.#site.storage, this.#site.storage.purge({}))
    assert.deepEqual([task.state, task.done], ['done', gone.length + versions])
    this.#forget(gone)
    for (const { file, keep } of expired) file.versions = keep
  }

  async #keep(): Promise<void> {
    const rule = { versionsDays: this.#random.below(3), versionsMin: 1 + this.#random.below(3), trashDays: this.#random.below(4) }
    this.#say(`keep ${JSON.stringify(rule)}`)
    await this.#site.storage.setKeeping({ path: '/', ...rule, holdUntil: null, release: false })
    this.#model.rule = rule
  }

  #remember(): void {
    this.#clock.later(20)
    this.#moments.push(this.#clock.now())
    this.#clock.later(20)
    this.#say(`moment ${this.#moments.length}`)
  }

  async #goBack(): Promise<void> {
    if (this.#moments.length === 0) return
    const moment = this.#pick(this.#moments)
    this.#say(`go back to ${this.#moments.indexOf(moment) + 1}`)
    const then = this.#model.stateAt(moment)
    const expected = new Map(this.#shown().flatMap(({ path, seed }) => (then.has(path) ? [[path, seed] as const] : [])))
    for (const [path, version] of then) if (version !== undefined) expected.set(path, version.seed)
    const before = new Set((await this.#site.storage.trash({})).entries.map(({ id }) => id))
    const task = await finished(this.#site.storage, this.#site.storage.restoreMoment({ path: '/', at: rfc3339(moment) }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    assert.ok(
      task.report!.findings.every(({ kind }) => kind === 'incomplete'),
      JSON.stringify(task.report!.findings),
    )
    const now = this.#clock.now()
    const { entries } = await this.#site.storage.trash({})
    for (const { id, path } of entries) if (!before.has(id)) this.#model.toTrash(id, path, now)
    for (const [path, seed] of expected) {
      const standing = this.#model.at(path)
      if (standing !== undefined && newest(standing).seed === seed) continue
      const content = this.#model.files.flatMap(({ versions }) => versions).find((one) => one.seed === seed)!
      this.#model.put(path, content, now)
    }
    assert.deepEqual(
      new Map(this.#shown().map(({ path, seed }) => [path, seed])),
      new Map([...expected].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    )
  }

  async #restart(): Promise<void> {
    this.#say('restart')
    await this.#site.reopen()
  }

  async #loseHome(): Promise<void> {
    this.#say('the home is lost')
    await this.#site.storage.close()
    await rm(this.#site.home, { recursive: true })
    await mkdir(this.#site.home, { mode: 0o700 })
    await this.#site.reopen()
    const locations = this.#site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! }))
    const task = await finished(this.#site.storage, this.#site.storage.recover({ locations }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    assert.deepEqual(task.report!.findings, [])
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#say(what)
    } catch (error) {
      if (!isFailure(error) || !['storage.exists', 'storage.path', 'storage.absent'].includes(error.code)) throw error
      this.refusals += 1
      this.#say(`${what}: ${error.code}`)
    }
  }

  #say(what: string): void {
    this.history.push(what)
  }

  #path(): string {
    return `${this.#folder()}/${this.#random.below(3)}`
  }

  #folder(): string {
    return this.#pick(['/a', '/b', '/a/s', '/b/s'])
  }

  #some(): string | undefined {
    const all = this.#model.visible()
    return all.length === 0 ? undefined : pathOf(this.#pick(all))
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }
}

function pathOf(file: ModelFile): string {
  return file.names[file.names.length - 1]!.path
}

function newest(file: ModelFile): ModelVersion {
  return file.versions[file.versions.length - 1]!
}

suite('what was, against a model', () => {
  for (let index = 0; index < HISTORIES; index++) {
    const seed = SEED === undefined ? index + 1 : Number(SEED)
    test(`seed ${seed}: names, versions, trash and moments are as the model says`, async (context) => {
      let ahead = 0
      const clock = {
        now: () => systemClock.now() + ahead,
        sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
        later: (ms: number) => void (ahead += ms),
      }
      const site = await makeSite({
        options: { clock, logLimits: { flushMs: 30, segmentLinesMax: 20, segmentsMax: 5 } },
      })
      const run = new Run(site, chance(seed), clock)
      try {
        for (let step = 0; step < STEPS; step++) await run.step()
        await run.readAll()
      } catch (error) {
        throw new Error(`seed ${seed} failed\n${run.history.join('\n')}`, { cause: error })
      } finally {
        await site.end()
      }
      assert.ok(run.refusals < STEPS / 2, `${run.refusals} refusals`)
      context.diagnostic(`${run.history.length} steps, ${run.refusals} refusals`)
    })
  }
})
