// A folder of a disk or network mount as a location.
import { randomBytes } from 'node:crypto'
import { lstat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Clock, assert, systemClock } from '#base'
import { bounds } from './bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
  UnfinishedWrite,
} from './contract.ts'
import { stopIfCancelled } from './failures.ts'
import { adoptInFolder, forgetInFolder } from './folder-adopt.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import { listFolder } from './folder-list.ts'
import { FolderRoot } from './folder-root.ts'
import { createInFolder } from './folder-sink.ts'
import { openInFolder } from './folder-source.ts'
import { partsBelow, sweepFolder } from './folder-sweep.ts'
import { checkName } from './names.ts'
import { probeLocation } from './probe.ts'

export interface FolderOptions {
  /** Must exist already: making it is somebody else's explicit act, since an unmounted disk looks like a missing folder. */
  readonly root: string
  readonly label: string
  readonly clock?: Clock
  /** False skips every fsync: for tests and simulations only. */
  readonly syncWrites?: boolean
}

/** A location in a folder. Nothing is touched before the first call; a missing root is `location.unreachable` then. */
export function createFolderLocation(options: FolderOptions): Location {
  const root = new FolderRoot({ path: resolve(options.root), label: options.label, syncWrites: options.syncWrites ?? true })
  return new FolderLocation(root, options.clock ?? systemClock)
}

class FolderLocation implements Location {
  readonly kind = 'folder'
  readonly label: string
  readonly #root: FolderRoot
  readonly #clock: Clock

  constructor(root: FolderRoot, clock: Clock) {
    this.#root = root
    this.#clock = clock
    this.label = root.label
  }

  async create(name: FragmentName, options: LocationOptions = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    return createInFolder(this.#root, name, { clock: this.#clock, signal: options.signal })
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    const sink = await this.create(name, options).catch(whenExists)
    if (sink === undefined) return 'exists'
    try {
      await sink.write(bytes)
      return (await sink.finish().then(() => true, whenExists)) === true ? 'created' : 'exists'
    } catch (error) {
      await sink.abort()
      throw error
    }
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openInFolder(this.#root, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const path = await this.#root.resolve(name)
    if (path === undefined) return undefined
    try {
      const found = await lstat(path)
      if (!found.isFile()) throw Object.assign(new Error('not a file'), { code: found.isSymbolicLink() ? 'ELOOP' : 'EISDIR' })
      return { sizeBytes: found.size }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw folderFailure(error, this.label)
    }
    await this.#root.check()
    return undefined
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return listFolder(this.#root, request, options.signal)
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const path = await this.#root.resolve(name)
    if (path === undefined) return 'gone'
    try {
      await unlink(path)
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') return 'kept'
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw folderFailure(error, this.label)
      await this.#root.check()
      return 'gone'
    }
    await this.#root.syncFolder(dirname(path))
    return 'gone'
  }

  async adopt(name: FragmentName, options: LocationOptions = {}): Promise<UnfinishedWrite | undefined> {
    checkName(name, this.label)
    return adoptInFolder(this.#root, name, { ...options, clock: this.#clock })
  }

  async forget(name: FragmentName, options: LocationOptions = {}): Promise<void> {
    checkName(name, this.label)
    await forgetInFolder(this.#root, name, options)
  }

  sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    return sweepFolder(this.#root, this.#clock.now() - request.olderThanMs, options.signal)
  }

  probe(options: LocationOptions = {}): Promise<Capabilities> {
    return probeLocation(
      this,
      {
        createRaw: async (name, bytes) => ((await this.putIfAbsent(name, bytes, options)) === 'created' ? 'created' : 'refused'),
        abortedWriteLeavesNothing: async (name) => this.#abortLeavesNothing(name, options),
        objectLock: () => Promise.resolve('not asked'),
      },
      { clock: this.#clock, signal: options.signal },
    )
  }

  renew(): void {
    this.#root.renew()
  }

  /** Closes what callers left open, too. */
  close(): Promise<void> {
    return this.#root.close()
  }

  async #abortLeavesNothing(name: FragmentName, options: LocationOptions): Promise<boolean> {
    const sink = await this.create(name, options)
    await sink.write(randomBytes(1024))
    await sink.abort()
    for await (const _ of partsBelow(this.#root, `${dirname(name)}/`, options.signal)) return false
    return (await this.head(name, options)) === undefined
  }
}

function whenExists(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'location.exists') return undefined
  throw error
}
