// Giving a finished part its name, once: by a hard link, which never replaces, or behind a lock file where the server has no links.
import { basename, dirname } from 'node:path'
import { equalPublic } from '#base'
import { bounds, sftpBounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import { LinkError, StatusError } from './link-error.ts'
import { OPEN } from './packets.ts'
import type { SftpSession } from './session.ts'
import { PART_PREFIX, type SftpStore } from './store.ts'

export interface PartPaths {
  readonly target: string
  readonly part: string
  /** Our lock of the target stands, perhaps over a connection that was lost meanwhile. */
  locked: boolean
}

/** `location.exists` leaves what stands under the name alone. The part stays where a link was made. */
export async function publish(store: SftpStore, session: SftpSession, paths: PartPaths, signal: AbortSignal | undefined): Promise<void> {
  if (store.links !== 'none' && session.has('hardlink@openssh.com')) {
    try {
      await session.link(paths.part, paths.target, signal)
      store.links = 'good'
      return
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      if ((await session.lookAt(paths.target, signal)) !== undefined) throw exists(store.label)
      // Links that have worked fail now for another reason; others are missing (FAT, some network mounts).
      if (store.links === 'good') throw error
    }
  }
  await renameExclusively(store, session, paths, signal)
  store.links = 'none'
}

/** The lock makes look-then-rename exclusive among writers like us. A lock left by a crash is swept as a part. */
async function renameExclusively(store: SftpStore, session: SftpSession, paths: PartPaths, signal: AbortSignal | undefined): Promise<void> {
  for (let look = 1; !paths.locked; look += 1) {
    const lock = lockOf(paths)
    try {
      session.close(await session.open(lock, OPEN.write | OPEN.create | OPEN.exclusive, { mode: 0o640, signal }))
      paths.locked = true
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      if ((await session.lookAt(paths.target, signal)) !== undefined) throw exists(store.label)
      if ((await session.lookAt(lock, signal)) === undefined && look >= 2) throw error
      if (look >= sftpBounds.lockLooks) throw held(store.label)
      await store.link.pause(look, signal)
    }
  }
  if ((await session.lookAt(paths.target, signal)) !== undefined) throw exists(store.label)
  await session.rename(paths.part, paths.target, signal)
}

/** Removes our lock, where one stands. Never throws: what stays is swept. */
export async function unlock(session: SftpSession, paths: PartPaths): Promise<void> {
  if (!paths.locked) return
  await session.remove(lockOf(paths), undefined).then(
    () => {
      paths.locked = false
    },
    () => undefined,
  )
}

/** Beside the name; swept as a part when a crash leaves it. */
export function lockOf({ target }: Pick<PartPaths, 'target'>): string {
  return `${dirname(target)}/${PART_PREFIX}lock-${basename(target)}`
}

/**
 * After a connection that broke while a name was given: true when it was given to our part. While the part is there, small ones are compared byte for byte, large
 * ones, whose names are random, by size; a part that is gone was renamed, since nobody else knows its name.
 */
export async function landed(session: SftpSession, paths: PartPaths, sizeBytes: number, signal: AbortSignal | undefined): Promise<boolean> {
  const [target, part] = await Promise.all([session.lookAt(paths.target, signal), session.lookAt(paths.part, signal)])
  if (target === undefined || target.sizeBytes !== sizeBytes) return false
  if (part === undefined || sizeBytes > bounds.smallBytesMax) return true
  const [theirs, ours] = await Promise.all([
    contents(session, paths.target, sizeBytes, signal),
    contents(session, paths.part, sizeBytes, signal),
  ])
  return equalPublic(theirs, ours)
}

async function contents(session: SftpSession, path: string, sizeBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  const handle = await session.open(path, OPEN.read, { signal })
  try {
    for (let at = 0; at < sizeBytes;) {
      const got = await session.read(handle, at, bytes.subarray(at, Math.min(sizeBytes, at + session.blockBytes)), signal)
      if (got === 0) throw new LinkError('garbled', 'end')
      at += got
    }
  } finally {
    session.close(handle)
  }
  return bytes
}

function held(label: string): Error {
  return locationFailure('location.unreachable', {
    label,
    detail: `${label} holds a lock of another writer of this name.`,
    next: 'It is tried again by itself. A lock that a crash left behind is swept with other unfinished writes.',
  })
}
