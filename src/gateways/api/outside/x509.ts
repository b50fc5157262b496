// Certificates of our own (RFC 5280), as DER: the few structures that an authority for one name needs.
import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** Bytes of a structure that is ready. */
export type Der = Uint8Array<ArrayBuffer>

export interface CertificateRequest {
  readonly issuer: Der
  readonly subject: Der
  readonly fromMs: number
  readonly untilMs: number
  readonly publicKey: KeyObject
  /** Of the issuer: P-256. */
  readonly signingKey: KeyObject
  readonly extensions: readonly Der[]
}

const OIDS = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

const SEQUENCE = 0x30
const ALGORITHM = tagged(SEQUENCE, oid(OIDS.ecdsaWithSha256))
const YES = tagged(0x01, Uint8Array.of(0xff))
const YEAR_OF_LONG_TIMES = 2050

/** PEM of a certificate, signed with ECDSA and SHA-256. */
export function makeCertificate(request: CertificateRequest): string {
  const toSign = tagged(
    SEQUENCE,
    tagged(0xa0, tagged(0x02, Uint8Array.of(2))),
    tagged(0x02, serial()),
    ALGORITHM,
    request.issuer,
    tagged(SEQUENCE, time(request.fromMs), time(request.untilMs)),
    request.subject,
    request.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, tagged(SEQUENCE, ...request.extensions)),
  )
  const signature = sign('sha256', toSign, request.signingKey)
  const whole = tagged(SEQUENCE, toSign, ALGORITHM, bits(signature))
  const text =
    Buffer.from(whole)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${text.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** Section 4.1.2.4. */
export function distinguishedName(parts: { readonly commonName: string; readonly organization?: string | undefined }): Der {
  const one = (type: string, text: string): Der => tagged(0x31, tagged(SEQUENCE, oid(type), tagged(0x0c, Buffer.from(text, 'utf8'))))
  const { commonName, organization } = parts
  return tagged(SEQUENCE, ...(organization === undefined ? [] : [one(OIDS.organization, organization)]), one(OIDS.commonName, commonName))
}

/** The subject of a certificate, byte for byte: names are compared that way (section 7.1). */
export function subjectOf(certificate: Uint8Array): Der {
  const toBeSigned = inside(inside(certificate, 0), 0)
  let at = 0
  // Version, serial number, algorithm, issuer, validity.
  for (let skipped = 0; skipped < 5; skipped++) at = endOf(toBeSigned, at)
  return Uint8Array.from(toBeSigned.subarray(at, endOf(toBeSigned, at)))
}

/** What an authority may do: sign certificates, of sites and not of other authorities, for this host and nothing else. */
export function authorityExtensions(key: KeyObject, host: string): readonly Der[] {
  return [
    extension(OIDS.basicConstraints, true, tagged(SEQUENCE, YES, tagged(0x02, Uint8Array.of(0)))),
    // keyCertSign and cRLSign.
    extension(OIDS.keyUsage, true, tagged(0x03, Uint8Array.of(1, 0x06))),
    extension(OIDS.nameConstraints, true, nameConstraints(host)),
    extension(OIDS.subjectKeyIdentifier, false, tagged(0x04, keyId(key))),
  ]
}

export function siteExtensions(request: {
  readonly key: KeyObject
  readonly authorityKey: KeyObject
  readonly names: readonly string[]
}): readonly Der[] {
  return [
    extension(OIDS.basicConstraints, true, tagged(SEQUENCE)),
    // digitalSignature.
    extension(OIDS.keyUsage, true, tagged(0x03, Uint8Array.of(7, 0x80))),
    extension(OIDS.extKeyUsage, false, tagged(SEQUENCE, oid(OIDS.serverAuth))),
    ...(request.names.length === 0 ? [] : [extension(OIDS.subjectAltName, false, tagged(SEQUENCE, ...request.names.map(generalName)))]),
    extension(OIDS.authorityKeyIdentifier, false, tagged(SEQUENCE, tagged(0x80, keyId(request.authorityKey)))),
    extension(OIDS.subjectKeyIdentifier, false, tagged(0x04, keyId(request.key))),
  ]
}

/** The host given, and of the other kinds of names none: a kind that is not mentioned would be free (section 4.2.1.10). */
function nameConstraints(host: string): Der {
  const family = isIP(host)
  const permitted = family === 0 ? named(host) : addressed(masked(host))
  const excluded =
    family === 0 ? [addressed(EVERY_IPV4), addressed(EVERY_IPV6)] : [named(''), addressed(family === 4 ? EVERY_IPV6 : EVERY_IPV4)]
  return tagged(SEQUENCE, tagged(0xa0, permitted), tagged(0xa1, ...excluded))
}

const EVERY_IPV4 = new Uint8Array(8)
const EVERY_IPV6 = new Uint8Array(32)

/** GeneralSubtree of a dNSName. */
function named(name: string): Der {
  return tagged(SEQUENCE, tagged(0x82, Buffer.from(name, 'ascii')))
}

/** GeneralSubtree of an iPAddress: the address and its mask. */
function addressed(bytes: Uint8Array): Der {
  return tagged(SEQUENCE, tagged(0x87, bytes))
}

function masked(address: string): Uint8Array {
  const bytes = addressBytes(address)
  return Uint8Array.from([...bytes, ...bytes.map(() => 0xff)])
}

function generalName(name: string): Der {
  return isIP(name) === 0 ? tagged(0x82, Buffer.from(name, 'ascii')) : tagged(0x87, addressBytes(name))
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number))
  const quads = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  )
  const [head = '', tail = ''] = quads.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const groups = [...left, ...middle, ...right].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function extension(type: string, critical: boolean, value: Der): Der {
  return tagged(SEQUENCE, oid(type), ...(critical ? [YES] : []), tagged(0x04, value))
}

/** RFC 7093, section 2, method 4: of the whole key, cut to 160 bits. */
function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}

/** Positive, and never zero (section 4.1.2.2). */
function serial(): Uint8Array {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes
}

/** Section 4.1.2.5: two digits of the year until 2049. */
function time(ms: number): Der {
  const text = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  const short = new Date(ms).getUTCFullYear() < YEAR_OF_LONG_TIMES
  return short ? tagged(0x17, Buffer.from(text.slice(2), 'ascii')) : tagged(0x18, Buffer.from(text, 'ascii'))
}

function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

function bits(bytes: Uint8Array): Der {
  return tagged(0x03, Uint8Array.of(0), bytes)
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Der {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Uint8Array.from([tag, ...size, ...parts.flatMap((part) => [...part])])
}

/** Where the content of the structure at `at` begins, and where it ends. */
function bounds(der: Uint8Array, at: number): { readonly from: number; readonly to: number } {
  const short = der[at + 1]!
  const count = short < 0x80 ? 0 : short & 0x7f
  let length = short < 0x80 ? short : 0
  for (let index = 0; index < count; index++) length = length * 256 + der[at + 2 + index]!
  const from = at + 2 + count
  return { from, to: from + length }
}

function inside(der: Uint8Array, at: number): Uint8Array {
  const { from, to } = bounds(der, at)
  return der.subarray(from, to)
}

function endOf(der: Uint8Array, at: number): number {
  return bounds(der, at).to
}
