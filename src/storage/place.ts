// An enrolled location with what we have seen of it: is it ours, does it answer, how fast.
import { type Clock, Failure, type FailureCode, isFailure } from '#base'
import type { LocationKind } from '#contract'
import { canonicalBytes, parseCanonical } from '#format'
import type { Location } from './location.ts'
import { within } from './patience.ts'

export const MARKER = 'location.json'
const MARKER_BYTES_MAX = 4096

/**
 * present      answers and carries our marker
 * empty        answers, but the marker is gone: the place was emptied, or is another one
 * foreign      carries another marker
 * unreachable  does not answer
 */
export type Presence = 'unknown' | 'present' | 'empty' | 'foreign' | 'unreachable'

export interface PlaceView {
  readonly presence: Presence
  readonly detail: string
  readonly next: string
  readonly code: FailureCode | undefined
  readonly latencyMs: number | null
  readonly lastSeenMs: number | null
}

/** Weight of a new latency in the moving mean. */
const LATENCY_WEIGHT = 0.2

export class Place {
  readonly id: string
  readonly x: number
  readonly label: string
  readonly kind: LocationKind
  readonly location: Location
  readonly #vault: string
  readonly #clock: Clock
  readonly #checkMs: number
  readonly #onChange: (place: Place) => void
  #presence: Presence = 'unknown'
  #failure: Failure | undefined
  #latencyMs: number | null = null
  #lastSeenMs: number | null = null
  #failures = 0
  /** Checks begun, and the last of them that has answered. */
  #checks = 0
  #answered = 0
  #blockedUntilMs = 0

  constructor(parts: {
    id: string
    x: number
    vault: string
    location: Location
    clock: Clock
    /** A check may take this long before the place counts as unreachable. */
    checkMs: number
    onChange: (place: Place) => void
  }) {
    this.id = parts.id
    this.x = parts.x
    this.location = parts.location
    this.label = parts.location.label
    this.kind = parts.location.kind
    this.#vault = parts.vault
    this.#clock = parts.clock
    this.#checkMs = parts.checkMs
    this.#onChange = parts.onChange
  }

  get view(): PlaceView {
    return {
      presence: this.#presence,
      detail: this.#failure?.message ?? '',
      next: this.#failure?.next ?? '',
      code: this.#failure?.code,
      latencyMs: this.#latencyMs === null ? null : Math.round(this.#latencyMs * 10) / 10,
      lastSeenMs: this.#lastSeenMs,
    }
  }

  /** False while the circuit breaker is open or the place is not ours: reads go elsewhere first. */
  get usable(): boolean {
    return (this.#presence === 'present' || this.#presence === 'unknown') && this.#clock.now() >= this.#blockedUntilMs
  }

  /** Lower is asked earlier. */
  get cost(): number {
    return (this.usable ? 0 : 1e6) + (this.#latencyMs ?? 0)
  }

  succeeded(ms: number): void {
    this.#failures = 0
    this.#blockedUntilMs = 0
    this.#lastSeenMs = this.#clock.now()
    this.#latencyMs = this.#latencyMs === null ? ms : this.#latencyMs * (1 - LATENCY_WEIGHT) + ms * LATENCY_WEIGHT
  }

  /** It has not answered for so long, and others were asked: it comes later in turn until it is fast again. */
  slow(ms: number): void {
    this.#latencyMs = Math.max(this.#latencyMs ?? 0, ms)
  }

  /** Opens the circuit breaker for twice as long after each failure in a row, at most a minute. The health check closes it. */
  failed(failure: Failure): void {
    if (failure.kind === 'absent' || failure.kind === 'corrupt' || failure.code === 'base.cancelled') return
    this.#failures += 1
    this.#blockedUntilMs = this.#clock.now() + Math.min(60_000, 500 * 2 ** Math.min(this.#failures, 7))
    // A full place is there all the same, and reads.
    if (failure.code === 'location.full') this.#failure = failure
    else if (failure.kind === 'unavailable' || failure.kind === 'denied') this.#found('unreachable', failure)
  }

  /** Asks the location for its marker. Never throws. */
  async check(signal?: AbortSignal): Promise<void> {
    const started = this.#clock.now()
    const turn = ++this.#checks
    /** A check that began later has answered already: what this one saw is old. */
    const old = (): boolean => {
      if (turn < this.#answered) return true
      this.#answered = turn
      return false
    }
    try {
      const patience = { clock: this.#clock, ms: this.#checkMs, label: this.label, signal }
      const marker = await within(patience, (stop) => readMarker(this.location, stop))
      if (old()) return
      this.succeeded(this.#clock.now() - started)
      if (marker === undefined)
        this.#found(
          'empty',
          new Failure('location.not-ours', {
            detail: `${this.label} is empty: its marker is gone`,
            culprits: [this.label],
            next: 'If the place is the right one, repair fills it again; else mount or connect the right one.',
          }),
        )
      else if (marker.vault !== this.#vault || marker.location !== this.id) {
        this.#found(
          'foreign',
          new Failure('location.not-ours', {
            detail: `${this.label} belongs to another vault or location`,
            culprits: [this.label],
            next: 'Connect the place that belongs here.',
          }),
        )
      } else if (this.#presence !== 'present') this.#found('present', undefined)
    } catch (error) {
      const failure =
        error instanceof Failure
          ? error
          : new Failure('location.unreachable', { detail: `${this.label} cannot be reached`, culprits: [this.label], cause: error })
      if (failure.code === 'base.cancelled' || old()) return
      if (failure.code === 'location.not-ours') this.#found('empty', failure)
      else if (failure.kind === 'corrupt' || failure.kind === 'invalid') this.#found('foreign', failure)
      else {
        this.failed(failure)
        this.#found('unreachable', failure)
      }
    }
  }

  /** Looks anew at a place that was exchanged. */
  async renew(): Promise<void> {
    this.location.renew?.()
    await this.check()
  }

  #found(presence: Presence, failure: Failure | undefined): void {
    const changed = presence !== this.#presence
    this.#presence = presence
    this.#failure = failure
    if (changed) this.#onChange(this)
  }

  /** Writes the marker into an empty place: an explicit act of `init`, `location add` or repair. */
  async mark(signal?: AbortSignal): Promise<void> {
    const bytes = markerBytes(this.#vault, this.id)
    const patience = { clock: this.#clock, ms: this.#checkMs, label: this.label, signal }
    await within(patience, (stop) => this.location.putIfAbsent(MARKER, bytes, { signal: stop }))
    await this.check(signal)
    if (this.#presence !== 'present') throw this.#failure ?? new Failure('location.not-ours', { culprits: [this.label] })
  }
}

export interface Marker {
  readonly vault: string
  readonly location: string
}

export function markerBytes(vault: string, location: string): Uint8Array {
  return canonicalBytes({ v: 1, vault, location })
}

/** The marker of a place, or undefined when there is none. Throws the location's failures, and `base.invalid` for a marker that is not ours. */
export async function readMarker(location: Location, signal?: AbortSignal): Promise<Marker | undefined> {
  let source
  try {
    source = await location.open(MARKER, { signal, tailBytes: MARKER_BYTES_MAX })
  } catch (error) {
    if (isFailure(error, 'location.absent')) return undefined
    throw error
  }
  try {
    const parsed = source.sizeBytes <= MARKER_BYTES_MAX ? parseCanonical(source.tail) : null
    const marker = parsed as { v?: unknown; vault?: unknown; location?: unknown } | null
    if (marker?.v !== 1 || typeof marker.vault !== 'string' || typeof marker.location !== 'string') {
      throw new Failure('base.invalid', { detail: `${location.label} holds a location.json that is not ours`, culprits: [location.label] })
    }
    return { vault: marker.vault, location: marker.location }
  } finally {
    await source.close()
  }
}
