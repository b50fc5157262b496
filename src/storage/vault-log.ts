// The catalogue in the vault itself: changes become segments, now and then a snapshot, and a head names them (docs/spec/vault.md).
import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { equalPublic, Failure, rfc3339, utf8 } from '#base'
import { newId } from '#format'
import { AmongOthers, type HeadView, jittered } from './among-others.ts'
import type { Store } from './catalogue.ts'
import { CATALOGUE_TYPE, encodeLine } from './catalogue-lines.ts'
import { describedLocations, leftLocations, noteDescription } from './description.ts'
import type { Followed } from './follow.ts'
import {
  encodeKeys,
  encodeVaultHead,
  HEAD_BYTES_MAX,
  headHash,
  headName,
  type HeadReference,
  parseVaultHead,
  type VaultHead,
} from './head.ts'
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
const SNAPSHOT_FILE = /^\.snapshot-[0-9a-f]{32}$/

export class VaultLog {
  readonly #vault: Vault
  readonly #home: string
  readonly #book: WriterBook
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
  /** True once the places were asked whether the vault is newer than the database. */
  #newest = false
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

  async #follow(): Promise<void> {
    try {
      if (this.#book.several) this.#spent = await this.#others.establish(this.#stop.signal)
      else await this.#others.look(this.#stop.signal)
      this.#lag = undefined
    } catch (error) {
      this.#lag = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
      if (!this.#stop.signal.aborted)
        this.#vault.parts.log.warn({ code: this.#lag.code, detail: this.#lag.message }, 'other writers could not be followed')
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
        { code: this.#failure.code, detail: this.#failure.message },
        'the catalogue could not be brought into the vault',
      )
      this.#vault.parts.changed()
      throw this.#failure
    }
  }

  async #flushAlone(): Promise<void> {
    for (;;) {
      if (await this.#snapshotDue()) {
        await this.#requireNewest()
        await this.#writeSnapshot()
      }
      const rows = await this.#vault.parts.db.kysely
        .selectFrom('change')
        .selectAll()
        .orderBy('id')
        .limit(this.#limits.segmentLinesMax)
        .execute()
      if (rows.length === 0) break
      await this.#requireNewest()
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
    const { head, last } = await this.#nextHead(epoch)
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
    await this.#requireNewest()
    const { row } = this.#vault
    // A crash between the writing of a head and our note of it leaves that epoch taken: the next one is ours.
    let epoch = row.epoch + 1
    for (let tried = 0; tried < EPOCHS_TRIED_MAX; tried++) {
      const { head, last } = await this.#nextHead(epoch)
      const bytes = encodeVaultHead(head, key)
      const standing = await this.#publish(epoch, bytes)
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

  /** What the next head says: the parts of the catalogue as the database lists them. */
  async #nextHead(epoch: number): Promise<{ readonly head: Parameters<typeof encodeVaultHead>[0]; readonly last: number }> {
    const { db, clock } = this.#vault.parts
    const { row } = this.#vault
    const rows = await db.kysely
      .selectFrom('segment')
      .innerJoin('deal', 'deal.deal', 'segment.deal')
      .select(['segment.sequence', 'segment.kind', 'deal.deal', 'deal.object', 'deal.version', 'deal.k'])
      .orderBy('segment.sequence')
      .execute()
    const references: (HeadReference & { kind: string })[] = []
    for (const row of rows) {
      const fragments = await db.kysely
        .selectFrom('fragment')
        .select(['x', 'location', 'name'])
        .where('deal', '=', row.deal)
        .where('name', 'is not', null)
        .orderBy('x')
        .execute()
      references.push({
        kind: row.kind,
        object: row.object,
        version: row.version,
        dealId: row.deal,
        sequence: row.sequence,
        fragments: fragments.map(({ x, location, name }) => ({ x, location, name: name! })),
      })
    }
    const plain = ({ kind: _, ...reference }: HeadReference & { kind: string }): HeadReference => reference
    const snapshot = references.find(({ kind }) => kind === 'snapshot')
    const locations = await this.#locations()
    return {
      head: {
        vault: row.vault,
        epoch,
        k: await this.#headThreshold(rows),
        n: locations.length,
        layout: row.layout,
        locations,
        catalogue: snapshot === undefined ? null : plain(snapshot),
        segments: references.filter(({ kind }) => kind === 'segment').map(plain),
        previous: row.head_hash,
        created: rfc3339(clock.now()),
        formerDealers: JSON.parse(row.former_dealers) as { mldsa65: string; ed25519: string }[],
        ...this.#book.forHead,
      },
      last: rows.at(-1)?.sequence ?? 0,
    }
  }

  /** Ours, and those that another site added and the catalogue still describes. */
  async #locations(): Promise<VaultHead['locations']> {
    const { db, places } = this.#vault.parts
    const named = places.essential.map(({ id, x }) => (places.departure(id) === undefined ? { id, x } : { id, x, leaving: true as const }))
    if (!this.#book.several) return named
    const left = await leftLocations(db)
    const own = named.filter(({ id }) => !left.has(id))
    const state = await db.kysely.selectFrom('head_state').select('locations').executeTakeFirst()
    const told = state?.locations == null ? [] : (JSON.parse(state.locations) as VaultHead['locations'])
    const described = await describedLocations(db)
    const others = told.filter(({ id }) => places.all.every((one) => one.id !== id) && described.has(id))
    return [...own, ...others].toSorted((a, b) => a.x - b.x)
  }

  /**
   * k of the head is what a reader holds against the parts of the catalogue and against dealings that it does not describe: it rises only when
   * none of them has a smaller one (docs/spec/vault.md, "Change").
   */
  async #headThreshold(parts: readonly { readonly k: number }[]): Promise<number> {
    const { db } = this.#vault.parts
    const writing = await db.kysely
      .selectFrom('deal')
      .select((eb) => eb.fn.min('k').as('k'))
      .where('state', '=', 'writing')
      .executeTakeFirst()
    const before = await db.kysely.selectFrom('reshape').select('head_threshold').executeTakeFirst()
    const unwritten = before !== undefined && (await this.pendingChanges()) > 0 ? before.head_threshold : undefined
    const all = [this.#vault.row.threshold, this.#promised, writing?.k, unwritten, ...parts.map(({ k }) => k)]
    return Math.min(...all.filter((k) => typeof k === 'number'))
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
      await this.#requireNewest()
      await this.#writeSnapshot()
    })
    this.#running = turn.catch(() => undefined)
    return turn
  }

  /** Answers the places at which these bytes stand now, or `taken` when another head of ours has this epoch. */
  async #publish(epoch: number, bytes: Uint8Array): Promise<ReadonlySet<string> | 'taken'> {
    const { places, clock, stallMs } = this.#vault.parts
    const { row } = this.#vault
    const name = headName(row.vault, epoch)
    const failures: Failure[] = []
    const standing = new Set<string>()
    let taken = false
    const put = async (place: Place): Promise<void> => {
      if (!place.usable) {
        failures.push(
          new Failure('location.unreachable', { detail: place.view.detail || `${place.label} is not in use`, culprits: [place.label] }),
        )
        return
      }
      const patience = { clock, ms: stallMs, label: place.label }
      try {
        if ((await within(patience, (signal) => place.location.putIfAbsent(name, bytes, { signal }))) === 'created') standing.add(place.id)
        else {
          const found = await within(patience, (signal) => readSmall(place, name, signal))
          if (equalPublic(found, bytes)) standing.add(place.id)
          else if (this.#isOurs(found, epoch)) taken = true
          else
            throw new Failure('location.lies', {
              detail: `${place.label} holds something else under the name of the vault head`,
              culprits: [place.label],
            })
        }
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
        place.failed(failure)
        failures.push(failure)
      }
    }
    const named = places.essential
    await Promise.all(named.map(put))
    if (taken) return 'taken'
    if (standing.size >= row.threshold) return standing
    throw new Failure('storage.quorum', {
      detail: `only ${standing.size} of ${named.length} locations took the vault head: ${failures.map(({ message }) => message).join('; ')}`,
      culprits: failures.flatMap(({ culprits }) => culprits),
      next: 'Bring the named locations back; names and folders of the last minutes are in the database of this site only.',
    })
  }

  /** A head of this epoch that we signed ourselves, in a run that died before it could say so. Throws when it knows more than our database. */
  #isOurs(bytes: Uint8Array, epoch: number): boolean {
    const head = headOf(bytes)
    if (head === undefined || head.vault !== this.#vault.row.vault || head.epoch !== epoch || !this.#signed(head)) return false
    if (newestSequence(head) >= this.#vault.row.next_sequence) throw older()
    return true
  }

  #signed({ dealer }: { readonly dealer: VaultHead['dealer'] }): boolean {
    const own = encodeKeys(this.#vault.parts.signer().keys)
    return dealer.mldsa65 === own.mldsa65 && dealer.ed25519 === own.ed25519
  }

  /**
   * Once in each run, before the first write: a database that was put back from a backup, or whose vault was recovered by another home, must
   * not write over what came after it. A part of the catalogue is in the database before a head names it, so no crash looks like this.
   */
  async #requireNewest(): Promise<void> {
    if (this.#newest) return
    const { places, clock, stallMs } = this.#vault.parts
    const { row } = this.#vault
    const newer = await Promise.all(
      places.all
        .filter(({ usable }) => usable)
        .map(async (place) => {
          const patience = { clock, ms: stallMs, label: place.label }
          try {
            const after = headName(row.vault, row.epoch)
            const page = await within(patience, (signal) => place.location.list({ prefix: `head/${row.vault}/`, after }, { signal }))
            const name = page.entries.at(-1)?.name
            return name === undefined ? undefined : headOf(await within(patience, (signal) => readSmall(place, name, signal)))
          } catch (error) {
            if (error instanceof Failure) place.failed(error)
            return undefined
          }
        }),
    )
    const ahead = newer.filter((head) => head !== undefined && head.vault === row.vault && newestSequence(head) >= row.next_sequence)
    const successors = ahead.filter((head) => head!.formerDealers.some((dealer) => this.#signed({ dealer })))
    // Our own signature nobody forges; a successor's counts when more places show it than may lie together.
    if (ahead.some((head) => this.#signed(head!)) || successors.length >= row.threshold) throw older()
    this.#newest = true
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

function headOf(bytes: Uint8Array): VaultHead | undefined {
  try {
    return parseVaultHead(bytes)
  } catch {
    return undefined
  }
}

/** Sequence of the newest part of the catalogue that the head names. */
function newestSequence(head: VaultHead): number {
  return Math.max(0, head.catalogue?.sequence ?? 0, ...head.segments.map(({ sequence }) => sequence))
}

function older(): Failure {
  return new Failure('storage.read-only', {
    detail:
      'the vault is newer than the database of this home, which was put back from a backup, or whose vault another home has taken over',
    next: 'Recover the vault into a new, empty QUORATE_HOME (quorate recover); nothing of it was written over.',
  })
}

async function readSmall(place: Place, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const source = await place.location.open(name, { tailBytes: HEAD_BYTES_MAX, signal })
  try {
    return source.tail.slice()
  } finally {
    await source.close()
  }
}

async function* oncePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
