// Our S3 driver against the kit of AWS (lib-storage), in turns, before a server in another process that throws bytes away and makes them up.
// Rows: {bench: 's3-driver', client, what: 'upload'|'download'|'range', ...figures}. Of interest are the ratios: both share the machine.
import { fork } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { GetObjectCommand, S3Client as AwsClient } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Readable } from 'node:stream'
import { SecretBytes, utf8 } from '#base'
import { createS3Location } from '../src/storage/locations/s3/s3.ts'

const MIB = 2 ** 20
const ROUNDS = 5
const UPLOAD_BYTES = 256 * MIB
const DOWNLOAD_BYTES = 256 * MIB
const DOWNLOAD_RANGE_BYTES = MIB
const DOWNLOADS_AT_ONCE = 4
const RECORD_BYTES = 256 * 1024
const PART_BYTES = 8 * MIB
const PARTS_IN_FLIGHT = 4
const SMALL_BYTES = 64 * 1024
const SMALL_READS = 300

interface Client {
  readonly name: string
  upload(name: string): Promise<void>
  /** Reads ranges of the object, several at once, each into memory. */
  download(): Promise<void>
  readSmall(offset: number): Promise<void>
  close(): Promise<void>
}

export async function run(emit: (row: Record<string, unknown>) => void): Promise<void> {
  const sink = fork(new URL('s3-sink.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(message as number)))
    const endpoint = `http://127.0.0.1:${port}`
    const clients = [await ours(endpoint), aws(endpoint, 'aws-sdk v3', {}), aws(endpoint, 'aws-sdk v3, no checksums', NO_CHECKSUMS)]
    for (const client of clients) await warm(client)
    const results = new Map(clients.map((client) => [client, { up: [] as Figure[], down: [] as Figure[], small: [] as number[] }]))
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const client of clients) {
        const result = results.get(client)!
        result.up.push(await measured(UPLOAD_BYTES, () => client.upload(`up-${round}`)))
        result.down.push(await measured(DOWNLOAD_BYTES, () => client.download()))
      }
      // One of each in turn: a pause of the machine hits all alike.
      for (let index = 0; index < SMALL_READS; index += 1) {
        for (const client of clients) {
          const before = performance.now()
          await client.readSmall(((index * 7919) % 4000) * SMALL_BYTES)
          results.get(client)!.small.push(performance.now() - before)
        }
      }
    }
    for (const [client, { up, down, small }] of results) {
      const about = { bench: 's3-driver', client: client.name, rounds: ROUNDS }
      emit({ ...about, what: 'upload', bytes: UPLOAD_BYTES, ...medians(up) })
      emit({ ...about, what: 'download', bytes: DOWNLOAD_BYTES, ...medians(down) })
      small.sort((a, b) => a - b)
      emit({ ...about, what: 'range', bytes: SMALL_BYTES, p50Ms: rounded(at(small, 0.5)), p99Ms: rounded(at(small, 0.99)) })
      await client.close()
    }
  } finally {
    sink.kill('SIGKILL')
  }
}

async function ours(endpoint: string): Promise<Client> {
  const credentials = { accessKeyId: 'A', secretAccessKey: new SecretBytes(utf8('S')) }
  const location = createS3Location({
    label: 'sink',
    endpoint,
    bucket: 'bucket',
    region: 'us-east-1',
    credentials: async () => credentials,
    partBytes: PART_BYTES,
    partsInFlight: PARTS_IN_FLIGHT,
    honestCreate: true,
  })
  const source = await location.open('object', { tailBytes: 1024 })
  const views = Array.from({ length: DOWNLOADS_AT_ONCE }, () => new Uint8Array(DOWNLOAD_RANGE_BYTES))
  const small = new Uint8Array(SMALL_BYTES)
  const record = new Uint8Array(RECORD_BYTES)
  return {
    name: 'quorate',
    upload: async (name) => {
      const fragment = await location.create(name)
      for (let sent = 0; sent < UPLOAD_BYTES; sent += RECORD_BYTES) await fragment.write(record)
      await fragment.finish()
    },
    download: () => inTurns((offset, worker) => source.read(offset, views[worker]!)),
    readSmall: (offset) => source.read(offset, small),
    close: () => location.close(),
  }
}

const NO_CHECKSUMS = { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } as const

function aws(endpoint: string, name: string, options: Partial<typeof NO_CHECKSUMS>): Client {
  const client = new AwsClient({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
    ...options,
  })
  const record = Buffer.alloc(RECORD_BYTES)
  const get = async (offset: number, length: number): Promise<void> => {
    const range = `bytes=${offset}-${offset + length - 1}`
    const answer = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'object', Range: range }))
    await answer.Body!.transformToByteArray()
  }
  return {
    name,
    upload: async (key) => {
      function* records(): Generator<Buffer> {
        for (let sent = 0; sent < UPLOAD_BYTES; sent += RECORD_BYTES) yield record
      }
      const body = Readable.from(records(), { objectMode: false, highWaterMark: RECORD_BYTES })
      await new Upload({
        client,
        params: { Bucket: 'bucket', Key: key, Body: body },
        partSize: PART_BYTES,
        queueSize: PARTS_IN_FLIGHT,
      }).done()
    },
    download: () => inTurns((offset) => get(offset, DOWNLOAD_RANGE_BYTES)),
    readSmall: (offset) => get(offset, SMALL_BYTES),
    close: async () => client.destroy(),
  }
}

/** All ranges of the object, by several workers. */
async function inTurns(read: (offset: number, worker: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (worker: number): Promise<void> => {
    while (next < DOWNLOAD_BYTES) {
      const offset = next
      next += DOWNLOAD_RANGE_BYTES
      await read(offset, worker)
    }
  }
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, (_, worker) => work(worker)))
}

async function warm(client: Client): Promise<void> {
  await client.upload('warm')
  await client.download()
  for (let index = 0; index < 50; index += 1) await client.readSmall(0)
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
