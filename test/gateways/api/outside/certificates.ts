// Certificates of any make for tests: good ones, and ones that no browser would take.
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { CertificatePair } from '#gateways/api'
import { distinguishedName, makeCertificate, siteExtensions, subjectOf } from '../../../../src/gateways/api/outside/x509.ts'

export interface Made {
  readonly pair: CertificatePair
  /** PEM of the authority alone. */
  readonly authority: string
}

export interface Wanted {
  readonly names?: readonly string[]
  readonly from?: Date
  readonly until?: Date
  /** Only the common name says it. */
  readonly onlyCommonName?: boolean
  readonly rsaBits?: number
}

export const NAME = 'vault.hospital.example'
export const NOW = Date.UTC(2026, 10, 20)
const DAY_MS = 86_400_000

/** One authority for all of them, without limits. */
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const name = distinguishedName({ commonName: 'Test authority' })
// basicConstraints with cA, made by hand: the product makes no authority without limits.
const MAY_SIGN = Uint8Array.from([0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff])
const authority = makeCertificate({
  issuer: name,
  subject: name,
  fromMs: NOW - 1000 * DAY_MS,
  untilMs: NOW + 1000 * DAY_MS,
  publicKey: keys.publicKey,
  signingKey: keys.privateKey,
  extensions: [MAY_SIGN],
})

export function certificate(wanted: Wanted = {}): Made {
  const own =
    wanted.rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: wanted.rsaBits })
  const names = wanted.names ?? [NAME]
  const made = makeCertificate({
    issuer: subjectOf(new X509Certificate(authority).raw),
    subject: distinguishedName({ commonName: names[0] ?? NAME }),
    fromMs: (wanted.from ?? new Date(NOW - DAY_MS)).getTime(),
    untilMs: (wanted.until ?? new Date(NOW + 90 * DAY_MS)).getTime(),
    publicKey: own.publicKey,
    signingKey: keys.privateKey,
    extensions: siteExtensions({ key: own.publicKey, authorityKey: keys.publicKey, names: wanted.onlyCommonName === true ? [] : names }),
  })
  return { pair: { certificate: made, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }, authority }
}
