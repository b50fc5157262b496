// What Google Cloud Storage answers, in the words of locations.
import { type Failure, fromUtf8 } from '#base'
import { webBounds } from '../bounds.ts'
import { LATER, type Meanings, ROOM, failureOf, garbage as garbageOf } from '../web/errors.ts'

const KEYS = 'Check the rights of the service account on the bucket (Storage Object User).'
const BUCKET = 'Check the name of the bucket in the description of the location.'

/** Reasons of https://cloud.google.com/storage/docs/json_api/v1/status-codes. */
const MEANINGS: Meanings = {
  authError: { code: 'location.denied', says: 'refuses the token', next: 'Check the key of the service account.' },
  required: { code: 'location.denied', says: 'wants a key', next: 'Check the key of the service account.' },
  forbidden: { code: 'location.denied', says: 'denies access', next: KEYS },
  insufficientPermissions: { code: 'location.denied', says: 'denies access', next: KEYS },
  accountDisabled: { code: 'location.denied', says: 'has disabled the account', next: 'Ask whoever pays for the project.' },
  userProjectAccountProblem: { code: 'location.denied', says: 'has a problem with the account', next: 'Ask whoever pays for the project.' },
  retentionPolicyNotMet: { code: 'location.denied', says: 'holds the object', next: 'It can be deleted when its retention has ended.' },
  notFound: { code: 'location.config', says: 'has no such bucket', next: BUCKET },
  quotaExceeded: { code: 'location.full', says: 'has used up its quota', next: ROOM },
  uploadTooLarge: { code: 'location.full', says: 'takes no objects this large', next: 'Use another location for files this large.' },
  rateLimitExceeded: { code: 'location.unreachable', says: 'is overloaded', next: LATER },
  userRateLimitExceeded: { code: 'location.unreachable', says: 'is overloaded', next: LATER },
  backendError: { code: 'location.unreachable', says: 'has trouble inside', next: LATER },
  internalError: { code: 'location.unreachable', says: 'has trouble inside', next: LATER },
}

export function gcsFailure(label: string, answer: { readonly status: number; readonly code: string | undefined }): Failure {
  return failureOf(label, answer, MEANINGS)
}

/** The first reason of an error answer, only when it is a word. */
export function gcsCodeOf({ body }: { readonly body: Uint8Array }): string | undefined {
  const error = recordOf(recordOf(parseJson(body))?.['error'])
  const reasons = error?.['errors']
  const reason = Array.isArray(reasons) ? recordOf(reasons[0])?.['reason'] : undefined
  return typeof reason === 'string' && /^[A-Za-z]{1,64}$/.test(reason) ? reason : undefined
}

/** Undefined for anything that is not JSON within the bounds. */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0 || bytes.length > webBounds.answerBytesMax) return undefined
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch {
    return undefined
  }
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/** A number of bytes, which the store writes as text. */
export function bytesOf(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

export function garbage(label: string): Failure {
  return garbageOf(label, 'Google Cloud Storage')
}
