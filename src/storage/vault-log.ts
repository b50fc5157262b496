// The catalogue in the vault itself: changes become segments, now and then a snapshot, and a head names them (docs/spec/vault.md).
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { equalPublic, Failure, rfc3339, utf8 } from '#base'
import { newId } from '#format'
import { dealLineOf } from './catalogue.ts'
import { CATALOGUE_TYPE, encodeLine } from './catalogue-lines.ts'
import { encodeVaultHead, HEAD_BYTES_MAX, headHash, headName, type HeadReference } from './head.ts'
import type { Place } from './place.ts'
import type { VaultTable } from './tables.ts'
import type { Vault } from './vault.ts'

/** The oldest change waits at most this long for its segment. */
const FLUSH_MS = 5000
const SEGMENT_LINES_MAX = 1000
/** A snapshot comes after this many segments, or when the segments outgrow the snapshot. */
const SEGMENTS_MAX = 64
const SNAPSHOT_LINES_MIN = 20_000
const PAGE_ROWS = 500
const HEADS_KEPT = 8
const EPOCHS_TRIED_MAX = 16

export class VaultLog {
  readonly #vault: Vault
  readonly #home: string
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #scheduled = false
  #failure: Failure | undefined

  constructor(vault: Vault, home: string) {
    this.#vault = vault
    this.#home = home
  }

  /** Why the newest changes are not in the vault yet. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Call after a change: it is in the vault at most five seconds later. */
  schedule(): void {
    if (this.#scheduled || this.#stop.signal.aborted) return
    this.#scheduled = true
    void this.#vault.parts.clock
      .sleep(FLUSH_MS, this.#stop.signal)
      .then(
        () => this.flush(),
        () => undefined,
      )
      .finally(() => {
        this.#scheduled = false
      })
      .catch(() => undefined)
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
      for (;;) {
        const rows = await this.#vault.parts.db.kysely.selectFrom('change').selectAll().orderBy('id').limit(SEGMENT_LINES_MAX).execute()
        if (rows.length === 0) break
        await this.#writeSegment(
          rows.map(({ line }) => line),
          rows.at(-1)!.id,
        )
      }
      if (await this.#snapshotDue()) await this.#writeSnapshot()
      if (this.#vault.row.head_sequence < this.#vault.row.next_sequence - 1) await this.writeHead()
      this.#failure = undefined
    } catch (error) {
      this.#failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
      this.#vault.parts.log.warn(
        { code: this.#failure.code, detail: this.#failure.message },
        'the catalogue could not be brought into the vault',
      )
      this.#vault.parts.changed()
      throw this.#failure
    }
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
    return segments.length >= SEGMENTS_MAX || lines > Math.max(SNAPSHOT_LINES_MIN, snapshot)
  }

  /**
   * The whole state is written to a file in the home first, inside one transaction, so that people wait for the disk and not for the clouds.
   * Changes made after it go into the next segment.
   */
  async #writeSnapshot(): Promise<void> {
    const { db } = this.#vault.parts
    const sequence = this.#vault.row.next_sequence
    const file = join(this.#home, `.snapshot-${newId()}`)
    try {
      const { lines, lastId } = await this.#dump(file, sequence)
      const dropped = await this.#vault.store(this.#object(sequence, createReadStream(file), undefined), async (tx, { deal }) => {
        await tx.deleteFrom('change').where('id', '<=', lastId).execute()
        const old = await tx.selectFrom('segment').select('deal').execute()
        await tx.deleteFrom('segment').execute()
        await tx.insertInto('segment').values({ sequence, kind: 'snapshot', deal: deal.deal, lines }).execute()
        await tx
          .updateTable('vault')
          .set({ next_sequence: sequence + 1 })
          .execute()
        return old.map((row) => row.deal)
      })
      this.#vault.row = { ...this.#vault.row, next_sequence: sequence + 1 }
      // The old segments go only after a head names the snapshot.
      await this.writeHead()
      await db.transaction(async (tx) => {
        for (let at = 0; at < dropped.committed.length; at += PAGE_ROWS) {
          await tx
            .updateTable('deal')
            .set({ state: 'dropping' })
            .where('deal', 'in', dropped.committed.slice(at, at + PAGE_ROWS))
            .execute()
        }
      })
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
        for (let after = ''; ;) {
          const rows = await tx.selectFrom('folder').selectAll().where('path', '>', after).orderBy('path').limit(PAGE_ROWS).execute()
          for (const row of rows) await write(encodeLine({ op: 'folder', path: row.path, created: row.created }))
          if (rows.length < PAGE_ROWS) break
          after = rows.at(-1)!.path
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
          for (const deal of deals) {
            if (deal.state === 'dropping') await write(encodeLine({ op: 'drop', dealId: deal.deal }))
            else await write(encodeLine(dealLineOf(deal, byDeal.get(deal.deal) ?? [])))
          }
          after = deals.at(-1)!.deal
        }
        for (let after = { file: '', number: 0 }; ;) {
          const rows = await tx
            .selectFrom('file_version as v')
            .innerJoin('file as f', 'f.file', 'v.file')
            .innerJoin('deal as d', 'd.deal', 'v.deal')
            .select(['v.file', 'f.path', 'v.number', 'd.object', 'd.version', 'd.deal', 'v.created', 'v.modified'])
            .where((eb) =>
              eb.or([eb('v.file', '>', after.file), eb.and([eb('v.file', '=', after.file), eb('v.number', '>', after.number)])]),
            )
            .orderBy('v.file')
            .orderBy('v.number')
            .limit(PAGE_ROWS)
            .execute()
          for (const row of rows) {
            const { file, path, number, object, version, deal, created, modified } = row
            await write(encodeLine({ op: 'file', file, path, number, object, version, dealId: deal, created, modified }))
          }
          if (rows.length < PAGE_ROWS) break
          after = { file: rows.at(-1)!.file, number: rows.at(-1)!.number }
        }
        const newest = await tx
          .selectFrom('change')
          .select((eb) => eb.fn.max('id').as('id'))
          .executeTakeFirst()
        return Number(newest?.id ?? 0)
      })
      out.end()
      await once(out, 'close')
      return { lines, lastId }
    } finally {
      out.destroy()
    }
  }

  /** Writes the next head to every location that answers. Throws when fewer than the quorum took it. */
  async writeHead(): Promise<void> {
    const { db, places, clock, signer } = this.#vault.parts
    const key = signer()
    const rows = await db.kysely
      .selectFrom('segment')
      .innerJoin('deal', 'deal.deal', 'segment.deal')
      .select(['segment.sequence', 'segment.kind', 'deal.deal', 'deal.object', 'deal.version'])
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
    // A crash between the writing of a head and our note of it leaves that epoch taken: the next one is ours.
    for (let epoch = row.epoch + 1; epoch <= row.epoch + EPOCHS_TRIED_MAX; epoch++) {
      const bytes = encodeVaultHead(
        {
          vault: row.vault,
          epoch,
          k: row.threshold,
          n: places.all.length,
          layout: row.layout,
          locations: places.all.map(({ id, x }) => ({ id, x })),
          catalogue: snapshot === undefined ? null : plain(snapshot),
          segments: references.filter(({ kind }) => kind === 'segment').map(plain),
          previous: row.head_hash,
          created: rfc3339(clock.now()),
          formerDealers: JSON.parse(row.former_dealers) as { mldsa65: string; ed25519: string }[],
        },
        key,
      )
      if ((await this.#publish(epoch, bytes)) === 'taken') continue
      const update: Partial<VaultTable> = {
        epoch,
        head_hash: headHash(bytes),
        head_sequence: rows.at(-1)?.sequence ?? 0,
        head_at: rfc3339(clock.now()),
      }
      await db.kysely.updateTable('vault').set(update).execute()
      this.#vault.row = { ...this.#vault.row, ...update }
      await this.#forgetOldHeads(epoch)
      this.#vault.parts.changed()
      return
    }
    throw new Failure('storage.read-only', {
      detail: 'another writer is ahead of us in the vault head',
      next: 'Find the other site that writes to this vault.',
    })
  }

  async #publish(epoch: number, bytes: Uint8Array): Promise<'written' | 'taken'> {
    const { places } = this.#vault.parts
    const { row } = this.#vault
    const name = headName(row.vault, epoch)
    const failures: Failure[] = []
    let written = 0
    let taken = false
    await Promise.all(
      places.all.map(async (place) => {
        if (!place.usable) {
          failures.push(
            new Failure('location.unreachable', { detail: place.view.detail || `${place.label} is not in use`, culprits: [place.label] }),
          )
          return
        }
        try {
          if ((await place.location.putIfAbsent(name, bytes)) === 'created' || (await holds(place, name, bytes))) written += 1
          else taken = true
        } catch (error) {
          const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
          place.failed(failure)
          failures.push(failure)
        }
      }),
    )
    if (taken) return 'taken'
    if (written >= row.threshold) return 'written'
    throw new Failure('storage.quorum', {
      detail: `only ${written} of ${places.all.length} locations took the vault head: ${failures.map(({ message }) => message).join('; ')}`,
      culprits: failures.flatMap(({ culprits }) => culprits),
      next: 'Bring the named locations back; names and folders of the last minutes are in the database of this site only.',
    })
  }

  async #forgetOldHeads(epoch: number): Promise<void> {
    const old = epoch - HEADS_KEPT
    if (old < 1) return
    const { places } = this.#vault.parts
    await Promise.allSettled(
      places.all.filter(({ usable }) => usable).map((place) => place.location.discard(headName(this.#vault.row.vault, old))),
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

async function holds(place: Place, name: string, bytes: Uint8Array): Promise<boolean> {
  const source = await place.location.open(name, { tailBytes: HEAD_BYTES_MAX })
  try {
    return equalPublic(source.tail, bytes)
  } finally {
    await source.close()
  }
}

async function* oncePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
