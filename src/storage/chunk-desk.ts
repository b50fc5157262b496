// Where a writer puts the plaintext of each chunk and has it dealt: in the site's own thread, or in others.
import type { Dealer, Slot } from '#format'
import type { ChunkPool, Sheet } from './chunk-pool.ts'

/** Takes the records of one chunk after the other to the locations. */
export interface Carrier {
  /** Resolves when every location took its record, or was given up. */
  send(records: readonly Uint8Array[]): Promise<unknown>
  /** Waits; throws when too few locations are left, or the work was cancelled. */
  guard(work: Promise<unknown>): Promise<void>
  /** True while a location that was given up may still read what it was sent. */
  readonly holding: boolean
}

export interface ChunkDesk {
  /** Where the next chunk's plaintext goes; waits until there is room. */
  room(): Promise<Uint8Array>
  /** Deals the first `length` bytes of that room as the next record, and sends it off. */
  deal(length: number, last: boolean): void
  /** Waits until everything has been sent. */
  drain(): Promise<void>
  /** Call it however the write ended; then nothing of the file is left here. */
  close(): Promise<void>
}

/** Chunks under way to the locations, of one object that this thread deals. */
export const DESK_SLOTS = 4

/** Rooms in turn; the next one is free when what it held has been sent. */
class Ring<Room> {
  readonly #rooms: readonly Room[]
  readonly #busy = new Map<Room, Promise<unknown>>()
  #turn = 0

  constructor(rooms: readonly Room[]) {
    this.#rooms = rooms
  }

  async next(carrier: Carrier): Promise<Room> {
    const room = this.#rooms[this.#turn]!
    this.#turn = (this.#turn + 1) % this.#rooms.length
    await carrier.guard(this.#busy.get(room) ?? Promise.resolve())
    return room
  }

  sent(room: Room, done: Promise<unknown>): void {
    this.#busy.set(room, done)
  }

  async drain(carrier: Carrier): Promise<void> {
    for (const done of this.#busy.values()) await carrier.guard(done)
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#busy.values())
  }
}

/** In this thread, in the slots of the dealer's arena. */
export function localDesk(dealer: Dealer, slots: readonly Slot[], carrier: Carrier): ChunkDesk {
  const ring = new Ring(slots)
  let slot = slots[0]!
  return {
    room: async () => {
      slot = await ring.next(carrier)
      return dealer.plain(slot)
    },
    deal: (length, last) => ring.sent(slot, carrier.send(dealer.deal(slot, length, last))),
    drain: () => ring.drain(carrier),
    close: () => Promise.resolve(),
  }
}

/** In the pool's threads. Records leave in the order of their numbers, whichever thread was faster. */
export function pooledDesk(dealer: Dealer, pool: ChunkPool, carrier: Carrier): ChunkDesk {
  const dealing = pool.begin(dealer.chunkKeys)
  const { sheets } = dealing
  const ring = new Ring(sheets)
  let sheet = sheets[0]!
  let order: Promise<unknown> = Promise.resolve()

  const carry = async (mine: Sheet, records: readonly Uint8Array[]): Promise<void> => {
    await carrier.send(records)
    // Whoever still reads them keeps these; the next chunk gets others.
    if (carrier.holding) mine.buffers = { plain: mine.buffers.plain, records: new ArrayBuffer(mine.buffers.records.byteLength) }
  }
  return {
    room: async () => {
      sheet = await ring.next(carrier)
      return new Uint8Array(sheet.buffers.plain)
    },
    deal: (length, last) => {
      const mine = sheet
      const dealt = dealing.deal(dealer.turn(length, last), mine)
      const turn = order.then(() => dealt)
      const sent = turn.then((records) => carry(mine, records))
      // Heard by whoever waits for the sheet; the first failure is what counts.
      dealt.catch(() => undefined)
      sent.catch(() => undefined)
      order = turn
      ring.sent(mine, sent)
    },
    drain: () => ring.drain(carrier),
    close: async () => {
      await ring.settled()
      dealing.end()
    },
  }
}
