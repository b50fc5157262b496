// What an S3 store answers, in the words of locations. Text of the store never reaches a failure: it may repeat keys or names.
import type { Failure } from '#base'
import { LATER, type Meanings, ROOM, failureOf, garbage as garbageOf } from '../web/errors.ts'
import { childText, parseXml } from '../web/xml.ts'

const KEYS = 'Check the access key, its secret and its rights on the bucket.'
const BUCKET = 'Check the name of the bucket and the address in the description of the location.'
const REGION = 'Set the region of the bucket in the description of the location.'

/** Error codes of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and of servers like it. */
const MEANINGS: Meanings = {
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
  const code = answer.code !== undefined && Object.hasOwn(MEANINGS, answer.code) ? answer.code : undefined
  return failureOf(label, { status: answer.status, code }, MEANINGS)
}

/** The code of an error answer, only when it is a word. */
export function errorCodeOf(body: Uint8Array): string | undefined {
  const root = parseXml(body)
  if (root?.name !== 'Error') return undefined
  const code = childText(root, 'Code')?.trim()
  return code !== undefined && /^[A-Za-z]{1,64}$/.test(code) ? code : undefined
}

/** For answers that no S3 store gives. */
export function garbage(label: string): Failure {
  return garbageOf(label, 'S3')
}
