// Unfinished writes of one name in a folder: finding them again, reading them back, going on with them.
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, opendir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { assert, type Clock } from '#base'
import type { FragmentName, FragmentSink, LocationOptions, UnfinishedWrite } from './contract.ts'
import { stopIfCancelled, truncated } from './failures.ts'
import { errnoOf, folderFailure } from './folder-errors.ts'
import type { FolderRoot } from './folder-root.ts'
import { FolderSink, isPartFor, partOf } from './folder-sink.ts'

/** The longest of what was left for the name; what stands under the name itself is taken back first. The others are removed. */
export async function adoptInFolder(
  root: FolderRoot,
  name: FragmentName,
  options: LocationOptions & { readonly clock: Clock },
): Promise<UnfinishedWrite | undefined> {
  stopIfCancelled(options.signal)
  await root.check()
  const target = await root.resolve(name)
  if (target === undefined) return undefined
  try {
    await takeBack(root, target)
    const parts = await partsFor(target)
    const [longest, ...others] = parts.toSorted((a, b) => b.found.size - a.found.size)
    for (const { path } of others) await unlinkThere(path)
    if (longest === undefined) return undefined
    const handle = await root.openFile(longest.path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    return new FolderUnfinished(root, { target, part: longest.path }, handle, { sizeBytes: longest.found.size, clock: options.clock })
  } catch (error) {
    throw folderFailure(error, root.label)
  }
}

/** Removes the unfinished files of the name. */
export async function forgetInFolder(root: FolderRoot, name: FragmentName, options: LocationOptions): Promise<void> {
  stopIfCancelled(options.signal)
  const target = await root.resolve(name)
  if (target === undefined) return
  try {
    for (const { path } of await partsFor(target)) await unlinkThere(path)
  } catch (error) {
    throw folderFailure(error, root.label)
  }
}

/** A file that got its name before anybody counted on it becomes unfinished again. */
async function takeBack(root: FolderRoot, target: string): Promise<void> {
  try {
    if (!(await lstat(target)).isFile()) return
    await rename(target, partOf(target))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    return
  }
  await root.syncFolder(dirname(target))
}

async function partsFor(target: string): Promise<{ readonly path: string; readonly found: Stats }[]> {
  const parts: { path: string; found: Stats }[] = []
  const last = basename(target)
  try {
    for await (const entry of await opendir(dirname(target))) {
      if (!entry.isFile() || !isPartFor(last, entry.name)) continue
      const path = join(dirname(target), entry.name)
      parts.push({ path, found: await lstat(path) })
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  return parts
}

async function unlinkThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
}

class FolderUnfinished implements UnfinishedWrite {
  readonly sizeBytes: number
  readonly #root: FolderRoot
  readonly #paths: { readonly target: string; readonly part: string }
  readonly #handle: FileHandle
  readonly #clock: Clock
  #open = true

  constructor(
    root: FolderRoot,
    paths: { readonly target: string; readonly part: string },
    handle: FileHandle,
    about: { readonly sizeBytes: number; readonly clock: Clock },
  ) {
    this.#root = root
    this.#paths = paths
    this.#handle = handle
    this.#clock = about.clock
    this.sizeBytes = about.sizeBytes
  }

  async read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(this.#open, 'the unfinished write is open')
    try {
      for (let got = 0; got < into.length;) {
        stopIfCancelled(options.signal)
        const { bytesRead } = await this.#handle.read(into, got, into.length - got, offset + got)
        if (bytesRead === 0) throw truncated(this.#root.label, { wanted: into.length, got })
        got += bytesRead
      }
    } catch (error) {
      throw folderFailure(error, this.#root.label)
    }
  }

  async resume(sizeBytes: number, options: LocationOptions = {}): Promise<FragmentSink> {
    assert(this.#open && sizeBytes <= this.sizeBytes, 'resume within what is there')
    stopIfCancelled(options.signal)
    try {
      await this.#handle.truncate(sizeBytes)
      // What was read back need not have reached the disk: from here on it is counted on.
      if (this.#root.syncWrites) await this.#handle.sync()
    } catch (error) {
      await this.close()
      throw folderFailure(error, this.#root.label)
    }
    this.#open = false
    return new FolderSink(this.#root, this.#paths, this.#handle, { clock: this.#clock, signal: options.signal, fromBytes: sizeBytes })
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#root.closeFile(this.#handle)
  }
}
