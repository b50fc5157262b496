// `quorate/client`: a running site from another program, over HTTPS with a token or over the unix socket of this machine's site.
import { join } from 'node:path'
import { Failure } from '#base'
import { createClient, event as siteEvent, routes, toFailure, type Client, type SiteEvent, type Transport } from '#contract'
import { httpTransport } from '../cli/http-transport.ts'
import { socketAddress } from '../main/socket-address.ts'
import { filesOver, type Cancellable, type Files } from './files.ts'

export { Failure, isFailure, type FailureCode } from '#base'
export type { Client, Entry, LocationStatus, SiteEvent, Status, Stored } from '#contract'
export type { Body, Cancellable, Files, Reading, ReadOptions, Report, StoreOptions } from './files.ts'

/** Where the site is, and who calls. */
export type ConnectOptions = {
  /** A call during which nothing moves for so long fails with `api.timeout`; 120 000 if absent. Time for a whole call: pass a signal. */
  readonly silenceMs?: number | undefined
} & (
  | {
      /** `https://HOST/`, or `http://localhost:PORT/` on the same machine. */
      readonly url: string
      /** An API token of a person. Refused (`api.in-clear`) where it would cross a network in clear. */
      readonly token?: string | undefined
      /** PEM certificates to trust besides those of the system, such as that of the site's own authority. */
      readonly ca?: string | undefined
    }
  | {
      /** Home of a site that runs on this machine under the same user. */
      readonly home: string
    }
)

/** A site that runs. Nothing is sent before the first call. Failures of the site come as they are thrown there, with code and culprits. */
export interface Site extends Files, AsyncDisposable {
  /** What happens at the site, from now on until the signal aborts: first its status. Ends with a failure when the connection does. */
  events(options?: Cancellable): AsyncIterable<SiteEvent>
  /** Every call of the API by its name, typed: locations, trash, keeping, change, health, people and the rest. */
  readonly api: Client
  /** Closes idle connections. */
  close(): void
}

const SILENCE_MS = 120_000
/** One event is one line. */
const EVENT_CHARS_MAX = 8 * 2 ** 20

/** Fails with `base.invalid` for what is no address, and `api.in-clear`. */
export function connect(options: ConnectOptions): Site {
  const silence = { silenceMs: options.silenceMs ?? SILENCE_MS }
  const socket = 'home' in options ? socketAddress(join(options.home, 'socket')) : undefined
  const transport = httpTransport(
    socket === undefined ? (options as Extract<ConnectOptions, { url: string }>) : { socket: socket.path },
    silence,
  )
  const api = createClient(transport.call)
  const close = (): void => {
    transport.close()
    socket?.close()
  }
  return {
    ...filesOver(api),
    events: ({ signal } = {}) => eventsOf(transport.call, signal),
    api,
    close,
    [Symbol.asyncDispose]: async () => close(),
  }
}

async function* eventsOf(call: Transport, signal: AbortSignal | undefined): AsyncGenerator<SiteEvent> {
  const answer = await call({ method: routes.events.method, target: routes.events.path, headers: {}, signal })
  if (answer.status >= 400) {
    const parts = await Array.fromAsync(answer.body, (part) => Uint8Array.from(part))
    throw toFailure(answer.status, Buffer.concat(parts))
  }
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const part of answer.body) {
      const lines = (rest + decoder.decode(part, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > EVENT_CHARS_MAX) throw new Failure('api.answer', { detail: 'An event is too long.' })
      for (const line of lines) {
        if (!line.startsWith('data:')) continue
        // Kinds that came with a later version are not known here.
        const event = siteEvent.safeParse(jsonOf(line.slice('data:'.length)))
        if (event.success) yield event.data
        if (signal?.aborted === true) return
      }
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    return
  }
  if (signal?.aborted !== true)
    throw new Failure('api.unreachable', { detail: 'The site ended the events.', next: 'Listen again; then ask for what was missed.' })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure('api.answer', { detail: 'An event is no JSON.', cause: error })
  }
}
