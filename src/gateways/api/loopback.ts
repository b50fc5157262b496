// Who may call over loopback HTTP: one person who holds the link of this start, in a browser that speaks for our own page only.
// Any program and any web page on the machine can reach the port, so the port itself proves nothing.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Failure, limits } from '#base'
import { Refusal } from './answer.ts'
import { verifySite } from './same-site.ts'

export interface Loopback {
  /** Part of the start link, after `#`, so that it never travels in a request line. */
  readonly code: string
  /** Refuses other host names (DNS rebinding) and other pages (cross-site requests). Every request passes here first. */
  verifyOrigin(request: LoopbackRequest): void
  /** Whether the request carries a session of the start link. */
  holdsSession(request: LoopbackRequest): boolean
  /** Refuses any other code than that of this start. */
  verifyCode(code: string): void
  /** Exchanges the code for a Set-Cookie value; refuses any other code. */
  openSession(code: string, port: number): string
}

export interface LoopbackRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Where it came in. */
  readonly port: number
  /** Pages hold no data of anyone, and a link to them from elsewhere is fine. */
  readonly isPage: boolean
}

const NAMES = ['localhost', '127.0.0.1', '[::1]']
const SECRET_BYTES = 32
/** RFC 9110, section 15.5.2 asks for one. */
const CHALLENGE = { 'www-authenticate': 'Quorate' }

export function createLoopback(): Loopback {
  const code = secret()
  const sessions = new Set<string>()
  const verifyCode = (given: string): void => {
    if (timingSafeEqual(Buffer.from(digest(given)), Buffer.from(digest(code)))) return
    throw new Refusal('access.unauthenticated', CHALLENGE, {
      detail: 'This link is of another start of the site.',
      next: 'Open the link that the latest start printed.',
    })
  }
  return {
    code,
    verifyCode,
    verifyOrigin(request) {
      verifyHost(request)
      if (!request.isPage) verifySite(request, `http://${request.headers['host']?.toLowerCase()}`)
    },
    holdsSession({ headers, port }) {
      const token = cookieOf(headers['cookie'] ?? '', cookieName(port))
      return token !== undefined && sessions.has(digest(token))
    },
    openSession(given, port) {
      verifyCode(given)
      const token = secret()
      sessions.add(digest(token))
      const [oldest] = sessions
      if (sessions.size > limits.sessionsMax && oldest !== undefined) sessions.delete(oldest)
      return `${cookieName(port)}=${token}; Path=/; HttpOnly; SameSite=Strict`
    },
  }
}

/** The host must be loopback under our own port; a foreign name that points here is an attack on the browser's same-origin rule. */
function verifyHost({ headers, port }: LoopbackRequest): void {
  const host = headers['host']?.toLowerCase()
  const hosts = NAMES.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
  if (host === undefined || !hosts.includes(host)) {
    throw new Failure('api.host', { next: `Use http://localhost:${port}/.` })
  }
}

/** Cookies do not know ports: the name does, so that two sites on one machine do not overwrite each other's. */
export function cookieName(port: number): string {
  return `quorate-${port}`
}

export function cookieOf(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/** Only digests are kept and looked up, so that neither memory nor the time of a comparison gives a token away. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
