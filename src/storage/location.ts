// The contract of a location: a dumb place outside our trust that keeps named, write-once byte strings.
// Every driver passes test/storage/locations/conformance.ts; what it cannot do, it says in its capabilities.
// Each failure is a `Failure` of a `location.*` code whose culprits name the location's label.

import type { LocationKind } from '#contract'

/** Names are ASCII, 1..200 characters, of segments [a-z0-9._-]+ joined by `/`; no segment starts with a dot. */
export type FragmentName = string

export interface LocationOptions {
  readonly signal?: AbortSignal | undefined
}

export interface Location {
  readonly kind: LocationKind
  /** What people call it; used in errors. Never holds a secret. */
  readonly label: string

  /**
   * Begins a write of unknown length. Nothing is visible under the name before `finish` resolves, and a name that
   * exists is never overwritten where the location can tell (`location.exists`, at the beginning or from `finish`).
   * `expectedBytes`, when known, lets a store choose its parts; it need not be exact.
   */
  create(
    name: FragmentName,
    options?: LocationOptions & {
      readonly expectedBytes?: number
      /** It may be gone on with after an interruption: where that costs something, it is for these only that `adopt` finds anything. */
      readonly adoptable?: boolean
    },
  ): Promise<FragmentSink>

  /** Writes a small object (at most 1 MiB) whole and durably unless the name exists. Ambiguous answers are settled by reading back. */
  putIfAbsent(name: FragmentName, bytes: Uint8Array, options?: LocationOptions): Promise<'created' | 'exists'>

  /** Opens for ranged reading; the tail is fetched along, since readers begin there. `location.absent` when there is none. */
  open(name: FragmentName, options?: LocationOptions & { readonly tailBytes?: number }): Promise<FragmentSource>

  /** Size of what is kept under the name, or undefined. Never the store's own ETag or checksum (rule R1). */
  head(name: FragmentName, options?: LocationOptions): Promise<{ readonly sizeBytes: number } | undefined>

  /** One page of names in code point order, those after `after`, all beginning with `prefix`. `next` is the `after` of the next page. */
  list(request: ListRequest, options?: LocationOptions): Promise<ListPage>

  /** Removes a name for good. Absent already is no failure. `kept` = the location refuses (object lock, no right to delete). */
  discard(name: FragmentName, options?: LocationOptions): Promise<'gone' | 'kept'>

  /**
   * What an interrupted write left under this name, to be read back and gone on with; also a write that was finished and that nobody counts
   * on. It may stand under the name until the write goes on to its end, which takes its place. The caller knows that nobody else is at it. Undefined when there is nothing. A location
   * without it is filled by repair after an interruption.
   */
  adopt?(name: FragmentName, options?: LocationOptions): Promise<UnfinishedWrite | undefined>

  /** Removes what interrupted writes left behind for this name, whatever its age; nothing that stands under the name itself. */
  forget?(name: FragmentName, options?: LocationOptions): Promise<void>

  /** Removes what interrupted writes left behind, whoever began them, when its last sign of life is older than `olderThanMs`; answers how many. */
  sweepPartial(request: { readonly olderThanMs: number }, options?: LocationOptions): Promise<number>

  /** Tries what the location promises, with small objects of its own under `probe/`, and removes them. */
  probe(options?: LocationOptions): Promise<Capabilities>

  /** For how many days everything that is written is locked; undefined where nothing is. */
  readonly lockDays?: number | undefined

  /**
   * Locks what stands under the name for all the days of the location again, from now on. `held`: its lock lasts long enough as it is.
   * `refused`: no right to, or no lock there. `location.absent` when there is nothing.
   */
  extendLock?(name: FragmentName, options?: LocationOptions): Promise<'extended' | 'held' | 'refused'>

  /** For a name that shows nothing: whether the place still keeps what somebody deleted, as buckets with versions do. */
  hides?(name: FragmentName, options?: LocationOptions): Promise<boolean>

  /** Accepts what stands at the place now, where the driver had noticed an exchange: part of the explicit act of repair. */
  renew?(): void

  close(): Promise<void>
}

export interface FragmentSink {
  /** Appends. The bytes may be reused only after the promise has resolved. Call it one at a time. */
  write(bytes: Uint8Array): Promise<void>
  /** As `write` of each part in turn, where that takes one call to the system instead of several. */
  writev?(parts: readonly Uint8Array[]): Promise<void>
  /** Makes everything durable (fsync of file and folder; the store's acknowledgement) and visible under the name. */
  finish(): Promise<void>
  /** Drops what was written. Never throws; safe after a failure. */
  abort(): Promise<void>
  /** Stops, and leaves what was written to `adopt`. Never throws; safe after a failure. Where it is missing, nothing is left. */
  suspend?(): Promise<void>
  /** Bytes that the location has acknowledged so far, for stall timers. */
  readonly acceptedBytes: number
}

/** What an interrupted write left at its location: its first bytes, as far as they arrived. */
export interface UnfinishedWrite {
  readonly sizeBytes: number
  /** As `read` of a source. */
  read(offset: number, into: Uint8Array, options?: LocationOptions): Promise<void>
  /** Drops all but the first `sizeBytes` and goes on writing behind them. This is closed by it. */
  resume(sizeBytes: number, options?: LocationOptions): Promise<FragmentSink>
  /** Leaves it as it is. */
  close(): Promise<void>
}

export interface FragmentSource {
  readonly sizeBytes: number
  /** The last bytes, at most `tailBytes` of `open`. */
  readonly tail: Uint8Array
  /**
   * Reads exactly `into.length` bytes from `offset`; fewer there is `location.truncated`. Once it has settled, cancelled or not,
   * nothing more is written into the view; a cancelled read of a disk that hangs therefore settles only when the disk answers.
   */
  read(offset: number, into: Uint8Array, options?: LocationOptions): Promise<void>
  close(): Promise<void>
}

export interface ListRequest {
  readonly prefix: string
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

export interface ListPage {
  readonly entries: readonly { readonly name: FragmentName; readonly sizeBytes: number }[]
  readonly next?: string | undefined
}

export interface Capabilities {
  /** A second conditional write of one name was refused and the first bytes stayed: it may vote on the vault head. */
  readonly honestCreate: boolean
  readonly rangedRead: boolean
  readonly listAfterWrite: boolean
  readonly multipartAbort: boolean
  readonly deletes: boolean
  readonly objectLock: boolean
  readonly latencyMs: number
  /** What it failed in, in plain words; empty for an honest location. */
  readonly findings: readonly string[]
}
