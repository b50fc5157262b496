// What an S3 store answers, in the words of locations. Text of the store never reaches a failure: it may repeat keys or names.
import { Failure, type FailureCode } from '#base'
import { locationFailure } from '../failures.ts'
import type { ExchangeError } from './exchange.ts'
import { childText, parseXml } from './xml.ts'

interface Meaning {
  readonly code: FailureCode
  readonly says: string
  readonly next: string
}

const KEYS = 'Check the access key, its secret and its rights on the bucket.'
const BUCKET = 'Check the name of the bucket and the address in the description of the location.'
const REGION = 'Set the region of the bucket in the description of the location.'
const LATER = 'Try again later; the other locations go on serving.'
const NOT_S3 = 'Check that the address is that of an S3 store and that no proxy answers in its place.'
const ROOM = 'Free space or raise the quota of the bucket, or add another location.'

/** Error codes of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and of servers like it. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: { code: 'location.denied', says: 'does not know the access key', next: KEYS },
  SignatureDoesNotMatch: { code: 'location.denied', says: 'refuses the signature: the secret key is another', next: KEYS },
  AccessDenied: { code: 'location.denied', says: 'denies access', next: KEYS },
  AllAccessDisabled: { code: 'location.denied', says: 'denies access', next: KEYS },
  AccountProblem: { code: 'location.denied', says: 'has a problem with the account', next: 'Ask the provider about the account.' },
  ExpiredToken: { code: 'location.denied', says: 'says that the session token has expired', next: 'Renew the session token.' },
  InvalidToken: { code: 'location.denied', says: 'refuses the session token', next: 'Renew the session token.' },
  RequestTimeTooSkewed: { code: 'location.denied', says: 'says that our clock is wrong', next: 'Set the clock of this machine (NTP).' },
  NoSuchBucket: { code: 'location.config', says: 'has no such bucket', next: BUCKET },
  InvalidBucketName: { code: 'location.config', says: 'keeps no buckets of this name', next: BUCKET },
  PermanentRedirect: { code: 'location.config', says: 'says that the bucket lies elsewhere', next: REGION },
  TemporaryRedirect: { code: 'location.config', says: 'says that the bucket lies elsewhere', next: REGION },
  AuthorizationHeaderMalformed: { code: 'location.config', says: 'expects another region', next: REGION },
  IllegalLocationConstraintException: { code: 'location.config', says: 'expects another region', next: REGION },
  QuotaExceeded: { code: 'location.full', says: 'has used up its quota', next: ROOM },
  InsufficientStorage: { code: 'location.full', says: 'has no space left', next: ROOM },
  XMinioStorageFull: { code: 'location.full', says: 'has no space left', next: ROOM },
  EntityTooLarge: { code: 'location.full', says: 'takes no objects this large', next: 'Use another location for files this large.' },
  NotImplemented: { code: 'location.unsupported', says: 'cannot do what was asked', next: 'Probe the location to see what it can do.' },
  InvalidRequest: { code: 'location.unsupported', says: 'refuses the request as it is', next: 'Probe the location to see what it can do.' },
  ObjectLockConfigurationNotFoundError: {
    code: 'location.config',
    says: 'has no object lock on this bucket',
    next: 'Enable object lock on the bucket, or leave out `lock`.',
  },
  InternalError: { code: 'location.unreachable', says: 'has trouble inside', next: LATER },
  ServiceUnavailable: { code: 'location.unreachable', says: 'is overloaded', next: LATER },
  SlowDown: { code: 'location.unreachable', says: 'is overloaded', next: LATER },
}

/** The failure for an answer that is no success. */
export function statusFailure(label: string, answer: { readonly status: number; readonly code: string | undefined }): Failure {
  const meaning = (answer.code === undefined ? undefined : MEANINGS[answer.code]) ?? meaningOfStatus(answer.status)
  const named = answer.code !== undefined && Object.hasOwn(MEANINGS, answer.code) ? `, ${answer.code}` : ''
  return locationFailure(meaning.code, { label, detail: `${label} ${meaning.says} (HTTP ${answer.status}${named}).`, next: meaning.next })
}

function meaningOfStatus(status: number): Meaning {
  if (status >= 300 && status < 400) return MEANINGS['PermanentRedirect']!
  if (status === 401 || status === 403) return MEANINGS['AccessDenied']!
  if (status === 404) return { code: 'location.config', says: 'has no such bucket or object', next: BUCKET }
  if (status === 413) return MEANINGS['QuotaExceeded']!
  if (status === 501 || status === 405) return MEANINGS['NotImplemented']!
  if (status === 507) return MEANINGS['InsufficientStorage']!
  if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429) return MEANINGS['InvalidRequest']!
  return MEANINGS['InternalError']!
}

/** The code of an error answer, only when it is a word. */
export function errorCodeOf(body: Uint8Array): string | undefined {
  const root = parseXml(body)
  if (root?.name !== 'Error') return undefined
  const code = childText(root, 'Code')?.trim()
  return code !== undefined && /^[A-Za-z]{1,64}$/.test(code) ? code : undefined
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
  overlong: { code: 'location.lies', says: 'answered more than it should', next: NOT_S3 },
  garbled: { code: 'location.lies', says: 'answered something that is not HTTP', next: NOT_S3 },
}

/** The failure for an exchange without a whole answer. */
export function exchangeFailure(label: string, error: ExchangeError): Failure {
  if (error.reason === 'cancelled') return new Failure('base.cancelled')
  const { code, says, next } = EXCHANGES[error.reason]
  const named = error.message === error.reason ? '' : ` (${error.message})`
  return locationFailure(code, { label, detail: `${label} ${says}${named}.`, next })
}

/** For answers that no S3 store gives. */
export function garbage(label: string): Failure {
  return locationFailure('location.lies', { label, detail: `${label} answered something that is not S3.`, next: NOT_S3 })
}
