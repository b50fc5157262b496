// Our Azure driver against Microsoft's kit, in turns, before a store in another process that throws bytes away and makes them up.
// Rows: {bench: 'azure-driver', client, what: 'upload'|'download'|'range', ...figures}. Of interest are the ratios: both share the machine.
import { fork } from 'node:child_process'
import { Readable } from 'node:stream'
import { type BlockBlobClient, BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { SecretBytes } from '#base'
import { createAzureLocation } from '../src/storage/locations/azure/azure.ts'
import {
  DOWNLOADS_AT_ONCE,
  type DriverClient,
  MIB,
  OBJECT_BYTES,
  RECORD_BYTES,
  UPLOAD_BYTES,
  driverRounds,
  inTurns,
} from './driver-rounds.ts'
import type { Workplace } from './workplace.ts'

const ACCOUNT = 'account'
const KEY = Buffer.alloc(64, 7)
const PART_BYTES = 4 * MIB
const PARTS_IN_FLIGHT = 4

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const sink = fork(new URL('azure-sink.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(message as number)))
    const endpoint = `http://127.0.0.1:${port}`
    const clients = [
      await ours(endpoint),
      kit(endpoint, 'azure kit, uploadStream and download'),
      kit(endpoint, 'azure kit, stageBlock and ranges'),
    ]
    await driverRounds(emit, 'azure-driver', clients, workplace.quick)
  } finally {
    sink.kill('SIGKILL')
  }
}

async function ours(endpoint: string): Promise<DriverClient> {
  const location = createAzureLocation({
    label: 'sink',
    endpoint,
    account: ACCOUNT,
    accountInPath: true,
    container: 'container',
    credentials: async () => ({ kind: 'key', account: undefined, key: new SecretBytes(KEY) }),
    partBytes: PART_BYTES,
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

function kit(endpoint: string, name: 'azure kit, uploadStream and download' | 'azure kit, stageBlock and ranges'): DriverClient {
  const service = new BlobServiceClient(`${endpoint}/${ACCOUNT}`, new StorageSharedKeyCredential(ACCOUNT, KEY.toString('base64')))
  const container = service.getContainerClient('container')
  const object = container.getBlockBlobClient('object')
  const streams = name === 'azure kit, uploadStream and download'
  const range = async (offset: number, length: number): Promise<void> => {
    const answer = await object.download(offset, length)
    await drained(answer.readableStreamBody!)
  }
  return {
    name,
    upload: (key) => (streams ? uploadStream(container.getBlockBlobClient(key)) : stageBlocks(container.getBlockBlobClient(key))),
    download: async () => {
      if (!streams) return inTurns((offset, length) => range(offset, length))
      const answer = await object.download(0, OBJECT_BYTES)
      await drained(answer.readableStreamBody!)
    },
    readSmall: range,
    close: async () => undefined,
  }
}

async function uploadStream(blob: BlockBlobClient): Promise<void> {
  const record = Buffer.alloc(RECORD_BYTES)
  function* records(): Generator<Buffer> {
    for (let sent = 0; sent < UPLOAD_BYTES; sent += RECORD_BYTES) yield record
  }
  await blob.uploadStream(Readable.from(records(), { objectMode: false, highWaterMark: RECORD_BYTES }), PART_BYTES, PARTS_IN_FLIGHT)
}

/** The kit at its lowest, as whoever knows it well uses it. */
async function stageBlocks(blob: BlockBlobClient): Promise<void> {
  const part = Buffer.alloc(PART_BYTES)
  const ids = Array.from({ length: UPLOAD_BYTES / PART_BYTES }, (_, index) =>
    Buffer.from(String(index).padStart(6, '0')).toString('base64'),
  )
  let next = 0
  const work = async (): Promise<void> => {
    while (next < ids.length) {
      const id = ids[next]!
      next += 1
      await blob.stageBlock(id, part, part.length)
    }
  }
  await Promise.all(Array.from({ length: PARTS_IN_FLIGHT }, work))
  await blob.commitBlockList(ids)
}

async function drained(stream: NodeJS.ReadableStream): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  Buffer.concat(chunks)
}
