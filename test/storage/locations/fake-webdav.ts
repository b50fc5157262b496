// A small honest WebDAV server in this process, whose answers a test can bend: lost, late, cut, false.
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { posix } from 'node:path'

export interface DavRequest {
  readonly method: string
  /** Decoded, without a slash at the end. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  body: Buffer
}

export interface DavAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** 'lose' = nothing done, connection closed; 'lose answer' = done, connection closed; 'early' = refused before the body was read. */
export type DavBend = 'pass' | 'lose' | 'lose answer' | 'hang' | DavAnswer | ((response: ServerResponse, honest: () => DavAnswer) => void)

export interface FakeWebdav extends AsyncDisposable {
  readonly endpoint: string
  readonly files: Map<string, Buffer>
  readonly folders: Set<string>
  readonly requests: DavRequest[]
  connectionCount: number
  bend: (request: DavRequest) => DavBend
  /** Before the body is read. */
  early: (request: DavRequest) => DavAnswer | 'lose' | undefined
}

export async function fakeWebdav(): Promise<FakeWebdav> {
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => void serve(fake, incoming, response))
  server.on('connection', (socket) => {
    fake.connectionCount += 1
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeWebdav = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: new Map(),
    folders: new Set(['/', '/base dir']),
    requests: [],
    connectionCount: 0,
    bend: () => 'pass',
    early: () => undefined,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

async function serve(fake: FakeWebdav, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  incoming.on('error', () => undefined)
  response.on('error', () => undefined)
  const path = pathOf(incoming.url ?? '/')
  const request: DavRequest = { method: incoming.method ?? '', path, headers: incoming.headers, body: Buffer.alloc(0) }
  fake.requests.push(request)
  const early = fake.early(request)
  if (early === 'lose') return void incoming.once('data', () => response.destroy())
  if (early !== undefined) return reply(response, early)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
  } catch {
    return
  }
  request.body = Buffer.concat(chunks)
  const honest = (): DavAnswer => answerTo(fake, request)
  const bend = fake.bend(request)
  if (bend === 'hang') return
  if (bend === 'lose' || bend === 'lose answer') {
    if (bend === 'lose answer') honest()
    return void response.destroy()
  }
  if (typeof bend === 'function') return bend(response, honest)
  reply(response, bend === 'pass' ? honest() : bend)
}

export function reply(response: ServerResponse, answer: DavAnswer): void {
  const body = answer.body ?? ''
  response.writeHead(answer.status, { 'content-length': String(Buffer.byteLength(body)), ...answer.headers })
  response.end(body)
}

function pathOf(address: string): string {
  return decodeURIComponent(new URL(address, 'http://h').pathname).replace(/(?<=.)\/$/, '')
}

function answerTo(fake: FakeWebdav, { method, path, headers, body }: DavRequest): DavAnswer {
  const { files, folders } = fake
  const orphan = !folders.has(posix.dirname(path))
  switch (method) {
    case 'PUT':
      if (orphan || folders.has(path)) return { status: 409 }
      files.set(path, body)
      return { status: 201 }
    case 'MKCOL':
      if (orphan) return { status: 409 }
      if (folders.has(path) || files.has(path)) return { status: 405 }
      folders.add(path)
      return { status: 201 }
    case 'MOVE': {
      const to = pathOf(String(headers.destination))
      if (!files.has(path)) return { status: 404 }
      if (files.has(to) && headers.overwrite === 'F') return { status: 412 }
      const replaced = files.has(to)
      files.set(to, files.get(path)!)
      files.delete(path)
      return { status: replaced ? 204 : 201 }
    }
    case 'DELETE':
      if (folders.delete(path)) {
        for (const each of files.keys()) if (each.startsWith(`${path}/`)) files.delete(each)
        return { status: 204 }
      }
      return { status: files.delete(path) ? 204 : 404 }
    case 'PROPFIND':
      return list(fake, path, headers.depth === '1')
    default:
      return read(files.get(path), headers.range)
  }
}

function read(bytes: Buffer | undefined, wanted: string | undefined): DavAnswer {
  if (bytes === undefined) return { status: 404 }
  const range = /^bytes=(\d*)-(\d*)$/.exec(wanted ?? '')
  if (range === null) return { status: 200, body: bytes }
  const first = range[1] === '' ? Math.max(0, bytes.length - Number(range[2])) : Number(range[1])
  const last = range[1] === '' || range[2] === '' ? bytes.length - 1 : Math.min(bytes.length - 1, Number(range[2]))
  if (first > last) return { status: 416 }
  return { status: 206, headers: { 'content-range': `bytes ${first}-${last}/${bytes.length}` }, body: bytes.subarray(first, last + 1) }
}

function list({ files, folders }: FakeWebdav, path: string, deep: boolean): DavAnswer {
  if (!files.has(path) && !folders.has(path)) return { status: 404 }
  const inside = (each: string): boolean => deep && each !== '/' && posix.dirname(each) === path
  return multistatus([
    ...[...folders].filter((each) => each === path || inside(each)).map((each) => davResponse(`${each}/`, undefined)),
    ...[...files].filter(([each]) => each === path || inside(each)).map(([each, bytes]) => davResponse(each, bytes.length)),
  ])
}

export function davResponse(path: string, sizeBytes: number | undefined): string {
  const props =
    sizeBytes === undefined
      ? '<D:resourcetype><D:collection/></D:resourcetype>'
      : `<D:resourcetype/><D:getcontentlength>${sizeBytes}</D:getcontentlength>`
  const modified = `<D:getlastmodified>${new Date().toUTCString()}</D:getlastmodified>`
  return `<D:response><D:href>${encodeURI(path)}</D:href><D:propstat><D:prop>${props}${modified}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

export function multistatus(responses: readonly string[]): DavAnswer {
  return { status: 207, body: `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>` }
}
