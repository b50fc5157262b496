// Plain HTTP from outside, where it is asked for: every answer sends the browser to HTTPS and says nothing else.
import { createServer, type Server } from 'node:http'
import { limits } from '#base'
import { STRICT_TRANSPORT } from './tls.ts'

const TARGET_CHARACTERS_MAX = 4096

/** Never the name that the client gave, which could be anybody's: always our own. */
export function createRedirectListener(origin: string): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.requestHeadersBytesMax,
      headersTimeout: limits.requestHeadersMs,
      requestTimeout: limits.requestHeadersMs,
      connectionsCheckingInterval: 2000,
      requireHostHeader: false,
    },
    (request, response) => {
      request.resume()
      const target = request.url ?? '/'
      const kept = target.startsWith('/') && target.length <= TARGET_CHARACTERS_MAX ? target : '/'
      const asks = request.method === 'GET' || request.method === 'HEAD'
      const headers = { connection: 'close', 'content-length': '0', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
      // What was to be written came in clear already; repeating it over HTTPS would hide that.
      if (!asks) response.writeHead(403, headers)
      else response.writeHead(308, { ...headers, location: `${origin}${kept}`, 'strict-transport-security': STRICT_TRANSPORT })
      response.end()
    },
  )
  server.maxConnections = limits.connectionsMax
  return server
}
