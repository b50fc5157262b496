// What stores answer over HTTP, in the words of locations. Text of a store never reaches a failure: it may repeat keys or names.
import { Failure, type FailureCode } from '#base'
import { locationFailure } from '../failures.ts'
import type { ExchangeError } from './exchange.ts'

export interface Meaning {
  readonly code: FailureCode
  readonly says: string
  readonly next: string
}

/** The codes of one kind of store, besides the statuses that all share. */
export type Meanings = Readonly<Record<string, Meaning>>

export const LATER = 'Try again later; the other locations go on serving.'
export const ROOM = 'Free space or raise the quota of the place, or add another location.'
const NOT_A_STORE = 'Check that the address is that of the store and that no proxy answers in its place.'

/** The failure for an answer that is no success. */
export function failureOf(
  label: string,
  answer: { readonly status: number; readonly code: string | undefined },
  meanings: Meanings,
): Failure {
  const known = answer.code !== undefined && Object.hasOwn(meanings, answer.code)
  const meaning = known ? meanings[answer.code]! : meaningOfStatus(answer.status)
  const named = known ? `, ${answer.code}` : ''
  return locationFailure(meaning.code, { label, detail: `${label} ${meaning.says} (HTTP ${answer.status}${named}).`, next: meaning.next })
}

function meaningOfStatus(status: number): Meaning {
  if (status >= 300 && status < 400)
    return { code: 'location.config', says: 'says that it lies elsewhere', next: 'Check the address in the description of the location.' }
  if (status === 401 || status === 403)
    return { code: 'location.denied', says: 'denies access', next: 'Check the credentials and their rights.' }
  if (status === 404 || status === 410)
    return { code: 'location.config', says: 'has no such place or object', next: 'Check the address in the description of the location.' }
  if (status === 413 || status === 507) return { code: 'location.full', says: 'has no space left', next: ROOM }
  if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429)
    return { code: 'location.unsupported', says: 'refuses the request as it is', next: 'Probe the location to see what it can do.' }
  if (status === 501)
    return { code: 'location.unsupported', says: 'cannot do what was asked', next: 'Probe the location to see what it can do.' }
  return { code: 'location.unreachable', says: 'has trouble inside', next: LATER }
}

const EXCHANGES: Readonly<Record<Exclude<ExchangeError['reason'], 'cancelled'>, Meaning>> = {
  stalled: { code: 'location.stalled', says: 'made no progress for too long', next: LATER },
  untrusted: {
    code: 'location.unreachable',
    says: 'shows a certificate that is not trusted',
    next: 'Check the address; for a private authority name its certificate with `ca`.',
  },
  unconnected: {
    code: 'location.unreachable',
    says: 'cannot be connected to',
    next: 'Check the address and the network; the other locations go on serving.',
  },
  lost: { code: 'location.unreachable', says: 'closed the connection', next: LATER },
  cut: { code: 'location.truncated', says: 'ended its answer too early', next: LATER },
  overlong: { code: 'location.lies', says: 'answered more than it should', next: NOT_A_STORE },
  garbled: { code: 'location.lies', says: 'answered something that is not HTTP', next: NOT_A_STORE },
}

/** The failure for an exchange without a whole answer. */
export function exchangeFailure(label: string, error: ExchangeError): Failure {
  if (error.reason === 'cancelled') return new Failure('base.cancelled')
  const { code, says, next } = EXCHANGES[error.reason]
  const named = error.message === error.reason ? '' : ` (${error.message})`
  return locationFailure(code, { label, detail: `${label} ${says}${named}.`, next })
}

/** For answers that no store of its kind gives. */
export function garbage(label: string, protocol: string): Failure {
  return locationFailure('location.lies', { label, detail: `${label} answered something that is not ${protocol}.`, next: NOT_A_STORE })
}
