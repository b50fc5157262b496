// What all parts of an open site share: its database, its vault, work under way, and what it tells.
import { type Clock, Failure, rfc3339, systemClock, tracesOf } from '#base'
import type { Signer, VerifyingKeys } from '#crypto/primitives'
import type { Database, DatabasePlace, Transaction } from '#database'
import { type ArenaPool, createArenaPool } from './arena-pool.ts'
import type { Store } from './catalogue.ts'
import { type ChunkPool, createChunkPool } from './chunk-pool.ts'
import { sweepDrills } from './drill-scratch.ts'
import { openLocations } from './enrolment.ts'
import { Events } from './events.ts'
import type { Followed } from './follow.ts'
import { decodeKeys } from './head.ts'
import { HealthKeeper } from './health-keeper.ts'
import { UsageMeters } from './health-usage.ts'
import type { Location } from './location.ts'
import type { ObjectReader } from './object-reader.ts'
import { passphraseOf } from './passphrase.ts'
import { parsePath, splitPath } from './paths.ts'
import type { Place } from './place.ts'
import { Places } from './places.ts'
import { Reshaping } from './change.ts'
import { keepProbing } from './probe-keeper.ts'
import { openSigningKeys, readPublicSigningKeys } from './signing-keys.ts'
import { siteStatus } from './site-status.ts'
import { sweepAbandoned, sweepRemoved, sweepUnfinished } from './sweep.ts'
import { deletionsOpen } from './deletion.ts'
import { knowHistory } from './history.ts'
import { purgeByTheHour } from './site-trash.ts'
import type { StorageTables } from './tables.ts'
import { writerTableNames } from './tables-writers.ts'
import { Tasks } from './tasks.ts'
import type { Uploads } from './uploads.ts'
import { type StorageLog, Vault } from './vault.ts'
import { type LogLimits, VaultLog } from './vault-log.ts'
import { WriterBook } from './writers-book.ts'

/**
 * Called in the transaction of a change, so that both happen or neither: `object` is the file whose version came to be, moved or went;
 * undefined for folders. What it throws undoes the change.
 */
export type Witness = (
  tx: Transaction<StorageTables>,
  object: { readonly id: string; readonly version: number; readonly path: string } | undefined,
) => Promise<void>

export interface SiteStorageOptions {
  /** An existing folder, readable by its user only. */
  readonly home: string
  /** Where the rows are kept; without it a file in the home. One that is open already has these migrations among others, and stays open. */
  readonly database?: DatabasePlace | { readonly opened: Database<StorageTables> } | undefined
  /** Looked up for location credentials only. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Opens the signing keys, when they are sealed under one. */
  readonly passphrase?: string | undefined
  readonly log: StorageLog
  readonly clock?: Clock
  readonly productVersion: string
  readonly stallMs?: number
  readonly hedgeMs?: number
  /** How long a location may take to show its marker before it counts as unreachable. */
  readonly checkMs?: number
  /** For tests: how often the health watch looks. */
  readonly healthTickMs?: number
  /** For tests: how often it is looked for locations that are to be tried again. */
  readonly probeLookMs?: number
  /** For tests: when the catalogue goes into the vault, and how. */
  readonly logLimits?: Partial<LogLimits>
  /** Memory for chunks on their way, of all reads and writes together. */
  readonly arenaBytesMax?: number
  /** Threads that deal large uploads, closed by whoever gave them; without it the site has its own. */
  readonly chunkPool?: ChunkPool | undefined
  /** For tests: wraps each location as it is opened. */
  readonly wrapLocation?: ((location: Location) => Location) | undefined
  /** For tests: false skips fsync in folders. */
  readonly syncWrites?: boolean
}

/** The vault of a site that is open for work. */
export interface Running {
  readonly vault: Vault
  readonly log: VaultLog
  readonly places: Places
  readonly dealer: string
  readonly reshaping: Reshaping
}

const ARENA_BYTES = 96 * 2 ** 20
const STALL_MS = 30_000
const HEDGE_MS = 400
const CHECK_MS = 5000
const STATUS_EVERY_MS = 500
const HOUSE_MS = 3_600_000

export class SiteCore {
  readonly db: Store
  readonly options: SiteStorageOptions
  readonly clock: Clock
  readonly events = new Events()
  readonly tasks: Tasks
  readonly usage: UsageMeters
  #keeper: HealthKeeper | undefined
  readonly arenas: ArenaPool
  readonly uploadArenas: ArenaPool
  readonly pool: ChunkPool
  readonly stop = new AbortController()
  running: Running | undefined
  /** Uploads that go on after interruptions; set by whoever composes the site. */
  uploads: Uploads | undefined
  making = false
  statusDirty = false
  telling = false
  lastStatus = ''
  removing: Promise<void> = Promise.resolve()
  /** Uploads and open readers; ended before the database is closed. */
  readonly atWork = new Set<Promise<unknown>>()
  readonly readers = new Set<ObjectReader>()
  /** False while unfinished files of a run that died may lie at a place that did not answer. */
  swept = true

  constructor(db: Store, options: SiteStorageOptions) {
    this.db = db
    this.options = options
    this.clock = options.clock ?? systemClock
    this.usage = new UsageMeters(db, this.clock)
    const bytesMax = options.arenaBytesMax ?? ARENA_BYTES
    // Uploads may wait for what a reader gives them, so readers never wait for uploads.
    this.arenas = createArenaPool(bytesMax / 3)
    this.uploadArenas = createArenaPool((bytesMax / 3) * 2, () => this.uploads?.press())
    this.pool = options.chunkPool ?? createChunkPool()
    this.tasks = new Tasks(this.clock, (task) => this.events.tell({ kind: 'task', task }))
  }

  async start(): Promise<void> {
    const row = await this.db.kysely.selectFrom('vault').selectAll().executeTakeFirst()
    if (row === undefined) return
    if (row.state === 'recovering') {
      this.options.log.warn({}, 'a recovery was cut off: begin it again')
      await this.forgetRows()
      return
    }
    const locations = await openLocations(this)
    const { home, passphrase } = this.options
    const published = await readPublicSigningKeys({ home })
    let signer: Signer | undefined
    let locked: Failure | undefined
    try {
      signer = await openSigningKeys({ home, passphrase: passphrase === undefined ? undefined : passphraseOf(passphrase) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Reading needs no signature: a site whose keys are locked is read-only.
      locked = error
      this.options.log.warn({ code: error.code }, 'the signing keys are locked: this site can read, not write')
    }
    const running = await this.prepare({ row, locations, signer, locked, publicKeys: published.keys, dealer: published.fingerprint })
    if (row.state === 'making') {
      await this.finishMaking(running).catch((error: unknown) =>
        this.options.log.warn({ causes: tracesOf(error) }, 'the making of the vault was cut off, and is finished at a later start'),
      )
    }
    this.run(running)
  }

  /** Opens the vault for work inside; nobody outside sees it yet. */
  async prepare(given: {
    readonly row: Vault['row']
    readonly locations: readonly { id: string; x: number; location: Location }[]
    readonly signer: Signer | undefined
    readonly locked: Failure | undefined
    readonly publicKeys: VerifyingKeys
    readonly dealer: string
  }): Promise<Running> {
    const changed = (): void => this.changed()
    const leaving = await this.db.kysely.selectFrom('leaving').select(['location', 'phase']).execute()
    const places = new Places({
      departures: new Map(leaving.map(({ location, phase }) => [location, phase])),
      vault: given.row.vault,
      locations: given.locations,
      clock: this.clock,
      checkMs: this.options.checkMs ?? CHECK_MS,
      onChange: (place) => this.placeChanged(place),
      wrap: (id, location) => this.usage.metered(id, location),
    })
    const former = (JSON.parse(given.row.former_dealers) as { mldsa65: string; ed25519: string }[]).map(decodeKeys)
    const book = await WriterBook.load({ db: this.db, clock: this.clock, vault: given.row.vault, own: given.publicKeys }, former)
    const vault = new Vault(
      {
        db: this.db,
        places,
        arenas: this.arenas,
        uploadArenas: this.uploadArenas,
        pool: this.pool,
        clock: this.clock,
        log: this.options.log,
        signer: () => {
          book.requireOwn()
          if (given.signer !== undefined) return given.signer
          throw given.locked ?? new Failure('crypto.passphrase')
        },
        dealers: book.dealers,
        changed,
        news: () => log.news(),
        stallMs: this.stallMs,
        hedgeMs: this.options.hedgeMs ?? HEDGE_MS,
      },
      given.row,
    )
    if (given.row.state !== 'recovering') await knowHistory(this.db, rfc3339(this.clock.now()))
    const log: VaultLog = new VaultLog(
      vault,
      { home: this.options.home, book, followed: (what) => this.followed(what) },
      this.options.logLimits,
    )
    await Promise.all([places.checkAll(), log.sweep(), sweepDrills(this.options.home)])
    this.swept = await sweepUnfinished(vault, given.row.running === 1)
    await this.db.kysely.updateTable('vault').set({ running: 1 }).execute()
    const reshaping = new Reshaping({
      vault,
      log,
      tasks: this.tasks,
      clock: this.clock,
      stop: this.stop.signal,
      sweepNow: () => this.sweepNow(),
      changed,
    })
    return { vault, places, dealer: given.dealer, log, reshaping }
  }

  run(running: Running): void {
    this.running = running
    running.places.watch()
    running.log.schedule()
    running.log.watch()
    this.#keeper = new HealthKeeper(this, running, this.usage)
    this.#keeper.start()
    void this.working(keepProbing(this))
    this.sweepLater()
    this.keepHouse(running)
    void running.reshaping.resume().catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.options.log.warn({ causes: tracesOf(error) }, 'a change that was under way could not go on')
    })
    this.keepRules()
    this.changed()
  }

  /** Now and then what is past its time goes. */
  keepRules(): void {
    void this.working(purgeByTheHour(this)).catch((error: unknown) =>
      this.options.log.warn({ causes: tracesOf(error) }, 'the rules of keeping are not looked after any more'),
    )
  }

  /** Every hour: uploads whose time is over, and unfinished files that nobody has claimed for long. */
  keepHouse({ vault }: Running): void {
    void (async () => {
      try {
        for (;;) {
          await this.clock.sleep(HOUSE_MS, this.stop.signal)
          try {
            await this.uploads?.sweepExpired()
            await sweepAbandoned(vault)
          } catch (error) {
            this.options.log.warn({ causes: tracesOf(error) }, 'old unfinished uploads are taken away later')
          }
        }
      } catch {
        // Stopped: the site closes.
      }
    })()
  }

  /** What `createVault` does after its rows are durable; done again at the next start when it was cut off. */
  async finishMaking({ vault, places, log }: Running): Promise<void> {
    for (const place of places.all) {
      if (place.view.presence === 'empty') await place.mark()
      if (place.view.presence !== 'present') throw new Failure('location.not-ours', { detail: place.view.detail, culprits: [place.label] })
    }
    if (vault.row.epoch === 0) await log.writeHead()
    await this.db.kysely.updateTable('vault').set({ state: 'open' }).execute()
  }

  placeChanged(place: Place): void {
    this.changed()
    const running = this.running
    if (running === undefined || this.stop.signal.aborted || place.view.presence !== 'present') return
    running.log.placeBack(place)
    running.reshaping.placeBack()
    this.sweepLater()
  }

  /** Other sites changed files. */
  followed({ folders }: Followed): void {
    this.changed()
    for (const path of folders ?? ['/']) this.events.tell({ kind: 'files', path })
    this.sweepLater()
  }

  async close(): Promise<void> {
    // Before the signal: what is under way is left where it goes on.
    await this.uploads?.close()
    this.stop.abort()
    await this.tasks.close()
    await this.#keeper?.close()
    await Promise.allSettled(this.atWork)
    await Promise.allSettled([...this.readers].map((reader) => reader.close()))
    await this.removing.catch(() => undefined)
    const running = this.running
    if (running !== undefined) {
      await running.log.flush().catch(() => undefined)
      await this.sweepIfNeeded(running).catch(() => undefined)
      await running.log.close()
      await running.places.close()
      if (this.swept)
        await this.db.kysely
          .updateTable('vault')
          .set({ running: 0 })
          .execute()
          .catch(() => undefined)
    }
    if (this.options.chunkPool === undefined) await this.pool.close()
    if (this.options.database === undefined || !('opened' in this.options.database)) await this.db.close()
  }

  get stallMs(): number {
    return this.options.stallMs ?? STALL_MS
  }

  /** Closing waits for its end. */
  async working<T>(work: Promise<T>): Promise<T> {
    this.atWork.add(work)
    try {
      return await work
    } finally {
      this.atWork.delete(work)
    }
  }

  open(): Running {
    if (this.running !== undefined) return this.running
    throw new Failure('storage.no-vault', {
      detail: 'this site has no vault yet',
      next: 'Make one: quorate init, or the first page of the site.',
    })
  }

  async change<T>(path: string, work: (tx: Transaction<StorageTables>) => Promise<T>): Promise<T> {
    const { vault, log } = this.open()
    // A change that could never reach the vault's own catalogue is refused.
    vault.parts.signer()
    const done = await this.db.transaction(work)
    log.schedule()
    this.changed()
    this.tellFiles(parsePath(path))
    return done
  }

  tellFiles(path: string): void {
    this.events.tell({ kind: 'files', path: path === '/' ? '/' : splitPath(path).parent })
  }

  /** Listeners hear of a new status at most twice a second. */
  changed(): void {
    this.statusDirty = true
    if (this.telling || this.stop.signal.aborted || this.events.listeners === 0) return
    this.telling = true
    void (async () => {
      try {
        while (this.statusDirty && !this.stop.signal.aborted) {
          this.statusDirty = false
          const status = await siteStatus(this, { check: false })
          const seen = JSON.stringify({ ...status, locations: status.locations.map((one) => ({ ...one, latencyMs: 0, lastSeen: '' })) })
          if (seen !== this.lastStatus) this.events.tell({ kind: 'status', status })
          this.lastStatus = seen
          await this.clock.sleep(STATUS_EVERY_MS, this.stop.signal)
        }
      } catch (error) {
        if (!this.stop.signal.aborted) this.options.log.warn({ causes: tracesOf(error) }, 'the status could not be told')
      } finally {
        this.telling = false
      }
    })()
  }

  sweepLater(): void {
    void this.sweepNow()
  }

  /** Resolves when it was tried; never rejects. */
  sweepNow(): Promise<void> {
    const running = this.running
    if (running === undefined) return Promise.resolve()
    this.removing = this.removing
      .then(() => this.sweepIfNeeded(running))
      .catch((error: unknown) => this.options.log.warn({ causes: tracesOf(error) }, 'removed fragments are taken away later'))
    return this.removing
  }

  async sweepIfNeeded({ vault, log }: Running): Promise<void> {
    const dropping = await this.db.kysely.selectFrom('deal').select('deal').where('state', '=', 'dropping').limit(1).execute()
    const debris = await this.db.kysely.selectFrom('debris').select('name').limit(1).execute()
    if (dropping.length + debris.length > 0 || (await deletionsOpen(this.db.kysely)))
      await sweepRemoved(vault, log, new AbortController().signal)
  }

  /** What was begun and failed leaves the site as it was: without a vault. */
  async forget(running: Running): Promise<void> {
    await running.log.close()
    await running.places.close()
    await this.forgetRows()
  }

  async forgetRows(): Promise<void> {
    await this.db.transaction(async (tx) => {
      for (const table of [
        'past_name',
        'trash',
        'keeping',
        'path_grant',
        'history',
        'deletion_part',
        'deletion',
        'file_version',
        'file',
        'folder',
        'fragment',
        'deal_set',
        'deal',
        'debris',
        'change',
        'segment',
        'description',
        'upload',
        'told_upload',
        'reshape',
        'leaving',
        'location',
        'vault',
        ...writerTableNames,
        'scrub_pass',
        'health_setting',
        'wound',
        'health_sample',
        'location_usage',
        'location_traits',
        'kept_name',
      ] as const)
        await tx.deleteFrom(table).execute()
    })
    this.changed()
  }
}
