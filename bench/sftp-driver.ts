// Our SFTP driver against ssh2-sftp-client, in turns, before the same OpenSSH server on this machine. Both speak SSH by the package ssh2.
// Rows: {bench: 'sftp-driver', client, what: 'upload'|'download'|'range', ...figures}; CPU is that of the client alone. Ours syncs what it wrote to the
// server's disk, theirs does not.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Readable, Writable } from 'node:stream'
import OtherClient from 'ssh2-sftp-client'
import { notFound, startServer } from '../scripts/servers.ts'
import { type LocationConfig, openLocation, parseLocation } from '../src/storage/locations/from-config.ts'
import type { Workplace } from './workplace.ts'

const MIB = 2 ** 20
const RECORD_BYTES = 256 * 1024
const RANGE_BYTES = MIB
const DOWNLOADS_AT_ONCE = 4
const SMALL_BYTES = 64 * 1024

type SftpConfig = Extract<LocationConfig, { kind: 'sftp' }>

interface Client {
  readonly name: string
  /** Of what it sends in one turn: a slow one gets less. */
  readonly uploadBytes: number
  upload(name: string): Promise<void>
  /** Reads `downloadBytes` of the object. */
  download?(): Promise<void>
  readSmall?(offset: number): Promise<void>
  close(): Promise<void>
}

interface Sizes {
  readonly bytes: number
  readonly rounds: number
  readonly smallReads: number
}

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const server = await startServer('sshd', { env: { SSHD_REKEY: 'default' } })
  if (server === undefined) return workplace.miss(notFound('sshd'))
  const sizes: Sizes = workplace.quick ? { bytes: 16 * MIB, rounds: 2, smallReads: 40 } : { bytes: 256 * MIB, rounds: 5, smallReads: 300 }
  const clients: Client[] = []
  try {
    const base = parseLocation(server.endpoint) as SftpConfig
    const config = { ...base, path: join(base.path, 'bench') }
    await mkdir(config.path)
    clients.push(await ours(config, sizes))
    for (const kind of ['fast', 'stream'] as const) clients.push(await theirs(config, kind, { sizes, workplace }))
    const results = new Map(clients.map((client) => [client, { up: [] as Figure[], down: [] as Figure[], small: [] as number[] }]))
    for (let round = 0; round < sizes.rounds; round += 1) {
      for (const client of clients) {
        const result = results.get(client)!
        const name = `up-${round}`
        result.up.push(await measured(client.uploadBytes, () => client.upload(name)))
        if (client.download !== undefined) result.down.push(await measured(sizes.bytes, () => client.download!()))
        await rm(join(config.path, name))
      }
      for (let index = 0; index < sizes.smallReads / sizes.rounds; index += 1) {
        for (const client of clients) {
          if (client.readSmall === undefined) continue
          const before = performance.now()
          await client.readSmall(((index * 7919) % (sizes.bytes / SMALL_BYTES)) * SMALL_BYTES)
          results.get(client)!.small.push(performance.now() - before)
        }
      }
    }
    for (const [client, { up, down, small }] of results) {
      const about = { bench: 'sftp-driver', client: client.name, rounds: sizes.rounds }
      emit({ ...about, what: 'upload', bytes: client.uploadBytes, ...medians(up) })
      if (down.length > 0) emit({ ...about, what: 'download', bytes: sizes.bytes, ...medians(down) })
      small.sort((a, b) => a - b)
      if (small.length > 0)
        emit({ ...about, what: 'range', bytes: SMALL_BYTES, p50Ms: rounded(at(small, 0.5)), p99Ms: rounded(at(small, 0.99)) })
    }
  } finally {
    for (const client of clients) await client.close()
    await server.stop()
  }
}

async function ours(config: SftpConfig, { bytes }: Sizes): Promise<Client> {
  const location = await openLocation(config, { label: 'sshd' })
  const record = new Uint8Array(RECORD_BYTES)
  const upload = async (name: string): Promise<void> => {
    const fragment = await location.create(name)
    for (let sent = 0; sent < bytes; sent += RECORD_BYTES) await fragment.write(record)
    await fragment.finish()
  }
  await upload('object')
  const source = await location.open('object', { tailBytes: 1024 })
  const views = Array.from({ length: DOWNLOADS_AT_ONCE }, () => new Uint8Array(RANGE_BYTES))
  const small = new Uint8Array(SMALL_BYTES)
  return {
    name: 'quorate',
    uploadBytes: bytes,
    upload,
    download: async () => {
      let next = 0
      const work = async (view: Uint8Array): Promise<void> => {
        while (next < bytes) {
          const offset = next
          next += RANGE_BYTES
          await source.read(offset, view)
        }
      }
      await Promise.all(views.map(work))
    },
    readSmall: (offset) => source.read(offset, small),
    close: async () => {
      await source.close()
      await location.close()
    },
  }
}

/** `fast` goes from and to a file of this machine, with many requests on their way; `stream` is what a pipe does. */
async function theirs(
  config: SftpConfig,
  kind: 'fast' | 'stream',
  around: { readonly sizes: Sizes; readonly workplace: Workplace },
): Promise<Client> {
  const { sizes, workplace } = around
  const client = new OtherClient()
  await client.connect({ host: config.host, port: config.port, username: config.user, privateKey: await readFile(config.key!) })
  const object = join(config.path, 'object')
  const local = await workplace.randomFile(sizes.bytes)
  const folder = await workplace.folder()
  // Streams are slow here: less in each turn.
  const streamed = Math.max(4 * MIB, sizes.bytes / 16)
  const record = Buffer.alloc(RECORD_BYTES)
  return {
    name: kind === 'fast' ? 'ssh2-sftp-client, fastPut and fastGet' : 'ssh2-sftp-client, streams',
    uploadBytes: kind === 'fast' ? sizes.bytes : streamed,
    upload: async (name) => {
      const path = join(config.path, name)
      if (kind === 'fast') await client.fastPut(local, path)
      else await client.put(Readable.from(records(record, streamed), { objectMode: false, highWaterMark: RECORD_BYTES }), path)
    },
    download: async () => {
      if (kind === 'fast') await client.fastGet(object, join(folder, 'down'))
      else await client.get(object, new Writable({ write: (_chunk, _encoding, done) => done() }))
    },
    ...(kind === 'fast'
      ? {}
      : {
          readSmall: async (offset: number) => {
            const readStreamOptions = { start: offset, end: offset + SMALL_BYTES - 1 }
            await client.get(object, new Writable({ write: (_chunk, _encoding, done) => done() }), { readStreamOptions } as never)
          },
        }),
    close: async () => {
      await client.end()
    },
  }
}

function* records(record: Buffer, bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += RECORD_BYTES) yield record
}

interface Figure {
  readonly mbPerS: number
  readonly cpuSPerGiB: number
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
  const median = (pick: (figure: Figure) => number): number =>
    rounded(
      at(
        figures.map(pick).sort((a, b) => a - b),
        0.5,
      ),
    )
  return { mbPerS: median((figure) => figure.mbPerS), cpuSPerGiB: median((figure) => figure.cpuSPerGiB) }
}

function at(sorted: readonly number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
