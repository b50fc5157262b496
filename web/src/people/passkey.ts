// The browser's side of passkeys: asked only when somebody wants one, loaded only then.
import { client } from '../site/client.ts'

/** The person closed the box, waited too long, or has no passkey for this page: browsers do not say which. */
export class PasskeyNotUsed extends Error {
  override readonly name = 'PasskeyNotUsed'
}

export function passkeysKnown(): boolean {
  return typeof PublicKeyCredential === 'function'
}

export async function signInByPasskey(): Promise<void> {
  const { options } = await client.passkeySignInOptions()
  const { startAuthentication } = await import('@simplewebauthn/browser')
  type Options = Parameters<typeof startAuthentication>[0]['optionsJSON']
  const response = await used(() => startAuthentication({ optionsJSON: options as unknown as Options }))
  await client.passkeySignIn({ response })
}

/** The answer of a new passkey for these options. */
export async function makePasskey(options: object): Promise<object> {
  const { startRegistration } = await import('@simplewebauthn/browser')
  type Options = Parameters<typeof startRegistration>[0]['optionsJSON']
  return used(() => startRegistration({ optionsJSON: options as unknown as Options }))
}

async function used<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && ['NotAllowedError', 'AbortError', 'InvalidStateError', 'WebAuthnError'].includes(error.name))
      throw new PasskeyNotUsed(error.message, { cause: error })
    throw error
  }
}
