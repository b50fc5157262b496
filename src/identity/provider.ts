// Single sign-on by a provider of OpenID Connect: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1).
// It says who somebody is; whether they may come in is ours to say.
import { Failure, fromUtf8, limits, utf8, type Clock } from '#base'
import { gcmOpen, gcmSeal, random } from '#crypto/primitives'

export interface ProviderSettings {
  /** As people know it: what the button says. */
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  /** Undefined for a public client. */
  readonly clientSecret?: string | undefined
  /** Whether somebody whom nobody invited may come in, without a role. */
  readonly newPeople: boolean
}

/** Who somebody is at the provider. The pair (issuer, subject) is theirs alone; name and mail may change and are only shown. */
export interface ProviderPerson {
  readonly issuer: string
  readonly subject: string
  readonly name: string | undefined
  readonly mail: string | undefined
}

/** OpenID Connect Back-Channel Logout 1.0, section 2.4. */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export interface Provider {
  readonly settings: ProviderSettings
  /** `bound` stays with this browser, in a cookie; without it the answer of the provider is worth nothing. */
  begin(request: {
    readonly origin: string
    readonly invitation: string | undefined
  }): Promise<{ readonly address: string; readonly bound: string }>
  /** Throws `identity.provider`. */
  finish(request: {
    readonly origin: string
    /** What the provider put behind `?` in the address of the page. */
    readonly query: string
    readonly bound: string
  }): Promise<{ readonly person: ProviderPerson; readonly invitation: string | undefined }>
  /** Whom a logout token of the provider names. Throws `identity.provider` for any other text, also for one that came before. */
  loggedOut(token: string): Promise<Pick<ProviderPerson, 'issuer' | 'subject'>>
}

interface Begun {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly origin: string
  readonly until: number
  readonly invitation?: string | undefined
}

const NONCE_BYTES = 12
/** Signatures by keys that the provider publishes; never a shared secret, never none. */
const LOGOUT_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
const AAD = utf8('quorate identity provider')
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/

export function createProvider(settings: ProviderSettings, clock: Clock): Provider {
  const key = random(32)
  const spent = new Map<string, number>()
  const logouts = new Map<string, number>()
  let keySet: ReturnType<typeof import('jose').createRemoteJWKSet> | undefined
  let known: Promise<import('openid-client').Configuration> | undefined

  /** Asked for when somebody signs in, and asked again after a failure: a provider that is away must not keep the site from starting. */
  const configuration = async (): Promise<import('openid-client').Configuration> => {
    known ??= discover(settings).catch((error: unknown) => {
      known = undefined
      throw new Failure('identity.provider', {
        detail: `The sign-in service ${settings.name} cannot be reached.`,
        next: 'Try again later, or sign in with a passkey.',
        culprits: [settings.issuer],
        cause: error,
      })
    })
    return known
  }

  return {
    settings,
    async begin({ origin, invitation }) {
      const client = await import('openid-client')
      const config = await configuration()
      const begun: Begun = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        origin,
        until: clock.now() + limits.providerMs,
        invitation,
      }
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: `${origin}/`,
        scope: 'openid profile email',
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
        // Whoever sits there proves it anew: a session at the provider may be of the one before.
        prompt: 'login',
      })
      return { address: address.toString(), bound: seal(key, begun) }
    },

    async finish({ origin, query, bound }) {
      const begun = open(key, bound)
      for (const [state, until] of spent) if (until <= clock.now()) spent.delete(state)
      if (begun === undefined || begun.origin !== origin || begun.until <= clock.now() || spent.has(begun.state)) throw refused(settings)
      spent.set(begun.state, begun.until)
      const config = await configuration()
      const client = await import('openid-client')
      try {
        const url = new URL(`${origin}/?${query}`)
        const tokens = await client.authorizationCodeGrant(config, url, {
          pkceCodeVerifier: begun.verifier,
          expectedState: begun.state,
          expectedNonce: begun.nonce,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (claims === undefined) throw refused(settings)
        const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
        const person = {
          issuer: claims.iss,
          subject: claims.sub,
          name: text(claims['name']) ?? text(claims['preferred_username']),
          mail: text(claims['email']),
        }
        return { person, invitation: begun.invitation }
      } catch (error) {
        throw error instanceof Failure ? error : refused(settings, error)
      }
    },

    // Back-Channel Logout 1.0, section 2.6, in its order.
    async loggedOut(token) {
      const { createRemoteJWKSet, jwtVerify } = await import('jose')
      const { issuer, jwks_uri: keys } = (await configuration()).serverMetadata()
      if (keys === undefined) throw refused(settings)
      keySet ??= createRemoteJWKSet(new URL(keys), { timeoutDuration: limits.providerAnswerMs })
      const now = clock.now()
      try {
        const { payload } = await jwtVerify(token, keySet, {
          issuer,
          audience: settings.clientId,
          algorithms: LOGOUT_ALGORITHMS,
          maxTokenAge: limits.providerMs / 1000,
          clockTolerance: 60,
          currentDate: new Date(now),
          requiredClaims: ['jti', 'events'],
        })
        const { sub, jti, nonce, events } = payload
        const isLogout = typeof events === 'object' && events !== null && LOGOUT_EVENT in events
        // Tokens that name only a session of the provider are not for us: it is not kept here.
        if (sub === undefined || jti === undefined || nonce !== undefined || !isLogout) throw refused(settings)
        for (const [seen, until] of logouts) if (until <= now) logouts.delete(seen)
        if (logouts.has(jti)) throw refused(settings)
        logouts.set(jti, now + 2 * limits.providerMs)
        return { issuer, subject: sub }
      } catch (error) {
        throw error instanceof Failure ? error : refused(settings, error)
      }
    },
  }
}

async function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<import('openid-client').Configuration> {
  const client = await import('openid-client')
  const server = new URL(issuer)
  const auth = clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret)
  // Clear text only on this very machine.
  const execute = server.protocol === 'http:' && LOOPBACK.test(server.hostname) ? [client.allowInsecureRequests] : []
  return client.discovery(server, clientId, undefined, auth, { execute, timeout: limits.providerAnswerMs / 1000 })
}

function seal(key: Uint8Array, begun: Begun): string {
  const nonce = random(NONCE_BYTES)
  return Buffer.concat([nonce, gcmSeal(key, nonce, AAD, utf8(JSON.stringify(begun)))]).toString('base64url')
}

function open(key: Uint8Array, bound: string): Begun | undefined {
  const bytes = new Uint8Array(Buffer.from(bound, 'base64url'))
  if (bytes.length <= NONCE_BYTES) return undefined
  const plain = gcmOpen(key, bytes.subarray(0, NONCE_BYTES), AAD, bytes.subarray(NONCE_BYTES))
  return plain === undefined ? undefined : (JSON.parse(fromUtf8(plain)) as Begun)
}

function refused({ name, issuer }: ProviderSettings, cause?: unknown): Failure {
  return new Failure('identity.provider', {
    detail: `The answer of ${name} does not fit: it may be too old, used before, or of another browser.`,
    next: 'Begin anew with the sign-in page.',
    culprits: [issuer],
    cause,
  })
}
