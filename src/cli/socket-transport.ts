// The calls of the API over the unix socket of a running site.
import { httpTransport, type OpenTransport } from './http-transport.ts'

export type SocketTransport = OpenTransport

/** A transport to the site that listens at this socket. `api.unreachable` when nobody does. */
export function socketTransport(path: string): SocketTransport {
  return httpTransport({ socket: path })
}
