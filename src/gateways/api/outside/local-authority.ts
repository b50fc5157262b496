// A certificate authority of this site alone, for hospitals without one: made once, kept in the home, good for the names of this site only.
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Clock, Failure } from '#base'
import type { CertificatePair } from './certificate.ts'
import { authorityExtensions, distinguishedName, makeCertificate, siteExtensions, subjectOf } from './x509.ts'

export interface LocalAuthority {
  /** What devices are to trust. */
  readonly certificate: X509Certificate
  readonly pem: string
  /** The pair of the site, renewed when its time comes. */
  pair(): Promise<CertificatePair>
}

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3653
const LEAF_DAYS = 90
/** Renewed so long before its end. */
const RENEW_DAYS = 30
/** Clocks of devices go wrong. */
const SKEW_MS = 3_600_000
/** Upper bound of a common name (RFC 5280, appendix A.1). */
const NAME_CHARACTERS_MAX = 64

export interface AuthorityOptions {
  /** Made when it is absent, for the user of the site only. */
  readonly folder: string
  /** Name or address of the site, as in its address, without brackets. */
  readonly host: string
  readonly clock: Clock
}

/** Throws `api.certificate` when the one that is there is of another name, has ended, or lost its key. */
export async function openLocalAuthority({ folder, host, clock }: AuthorityOptions): Promise<LocalAuthority> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(folder, name)
  const pem = (await readOptional(file('authority.crt'))) ?? (await makeAuthority({ file, host, nowMs: clock.now() }))
  const certificate = parsed(pem)
  const keyPem = await readOptional(file('authority.key'))
  if (keyPem === undefined || !certificate.checkPrivateKey(createPrivateKey(keyPem)))
    throw unusable('The key of the local certificate authority is missing or of another one.')
  if (clock.now() >= certificate.validToDate.getTime()) throw unusable('The local certificate authority has ended.')
  const madeFor = await readOptional(file('host'))
  if (madeFor?.trim() !== host)
    throw unusable(`The local certificate authority was made for ${madeFor?.trim() ?? 'another name'}, not for ${host}.`)
  return {
    certificate,
    pem,
    async pair() {
      const [site, key] = await Promise.all([readOptional(file('site.crt')), readOptional(file('site.key'))])
      if (site !== undefined && key !== undefined && stillGood(site, key, certificate, clock.now())) return { certificate: site, key }
      const made = makeLeaf({ authority: certificate, authorityKey: createPrivateKey(keyPem), host, nowMs: clock.now() })
      await writeDurably(file('site.key'), made.key)
      await writeDurably(file('site.crt'), made.certificate)
      return made
    },
  }
}

function stillGood(site: string, key: string, authority: X509Certificate, nowMs: number): boolean {
  try {
    const leaf = new X509Certificate(site)
    const mine = leaf.checkPrivateKey(createPrivateKey(key)) && leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
    const leftMs = leaf.validToDate.getTime() - nowMs
    return mine && (leftMs > RENEW_DAYS * DAY_MS || leaf.validToDate.getTime() >= authority.validToDate.getTime())
  } catch {
    return false
  }
}

interface Making {
  readonly file: (name: string) => string
  readonly host: string
  readonly nowMs: number
}

/** The certificate is written last: without it nothing was made. */
async function makeAuthority({ file, host, nowMs }: Making): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const day = new Date(nowMs).toISOString().slice(0, 10)
  const name = distinguishedName({
    commonName: `Quorate of ${host}, ${day}`.slice(0, NAME_CHARACTERS_MAX),
    organization: 'Quorate local authority',
  })
  const pem = makeCertificate({
    issuer: name,
    subject: name,
    fromMs: nowMs - SKEW_MS,
    untilMs: nowMs + AUTHORITY_DAYS * DAY_MS,
    publicKey,
    signingKey: privateKey,
    extensions: authorityExtensions(publicKey, host),
  })
  await writeDurably(file('authority.key'), pemOf(privateKey))
  await writeDurably(file('host'), `${host}\n`)
  await writeDurably(file('authority.crt'), pem)
  return pem
}

function makeLeaf(request: {
  readonly authority: X509Certificate
  readonly authorityKey: KeyObject
  readonly host: string
  readonly nowMs: number
}): CertificatePair {
  const { authority, authorityKey, host, nowMs } = request
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = makeCertificate({
    issuer: subjectOf(authority.raw),
    // Words, not the bare host: what looks like a name is held against the limits for names, also where the host is an address.
    subject: distinguishedName({ commonName: `Quorate at ${host}`.slice(0, NAME_CHARACTERS_MAX) }),
    fromMs: nowMs - SKEW_MS,
    untilMs: Math.min(nowMs + LEAF_DAYS * DAY_MS, authority.validToDate.getTime()),
    publicKey,
    signingKey: authorityKey,
    extensions: siteExtensions({ key: publicKey, authorityKey: authority.publicKey, names: [host] }),
  })
  return { certificate: `${certificate}${authority.toString()}`, key: pemOf(privateKey) }
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw unusable('The certificate of the local authority cannot be read.', error)
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw unusable('The files of the local certificate authority cannot be read.', error)
  }
}

/** Whole or not at all, and only for this user. */
async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

function unusable(detail: string, cause?: unknown): Failure {
  return new Failure('api.certificate', {
    detail,
    next: 'Bring the folder `tls` of the home back from its backup, or remove it: another authority is made then, which every device has to trust anew.',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The host of an address as certificates name it. */
export function certificateHost(url: URL): string {
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) === 0 ? bare.toLowerCase() : bare
}
