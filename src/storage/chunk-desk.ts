// Where a writer puts the plaintext of each chunk and has it dealt: in the site's own thread, or in others.
import type { Dealer, Slot } from '#format'
import type { ChunkPool, Sheet } from './chunk-pool.ts'

/** The records of one chunk, one for each fragment. */
type Records = readonly Uint8Array[]

/** Takes the records of some chunks after the other to the locations. */
export interface Carrier {
  /** Resolves when every location took its records, or was given up. */
  send(chunks: readonly Records[]): Promise<unknown>
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
  /** Sends what was dealt and waits for others of its batch, then drains: when no more comes for now. */
  flush(): Promise<void>
  /** Call it however the write ended; then nothing of the file is left here. */
  close(): Promise<void>
}

/** Chunks that go to the locations together: each call to the system costs as much as splitting a good part of a chunk. */
const BATCH = 4
/** With more fragments than this the memory of two batches would be too much. */
const BATCHED_FRAGMENTS_MAX = 9

/** Chunks under way of one object with n fragments: one batch is dealt while the other is written. */
export function deskSlots(n: number): number {
  return n <= BATCHED_FRAGMENTS_MAX ? 2 * BATCH : BATCH
}

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

/** Gathers chunks until there are enough to send; their rooms are free when these have been sent. */
class Batch {
  readonly #carrier: Carrier
  readonly #size: number
  #chunks: Records[] = []
  #leave: Promise<unknown> = Promise.resolve()
  #depart: (done: Promise<unknown>) => void = () => undefined

  constructor(carrier: Carrier, size: number) {
    this.#carrier = carrier
    this.#size = size
  }

  /** Resolves when the chunk's records have been sent, together with others. */
  add(records: Records, last: boolean): Promise<unknown> {
    if (this.#chunks.length === 0) {
      this.#leave = new Promise((resolve) => {
        this.#depart = resolve
      })
    }
    this.#chunks.push(records)
    const sent = this.#leave
    if (last || this.#chunks.length === this.#size) this.send()
    return sent
  }

  /** Sends those that have gathered. */
  send(): void {
    if (this.#chunks.length === 0) return
    this.#depart(this.#carrier.send(this.#chunks))
    this.#chunks = []
  }

  /** Lets go of whoever waits for chunks that will not be sent. */
  drop(): void {
    this.#chunks = []
    this.#depart(Promise.resolve())
  }
}

/** In this thread, in the slots of the dealer's arena. */
export function localDesk(dealer: Dealer, slots: readonly Slot[], carrier: Carrier): ChunkDesk {
  const ring = new Ring(slots)
  const batch = new Batch(carrier, batchOf(slots.length))
  let slot = slots[0]!
  return {
    room: async () => {
      slot = await ring.next(carrier)
      return dealer.plain(slot)
    },
    deal: (length, last) => ring.sent(slot, batch.add(dealer.deal(slot, length, last), last)),
    drain: () => ring.drain(carrier),
    flush: () => {
      batch.send()
      return ring.drain(carrier)
    },
    close: () => Promise.resolve(),
  }
}

/** In the pool's threads. Records leave in the order of their numbers, whichever thread was faster. */
export function pooledDesk(dealer: Dealer, pool: ChunkPool, carrier: Carrier): ChunkDesk {
  const dealing = pool.begin(dealer.chunkKeys)
  const { sheets } = dealing
  const ring = new Ring(sheets)
  const batch = new Batch(carrier, batchOf(deskSlots(dealer.common.n)))
  let sheet = sheets[0]!
  let order: Promise<unknown> = Promise.resolve()

  const carry = async (mine: Sheet, sending: Promise<unknown>): Promise<void> => {
    await sending
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
      const sent = turn.then((records) => carry(mine, batch.add(records, last)))
      // Heard by whoever waits for the sheet; the chunks before it in the batch go nowhere.
      dealt.catch(() => batch.drop())
      sent.catch(() => undefined)
      order = turn
      ring.sent(mine, sent)
    },
    drain: () => ring.drain(carrier),
    flush: async () => {
      // The last chunk may still be with a thread.
      for (let waited: Promise<unknown> | undefined; waited !== order;) {
        waited = order
        await waited
      }
      batch.send()
      await ring.drain(carrier)
    },
    close: async () => {
      batch.drop()
      await ring.settled()
      dealing.end()
    },
  }
}

/** Half of the slots: while one batch is with the locations the other is dealt. */
function batchOf(slots: number): number {
  return Math.max(1, Math.floor(slots / 2))
}
