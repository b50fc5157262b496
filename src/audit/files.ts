// Small files of the home that are either whole and durable or as they were before.
import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure, toHex } from '#base'
import { random } from '#crypto/primitives'

/** Replaces or makes a file of mode 0600, durable in itself and in its folder when this resolves. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const partial = join(folder, `.part-${toHex(random(8))}`)
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
    await syncFolder(folder)
  } catch (error) {
    await rm(partial, { force: true })
    throw unusable('written', path, error)
  }
}

/** The bytes of a file, or undefined when there is none. One that is longer answers `bytesMax` + 1 bytes. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable('read', path, error)
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

/** Gives a file another name; one that is not there stays so. */
export async function putAside(path: string, to: string): Promise<void> {
  try {
    await rename(path, to)
    await syncFolder(dirname(to))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable('moved', path, error)
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

function unusable(done: string, path: string, cause: unknown): Failure {
  return new Failure('audit.key', {
    detail: `A file of the audit log could not be ${done}: ${path}`,
    next: 'Look at the permissions of the home and whether its disk is full.',
    culprits: [path],
    cause,
  })
}
