// Every refusal the product can answer, in one table. A code never changes its meaning.
// kind decides the HTTP status; retry says whether the same call may succeed later unchanged.

export type FailureKind = 'unauthenticated' | 'denied' | 'invalid' | 'absent' | 'conflict' | 'limit' | 'unavailable' | 'corrupt'

export const STATUS_OF_KIND = {
  unauthenticated: 401,
  denied: 403,
  invalid: 400,
  absent: 404,
  conflict: 409,
  limit: 413,
  unavailable: 503,
  corrupt: 500,
} as const satisfies Record<FailureKind, number>

interface CodeRow {
  readonly kind: FailureKind
  readonly title: string
  readonly retry: boolean
  /** Where HTTP knows a more exact status than that of the kind. */
  readonly status?: number
}

export const CODES = {
  'base.cancelled': { kind: 'unavailable', title: 'The work was cancelled', retry: true },
  'base.invalid': { kind: 'invalid', title: 'The input is not as expected', retry: false },
  'base.internal': { kind: 'unavailable', title: 'Something unexpected happened inside; nothing was changed by it', retry: true },

  'crypto.threshold': { kind: 'invalid', title: 'The threshold or the count of shares is not offered', retry: false },
  'crypto.tag': { kind: 'corrupt', title: 'An authentication tag does not match', retry: false },
  'crypto.passphrase': { kind: 'unauthenticated', title: 'The passphrase or key file does not open the signing keys', retry: false },

  'format.framing': { kind: 'corrupt', title: 'These bytes are not a fragment', retry: false },
  'format.incomplete': { kind: 'unavailable', title: 'Too few fragments to read the object', retry: true },
  'format.conflict': { kind: 'conflict', title: 'Two dealings of one version exist; say which is meant', retry: false },
  'format.threshold': { kind: 'corrupt', title: 'Fragments claim another threshold than the vault has', retry: false },
  'format.record': { kind: 'corrupt', title: 'A record of the object cannot be read from enough locations', retry: false },
  'format.meta': { kind: 'corrupt', title: 'The description of the object is damaged', retry: false },
  'format.content': { kind: 'corrupt', title: 'The content differs from what was stored', retry: false },
  'format.signature': { kind: 'corrupt', title: 'The signature of the dealer is wrong', retry: false },
  'format.mismatch': { kind: 'corrupt', title: 'The fragments are of another object than the one asked for', retry: false },

  'storage.absent': { kind: 'absent', title: 'No such file or folder', retry: false },
  'storage.exists': { kind: 'conflict', title: 'Something of this name exists already', retry: false },
  'storage.path': { kind: 'invalid', title: 'This path cannot be used', retry: false },
  'storage.held': { kind: 'denied', title: 'A hold forbids the removal', retry: false },
  'storage.moment': { kind: 'invalid', title: 'The vault cannot tell how it was at that moment', retry: false },
  'storage.range': { kind: 'invalid', title: 'The range lies outside the file', retry: false, status: 416 },
  'storage.source-changed': { kind: 'conflict', title: 'The source changed while it was read', retry: true },
  'storage.size-differs': { kind: 'conflict', title: 'The upload ended before or after its announced size', retry: true },
  'storage.upload-absent': { kind: 'absent', title: 'There is no such unfinished upload', retry: false },
  'storage.upload-busy': { kind: 'conflict', title: 'The upload is busy, or another client goes on with it', retry: true },
  'storage.upload-offset': { kind: 'conflict', title: 'The upload goes on at another byte', retry: true },
  'storage.quorum': { kind: 'unavailable', title: 'Too few locations took the file; nothing was stored', retry: true },
  'storage.no-vault': { kind: 'absent', title: 'There is no vault here yet', retry: false },
  'storage.locations': { kind: 'invalid', title: 'These are not the locations of the vault', retry: false },
  'storage.kit': { kind: 'invalid', title: 'The recovery kit does not fit this vault', retry: false },
  'storage.vault-exists': { kind: 'conflict', title: 'A vault exists here already', retry: false },
  'storage.home-busy': { kind: 'conflict', title: 'Another process uses this QUORATE_HOME', retry: true },
  'storage.repair': { kind: 'unavailable', title: 'Some fragments could not be repaired', retry: true },
  'storage.mass-loss': {
    kind: 'corrupt',
    title: 'A location lost much at once, and waits for a person before it is filled again',
    retry: false,
  },
  'storage.writer': { kind: 'denied', title: 'This site may not write to the vault', retry: false },
  'storage.contended': { kind: 'unavailable', title: 'Other sites are writing to the vault at this moment', retry: true },
  'storage.head': { kind: 'unavailable', title: 'The newest state of the vault could not be established', retry: true },
  'storage.fork': { kind: 'corrupt', title: 'Two histories of the vault came to light', retry: false },
  'storage.few-locations': { kind: 'conflict', title: 'Too few locations would be left', retry: false },
  'storage.last-honest': { kind: 'conflict', title: 'No location that keeps its promises would be left', retry: false },
  'storage.change': { kind: 'unavailable', title: 'The change is not finished', retry: true },
  'storage.leave-by': { kind: 'unavailable', title: 'A location is to be left soon', retry: false },
  'storage.read-only': { kind: 'unavailable', title: 'The vault cannot be written now', retry: true },

  'location.absent': { kind: 'absent', title: 'The location has no such fragment', retry: false },
  'location.exists': { kind: 'conflict', title: 'The location holds this name already', retry: false },
  'location.unreachable': { kind: 'unavailable', title: 'The location cannot be reached', retry: true },
  'location.stalled': { kind: 'unavailable', title: 'The location stopped answering', retry: true },
  'location.denied': { kind: 'denied', title: 'The location refuses our credentials', retry: false },
  'location.untrusted': { kind: 'denied', title: 'The location cannot prove that it is the right one', retry: false },
  'location.full': { kind: 'unavailable', title: 'The location is full', retry: true },
  'location.truncated': { kind: 'corrupt', title: 'The location answered fewer bytes than it announced', retry: false },
  'location.lies': { kind: 'corrupt', title: 'The location does not keep its promises', retry: false },
  'location.not-ours': { kind: 'conflict', title: 'The place is empty or belongs to something else', retry: false },
  'location.unsupported': { kind: 'invalid', title: 'The location cannot do this', retry: false },
  'location.name': { kind: 'invalid', title: 'No location keeps such a name', retry: false },
  'location.lock': { kind: 'denied', title: 'Locks at the location cannot be made longer', retry: false },
  'location.kept': { kind: 'denied', title: 'The location does not let go what is not needed any more', retry: false },
  'location.config': { kind: 'invalid', title: 'The description of the location is not usable', retry: false },

  'database.version': { kind: 'unavailable', title: 'The database was written by a newer version', retry: false },
  'database.corrupt': { kind: 'corrupt', title: 'The database file is damaged', retry: false },
  'database.unavailable': { kind: 'unavailable', title: 'The database does not answer', retry: true },

  'audit.framing': { kind: 'corrupt', title: 'These bytes are not of an audit log', retry: false },
  'audit.signature': { kind: 'corrupt', title: 'A signature of the audit log is wrong', retry: false },
  'audit.unsigned': { kind: 'denied', title: 'No key that is trusted has signed this', retry: false },
  'audit.proof': { kind: 'corrupt', title: 'The proof does not lead to the signed head of the log', retry: false },
  'audit.tampered': { kind: 'corrupt', title: 'The audit log is not what was signed', retry: false },
  'audit.absent': { kind: 'absent', title: 'The audit log has no such entry', retry: false },
  'audit.key': { kind: 'unavailable', title: 'The signing keys of the audit log cannot be used', retry: false },
  'audit.busy': { kind: 'unavailable', title: 'More waits for the audit log than it can take at once', retry: true },

  'access.denied': { kind: 'denied', title: 'Not allowed', retry: false },
  'access.unauthenticated': { kind: 'unauthenticated', title: 'Please sign in', retry: false },

  'identity.refused': { kind: 'unauthenticated', title: 'The sign-in failed', retry: false },
  'identity.wait': { kind: 'unavailable', title: 'Too many attempts failed; wait a little', retry: true, status: 429 },
  'identity.fresh': { kind: 'denied', title: 'Please sign in once more first', retry: false },
  'identity.absent': { kind: 'absent', title: 'No such person, group or credential', retry: false },
  'identity.invitation': { kind: 'absent', title: 'This invitation cannot be used', retry: false },
  'identity.exists': { kind: 'conflict', title: 'This name is taken', retry: false },
  'identity.name': { kind: 'invalid', title: 'This name cannot be used', retry: false },
  'identity.password': { kind: 'invalid', title: 'This password cannot be used', retry: false },
  'identity.code': { kind: 'invalid', title: 'The code of the authenticator app does not fit', retry: false },
  'identity.passkey': { kind: 'invalid', title: 'The passkey could not be taken', retry: false },
  'identity.provider': { kind: 'unauthenticated', title: 'The sign-in service could not say who this is', retry: false },
  'identity.roles': { kind: 'conflict', title: 'These roles do not go together', retry: false },
  'identity.last-administrator': { kind: 'conflict', title: 'No administrator would be left', retry: false },
  'identity.last-credential': { kind: 'conflict', title: 'No way to sign in would be left', retry: false },
  'identity.limit': { kind: 'conflict', title: 'There are as many as there may be', retry: false },
  'identity.key': { kind: 'unavailable', title: 'Secrets for signing in cannot be opened', retry: false },

  'api.not-found': { kind: 'absent', title: 'No such address', retry: false },
  'api.body': { kind: 'invalid', title: 'The request is not as the contract says', retry: false },
  'api.limit': { kind: 'limit', title: 'The request is too large', retry: false },
  'api.method': { kind: 'invalid', title: 'This address does not know the method', retry: false, status: 405 },
  'api.precondition': { kind: 'conflict', title: 'The file is not the version that was meant', retry: false, status: 412 },
  'api.headers': { kind: 'limit', title: 'The headers of the request are too large', retry: false, status: 431 },
  'api.timeout': { kind: 'unavailable', title: 'The request did not arrive in time', retry: true, status: 408 },
  'api.busy': { kind: 'unavailable', title: 'The site serves as many as it can', retry: true },
  'api.host': { kind: 'denied', title: 'The site is not known under this name', retry: false, status: 421 },
  'api.cross-site': { kind: 'denied', title: 'Another web page may not call the site', retry: false },
  'api.insecure': { kind: 'denied', title: 'The site is reached by HTTPS only', retry: false },
  'api.certificate': { kind: 'invalid', title: 'The certificate of the site cannot be used', retry: false },
  'api.certificate-ends': { kind: 'unavailable', title: 'The certificate of the site ends soon', retry: false },
  'api.unreachable': { kind: 'unavailable', title: 'The site does not answer', retry: true },
  'alarms.absent': { kind: 'absent', title: 'There is no such alarm or record', retry: false },
  'alarms.settings': { kind: 'invalid', title: 'Alarms cannot be delivered as they are set up', retry: false },
  'alarms.delivery': { kind: 'unavailable', title: 'An alarm could not be delivered', retry: true },
  'alarms.breach': { kind: 'conflict', title: 'This cannot be written into the record now', retry: false },
  'api.answer': { kind: 'unavailable', title: 'The answer of the site is not as the contract says', retry: false },
  'api.in-clear': { kind: 'denied', title: 'A secret may not cross a network in clear', retry: false },
  'cli.usage': { kind: 'invalid', title: 'The command was not understood', retry: false },
  'cli.file': { kind: 'invalid', title: 'A file on this machine could not be used', retry: false },
  'main.config': { kind: 'invalid', title: 'The site cannot start as it is set up', retry: false },
} as const satisfies Record<string, CodeRow>

export type FailureCode = keyof typeof CODES
