// A small honest S3 server in this process, whose answers a test can bend: lost, late, cut, false.
import { createHash, randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export interface FakeRequest {
  readonly method: string
  /** Without the bucket and its slash; '' for the bucket itself. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly index: number
}

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/**
 * What a test does with a request: 'pass'; 'lose' = nothing done, connection closed; 'lose answer' = done, connection closed;
 * 'hang'; an answer of its own; or the raw response to play with.
 */
export type Bend = 'pass' | 'lose' | 'lose answer' | 'hang' | FakeAnswer | ((response: ServerResponse, honest: () => FakeAnswer) => void)

export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string
  readonly objects: Map<string, Uint8Array>
  readonly uploads: Map<string, { readonly key: string; readonly parts: Map<number, Uint8Array>; readonly initiated: string }>
  /** Lock headers by key. */
  readonly locks: Map<string, Record<string, string>>
  readonly requests: FakeRequest[]
  readonly connections: Set<Socket>
  connectionCount: number
  bend: (request: FakeRequest) => Bend
}

export const BUCKET = 'bucket'

export async function fakeS3(options: { readonly tls?: { readonly key: string; readonly cert: string } } = {}): Promise<FakeS3> {
  const objects = new Map<string, Uint8Array>()
  const uploads: FakeS3['uploads'] = new Map()
  const connections = new Set<Socket>()
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => void serve(fake, incoming, response)
  const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  server.on('connection', (socket: Socket) => {
    fake.connectionCount += 1
    connections.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => connections.delete(socket))
  })
  const fake: FakeS3 = {
    endpoint: '',
    objects,
    uploads,
    locks: new Map(),
    requests: [],
    connections,
    connectionCount: 0,
    bend: () => 'pass',
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  Object.assign(fake, { endpoint: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}` })
  return fake
}

async function serve(fake: FakeS3, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://h')
  const path = decodeURIComponent(url.pathname).replace(/^\//, '')
  const chunks: Buffer[] = []
  incoming.on('error', () => undefined)
  response.on('error', () => undefined)
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
  } catch {
    return
  }
  const request: FakeRequest = {
    method: incoming.method ?? 'GET',
    key: path.startsWith(`${BUCKET}/`) ? path.slice(BUCKET.length + 1) : '',
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    index: fake.requests.length,
  }
  fake.requests.push(request)
  const honest = (): FakeAnswer =>
    path === BUCKET || path.startsWith(`${BUCKET}/`) ? answerHonestly(fake, request) : error(404, 'NoSuchBucket')
  const bend = fake.bend(request)
  if (bend === 'hang') return
  if (bend === 'lose' || bend === 'lose answer') {
    if (bend === 'lose answer') honest()
    response.destroy()
    return
  }
  if (typeof bend === 'function') return bend(response, honest)
  reply(response, request, bend === 'pass' ? honest() : bend)
}

export function reply(response: ServerResponse, request: { readonly method: string }, answer: FakeAnswer): void {
  const body = answer.body ?? ''
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  response.writeHead(answer.status, { 'content-length': String(length), ...answer.headers })
  response.end(request.method === 'HEAD' ? undefined : body)
}

export function error(status: number, code: string, more = ''): FakeAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message>${more}</Error>`,
  }
}

function answerHonestly(fake: FakeS3, request: FakeRequest): FakeAnswer {
  const { method, key, query } = request
  if (key === '') return query.has('uploads') ? listUploads(fake, query) : method === 'GET' ? list(fake, query) : { status: 200 }
  const uploadId = query.get('uploadId')
  if (method === 'POST' && query.has('uploads')) {
    const id = randomBytes(8).toString('hex')
    fake.uploads.set(id, { key, parts: new Map(), initiated: new Date().toISOString() })
    return { status: 200, body: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>` }
  }
  if (uploadId !== null) return multipart(fake, request, uploadId)
  const object = fake.objects.get(key)
  if (method === 'PUT' && query.has('retention')) {
    fake.locks.set(key, { 'x-amz-object-lock-mode': /<Mode>(\w+)/.exec(request.body.toString())?.[1] ?? '' })
    return { status: 200 }
  }
  if (method === 'PUT') {
    if (request.headers['if-none-match'] === '*' && object !== undefined) return error(412, 'PreconditionFailed')
    fake.objects.set(key, request.body)
    return { status: 200, headers: { etag: etagOf(request.body) } }
  }
  if (method === 'DELETE') {
    fake.objects.delete(key)
    return { status: 204 }
  }
  if (object === undefined) return error(404, 'NoSuchKey')
  const answer = read(request, object)
  return { ...answer, headers: { ...answer.headers, ...fake.locks.get(key) } }
}

function read(request: FakeRequest, object: Uint8Array): FakeAnswer {
  const headers = { etag: etagOf(object) }
  if (request.headers['if-match'] !== undefined && request.headers['if-match'] !== headers.etag) return error(412, 'PreconditionFailed')
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  if (range === null) return { status: 200, headers, body: object }
  const first = range[1] === '' ? Math.max(0, object.length - Number(range[2])) : Number(range[1])
  const last = range[1] === '' || range[2] === '' ? object.length - 1 : Math.min(object.length - 1, Number(range[2]))
  if (first > last) return error(416, 'InvalidRange')
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${object.length}` },
    body: object.subarray(first, last + 1),
  }
}

function multipart(fake: FakeS3, request: FakeRequest, uploadId: string): FakeAnswer {
  const upload = fake.uploads.get(uploadId)
  if (upload === undefined) return error(404, 'NoSuchUpload')
  if (request.method === 'DELETE') {
    fake.uploads.delete(uploadId)
    return { status: 204 }
  }
  if (request.method === 'GET') {
    const parts = [...upload.parts].toSorted(([a], [b]) => a - b)
    const items = parts.map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${etagOf(part).slice(1, -1)}&quot;</ETag><Size>${part.length}</Size></Part>`,
    )
    return { status: 200, body: `<ListPartsResult><IsTruncated>false</IsTruncated>${items.join('')}</ListPartsResult>` }
  }
  const copied = request.headers['x-amz-copy-source']
  if (request.method === 'PUT' && typeof copied === 'string') {
    const from = fake.objects.get(copied.slice(`/${BUCKET}/`.length))
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers['x-amz-copy-source-range']))
    if (from === undefined || range === null || Number(range[2]) >= from.length) return error(400, 'InvalidArgument')
    const part = from.subarray(Number(range[1]), Number(range[2]) + 1)
    upload.parts.set(Number(request.query.get('partNumber')), part)
    return { status: 200, body: `<CopyPartResult><ETag>&quot;${etagOf(part).slice(1, -1)}&quot;</ETag></CopyPartResult>` }
  }
  if (request.method === 'PUT') {
    upload.parts.set(Number(request.query.get('partNumber')), request.body)
    return { status: 200, headers: { etag: etagOf(request.body) } }
  }
  if (request.headers['if-none-match'] === '*' && fake.objects.has(request.key)) return error(412, 'PreconditionFailed')
  const named = [...request.body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;(\w+)&quot;/g)]
  const parts = named.map((match) => upload.parts.get(Number(match[1])))
  if (named.length === 0 || parts.some((part, index) => part === undefined || etagOf(part) !== `"${named[index]![2]}"`))
    return error(400, 'InvalidPart')
  fake.uploads.delete(uploadId)
  fake.objects.set(request.key, Buffer.concat(parts as Uint8Array[]))
  return { status: 200, body: '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>' }
}

function list(fake: FakeS3, query: URLSearchParams): FakeAnswer {
  const after = query.get('start-after') ?? query.get('marker') ?? ''
  const most = Number(query.get('max-keys') ?? 1000)
  const keys = [...fake.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after).sort()
  return listAnswer(
    keys.slice(0, most).map((key) => ({ key, size: fake.objects.get(key)!.length })),
    keys.length > most,
  )
}

export function listAnswer(objects: readonly { readonly key: string; readonly size: number }[], truncated: boolean): FakeAnswer {
  const contents = objects.map(({ key, size }) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>${size}</Size></Contents>`)
  return {
    status: 200,
    body: `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated>${contents.join('')}</ListBucketResult>`,
  }
}

function listUploads(fake: FakeS3, query: URLSearchParams): FakeAnswer {
  const prefix = query.get('prefix') ?? ''
  const items = [...fake.uploads].filter(([, upload]) => upload.key.startsWith(prefix))
  const xml = items.map(
    ([id, { key, initiated }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated}</Initiated></Upload>`,
  )
  return { status: 200, body: `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${xml.join('')}</ListMultipartUploadsResult>` }
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}
