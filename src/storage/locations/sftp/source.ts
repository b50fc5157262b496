// Reading one name over SFTP: blocks on their way straight into the caller's view, over a new connection where the old one was lost.
import { assert } from '#base'
import { bounds, sftpBounds } from '../bounds.ts'
import type { FragmentName, FragmentSource, LocationOptions } from '../contract.ts'
import { absent, locationFailure, stopIfCancelled, truncated } from '../failures.ts'
import { inWords } from './errors.ts'
import { StatusError } from './link-error.ts'
import { OPEN, STATUS } from './packets.ts'
import type { Handle, SftpSession } from './session.ts'
import { type SftpStore, notOurs, pathOf, requireRoot, sawMarker } from './store.ts'

/** Opens a name; `location.absent` when there is none, `location.not-ours` for a link or anything but a file. */
export function openOverSftp(
  store: SftpStore,
  name: FragmentName,
  options: LocationOptions & { readonly tailBytes?: number },
): Promise<FragmentSource> {
  const { signal } = options
  return inWords(store.label, async () => {
    stopIfCancelled(signal)
    const opened = await store.link.use((session) => openNow(store, session, pathOf(store, name), signal), signal)
    const tail = new Uint8Array(Math.min(opened.sizeBytes, options.tailBytes ?? bounds.tailBytesDefault))
    const source = new SftpSource(store, pathOf(store, name), { ...opened, tail })
    try {
      await source.read(opened.sizeBytes - tail.length, tail, options)
    } catch (error) {
      await source.close()
      throw error
    }
    sawMarker(store, name, true)
    return source
  })
}

/** Opens a file for reading, not through a link. */
export async function openNow(
  store: SftpStore,
  session: SftpSession,
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly handle: Handle; readonly sizeBytes: number }> {
  // Asked together: one round trip.
  const [looked, opened] = await Promise.allSettled([session.lookAt(path, signal), session.open(path, OPEN.read, { signal })])
  const close = (): void => {
    if (opened.status === 'fulfilled') session.close(opened.value)
  }
  if (looked.status === 'rejected') {
    close()
    throw looked.reason
  }
  if (looked.value === undefined) {
    close()
    await requireRoot(store, session, signal)
    throw absent(store.label)
  }
  const { type, sizeBytes } = looked.value
  if (type === 'folder' || type === 'other') {
    close()
    throw notOurs(store.label, type === 'folder' ? 'a folder where a fragment should be' : 'a link where a fragment should be')
  }
  if (opened.status === 'rejected') {
    if (opened.reason instanceof StatusError && opened.reason.status === STATUS.noSuchFile) throw absent(store.label)
    throw opened.reason
  }
  if (sizeBytes === undefined) {
    close()
    throw locationFailure('location.unsupported', {
      label: store.label,
      detail: `${store.label} does not tell the size of a file.`,
      next: 'Use another SFTP server; without sizes fragments cannot be read.',
    })
  }
  return { handle: opened.value, sizeBytes }
}

/** Reads one file of the server, at whatever path. */
export class SftpSource implements FragmentSource {
  readonly sizeBytes: number
  readonly tail: Uint8Array
  readonly #store: SftpStore
  readonly #path: string
  readonly #closed = new AbortController()
  #handle: Promise<Handle>

  constructor(store: SftpStore, path: string, about: { readonly handle: Handle; readonly sizeBytes: number; readonly tail: Uint8Array }) {
    this.#store = store
    this.#path = path
    this.sizeBytes = about.sizeBytes
    this.tail = about.tail
    this.#handle = Promise.resolve(about.handle)
  }

  /** Settles at once when cancelled: what still comes is dropped before it reaches the view. */
  read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'read offset')
    assert(!this.#closed.signal.aborted, 'the source is open')
    return inWords(this.#store.label, async () => {
      stopIfCancelled(options.signal)
      if (into.length === 0) return
      const there = Math.max(0, Math.min(into.length, this.sizeBytes - offset))
      if (there < into.length) throw truncated(this.#store.label, { wanted: into.length, got: there })
      const stop = new AbortController()
      const signals = [this.#closed.signal, stop.signal, ...(options.signal === undefined ? [] : [options.signal])]
      try {
        await this.#readBlocks(offset, into, AbortSignal.any(signals))
      } finally {
        // One block that failed ends the others: nothing more may come into the view.
        stop.abort()
      }
    })
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    const handle = await this.#handle.catch(() => undefined)
    handle?.session.close(handle)
  }

  async #readBlocks(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    let next = 0
    const { blockBytes } = (await this.#handle).session
    const work = async (): Promise<void> => {
      while (next < into.length) {
        const at = next
        const length = Math.min(blockBytes, into.length - at)
        next += length
        await this.#readWhole(offset + at, into.subarray(at, at + length), signal)
      }
    }
    const workers = Math.min(
      Math.ceil(into.length / blockBytes),
      sftpBounds.blocksInFlightMax,
      Math.ceil(sftpBounds.windowBytes / blockBytes),
    )
    await Promise.all(Array.from({ length: workers }, work))
  }

  async #readWhole(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let got = 0; got < into.length;) {
      const more = await this.#store.link.use(async () => {
        const handle = await this.#opened(signal)
        return handle.session.read(handle, offset + got, into.subarray(got), signal)
      }, signal)
      if (more === 0) throw truncated(this.#store.label, { wanted: into.length, got })
      got += more
    }
  }

  /** The handle, opened anew where its session is gone. */
  #opened(signal: AbortSignal): Promise<Handle> {
    const reopened = this.#handle
      .catch(() => undefined)
      .then(async (handle) => {
        if (handle?.session.alive === true) return handle
        const session = await this.#store.link.session(signal)
        const found = await openNow(this.#store, session, this.#path, signal)
        if (found.sizeBytes === this.sizeBytes) return found.handle
        session.close(found.handle)
        throw locationFailure('location.lies', {
          label: this.#store.label,
          detail: `${this.#store.label} changed an object that is written only once.`,
          next: 'Scrub the vault; the fragment is rebuilt from the other locations.',
        })
      })
    // Others wait for the same.
    this.#handle = reopened
    reopened.catch(() => undefined)
    return reopened
  }
}
