// The least that a program can do to take and give files over HTTP: node:http and one file each, durable. `bare-http.ts SOCKET FOLDER`.
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat, unlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const [socket = '', folder = ''] = process.argv.slice(2)

createServer((request, response) => {
  const path = join(folder, encodeURIComponent(new URL(request.url ?? '/', 'http://localhost').searchParams.get('path') ?? ''))
  const work = async (): Promise<void> => {
    if (request.method === 'PUT') {
      await pipeline(request, createWriteStream(path))
      const handle = await open(path)
      await handle.sync()
      await handle.close()
      response.writeHead(201).end()
      return
    }
    if (request.method === 'DELETE') {
      await unlink(path)
      response.writeHead(200).end()
      return
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const { size } = await stat(path)
    const [start, end] = range === null ? [0, size - 1] : [Number(range[1]), Number(range[2])]
    response.writeHead(range === null ? 200 : 206, { 'content-length': end - start + 1 })
    await pipeline(createReadStream(path, { start, end }), response)
  }
  work().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
}).listen(socket, () => console.log('{"ready":true}'))
