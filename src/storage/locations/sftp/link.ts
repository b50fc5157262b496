// The way to one server: a session that is opened when it is needed, shared by all calls, and opened anew after it broke.
import { type Clock, Failure } from '#base'
import { sftpBounds } from '../bounds.ts'
import { stopIfCancelled, unlessCancelled } from '../failures.ts'
import { connectSftp } from './connection.ts'
import type { HostAddress } from './host-keys.ts'
import { LinkError, mayPass } from './link-error.ts'
import type { LoginProvider } from './login.ts'
import type { SftpSession } from './session.ts'

export interface LinkOptions {
  readonly address: HostAddress
  readonly login: LoginProvider
  readonly clock: Clock
  readonly stallMs: number
  readonly connectMs: number
  readonly backoffMs: number
}

export class Link {
  readonly clock: Clock
  readonly #options: LinkOptions
  readonly #stop = new AbortController()
  #session: SftpSession | undefined
  #connecting: Promise<SftpSession> | undefined
  #kind: number | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.clock = options.clock
  }

  /** Runs work that may be done twice. It is done again, over a new connection, when the old one was lost. */
  async use<T>(work: (session: SftpSession) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(await this.session(signal))
      } catch (error) {
        if (!mayPass(error) || attempt >= sftpBounds.attempts) throw error
        await this.pause(attempt, signal)
      }
    }
  }

  /** The session that stands, or a new one. One try: callers who may wait come again. */
  async session(signal: AbortSignal | undefined): Promise<SftpSession> {
    stopIfCancelled(signal)
    if (this.#stop.signal.aborted) throw new Failure('base.cancelled')
    if (this.#session?.alive === true) return this.#session
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return unlessCancelled(this.#connecting, signal)
  }

  /** Grows with the attempt, with jitter. */
  async pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    const most = Math.min(sftpBounds.backoffMsMax, this.#options.backoffMs * 2 ** (attempt - 1))
    await this.clock.sleep(Math.max(1, most * (0.5 + Math.random() / 2)), signal)
  }

  close(): void {
    this.#stop.abort()
    this.#session?.fail(new LinkError('lost'))
  }

  async #connect(): Promise<SftpSession> {
    const { address, login, clock, stallMs, connectMs } = this.#options
    // Read for every connection: a key that was exchanged is taken at once.
    const about = { address, login: await login(), clock, stallMs, connectMs, signal: this.#stop.signal, kind: this.#kind }
    const { session, kind } = await connectSftp(about)
    this.#kind = kind
    this.#session = session
    return session
  }
}
