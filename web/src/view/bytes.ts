// The bytes of one version of a file, read in ranges. Blocks are kept up to a bound, and what several readers need at once is fetched once.
import { CannotShow } from './cannot-show.ts'

export interface Bytes {
  readonly sizeBytes: number
  /** The bytes from `first` on, fewer than `length` only where the file ends. A read lasts no longer than its signal. */
  read(first: number, length: number, signal?: AbortSignal): Promise<Uint8Array>
}

export interface CachedBytes extends Bytes {
  /** Bytes that came over the network so far. */
  readonly fetchedBytes: number
  readonly keptBytes: number
}

export type FetchRange = (range: { readonly first: number; readonly last: number }, signal: AbortSignal) => Promise<Uint8Array>

interface CacheOptions {
  readonly sizeBytes: number
  readonly fetchRange: FetchRange
  /** As long as a chunk of the vault: less would read the same chunk of a fragment several times. */
  readonly blockBytes?: number
  readonly keptBytesMax?: number
  readonly fetchesMax?: number
}

const BLOCK_BYTES = 256 * 1024
const KEPT_BYTES_MAX = 48 * 2 ** 20
const FETCHES_MAX = 6
/** Neighbouring blocks of one read travel together. */
const RUN_BLOCKS_MAX = 16
/** One read is held in memory whole. */
const READ_BYTES_MAX = 256 * 2 ** 20

/** Blocks on their way, and who waits for them: when nobody does any more, the fetch is broken off. */
interface Flight {
  readonly firstBlock: number
  readonly blocks: number
  readonly done: Promise<Uint8Array>
  readonly controller: AbortController
  waiting: number
}

export function cachedBytes(options: CacheOptions): CachedBytes {
  const { sizeBytes, fetchRange, blockBytes = BLOCK_BYTES, keptBytesMax = KEPT_BYTES_MAX, fetchesMax = FETCHES_MAX } = options
  const kept = new Map<number, Uint8Array>()
  const flights = new Set<Flight>()
  const turns = createTurns(fetchesMax)
  let keptBytes = 0
  let fetchedBytes = 0

  const keep = (block: number, bytes: Uint8Array): void => {
    if (kept.has(block)) return
    kept.set(block, bytes)
    keptBytes += bytes.length
    for (const [oldest, old] of kept) {
      if (keptBytes <= keptBytesMax) break
      kept.delete(oldest)
      keptBytes -= old.length
    }
  }

  const depart = (firstBlock: number, blocks: number): Flight => {
    const controller = new AbortController()
    const first = firstBlock * blockBytes
    const last = Math.min(sizeBytes, (firstBlock + blocks) * blockBytes) - 1
    const done = turns(async () => {
      const bytes = await fetchRange({ first, last }, controller.signal)
      if (bytes.length !== last - first + 1) throw new CannotShow('truncated')
      fetchedBytes += bytes.length
      for (let block = 0; block < blocks; block++) keep(firstBlock + block, bytes.slice(block * blockBytes, (block + 1) * blockBytes))
      return bytes
    }, controller.signal)
    const flight: Flight = { firstBlock, blocks, done, controller, waiting: 0 }
    flights.add(flight)
    const land = (): boolean => flights.delete(flight)
    done.then(land, land)
    return flight
  }

  const flightWith = (block: number): Flight | undefined => {
    for (const flight of flights) {
      if (flight.controller.signal.aborted) continue
      if (block >= flight.firstBlock && block < flight.firstBlock + flight.blocks) return flight
    }
    return undefined
  }

  const read = async (first: number, length: number, signal?: AbortSignal): Promise<Uint8Array> => {
    signal?.throwIfAborted()
    if (!Number.isSafeInteger(first) || first < 0 || !Number.isSafeInteger(length) || length < 0) throw new CannotShow('damaged', 'offset')
    const end = Math.min(sizeBytes, first + length)
    if (end <= first) return new Uint8Array(0)
    if (end - first > READ_BYTES_MAX) throw new CannotShow('too-large', `${end - first}`)
    const firstBlock = Math.floor(first / blockBytes)
    const endBlock = Math.floor((end - 1) / blockBytes) + 1
    const here = new Map<number, Uint8Array>()
    const coming = new Set<Flight>()
    for (let block = firstBlock; block < endBlock; block++) {
      const bytes = kept.get(block)
      if (bytes !== undefined) {
        kept.delete(block)
        kept.set(block, bytes)
        here.set(block, bytes)
        continue
      }
      const flight = flightWith(block)
      if (flight !== undefined) {
        coming.add(flight)
        continue
      }
      let blocks = 1
      while (blocks < RUN_BLOCKS_MAX && block + blocks < endBlock && !kept.has(block + blocks) && flightWith(block + blocks) === undefined)
        blocks++
      coming.add(depart(block, blocks))
    }
    await Promise.all([...coming].map((flight) => landed(flight, signal).then((bytes) => unload(flight, bytes, here, blockBytes))))
    const result = new Uint8Array(end - first)
    for (let block = firstBlock; block < endBlock; block++) {
      const bytes = here.get(block)!
      const start = block * blockBytes
      const from = Math.max(first, start)
      result.set(bytes.subarray(from - start, Math.min(end, start + bytes.length) - start), from - first)
    }
    return result
  }

  return {
    sizeBytes,
    read,
    get fetchedBytes() {
      return fetchedBytes
    },
    get keptBytes() {
      return keptBytes
    },
  }
}

/** Bytes that are in memory already. */
export function bytesOfMemory(bytes: Uint8Array): Bytes {
  return {
    sizeBytes: bytes.length,
    read: async (first, length, signal) => {
      signal?.throwIfAborted()
      return bytes.slice(first, first + length)
    },
  }
}

/** Exactly these bytes, or the file is cut off. */
export async function readExactly(bytes: Bytes, first: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
  const part = await bytes.read(first, length, signal)
  if (part.length !== length) throw new CannotShow('truncated')
  return part
}

function unload(flight: Flight, bytes: Uint8Array, into: Map<number, Uint8Array>, blockBytes: number): void {
  for (let block = 0; block < flight.blocks; block++)
    into.set(flight.firstBlock + block, bytes.subarray(block * blockBytes, (block + 1) * blockBytes))
}

/** Waits for a flight as long as the signal lasts. The last one who leaves breaks it off. */
async function landed(flight: Flight, signal: AbortSignal | undefined): Promise<Uint8Array> {
  flight.waiting++
  let leave: (() => void) | undefined
  try {
    if (signal === undefined) return await flight.done
    const left = new Promise<never>((_, fail) => {
      leave = () => fail(signal.reason as Error)
      signal.addEventListener('abort', leave)
    })
    return await Promise.race([flight.done, left])
  } finally {
    if (leave !== undefined) signal?.removeEventListener('abort', leave)
    flight.waiting--
    if (flight.waiting === 0) flight.controller.abort()
  }
}

/** Runs so many at once; the others wait for their turn, in order. One whose signal ends before its turn does not begin. */
function createTurns(most: number): <T>(run: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  let running = 0
  const queue: (() => void)[] = []
  return async (run, signal) => {
    if (running >= most) await new Promise<void>((next) => queue.push(next))
    else running++
    try {
      signal.throwIfAborted()
      return await run()
    } finally {
      const next = queue.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
