// The locations of the vault together: opened once, watched, and ordered by what they can do for us now.
import { type Clock, Failure } from '#base'
import type { Location } from './location.ts'
import { Place } from './place.ts'

export interface EnrolledLocation {
  readonly id: string
  readonly x: number
  readonly location: Location
}

/** How often the marker of a location is asked for. */
const FOLDER_CHECK_MS = 1000
const REMOTE_CHECK_MS = 15_000

export class Places {
  readonly #clock: Clock
  readonly #vault: string
  readonly #onChange: (place: Place) => void
  readonly #checkMs: number
  readonly #wrap: (id: string, location: Location) => Location
  readonly #stop = new AbortController()
  #all: Place[]

  constructor(parts: {
    readonly vault: string
    readonly locations: readonly EnrolledLocation[]
    readonly clock: Clock
    /** A check of one location may take this long before it counts as unreachable. */
    readonly checkMs: number
    /** Seen by everybody instead of the location itself. */
    readonly wrap?: (id: string, location: Location) => Location
    /** A place came or went. */
    readonly onChange: (place: Place) => void
  }) {
    this.#clock = parts.clock
    this.#vault = parts.vault
    this.#onChange = parts.onChange
    this.#checkMs = parts.checkMs
    this.#wrap = parts.wrap ?? ((_, location) => location)
    this.#all = parts.locations.map((one) => this.#place(one)).toSorted((a, b) => a.x - b.x)
  }

  get all(): readonly Place[] {
    return this.#all
  }

  /** Ids of those that answer and are ours. */
  get present(): string[] {
    return this.#all.filter((place) => place.view.presence === 'present').map(({ id }) => id)
  }

  byId(id: string): Place | undefined {
    return this.#all.find((place) => place.id === id)
  }

  /** By label or id. Throws `storage.absent`. */
  named(name: string): Place {
    const place = this.#all.find(({ id, label }) => id === name || label === name)
    if (place !== undefined) return place
    throw new Failure('storage.absent', {
      detail: `the vault has no location ${JSON.stringify(name)}`,
      next: `It has: ${this.#all.map(({ label }) => label).join(', ')}.`,
    })
  }

  add(one: EnrolledLocation): Place {
    const place = this.#place(one)
    this.#all = [...this.#all, place].toSorted((a, b) => a.x - b.x)
    if (this.#watching) void this.#watch(place)
    return place
  }

  /** Asks every location now, at once. */
  async checkAll(): Promise<void> {
    await Promise.all(this.#all.map((place) => place.check(this.#stop.signal)))
  }

  #watching = false

  /** Begins to watch in the background, until `close`. */
  watch(): void {
    this.#watching = true
    for (const place of this.#all) void this.#watch(place)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#all.map((place) => place.location.close()))
  }

  async #watch(place: Place): Promise<void> {
    const signal = this.#stop.signal
    const period = place.kind === 'folder' ? FOLDER_CHECK_MS : REMOTE_CHECK_MS
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(place.view.presence === 'present' ? period : Math.min(period, 2000), signal)
        await place.check(signal)
      } catch {
        return
      }
    }
  }

  #place({ id, x, location }: EnrolledLocation): Place {
    const seen = this.#wrap(id, location)
    return new Place({ id, x, vault: this.#vault, location: seen, clock: this.#clock, checkMs: this.#checkMs, onChange: this.#onChange })
  }
}
