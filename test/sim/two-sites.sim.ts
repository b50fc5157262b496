// One random history of two sites that write one vault, whose places misbehave and whose lines break. After both heard of each other they
// show the same, and everything that either was told is stored is there under its name or as a conflict copy; nothing else is.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, equalPublic, isFailure } from '#base'
import { type Location, openSiteStorage, type SiteStorage, type SiteStorageOptions } from '#storage'
import { type Fault, type FaultyCall, type FaultyLocation, wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { chance, type Chance } from '../storage/crash-model.ts'
import { type FaultySite, IMPATIENT, makeFaultySite } from '../storage/faulty-site.ts'
import { locations } from '../storage/several-sites.ts'
import { finished, get, pattern, put, quiet } from '../storage/site.ts'

import { inlineDatabase } from './inline-database.ts'
import { faultOf, type Outcome } from './store.sim.ts'
import { virtualClock } from './virtual-clock.ts'

const SHAPES = [
  { threshold: 2, count: 3 },
  { threshold: 3, count: 5 },
  { threshold: 2, count: 5 },
] as const
/** Each put adds the number of its content, so that a size tells which content it is. */
const SIZES = [1, 1500, 261_900, 300_000] as const
const CONTENTS_MAX = 1000
const CONFLICT = / \(conflict [^)]*\)/g
const HUNG_MS = 1000
const ROUNDS_MAX = 150

type Plan = (call: FaultyCall) => Fault | undefined

interface Side {
  readonly name: 'south' | 'north'
  readonly home: string
  readonly storage: SiteStorage
  readonly plans: Map<string, Plan>
  readonly faulty: Map<string, FaultyLocation>
  /** Nothing of heads comes or goes: what the site deals does. */
  cut: boolean
  /** It was so, and the site has not looked at its places since. */
  doubts: boolean
  reopen(): Promise<void>
}

/** Sizes of the versions by path, the oldest first; of the trash by the path in it, which begins with the entry. */
interface Tree {
  readonly folders?: readonly string[]
  readonly files: ReadonlyMap<string, readonly number[]>
  readonly trash: ReadonlyMap<string, readonly number[]>
}

/** Throws what went wrong, with the history. */
export async function simulateTwoSites(seed: number, lengths: { readonly epochs: number; readonly commands: number }): Promise<Outcome> {
  const random = chance(seed)
  const shape = SHAPES[random.below(SHAPES.length)]!
  const history: string[] = [`seed ${seed}: two sites, ${shape.threshold} of ${shape.count}`]
  const clock = virtualClock(chance(seed + 1))
  const trace = createHash('sha256')
  const follows = random.below(2) === 0 ? 60 : 1_000_000
  const logLimits = {
    flushMs: 15,
    segmentLinesMax: 6,
    segmentsMax: [2, 4, 64][random.below(3)]!,
    followMs: follows,
    followFoldersMs: follows,
  }
  const options = { stallMs: 25, hedgeMs: 5, checkMs: 25, logLimits }
  const heard = (who: string, label: string, { operation, name }: FaultyCall): void => {
    trace.update(`${who} ${clock.now()} ${label} ${operation} ${name ?? ''}\n`)
  }
  const site = await makeFaultySite({
    ...shape,
    layout: random.below(2) === 0 ? 'shared' : 'sealed',
    database: (home) => inlineDatabase(join(home, 'site.sqlite')),
    clock,
    heard: (label, call) => heard('south', label, call),
    options,
  })
  const sides: Side[] = [sideOf(site)]
  try {
    sides.push(await joinedSide(site, { clock, options, heard: (label, call) => heard('north', label, call) }))
    const run = new Pair(sides as [Side, Side], { random, history, clock, shape })
    for (let epoch = 0; epoch < lengths.epochs; epoch++) {
      await run.misbehave()
      for (let command = 0; command < lengths.commands; command++) await run.command()
      await run.heal()
    }
  } catch (error) {
    throw new Error(`seed ${seed} failed\n${history.join('\n')}`, { cause: error })
  } finally {
    for (const side of sides) side.plans.clear()
    await sides[1]?.storage.close()
    await site.end()
  }
  return { commands: lengths.epochs * lengths.commands, history, trace: trace.digest('hex') }
}

/** The site that made the vault. */
function sideOf(site: FaultySite): Side {
  const plans = new Map<string, Plan>()
  for (const [label, control] of Object.entries(site.at)) control.plan = (call) => plannedFor(side, label, call)
  const side: Side = {
    name: 'south',
    home: site.home,
    get storage() {
      return site.storage
    },
    plans,
    faulty: new Map(Object.entries(site.at).map(([label, { faulty }]) => [label, faulty])),
    cut: false,
    doubts: false,
    reopen: async () => {
      await site.reopen()
    },
  }
  return side
}

async function joinedSide(
  site: FaultySite,
  given: {
    readonly clock: Clock
    readonly options: Partial<SiteStorageOptions>
    readonly heard: (label: string, call: FaultyCall) => void
  },
): Promise<Side> {
  const home = join(site.root, 'north')
  await mkdir(home, { mode: 0o700 })
  const side: Side & { storage: SiteStorage } = {
    name: 'north',
    home,
    storage: undefined as unknown as SiteStorage,
    plans: new Map(),
    faulty: new Map(),
    cut: false,
    doubts: false,
    reopen: async () => {
      await side.storage.close()
      side.storage = await open()
    },
  }
  const wrapLocation = (location: Location): Location => {
    const known = side.faulty.get(location.label)
    if (known !== undefined) return known
    const faulty = wrapFaulty(
      site.at[location.label]!.memory,
      (call) => {
        given.heard(location.label, call)
        return plannedFor(side, location.label, call)
      },
      { clock: given.clock },
    )
    side.faulty.set(location.label, faulty)
    return faulty
  }
  const open = (): Promise<SiteStorage> =>
    openSiteStorage({
      home,
      database: inlineDatabase(join(home, 'site.sqlite')),
      variables: {},
      log: quiet,
      productVersion: 'test',
      syncWrites: false,
      ...IMPATIENT,
      ...given.options,
      clock: given.clock,
      wrapLocation,
    })
  side.storage = await open()
  const { line } = await side.storage.writerKey({})
  await site.storage.addWriter({ line, name: side.name })
  const task = await done(side.storage, side.storage.join({ locations: locations(site) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return side
}

function plannedFor(side: Side, label: string, call: FaultyCall): Fault | undefined {
  if (side.cut && (call.name?.startsWith('head/') === true || (call.operation === 'list' && call.name === undefined)))
    return { kind: 'fail', when: 'before', code: 'location.unreachable' }
  return side.plans.get(label)?.(call)
}

/** No wait is real here: each look is a turn of the event loop. */
function done(storage: SiteStorage, started: Promise<{ id: string }>): ReturnType<typeof finished> {
  return finished(storage, started, () => new Promise((resolve) => setImmediate(resolve)))
}

class Pair {
  readonly #sides: readonly [Side, Side]
  readonly #random: Chance
  readonly #history: string[]
  readonly #clock: Clock
  readonly #shape: { readonly threshold: number; readonly count: number }
  /** What both showed when they had heard of each other last. */
  #base: Tree = { files: new Map(), trash: new Map() }
  /** What stands if only one site acted since then. */
  #alone: Tree = this.#base
  #contents = 0
  /** Since both had heard of each other: contents that one was told are stored, and those that one removed who saw them. */
  readonly #stored = new Map<number, string>()
  readonly #removed = new Set<number>()
  /** Names that were given to what had another. */
  readonly #renamed: (readonly [string, string])[] = []
  #foldersMoved = false
  #restored = false
  readonly #acted = new Set<Side>()
  #bad = new Set<string>()

  constructor(
    sides: readonly [Side, Side],
    given: {
      readonly random: Chance
      readonly history: string[]
      readonly clock: Clock
      readonly shape: { readonly threshold: number; readonly count: number }
    },
  ) {
    this.#sides = sides
    this.#random = given.random
    this.#history = given.history
    this.#clock = given.clock
    this.#shape = given.shape
  }

  async misbehave(): Promise<void> {
    const { threshold, count } = this.#shape
    const labels = 'abcdefgh'.slice(0, count).split('')
    const bad = this.#random.below(count - threshold + 1)
    this.#bad = new Set()
    while (this.#bad.size < bad) this.#bad.add(this.#pick(labels))
    for (const side of this.#sides)
      for (const label of labels) {
        const pace = chance(this.#random.below(2 ** 30))
        side.plans.set(label, () => (pace.below(3) === 0 ? { kind: 'delay', ms: 1 + pace.below(4) } : undefined))
      }
    for (const label of this.#bad) {
      const rate = [5, 30, 100][this.#random.below(3)]!
      const style = this.#random.below(8)
      this.#say(`${label} misbehaves: style ${style}, ${rate} %`)
      for (const side of this.#sides) {
        const own = chance(this.#random.below(2 ** 30))
        await side.faulty.get(label)!.snapshot()
        side.plans.set(label, (call) => (own.below(100) < rate ? faultOf(style, call, own) : undefined))
      }
    }
  }

  async command(): Promise<void> {
    const side = this.#pick(this.#sides)
    const kind = this.#random.below(100)
    if (kind < 12) await Promise.all(this.#sides.map((one) => this.#put(one)))
    else if (kind < 34) await this.#put(side)
    else if (kind < 46) await this.#read(side)
    else if (kind < 56) await this.#move(side)
    else if (kind < 61) await this.#moveFolder(side)
    else if (kind < 67) await this.#copy(side)
    else if (kind < 72) await this.#remove(side)
    else if (kind < 76) await this.#trash(side)
    else if (kind < 79) await this.#untrash(side)
    else if (kind < 87) await this.#hear(side)
    else if (kind < 90) await this.#repair(side)
    else if (kind < 94) await this.#restart(side)
    else if (kind < 98) {
      side.cut = !side.cut
      side.doubts = true
      this.#say(`${side.name} ${side.cut ? 'hears and says nothing of heads' : 'hears again'}`)
    } else await this.#together()
  }

  /** All behave; both hear of each other, and the vault is whole. */
  async heal(): Promise<void> {
    this.#say('heal')
    for (const side of this.#sides) {
      side.plans.clear()
      side.cut = false
      side.doubts = false
    }
    await this.#clock.sleep(HUNG_MS)
    for (const side of this.#sides) {
      await side.storage.status({ check: true })
      await this.#repair(side)
    }
    this.#bad = new Set()
    await this.#together()
    for (const side of this.#sides) {
      await this.#repair(side)
      await this.#hear(side)
    }
    await this.#together()
    for (const side of this.#sides) {
      const scrub = await done(side.storage, side.storage.scrub({ depth: 'tags' }))
      const wrong = scrub.report!.findings.filter(({ kind }) => kind !== 'orphan')
      assert.deepEqual(wrong, [], `${side.name} finds`)
      const { health, repairDue, messages, files } = await side.storage.status({ check: true })
      assert.deepEqual([health, repairDue], ['healthy', 0], `${side.name}: ${JSON.stringify(messages)}`)
      assert.equal(files, this.#base.files.size, `${side.name} counts`)
      assert.deepEqual((await side.storage.writers()).alarms, [], `${side.name} is alarmed`)
      for (const [path, sizes] of this.#base.files) await this.#readAll(side, path, sizes)
    }
  }

  async #put(side: Side): Promise<void> {
    const path = this.#path()
    this.#contents += 1
    assert.ok(this.#contents < CONTENTS_MAX)
    const size = this.#pick(SIZES) + this.#contents
    await this.#try(side, `put ${path} ${size}`, async () => {
      await put(side.storage, path, contentOf(size))
      this.#stored.set(size, path)
      return (tree) => ({ ...tree, files: new Map(tree.files).set(path, [...(tree.files.get(path) ?? []), size]) })
    })
  }

  /** What a site shows it can open, unless it heard of a change meanwhile. */
  async #read(side: Side): Promise<void> {
    const path = await this.#some(side)
    if (path === undefined) return
    this.#say(`${side.name}: get ${path}`)
    try {
      await this.#readAll(side, path, await this.#versions(side, path))
    } catch (error) {
      if (!isFailure(error, 'storage.absent') || !this.#otherActed(side)) throw error
    }
  }

  async #readAll(side: Side, path: string, sizes: readonly number[]): Promise<void> {
    const { versions } = await side.storage.versions({ path })
    for (const { number, size } of versions) {
      assert.ok(sizes.includes(size) || this.#otherActed(side), `${side.name}: ${path} has a version of ${size} bytes`)
      assert.ok(
        equalPublic(await get(side.storage, path, undefined, number), contentOf(size)),
        `${side.name}: ${path} version ${number} of ${size} bytes`,
      )
    }
  }

  async #move(side: Side): Promise<void> {
    const [from, to] = [await this.#some(side), this.#path()]
    if (from === undefined || from === to) return
    const replace = this.#random.below(2) === 0
    await this.#try(side, `move ${from} ${to}${replace ? ' over it' : ''}`, async () => {
      await side.storage.move({ from, to, replace })
      this.#renamed.push([from, to])
      return (tree) => {
        const files = new Map(tree.files)
        files.delete(from)
        return displaced({ ...tree, files }, to, (now) => ({ ...now, files: new Map(now.files).set(to, tree.files.get(from) ?? []) }))
      }
    })
  }

  async #moveFolder(side: Side): Promise<void> {
    const [from, to] = [`/${this.#letter()}`, `/${this.#pick(['u', 'v', 'x', 'y', 'z'])}`]
    if (from === to) return
    await this.#try(side, `move ${from} ${to}`, async () => {
      await side.storage.move({ from, to, replace: false })
      this.#foldersMoved = true
      return (tree) => ({
        ...tree,
        files: new Map(
          [...tree.files].map(([path, sizes]) => [path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path, sizes]),
        ),
      })
    })
  }

  async #copy(side: Side): Promise<void> {
    const [from, to] = [await this.#some(side), this.#path()]
    if (from === undefined || from === to) return
    await this.#try(side, `copy ${from} ${to}`, async () => {
      await side.storage.copy({ from, to, replace: true })
      this.#renamed.push([from, to])
      return (tree) => displaced(tree, to, (now) => ({ ...now, files: new Map(now.files).set(to, (tree.files.get(from) ?? []).slice(-1)) }))
    })
  }

  async #remove(side: Side): Promise<void> {
    const path = await this.#some(side)
    if (path === undefined) return
    const { versions } = await side.storage.versions({ path })
    const version = this.#random.below(2) === 0 ? versions.at(-1) : undefined
    await this.#try(side, `remove ${path} ${version?.number ?? ''}`, async () => {
      await side.storage.remove({ path, recursive: false, version: version?.number })
      for (const { size } of version === undefined ? versions : [version]) this.#removed.add(size)
      return (tree) => {
        const files = new Map(tree.files)
        const left = version === undefined ? [] : (tree.files.get(path) ?? []).slice(1)
        if (left.length === 0) files.delete(path)
        else files.set(path, left)
        return { ...tree, files }
      }
    })
  }

  async #trash(side: Side): Promise<void> {
    const path = await this.#some(side)
    if (path === undefined) return
    await this.#try(side, `trash ${path}`, async () => {
      await side.storage.moveToTrash({ path, recursive: false })
      return (tree) => displaced(tree, path, (now) => now)
    })
  }

  /** Restores an entry, or empties it for good. */
  async #untrash(side: Side): Promise<void> {
    const { entries } = await side.storage.trash({})
    if (entries.length === 0) return
    const entry = this.#pick(entries)
    if (this.#random.below(3) === 0) {
      const seen = [...trashOf(side)].flatMap(([path, sizes]) => (path.startsWith(`${entry.id}/`) ? sizes : []))
      await this.#try(side, `empty ${entry.path}`, async () => {
        const task = await done(side.storage, side.storage.emptyTrash({ ids: [entry.id] }))
        assert.equal(task.state, 'done', JSON.stringify(task.problem))
        for (const size of seen) this.#removed.add(size)
        return undefined
      })
    } else
      await this.#try(side, `restore ${entry.path}`, async () => {
        const { path } = await side.storage.restoreTrash({ id: entry.id })
        assert.ok(path.length > 0)
        this.#restored = true
        return undefined
      })
  }

  async #hear(side: Side): Promise<void> {
    await side.storage.status({ check: true })
    side.doubts = side.cut
    this.#say(`${side.name} looks for heads`)
  }

  async #repair(side: Side): Promise<void> {
    this.#say(`${side.name}: scrub and repair`)
    await done(side.storage, side.storage.scrub({ depth: 'tags' }))
    const task = await done(side.storage, side.storage.repair({}))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    const blind = this.#sides.some(({ cut }) => cut)
    for (const finding of task.report!.findings) assert.ok(blind || this.#bad.has(finding.location), `repair: ${JSON.stringify(finding)}`)
  }

  async #restart(side: Side): Promise<void> {
    this.#say(`${side.name} restarts`)
    await side.reopen()
    side.doubts = side.cut
  }

  /** All lines are whole until both have heard of each other; then what stands is held to what was done. */
  async #together(): Promise<void> {
    this.#say('together')
    const plans = this.#sides.map((side) => new Map(side.plans))
    for (const side of this.#sides) {
      side.plans.clear()
      side.cut = false
      side.doubts = false
    }
    await this.#clock.sleep(HUNG_MS)
    let apart = ''
    for (let round = 0; ; round++) {
      for (const side of this.#sides) await side.storage.status({ check: true })
      const views = await Promise.all(this.#sides.map((side) => side.storage.status({ check: false })))
      apart = JSON.stringify(views.map(({ head, recoveryPoint, messages }) => ({ head, recoveryPoint, messages })))
      if (views.every(({ recoveryPoint }) => recoveryPoint.pendingChanges === 0) && views[0]!.head?.epoch === views[1]!.head?.epoch) break
      assert.ok(round < ROUNDS_MAX, `they do not come together: ${apart}`)
      await this.#clock.sleep(1000)
    }
    const [ours, theirs] = [await treeOf(this.#sides[0]), await treeOf(this.#sides[1])]
    assert.deepEqual(theirs, ours, 'both show the same')
    this.#hold(ours)
    this.#base = ours
    this.#alone = ours
    this.#stored.clear()
    this.#removed.clear()
    this.#renamed.length = 0
    this.#foldersMoved = false
    this.#restored = false
    this.#acted.clear()
    for (const [index, side] of this.#sides.entries()) for (const [label, plan] of plans[index]!) side.plans.set(label, plan)
  }

  #hold(found: Tree): void {
    if (this.#acted.size < 2 && this.#alone !== UNKNOWN)
      assert.deepEqual(found.files, this.#alone.files, 'as the only site that acted had it')
    const before = new Map<number, string[]>()
    for (const [path, sizes] of [...this.#base.files, ...this.#base.trash])
      for (const size of sizes) before.set(size, [...(before.get(size) ?? []), path])
    for (const [size, path] of this.#stored) before.set(size, [path])
    const there = new Set([...found.files.values(), ...found.trash.values()].flat())
    for (const size of before.keys())
      assert.ok(there.has(size) || this.#removed.has(size), `${before.get(size)!.join(' ')} of ${size} bytes is lost`)
    for (const size of there) assert.ok(before.has(size), `${size} bytes that nobody stored`)
    // What was restored has the name that it had once, and what lies in a folder that was moved another one.
    if (this.#foldersMoved || this.#restored) return
    for (const [path, sizes] of found.files)
      for (const size of sizes) {
        const names = this.#namesFrom(before.get(size)!)
        assert.ok(names.has(path.replaceAll(CONFLICT, '')), `${size} bytes are called ${path}, not ${[...names].join(' ')}`)
      }
  }

  /** Everything that such a name may have become. */
  #namesFrom(paths: readonly string[]): Set<string> {
    const names = new Set(paths.map((path) => path.replaceAll(CONFLICT, '')))
    for (let size = 0; size !== names.size;) {
      size = names.size
      for (const pair of this.#renamed) {
        const [from, to] = pair.map((path) => path.replaceAll(CONFLICT, '')) as [string, string]
        if (names.has(from)) names.add(to)
        // A version follows its file, which may have been called so before.
        if (names.has(to)) names.add(from)
      }
    }
    return names
  }

  /** A refusal is fine while places misbehave, and where others changed what was to be changed; then nothing has changed. */
  async #try(side: Side, what: string, work: () => Promise<((tree: Tree) => Tree) | undefined>): Promise<void> {
    try {
      const effect = await work()
      this.#acted.add(side)
      this.#alone = this.#alone === UNKNOWN || effect === undefined ? UNKNOWN : effect(this.#alone)
      this.#say(`${side.name}: ${what}`)
    } catch (error) {
      this.#say(`${side.name}: ${what}: ${isFailure(error) ? error.code : String(error)}`)
      if (isFailure(error, 'storage.quorum') && (side.doubts || this.#bad.size > 0)) return
      if (isFailure(error, 'storage.exists') || isFailure(error, 'storage.path') || isFailure(error, 'storage.absent')) return
      throw error
    }
  }

  async #some(side: Side): Promise<string | undefined> {
    const { entries } = await side.storage.list({ path: '/', recursive: true })
    const files = entries.filter(({ kind }) => kind === 'file')
    return files.length === 0 ? undefined : this.#pick(files).path
  }

  async #versions(side: Side, path: string): Promise<number[]> {
    return (await side.storage.versions({ path })).versions.map(({ size }) => size).toReversed()
  }

  /** Since both had heard of each other. */
  #otherActed(side: Side): boolean {
    return [...this.#acted].some((one) => one !== side)
  }

  #path(): string {
    return `/${this.#letter()}/${this.#random.below(4)}`
  }

  #letter(): string {
    return 'xyz'[this.#random.below(3)]!
  }

  #say(what: string): void {
    this.#history.push(what)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!
  }
}

/** What stands is not followed any more until both have heard of each other. */
const UNKNOWN: Tree = { files: new Map(), trash: new Map() }

function contentOf(size: number): Uint8Array {
  return pattern(size, size)
}

/** The file at the path is in the trash now; which entry that is nobody was told. */
function displaced(tree: Tree, path: string, then: (tree: Tree) => Tree): Tree {
  const files = new Map(tree.files)
  files.delete(path)
  return then({ ...tree, files })
}

async function treeOf(side: Side): Promise<Tree> {
  const files = new Map<string, number[]>()
  const { entries, next } = await side.storage.list({ path: '/', recursive: true })
  assert.equal(next, null)
  for (const { path, kind } of entries)
    if (kind === 'file') files.set(path, (await side.storage.versions({ path })).versions.map(({ size }) => size).toReversed())
  return { files, folders: entries.flatMap(({ path, kind }) => (kind === 'folder' ? [path] : [])), trash: trashOf(side) }
}

/** Nobody can list what lies in the trash, so it is looked up. */
function trashOf({ home }: Side): Map<string, number[]> {
  const db = new DatabaseSync(join(home, 'site.sqlite'), { readOnly: true })
  try {
    const rows = db
      .prepare(
        `select substr(f.path, 17) as path, d.size as size from file f join file_version v on v.file = f.file join deal d on d.deal = v.deal
         where f.path like '/.quorate-trash/%' order by f.path, v.number`,
      )
      .all() as unknown as { readonly path: string; readonly size: number }[]
    const sizes = new Map<string, number[]>()
    for (const { path, size } of rows) sizes.set(path, [...(sizes.get(path) ?? []), size])
    return sizes
  } finally {
    db.close()
  }
}
