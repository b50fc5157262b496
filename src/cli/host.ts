// What a command gets from the program around it: streams, the signal to stop, and a way to a site.
import type { Client } from '#contract'

export interface Host {
  readonly version: string
  readonly input: AsyncIterable<Uint8Array>
  readonly output: Sink
  readonly errors: Sink
  /** The folder that relative names on the command line belong to. */
  readonly folder: string
  /** The person's own folder, for `~/`. */
  readonly personFolder: string
  readonly keyboard: boolean
  /** Whether the places of unforeseen errors in our code are shown (QUORATE_LOG). */
  readonly showsPlaces: boolean
  /** Aborts with the first signal from outside. */
  readonly signal: AbortSignal
  /** Where QUORATE_PASSPHRASE_FILE points. */
  readonly passphraseFile: string | undefined
  connect(request: ConnectRequest): Promise<Connection>
  /** Verifies the record of a deletion, without any site. Throws `format.framing`, `format.signature`. */
  verifyDeletion(bytes: Uint8Array): Promise<VerifiedDeletion>
  serve(request: ServeRequest): Promise<void>
}

/** What a record says that verified under the keys that it carries. */
export interface VerifiedDeletion {
  /** Fingerprint of those keys, to be compared with the recovery sheet. */
  readonly dealer: string
  readonly vault: string
  readonly deletion: string
  readonly path: string
  readonly by: string
  readonly at: string
  readonly written: string
  readonly state: 'open' | 'closed'
  readonly stillNamed: number
  readonly dealings: number
  /** Answers by location: label, answer, fragments. */
  readonly answers: readonly { readonly location: string; readonly answer: string; readonly fragments: number }[]
}

export interface Sink {
  /** Resolves when the bytes are on their way, so that they may be overwritten. Throws `OutputClosed` when nobody reads any more. */
  write(part: string | Uint8Array): Promise<void>
  readonly isTerminal: boolean
  readonly columns: () => number
}

/** The reader of our output has left, as `head` does. Nothing went wrong. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

export interface ConnectRequest {
  readonly home: string | undefined
  readonly passphrase: string | undefined
  /** How long another command may keep the home to itself before we give up. */
  readonly waitMs: number
  /** Named to others who wait for us. */
  readonly command: string
  /** Never start a site: for completion, which must be quick and change nothing. */
  readonly onlyRunning?: boolean | undefined
}

export interface Connection {
  readonly client: Client
  close(): Promise<void>
}

export interface ServeRequest {
  readonly home: string | undefined
  readonly passphrase: string | undefined
  readonly waitMs: number
  /** Undefined takes the usual port, or the next free one. */
  readonly port: number | undefined
  readonly open: boolean
  readonly outside: OutsideWish
  readonly json: boolean
}

/** How others are to reach the site, as typed; undefined leaves it to the environment. */
export interface OutsideWish {
  readonly publicUrl?: string | undefined
  readonly listen?: string | undefined
  readonly certificate?: string | undefined
  readonly certificateKey?: string | undefined
  readonly trustedProxy?: string | undefined
  readonly redirectHttp?: string | undefined
  readonly tls12?: boolean | undefined
}
