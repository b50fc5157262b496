// An open vault: what every piece of work on it needs, and the two that all others stand on, storing and reading an object.
import { type Clock, Failure, rfc3339, tracesOf } from '#base'
import type { Signer, VerifyingKeys } from '#crypto/primitives'
import { dealable, dealerFingerprint, type DealSpec, parseMeta, type Suite, verifyMeta } from '#format'
import type { ArenaPool } from './arena-pool.ts'
import type { Store } from './catalogue.ts'
import { deskSlots } from './chunk-desk.ts'
import type { ChunkPool } from './chunk-pool.ts'
import type { Candidate, Known } from './frame-search.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import { addMissed, dropIntent, insertIntent, newFragmentName, undoIfPossible, writtenFragments } from './intent.ts'
import { ObjectReader } from './object-reader.ts'
import { WriteFailed, writeObject, type WriteOutcome } from './object-writer.ts'
import type { Place } from './place.ts'
import type { Places } from './places.ts'
import { Readings } from './readings.ts'
import type { DealTable, FragmentTable, VaultTable } from './tables.ts'

export interface StorageLog {
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
}

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]

/** What makes a stored dealing count, in the transaction that stores it. */
export type Commit<T> = (
  tx: Tx,
  stored: { readonly deal: DealTable; readonly fragments: readonly FragmentTable[]; readonly modified: string },
) => Promise<T>

export interface VaultParts {
  readonly db: Store
  readonly places: Places
  /** For reading, scrubbing and the catalogue's own objects. */
  readonly arenas: ArenaPool
  /** For uploads, which people may feed slowly. */
  readonly uploadArenas: ArenaPool
  readonly pool: ChunkPool
  readonly clock: Clock
  readonly log: StorageLog
  /** Throws `crypto.passphrase` while the signing keys are locked. */
  readonly signer: () => Signer
  /** Public keys of all who dealt objects of this vault. */
  readonly dealers: readonly VerifyingKeys[]
  /** Something people see has changed. */
  readonly changed: () => void
  /** Hears what other sites did; false where this one writes alone, or cannot hear. What they replaced is not lost. */
  readonly news: () => Promise<boolean>
  readonly stallMs: number
  readonly hedgeMs: number
}

/** Dealings whose frames the gateway remembers for ranged reads, and for how long. */
const KNOWN_MAX = 500
const KNOWN_MS = 10 * 60_000
const SHAPES_TRIED_MAX = 5

export class Vault {
  readonly parts: VaultParts
  row: VaultTable
  /** Intents and commits of uploads at the same time share their transactions. */
  readonly #group: GroupCommit
  readonly #known = new Map<string, { readonly known: Known; readonly untilMs: number }>()
  readonly readings: Readings

  constructor(parts: VaultParts, row: VaultTable) {
    this.parts = parts
    this.row = row
    this.#group = createGroupCommit(parts.db)
    this.readings = new Readings(parts.changed)
  }

  get suite(): Suite {
    return this.row.layout === 'shared' ? 1 : 2
  }

  /** Locations, of n, that must hold a new object: all, or all but one, never fewer than k. */
  quorum(k: number, n: number): number {
    return this.row.require_all === 1 ? n : Math.max(k, n - 1)
  }

  /**
   * Deals a body to all locations. The intent is durable before the first byte leaves, and the dealing stays `writing` until the caller's
   * `commit` has run in one transaction with what makes it count. When anything fails, nothing of it stays.
   */
  async store<T>(
    request: {
      readonly object: string
      readonly purpose: 'file' | 'catalogue'
      readonly path: string
      readonly type: string
      /** When the content was first dealt, if that is not now: of what is dealt anew. */
      readonly created?: string | undefined
      readonly modified?: string | undefined
      readonly user?: string | undefined
      readonly ext?: DealSpec['ext'] | undefined
      readonly sizeBytes?: number | undefined
      readonly body: AsyncIterable<Uint8Array>
      readonly chunkLog2?: number
      readonly signal?: AbortSignal | undefined
    },
    commit: Commit<T>,
  ): Promise<{ readonly outcome: WriteOutcome; readonly committed: T }> {
    // A change may take the shape away between the look at it and the intent; nothing of the body is read before that.
    for (let tried = 1; ; tried++) {
      const stored = await this.#store(request, commit)
      if (stored !== undefined) return stored
      if (tried >= SHAPES_TRIED_MAX) throw reshapedAlways()
    }
  }

  async #store<T>(
    request: Parameters<typeof this.store>[0],
    commit: Commit<T>,
  ): Promise<{ readonly outcome: WriteOutcome; readonly committed: T } | undefined> {
    const { places, clock, signer } = this.parts
    const arenas = request.purpose === 'file' ? this.parts.uploadArenas : this.parts.arenas
    const created = request.created ?? rfc3339(clock.now())
    const key = signer()
    // Locations and shape may change while this runs: that counts from the next object on.
    const all = places.active
    const n = all.length
    const { threshold: k, layout } = this.row
    const { suite } = this
    if (!dealable(k, n)) throw new Failure('crypto.threshold', { detail: `${k} of ${n} is not offered: a disaster could not search it` })
    const chunkLog2 = request.chunkLog2 ?? 18
    const pool = (await this.parts.pool.serves({ sizeBytes: request.sizeBytes, chunkLog2, n })) ? this.parts.pool : undefined
    // A small file needs one slot; so does a file whose chunks are dealt elsewhere.
    const slots = pool !== undefined || smallerThanChunk(request.sizeBytes, chunkLog2) ? 1 : deskSlots(n)
    const arena = await arenas.take({ suite, k, rows: n, chunkLog2, slots }, request.signal)
    let intent: Intent | undefined
    let arenaFree = true
    try {
      intent = await this.#begin({ ...request, created, k, all, chunkLog2, layout })
      if (intent === undefined) return undefined
      const spec: DealSpec = {
        suite,
        k,
        n,
        chunkLog2,
        rng: 0,
        vault: this.row.vault,
        object: request.object,
        version: intent.version,
        ext: request.ext ?? [],
      }
      const targets = all.map((place, index) => ({ place, x: index + 1, name: intent!.names[index]! }))
      const outcome = await writeObject({
        arena,
        spec,
        targets,
        body: request.body,
        meta: { path: request.path, type: request.type, created, modified: request.modified, user: request.user ?? 'local' },
        sizeBytes: request.sizeBytes,
        signer: key,
        quorum: this.quorum(k, n),
        stallMs: this.parts.stallMs,
        clock,
        signal: request.signal,
        pool,
      })
      arenaFree = outcome.arenaFree
      const committed = await this.commitWritten({ ...request, ...intent, k, n, chunkLog2, created, layout }, outcome, commit)
      return { outcome, committed }
    } catch (error) {
      if (error instanceof WriteFailed) arenaFree = error.arenaFree
      if (intent !== undefined) await undoIfPossible(this.parts, intent.provisional)
      throw error instanceof WriteFailed ? error.failure : error
    } finally {
      if (arenaFree) arenas.release(arena)
      else arenas.abandon(arena)
    }
  }

  /** One transaction turns an intent into a stored dealing, together with what makes it count. */
  async commitWritten<T>(
    written: Pick<DealTable, 'object' | 'version' | 'k' | 'n' | 'type' | 'created' | 'purpose'> & {
      readonly provisional: string
      readonly chunkLog2: number
      /** Of the vault when it began; the vault may have another one by now. */
      readonly layout?: DealTable['layout']
    },
    outcome: WriteOutcome,
    commit: Commit<T>,
  ): Promise<T> {
    const { provisional, object, version, k, n, type, created, purpose } = written
    return this.#group.run(async (tx) => {
      const deal: DealTable = {
        deal: outcome.dealId,
        object,
        version,
        k,
        n,
        layout: written.layout ?? this.row.layout,
        chunk_log2: written.chunkLog2,
        size: outcome.sizeBytes,
        padded: outcome.paddedBytes,
        type,
        created,
        state: 'stored',
        purpose,
      }
      await dropIntent(tx, provisional)
      await tx.insertInto('deal').values(deal).execute()
      const fragments = writtenFragments(outcome.dealId, outcome)
      await tx.insertInto('fragment').values(fragments).execute()
      await addMissed(tx, outcome)
      return commit(tx, { deal, fragments, modified: outcome.modified })
    })
  }

  /** Opens an object by its dealing; its META must be signed by a dealer of the vault and fit the catalogue. Close the reader. */
  async open(deal: DealTable, signal?: AbortSignal): Promise<ObjectReader> {
    const reader = await this.#openAsOfNow(deal, signal)
    if (reader.meta.size === deal.size) return reader
    // A part of the catalogue that another site wrote and this one had no need to read: its size shows only here.
    if (deal.purpose === 'catalogue' && deal.size === 0) {
      await this.parts.db.kysely
        .updateTable('deal')
        .set({ size: reader.meta.size, padded: reader.assembly.totals.paddedLen })
        .where('deal', '=', deal.deal)
        .execute()
      return reader
    }
    await reader.close()
    throw new Failure('format.mismatch', { detail: 'the fragments tell another size than the catalogue' })
  }

  /** Another site may have put a new set in the place of the one that is known here. */
  async #openAsOfNow(deal: DealTable, signal: AbortSignal | undefined): Promise<ObjectReader> {
    try {
      return await this.openUnchecked(deal, signal)
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled' || !(await this.parts.news())) throw error
      return this.openUnchecked(deal, signal)
    }
  }

  /** As `open`, while the catalogue does not know the size yet. */
  async openUnchecked(
    deal: Pick<DealTable, 'deal' | 'k' | 'object' | 'version'>,
    signal?: AbortSignal,
    among?: readonly Candidate[],
  ): Promise<ObjectReader> {
    const { clock } = this.parts
    const leave = this.readings.begin(deal.deal)
    let reader: ObjectReader
    let known: Known | undefined
    try {
      // k belongs to the set whose names these are: a change may have put another in its place since the caller looked.
      const { candidates, k } = among === undefined ? await this.set(deal) : { candidates: among, k: deal.k }
      const remembered = this.#known.get(deal.deal)
      known = remembered !== undefined && remembered.untilMs > clock.now() ? remembered.known : undefined
      reader = await ObjectReader.open({
        candidates,
        asked: { k, vault: this.row.vault, object: deal.object, version: deal.version, dealId: deal.deal },
        arenas: this.parts.arenas,
        clock,
        hedgeMs: this.parts.hedgeMs,
        stallMs: this.parts.stallMs,
        onBlame: (blamed) => void this.blame(deal.deal, blamed),
        onClose: leave,
        signal,
        known,
      })
    } catch (error) {
      leave()
      throw error
    }
    if (known !== undefined) return reader
    if (!this.#signed(reader)) {
      await reader.close()
      throw new Failure('format.signature', {
        detail: 'the object is not signed by a dealer of this vault',
        next: 'Look at who can write to the locations: k of them together made this.',
      })
    }
    this.#remember(deal.deal, reader.known)
    return reader
  }

  #signed(reader: ObjectReader): boolean {
    const parsed = parseMeta(reader.assembly.meta)
    const dealer = this.parts.dealers.find((keys) => dealerFingerprint(keys) === parsed.meta.dealer)
    return dealer !== undefined && verifyMeta(parsed, dealer, reader.assembly.keys.contentId)
  }

  /** Where the fragments of a dealing should lie and can be asked for, and its k, as of one moment. */
  async set(deal: Pick<DealTable, 'deal' | 'k'>): Promise<{ readonly candidates: Candidate[]; readonly k: number }> {
    const rows = await this.parts.db.kysely
      .selectFrom('fragment')
      .innerJoin('deal', 'deal.deal', 'fragment.deal')
      .select(['fragment.x', 'fragment.location', 'fragment.name', 'fragment.state', 'deal.k'])
      .where('fragment.deal', '=', deal.deal)
      .execute()
    const candidates = rows.flatMap((row) => {
      const place = this.parts.places.byId(row.location)
      return place === undefined || row.name === null ? [] : [{ place, x: row.x, name: row.name, suspect: row.state !== 'held' }]
    })
    return { candidates, k: rows[0]?.k ?? deal.k }
  }

  /** Notes that a fragment is lost or damaged, so that repair brings it back. */
  async blame(
    deal: string,
    blamed: { readonly candidate: Candidate; readonly kind: 'lost' | 'corrupt'; readonly detail: string },
  ): Promise<void> {
    const { candidate, kind, detail } = blamed
    this.forget(deal)
    try {
      await this.parts.db.kysely
        .updateTable('fragment')
        .set({ state: kind })
        .where('deal', '=', deal)
        .where('location', '=', candidate.place.id)
        .where('name', '=', candidate.name)
        .where('state', 'in', ['held', 'lost', 'corrupt'])
        .execute()
      this.parts.log.warn({ location: candidate.place.label, fragment: candidate.name, kind, detail }, 'a fragment is not as it should be')
      this.parts.changed()
    } catch (error) {
      this.parts.log.warn({ causes: tracesOf(error) }, 'a finding could not be noted')
    }
  }

  forget(deal: string): void {
    this.#known.delete(deal)
  }

  #remember(deal: string, known: Known): void {
    this.#known.delete(deal)
    this.#known.set(deal, { known, untilMs: this.parts.clock.now() + KNOWN_MS })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KNOWN_MAX) break
      this.#known.delete(oldest)
    }
  }

  /** The intent: which names will be written, durable before the first byte. */
  async begin(
    request: {
      readonly object: string
      readonly purpose: 'file' | 'catalogue'
      readonly type: string
      readonly created: string
      readonly chunkLog2: number
    },
    also: (tx: Tx, intent: string) => Promise<void>,
  ): Promise<Intent> {
    for (let tried = 1; tried <= SHAPES_TRIED_MAX; tried++) {
      const { threshold: k, layout } = this.row
      const intent = await this.#begin({ ...request, k, layout, all: this.parts.places.active }, also)
      if (intent !== undefined) return intent
    }
    throw reshapedAlways()
  }

  /** Undefined when the shape is not wanted any more. */
  async #begin(
    request: {
      readonly object: string
      readonly purpose: 'file' | 'catalogue'
      readonly type: string
      readonly created: string
      readonly k: number
      readonly all: readonly Place[]
      readonly chunkLog2: number
      readonly layout: DealTable['layout']
    },
    also?: (tx: Tx, intent: string) => Promise<void>,
  ): Promise<Intent | undefined> {
    const { all, object, k, layout, chunkLog2, type, created, purpose } = request
    const names = all.map(() => newFragmentName())
    const begun = await this.#group.run(async (tx) => {
      const wanted = await tx.selectFrom('vault').select(['threshold', 'layout']).executeTakeFirstOrThrow()
      const leaving = await tx.selectFrom('leaving').select(['location', 'phase']).execute()
      const reshaped = wanted.threshold !== k || wanted.layout !== layout
      if (reshaped || all.some(({ id }) => leaving.some(({ location }) => location === id))) {
        this.row = { ...this.row, ...wanted }
        for (const { location, phase } of leaving) this.parts.places.depart(location, phase)
        return undefined
      }
      const newest = await tx
        .selectFrom('deal')
        .select((eb) => eb.fn.max('version').as('version'))
        .where('object', '=', object)
        .executeTakeFirst()
      const version = (newest?.version ?? 0) + 1
      const provisional = await insertIntent(
        tx,
        { object, version, k, n: all.length, layout, chunk_log2: chunkLog2, type, created, purpose },
        all.map((place, index) => ({ x: index + 1, location: place.id, name: names[index]! })),
      )
      await also?.(tx, provisional)
      return { provisional, version }
    })
    return begun === undefined ? undefined : { ...begun, names }
  }
}

function reshapedAlways(): Failure {
  return new Failure('storage.read-only', { detail: 'the shape of the vault changes all the time' })
}

export interface Intent {
  /** The key of the intent's rows; the dealing draws its own id. */
  readonly provisional: string
  readonly version: number
  readonly names: readonly string[]
}

function smallerThanChunk(sizeBytes: number | undefined, chunkLog2: number): boolean {
  return sizeBytes !== undefined && sizeBytes < 2 ** chunkLog2
}
