// The catalogue in the vault itself: changes become segments, now and then a snapshot, and a head names them (docs/spec/vault.md).
import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, rfc3339, utf8, tracesOf } from '#base'
import { newId } from '#format'
import { Alone } from './alone.ts'
import { AmongOthers, type HeadView, jittered } from './among-others.ts'
import type { Store } from './catalogue.ts'
import { CATALOGUE_TYPE, encodeLine } from './catalogue-lines.ts'
import { noteDescription } from './description.ts'
import type { Followed } from './follow.ts'
import { encodeVaultHead, headHash, headName, parseVaultHead } from './head.ts'
import { nextHead } from './next-head.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { VaultTable } from './tables.ts'
import type { Vault } from './vault.ts'
import { dumpCatalogue } from './vault-snapshot.ts'
import type { WriterBook } from './writers-book.ts'

export interface LogLimits {
  /** The oldest change waits at most this long for its segment. */
  readonly flushMs: number
  readonly segmentLinesMax: number
  /** A snapshot comes after this many segments, or when the segments outgrow the snapshot. */
  readonly segmentsMax: number
  readonly snapshotLinesMin: number
  /** How often heads of other writers are looked for, on the average; folders are asked more often. */
  readonly followMs: number
  readonly followFoldersMs: number
  /** Where several sites write: so long the bytes of what was removed stay. */
  readonly graceMs: number
}

export const logLimits: LogLimits = {
  flushMs: 5000,
  segmentLinesMax: 1000,
  segmentsMax: 64,
  snapshotLinesMin: 20_000,
  followMs: 12_000,
  followFoldersMs: 3000,
  graceMs: 24 * 3_600_000,
}

/** After a failure in a row the next try comes later, at most this late. */
const RETRY_MS_MAX = 60_000
const HEADS_KEPT = 8
const EPOCHS_TRIED_MAX = 16
/** Times that another site may be faster before a flush gives up for now, and the first wait between them. */
const RACES_MAX = 12
const RACE_MS = 100
/** A place that lost much is no reason to ask for each fragment. */
const NEWS_MS = 1000
const SNAPSHOT_FILE = /^\.snapshot-[0-9a-f]{32}$/

export class VaultLog {
  readonly #vault: Vault
  readonly #home: string
  readonly #book: WriterBook
  readonly #alone: Alone
  readonly #others: AmongOthers
  readonly #limits: LogLimits
  #promised: number | undefined
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #scheduled = false
  #failure: Failure | undefined
  #failures = 0
  #lag: Failure | undefined
  /** The last epoch that no head can have any more. */
  #spent = 0
  /** The last asking for news. */
  #heard: { readonly atMs: number; readonly heard: Promise<boolean> } | undefined
  /** Places that are known to lack the newest head. */
  #missing = new Set<string>()

  constructor(
    vault: Vault,
    given: { readonly home: string; readonly book: WriterBook; readonly followed?: (what: Followed) => void },
    limits: Partial<LogLimits> = {},
  ) {
    this.#vault = vault
    this.#home = given.home
    this.#book = given.book
    this.#alone = new Alone(vault)
    this.#others = new AmongOthers(vault, given.book, { home: given.home, followed: given.followed ?? (() => undefined) })
    this.#limits = { ...logLimits, ...limits }
  }

  /** Removes what a snapshot that was cut off left in the home. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#home)) if (SNAPSHOT_FILE.test(name)) await rm(join(this.#home, name), { force: true })
  }

  /** Why the newest changes are not in the vault yet. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Call after a change: it is in the vault at most five seconds later, or tried again and again. */
  schedule(): void {
    if (this.#scheduled || this.#stop.signal.aborted) return
    this.#scheduled = true
    const wait = this.#limits.flushMs * 2 ** Math.min(this.#failures, 10)
    void this.#vault.parts.clock
      .sleep(Math.min(wait, Math.max(RETRY_MS_MAX, this.#limits.flushMs)), this.#stop.signal)
      .then(
        async () => {
          this.#scheduled = false
          await this.flush().catch(() => this.schedule())
        },
        () => undefined,
      )
      .catch(() => undefined)
  }

  /** A place came back: it gets the head that it missed. */
  placeBack(place: Place): void {
    if (this.#missing.has(place.id)) this.schedule()
  }

  get graceMs(): number {
    return this.#limits.graceMs
  }

  get writers(): WriterBook {
    return this.#book
  }

  /** What was seen of the newest head; undefined before anything was looked at. */
  get headView(): HeadView | undefined {
    return this.#others.view
  }

  voters(): Promise<string[]> {
    return this.#others.voters()
  }

  /** Asks the places for the newest head, and follows it where several sites write. A failure is for the status. */
  follow(): Promise<void> {
    const turn = this.#running.then(() => this.#follow())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  /** Follows other writers until the log is closed. */
  watch(): void {
    void (async () => {
      const { clock, places } = this.#vault.parts
      while (!this.#stop.signal.aborted) {
        const folders = places.all.every(({ kind }) => kind === 'folder')
        await clock.sleep(jittered(folders ? this.#limits.followFoldersMs : this.#limits.followMs), this.#stop.signal)
        if (this.#book.several) await this.follow().catch(() => undefined)
      }
    })().catch(() => undefined)
  }

  /** As `follow`, for whoever misses something here; not more often than that is of use. */
  async news(): Promise<boolean> {
    if (!this.#book.several || this.#stop.signal.aborted) return false
    const nowMs = this.#vault.parts.clock.now()
    if (this.#heard === undefined || nowMs - this.#heard.atMs >= NEWS_MS)
      this.#heard = {
        atMs: nowMs,
        heard: this.follow().then(
          () => true,
          () => false,
        ),
      }
    return this.#heard.heard
  }

  async #follow(): Promise<void> {
    try {
      if (this.#book.several) this.#spent = await this.#others.establish(this.#stop.signal)
      else await this.#others.look(this.#stop.signal)
      this.#lag = undefined
    } catch (error) {
      this.#lag = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
      if (!this.#stop.signal.aborted)
        this.#vault.parts.log.warn({ code: this.#lag.code, causes: tracesOf(this.#lag) }, 'other writers could not be followed')
      this.#vault.parts.changed()
      throw this.#lag
    }
  }

  /** Why the changes of other sites are not known here yet. */
  get lag(): Failure | undefined {
    return this.#lag
  }

  /** Brings every change into the vault now. A failure is kept in `failure` and thrown. */
  flush(): Promise<void> {
    const turn = this.#running.then(() => this.#flush())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async pendingChanges(): Promise<number> {
    const row = await this.#vault.parts.db.kysely
      .selectFrom('change')
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow()
    return Number(row.count)
  }

  async #flush(): Promise<void> {
    try {
      if (this.#canSign) await noteDescription(this.#vault.parts.db)
      if (this.#book.several) await this.#flushAmongOthers(false)
      else await this.#flushAlone()
      this.#failure = undefined
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      this.#failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
      this.#vault.parts.log.warn(
        { code: this.#failure.code, causes: tracesOf(this.#failure) },
        'the catalogue could not be brought into the vault',
      )
      this.#vault.parts.changed()
      throw this.#failure
    }
  }

  async #flushAlone(): Promise<void> {
    for (;;) {
      if (await this.#snapshotDue()) {
        await this.#alone.requireNewest()
        await this.#writeSnapshot()
      }
      const rows = await this.#vault.parts.db.kysely
        .selectFrom('change')
        .selectAll()
        .orderBy('id')
        .limit(this.#limits.segmentLinesMax)
        .execute()
      if (rows.length === 0) break
      await this.#alone.requireNewest()
      await this.#writeSegment(
        rows.map(({ line }) => line),
        rows[rows.length - 1]!.id,
      )
    }
    if (this.#vault.row.head_sequence < this.#vault.row.next_sequence - 1 || this.#missed()) await this.#writeHead()
  }

  /**
   * Follows first, then writes what waits on top of it; when another site was faster, once more. Changes keep their way back until a head that
   * counts names them.
   */
  async #flushAmongOthers(force: boolean, anew = false): Promise<void> {
    const { db, clock } = this.#vault.parts
    for (let tried = 0; tried < RACES_MAX; tried++) {
      await this.#follow()
      const spent = this.#spent
      const waiting = await db.kysely.selectFrom('change').select('id').limit(1).executeTakeFirst()
      const unsettled = this.#vault.row.head_sequence < this.#vault.row.next_sequence - 1
      const snapshot = waiting === undefined && !unsettled && this.#canSign && (anew || (await this.#snapshotDue()))
      if (waiting === undefined && !unsettled && !snapshot && !force) return
      this.#book.requireOwn()
      if (snapshot) await this.#writeSnapshot()
      for (;;) {
        const rows = await db.kysely
          .selectFrom('change')
          .selectAll()
          .where('segment', 'is', null)
          .orderBy('id')
          .limit(this.#limits.segmentLinesMax)
          .execute()
        if (rows.length === 0) break
        await this.#writeSegment(
          rows.map(({ line }) => line),
          rows[rows.length - 1]!.id,
        )
      }
      if (await this.#publishAmongOthers(spent + 1)) {
        if (snapshot) anew = false
        force = anew
        tried = -1
      } else await clock.sleep(jittered(RACE_MS * 2 ** Math.min(tried, 5)), this.#stop.signal)
    }
    throw new Failure('storage.contended', {
      detail: 'other sites wrote to the vault each time that this one tried',
      next: 'It is tried again by itself; nothing is lost.',
    })
  }

  /** False when another site has this epoch. */
  async #publishAmongOthers(epoch: number): Promise<boolean> {
    const { db, clock, places } = this.#vault.parts
    const key = this.#vault.parts.signer()
    const { head, last } = await nextHead(this.#vault, this.#book, { epoch, promised: this.#promised })
    const bytes = encodeVaultHead(head, key)
    const hash = headHash(bytes)
    if (!(await this.#others.publish({ epoch, hash, bytes, head: parseVaultHead(bytes) }, this.#stop.signal))) return false
    this.#vault.row = await db.transaction(async (tx) => {
      await tx.deleteFrom('change').where('segment', 'is not', null).execute()
      await tx
        .updateTable('vault')
        .set({ epoch, head_hash: hash, head_sequence: last, head_at: rfc3339(clock.now()) })
        .execute()
      await tx.updateTable('reshape').set({ head_threshold: head.k }).execute()
      await dropReplaced(tx)
      const locations = JSON.stringify(head.locations)
      const updated = await tx.updateTable('head_state').set({ locations }).executeTakeFirst()
      if (updated.numUpdatedRows === 0n) await tx.insertInto('head_state').values({ id: 1, root: null, locations }).execute()
      return tx.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
    })
    this.#missing = new Set(places.essential.map(({ id }) => id).filter((id) => !this.#others.holds(id)))
    await this.#forgetOldHeads(epoch)
    this.#vault.parts.changed()
    return true
  }

  get #canSign(): boolean {
    try {
      this.#vault.parts.signer()
      return true
    } catch {
      return false
    }
  }

  /** True when a place that answers lacks the newest head. */
  #missed(): boolean {
    return this.#vault.parts.places.essential.some(({ id, usable }) => usable && this.#missing.has(id))
  }

  async #writeSegment(lines: readonly string[], lastId: number): Promise<void> {
    const sequence = this.#vault.row.next_sequence
    const bytes = utf8(`${[this.#heading('segment', sequence), ...lines].join('\n')}\n`)
    await this.#vault.store(this.#object(sequence, oncePiece(bytes), bytes.length), async (tx, { deal }) => {
      if (this.#book.several)
        await tx.updateTable('change').set({ segment: sequence }).where('id', '<=', lastId).where('segment', 'is', null).execute()
      else await tx.deleteFrom('change').where('id', '<=', lastId).execute()
      await tx.insertInto('segment').values({ sequence, kind: 'segment', deal: deal.deal, lines: lines.length }).execute()
      await tx
        .updateTable('vault')
        .set({ next_sequence: sequence + 1 })
        .execute()
    })
    this.#vault.row = { ...this.#vault.row, next_sequence: sequence + 1 }
  }

  async #snapshotDue(): Promise<boolean> {
    const rows = await this.#vault.parts.db.kysely.selectFrom('segment').selectAll().execute()
    const segments = rows.filter(({ kind }) => kind === 'segment')
    const lines = segments.reduce((sum, row) => sum + row.lines, 0)
    const snapshot = rows.find(({ kind }) => kind === 'snapshot')?.lines ?? 0
    return segments.length >= this.#limits.segmentsMax || lines > Math.max(this.#limits.snapshotLinesMin, snapshot)
  }

  /**
   * The whole state is written to a file in the home first, inside one transaction, so that people wait for the disk and not for the clouds.
   * Changes made after it go into the next segment.
   */
  async #writeSnapshot(): Promise<void> {
    const sequence = this.#vault.row.next_sequence
    const file = join(this.#home, `.snapshot-${newId()}`)
    try {
      const heading = this.#heading('snapshot', sequence)
      const { several } = this.#book
      const dumped = await dumpCatalogue(this.#vault.parts.db, { file, heading, settled: several })
      if (dumped === undefined) return
      const { lines, lastId } = dumped
      await this.#vault.store(this.#object(sequence, createReadStream(file), undefined), async (tx, { deal }) => {
        await tx.deleteFrom('change').where('id', '<=', lastId).execute()
        await tx.deleteFrom('segment').execute()
        await tx.insertInto('segment').values({ sequence, kind: 'snapshot', deal: deal.deal, lines }).execute()
        await tx
          .updateTable('vault')
          .set({ next_sequence: sequence + 1 })
          .execute()
      })
      this.#vault.row = { ...this.#vault.row, next_sequence: sequence + 1 }
      if (!several) await this.#writeHead()
    } finally {
      await rm(file, { force: true })
    }
  }

  /** Writes the next head to every location that answers. Throws when fewer than k took it. */
  writeHead(): Promise<void> {
    const turn = this.#running.then(() => (this.#book.several ? this.#flushAmongOthers(true) : this.#writeHead()))
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #writeHead(): Promise<void> {
    const { db, places, clock, signer } = this.#vault.parts
    const key = signer()
    await this.#alone.requireNewest()
    const { row } = this.#vault
    // A crash between the writing of a head and our note of it leaves that epoch taken: the next one is ours.
    let epoch = row.epoch + 1
    for (let tried = 0; tried < EPOCHS_TRIED_MAX; tried++) {
      const { head, last } = await nextHead(this.#vault, this.#book, { epoch, promised: this.#promised })
      const bytes = encodeVaultHead(head, key)
      const standing = await this.#alone.publish(epoch, bytes)
      if (standing === 'taken') {
        epoch += 1
        continue
      }
      const update: Partial<VaultTable> = {
        epoch,
        head_hash: headHash(bytes),
        head_sequence: last,
        head_at: rfc3339(clock.now()),
      }
      await db.transaction(async (tx) => {
        await tx.updateTable('vault').set(update).execute()
        await tx.updateTable('reshape').set({ head_threshold: head.k }).execute()
      })
      this.#vault.row = { ...this.#vault.row, ...update }
      this.#missing = new Set(places.essential.map(({ id }) => id).filter((id) => !standing.has(id)))
      // Parts that the snapshot replaced go only now that a head names it.
      await dropReplaced(db.kysely)
      await this.#forgetOldHeads(epoch)
      this.#vault.parts.changed()
      return
    }
    throw new Failure('storage.read-only', {
      detail: 'another writer is ahead of us in the vault head',
      next: 'Find the other site that writes to this vault.',
    })
  }

  /**
   * Before anything is dealt with a smaller k: a reader takes nothing below k of the head, so the head says it first. Throws as `writeHead`
   * does; then nothing was promised.
   */
  async promise(k: number): Promise<void> {
    this.#promised = k
    try {
      await this.writeHead()
    } catch (error) {
      this.#promised = undefined
      throw error
    }
  }

  /** The vault's own k says it from here on. */
  promiseKept(): void {
    this.#promised = undefined
  }

  /** Writes the catalogue anew, in the shape that the vault has now. */
  snapshot(): Promise<void> {
    const turn = this.#running.then(async () => {
      if (this.#book.several) return this.#flushAmongOthers(true, true)
      await this.#alone.requireNewest()
      await this.#writeSnapshot()
    })
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #forgetOldHeads(epoch: number): Promise<void> {
    const old = epoch - HEADS_KEPT
    if (old < 1) return
    const { places, clock, stallMs } = this.#vault.parts
    const name = headName(this.#vault.row.vault, old)
    await Promise.allSettled(
      places.all
        .filter(({ usable }) => usable)
        .map((place) => within({ clock, ms: stallMs, label: place.label }, (signal) => place.location.discard(name, { signal }))),
    )
  }

  #heading(kind: 'snapshot' | 'segment', sequence: number): string {
    return encodeLine({ v: 1, kind, vault: this.#vault.row.vault, sequence, created: rfc3339(this.#vault.parts.clock.now()) })
  }

  #object(sequence: number, body: AsyncIterable<Uint8Array>, sizeBytes: number | undefined): Parameters<Vault['store']>[0] {
    return {
      object: newId(),
      purpose: 'catalogue',
      path: `catalogue/${sequence.toString(16).padStart(16, '0')}`,
      type: CATALOGUE_TYPE,
      body,
      sizeBytes,
    }
  }
}

/** Parts of the catalogue that a snapshot or another head replaced. */
async function dropReplaced(db: Store['kysely'] | Parameters<Parameters<Store['transaction']>[0]>[0]): Promise<void> {
  await db
    .updateTable('deal')
    .set({ state: 'dropping' })
    .where('purpose', '=', 'catalogue')
    .where('state', '=', 'stored')
    .where('deal', 'not in', (eb) => eb.selectFrom('segment').select('segment.deal'))
    .execute()
}

async function* oncePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
