// One process holds a home. The lock is an exclusive transaction on an empty database: the kernel gives it back when the process ends,
// however it ends, so nothing is ever left to be cleaned up by hand.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { Failure } from '#base'
import type { HomePaths } from './home.ts'

export interface HomeLock {
  /** Tells others who holds the home, and where its page is. */
  announce(holder: Omit<Holder, 'pid' | 'since'>): Promise<void>
  release(): Promise<void>
}

export interface Holder {
  readonly pid: number
  readonly since: string
  /** `serve`, or the command that works for itself. */
  readonly command: string
  /** The start link, while a page is served. */
  readonly link?: string | undefined
}

/** SQLITE_BUSY: another process has the lock. */
const BUSY = 5

/** The lock, or undefined while another process has it. Of any number that try at once exactly one gets it. */
export async function tryLock(paths: HomePaths, command: string): Promise<HomeLock | undefined> {
  const database = new DatabaseSync(paths.lock, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) return undefined
    throw new Failure('main.config', {
      detail: `The home ${paths.folder} cannot be locked.`,
      next: 'Use a home on a disk of this machine.',
      culprits: [paths.folder],
      cause: error,
    })
  }
  const lock: HomeLock = {
    async announce(holder) {
      const text = JSON.stringify({ pid: process.pid, since: new Date().toISOString(), ...holder })
      await writeFile(`${paths.holder}.new`, text, { mode: 0o600 })
      await rename(`${paths.holder}.new`, paths.holder)
    },
    async release() {
      await rm(paths.holder, { force: true })
      database.close()
    },
  }
  // Whatever stands here is of a process that is gone.
  await rm(paths.socket, { force: true })
  await lock.announce({ command })
  return lock
}

/** Who holds the home now, as far as it can be known. */
export async function readHolder(paths: HomePaths): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(paths.holder, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

export function busy(paths: HomePaths, holder: Holder | undefined, answers: boolean): Failure {
  const who = holder === undefined ? 'Another process' : `Process ${holder.pid} (quorate ${holder.command})`
  const next = answers
    ? 'Wait until it has ended, or give more time with --wait SECONDS. While `quorate serve` runs, any number of commands work at once.'
    : `It does not answer. If it hangs, end it${holder === undefined ? '' : ` with: kill ${holder.pid}`}; nothing has to be cleaned up.`
  return new Failure('storage.home-busy', { detail: `${who} uses the home ${paths.folder}.`, next, culprits: [paths.folder] })
}
