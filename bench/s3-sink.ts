// The other side of s3-driver.ts: an S3 server without memory. It throws bodies away and answers ranges of an endless object.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const SIZE_BYTES = 2 ** 30
const ZEROS = Buffer.alloc(8 * 2 ** 20)
const sizes = new Map<string, number>()
const unfinished = new Map<string, number>()

function answer(request: IncomingMessage, response: ServerResponse, bodyBytes: number): void {
  const url = new URL(request.url ?? '/', 'http://h')
  const send = (status: number, headers: Record<string, string>, body: Buffer | string = ''): void => {
    response.writeHead(status, { 'content-length': String(body.length), etag: '"e"', ...headers })
    response.end(body)
  }
  if (request.method === 'PUT') {
    if (url.searchParams.has('partNumber')) unfinished.set(url.pathname, (unfinished.get(url.pathname) ?? 0) + bodyBytes)
    else sizes.set(url.pathname, bodyBytes)
    return send(200, {})
  }
  if (request.method === 'POST' && url.searchParams.has('uploads')) {
    sizes.delete(url.pathname)
    unfinished.delete(url.pathname)
    const [, bucket, key] = url.pathname.split('/')
    return send(
      200,
      {},
      `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key}</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>`,
    )
  }
  if (request.method === 'POST') {
    sizes.set(url.pathname, unfinished.get(url.pathname) ?? 0)
    return send(200, {}, '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>')
  }
  const size = !url.pathname.includes('/', 1) || url.pathname.endsWith('/object') ? SIZE_BYTES : sizes.get(url.pathname)
  if (size === undefined) return send(404, {})
  if (request.method === 'HEAD') {
    response.writeHead(200, { 'content-length': String(size), etag: '"e"' })
    response.end()
    return
  }
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const from = first === '' ? size - Number(last) : Number(first)
  const to = first === '' ? size - 1 : Number(last)
  send(206, { 'content-range': `bytes ${from}-${to}/${size}` }, ZEROS.subarray(0, to - from + 1))
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
