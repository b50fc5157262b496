// Everything a site stores, behind one object: making the vault, files in it, its health, long work. One process per home.
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, Failure, limits, rfc3339, systemClock } from '#base'
import type {
  Capabilities,
  Entry,
  Listing,
  LocationStatus,
  Placement,
  Site,
  SiteEvent,
  Status,
  Stored,
  Task,
  VaultRequest,
  VaultSummary,
  Versions,
} from '#contract'
import type { Signer, VerifyingKeys } from '#crypto/primitives'
import { openDatabase } from '#database'
import { dealable, newId } from '#format'
import { type ArenaPool, createArenaPool } from './arena-pool.ts'
import {
  addVersion,
  copyEntry,
  createFolder,
  findVersion,
  listFolder,
  moveEntry,
  removeEntry,
  requireWritable,
  statEntry,
  type Store,
  versionsOf,
} from './catalogue.ts'
import { CATALOGUE_TYPE } from './catalogue-lines.ts'
import { type ChunkPool, createChunkPool } from './chunk-pool.ts'
import { contentTypeOf } from './content-type.ts'
import { Events } from './events.ts'
import { decodeKeys, headName } from './head.ts'
import type { Location } from './location.ts'
import { type LocationConfig, locationConfigSchema, labelOf, openLocation, parseLocation } from './locations/from-config.ts'
import type { ObjectReader } from './object-reader.ts'
import { markerBytes, MARKER, type Place, readMarker } from './place.ts'
import { within } from './patience.ts'
import { Places } from './places.ts'
import { passphraseOf } from './passphrase.ts'
import { parsePath, splitPath } from './paths.ts'
import { adoptHead, findVault, type FoundVault, rebuild } from './recover.ts'
import { repair } from './repair.ts'
import { scrub } from './scrub.ts'
import { createSigningKeys, openSigningKeys, readPublicSigningKeys } from './signing-keys.ts'
import { locationStatus, vaultStatus } from './status.ts'
import { sweepRemoved, sweepUnfinished } from './sweep.ts'
import { type StorageTables, storageMigrations } from './tables.ts'
import { Tasks } from './tasks.ts'
import { type StorageLog, Vault } from './vault.ts'
import { type LogLimits, VaultLog } from './vault-log.ts'

export interface SiteStorageOptions {
  /** An existing folder, readable by its user only. */
  readonly home: string
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

export interface OpenedToWrite {
  store(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Stored>
}

export interface OpenedToRead {
  readonly path: string
  readonly sizeBytes: number
  readonly type: string
  readonly modified: string
  readonly etag: string
  read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

interface Running {
  readonly vault: Vault
  readonly log: VaultLog
  readonly places: Places
  readonly dealer: string
}

const ARENA_BYTES = 96 * 2 ** 20
const STALL_MS = 30_000
/** A probe is a dozen requests: it may take this many stall times. */
const PROBE_STALLS = 4
const HEDGE_MS = 400
const CHECK_MS = 5000
const STATUS_EVERY_MS = 500
const FRAGMENT_READ_MAX = 2 ** 20

/** Opens the home's database and, if there is one, its vault. */
export async function openSiteStorage(options: SiteStorageOptions): Promise<SiteStorage> {
  const db = await openDatabase<StorageTables>({ file: join(options.home, 'site.sqlite'), migrations: storageMigrations })
  const storage = new SiteStorage(db, options)
  try {
    await storage.start()
    return storage
  } catch (error) {
    await storage.close()
    throw error
  }
}

export class SiteStorage {
  readonly #db: Store
  readonly #options: SiteStorageOptions
  readonly #clock: Clock
  readonly #events = new Events()
  readonly #tasks: Tasks
  readonly #arenas: ArenaPool
  readonly #uploadArenas: ArenaPool
  readonly #pool: ChunkPool
  readonly #stop = new AbortController()
  #running: Running | undefined
  #making = false
  #statusDirty = false
  #telling = false
  #lastStatus = ''
  #removing: Promise<void> = Promise.resolve()
  /** Uploads and open readers; ended before the database is closed. */
  readonly #atWork = new Set<Promise<unknown>>()
  readonly #readers = new Set<ObjectReader>()
  /** False while unfinished files of a run that died may lie at a place that did not answer. */
  #swept = true

  constructor(db: Store, options: SiteStorageOptions) {
    this.#db = db
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const bytesMax = options.arenaBytesMax ?? ARENA_BYTES
    // Uploads may wait for what a reader gives them, so readers never wait for uploads.
    this.#arenas = createArenaPool(bytesMax / 3)
    this.#uploadArenas = createArenaPool((bytesMax / 3) * 2)
    this.#pool = options.chunkPool ?? createChunkPool()
    this.#tasks = new Tasks(this.#clock, (task) => this.#events.tell({ kind: 'task', task }))
  }

  async start(): Promise<void> {
    const row = await this.#db.kysely.selectFrom('vault').selectAll().executeTakeFirst()
    if (row === undefined) return
    if (row.state === 'recovering') {
      this.#options.log.warn({}, 'a recovery was cut off: begin it again')
      await this.#forgetRows()
      return
    }
    const locations = await this.#openLocations()
    const { home, passphrase } = this.#options
    const published = await readPublicSigningKeys({ home })
    let signer: Signer | undefined
    let locked: Failure | undefined
    try {
      signer = await openSigningKeys({ home, passphrase: passphrase === undefined ? undefined : passphraseOf(passphrase) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Reading needs no signature: a site whose keys are locked is read-only.
      locked = error
      this.#options.log.warn({ code: error.code }, 'the signing keys are locked: this site can read, not write')
    }
    const running = await this.#prepare({ row, locations, signer, locked, publicKeys: published.keys, dealer: published.fingerprint })
    if (row.state === 'making') {
      await this.#finishMaking(running).catch((error: unknown) =>
        this.#options.log.warn({ error: String(error) }, 'the making of the vault was cut off, and is finished at a later start'),
      )
    }
    this.#run(running)
  }

  /** Opens the vault for work inside; nobody outside sees it yet. */
  async #prepare(given: {
    readonly row: Vault['row']
    readonly locations: readonly { id: string; x: number; location: Location }[]
    readonly signer: Signer | undefined
    readonly locked: Failure | undefined
    readonly publicKeys: VerifyingKeys
    readonly dealer: string
  }): Promise<Running> {
    const changed = (): void => this.#changed()
    const places = new Places({
      vault: given.row.vault,
      locations: given.locations,
      clock: this.#clock,
      checkMs: this.#options.checkMs ?? CHECK_MS,
      onChange: (place) => this.#placeChanged(place),
    })
    const former = (JSON.parse(given.row.former_dealers) as { mldsa65: string; ed25519: string }[]).map(decodeKeys)
    const vault = new Vault(
      {
        db: this.#db,
        places,
        arenas: this.#arenas,
        uploadArenas: this.#uploadArenas,
        pool: this.#pool,
        clock: this.#clock,
        log: this.#options.log,
        signer: () => {
          if (given.signer !== undefined) return given.signer
          throw given.locked ?? new Failure('crypto.passphrase')
        },
        dealers: [given.publicKeys, ...former],
        changed,
        stallMs: this.#stallMs,
        hedgeMs: this.#options.hedgeMs ?? HEDGE_MS,
      },
      given.row,
    )
    const log = new VaultLog(vault, this.#options.home, this.#options.logLimits)
    await Promise.all([places.checkAll(), log.sweep()])
    this.#swept = await sweepUnfinished(vault, given.row.running === 1)
    await this.#db.kysely.updateTable('vault').set({ running: 1 }).execute()
    return { vault, places, dealer: given.dealer, log }
  }

  #run(running: Running): void {
    this.#running = running
    running.places.watch()
    running.log.schedule()
    this.#sweepLater()
    this.#changed()
  }

  /** What `createVault` does after its rows are durable; done again at the next start when it was cut off. */
  async #finishMaking({ vault, places, log }: Running): Promise<void> {
    for (const place of places.all) {
      if (place.view.presence === 'empty') await place.mark()
      if (place.view.presence !== 'present') throw new Failure('location.not-ours', { detail: place.view.detail, culprits: [place.label] })
    }
    if (vault.row.epoch === 0) await log.writeHead()
    await this.#db.kysely.updateTable('vault').set({ state: 'open' }).execute()
  }

  #placeChanged(place: Place): void {
    this.#changed()
    const running = this.#running
    if (running === undefined || this.#stop.signal.aborted || place.view.presence !== 'present') return
    running.log.placeBack(place)
    this.#sweepLater()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#tasks.close()
    await Promise.allSettled(this.#atWork)
    await Promise.allSettled([...this.#readers].map((reader) => reader.close()))
    await this.#removing.catch(() => undefined)
    const running = this.#running
    if (running !== undefined) {
      await running.log.flush().catch(() => undefined)
      await this.#sweepIfNeeded(running).catch(() => undefined)
      await running.log.close()
      await running.places.close()
      if (this.#swept)
        await this.#db.kysely
          .updateTable('vault')
          .set({ running: 0 })
          .execute()
          .catch(() => undefined)
    }
    if (this.#options.chunkPool === undefined) await this.#pool.close()
    await this.#db.close()
  }

  // --- the site and its vault

  async site(): Promise<Site> {
    const running = this.#running
    return {
      version: this.#options.productVersion,
      suggestedFolders: running === undefined ? await suggestFolders(this.#options.home) : [],
      vault: running === undefined ? null : (await this.status({ check: false })).vault,
    }
  }

  async createVault(request: VaultRequest): Promise<VaultSummary> {
    if (this.#running !== undefined)
      throw new Failure('storage.vault-exists', {
        detail: 'this site has a vault already',
        next: 'Use another QUORATE_HOME for another vault.',
      })
    if (this.#making) throw new Failure('storage.vault-exists', { detail: 'a vault is being made just now' })
    this.#making = true
    try {
      return await this.#createVault(request)
    } finally {
      this.#making = false
    }
  }

  async #createVault(request: VaultRequest): Promise<VaultSummary> {
    const { threshold: k, locations: wanted } = request
    const n = wanted.length
    if (k > n)
      throw new Failure('crypto.threshold', {
        detail: `${k} of ${n} cannot be: the threshold is larger than the number of locations`,
        next: `Name at least ${k} locations.`,
      })
    if (!dealable(k, n))
      throw new Failure('crypto.threshold', {
        detail: `${k} of ${n} is not offered: after a disaster the search would take too long`,
        next: 'Choose a smaller threshold or fewer locations.',
      })
    const vault = newId()
    const opened = await this.#openNew(wanted)
    const enrolled = opened.map((one, index) => ({ ...one, id: newId(), x: index + 1 }))
    const { home } = this.#options
    let signer: Signer
    let probed: Capabilities[]
    try {
      for (const { location } of enrolled) await this.#requireUnmarked(location)
      const passphrase = request.passphrase === undefined ? undefined : passphraseOf(request.passphrase)
      signer = await createSigningKeys({ home, passphrase }).catch(async (error: unknown) => {
        // Keys of an attempt that was cut off before there was a vault serve as well.
        if (error instanceof Failure && error.code === 'storage.exists') return openSigningKeys({ home, passphrase })
        throw error
      })
      probed = await Promise.all(enrolled.map(({ location }) => this.#probed(location)))
    } catch (error) {
      await Promise.allSettled(enrolled.map(({ location }) => location.close()))
      throw error
    }
    const created = rfc3339(this.#clock.now())
    const row = await this.#db.transaction(async (tx) => {
      const values = {
        id: 1,
        vault,
        name: request.name ?? 'Vault',
        threshold: k,
        layout: request.layout ?? 'shared',
        require_all: request.requireAll === true ? 1 : 0,
        created,
        next_sequence: 1,
        epoch: 0,
        head_hash: null,
        head_sequence: 0,
        head_at: null,
        former_dealers: '[]',
        state: 'making',
        running: 0,
      } as const
      await tx.insertInto('vault').values(values).execute()
      await tx
        .insertInto('location')
        .values(
          enrolled.map(({ id, x, location, config }, index) => ({
            location: id,
            x,
            label: location.label,
            kind: location.kind,
            config: JSON.stringify(config),
            added: created,
            capabilities: JSON.stringify(probed[index]),
          })),
        )
        .execute()
      return values
    })
    const published = await readPublicSigningKeys({ home })
    const running = await this.#prepare({
      row,
      locations: enrolled,
      signer,
      locked: undefined,
      publicKeys: signer.keys,
      dealer: published.fingerprint,
    })
    try {
      await this.#finishMaking(running)
    } catch (error) {
      // The places are as they were before: none of them holds anything but our marker.
      for (const { view, location } of running.places.all) {
        if (view.presence !== 'present') continue
        await location.discard(MARKER).catch(() => undefined)
        await location.discard(headName(vault, 1)).catch(() => undefined)
      }
      await this.#forget(running)
      throw error
    }
    this.#run(running)
    return (await this.status({ check: false })).vault!
  }

  async addLocation(request: { readonly spec: string; readonly label?: string | undefined }): Promise<LocationStatus> {
    const { vault, places, log } = this.#open()
    const k = vault.row.threshold
    if (places.all.length >= limits.countMax || !dealable(k, places.all.length + 1))
      throw new Failure('crypto.threshold', { detail: `${k} of ${places.all.length + 1} is not offered` })
    const [opened] = await this.#openNew([request])
    const { location, config } = opened!
    const id = newId()
    let x: number
    try {
      if (places.all.some(({ label }) => label === location.label))
        throw new Failure('storage.exists', {
          detail: `the vault has a location ${location.label} already`,
          next: 'Give it another label.',
        })
      await this.#requireUnmarked(location)
      const capabilities = await this.#probed(location)
      // The row stands before the marker: cut off in between, the place is empty and repair fills it.
      x = await this.#db.transaction(async (tx) => {
        const taken = await tx.selectFrom('location').select(['x', 'label']).execute()
        if (taken.some(({ label }) => label === location.label))
          throw new Failure('storage.exists', { detail: 'it is being added just now' })
        const values = { location: id, x: Math.max(0, ...taken.map((row) => row.x)) + 1, label: location.label, kind: location.kind }
        await tx
          .insertInto('location')
          .values({
            ...values,
            config: JSON.stringify(config),
            added: rfc3339(this.#clock.now()),
            capabilities: JSON.stringify(capabilities),
          })
          .execute()
        return values.x
      })
      try {
        const patience = { clock: this.#clock, ms: this.#stallMs, label: location.label }
        const marker = markerBytes(vault.row.vault, id)
        const answer = await within(patience, (signal) => location.putIfAbsent(MARKER, marker, { signal }))
        if (answer !== 'created') throw occupied(location)
      } catch (error) {
        await this.#db.kysely.deleteFrom('location').where('location', '=', id).execute()
        throw error
      }
    } catch (error) {
      await location.close()
      throw error
    }
    const place = places.add({ id, x, location })
    await place.check()
    await log.writeHead()
    this.#changed()
    return locationStatus(place, { held: 0, lost: 0, corrupt: 0, pending: 0, bytes: 0 })
  }

  async testLocation(request: { readonly location: string }): Promise<Capabilities> {
    const { places } = this.#open()
    const place = places.named(request.location)
    const found = await this.#probe(place.location)
    await this.#db.kysely
      .updateTable('location')
      .set({ capabilities: JSON.stringify(found) })
      .where('location', '=', place.id)
      .execute()
    this.#changed()
    return found
  }

  async status(request: { readonly check: boolean }): Promise<Status> {
    const running = this.#running
    if (running === undefined) {
      return {
        health: 'none',
        vault: null,
        files: 0,
        folders: 0,
        bytes: 0,
        repairDue: 0,
        withoutRedundancy: 0,
        locations: [],
        recoveryPoint: { sequence: 0, at: null, pendingChanges: 0 },
        messages: [],
      }
    }
    if (request.check) await running.places.checkAll()
    const status = await vaultStatus(running.vault, running.log, running.dealer)
    const probed = await this.#db.kysely.selectFrom('location').select(['location', 'capabilities']).execute()
    const locations = status.locations.map((one) => ({
      ...one,
      capabilities: parseCapabilities(probed.find(({ location }) => location === one.id)?.capabilities),
    }))
    const hints = locations.flatMap(({ label, capabilities }) =>
      capabilities === null || capabilities.findings.length === 0
        ? []
        : [
            {
              severity: 'hint' as const,
              code: 'location.lies',
              text: `${label}: ${capabilities.findings.join(' ')}`,
              next: 'It keeps fragments; what it cannot promise is not relied on.',
            },
          ],
    )
    return { ...status, locations, messages: [...status.messages, ...hints] }
  }

  // --- files

  async list(request: {
    readonly path: string
    readonly recursive: boolean
    readonly after?: string | undefined
    readonly limit?: number | undefined
  }): Promise<Listing> {
    const { places } = this.#open()
    const page = await listFolder(this.#db.kysely, { ...request, limit: Math.min(request.limit ?? 1000, 1000), present: places.present })
    return { path: parsePath(request.path), ...page }
  }

  async stat(request: { readonly path: string }): Promise<Entry> {
    return statEntry(this.#db.kysely, request.path, this.#open().places.present)
  }

  async versions(request: { readonly path: string }): Promise<Versions> {
    return versionsOf(this.#db.kysely, request.path, this.#open().places.present)
  }

  async openToWrite(request: {
    readonly path: string
    readonly modified?: string | undefined
    readonly type?: string | undefined
    readonly sizeBytes?: number | undefined
    readonly ifAbsent: boolean
  }): Promise<OpenedToWrite> {
    const { vault, log } = this.#open()
    const { path, file } = await requireWritable(this.#db.kysely, request.path, request.ifAbsent)
    const type = request.type ?? contentTypeOf(path)
    if (type === CATALOGUE_TYPE)
      throw new Failure('base.invalid', { detail: 'this media type is reserved', next: 'Store the file under another type.' })
    return {
      store: async (body, signal) => {
        const id = file?.file ?? newId()
        const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
        const { outcome } = await this.#working(
          vault.store(
            { object: id, purpose: 'file', path, type, modified: request.modified, sizeBytes: request.sizeBytes, body, signal: stop },
            async (tx, { deal, fragments, modified }) =>
              addVersion(tx, { path, file: id, deal, fragments, created: deal.created, modified, ifAbsent: request.ifAbsent }),
          ),
        )
        log.schedule()
        this.#changed()
        this.#tellFiles(path)
        const laggards = outcome.missed.map(({ target }) => target.place.label)
        const count = outcome.held.length + outcome.missed.length
        return {
          entry: await this.stat({ path }),
          acknowledged: outcome.held.length,
          count,
          laggards,
          note: noteOf({ held: outcome.held.length, count, threshold: vault.row.threshold, laggards }),
        }
      },
    }
  }

  async openToRead(request: { readonly path: string; readonly version?: number | undefined }, signal?: AbortSignal): Promise<OpenedToRead> {
    const { vault } = this.#open()
    const version = await findVersion(this.#db.kysely, request.path, request.version)
    const reader = await this.#working(vault.open(version.deal, signal))
    this.#readers.add(reader)
    return {
      path: version.path,
      sizeBytes: version.deal.size,
      type: version.deal.type,
      modified: version.modified,
      etag: version.deal.deal,
      read: (range, stop) => reader.read(range, stop),
      close: async () => {
        this.#readers.delete(reader)
        await reader.close()
      },
    }
  }

  async createFolder(request: { readonly path: string }): Promise<Entry> {
    await this.#change(request.path, (tx) => createFolder(tx, request.path, rfc3339(this.#clock.now())))
    return this.stat(request)
  }

  async move(request: { readonly from: string; readonly to: string; readonly replace: boolean }): Promise<Entry> {
    await this.#change(request.to, (tx) => moveEntry(tx, { ...request, at: rfc3339(this.#clock.now()) }))
    this.#tellFiles(parsePath(request.from))
    return this.stat({ path: request.to })
  }

  async copy(request: { readonly from: string; readonly to: string; readonly replace: boolean }): Promise<Entry> {
    await this.#change(request.to, (tx) => copyEntry(tx, { ...request, at: rfc3339(this.#clock.now()) }))
    return this.stat({ path: request.to })
  }

  async remove(request: { readonly path: string; readonly recursive: boolean; readonly version?: number | undefined }): Promise<number> {
    const removed = await this.#change(request.path, (tx) => removeEntry(tx, request))
    this.#sweepLater()
    return removed
  }

  async placement(request: { readonly path: string; readonly version?: number | undefined }): Promise<Placement> {
    const { vault, places } = this.#open()
    const version = await findVersion(this.#db.kysely, request.path, request.version)
    const rows = await this.#db.kysely.selectFrom('fragment').selectAll().where('deal', '=', version.deal.deal).orderBy('x').execute()
    return {
      path: version.path,
      version: version.number,
      threshold: version.deal.k,
      count: rows.length,
      layout: vault.row.layout,
      fragments: rows.map((row) => {
        const place = places.byId(row.location)
        const away = place === undefined || place.view.presence !== 'present'
        return {
          x: row.x,
          location: row.location,
          label: place?.label ?? row.location,
          state: row.state === 'held' ? (away ? 'away' : 'held') : row.state === 'writing' ? 'pending' : row.state,
          name: row.name,
          sizeBytes: row.size,
        }
      }),
    }
  }

  /** Raw bytes of one fragment: what the location, or a thief there, sees. */
  async fragment(request: {
    readonly path: string
    readonly x: number
    readonly offset: number
    readonly lengthBytes: number
  }): Promise<Uint8Array> {
    const { places } = this.#open()
    const version = await findVersion(this.#db.kysely, request.path)
    const row = await this.#db.kysely
      .selectFrom('fragment')
      .selectAll()
      .where('deal', '=', version.deal.deal)
      .where('x', '=', request.x)
      .executeTakeFirst()
    const place = row === undefined ? undefined : places.byId(row.location)
    if (row === undefined || place === undefined || row.name === null)
      throw new Failure('storage.absent', { detail: `there is no fragment ${request.x} of ${version.path}` })
    const source = await place.location.open(row.name, { tailBytes: 0 })
    try {
      if (request.offset >= source.sizeBytes) throw new Failure('storage.range', { detail: `the fragment has ${source.sizeBytes} bytes` })
      const bytes = new Uint8Array(Math.min(request.lengthBytes, FRAGMENT_READ_MAX, source.sizeBytes - request.offset))
      await source.read(request.offset, bytes)
      return bytes
    } finally {
      await source.close()
    }
  }

  // --- long work

  async scrub(request: { readonly depth: 'present' | 'tags'; readonly location?: string | undefined }): Promise<Task> {
    const { vault, places } = this.#open()
    const place = request.location === undefined ? undefined : places.named(request.location)
    return this.#tasks.start('scrub', place === undefined ? 'Check all locations' : `Check ${place.label}`, 'fragments', async (tools) => {
      const findings = await scrub(vault, { depth: request.depth, place, ...tools })
      this.#changed()
      return findings
    })
  }

  async repair(request: { readonly path?: string | undefined }): Promise<Task> {
    const { vault, log } = this.#open()
    const path = request.path === undefined ? undefined : parsePath(request.path)
    if (path !== undefined) await this.stat({ path })
    vault.parts.signer()
    return this.#tasks.start('repair', 'Repair', 'fragments', async (tools) => {
      const findings = await repair(vault, { path, ...tools })
      // New places of the catalogue's own fragments, and a head for the place that was filled.
      await log.flush().catch(() => undefined)
      await log.writeHead().catch(() => undefined)
      this.#sweepLater()
      this.#changed()
      return findings
    })
  }

  /** Rebuilds the database of a vault from its locations, on a site without one. */
  async recover(request: {
    readonly locations: readonly { readonly spec: string; readonly label?: string | undefined }[]
    readonly passphrase?: string | undefined
  }): Promise<Task> {
    if (this.#running !== undefined)
      throw new Failure('storage.vault-exists', {
        detail: 'this site has a vault already',
        next: 'Use an empty QUORATE_HOME to recover another one.',
      })
    if (this.#making) throw new Failure('storage.vault-exists', { detail: 'a vault is being made or recovered just now' })
    this.#making = true
    try {
      const { running, found } = await this.#adopt(request)
      return this.#tasks.start('recover', 'Recover the catalogue', 'files', async (tools) => {
        try {
          const findings = await rebuild(running.vault, found.head, tools)
          // From here on the database is whole; what the vault itself lacks follows by and by.
          await this.#db.kysely.updateTable('vault').set({ state: 'open' }).execute()
          this.#run(running)
          await running.log.flush().catch(() => undefined)
          await running.log.writeHead().catch(() => undefined)
          return findings
        } catch (error) {
          if (this.#running === undefined) await this.#forget(running)
          throw error
        } finally {
          this.#making = false
        }
      })
    } catch (error) {
      this.#making = false
      throw error
    }
  }

  async #adopt(request: Parameters<SiteStorage['recover']>[0]): Promise<{ running: Running; found: FoundVault }> {
    const { home } = this.#options
    const opened = await this.#openNew(request.locations)
    try {
      const found = await findVault(
        opened.map(({ location }) => location),
        { clock: this.#clock, ms: this.#stallMs },
      )
      const passphrase = request.passphrase ?? this.#options.passphrase
      const secret = passphrase === undefined ? undefined : passphraseOf(passphrase)
      const signer = await createSigningKeys({ home, passphrase: secret }).catch((error: unknown) => {
        if (error instanceof Failure && error.code === 'storage.exists') return openSigningKeys({ home, passphrase: secret })
        throw error
      })
      await adoptHead(this.#db, found, {
        name: 'Vault',
        clock: this.#clock,
        own: signer.keys,
        locations: opened.map(({ location, config }) => ({ label: location.label, kind: location.kind, config: JSON.stringify(config) })),
      })
      const row = await this.#db.kysely.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
      const published = await readPublicSigningKeys({ home })
      const locations = opened.map(({ location }, index) => ({
        id: found.ids[index]!,
        x: found.head.locations.find(({ id }) => id === found.ids[index])!.x,
        location,
      }))
      const running = await this.#prepare({
        row,
        locations,
        signer,
        locked: undefined,
        publicKeys: signer.keys,
        dealer: published.fingerprint,
      })
      return { running, found }
    } catch (error) {
      await Promise.allSettled(opened.map(({ location }) => location.close()))
      await this.#forgetRows()
      throw error
    }
  }

  tasks(): Task[] {
    return this.#tasks.list()
  }

  task(id: string): Task {
    return this.#tasks.get(id)
  }

  cancelTask(id: string): Promise<Task> {
    return this.#tasks.cancel(id)
  }

  async *events(signal: AbortSignal): AsyncGenerator<SiteEvent> {
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const listener = this.#events.listen(stop)
    const first = listener.next()
    yield { kind: 'status', status: await this.status({ check: false }) }
    for (const task of this.#tasks.list().filter(({ state }) => state === 'running')) yield { kind: 'task', task }
    const event = await first
    if (event.done === true) return
    yield event.value
    yield* listener
  }

  // --- inside

  get #stallMs(): number {
    return this.#options.stallMs ?? STALL_MS
  }

  async #requireUnmarked(location: Location): Promise<void> {
    const patience = { clock: this.#clock, ms: this.#stallMs, label: location.label, signal: this.#stop.signal }
    if ((await within(patience, (signal) => readMarker(location, signal))) !== undefined) throw occupied(location)
  }

  /** What a new location can do, tried before anything depends on it. One that cannot even give back what it took is refused. */
  async #probed(location: Location): Promise<Capabilities> {
    const found = await this.#probe(location)
    if (found.rangedRead) return found
    throw new Failure('location.lies', {
      detail: `${location.label} does not give back what was written: ${found.findings.join(' ')}`,
      culprits: [location.label],
      next: 'Choose another place.',
    })
  }

  async #probe(location: Location): Promise<Capabilities> {
    const patience = { clock: this.#clock, ms: this.#stallMs * PROBE_STALLS, label: location.label, signal: this.#stop.signal }
    const found = await within(patience, (signal) => location.probe({ signal }))
    return { ...found, findings: [...found.findings] }
  }

  /** Closing waits for its end. */
  async #working<T>(work: Promise<T>): Promise<T> {
    this.#atWork.add(work)
    try {
      return await work
    } finally {
      this.#atWork.delete(work)
    }
  }

  #open(): Running {
    if (this.#running !== undefined) return this.#running
    throw new Failure('storage.no-vault', {
      detail: 'this site has no vault yet',
      next: 'Make one: quorate init, or the first page of the site.',
    })
  }

  async #change<T>(path: string, work: (tx: Parameters<Parameters<Store['transaction']>[0]>[0]) => Promise<T>): Promise<T> {
    const { vault, log } = this.#open()
    // A change that could never reach the vault's own catalogue is refused.
    vault.parts.signer()
    const done = await this.#db.transaction(work)
    log.schedule()
    this.#changed()
    this.#tellFiles(parsePath(path))
    return done
  }

  #tellFiles(path: string): void {
    this.#events.tell({ kind: 'files', path: path === '/' ? '/' : splitPath(path).parent })
  }

  /** Listeners hear of a new status at most twice a second. */
  #changed(): void {
    this.#statusDirty = true
    if (this.#telling || this.#stop.signal.aborted || this.#events.listeners === 0) return
    this.#telling = true
    void (async () => {
      try {
        while (this.#statusDirty && !this.#stop.signal.aborted) {
          this.#statusDirty = false
          const status = await this.status({ check: false })
          const seen = JSON.stringify({ ...status, locations: status.locations.map((one) => ({ ...one, latencyMs: 0, lastSeen: '' })) })
          if (seen !== this.#lastStatus) this.#events.tell({ kind: 'status', status })
          this.#lastStatus = seen
          await this.#clock.sleep(STATUS_EVERY_MS, this.#stop.signal)
        }
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#options.log.warn({ error: String(error) }, 'the status could not be told')
      } finally {
        this.#telling = false
      }
    })()
  }

  #sweepLater(): void {
    const running = this.#running
    if (running === undefined) return
    this.#removing = this.#removing
      .then(() => this.#sweepIfNeeded(running))
      .catch((error: unknown) => this.#options.log.warn({ error: String(error) }, 'removed fragments are taken away later'))
  }

  async #sweepIfNeeded({ vault, log }: Running): Promise<void> {
    const dropping = await this.#db.kysely.selectFrom('deal').select('deal').where('state', '=', 'dropping').limit(1).execute()
    const debris = await this.#db.kysely.selectFrom('debris').select('name').limit(1).execute()
    if (dropping.length + debris.length > 0) await sweepRemoved(vault, log, new AbortController().signal)
  }

  async #openLocations(): Promise<{ id: string; x: number; location: Location }[]> {
    const rows = await this.#db.kysely.selectFrom('location').selectAll().orderBy('x').execute()
    return Promise.all(
      rows.map(async (row) => {
        const config = locationConfigSchema.parse(JSON.parse(row.config))
        const capabilities = parseCapabilities(row.capabilities)
        return { id: row.location, x: row.x, location: await this.#openOne(config, row.label, capabilities?.honestCreate ?? false) }
      }),
    )
  }

  /** Opens what a person described; folders are made when they are absent. */
  async #openNew(
    wanted: readonly { readonly spec: string; readonly label?: string | undefined }[],
  ): Promise<{ location: Location; config: LocationConfig }[]> {
    const configs = wanted.map(({ spec, label }) => {
      const config = parseLocation(spec, { from: this.#options.home })
      return { config, label: label ?? labelOf(config) }
    })
    const labels = configs.map(({ label }) => label)
    if (new Set(labels).size !== labels.length)
      throw new Failure('location.config', {
        detail: 'two locations have the same label or are the same place',
        next: 'Name each place once, or give them labels.',
      })
    const opened: { location: Location; config: LocationConfig }[] = []
    try {
      for (const { config, label } of configs) {
        if (config.kind === 'folder') await makeFolder(config.path, label)
        opened.push({ location: await this.#openOne(config, label, false), config })
      }
      return opened
    } catch (error) {
      await Promise.allSettled(opened.map(({ location }) => location.close()))
      throw error
    }
  }

  async #openOne(config: LocationConfig, label: string, honestCreate: boolean): Promise<Location> {
    const location = await openLocation(config, {
      label,
      variables: this.#options.variables,
      clock: this.#clock,
      honestCreate,
      syncWrites: this.#options.syncWrites ?? true,
    })
    return this.#options.wrapLocation?.(location) ?? location
  }

  /** What was begun and failed leaves the site as it was: without a vault. */
  async #forget(running: Running): Promise<void> {
    await running.log.close()
    await running.places.close()
    await this.#forgetRows()
  }

  async #forgetRows(): Promise<void> {
    await this.#db.transaction(async (tx) => {
      for (const table of [
        'file_version',
        'file',
        'folder',
        'fragment',
        'deal',
        'debris',
        'change',
        'segment',
        'location',
        'vault',
      ] as const)
        await tx.deleteFrom(table).execute()
    })
    this.#changed()
  }
}

function noteOf(given: {
  readonly held: number
  readonly count: number
  readonly threshold: number
  readonly laggards: readonly string[]
}): string {
  if (given.laggards.length === 0) return `stored at ${given.held} of ${given.count} locations`
  const missing = given.laggards.join(', ')
  return given.held === given.threshold
    ? `stored, no redundancy yet: ${missing} did not take it; repair due`
    : `stored at ${given.held} of ${given.count} locations, repair due: ${missing} did not take it`
}

function occupied(location: Location): Failure {
  return new Failure('location.not-ours', {
    detail: `${location.label} belongs to a vault already`,
    culprits: [location.label],
    next: 'Choose an empty place; to bring that vault back on this site use quorate recover.',
  })
}

async function makeFolder(path: string, label: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o750 })
    if (!(await lstat(path)).isDirectory()) throw new Error('not a folder')
  } catch (error) {
    throw new Failure('location.config', {
      detail: `the folder for ${label} cannot be made`,
      culprits: [label],
      next: 'Check the path and its permissions.',
      cause: error,
    })
  }
}

/** Three folders beside the database that nobody uses yet. */
async function suggestFolders(home: string): Promise<string[]> {
  for (let round = 1; round < 100; round++) {
    const suffix = round === 1 ? '' : `-${round}`
    const folders = ['place-a', 'place-b', 'place-c'].map((name) => join(home, `${name}${suffix}`))
    const free = await Promise.all(
      folders.map((folder) =>
        readdir(folder).then(
          (names) => names.length === 0,
          () => true,
        ),
      ),
    )
    if (free.every(Boolean)) return folders
  }
  return []
}

function parseCapabilities(text: string | null | undefined): LocationStatus['capabilities'] {
  return text === null || text === undefined ? null : (JSON.parse(text) as LocationStatus['capabilities'])
}
