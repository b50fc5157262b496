// A folder on an SFTP server as a location.
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { type Clock, assert, isFailure, limits, systemClock } from '#base'
import { bounds, sftpBounds } from '../bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
  UnfinishedWrite,
} from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { checkName } from '../names.ts'
import { probeLocation } from '../probe.ts'
import { adoptOverSftp, forgetOverSftp } from './adopt.ts'
import { inWords } from './errors.ts'
import type { HostAddress } from './host-keys.ts'
import { StatusError } from './link-error.ts'
import { Link } from './link.ts'
import { listOverSftp, partsBelow, sweepOverSftp } from './list.ts'
import type { LoginProvider } from './login.ts'
import { STATUS } from './packets.ts'
import type { SftpSession } from './session.ts'
import { createOverSftp } from './sink.ts'
import { openOverSftp } from './source.ts'
import { BlockPool, type SftpStore, basePath, notOurs, pathOf, requireRoot, sawMarker } from './store.ts'

export interface SftpLocationOptions {
  readonly label: string
  readonly address: HostAddress
  /** Absolute, or `~/...` below the folder of the login. It must exist. */
  readonly path: string
  readonly login: LoginProvider
  readonly clock?: Clock
  readonly stallMs?: number
  readonly connectMs?: number
  readonly backoffMs?: number
}

/** A location on an SFTP server. Nothing is asked of the server before the first call. */
export function createSftpLocation(options: SftpLocationOptions): Location {
  const clock = options.clock ?? systemClock
  return new SftpLocation({
    link: new Link({
      address: options.address,
      login: options.login,
      clock,
      stallMs: options.stallMs ?? limits.stallMs,
      connectMs: options.connectMs ?? limits.connectMs,
      backoffMs: options.backoffMs ?? sftpBounds.backoffMs,
    }),
    label: options.label,
    clock,
    base: basePath(options.path),
    blocks: new BlockPool(),
    folders: new Set(),
    markerSeen: false,
    links: 'unknown',
  })
}

class SftpLocation implements Location {
  readonly kind = 'sftp'
  readonly label: string
  readonly #store: SftpStore

  constructor(store: SftpStore) {
    this.#store = store
    this.label = store.label
  }

  async create(name: FragmentName, options: LocationOptions = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    return createOverSftp(this.#store, name, options)
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    const sink = await this.create(name, options).catch(whenExists)
    if (sink === undefined) return 'exists'
    try {
      await sink.write(bytes)
      if ((await sink.finish().then(() => true, whenExists)) !== true) return 'exists'
    } catch (error) {
      await sink.abort()
      throw error
    }
    sawMarker(this.#store, name, true)
    return 'created'
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    return openOverSftp(this.#store, name, options)
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    return this.#call(options, async (session, signal) => {
      const found = await session.lookAt(pathOf(this.#store, name), signal)
      if (found === undefined) {
        await requireRoot(this.#store, session, signal)
        return undefined
      }
      if (found.type === 'folder' || found.type === 'other') throw notOurs(this.label, 'a folder or link where a fragment should be')
      return found.sizeBytes === undefined ? undefined : { sizeBytes: found.sizeBytes }
    })
  }

  list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return this.#call(options, (session, signal) => listOverSftp(this.#store, session, request, signal))
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    return this.#call(options, async (session, signal) => {
      const path = pathOf(this.#store, name)
      try {
        await session.remove(path, signal)
        sawMarker(this.#store, name, false)
        return 'gone'
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        if (error.status === STATUS.noSuchFile) {
          await requireRoot(this.#store, session, signal)
          return 'gone'
        }
        // Some servers say `failure` for what they do not let us delete.
        if (error.status === STATUS.denied || (error.status === STATUS.failure && (await session.lookAt(path, signal))?.type === 'file'))
          return 'kept'
        throw error
      }
    })
  }

  async adopt(name: FragmentName, options: LocationOptions = {}): Promise<UnfinishedWrite | undefined> {
    checkName(name, this.label)
    return this.#call(options, (session, signal) => adoptOverSftp(this.#store, session, name, signal))
  }

  async forget(name: FragmentName, options: LocationOptions = {}): Promise<void> {
    checkName(name, this.label)
    return this.#call(options, (session, signal) => forgetOverSftp(this.#store, session, name, signal))
  }

  sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    return this.#call(options, (session, signal) => sweepOverSftp(this.#store, session, request.olderThanMs, signal))
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    const found = await probeLocation(
      this,
      {
        createRaw: async (name, bytes) => ((await this.putIfAbsent(name, bytes, options)) === 'created' ? 'created' : 'refused'),
        abortedWriteLeavesNothing: (name) => this.#abortLeavesNothing(name, options),
        objectLock: () => Promise.resolve('not asked'),
      },
      { clock: this.#store.clock, signal: options.signal },
    )
    return { ...found, findings: [...found.findings, ...(await this.#lacks(options))] }
  }

  renew(): void {
    this.#store.markerSeen = false
    this.#store.folders.clear()
  }

  close(): Promise<void> {
    this.#store.link.close()
    return Promise.resolve()
  }

  #call<T>(options: LocationOptions, work: (session: SftpSession, signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    return inWords(this.label, () => {
      stopIfCancelled(options.signal)
      return this.#store.link.use((session) => work(session, options.signal), options.signal)
    })
  }

  #lacks(options: LocationOptions): Promise<string[]> {
    return this.#call(options, async (session) => {
      const findings = []
      if (!session.has('fsync@openssh.com'))
        findings.push('It cannot be told to bring what it took to its disk: a power failure there may take the newest files.')
      if (this.#store.links === 'none')
        findings.push('It has no hard links: a lock file keeps two of our writers apart, but not other programs.')
      return findings
    })
  }

  async #abortLeavesNothing(name: FragmentName, options: LocationOptions): Promise<boolean> {
    const sink = await this.create(name, options)
    await sink.write(randomBytes(1024))
    await sink.abort()
    const left = await this.#call(options, async (session, signal) => {
      for await (const _ of partsBelow(this.#store, session, `${dirname(name)}/`, signal)) return true
      return false
    })
    return !left && (await this.head(name, options)) === undefined
  }
}

function whenExists(error: unknown): undefined {
  if (isFailure(error, 'location.exists')) return undefined
  throw error
}
