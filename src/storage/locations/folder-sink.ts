// Writing one name in a folder: an unfinished file beside the target, then a link, which never overwrites.
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Clock, type Failure, assert } from '#base'
import { bounds } from './bounds.ts'
import type { FragmentName, FragmentSink } from './contract.ts'
import { exists, stopIfCancelled, unlessCancelled } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import type { FolderRoot } from './folder-root.ts'

export const PART_PREFIX = '.part-'
/** What `link` answers where the file system has no hard links (FAT, some network mounts). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** Begins a write; `location.exists` when the name is taken already. */
export async function createInFolder(
  root: FolderRoot,
  name: FragmentName,
  options: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<FragmentSink> {
  stopIfCancelled(options.signal)
  const target = await root.prepare(name)
  if (await stands(target, root.label)) throw exists(root.label)
  const part = partOf(target)
  try {
    return new FolderSink(root, { target, part }, await root.openFile(part, 'wx', 0o640), { ...options, fromBytes: 0 })
  } catch (error) {
    throw folderFailure(error, root.label)
  }
}

/** A new name for the unfinished file of a name: found again by `partsFor`. */
export function partOf(target: string): string {
  return join(dirname(target), `${PART_PREFIX}${basename(target)}.${randomBytes(16).toString('hex')}`)
}

/** True for the file name of an unfinished write of a name whose last segment is `last`. */
export function isPartFor(last: string, fileName: string): boolean {
  const begin = `${PART_PREFIX}${last}.`
  return fileName.startsWith(begin) && /^[0-9a-f]{32}$/.test(fileName.slice(begin.length))
}

export class FolderSink implements FragmentSink {
  readonly #root: FolderRoot
  readonly #paths: { readonly target: string; readonly part: string }
  readonly #handle: FileHandle
  readonly #signal: AbortSignal | undefined
  readonly #clock: Clock
  #accepted = 0
  #syncedBytes = 0
  /** The call to the disk under way; the file is closed only after it. */
  #busy: Promise<unknown> = Promise.resolve()
  #syncing: Promise<void> = Promise.resolve()
  #failure: Failure | undefined
  #closed = false

  constructor(
    root: FolderRoot,
    paths: { readonly target: string; readonly part: string },
    handle: FileHandle,
    options: { readonly clock: Clock; readonly signal: AbortSignal | undefined; readonly fromBytes: number },
  ) {
    this.#accepted = options.fromBytes
    this.#syncedBytes = options.fromBytes
    this.#root = root
    this.#paths = paths
    this.#handle = handle
    this.#signal = options.signal
    this.#clock = options.clock
  }

  get acceptedBytes(): number {
    return this.#accepted
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.writev([bytes])
  }

  async writev(parts: readonly Uint8Array[]): Promise<void> {
    await this.#step(async () => {
      let left = parts.filter(({ length }) => length > 0)
      while (left.length > 0) {
        const { bytesWritten } = await this.#handle.writev(left, this.#accepted)
        left = behind(left, bytesWritten)
        this.#accepted += bytesWritten
      }
      if (this.#root.syncWrites && this.#accepted - this.#syncedBytes >= bounds.folderSyncEveryBytes) {
        await this.#syncing
        this.#syncedBytes = this.#accepted
        this.#syncing = this.#handle.datasync()
        // Heard by the next step; until then it must not count as unheard.
        this.#syncing.catch(() => undefined)
      }
    })
  }

  async finish(): Promise<void> {
    try {
      await this.#step(async () => {
        await this.#syncing
        if (this.#root.syncWrites) await this.#handle.sync()
        await this.#close()
        await this.#root.check()
        await publish(this.#paths, this.#root.label)
        await this.#makeDurable()
      })
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  /** A name whose folder could not be synced may vanish with the power: it is taken back, so that nobody counts on it. */
  async #makeDurable(): Promise<void> {
    try {
      await this.#root.syncFolder(dirname(this.#paths.target))
    } catch (error) {
      await unlink(this.#paths.target).catch(() => undefined)
      throw error
    }
  }

  async abort(): Promise<void> {
    await this.#end(async () => {
      await this.#close().catch(() => undefined)
      await unlink(this.#paths.part).catch(() => undefined)
    })
  }

  async suspend(): Promise<void> {
    await this.#end(async () => {
      if (this.#closed) return
      if (this.#root.syncWrites) await this.#handle.datasync().catch(() => undefined)
      await this.#close().catch(() => undefined)
    })
  }

  async #end(work: () => Promise<void>): Promise<void> {
    const clean = async (): Promise<void> => {
      await this.#busy.catch(() => undefined)
      await this.#syncing.catch(() => undefined)
      await work()
    }
    // A disk that hangs is not waited for without end; the cleaning happens when it answers.
    const patience = new AbortController()
    const waited = this.#clock.sleep(bounds.abortWaitMs, patience.signal).catch(() => undefined)
    await Promise.race([clean(), waited])
    patience.abort()
  }

  async #close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#root.closeFile(this.#handle)
  }

  async #step(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    assert(!this.#closed, 'the sink is open')
    stopIfCancelled(this.#signal)
    const running = work()
    this.#busy = running
    try {
      await unlessCancelled(running, this.#signal)
    } catch (error) {
      this.#failure = folderFailure(error, this.#root.label)
      throw this.#failure
    }
  }
}

/** What is left of the parts after their first bytes: the system may take fewer than it was given. */
function behind(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const left: Uint8Array[] = []
  let skip = bytes
  for (const part of parts) {
    if (skip < part.length) left.push(part.subarray(skip))
    skip = Math.max(0, skip - part.length)
  }
  return left
}

/** Puts the finished file under its name; `location.exists` leaves what stands there alone. */
async function publish(paths: { readonly target: string; readonly part: string }, label: string): Promise<void> {
  try {
    await link(paths.part, paths.target)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') throw exists(label)
    if (errno === undefined || !NO_LINKS.has(errno)) throw error
    await renameExclusively(paths, label)
    return
  }
  await unlink(paths.part)
}

/** Without hard links: a lock file makes look-then-rename exclusive among writers like us. A lock left by a crash is swept as a part. */
async function renameExclusively(paths: { readonly target: string; readonly part: string }, label: string): Promise<void> {
  const lock = join(dirname(paths.target), `${PART_PREFIX}lock-${paths.target.slice(dirname(paths.target).length + 1)}`)
  let handle
  try {
    handle = await open(lock, 'wx')
  } catch (error) {
    throw errnoOf(error) === 'EEXIST' ? exists(label) : error
  }
  try {
    if (await stands(paths.target, label)) throw exists(label)
    await rename(paths.part, paths.target)
  } finally {
    await handle.close()
    await unlink(lock)
  }
}

async function stands(path: string, label: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw folderFailure(error, label)
  }
}
