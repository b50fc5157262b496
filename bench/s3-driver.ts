// Our S3 driver against the kit of AWS (lib-storage), in turns, before a server in another process that throws bytes away and makes them up.
// Rows: {bench: 's3-driver', client, what: 'upload'|'download'|'range', ...figures}. Of interest are the ratios: both share the machine.
import { fork } from 'node:child_process'
import { GetObjectCommand, S3Client as AwsClient } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Readable } from 'node:stream'
import { SecretBytes, utf8 } from '#base'
import { createS3Location } from '../src/storage/locations/s3/s3.ts'
import { DOWNLOADS_AT_ONCE, type DriverClient, MIB, RECORD_BYTES, UPLOAD_BYTES, driverRounds, inTurns } from './driver-rounds.ts'
import type { Workplace } from './workplace.ts'

const PART_BYTES = 8 * MIB
const PARTS_IN_FLIGHT = 4

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const sink = fork(new URL('s3-sink.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(message as number)))
    const endpoint = `http://127.0.0.1:${port}`
    const clients = [await ours(endpoint), aws(endpoint, 'aws-sdk v3', {}), aws(endpoint, 'aws-sdk v3, no checksums', NO_CHECKSUMS)]
    await driverRounds(emit, 's3-driver', clients, workplace.quick)
  } finally {
    sink.kill('SIGKILL')
  }
}

async function ours(endpoint: string): Promise<DriverClient> {
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
  const views = Array.from({ length: DOWNLOADS_AT_ONCE }, () => new Uint8Array(MIB))
  const record = new Uint8Array(RECORD_BYTES)
  return {
    name: 'quorate',
    upload: async (name) => {
      const fragment = await location.create(name)
      for (let sent = 0; sent < UPLOAD_BYTES; sent += RECORD_BYTES) await fragment.write(record)
      await fragment.finish()
    },
    download: () => inTurns((offset, _, worker) => source.read(offset, views[worker]!)),
    readSmall: (offset, length) => source.read(offset, views[0]!.subarray(0, length)),
    close: () => location.close(),
  }
}

const NO_CHECKSUMS = { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } as const

function aws(endpoint: string, name: string, options: Partial<typeof NO_CHECKSUMS>): DriverClient {
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
    download: () => inTurns((offset, length) => get(offset, length)),
    readSmall: (offset, length) => get(offset, length),
    close: async () => client.destroy(),
  }
}
