// Reading one name in a folder, ranged, straight into the caller's view.
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { assert } from '#base'
import { bounds } from './bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from './contract.ts'
import { absent, stopIfCancelled, truncated } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import type { FolderRoot } from './folder-root.ts'

/** Opens a name; `location.absent` when there is none, `location.not-ours` for a link or anything but a file. */
export async function openInFolder(
  root: FolderRoot,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  stopIfCancelled(options.signal)
  const handle = await openFile(root, name)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' })
    const tail = new Uint8Array(Math.min(found.size, options.tailBytes ?? bounds.tailBytesDefault))
    const source = new FolderSource(root, handle, { sizeBytes: found.size, tail })
    await source.read(found.size - tail.length, tail, options)
    return source
  } catch (error) {
    await root.closeFile(handle)
    throw folderFailure(error, root.label)
  }
}

async function openFile(root: FolderRoot, name: FragmentName): Promise<FileHandle> {
  const path = await root.resolve(name)
  if (path === undefined) throw absent(root.label)
  try {
    // Without O_NONBLOCK a named pipe put there would hang us.
    return await root.openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw folderFailure(error, root.label)
  }
  await root.check()
  throw absent(root.label)
}

class FolderSource implements FragmentSource {
  readonly sizeBytes: number
  readonly tail: Uint8Array
  readonly #handle: FileHandle
  readonly #root: FolderRoot
  #closing: Promise<void> | undefined

  constructor(root: FolderRoot, handle: FileHandle, about: { readonly sizeBytes: number; readonly tail: Uint8Array }) {
    this.#handle = handle
    this.#root = root
    this.sizeBytes = about.sizeBytes
    this.tail = about.tail
  }

  /** A cancelled read rejects only once the disk has answered: until then the system may still write into the view. */
  async read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'read offset')
    assert(this.#closing === undefined, 'the source is open')
    let got = 0
    while (got < into.length) {
      stopIfCancelled(options.signal)
      const { bytesRead } = await this.#readSome(into, { at: got, offset: offset + got })
      if (bytesRead === 0) throw truncated(this.#root.label, { wanted: into.length, got })
      got += bytesRead
    }
    stopIfCancelled(options.signal)
  }

  /** Waits for reads under way. */
  close(): Promise<void> {
    this.#closing ??= this.#root.closeFile(this.#handle)
    return this.#closing
  }

  async #readSome(into: Uint8Array, from: { readonly at: number; readonly offset: number }): Promise<{ readonly bytesRead: number }> {
    try {
      return await this.#handle.read(into, from.at, into.length - from.at, from.offset)
    } catch (error) {
      throw folderFailure(error, this.#root.label)
    }
  }
}
