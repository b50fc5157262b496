// Passkeys (WebAuthn, level 3): making one, and proving that one has it. The user is always verified, since it is the only factor.
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { Failure, limits, type Clock } from '#base'
import { createChallenges } from './challenges.ts'

/** Where the page was loaded from; passkeys belong to its host name. */
export interface PasskeySite {
  /** `https://vault.example`, `http://localhost:7878`. */
  readonly origin: string
  /** The host name alone. */
  readonly host: string
}

export interface KnownPasskey {
  readonly credential: string
  readonly person: string
  readonly publicKey: Uint8Array
  readonly counter: number
}

export interface MadePasskey extends Omit<KnownPasskey, 'person'> {
  readonly transports: readonly string[]
  readonly copied: boolean
}

export interface Passkeys {
  registrationOptions(request: {
    readonly site: PasskeySite
    readonly siteName: string
    readonly person: { readonly id: string; readonly account: string; readonly name: string }
    readonly existing: readonly string[]
  }): Promise<PublicKeyCredentialCreationOptionsJSON>
  /** Throws `identity.passkey`. */
  register(request: { readonly site: PasskeySite; readonly person: string; readonly response: unknown }): Promise<MadePasskey>
  signInOptions(site: PasskeySite): Promise<PublicKeyCredentialRequestOptionsJSON>
  /** The new counter, or undefined when the answer proves nothing. `known` is asked for the credential that the answer names. */
  proven(request: {
    readonly site: PasskeySite
    readonly response: unknown
    readonly known: (credential: string) => Promise<KnownPasskey | undefined>
  }): Promise<{ readonly passkey: KnownPasskey; readonly counter: number; readonly copied: boolean } | undefined>
}

// COSE algorithms: Ed25519, ES256, ES384, RS256. ES256 and RS256 are what security keys and Windows know.
const ALGORITHMS = [-8, -7, -35, -257]
const RESPONSE_LENGTH_MAX = 12_000

export function createPasskeys(clock: Clock): Passkeys {
  const challenges = createChallenges(clock)
  return {
    async registrationOptions({ site, siteName, person, existing }) {
      const { generateRegistrationOptions } = await load()
      return generateRegistrationOptions({
        rpName: siteName,
        rpID: site.host,
        userName: person.account,
        userDisplayName: person.name,
        userID: new Uint8Array(Buffer.from(person.id, 'hex')),
        challenge: new Uint8Array(challenges.make(`register ${site.host} ${person.id}`)),
        timeout: limits.challengeMs,
        attestationType: 'none',
        excludeCredentials: existing.map((id) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      })
    },
    async register({ site, person, response }) {
      const { verifyRegistrationResponse } = await load()
      const answer = answered(response) as RegistrationResponseJSON
      let challenge = new Uint8Array(0)
      try {
        const verified = await verifyRegistrationResponse({
          response: answer,
          expectedChallenge: (said) => challenges.stands((challenge = bytesOf(said)), `register ${site.host} ${person}`),
          expectedOrigin: site.origin,
          expectedRPID: site.host,
          requireUserVerification: true,
          supportedAlgorithmIDs: ALGORITHMS,
        })
        if (!verified.verified || !challenges.spend(challenge)) throw refused()
        const { credential, credentialBackedUp } = verified.registrationInfo
        const transports = (credential.transports ?? []).filter((one) => /^[a-z-]{1,20}$/.test(one)).slice(0, 8)
        return {
          credential: credential.id,
          publicKey: credential.publicKey,
          counter: credential.counter,
          transports,
          copied: credentialBackedUp,
        }
      } catch (error) {
        throw error instanceof Failure ? error : refused(error)
      }
    },
    async signInOptions(site) {
      const { generateAuthenticationOptions } = await load()
      // No list of credentials: it would tell who has an account.
      return generateAuthenticationOptions({
        rpID: site.host,
        challenge: new Uint8Array(challenges.make(`sign-in ${site.host}`)),
        timeout: limits.challengeMs,
        userVerification: 'required',
      })
    },
    async proven({ site, response, known }) {
      const { verifyAuthenticationResponse } = await load()
      try {
        const answer = answered(response) as AuthenticationResponseJSON
        let challenge = new Uint8Array(0)
        const passkey = await known(answer.id)
        if (passkey === undefined) return undefined
        const handle = answer.response.userHandle
        if (handle !== undefined && handle !== null && Buffer.from(handle, 'base64url').toString('hex') !== passkey.person) return undefined
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response: answer,
          expectedChallenge: (said) => challenges.stands((challenge = bytesOf(said)), `sign-in ${site.host}`),
          expectedOrigin: site.origin,
          expectedRPID: site.host,
          credential: { id: passkey.credential, publicKey: new Uint8Array(passkey.publicKey), counter: passkey.counter },
          requireUserVerification: true,
        })
        if (!verified || !challenges.spend(challenge)) return undefined
        return { passkey, counter: authenticationInfo.newCounter, copied: authenticationInfo.credentialBackedUp }
      } catch (error) {
        // The library says by throwing what does not fit: origin, host, challenge, a counter that goes back, bytes that are no answer.
        if (error instanceof Failure && error.code !== 'identity.passkey') throw error
        return undefined
      }
    },
  }
}

/** Megabytes of libraries that only sites with people need. */
async function load(): Promise<typeof import('@simplewebauthn/server')> {
  return import('@simplewebauthn/server')
}

/** Whatever is no answer at all, or too long for one, is refused before the library sees it. */
function answered(response: unknown): RegistrationResponseJSON | AuthenticationResponseJSON {
  const answer = response as Partial<AuthenticationResponseJSON> | undefined
  const isAnswer = typeof answer?.id === 'string' && typeof answer.response === 'object' && answer.response !== null
  if (!isAnswer || JSON.stringify(answer).length > RESPONSE_LENGTH_MAX) throw refused()
  return answer as AuthenticationResponseJSON
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, 'base64url'))
}

function refused(cause?: unknown): Failure {
  return new Failure('identity.passkey', {
    detail: 'The answer of the passkey does not fit: it may be of another page, too old, or used before.',
    next: 'Try again from the beginning.',
    cause,
  })
}
