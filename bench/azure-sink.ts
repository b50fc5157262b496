// The other side of azure-driver.ts: a store without memory that speaks as much of Azure Blob as uploads and downloads need. It throws bodies
// away and answers ranges of one large blob.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const SIZE_BYTES = 256 * 2 ** 20
const ZEROS = Buffer.alloc(8 * 2 ** 20)
const sizes = new Map<string, number>()
const unfinished = new Map<string, number>()

function answer(request: IncomingMessage, response: ServerResponse, bodyBytes: number): void {
  const url = new URL(request.url ?? '/', 'http://h')
  const about = { etag: '"0x1"', 'x-ms-version': '2023-11-03', 'last-modified': new Date().toUTCString(), 'x-ms-blob-type': 'BlockBlob' }
  const name = url.pathname
  const comp = url.searchParams.get('comp')
  if (request.method === 'PUT') {
    if (comp === 'block') unfinished.set(name, (unfinished.get(name) ?? 0) + bodyBytes)
    else if (comp === 'blocklist') {
      sizes.set(name, unfinished.get(name) ?? 0)
      unfinished.delete(name)
    } else sizes.set(name, bodyBytes)
    response.writeHead(201, { ...about, 'content-length': '0' }).end()
    return
  }
  const size = name.endsWith('/object') ? SIZE_BYTES : sizes.get(name)
  if (size === undefined) {
    response.writeHead(404, { 'x-ms-error-code': 'BlobNotFound', 'content-length': '0' }).end()
    return
  }
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...about, 'content-length': String(size) }).end()
    return
  }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? String(request.headers['x-ms-range'] ?? '')) ?? []
  const from = Number(first ?? 0)
  const to = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  const length = to - from + 1
  const ranged = first === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${size}` }
  response.writeHead(first === undefined ? 200 : 206, { ...about, ...ranged, 'content-length': String(length) })
  pour(response, length)
}

function pour(response: ServerResponse, length: number): void {
  if (length <= ZEROS.length) {
    response.end(ZEROS.subarray(0, length))
    return
  }
  if (response.write(ZEROS)) setImmediate(() => pour(response, length - ZEROS.length))
  else response.once('drain', () => pour(response, length - ZEROS.length))
}

const server = createServer((request, response) => {
  let bodyBytes = 0
  request.on('data', (chunk: Buffer) => {
    bodyBytes += chunk.length
  })
  request.on('end', () => answer(request, response, bodyBytes))
})
server.requestTimeout = 0
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
