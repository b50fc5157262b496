// Names of people, groups and credentials as others type them: what could deceive a reader is refused, never repaired.
import { Failure } from '#base'

const NAME_LENGTH_MAX = 100
const ACCOUNT_LENGTH_MAX = 100

/** Controls, lone surrogates, unassigned and private characters; directions (bidi), invisible ones, and line ends. */
const DECEIVING = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

/** In Unicode NFC, without spaces around it. */
export function nameOf(text: string, what = 'name'): string {
  const name = text.normalize('NFC').trim()
  if (name === '' || Array.from(name).length > NAME_LENGTH_MAX || DECEIVING.test(name) || !/[\p{L}\p{N}]/u.test(name)) {
    throw new Failure('identity.name', {
      detail: `This ${what} cannot be used: 1 to ${NAME_LENGTH_MAX} visible characters, at least one letter or digit.`,
    })
  }
  return name
}

/** What somebody types to sign in by password, also a mail address. Plain letters only, so that no two look the same. */
export function accountOf(text: string): string {
  const account = accountIn(text)
  if (account !== undefined) return account
  throw new Failure('identity.name', {
    detail: 'This account name cannot be used: letters a to z, digits, and . _ + - between them, or a mail address.',
  })
}

/** Undefined for what cannot be an account name. */
export function accountIn(text: string): string | undefined {
  const account = text.trim().toLowerCase()
  const fits = /^[a-z0-9](?:[a-z0-9._+-]*[a-z0-9])?(?:@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)?$/.test(account)
  return fits && account.length <= ACCOUNT_LENGTH_MAX ? account : undefined
}

export function mailOf(text: string): string {
  const mail = text.trim()
  if (mail.length > 254 || !/^[!-?A-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(mail)) {
    throw new Failure('identity.name', { detail: 'This is no mail address.' })
  }
  return mail
}

/** What a browser says of itself: only shown to its person, cut and cleaned. */
export function agentOf(text: string): string {
  return text.replace(/[^ -~]/g, '').slice(0, 200)
}
