// Whether a certificate and its key can serve a name: judged before anybody meets them, and said in one sentence.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { Failure } from '#base'

/** PEM: the certificate of the site first, then those above it. */
export interface CertificatePair {
  readonly certificate: string
  readonly key: string
}

export interface CertificateFacts {
  readonly endsMs: number
  /** SHA-256 of the certificate, as browsers show it: `AB:CD:...`. */
  readonly fingerprint: string
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const CHAIN_MAX = 10
const RSA_BITS_MIN = 2048
const NEXT = 'Put the right files in their place; the site takes them up by itself.'

/** Throws `api.certificate` when browsers would refuse it for this host, or the pair does not belong together. */
export function judgeCertificate(pair: CertificatePair, wanted: { readonly host: string; readonly nowMs: number }): CertificateFacts {
  const chain = readChain(pair.certificate)
  const leaf = chain[0]!
  const key = readKey(pair.key)
  if (!leaf.checkPrivateKey(key)) {
    const other = chain.slice(1).some((one) => one.checkPrivateKey(key))
    throw refused(
      other
        ? 'The certificate of the site must come first in the file, those of the authorities after it'
        : 'The key does not belong to the certificate',
    )
  }
  for (const [index, above] of chain.slice(1).entries())
    if (!chain[index]!.checkIssued(above))
      throw refused('The certificates in the file are out of order: each must be signed by the next one')
  if (!isFor(leaf, wanted.host))
    throw refused(`The certificate is not for ${wanted.host} but for ${leaf.subjectAltName ?? 'no name at all'}`)
  const [fromMs, endsMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  if (wanted.nowMs >= endsMs) throw refused(`The certificate ended on ${day(endsMs)}`)
  if (wanted.nowMs < fromMs) throw refused(`The certificate begins only on ${day(fromMs)}`, 'Look at the clock of this machine.')
  if (weak(leaf.publicKey)) throw refused(`The key is too short: RSA below ${RSA_BITS_MIN} bits`)
  return { endsMs, fingerprint: leaf.fingerprint256 }
}

/** Names only by the extension that browsers look at, never by the common name. */
function isFor(leaf: X509Certificate, host: string): boolean {
  return isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) !== undefined : leaf.checkIP(host) !== undefined
}

function readChain(text: string): readonly X509Certificate[] {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0) throw refused('The file of the certificate holds none in PEM')
  if (blocks.length > CHAIN_MAX) throw refused(`The file of the certificate holds more than ${CHAIN_MAX}`)
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (error) {
    throw refused('The certificate cannot be read', NEXT, error)
  }
}

function readKey(text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (error) {
    const sealed = /ENCRYPTED/.test(text)
    throw refused(
      sealed ? 'The key is sealed under a passphrase' : 'The key cannot be read',
      sealed ? 'Write it without one, into a file that only the user of the site can read.' : NEXT,
      error,
    )
  }
}

function weak(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function refused(detail: string, next = NEXT, cause?: unknown): Failure {
  return new Failure('api.certificate', { detail: `${detail}.`, next, ...(cause === undefined ? {} : { cause }) })
}
