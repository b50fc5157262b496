// What the benches of drivers share: the same work for each client in turns, and its figures.
import { performance } from 'node:perf_hooks'
import { median, quantile, rounded } from './figures.ts'

export const MIB = 2 ** 20
const ROUNDS = 5
export const UPLOAD_BYTES = 256 * MIB
export const OBJECT_BYTES = 256 * MIB
const RANGE_BYTES = MIB
export const DOWNLOADS_AT_ONCE = 4
export const RECORD_BYTES = 256 * 1024
const SMALL_BYTES = 64 * 1024
const SMALL_READS = 300

export interface DriverClient {
  readonly name: string
  upload(name: string): Promise<void>
  /** Reads the object whole, several ranges of it at once or as a stream, each into memory. */
  download(): Promise<void>
  readSmall(offset: number, length: number): Promise<void>
  close(): Promise<void>
}

interface Figure {
  readonly mbPerS: number
  readonly cpuSPerGiB: number
}

/** Every client does each work in each round; rows of medians. */
export async function driverRounds(
  emit: (row: Record<string, unknown>) => void,
  bench: string,
  clients: readonly DriverClient[],
  quick: boolean,
): Promise<void> {
  const rounds = quick ? 1 : ROUNDS
  for (const client of clients) await warm(client)
  const results = new Map(clients.map((client) => [client, { up: [] as Figure[], down: [] as Figure[], small: [] as number[] }]))
  for (let round = 0; round < rounds; round += 1) {
    for (const client of clients) {
      const result = results.get(client)!
      result.up.push(await measured(UPLOAD_BYTES, () => client.upload(`up-${round}`)))
      result.down.push(await measured(OBJECT_BYTES, () => client.download()))
    }
    // One of each in turn: a pause of the machine hits all alike.
    for (let index = 0; index < SMALL_READS; index += 1) {
      for (const client of clients) {
        const before = performance.now()
        await client.readSmall(((index * 7919) % (OBJECT_BYTES / SMALL_BYTES)) * SMALL_BYTES, SMALL_BYTES)
        results.get(client)!.small.push(performance.now() - before)
      }
    }
  }
  for (const [client, { up, down, small }] of results) {
    const about = { bench, client: client.name, rounds }
    emit({ ...about, what: 'upload', bytes: UPLOAD_BYTES, ...medians(up) })
    emit({ ...about, what: 'download', bytes: OBJECT_BYTES, ...medians(down) })
    emit({ ...about, what: 'range', bytes: SMALL_BYTES, p50Ms: rounded(quantile(small, 0.5)), p99Ms: rounded(quantile(small, 0.99)) })
    await client.close()
  }
}

/** All ranges of the object, by several workers. */
export async function inTurns(read: (offset: number, length: number, worker: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (worker: number): Promise<void> => {
    while (next < OBJECT_BYTES) {
      const offset = next
      next += RANGE_BYTES
      await read(offset, RANGE_BYTES, worker)
    }
  }
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, (_, worker) => work(worker)))
}

async function warm(client: DriverClient): Promise<void> {
  await client.upload('warm')
  await client.download()
  for (let index = 0; index < 50; index += 1) await client.readSmall(0, SMALL_BYTES)
}

async function measured(bytes: number, work: () => Promise<void>): Promise<Figure> {
  const cpu = process.cpuUsage()
  const before = performance.now()
  await work()
  const seconds = (performance.now() - before) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { mbPerS: bytes / 1e6 / seconds, cpuSPerGiB: (user + system) / 1e6 / (bytes / 2 ** 30) }
}

function medians(figures: readonly Figure[]): Record<string, number> {
  return {
    mbPerS: rounded(median(figures.map(({ mbPerS }) => mbPerS))),
    cpuSPerGiB: rounded(median(figures.map(({ cpuSPerGiB }) => cpuSPerGiB))),
  }
}
