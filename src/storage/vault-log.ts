// The catalogue in the vault itself: changes become segments, now and then a snapshot, and a head names them (docs/spec/vault.md).
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { equalPublic, Failure, rfc3339, utf8 } from '#base'
import { newId } from '#format'
import { dealLineOf } from './catalogue.ts'
import { CATALOGUE_TYPE, encodeLine } from './catalogue-lines.ts'
import { descriptionLines, noteDescription } from './description.ts'
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
import { pastLines } from './past-lines.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { VaultTable } from './tables.ts'
import type { Vault } from './vault.ts'

export interface LogLimits {
  /** The oldest change waits at most this long for its segment. */
  readonly flushMs: number
  readonly segmentLinesMax: number
  /** A snapshot comes after this many segments, or when the segments outgrow the snapshot. */
  readonly segmentsMax: number
  readonly snapshotLinesMin: number
}

export const logLimits: LogLimits = { flushMs: 5000, segmentLinesMax: 1000, segmentsMax: 64, snapshotLinesMin: 20_000 }

/** After a failure in a row the next try comes later, at most this late. */
const RETRY_MS_MAX = 60_000
const PAGE_ROWS = 500
const HEADS_KEPT = 8
const EPOCHS_TRIED_MAX = 16
const SNAPSHOT_FILE = /^\.snapshot-[0-9a-f]{32}$/

export class VaultLog {
  readonly #vault: Vault
  readonly #home: string
  readonly #limits: LogLimits
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #scheduled = false
  #failure: Failure | undefined
  #failures = 0
  /** True once the places were asked whether the vault is newer than the database. */
  #newest = false
  /** Places that are known to lack the newest head. */
  #missing = new Set<string>()

  constructor(vault: Vault, home: string, limits: Partial<LogLimits> = {}) {
    this.#vault = vault
    this.#home = home
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
      await tx.deleteFrom('change').where('id', '<=', lastId).execute()
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
      const { lines, lastId } = await this.#dump(file, sequence)
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
      await this.#writeHead()
    } finally {
      await rm(file, { force: true })
    }
  }

  async #dump(file: string, sequence: number): Promise<{ lines: number; lastId: number }> {
    const out = createWriteStream(file, { mode: 0o600, flags: 'wx' })
    let lines = 0
    const write = async (line: string): Promise<void> => {
      lines += 1
      if (!out.write(`${line}\n`)) await once(out, 'drain')
    }
    try {
      const lastId = await this.#vault.parts.db.transaction(async (tx) => {
        out.write(`${this.#heading('snapshot', sequence)}\n`)
        for (const line of await descriptionLines(tx)) await write(line)
        for (let after = ''; ;) {
          const rows = await tx.selectFrom('folder').selectAll().where('path', '>', after).orderBy('path').limit(PAGE_ROWS).execute()
          for (const row of rows) await write(encodeLine({ op: 'folder', path: row.path, created: row.created }))
          if (rows.length < PAGE_ROWS) break
          after = rows[rows.length - 1]!.path
        }
        for (let after = ''; ;) {
          const deals = await tx
            .selectFrom('deal')
            .selectAll()
            .where('purpose', '=', 'file')
            .where('state', '!=', 'writing')
            .where('deal', '>', after)
            .orderBy('deal')
            .limit(PAGE_ROWS)
            .execute()
          if (deals.length === 0) break
          const fragments = await tx
            .selectFrom('fragment')
            .selectAll()
            .where(
              'deal',
              'in',
              deals.map(({ deal }) => deal),
            )
            .orderBy('x')
            .execute()
          const byDeal = Map.groupBy(fragments, ({ deal }) => deal)
          const sets = await tx
            .selectFrom('deal_set')
            .select(['deal', 'generation', 'set_id as setId'])
            .where(
              'deal',
              'in',
              deals.map(({ deal }) => deal),
            )
            .execute()
          const setOf = new Map(sets.map((set) => [set.deal, set]))
          for (const deal of deals) {
            if (deal.state === 'dropping') await write(encodeLine({ op: 'drop', dealId: deal.deal }))
            else await write(encodeLine(dealLineOf(deal, byDeal.get(deal.deal) ?? [], setOf.get(deal.deal))))
          }
          after = deals[deals.length - 1]!.deal
        }
        for (let after = { file: '', number: 0 }; ;) {
          const rows = await tx
            .selectFrom('file_version as v')
            .innerJoin('file as f', 'f.file', 'v.file')
            .innerJoin('deal as d', 'd.deal', 'v.deal')
            .select(['v.file', 'f.path', 'v.number', 'd.object', 'd.version', 'd.deal', 'v.created', 'v.modified', 'v.at'])
            .where((eb) =>
              eb.or([eb('v.file', '>', after.file), eb.and([eb('v.file', '=', after.file), eb('v.number', '>', after.number)])]),
            )
            .orderBy('v.file')
            .orderBy('v.number')
            .limit(PAGE_ROWS)
            .execute()
          for (const row of rows) {
            const { deal, ...rest } = row
            await write(encodeLine({ op: 'file', ...rest, dealId: deal }))
          }
          if (rows.length < PAGE_ROWS) break
          after = { file: rows[rows.length - 1]!.file, number: rows[rows.length - 1]!.number }
        }
        for await (const line of pastLines(tx)) await write(encodeLine(line))
        const newest = await tx
          .selectFrom('change')
          .select((eb) => eb.fn.max('id').as('id'))
          .executeTakeFirst()
        return newest?.id ?? 0
      })
      out.end()
      await once(out, 'close')
      return { lines, lastId }
    } finally {
      out.destroy()
    }
  }

  /** Writes the next head to every location that answers. Throws when fewer than k took it. */
  writeHead(): Promise<void> {
    const turn = this.#running.then(() => this.#writeHead())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #writeHead(): Promise<void> {
    const { db, places, clock, signer } = this.#vault.parts
    const key = signer()
    await this.#requireNewest()
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
    const { row } = this.#vault
    const k = await this.#headThreshold(rows)
    const named = places.essential
    // A crash between the writing of a head and our note of it leaves that epoch taken: the next one is ours.
    let epoch = row.epoch + 1
    for (let tried = 0; tried < EPOCHS_TRIED_MAX; tried++) {
      const bytes = encodeVaultHead(
        {
          vault: row.vault,
          epoch,
          k,
          n: named.length,
          layout: row.layout,
          locations: named.map(({ id, x }) => (places.departure(id) === undefined ? { id, x } : { id, x, leaving: true })),
          catalogue: snapshot === undefined ? null : plain(snapshot),
          segments: references.filter(({ kind }) => kind === 'segment').map(plain),
          previous: row.head_hash,
          created: rfc3339(clock.now()),
          formerDealers: JSON.parse(row.former_dealers) as { mldsa65: string; ed25519: string }[],
        },
        key,
      )
      const standing = await this.#publish(epoch, bytes)
      if (standing === 'taken') {
        epoch += 1
        continue
      }
      const update: Partial<VaultTable> = {
        epoch,
        head_hash: headHash(bytes),
        head_sequence: rows.at(-1)?.sequence ?? 0,
        head_at: rfc3339(clock.now()),
      }
      await db.transaction(async (tx) => {
        await tx.updateTable('vault').set(update).execute()
        await tx.updateTable('reshape').set({ head_threshold: k }).execute()
      })
      this.#vault.row = { ...this.#vault.row, ...update }
      this.#missing = new Set(named.map(({ id }) => id).filter((id) => !standing.has(id)))
      // Parts that the snapshot replaced go only now that a head names it.
      await db.kysely
        .updateTable('deal')
        .set({ state: 'dropping' })
        .where('purpose', '=', 'catalogue')
        .where('state', '=', 'stored')
        .where('deal', 'not in', (eb) => eb.selectFrom('segment').select('segment.deal'))
        .execute()
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
    const all = [this.#vault.row.threshold, writing?.k, unwritten, ...parts.map(({ k }) => k)]
    return Math.min(...all.filter((k) => typeof k === 'number'))
  }

  /** Writes the catalogue anew, in the shape that the vault has now. */
  snapshot(): Promise<void> {
    const turn = this.#running.then(async () => {
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
