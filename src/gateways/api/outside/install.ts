// The page that says how to trust the site's own certificate authority. Only on this machine: whoever fetched it from outside could be given another one.
import type { FastifyInstance } from 'fastify'
import { Failure } from '#base'
import { contextOf, type Gateway } from '../call.ts'
import { INSTALL_STYLE, installPage } from './install-page.ts'

export interface Install {
  /** Where people go once they trust it. */
  readonly origin: string
  /** The certificate of the authority. */
  readonly pem: string
  readonly der: Uint8Array
  /** SHA-256, as devices show it. */
  readonly fingerprint: string
  readonly endsMs: number
}

const POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function serveInstall(app: FastifyInstance, gateway: Gateway, install: Install): void {
  const route = (url: string, answer: (language: 'de' | 'en') => { type: string; body: string | Buffer; save?: string }): void => {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      handler: async (request, reply) => {
        if (contextOf(gateway, request.raw).entrance.kind === 'public') throw new Failure('api.not-found')
        const { type, body, save } = answer(languageOf(request.raw.url ?? '', request.headers['accept-language']))
        void reply.headers({
          'content-type': type,
          'cache-control': 'no-store',
          'content-security-policy': POLICY,
          vary: 'accept-language',
        })
        if (save !== undefined) void reply.header('content-disposition', `attachment; filename="${save}"`)
        return reply.send(body)
      },
    })
  }
  route('/install', (language) => ({ type: 'text/html; charset=utf-8', body: installPage(install, language) }))
  route('/install/install.css', () => ({ type: 'text/css; charset=utf-8', body: INSTALL_STYLE }))
  route('/install/quorate-authority.crt', () => ({
    type: 'application/x-x509-ca-cert',
    body: Buffer.from(install.der),
    save: 'quorate-authority.crt',
  }))
  route('/install/quorate-authority.pem', () => ({ type: 'application/x-pem-file', body: install.pem, save: 'quorate-authority.pem' }))
}

function languageOf(target: string, accepted: string | undefined): 'de' | 'en' {
  const asked = /[?&]lang=(de|en)(?:&|$)/.exec(target)?.[1]
  if (asked === 'de' || asked === 'en') return asked
  const first = (accepted ?? '')
    .split(',')
    .map((part) => part.trim().slice(0, 2).toLowerCase())
    .find((code) => code === 'de' || code === 'en')
  return first === 'de' ? 'de' : 'en'
}
