// Bringing the vault into its wanted shape: what is due is found in the catalogue, done, and found no more, so a change that is cut off goes on
// where it was by looking again (docs/spec/vault.md, "Change").
import { type Clock, Failure } from '#base'
import type { Task } from '#contract'
import { type DueDeal, countDue, nextDue, readReshape, type Wanted, wantedOf } from './change-plan.ts'
import { ChangePace } from './change-pace.ts'
import { emptyLocation } from './change-leave.ts'
import { Findings, type Progress } from './findings.ts'
import type { Place } from './place.ts'
import { dealAnew, evacuate, reshare } from './redeal.ts'
import { expect, repairDeal } from './repair.ts'
import { pathOf } from './scrub.ts'
import type { ReshapeTable } from './tables-change.ts'
import type { Tasks } from './tasks.ts'
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

const PAGE_DEALS = 100
/** Objects that are changed at once: small ones wait for their locations, not for each other. */
const WORKERS = 3
/** Failures of one round after which the rest waits for the next: a place is away, or full. */
const FAILURES_MAX = 200
/** What a change could not do is tried again after this time, or when a place comes back. */
const RETRY_MS = 60_000
/** Old fragments are taken away when so much was written, so that they do not fill the locations. */
const SWEEP_BYTES = 2 ** 30
const ROUNDS_MAX = 1000

export interface ReshapingParts {
  readonly vault: Vault
  readonly log: VaultLog
  readonly tasks: Tasks
  readonly clock: Clock
  /** Fires when the site stops, as opposed to a change that a person cancels. */
  readonly stop: AbortSignal
  readonly sweepNow: () => Promise<void>
  readonly changed: () => void
}

/** The one change of a vault, if there is one under way. */
export class Reshaping {
  readonly #parts: ReshapingParts
  readonly #pace: ChangePace
  #task: string | undefined
  #retrying = false
  /** Something changed while the task was near its end: it looks once more. */
  #again = false

  constructor(parts: ReshapingParts) {
    this.#parts = parts
    this.#pace = new ChangePace(parts.clock)
  }

  /** At the start of a site: a change that was under way goes on. */
  async resume(): Promise<void> {
    await this.apply()
  }

  get task(): Task | undefined {
    if (this.#task === undefined) return undefined
    return this.#parts.tasks.list().find(({ id }) => id === this.#task)
  }

  get wanted(): Promise<Wanted> {
    return this.#wanted()
  }

  /** Call after `reshape` was written: begins, goes on, slows down or stops as it says. */
  async apply(): Promise<void> {
    const row = await readReshape(this.#parts.vault.parts.db.kysely)
    this.#pace.set({ bytesPerSecond: row.bytes_per_second, paused: row.state === 'paused' })
    if (row.state === 'running' || row.state === 'paused') this.#begin()
    else if (this.task?.state === 'running') await this.#parts.tasks.cancel(this.#task!)
    this.#parts.changed()
  }

  /** A place came back: what waited for it may go on. */
  placeBack(): void {
    if (this.#retrying) void this.apply().catch(() => undefined)
  }

  #begin(): void {
    if (this.#parts.stop.aborted) return
    if (this.task?.state === 'running') {
      this.#again = true
      return
    }
    this.#retrying = false
    const started = this.#parts.tasks.start('change', 'Change the vault', 'bytes', async (tools) => {
      try {
        return await this.#run(tools)
      } catch (error) {
        // Cancelled by a person, it stays so; a site that stops goes on at its next start.
        if (tools.signal.aborted && !this.#parts.stop.aborted) {
          this.#again = false
          await this.#set({ state: 'cancelled' })
        } else this.#retryLater()
        throw error
      } finally {
        this.#parts.changed()
        // Asked for while this one was at its end.
        if (this.#again) this.#retryLater(1)
      }
    })
    this.#task = started.id
  }

  #retryLater(ms = RETRY_MS): void {
    if (this.#retrying || this.#parts.stop.aborted) return
    this.#retrying = true
    void this.#parts.clock.sleep(ms, this.#parts.stop).then(
      () => (this.#retrying ? this.apply() : undefined),
      () => undefined,
    )
  }

  async #run({ signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress }): Promise<Findings> {
    const { vault, log } = this.#parts
    const findings = new Findings()
    const pace = (bytes: number): Promise<void> => this.#pace.take(bytes, signal)
    await vault.parts.places.checkAll()
    let told = 0
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.#again = false
      await pace(0)
      await this.#rewriteCatalogue(findings)
      const due = await countDue(vault.parts.db.kysely, await this.#wanted())
      const { bytes_done: done } = await readReshape(vault.parts.db.kysely)
      await this.#set({ bytes_total: done + due.bytes })
      progress.total(done + due.bytes)
      if (told === 0) progress.add(done)
      told += 1
      const changed = await this.#round({ signal, progress, findings, pace })
      await log.flush().catch(() => undefined)
      const emptied = await this.#leave(findings, signal)
      await this.#parts.sweepNow()
      if (signal.aborted) throw new Failure('base.cancelled')
      const left = await countDue(vault.parts.db.kysely, await this.#wanted())
      const { catalogue_due: catalogueDue } = await readReshape(vault.parts.db.kysely)
      const departing = vault.parts.places.all.filter(({ id }) => vault.parts.places.departure(id) !== undefined).length
      if (left.deals === 0 && departing === 0 && catalogueDue === 0 && !this.#again && (await this.#done())) return findings
      if (changed + emptied === 0 && !this.#again) break
    }
    this.#retryLater()
    return findings
  }

  /** What the head speaks for comes first: parts of the catalogue in the new shape, so that the head may say its k. */
  async #rewriteCatalogue(findings: Findings): Promise<void> {
    const { log, vault } = this.#parts
    const { catalogue_due: due } = await readReshape(vault.parts.db.kysely)
    if (due === 0) return
    try {
      await log.flush()
      await log.snapshot()
      // Another change may have been asked for meanwhile: then it is due again.
      await vault.parts.db.kysely.updateTable('reshape').set({ catalogue_due: 0 }).where('catalogue_due', '=', due).execute()
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      findings.add({ location: error.culprits[0] ?? '', path: 'catalogue', fragment: '', kind: 'unreachable', detail: error.message })
    }
  }

  /** Once through all that is due, what is nearest to loss first; answers how many dealings are as wanted by it. */
  async #round(given: {
    readonly signal: AbortSignal
    readonly progress: Progress
    readonly findings: Findings
    readonly pace: (bytes: number) => Promise<void>
  }): Promise<number> {
    const { db, places } = this.#parts.vault.parts
    const { signal } = given
    const givenUp = new Set<Place>()
    let changed = 0
    let failed = 0
    let sinceSweep = 0
    const most = places.all.length
    for (let spare = 0; spare <= most; spare++) {
      const level = { from: spare === 0 ? undefined : spare, to: spare === most ? undefined : spare }
      for (let after = ''; ;) {
        const page = { after, present: places.present, spare: level, limit: PAGE_DEALS }
        const due = await nextDue(db.kysely, await this.#wanted(), page)
        if (due.length === 0) break
        after = due[due.length - 1]!.deal.deal
        const queue = [...due]
        const work = async (): Promise<void> => {
          for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
            if (signal.aborted) throw new Failure('base.cancelled')
            if (failed >= FAILURES_MAX) return
            if (await this.#one(one, { ...given, givenUp })) changed += 1
            else failed += 1
            sinceSweep += one.bytes
          }
        }
        await allOf(Array.from({ length: WORKERS }, work))
        if (failed >= FAILURES_MAX) return changed
        if (sinceSweep >= SWEEP_BYTES) {
          sinceSweep = 0
          void this.#parts.sweepNow()
        }
      }
    }
    return changed
  }

  /** False when it stays as it is for now, which is told. */
  async #one(
    { deal, step, bytes }: DueDeal,
    given: {
      readonly signal: AbortSignal
      readonly progress: Progress
      readonly findings: Findings
      readonly pace: (bytes: number) => Promise<void>
      readonly givenUp: Set<Place>
    },
  ): Promise<boolean> {
    const { vault } = this.#parts
    const { findings, signal } = given
    let written = 0
    const pace = async (count: number): Promise<void> => {
      await given.pace(count)
      const counted = Math.min(count, Math.max(0, bytes - written))
      written += counted
      given.progress.add(counted)
    }
    try {
      if (step === 'anew') await dealAnew(vault, deal, { signal, pace })
      else if (step === 'reshare') await reshare(vault, deal, { signal, pace })
      else {
        await this.#fill(deal, { ...given, skipped: new Set(), pace })
        // What waits for a place is not done: the next round would find it again at once.
        if (!(await evacuate(vault, deal)) || (await this.#lacks(deal))) return false
      }
      given.progress.add(Math.max(0, bytes - written))
      await this.#count(bytes)
      return true
    } catch (error) {
      given.progress.add(-written)
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      if (error.kind === 'invalid') throw error
      const standing = await vault.parts.db.kysely.selectFrom('deal').select('state').where('deal', '=', deal.deal).executeTakeFirst()
      if (standing?.state !== 'stored') return true
      findings.add({
        location: error.culprits[0] ?? '',
        path: await pathOf(vault, deal),
        fragment: '',
        kind: error.kind === 'corrupt' || error.code === 'format.incomplete' ? 'unreadable' : 'unreachable',
        detail: error.message,
      })
      return false
    }
  }

  /** True while a location that stays is still to get its fragment. */
  async #lacks({ deal }: DueDeal['deal']): Promise<boolean> {
    const { db, places } = this.#parts.vault.parts
    const pending = await db.kysely
      .selectFrom('fragment')
      .innerJoin('deal', 'deal.deal', 'fragment.deal')
      .select('fragment.x')
      .where('fragment.deal', '=', deal)
      .where('fragment.state', '=', 'pending')
      .where(
        'fragment.location',
        'in',
        places.active.map(({ id }) => id),
      )
      .where('deal.state', '=', 'stored')
      .limit(1)
      .executeTakeFirst()
    return pending !== undefined
  }

  async #fill(deal: DueDeal['deal'], given: Parameters<typeof repairDeal>[2]): Promise<void> {
    const { vault } = this.#parts
    await vault.parts.db.transaction(async (tx) => {
      for (const place of vault.parts.places.active) await expect(tx, deal.deal, place)
      const { count } = await tx
        .selectFrom('fragment')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('deal', '=', deal.deal)
        .executeTakeFirstOrThrow()
      await tx.updateTable('deal').set({ n: count }).where('deal', '=', deal.deal).where('state', '=', 'stored').execute()
    })
    await repairDeal(vault, deal, { ...given, skipped: new Set(), progress: { total: () => undefined, add: () => undefined } })
  }

  /** Locations that nothing needs any more are emptied and let go; answers how many went. */
  async #leave(findings: Findings, signal: AbortSignal): Promise<number> {
    const { vault, log } = this.#parts
    const { places, db } = vault.parts
    let gone = 0
    for (const place of places.all.filter(({ id }) => places.departure(id) !== undefined)) {
      if (signal.aborted) throw new Failure('base.cancelled')
      const needed = await db.kysely
        .selectFrom('fragment')
        .innerJoin('deal', 'deal.deal', 'fragment.deal')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('fragment.location', '=', place.id)
        .where('deal.state', 'in', ['stored', 'writing'])
        .executeTakeFirstOrThrow()
      if (needed.count > 0) {
        const detail = `${place.label} is still needed for ${needed.count} objects`
        findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail })
        continue
      }
      try {
        if (await emptyLocation(vault, log, { place, findings, signal })) gone += 1
      } catch (error) {
        if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
        findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail: error.message })
      }
    }
    return gone
  }

  /** False when something else was asked for meanwhile. */
  async #done(): Promise<boolean> {
    const { log, vault } = this.#parts
    const ended = await vault.parts.db.kysely
      .updateTable('reshape')
      .set({ state: 'idle', renew_before: null, anew_before: null })
      .where('state', '=', 'running')
      .where('catalogue_due', '=', 0)
      .executeTakeFirst()
    if (ended.numUpdatedRows === 0n) return false
    await log.flush().catch(() => undefined)
    await log.writeHead().catch(() => undefined)
    return true
  }

  async #wanted(): Promise<Wanted> {
    const { vault } = this.#parts
    return wantedOf(vault.row, await readReshape(vault.parts.db.kysely), vault.parts.places.active)
  }

  async #count(bytes: number): Promise<void> {
    await this.#parts.vault.parts.db.kysely
      .updateTable('reshape')
      .set((eb) => ({ bytes_done: eb('bytes_done', '+', bytes) }))
      .execute()
  }

  async #set(change: Partial<ReshapeTable>): Promise<void> {
    await this.#parts.vault.parts.db.kysely.updateTable('reshape').set(change).execute()
  }
}

/** As `Promise.all`, but nothing is left running when one of them fails. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
