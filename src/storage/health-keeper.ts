// Keeps a running vault well by itself: checks by schedule, repairs what is damaged, notes how it is. One step at a time, in the background.
import { tracesOf } from '#base'
import type { HealthSettings, Task } from '#contract'
import { newId } from '#format'
import { readReshape } from './change-plan.ts'
import { heldBackPlaces, noteWounds, repairDebt } from './health-debt.ts'
import { sampleHealth } from './health-samples.ts'
import { renewLocks } from './health-locks.ts'
import { scrubSlice, type SliceTools } from './health-scrub.ts'
import { readPasses, readSettings, takeLease } from './health-settings.ts'
import type { UsageMeters } from './health-usage.ts'
import { repair, statesOf } from './repair.ts'
import type { Running, SiteCore } from './site-core.ts'

const TICK_MS = 60_000
/** A lease outlasts a step of checking by far; a process that died gives way after it. */
const LEASE_MS = 30 * 60_000
const SLICE_MS = 5 * 60_000
/** After a repair that failed, or that a person cancelled, nothing is tried again by itself for so long. */
const BACKOFF_MS = 60 * 60_000
/** A place that has just come back may go again: what is not urgent waits for so long. */
const SETTLE_MS = 60_000

/** Work that checks make room for, and that repairs make room for. */
const CHECKING = ['scrub', 'repair', 'recover'] as const
const REPAIRING = ['repair', 'recover'] as const

export class HealthKeeper {
  readonly #core: SiteCore
  readonly #running: Running
  readonly #usage: UsageMeters
  readonly #tickMs: number
  readonly #stop = new AbortController()
  readonly #holder = newId()
  readonly #backSince = new Map<string, number>()
  #loop: Promise<void> = Promise.resolve()
  #slice: Promise<void> | undefined
  #repairing: Task['id'] | undefined
  #notBeforeMs = 0
  /** So much was due when the last repair achieved nothing; more is a new reason to try. */
  #stuckAt = Number.POSITIVE_INFINITY

  constructor(core: SiteCore, running: Running, usage: UsageMeters) {
    this.#core = core
    this.#running = running
    this.#usage = usage
    this.#tickMs = core.options.healthTickMs ?? TICK_MS
  }

  start(): void {
    this.#loop = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    await this.#slice
    await this.#usage.flush().catch((error: unknown) => this.#warn(error, 'what was measured since the last minute is not noted'))
  }

  async #run(): Promise<void> {
    const { clock } = this.#core
    const { signal } = this.#stop
    while (!signal.aborted) {
      // Many sites that were started at one moment do not ask one cloud at one moment.
      const jitter = 0.75 + Math.random() / 2
      try {
        await clock.sleep(this.#tickMs * jitter, signal)
        await this.#tick()
      } catch (error) {
        if (signal.aborted) return
        this.#warn(error, 'a step of the health watch failed; the next one follows')
      }
    }
  }

  async #tick(): Promise<void> {
    const { vault, places } = this.#running
    const { clock, db } = this.#core
    await this.#usage.flush()
    const nowMs = clock.now()
    for (const place of places.all) {
      if (place.view.presence !== 'present') this.#backSince.delete(place.id)
      else if (!this.#backSince.has(place.id)) this.#backSince.set(place.id, nowMs)
    }
    if (!(await takeLease(db, { holder: this.#holder, nowMs, ms: LEASE_MS }))) return
    const damaged = await noteWounds(vault)
    const settings = await readSettings(db)
    if (damaged > 0) await this.#repairIfDue(settings)
    await sampleHealth(vault)
    if (this.#slice === undefined && !this.#otherWork(CHECKING)) {
      this.#slice = this.#check(settings)
        .catch((error: unknown) => {
          if (!this.#stop.signal.aborted) this.#warn(error, 'a scheduled check was broken off; it goes on where it was')
        })
        .finally(() => {
          this.#slice = undefined
        })
    }
  }

  async #check(settings: HealthSettings): Promise<void> {
    const { vault } = this.#running
    const { db, clock } = this.#core
    const untilMs = clock.now() + SLICE_MS
    const tools: SliceTools = { signal: this.#stop.signal, settings, untilMs, mayGoOn: async () => !this.#otherWork(CHECKING) }
    // Locks that end are no check that may be paused.
    await renewLocks(vault, tools)
    if (settings.paused) return
    for (const pass of await readPasses(db)) {
      const found = await scrubSlice(vault, pass, {
        ...tools,
        mayGoOn: async () => !this.#otherWork(CHECKING) && !(await readSettings(db)).paused,
      })
      if (found) this.#core.changed()
    }
  }

  /** What a person began goes first. A change of the vault may take weeks, or be paused: it holds up nothing. */
  #otherWork(kinds: readonly Task['kind'][]): boolean {
    return this.#core.tasks.list().some(({ kind, state, id }) => state === 'running' && id !== this.#repairing && kinds.includes(kind))
  }

  async #repairIfDue(settings: HealthSettings): Promise<void> {
    const { vault, places, log } = this.#running
    const { clock, tasks } = this.#core
    const nowMs = clock.now()
    if (!settings.autoRepair || this.#otherWork(REPAIRING)) return
    if (this.#repairing !== undefined && tasks.list().some(({ id, state }) => id === this.#repairing && state === 'running')) return
    try {
      vault.parts.signer()
    } catch {
      // The keys are locked: nobody repairs, and the status says so.
      return
    }
    const held = new Set((await heldBackPlaces(vault)).map(({ id }) => id))
    const able = places.active.filter(({ id, view }) => view.presence === 'present' && !held.has(id)).map(({ id }) => id)
    if (able.length === 0) return
    const damageOnly = (await readReshape(this.#core.db.kysely)).state !== 'idle'
    const due = await this.#core.db.kysely
      .selectFrom('wound')
      .innerJoin('fragment', (join) => join.onRef('fragment.deal', '=', 'wound.deal').onRef('fragment.x', '=', 'wound.x'))
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('wound.since').as('since')])
      .where('fragment.location', 'in', able)
      .where('fragment.state', 'in', statesOf({ damageOnly }))
      .executeTakeFirstOrThrow()
    if (due.count === 0) return
    if (nowMs < this.#notBeforeMs && due.count <= this.#stuckAt) return
    const debt = await repairDebt(vault)
    const settled = able.some((id) => nowMs - (this.#backSince.get(id) ?? nowMs) >= SETTLE_MS)
    const waited = nowMs - due.since >= settings.repairDelaySeconds * 1000
    if (debt.urgent === 0 && !(settled && waited)) return
    const task = tasks.start('repair', 'Repair by itself', 'fragments', async (tools) => {
      try {
        const findings = await repair(vault, { ...tools, automatic: true, damageOnly })
        if (findings.repairedFragments === 0) this.#wait(due.count)
        await log.flush().catch(() => undefined)
        await log.writeHead().catch(() => undefined)
        this.#core.sweepLater()
        this.#core.changed()
        return findings
      } catch (error) {
        this.#wait(tools.signal.aborted ? Number.POSITIVE_INFINITY : due.count)
        throw error
      }
    })
    this.#repairing = task.id
  }

  /** A person who cancelled is not asked again at once, whatever is due. */
  #wait(stuckAt: number): void {
    this.#notBeforeMs = this.#core.clock.now() + BACKOFF_MS
    this.#stuckAt = stuckAt
  }

  #warn(error: unknown, message: string): void {
    this.#core.options.log.warn({ causes: tracesOf(error) }, message)
  }
}
