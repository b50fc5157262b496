// Stands between a driver and a real server: passes on, or loses, delays, cuts and falsifies what a test chooses.
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type FakeAnswer, reply } from './fake-s3.ts'

export interface PassingRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** As that of the fake S3; `honest` asks the server. */
export type ProxyBend =
  | 'pass'
  | 'lose'
  | 'lose answer'
  | 'hang'
  | FakeAnswer
  | ((response: ServerResponse, honest: () => Promise<FakeAnswer>) => void)

export interface BendingProxy extends AsyncDisposable {
  readonly endpoint: string
  readonly requests: PassingRequest[]
  bend: (request: PassingRequest) => ProxyBend
}

export async function bendingProxy(upstream: string): Promise<BendingProxy> {
  const sockets = new Set<Socket>()
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, response) => void serve(incoming, response))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  const proxy: BendingProxy = {
    endpoint: '',
    requests: [],
    bend: () => 'pass',
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on('error', () => undefined)
    response.on('error', () => undefined)
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const url = new URL(incoming.url ?? '/', 'http://h')
    const passing: PassingRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    }
    proxy.requests.push(passing)
    const honest = (): Promise<FakeAnswer> => ask(incoming, passing)
    const bend = proxy.bend(passing)
    try {
      if (bend === 'hang') return
      if (bend === 'lose answer') await honest()
      if (bend === 'lose' || bend === 'lose answer') response.destroy()
      else if (typeof bend === 'function') bend(response, honest)
      else reply(response, passing, bend === 'pass' ? await honest() : bend)
    } catch {
      response.destroy()
    }
  }

  function ask(incoming: IncomingMessage, passing: PassingRequest): Promise<FakeAnswer> {
    return new Promise((resolve, reject) => {
      const target = new URL(upstream)
      const outgoing = httpRequest({
        agent,
        host: target.hostname,
        port: target.port,
        method: passing.method,
        path: incoming.url,
        headers: passing.headers,
      })
      outgoing.on('error', reject)
      outgoing.on('response', (answer) => {
        const body: Buffer[] = []
        answer.on('data', (chunk: Buffer) => body.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers
          resolve({ status: answer.statusCode ?? 0, headers: headers as Record<string, string>, body: Buffer.concat(body) })
        })
      })
      outgoing.end(passing.body)
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(proxy, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
