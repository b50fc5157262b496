// Writing one name over SFTP: blocks on their way to an unfinished file, taken up again after a lost connection, then the name.
import { randomBytes } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { Failure, assert } from '#base'
import { bounds, sftpBounds } from '../bounds.ts'
import type { FragmentName, FragmentSink, LocationOptions } from '../contract.ts'
import { exists, stopIfCancelled, truncated } from '../failures.ts'
import { full, sftpFailure } from './errors.ts'
import { StatusError, mayPass } from './link-error.ts'
import { OPEN, STATUS } from './packets.ts'
import { type PartPaths, landed, publish, unlock } from './publish.ts'
import { BLOCK_HEAD_BYTES, type Block, type Handle, type SftpSession } from './session.ts'
import { PART_PREFIX, type SftpStore, forgetFolders, pathOf, prepareFolders, requireRoot } from './store.ts'

/** Begins a write; `location.exists` when the name is taken already. */
export async function createOverSftp(store: SftpStore, name: FragmentName, options: LocationOptions): Promise<FragmentSink> {
  const { signal } = options
  stopIfCancelled(signal)
  const target = pathOf(store, name)
  try {
    return await store.link.use(async (session) => {
      const part = partOf(target)
      const opening = openPart(store, session, { name, part }, signal)
      const [opened, standing, root] = await Promise.allSettled([
        opening,
        session.lookAt(target, signal),
        requireRoot(store, session, signal),
      ])
      const refused = [root, standing, opened].find((each) => each.status === 'rejected')
      const taken = standing.status === 'fulfilled' && standing.value !== undefined
      if (opened.status === 'fulfilled' && refused === undefined && !taken)
        return new SftpSink(store, { target, part, locked: false }, opened.value, { signal, fromBytes: 0 })
      if (opened.status === 'fulfilled') {
        session.close(opened.value)
        await session.remove(part, undefined).catch(() => undefined)
      }
      throw refused?.status === 'rejected' ? refused.reason : exists(store.label)
    }, signal)
  } catch (error) {
    throw await refusal(store, error)
  }
}

async function openPart(
  store: SftpStore,
  session: SftpSession,
  names: { readonly name: FragmentName; readonly part: string },
  signal: AbortSignal | undefined,
): Promise<Handle> {
  const open = (): Promise<Handle> => session.open(names.part, OPEN.write | OPEN.create | OPEN.exclusive, { mode: 0o640, signal })
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof StatusError) || error.status !== STATUS.noSuchFile || !names.name.includes('/')) throw error
  }
  await requireRoot(store, session, signal)
  forgetFolders(store, names.name)
  await prepareFolders(store, session, names.name, signal)
  return open()
}

/** A failure without a reason is a full disk where the server says that there is no space. */
async function refusal(store: SftpStore, error: unknown): Promise<Failure> {
  if (error instanceof StatusError && error.status === STATUS.failure) {
    const session = await store.link.session(undefined).catch(() => undefined)
    const free = await session?.freeBytes(store.base === '' ? '/' : store.base, undefined).catch(() => undefined)
    if (free !== undefined && free < sftpBounds.fullBytes) return full(store.label)
  }
  return sftpFailure(error, store.label)
}

/** A new name for the unfinished file of a name: found again by `isPartFor`. */
export function partOf(target: string): string {
  return `${dirname(target)}/${PART_PREFIX}${basename(target)}.${randomBytes(16).toString('hex')}`
}

/** True for the file name of an unfinished write of a name whose last segment is `last`. */
export function isPartFor(last: string, fileName: string): boolean {
  const begin = `${PART_PREFIX}${last}.`
  return fileName.startsWith(begin) && /^[0-9a-f]{32}$/.test(fileName.slice(begin.length))
}

interface Sending {
  readonly offset: number
  readonly block: Block
}

export class SftpSink implements FragmentSink {
  readonly #store: SftpStore
  readonly #paths: PartPaths
  readonly #signal: AbortSignal | undefined
  #handle: Handle
  #block: Block | undefined
  #written = 0
  #accepted = 0
  #syncedAt = 0
  #syncing: Promise<void> = Promise.resolve()
  /** Not yet acknowledged, in order. */
  readonly #sending = new Map<Sending, Promise<void>>()
  #lost: unknown
  #failure: Failure | undefined
  #resumes = 0
  #acceptedAtResume = 0
  #named = false
  #state: 'open' | 'finished' | 'ended' = 'open'

  constructor(store: SftpStore, paths: PartPaths, handle: Handle, options: LocationOptions & { readonly fromBytes: number }) {
    this.#written = options.fromBytes
    this.#accepted = options.fromBytes
    this.#acceptedAtResume = options.fromBytes
    this.#syncedAt = options.fromBytes
    this.#store = store
    this.#paths = paths
    this.#handle = handle
    this.#signal = options.signal
  }

  get acceptedBytes(): number {
    return this.#accepted
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#step(async () => {
      for (let at = 0; at < bytes.length;) {
        const block = (this.#block ??= this.#store.blocks.take(this.#handle.session.blockBytes))
        const take = Math.min(bytes.length - at, block.memory.length - BLOCK_HEAD_BYTES - block.length)
        block.memory.set(bytes.subarray(at, at + take), BLOCK_HEAD_BYTES + block.length)
        block.length += take
        at += take
        if (block.length === block.memory.length - BLOCK_HEAD_BYTES) await this.#sendBlock()
      }
      await this.#settle(() => false)
    })
  }

  async finish(): Promise<void> {
    try {
      await this.#step(async () => {
        if (this.#block !== undefined) await this.#sendBlock()
        await this.#settle(() => this.#sending.size > 0)
        await this.#giveName()
      })
      this.#state = 'finished'
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  async abort(): Promise<void> {
    await this.#end(async () => {
      const session = this.#handle.session.alive ? this.#handle.session : await this.#store.link.session(undefined)
      if (session === this.#handle.session) session.close(this.#handle)
      await unlock(session, this.#paths)
      await session.remove(this.#paths.part, undefined)
      await Promise.allSettled(this.#sending.values())
    })
  }

  async suspend(): Promise<void> {
    const { session } = this.#handle
    if (this.#state === 'open' && this.#block !== undefined && session.alive) {
      const block = this.#block
      this.#block = undefined
      this.#push({ offset: this.#written, block })
      this.#written += block.length
    }
    await this.#end(async () => {
      await Promise.allSettled(this.#sending.values())
      await session.sync(this.#handle, undefined)
      session.close(this.#handle)
      await unlock(session, this.#paths)
    })
  }

  /** A server that does not answer is not waited for; what is left is swept later. */
  async #end(work: () => Promise<void>): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    const patience = new AbortController()
    const waited = this.#store.clock.sleep(bounds.abortWaitMs, patience.signal).catch(() => undefined)
    await Promise.race([work().catch(() => undefined), waited])
    patience.abort()
    if (this.#block !== undefined) this.#store.blocks.giveBack(this.#block)
    this.#block = undefined
  }

  async #step(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    assert(this.#state === 'open', 'the sink is open')
    try {
      stopIfCancelled(this.#signal)
      await work()
    } catch (error) {
      this.#failure ??= await refusal(this.#store, error)
      throw this.#failure
    }
  }

  async #sendBlock(): Promise<void> {
    const block = this.#block!
    this.#block = undefined
    const each = { offset: this.#written, block }
    this.#written += block.length
    this.#push(each)
    const most = Math.max(2, Math.min(sftpBounds.blocksInFlightMax, Math.floor(sftpBounds.windowBytes / this.#handle.session.blockBytes)))
    await this.#settle(() => this.#sending.size >= most)
    if (this.#written - this.#syncedAt < sftpBounds.syncEveryBytes) return
    await this.#syncing
    this.#syncedAt = this.#written
    // What went wrong with it shows at the end, where it is asked for again.
    this.#syncing = this.#handle.session.sync(this.#handle, this.#signal).catch(() => undefined)
  }

  /** Never rejects: a lost connection is noted for a resume, anything else for whoever writes next. */
  #push(each: Sending): void {
    const handle = this.#handle
    const sent = handle.session.writeBlock(handle, each.offset, each.block).then(
      () => {
        this.#sending.delete(each)
        this.#accepted += each.block.length
        this.#store.blocks.giveBack(each.block)
      },
      async (error: unknown) => {
        if (mayPass(error)) this.#lost ??= error
        else this.#failure ??= await refusal(this.#store, error)
      },
    )
    this.#sending.set(each, sent)
  }

  /** Waits while `busy`, and takes the write up again where the connection was lost. */
  async #settle(busy: () => boolean): Promise<void> {
    while (this.#lost !== undefined || busy()) {
      if (this.#lost === undefined) await this.#oneOrCancelled()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#lost !== undefined) await this.#resume()
      stopIfCancelled(this.#signal)
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  async #oneOrCancelled(): Promise<void> {
    const signal = this.#signal
    let cancel = (): void => undefined
    const cancelled = new Promise<void>((resolve) => {
      cancel = resolve
      signal?.addEventListener('abort', cancel, { once: true })
    })
    await Promise.race([...this.#sending.values(), cancelled])
    signal?.removeEventListener('abort', cancel)
    stopIfCancelled(signal)
  }

  /** Opens the part anew and sends again what was not acknowledged. */
  async #resume(): Promise<void> {
    await Promise.all(this.#sending.values())
    if (this.#failure !== undefined) throw this.#failure
    this.#resumes = this.#accepted > this.#acceptedAtResume ? 1 : this.#resumes + 1
    this.#acceptedAtResume = this.#accepted
    if (this.#resumes > sftpBounds.resumesMax) throw this.#lost
    this.#lost = undefined
    const waiting = [...this.#sending.keys()]
    const acknowledged = waiting.reduce((least, { offset }) => Math.min(least, offset), this.#written)
    const { handle, sizeBytes } = await this.#store.link.use(async (session) => {
      const handle = await this.#reopen(session)
      return { handle, sizeBytes: (await session.lookAtOpen(handle, this.#signal)).sizeBytes }
    }, this.#signal)
    this.#handle = handle
    // A server that died in between may have lost what it had acknowledged.
    if (sizeBytes !== undefined && sizeBytes < acknowledged) throw truncated(this.#store.label, { wanted: acknowledged, got: sizeBytes })
    this.#sending.clear()
    for (const each of waiting) this.#push(each)
  }

  async #reopen(session: SftpSession): Promise<Handle> {
    try {
      return await session.open(this.#paths.part, OPEN.write, { signal: this.#signal })
    } catch (error) {
      // Where names are given by renaming, the part may be gone because it has its name.
      if (!this.#named || !(error instanceof StatusError) || error.status !== STATUS.noSuchFile) throw error
      return session.open(this.#paths.target, OPEN.write, { signal: this.#signal })
    }
  }

  /** Durable, then named, then durable with its name: the second sync takes the new entry of the folder along on the file systems of servers. */
  async #giveName(): Promise<void> {
    for (;;) {
      try {
        await this.#syncing
        const { session } = this.#handle
        await session.sync(this.#handle, this.#signal)
        await requireRoot(this.#store, session, this.#signal)
        const mine = this.#named && (await landed(session, this.#paths, this.#written, this.#signal))
        this.#named = true
        if (!mine) await publish(this.#store, session, this.#paths, this.#signal)
        await this.#makeNameDurable(session)
        session.close(this.#handle)
        await unlock(session, this.#paths)
        // Of no more use, and swept later where it stays.
        if (this.#store.links !== 'none') await session.remove(this.#paths.part, undefined).catch(() => undefined)
        return
      } catch (error) {
        if (!mayPass(error)) throw error
        this.#lost = error
        await this.#settle(() => false)
      }
    }
  }

  /** A name that could not be synced may vanish with the power: it is taken back, so that nobody counts on it. */
  async #makeNameDurable(session: SftpSession): Promise<void> {
    try {
      await session.sync(this.#handle, undefined)
    } catch (error) {
      if (error instanceof StatusError) await session.remove(this.#paths.target, undefined).catch(() => undefined)
      throw error
    }
  }
}
