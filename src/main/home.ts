// The folder of a site: its database, keys, lock and socket. It belongs to one person and nobody else can look in.
import { chmod, lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base'

export interface HomePaths {
  readonly folder: string
  readonly lock: string
  readonly socket: string
  /** Who holds the lock, for people and for messages. */
  readonly holder: string
  /** A page that leads to the start link, for a browser, so that the link never stands in a process list. */
  readonly door: string
}

export function homePaths(folder: string): HomePaths {
  return {
    folder,
    lock: join(folder, 'lock.sqlite'),
    socket: join(folder, 'socket'),
    holder: join(folder, 'holder.json'),
    door: join(folder, 'open.html'),
  }
}

/** Makes the folder, for its person only. One that others may enter is closed if it is ours, and refused if it holds other things. */
export async function prepareHome(paths: HomePaths): Promise<void> {
  const { folder } = paths
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const found = await stat(folder)
    if (process.getuid !== undefined && found.uid !== process.getuid()) throw unusable(folder, 'it belongs to another user')
    if ((found.mode & 0o077) === 0) return
    const names = await readdir(folder)
    const isOurs = names.length === 0 || (await lstat(paths.lock).catch(() => undefined)) !== undefined
    if (!isOurs) throw unusable(folder, 'it holds other things, and other users may enter it')
    await chmod(folder, 0o700)
  } catch (error) {
    if (error instanceof Failure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw unusable(folder, code, error)
  }
}

function unusable(folder: string, why: string, cause?: unknown): Failure {
  return new Failure('main.config', {
    detail: `The home ${folder} cannot be used: ${why}.`,
    next: 'Set QUORATE_HOME to a folder of your own; it is made when it is absent.',
    culprits: [folder],
    cause,
  })
}
