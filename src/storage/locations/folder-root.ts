// The root of a folder location: there, the same one as before, and the way to names inside it without following links.
import { type FileHandle, lstat, mkdir, open, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equalPublic } from '#base'
import type { FragmentName } from './contract.ts'
import { locationFailure } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'

/** Written once by whoever adds the location (docs/spec/vault.md). */
const MARKER = 'location.json'
const MARKER_BYTES_MAX = 64 * 1024

interface Identity {
  readonly device: bigint
  readonly inode: bigint
}

export class FolderRoot {
  readonly path: string
  readonly label: string
  readonly syncWrites: boolean
  /** Files that are open. Held here, since Node ends the process when one that was forgotten is collected as garbage. */
  readonly #open = new Set<FileHandle>()
  #identity: Identity | undefined
  #renewals = 0
  #marker: Uint8Array | undefined

  constructor(options: { readonly path: string; readonly label: string; readonly syncWrites: boolean }) {
    this.path = options.path
    this.label = options.label
    this.syncWrites = options.syncWrites
  }

  /**
   * Throws `location.unreachable` unless the root stands, and `location.not-ours` unless it is the folder it was at first use: an unmounted disk leaves an empty
   * folder of the same name behind, and nothing may be written or called absent there. A disk that was mounted anew counts as
   * the same when its marker is.
   */
  async check(): Promise<void> {
    const renewals = this.#renewals
    const identity = await this.#look()
    // What was seen before a renewal is the old folder: look again, or it would count as the right one.
    if (renewals !== this.#renewals) return this.check()
    if (this.#identity === undefined) this.#identity = identity
    if (identity.device !== this.#identity.device || identity.inode !== this.#identity.inode) {
      const marker = await this.#readMarker()
      if (this.#marker === undefined || marker === undefined || !equalPublic(marker, this.#marker)) throw this.#changed()
      this.#identity = identity
    }
    this.#marker ??= await this.#readMarker()
  }

  /** Opens a file, to be closed by `closeFile`. Throws what the system says. */
  async openFile(path: string, flags: string | number, mode?: number): Promise<FileHandle> {
    const handle = await open(path, flags, mode)
    this.#open.add(handle)
    return handle
  }

  async closeFile(handle: FileHandle): Promise<void> {
    if (!this.#open.delete(handle)) return
    await handle.close()
  }

  /** Closes what was left open. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((handle) => this.closeFile(handle)))
  }

  /** Forgets which folder it was: the one that stands there now is the right one. */
  renew(): void {
    this.#renewals += 1
    this.#identity = undefined
    this.#marker = undefined
  }

  /** The path of a name. Throws `location.not-ours` when a folder on the way is a link. `absent` answers a missing folder on the way. */
  async resolve(name: FragmentName): Promise<string | undefined> {
    const target = join(this.path, name)
    try {
      const parent = dirname(target)
      const real = await realpath(parent)
      if (parent !== this.path && real !== join(await realpath(this.path), dirname(name))) throw this.#linked()
      return target
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw folderFailure(error, this.label)
      await this.check()
      return undefined
    }
  }

  /** As `resolve`, and makes the folders on the way, durably. The root itself is never made. */
  async prepare(name: FragmentName): Promise<string> {
    await this.check()
    const segments = name.split('/').slice(0, -1)
    let folder = this.path
    for (const segment of segments) {
      const inner = join(folder, segment)
      await this.#makeFolder(inner, folder)
      folder = inner
    }
    return join(this.path, name)
  }

  /** Makes the entries of a folder durable. */
  async syncFolder(path: string): Promise<void> {
    if (!this.syncWrites) return
    let handle
    try {
      handle = await open(path, 'r')
      await handle.sync()
    } catch (error) {
      // Some file systems (FUSE, SMB) cannot sync a folder; there is nothing stronger to ask of them.
      const errno = errnoOf(error)
      if (errno !== 'EINVAL' && errno !== 'ENOTSUP' && errno !== 'EISDIR' && errno !== 'ENOSYS') throw folderFailure(error, this.label)
    } finally {
      await handle?.close()
    }
  }

  async #makeFolder(path: string, parent: string): Promise<void> {
    try {
      const found = await lstat(path)
      if (found.isSymbolicLink()) throw this.#linked()
      if (found.isDirectory()) return
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw folderFailure(error, this.label)
    }
    try {
      await mkdir(path)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw folderFailure(error, this.label)
    }
    await this.syncFolder(parent)
  }

  async #look(): Promise<Identity> {
    try {
      const found = await stat(this.path, { bigint: true })
      if (!found.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
      return { device: found.dev, inode: found.ino }
    } catch (error) {
      throw folderFailure(error, this.label)
    }
  }

  async #readMarker(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await readFile(join(this.path, MARKER))
      return bytes.length <= MARKER_BYTES_MAX ? bytes : undefined
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EISDIR') return undefined
      throw folderFailure(error, this.label)
    }
  }

  #linked(): Error {
    return folderFailure(Object.assign(new Error('link'), { code: 'ELOOP' }), this.label)
  }

  #changed(): Error {
    return locationFailure('location.not-ours', {
      label: this.label,
      detail: `${this.label} is not the folder it was before; its disk may be unmounted. Nothing was written.`,
      next: 'Mount the disk again; if the new folder is to take its place, repair fills it.',
    })
  }
}
