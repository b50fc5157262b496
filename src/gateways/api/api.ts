// The face of the API gateway: HTTP for the local site, and the same calls without a socket.
export { createApi, type Api, type ApiOptions, type Outside } from './server.ts'
export { inProcessTransport } from './in-process-transport.ts'
export { createLoopback, type Loopback } from './loopback.ts'
export type { Log } from './log.ts'
export type { CertificatePair } from './outside/certificate.ts'
export { keepCertificate, type CertificateKeeper } from './outside/certificate-keeper.ts'
export type { Install } from './outside/install.ts'
export { certificateHost, openLocalAuthority } from './outside/local-authority.ts'
export { createPublicEntrance, type PublicEntrance } from './outside/public-entrance.ts'
export { createTrustedProxy } from './outside/trusted-proxy.ts'
export type { DatabaseWait, Metrics, MetricsOptions } from './metrics.ts'

/** Loaded by sites that serve. */
export const loadMetrics = () => import('./metrics.ts')
