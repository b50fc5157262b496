// A folder on a WebDAV server as a location.
import { randomBytes } from 'node:crypto'
import { type Clock, assert, isFailure, systemClock } from '#base'
import { bounds } from '../bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
} from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { checkName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import { listOverWebdav, partsBelow, sweepOverWebdav } from './list.ts'
import { alone, lockOf } from './publish.ts'
import { createOverWebdav } from './sink.ts'
import { openOverWebdav } from './source.ts'
import {
  type WebdavStore,
  type WebdavStoreOptions,
  lookAt,
  makeStore,
  notOurs,
  prepareFolders,
  removeAt,
  requireRoot,
  sawMarker,
  sizeOf,
  statusFailure,
  targetOf,
} from './store.ts'

export type WebdavLocationOptions = Omit<WebdavStoreOptions, 'clock'> & { readonly clock?: Clock }

/** A location on a WebDAV server. Nothing is asked of the server before the first call. */
export function createWebdavLocation(options: WebdavLocationOptions): Location {
  return new WebdavLocation(makeStore({ ...options, clock: options.clock ?? systemClock }))
}

class WebdavLocation implements Location {
  readonly kind = 'webdav'
  readonly label: string
  readonly #store: WebdavStore
  /** Writers of one name in this process wait for each other, which spares the server their contest. */
  readonly #turns = new Map<FragmentName, Promise<unknown>>()

  constructor(store: WebdavStore) {
    this.#store = store
    this.label = store.label
  }

  async create(name: FragmentName, options: LocationOptions = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    return createOverWebdav(this.#store, name, options)
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    stopIfCancelled(options.signal)
    return this.#inTurn(name, () => alone(this.#store, name, options.signal, () => this.#putOnce(name, bytes, options)))
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openOverWebdav(this.#store, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const sizeBytes = await sizeOf(this.#store, name, options.signal)
    if (sizeBytes !== undefined) return { sizeBytes }
    await requireRoot(this.#store, options.signal)
    return undefined
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return listOverWebdav(this.#store, request, options.signal)
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    // A folder of this name would go with all that is in it.
    const found = await lookAt(this.#store, targetOf(this.#store, name), options.signal)
    if (found?.isFolder === true) throw notOurs(this.label)
    if (found !== undefined) {
      const answer = await removeAt(this.#store, targetOf(this.#store, name), options.signal)
      if (KEEPS.has(answer.status)) return 'kept'
      if (answer.status >= 300 && answer.status !== 404) throw statusFailure(this.#store, answer)
      sawMarker(this.#store, name, false)
    } else await requireRoot(this.#store, options.signal)
    return 'gone'
  }

  sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    return sweepOverWebdav(this.#store, request.olderThanMs, options.signal)
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    const store = this.#store
    const before = store.moves
    const found = await probeLocation(
      this,
      {
        createRaw: async (name, bytes) => {
          // Without a look beforehand.
          store.moves = 'honoured'
          try {
            return (await this.#putOnce(name, bytes, options)) === 'created' ? 'created' : 'refused'
          } catch (error) {
            // It said itself that it replaced what was there.
            if (isFailure(error, 'location.lies')) return 'created'
            throw error
          } finally {
            store.moves = before
          }
        },
        abortedWriteLeavesNothing: (name) => this.#abortLeavesNothing(name, options),
        objectLock: () => Promise.resolve('not asked'),
      },
      { clock: store.clock, signal: options.signal },
    )
    store.moves = found.honestCreate ? 'honoured' : 'ignored'
    const findings = [...found.findings]
    const exclusive = await this.#makesFoldersOnce(options)
    store.locks = exclusive ? 'good' : 'none'
    if (!exclusive)
      findings.push(
        'It makes a folder that exists already: two writers of one name cannot be told apart, so it may not vote on the vault head.',
      )
    return { ...found, honestCreate: found.honestCreate && exclusive, findings }
  }

  renew(): void {
    this.#store.markerSeen = false
    this.#store.folders.clear()
  }

  close(): Promise<void> {
    this.#store.client.close()
    return Promise.resolve()
  }

  async #putOnce(name: FragmentName, bytes: Uint8Array, options: LocationOptions): Promise<'created' | 'exists'> {
    const sink = await this.create(name, options)
    try {
      await sink.write(bytes)
      await sink.finish()
    } catch (error) {
      await sink.abort()
      if (isFailure(error, 'location.exists')) return 'exists'
      throw error
    }
    sawMarker(this.#store, name, true)
    return 'created'
  }

  async #inTurn<T>(name: FragmentName, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve()
    const mine = before.then(work, work)
    const settled = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#turns.set(name, settled)
    try {
      return await mine
    } finally {
      if (this.#turns.get(name) === settled) this.#turns.delete(name)
    }
  }

  async #makesFoldersOnce(options: LocationOptions): Promise<boolean> {
    const name = `probe/${randomBytes(16).toString('hex')}`
    const lock = `${lockOf(this.#store, name)}/`
    await prepareFolders(this.#store, name, options.signal)
    const first = await this.#store.client.send({ method: 'MKCOL', path: lock, signal: options.signal })
    const again = await this.#store.client.send({ method: 'MKCOL', path: lock, signal: options.signal })
    await removeAt(this.#store, lock, options.signal)
    if (first.status >= 300 && first.status !== 405) throw statusFailure(this.#store, first)
    return first.status === 201 && again.status === 405
  }

  async #abortLeavesNothing(name: FragmentName, options: LocationOptions): Promise<boolean> {
    const sink = await this.create(name, options)
    await sink.write(randomBytes(2 * 2 ** 20))
    await sink.abort()
    for await (const _ of partsBelow(this.#store, name.slice(0, name.lastIndexOf('/') + 1), options.signal)) return false
    return (await this.head(name, options)) === undefined
  }
}

/** Forbidden, not allowed, locked, not implemented. */
const KEEPS = new Set([403, 405, 423, 501])
