// What Azure Blob answers, in the words of locations.
import type { IncomingHttpHeaders } from 'node:http'
import type { Failure } from '#base'
import { LATER, type Meanings, ROOM, failureOf, garbage as garbageOf } from '../web/errors.ts'
import { childText, parseXml } from '../web/xml.ts'

const KEYS = 'Check the key or the shared access signature, when it ends, its rights on the container, and the clock of this machine.'
const CONTAINER = 'Check the address and the name of the container in the description of the location.'

/** https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes, and the common ones. */
const MEANINGS: Meanings = {
  AuthenticationFailed: { code: 'location.denied', says: 'refuses the key or signature', next: KEYS },
  AuthorizationFailure: { code: 'location.denied', says: 'denies access', next: KEYS },
  AuthorizationPermissionMismatch: { code: 'location.denied', says: 'denies access: the signature lacks this right', next: KEYS },
  AuthorizationProtocolMismatch: { code: 'location.denied', says: 'denies access over this protocol', next: 'Use https.' },
  AuthorizationResourceTypeMismatch: { code: 'location.denied', says: 'denies access: the signature is for something else', next: KEYS },
  AuthorizationServiceMismatch: { code: 'location.denied', says: 'denies access: the signature is for another service', next: KEYS },
  AuthorizationSourceIPMismatch: {
    code: 'location.denied',
    says: 'denies access from this address',
    next: 'Allow the address of this site.',
  },
  AccountIsDisabled: { code: 'location.denied', says: 'has disabled the account', next: 'Ask the provider about the account.' },
  InsufficientAccountPermissions: { code: 'location.denied', says: 'denies access', next: KEYS },
  InvalidAuthenticationInfo: { code: 'location.denied', says: 'refuses the key or signature', next: KEYS },
  KeyBasedAuthenticationNotPermitted: {
    code: 'location.denied',
    says: 'takes no account keys',
    next: 'Allow access by key for the account, or use a shared access signature that the account permits.',
  },
  NoAuthenticationInformation: { code: 'location.denied', says: 'got no key', next: KEYS },
  PublicAccessNotPermitted: { code: 'location.denied', says: 'got no key', next: KEYS },
  ContainerNotFound: { code: 'location.config', says: 'has no such container', next: CONTAINER },
  ContainerBeingDeleted: { code: 'location.config', says: 'is deleting the container', next: CONTAINER },
  ContainerDisabled: { code: 'location.config', says: 'has disabled the container', next: CONTAINER },
  InvalidResourceName: { code: 'location.config', says: 'keeps no containers of this name', next: CONTAINER },
  InvalidUri: { code: 'location.config', says: 'does not know the address', next: CONTAINER },
  AccountRequiresHttps: { code: 'location.config', says: 'takes https only', next: 'Write the address with https.' },
  ResourceNotFound: { code: 'location.config', says: 'has no such container', next: CONTAINER },
  ResourceTypeMismatch: { code: 'location.config', says: 'is not a container for blobs', next: CONTAINER },
  BlobArchived: {
    code: 'location.unsupported',
    says: 'keeps the object in its archive',
    next: 'Bring the container back to the hot or cool tier; a fragment in the archive does not answer.',
  },
  BlobBeingRehydrated: { code: 'location.unreachable', says: 'is bringing the object back from its archive', next: LATER },
  RequestBodyTooLarge: {
    code: 'location.full',
    says: 'takes no blocks this large',
    next: 'Set smaller parts (partMiB) for this location.',
  },
  BlockCountExceedsLimit: {
    code: 'location.full',
    says: 'takes no more blocks of one object',
    next: 'Set larger parts (partMiB) for this location.',
  },
  AccountLimitExceeded: { code: 'location.full', says: 'has used up its quota', next: ROOM },
  UnsupportedHeader: {
    code: 'location.unsupported',
    says: 'does not know what was asked',
    next: 'Probe the location to see what it can do.',
  },
  OperationNotAllowedOnRootBlob: {
    code: 'location.unsupported',
    says: 'refuses this for the current version',
    next: 'Probe the location.',
  },
  InternalError: { code: 'location.unreachable', says: 'has trouble inside', next: LATER },
  ServerBusy: { code: 'location.unreachable', says: 'is overloaded', next: LATER },
  OperationTimedOut: { code: 'location.unreachable', says: 'took too long', next: LATER },
}

export function azureFailure(label: string, answer: { readonly status: number; readonly code: string | undefined }): Failure {
  return failureOf(label, answer, MEANINGS)
}

/** From the header, which HEAD has too, or from the body. Only a word. */
export function azureCodeOf(answer: { readonly headers: IncomingHttpHeaders; readonly body: Uint8Array }): string | undefined {
  const header = answer.headers['x-ms-error-code']
  if (typeof header === 'string') return wordOf(header)
  const root = parseXml(answer.body)
  return root?.name === 'Error' ? wordOf(childText(root, 'Code')) : undefined
}

function wordOf(text: string | undefined): string | undefined {
  const word = text?.trim()
  return word !== undefined && /^[A-Za-z0-9]{1,64}$/.test(word) ? word : undefined
}

export function garbage(label: string): Failure {
  return garbageOf(label, 'Azure Blob')
}
