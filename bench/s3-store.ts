// The other side of s3-vault.ts: a small S3 server that keeps objects as files in a folder, which is best one in memory. It believes every
// signature and checks nothing, so that what is measured is its clients. Usage: s3-store.ts FOLDER; a message tells its port.
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

interface Part {
  readonly file: string
  readonly bytes: number
}

interface Kept {
  readonly parts: readonly Part[]
  readonly sizeBytes: number
}

const BUFFER_BYTES = 256 * 1024
const folder = process.argv[2]!
const objects = new Map<string, Kept>()
const uploads = new Map<string, { readonly key: string; readonly parts: Map<number, Part> }>()
let files = 0
let last = 0

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://h')
  const [, bucket, ...rest] = pathname.split('/')
  const key = rest.length === 0 || rest.join('') === '' ? undefined : `${bucket}/${rest.map(decodeURIComponent).join('/')}`
  const send = (status: number, body = '', headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  if (request.method === 'PUT' && key !== undefined) {
    const part = await keep(request)
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (upload !== undefined) upload.parts.set(Number(query.get('partNumber')), part)
    else if (request.headers['if-none-match'] === '*' && objects.has(key)) return refuse(send, 412, 'PreconditionFailed', part)
    else put(key, [part])
    return send(200, '', { etag: `"e-${part.bytes}"` })
  }
  if (request.method === 'POST') return post(request, { key, query, send })
  if (request.method === 'DELETE') {
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (upload !== undefined) for (const { file } of upload.parts.values()) rmSync(file, { force: true })
    else if (key !== undefined) remove(key)
    uploads.delete(query.get('uploadId') ?? '')
    return send(204)
  }
  if (key === undefined) return request.method === 'GET' ? send(200, listing(bucket ?? '', query)) : send(200)
  const kept = objects.get(key)
  if (kept === undefined) return send(404, '<Error><Code>NoSuchKey</Code></Error>')
  return get(request, response, kept)
}

async function post(
  request: IncomingMessage,
  about: {
    readonly key: string | undefined
    readonly query: URLSearchParams
    readonly send: (status: number, body?: string, headers?: Record<string, string>) => void
  },
): Promise<void> {
  const { key, query, send } = about
  let text = ''
  for await (const piece of request) text += String(piece)
  if (key !== undefined && query.has('uploads')) {
    const id = `u${++last}`
    uploads.set(id, { key, parts: new Map() })
    return send(200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
  }
  const upload = uploads.get(query.get('uploadId') ?? '')
  if (upload === undefined) return send(404, '<Error><Code>NoSuchUpload</Code></Error>')
  uploads.delete(query.get('uploadId')!)
  if (request.headers['if-none-match'] === '*' && objects.has(upload.key))
    return send(412, '<Error><Code>PreconditionFailed</Code></Error>')
  put(
    upload.key,
    [...upload.parts].toSorted(([a], [b]) => a - b).map(([, part]) => part),
  )
  return send(200, '<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>')
}

function refuse(send: (status: number, body: string) => void, status: number, code: string, part: Part): void {
  rmSync(part.file, { force: true })
  send(status, `<Error><Code>${code}</Code></Error>`)
}

async function keep(request: IncomingMessage): Promise<Part> {
  const file = join(folder, `o${++files}`)
  await pipeline(request, createWriteStream(file, { highWaterMark: BUFFER_BYTES }))
  return { file, bytes: statSync(file).size }
}

function put(key: string, parts: readonly Part[]): void {
  remove(key)
  objects.set(key, { parts, sizeBytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) })
}

function remove(key: string): void {
  for (const { file } of objects.get(key)?.parts ?? []) rmSync(file, { force: true })
  objects.delete(key)
}

async function get(request: IncomingMessage, response: ServerResponse, { parts, sizeBytes }: Kept): Promise<void> {
  const [range, first = '', end = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const from = first === '' ? (range === undefined ? 0 : Math.max(0, sizeBytes - Number(end))) : Number(first)
  const to = Math.min(sizeBytes - 1, first === '' || end === '' ? sizeBytes - 1 : Number(end))
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': String(Math.max(0, to - from + 1)),
    etag: '"e-1"',
    'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
    ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${sizeBytes}` }),
  })
  if (request.method === 'HEAD') return void response.end()
  // Each part of an upload leaves its listeners until the answer ends.
  response.setMaxListeners(0)
  let at = 0
  for (const { file, bytes } of parts) {
    const [begin, stop] = [Math.max(from - at, 0), Math.min(to - at, bytes - 1)]
    at += bytes
    if (begin > stop) continue
    await pipeline(createReadStream(file, { start: begin, end: stop, highWaterMark: BUFFER_BYTES }), response, { end: false })
  }
  response.end()
}

/** One page holds everything: there are never many. */
function listing(bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('start-after') ?? ''
  const keys = [...objects.keys()].filter((key) => key.startsWith(`${bucket}/`)).map((key) => key.slice(bucket.length + 1))
  const rows = keys
    .filter((key) => key.startsWith(prefix) && key > after)
    .toSorted()
    .map((key) => {
      const { sizeBytes } = objects.get(`${bucket}/${key}`)!
      return `<Contents><Key>${key}</Key><Size>${sizeBytes}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e-1"</ETag></Contents>`
    })
  return `<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>${rows.length}</KeyCount>${rows.join('')}</ListBucketResult>`
}

if (!existsSync(folder)) mkdirSync(folder)
const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
