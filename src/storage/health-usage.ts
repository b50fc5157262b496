// What was asked of each location and how it answered: kept in memory, added to the sums of the day in the database.
import type { Clock } from '#base'
import type { Store } from './catalogue.ts'
import type { Location } from './location.ts'
import { type Meter, metered } from './locations/metered.ts'

/** Upper ends of the classes of durations, in milliseconds; the last class has none. */
export const LATENCY_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000] as const
/** Days of sums that are kept. */
const DAYS_KEPT = 400
const DAY_MS = 86_400_000

interface Sums {
  puts: number
  gets: number
  errors: number
  bytesIn: number
  bytesOut: number
  latency: number[]
}

/** What was measured at one location over a span of days. */
export interface Usage {
  readonly puts: number
  readonly gets: number
  readonly errors: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly p50Ms: number | null
  readonly p95Ms: number | null
}

export class UsageMeters {
  readonly #db: Store
  readonly #clock: Clock
  readonly #pending = new Map<string, Sums>()
  /** Writing and reading of sums take turns, so that nothing is missed or counted twice in between. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(db: Store, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** The location, counted from now on. */
  metered(id: string, location: Location): Location {
    return metered(location, this.#meter(id), this.#clock)
  }

  #meter(id: string): Meter {
    const sums = (): Sums => {
      let found = this.#pending.get(id)
      if (found === undefined) this.#pending.set(id, (found = none()))
      return found
    }
    return {
      call: ({ sort, ms, timed, failed }) => {
        const mine = sums()
        if (sort === 'put') mine.puts += 1
        else mine.gets += 1
        if (failed) mine.errors += 1
        if (timed) mine.latency[classOf(ms)]! += 1
      },
      bytesIn: (bytes) => {
        sums().bytesIn += bytes
      },
      bytesOut: (bytes) => {
        sums().bytesOut += bytes
      },
    }
  }

  /** Adds what was counted since the last time to today's sums; what cannot be written stays for the next time. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#flush())
  }

  /** Sums of the last `days` days, today among them, by location. */
  since(days: number): Promise<Map<string, Usage>> {
    return this.#inTurn(() => this.#since(days))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #flush(): Promise<void> {
    const pending = [...this.#pending]
    if (pending.length === 0) return
    this.#pending.clear()
    const day = dayOf(this.#clock.now())
    try {
      await this.#db.transaction(async (tx) => {
        for (const [location, sums] of pending) {
          const row = await tx
            .selectFrom('location_usage')
            .selectAll()
            .where('location', '=', location)
            .where('day', '=', day)
            .executeTakeFirst()
          const total = row === undefined ? sums : added(sumsOf(row), sums)
          const { puts, gets, errors, bytesIn: bytes_in, bytesOut: bytes_out } = total
          const values = { puts, gets, errors, bytes_in, bytes_out, latency: JSON.stringify(total.latency) }
          if (row === undefined)
            await tx
              .insertInto('location_usage')
              .values({ location, day, ...values })
              .execute()
          else await tx.updateTable('location_usage').set(values).where('location', '=', location).where('day', '=', day).execute()
        }
        await tx
          .deleteFrom('location_usage')
          .where('day', '<', dayOf(this.#clock.now() - DAYS_KEPT * DAY_MS))
          .execute()
      })
    } catch (error) {
      for (const [location, sums] of pending) this.#pending.set(location, added(this.#pending.get(location) ?? none(), sums))
      throw error
    }
  }

  async #since(days: number): Promise<Map<string, Usage>> {
    const rows = await this.#db.kysely
      .selectFrom('location_usage')
      .selectAll()
      .where('day', '>', dayOf(this.#clock.now() - days * DAY_MS))
      .execute()
    const sums = new Map([...this.#pending].map(([id, one]) => [id, added(none(), one)]))
    for (const row of rows) sums.set(row.location, added(sums.get(row.location) ?? none(), sumsOf(row)))
    return new Map(
      [...sums].map(([id, { latency, ...rest }]) => [id, { ...rest, p50Ms: quantile(latency, 0.5), p95Ms: quantile(latency, 0.95) }]),
    )
  }
}

/** The duration below which this part of the calls stayed, straight within its class; null without calls. */
export function quantile(classes: readonly number[], part: number): number | null {
  const total = classes.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let before = 0
  for (const [index, count] of classes.entries()) {
    if (before + count >= part * total && count > 0) {
      const low = index === 0 ? 0 : LATENCY_BOUNDS_MS[index - 1]!
      const high = LATENCY_BOUNDS_MS[index] ?? low
      return Math.round((low + ((part * total - before) / count) * (high - low)) * 10) / 10
    }
    before += count
  }
  return null
}

function classOf(ms: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound)
  return index < 0 ? LATENCY_BOUNDS_MS.length : index
}

function none(): Sums {
  return { puts: 0, gets: 0, errors: 0, bytesIn: 0, bytesOut: 0, latency: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0) }
}

function added(a: Sums, b: Sums): Sums {
  return {
    puts: a.puts + b.puts,
    gets: a.gets + b.gets,
    errors: a.errors + b.errors,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    latency: none().latency.map((_, index) => (a.latency[index] ?? 0) + (b.latency[index] ?? 0)),
  }
}

function sumsOf(row: {
  readonly puts: number
  readonly gets: number
  readonly errors: number
  readonly bytes_in: number
  readonly bytes_out: number
  readonly latency: string
}): Sums {
  const { puts, gets, errors, bytes_in: bytesIn, bytes_out: bytesOut, latency } = row
  return { puts, gets, errors, bytesIn, bytesOut, latency: JSON.parse(latency) as number[] }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
