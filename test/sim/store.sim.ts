// One random history of a vault whose locations misbehave, at most n-k of them at a time, held against a map in memory.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, equalPublic, isFailure } from '#base'
import type { ChangeRequest } from '#contract'
import type { Fault, FaultyCall } from '../../src/storage/locations/faulty.ts'
import { chance, type Chance } from '../storage/crash-model.ts'
import { type FaultySite, isFragment, makeFaultySite } from '../storage/faulty-site.ts'
import { finished, get, pattern, put } from '../storage/site.ts'
import { inlineDatabase } from './inline-database.ts'
import { virtualClock } from './virtual-clock.ts'

/** Versions by number; bytes are remembered by what makes them. */
interface ModelFile {
  readonly versions: Map<number, { readonly seed: number; readonly size: number }>
}

interface Model {
  files: Map<string, ModelFile>
  /** Removed on purpose, by the id of the entry. */
  readonly trash: Map<string, ModelFile>
}

const SHAPES = [
  { threshold: 2, count: 3 },
  { threshold: 3, count: 5 },
  { threshold: 2, count: 4 },
  { threshold: 2, count: 5 },
] as const
const SIZES = [0, 1, 100, 2000, 262_144, 300_000] as const
const LABELS = 'abcdefgh'
/** After this nothing that hung is waited for any more. */
const HUNG_MS = 1000

export interface Outcome {
  readonly commands: number
  /** What was done, for a person who looks at a failure. */
  readonly history: readonly string[]
  /** Over everything that was asked of the locations, in order. */
  readonly trace: string
}

/** Throws what went wrong, with the history. */
export async function simulate(seed: number, lengths: { readonly epochs: number; readonly commands: number }): Promise<Outcome> {
  const random = chance(seed)
  const shape = SHAPES[random.below(SHAPES.length)]!
  const history: string[] = [`seed ${seed}: ${shape.threshold} of ${shape.count}`]
  const clock = virtualClock(chance(seed + 1))
  const trace = createHash('sha256')
  const site = await makeFaultySite({
    ...shape,
    layout: random.below(2) === 0 ? 'shared' : 'sealed',
    database: (home) => inlineDatabase(join(home, 'site.sqlite')),
    clock,
    heard: (label, { operation, name }) => trace.update(`${clock.now()} ${label} ${operation} ${name ?? ''}\n`),
    options: { stallMs: 25, hedgeMs: 5, checkMs: 25, logLimits: { flushMs: 15, segmentLinesMax: 6, segmentsMax: 4 } },
  })
  const run = new Run(site, { random, history, clock })
  try {
    for (let epoch = 0; epoch < lengths.epochs; epoch++) {
      await run.misbehave()
      for (let command = 0; command < lengths.commands; command++) await run.command()
      await run.heal()
    }
  } catch (error) {
    throw new Error(`seed ${seed} failed\n${history.join('\n')}`, { cause: error })
  } finally {
    run.behave()
    await site.end()
  }
  run.requireClosed()
  return { commands: lengths.epochs * lengths.commands, history, trace: trace.digest('hex') }
}

class Run {
  readonly #site: FaultySite
  readonly #random: Chance
  readonly #history: string[]
  readonly #clock: Clock
  readonly #model: Model = { files: new Map(), trash: new Map() }
  /** Places that misbehave, or did since the last time that all was repaired. */
  #bad = new Set<string>()
  /** Places that were bad before the database was lost: what was to be removed there is known to nobody any more. */
  readonly #wasBad = new Set<string>()
  readonly #everBad = new Set<string>()

  constructor(site: FaultySite, given: { readonly random: Chance; readonly history: string[]; readonly clock: Clock }) {
    this.#site = site
    this.#random = given.random
    this.#history = given.history
    this.#clock = given.clock
  }

  behave(): void {
    for (const control of Object.values(this.#site.at)) control.plan = () => undefined
  }

  async misbehave(): Promise<void> {
    const labels = await this.#labels()
    const { wanted, shapes, leaving } = await this.#site.storage.change()
    // A mixture is as safe as the weakest of what is mixed.
    const badMax = Math.min(...[wanted, ...shapes].map(({ count: n, threshold }) => n - threshold)) - leaving.length
    const count = this.#random.below(Math.max(0, badMax) + 1)
    this.#bad = new Set()
    while (this.#bad.size < count) this.#bad.add(this.#pick(labels))
    // Everybody is slow now and then, by a seed of their own, so that what runs at once meets in ever new orders.
    for (const label of labels) {
      const pace = chance(this.#random.below(2 ** 30))
      this.#site.at[label]!.plan = () => (pace.below(3) === 0 ? { kind: 'delay', ms: 1 + pace.below(4) } : undefined)
    }
    for (const label of this.#bad) {
      this.#everBad.add(label)
      const control = this.#site.at[label]!
      await control.faulty.snapshot()
      const rate = [5, 30, 100][this.#random.below(3)]!
      const own = chance(this.#random.below(2 ** 30))
      const style = this.#random.below(8)
      control.plan = (call) => (own.below(100) < rate ? faultOf(style, call, own) : undefined)
      this.#say(`${label} misbehaves: style ${style}, ${rate} %`)
    }
  }

  async command(): Promise<void> {
    const kind = this.#random.below(100)
    if (kind < 8) await this.#burst()
    else if (kind < 35) await this.#put()
    else if (kind < 60) await this.#get()
    else if (kind < 68) await this.#move()
    else if (kind < 74) await this.#copy()
    else if (kind < 78) await this.#remove()
    else if (kind < 80) await this.#trash()
    else if (kind < 82) await this.#untrash()
    else if (kind < 86) await this.#list()
    else if (kind < 89) await this.#scrub()
    else if (kind < 92) await this.#repair()
    else if (kind < 94) await this.#restart()
    else if (kind < 98) await this.#change()
    else await this.#loseDatabase()
  }

  /** Everybody behaves, and what hung before was given up; one scrub and one repair later the vault is as good as new, and holds what it should. */
  async heal(): Promise<void> {
    this.#say('heal')
    this.behave()
    await this.#clock.sleep(HUNG_MS)
    await this.#site.storage.status({ check: true })
    await this.#settle()
    await this.#scrub()
    await this.#repair()
    this.#bad = new Set()
    await this.#restart()
    await this.#scrub()
    const status = await this.#site.storage.status({ check: true })
    assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
    assert.equal(status.repairDue, 0)
    assert.equal(status.files, this.#model.files.size)
    await this.#list()
    for (const path of this.#model.files.keys()) await this.#read(path)
  }

  /** After the end: what was opened was closed. */
  requireClosed(): void {
    for (const [label, { open }] of Object.entries(this.#site.at))
      assert.ok(open <= 0 || this.#leaks(label), `${open} left open at ${label}`)
  }

  /** A refusal after the effect of `create` or `open` leaves behind what nobody was given. */
  #leaks(label: string): boolean {
    return this.#site.at[label]!.faulty.calls.some(
      ({ operation, fault }) => fault?.kind === 'fail' && fault.when === 'after' && (operation === 'create' || operation === 'open'),
    )
  }

  /** Several things at the same time, of which none changes what another stands on. */
  async #burst(): Promise<void> {
    this.#say('at once:')
    const paths = new Set([this.#path(), this.#path(), this.#path()])
    const still = [...this.#model.files.keys()].filter((path) => !paths.has(path))
    const besides = [() => this.#scrub(), () => this.#repair(), ...(still.length === 0 ? [] : [() => this.#read(this.#pick(still))])]
    await Promise.all([...[...paths].map((path) => this.#put(path)), this.#pick(besides)()])
    await this.#list()
  }

  async #put(path = this.#path()): Promise<void> {
    const content = { seed: this.#random.below(1000), size: this.#pick(SIZES) }
    const what = `put ${path} ${content.size}`
    const standing = this.#model.files.get(path)
    if ([...this.#model.files.keys()].some((other) => other.startsWith(`${path}/`))) return
    await this.#try(what, async () => {
      const { entry } = await put(this.#site.storage, path, pattern(content.size, content.seed))
      const file = standing ?? { versions: new Map<number, { seed: number; size: number }>() }
      assert.equal(entry.version, Math.max(0, ...file.versions.keys()) + 1)
      file.versions.set(entry.version, content)
      this.#model.files.set(path, file)
    })
  }

  async #get(): Promise<void> {
    const path = this.#some()
    if (path === undefined) return
    this.#say(`get ${path}`)
    await this.#read(path)
  }

  /** All its versions, whole; and a range of the last. With at most n-k bad places this never fails. */
  async #read(path: string): Promise<void> {
    for (const [number, { seed, size }] of this.#model.files.get(path)!.versions) {
      const bytes = pattern(size, seed)
      assert.ok(equalPublic(await get(this.#site.storage, path, undefined, number), bytes), `${path} version ${number}`)
      if (size === 0) continue
      const first = this.#random.below(size)
      const last = first + this.#random.below(size - first)
      assert.ok(equalPublic(await get(this.#site.storage, path, { first, last }, number), bytes.subarray(first, last + 1)))
    }
  }

  async #move(): Promise<void> {
    const [from, to] = [this.#some(), this.#path()]
    if (from === undefined || from === to) return
    const file = this.#model.files.get(from)!
    await this.#try(`move ${from} ${to}`, async () => {
      await this.#site.storage.move({ from, to, replace: true })
      this.#model.files.delete(from)
      this.#model.files.set(to, file)
    })
  }

  async #copy(): Promise<void> {
    const [from, to] = [this.#some(), this.#path()]
    if (from === undefined || from === to) return
    const { versions } = this.#model.files.get(from)!
    await this.#try(`copy ${from} ${to}`, async () => {
      await this.#site.storage.copy({ from, to, replace: true })
      this.#model.files.set(to, { versions: new Map([[1, versions.get(Math.max(...versions.keys()))!]]) })
    })
  }

  async #remove(): Promise<void> {
    const path = this.#some()
    if (path === undefined) return
    const { versions } = this.#model.files.get(path)!
    const version = this.#random.below(2) === 0 ? [...versions.keys()][0]! : undefined
    await this.#try(`remove ${path} ${version ?? ''}`, async () => {
      await this.#site.storage.remove({ path, recursive: false, version })
      if (version !== undefined) versions.delete(version)
      if (version === undefined || versions.size === 0) this.#model.files.delete(path)
    })
  }

  async #trash(): Promise<void> {
    const path = this.#some()
    if (path === undefined) return
    const file = this.#model.files.get(path)!
    await this.#try(`trash ${path}`, async () => {
      const { id } = await this.#site.storage.moveToTrash({ path, recursive: false })
      this.#model.files.delete(path)
      this.#model.trash.set(id, file)
    })
  }

  async #untrash(): Promise<void> {
    const ids = [...this.#model.trash.keys()]
    if (ids.length === 0) return
    const id = this.#pick(ids)
    await this.#try(`untrash ${id}`, async () => {
      const { path } = await this.#site.storage.restoreTrash({ id })
      assert.ok(!this.#model.files.has(path), `${path} was written over`)
      this.#model.files.set(path, this.#model.trash.get(id)!)
      this.#model.trash.delete(id)
    })
  }

  async #list(): Promise<void> {
    this.#say('list')
    const found = new Map<string, number>()
    for (let after: string | undefined; ;) {
      const page = await this.#site.storage.list({ path: '/', recursive: true, limit: 3, ...(after === undefined ? {} : { after }) })
      for (const { path, kind, size } of page.entries) if (kind === 'file') found.set(path, size)
      if (page.next === null) break
      after = page.next
    }
    const expected = new Map([...this.#model.files].map(([path, { versions }]) => [path, versions.get(Math.max(...versions.keys()))!.size]))
    assert.deepEqual(found, expected)
  }

  async #scrub(): Promise<void> {
    this.#say('scrub')
    const task = await this.#finished(this.#site.storage.scrub({ depth: this.#random.below(3) === 0 ? 'present' : 'tags' }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    for (const { location, kind } of task.report!.findings)
      assert.ok(this.#bad.has(location) || (kind === 'orphan' && this.#wasBad.has(location)), `blamed: ${location} ${kind}`)
  }

  async #repair(): Promise<void> {
    this.#say('repair')
    const task = await this.#finished(this.#site.storage.repair({}))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    for (const finding of task.report!.findings) assert.ok(this.#bad.has(finding.location), `repair: ${JSON.stringify(finding)}`)
  }

  /** No wait is real here: each look is a turn of the event loop. */
  #finished(started: Promise<{ id: string }>): ReturnType<typeof finished> {
    return finished(this.#site.storage, started, () => new Promise((resolve) => setImmediate(resolve)))
  }

  /** Another shape, or another location, as far as the places that are bad now allow; what runs goes on beside the next commands. */
  async #change(): Promise<void> {
    const { storage } = this.#site
    const labels = await this.#labels()
    const { wanted, leaving } = await storage.change()
    const spare = wanted.count - wanted.threshold - this.#bad.size
    const kind = this.#random.below(6)
    const good = labels.filter((label) => !this.#bad.has(label) && leaving.every((one) => one.label !== label))
    try {
      if (kind === 0) await this.#ask({ refresh: this.#random.below(2) === 0 ? 'shares' : 'keys' })
      else if (kind === 1) await this.#ask({ layout: this.#random.below(2) === 0 ? 'shared' : 'sealed' })
      else if (kind === 2 && spare >= 2) await this.#ask({ threshold: wanted.threshold + 1 })
      else if (kind === 3 && wanted.threshold > 2) await this.#ask({ threshold: wanted.threshold - 1 })
      else if (kind === 4 && spare >= 2 && good.length > 0) await this.#ask({ leave: [{ location: this.#pick(good) }] })
      else {
        // One that is being emptied still has its name.
        const named = (await storage.status({ check: false })).locations.map((location) => location.label)
        const label = LABELS.split('').find((one) => !named.includes(one))
        if (label === undefined) return
        this.#say(`add ${label}`)
        await storage.addLocation({ spec: `folder:${this.#site.root}/${label}`, label })
        await this.#ask({})
      }
    } catch (error) {
      this.#say(`change: ${isFailure(error) ? error.code : String(error)}`)
      // The head, of an added location, did not find enough places.
      if (isFailure(error, 'storage.quorum') && this.#bad.size > 0) return
      throw error
    }
  }

  async #ask(request: ChangeRequest): Promise<void> {
    this.#say(`change ${JSON.stringify(request)}`)
    await this.#site.storage.requestChange(request)
  }

  /** Everything is as wanted. */
  async #settle(): Promise<void> {
    const { storage } = this.#site
    for (let round = 0; round < 100; round++) {
      const { state, task, due, leaving } = await storage.change()
      if (state === 'idle' && due.objects === 0 && leaving.length === 0) return
      if (task === null) await storage.requestChange({})
      else await finished(storage, Promise.resolve({ id: task }))
    }
    throw new Error(`the change does not end: ${JSON.stringify(await storage.change())}`)
  }

  /** Of the locations that a head names. */
  async #labels(): Promise<string[]> {
    const { locations } = await this.#site.storage.status({ check: false })
    const { leaving } = await this.#site.storage.change()
    return locations.map(({ label }) => label).filter((label) => !leaving.some((one) => one.label === label && one.phase === 'emptying'))
  }

  async #restart(): Promise<void> {
    this.#say('restart')
    await this.#site.reopen()
  }

  /** All is flushed first, by closing: what was acknowledged in the last seconds has its own tests. */
  async #loseDatabase(): Promise<void> {
    this.#say('the database is lost')
    for (const label of this.#everBad) this.#wasBad.add(label)
    this.behave()
    await this.#site.storage.status({ check: true })
    if (this.#random.below(2) === 0) await this.#settle()
    const labels = await this.#labels()
    await this.#site.storage.close()
    await rm(this.#site.home, { recursive: true })
    await mkdir(this.#site.home, { mode: 0o700 })
    await this.#site.reopen()
    const locations = labels.map((label) => ({ spec: `folder:${this.#site.root}/${label}`, label }))
    const task = await this.#finished(this.#site.storage.recover({ locations }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    await this.#list()
  }

  /** A refusal is fine while places misbehave, and then nothing has changed. */
  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#say(what)
    } catch (error) {
      this.#say(`${what}: ${isFailure(error) ? error.code : String(error)}`)
      if (isFailure(error, 'storage.quorum') && this.#bad.size > 0) return
      if (isFailure(error, 'storage.exists') || isFailure(error, 'storage.path')) return
      throw error
    }
  }

  #say(what: string): void {
    this.#history.push(what)
  }

  #path(): string {
    return `/${'xyz'[this.#random.below(3)]!}/${this.#random.below(4)}`
  }

  #some(): string | undefined {
    const paths = [...this.#model.files.keys()]
    return paths.length === 0 ? undefined : this.#pick(paths)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }
}

/** One way of being bad for a while; `discard` is never lied about, since nobody could find that out. */
export function faultOf(style: number, call: FaultyCall, random: Chance): Fault | undefined {
  const { operation } = call
  const reading = operation === 'open' || operation === 'read' || operation === 'head'
  switch (style) {
    case 0:
      return { kind: 'fail', when: 'before', code: 'location.unreachable' }
    case 1:
      return operation === 'create' || operation === 'open' ? undefined : { kind: 'fail', when: 'after', code: 'location.unreachable' }
    case 2:
      return { kind: 'hang' }
    case 3:
      return isFragment(call) && operation === 'read'
        ? { kind: 'corrupt', offset: random.below(5000), xor: 1 + random.below(255) }
        : undefined
    case 4:
      return isFragment(call) && (operation === 'open' || operation === 'head')
        ? { kind: 'truncate', sizeBytes: random.below(6000) }
        : undefined
    case 5:
      return isFragment(call) && reading ? { kind: 'lie', says: 'absent' } : undefined
    case 6:
      return isFragment(call) && (operation === 'create' || operation === 'write') ? { kind: 'full' } : undefined
    default:
      return isFragment(call) && (operation === 'open' || operation === 'head') ? { kind: 'old' } : undefined
  }
}
