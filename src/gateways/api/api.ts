// The face of the API gateway: HTTP for the local site, and the same calls without a socket.
export { createApi, type Api, type ApiOptions } from './server.ts'
export { inProcessTransport } from './in-process-transport.ts'
export { createLoopback, type Loopback } from './loopback.ts'
export type { Log } from './log.ts'
