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

/** leaving: read, and given nothing new; emptying: nothing needs it any more, its names are being taken away. */
export type Departure = 'leaving' | 'emptying'

export class Places {
  readonly #clock: Clock
  readonly #vault: string
  readonly #onChange: (place: Place) => void
  readonly #checkMs: number
  readonly #wrap: (id: string, location: Location) => Location
  readonly #stop = new AbortController()
  readonly #departures: Map<string, Departure>
  #all: Place[]

  constructor(parts: {
    readonly vault: string
    readonly locations: readonly EnrolledLocation[]
    /** Locations that are on their way out. */
    readonly departures?: ReadonlyMap<string, Departure>
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
    this.#departures = new Map(parts.departures)
    this.#all = parts.locations.map((one) => this.#place(one)).toSorted((a, b) => a.x - b.x)
  }

  get all(): readonly Place[] {
    return this.#all
  }

  /** Those that new fragments go to. */
  get active(): readonly Place[] {
    return this.#all.filter(({ id }) => !this.#departures.has(id))
  }

  /** Those that a head names: all whose fragments some dealing needs. */
  get essential(): readonly Place[] {
    return this.#all.filter(({ id }) => this.#departures.get(id) !== 'emptying')
  }

  departure(id: string): Departure | undefined {
    return this.#departures.get(id)
  }

  /** Undefined: it stays after all. */
  depart(id: string, departure: Departure | undefined): void {
    if (departure === undefined) this.#departures.delete(id)
    else this.#departures.set(id, departure)
  }

  /** The location is none of ours any more. */
  async remove(place: Place): Promise<void> {
    this.#all = this.#all.filter((one) => one !== place)
    this.#departures.delete(place.id)
    await place.location.close()
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
    while (!signal.aborted && this.#all.includes(place)) {
      try {
        await this.#clock.sleep(place.view.presence === 'present' ? period : Math.min(period, 2000), signal)
        if (this.#all.includes(place)) await place.check(signal)
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
