// The listener that strangers reach: bounded for each address, so that one of them cannot take all the room.
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Gateway } from '../call.ts'
import { attend, httpOptions } from '../listener.ts'
import type { CertificatePair } from './certificate.ts'
import type { PublicEntrance } from './public-entrance.ts'
import { secureOptions, STRICT_TRANSPORT } from './tls.ts'
import { plainAddress } from './trusted-proxy.ts'

/** How TLS is spoken here; without it a proxy does. */
export interface Secure {
  readonly pair: CertificatePair
  /** Also TLS 1.2. */
  readonly old: boolean
}

export interface PublicListener {
  readonly server: Server | SecureServer
  /** Serves new connections with another certificate; those that are open live on. */
  readonly renew: (pair: CertificatePair) => void
}

export function createPublicListener(
  gateway: Gateway,
  app: FastifyInstance,
  entrance: PublicEntrance,
  secure: Secure | undefined,
): PublicListener {
  const attended = { entrance: { kind: 'public', entrance }, headers: { 'strict-transport-security': STRICT_TRANSPORT } } as const
  if (secure === undefined) {
    const server = createServer(httpOptions(gateway.bounds))
    attend(server, gateway, app, attended)
    return { server, renew: () => {} }
  }
  const server = createSecureServer({
    ...httpOptions(gateway.bounds),
    ...secureOptions(secure.pair, secure),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: gateway.bounds.handshakeMs,
  })
  attend(server, gateway, app, attended)
  shareOut(server, gateway.bounds.connectionsPerAddressMax)
  return { server, renew: (pair) => server.setSecureContext(secureOptions(pair, secure)) }
}

/** Before the handshake, which is what costs us something. */
function shareOut(server: SecureServer, most: number): void {
  const counts = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const party = partyOf(socket.remoteAddress ?? '')
    const count = (counts.get(party) ?? 0) + 1
    if (count > most) {
      socket.destroy()
      return
    }
    counts.set(party, count)
    socket.once('close', () => {
      const left = (counts.get(party) ?? 1) - 1
      if (left === 0) counts.delete(party)
      else counts.set(party, left)
    })
  })
}

/** Whoever has one address of IPv6 has the 2^64 beside it. */
function partyOf(remoteAddress: string): string {
  const address = plainAddress(remoteAddress)
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('%')[0]!.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const middle = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...middle, ...right].slice(0, 4).join(':')
}
