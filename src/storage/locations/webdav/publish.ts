// Giving a finished part its name, once: MOVE with `Overwrite: F`, behind a folder as a lock where several may want one name.
import { webdavBounds } from '../bounds.ts'
import type { FragmentName } from '../contract.ts'
import { exists, locationFailure } from '../failures.ts'
import { type WebdavStore, PART_PREFIX, forgetFolders, lookAt, prepareFolders, removeAt, sizeOf, statusFailure, targetOf } from './store.ts'

export interface Part {
  readonly name: FragmentName
  /** As a request asks for it. */
  readonly part: string
  readonly sizeBytes: number
}

/** `location.exists` leaves what stands under the name alone. */
export async function publish(store: WebdavStore, { name, part, sizeBytes }: Part, signal: AbortSignal | undefined): Promise<void> {
  if (store.moves !== 'honoured' && (await lookAt(store, targetOf(store, name), signal)) !== undefined) throw exists(store.label)
  const headers = { destination: `${store.origin}${targetOf(store, name)}`, overwrite: 'F' }
  for (let attempt = 1; ; attempt += 1) {
    const answer = await store.client.send({ method: 'MOVE', path: part, headers, signal, stallMs: webdavBounds.moveStallMs })
    if (answer.status === 201) return
    // 204: there was something, and it is gone.
    if (answer.status === 204) {
      store.moves = 'ignored'
      throw overwrote(store.label)
    }
    if (answer.status === 412 || answer.status === 404 || answer.status === 409) {
      // An earlier attempt without an answer may have moved it: the part is gone then, and nobody else knows its name.
      if (answer.uncertain && (await lookAt(store, part, signal)) === undefined && (await sizeOf(store, name, signal)) === sizeBytes) return
      if (answer.status === 412) throw exists(store.label)
    }
    if (attempt >= webdavBounds.moveTries || (answer.status !== 423 && answer.status !== 409)) throw statusFailure(store, answer)
    await store.client.pause(attempt, signal)
  }
}

/** Runs work while no other writer like us has the name. Servers look before they write, too, but two at once may both see nothing. */
export async function alone<T>(
  store: WebdavStore,
  name: FragmentName,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T | 'exists'> {
  if (store.locks === 'none') return work()
  const lock = `${lockOf(store, name)}/`
  let prepared = false
  for (let look = 1; ; look += 1) {
    const answer = await store.client.send({ method: 'MKCOL', path: lock, signal })
    if (answer.status < 300) break
    if (answer.status === 409 || answer.status === 404) {
      if (prepared) throw statusFailure(store, answer)
      forgetFolders(store, name)
      await prepareFolders(store, name, signal)
      prepared = true
      continue
    }
    if (answer.status !== 405 && answer.status !== 423) throw statusFailure(store, answer)
    // The request may have been ours, sent twice.
    if (answer.uncertain) break
    if ((await lookAt(store, targetOf(store, name), signal)) !== undefined) return 'exists'
    if (look >= webdavBounds.lockLooks) throw held(store.label)
    await store.client.pause(look, signal)
  }
  try {
    return await work()
  } finally {
    await removeAt(store, lock, undefined).catch(() => undefined)
  }
}

/** A folder beside the name; swept as a part when a crash leaves it. */
export function lockOf(store: WebdavStore, name: FragmentName): string {
  const at = name.lastIndexOf('/') + 1
  return targetOf(store, `${name.slice(0, at)}${PART_PREFIX}lock-${name.slice(at)}`)
}

function overwrote(label: string): Error {
  return locationFailure('location.lies', {
    label,
    detail: `${label} overwrote a name although it was asked not to.`,
    next: 'Scrub the vault; the fragment that was there is rebuilt from the other locations.',
  })
}

function held(label: string): Error {
  return locationFailure('location.unreachable', {
    label,
    detail: `${label} holds a lock of another writer of this name.`,
    next: 'It is tried again by itself. A lock that a crash left behind is swept with other unfinished writes.',
  })
}
