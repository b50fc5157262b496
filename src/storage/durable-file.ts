// Small files that are either whole and durable or not there.
import { constants, type FileHandle, link, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure, toHex } from '#base'
import { random } from '#crypto/primitives'

/**
 * Creates a file of mode 0600 whole, durable in itself and in its folder. A file of that name is never overwritten:
 * `link` creates a name only where there is none, which `rename` cannot promise.
 */
export async function createFileDurably(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
  const folder = dirname(path)
  const partial = join(folder, `.part-${toHex(random(8))}`)
  try {
    await writeAndSync(partial, bytes)
    await link(partial, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'exists'
    throw new Failure('storage.read-only', { detail: `the file could not be written: ${path}`, cause: error })
  } finally {
    await rm(partial, { force: true })
  }
  await syncFolder(folder)
  return 'created'
}

/** The bytes of a file, or undefined when there is none. One that is longer answers `bytesMax` + 1 bytes. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure('storage.read-only', { detail: `the file could not be read: ${path}`, cause: error })
  }
  try {
    const bytes = new Uint8Array(bytesMax + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) return bytes.slice(0, length)
    }
  } finally {
    await file.close()
  }
}

async function writeAndSync(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
