// The site's own certificate authority: what it vouches for, what it cannot, and that it lasts.
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { Failure, systemClock, type Clock } from '#base'
import { openLocalAuthority, type CertificatePair } from '#gateways/api'
import { distinguishedName, makeCertificate, siteExtensions, subjectOf } from '../../../../src/gateways/api/outside/x509.ts'
import { judgeCertificate } from '../../../../src/gateways/api/outside/certificate.ts'

const HOST = 'vault.hospital.example'
const DAY_MS = 86_400_000

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-tls-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

function clockAt(ms: number): Clock {
  return { ...systemClock, now: () => ms }
}

/** What a client that trusts the authority says of a server with this pair. */
async function verdict(pair: CertificatePair, authority: string, servername: string): Promise<string> {
  const server = createServer({ cert: pair.certificate, key: pair.key })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    return await new Promise((resolve) => {
      const { port } = server.address() as AddressInfo
      const client = connect({ host: '127.0.0.1', port, ca: authority, servername, checkServerIdentity: () => undefined })
      client.once('secureConnect', () => resolve('trusted'))
      client.once('error', (error) => resolve(error.message))
      client.once('close', () => client.destroy())
      client.once('secureConnect', () => client.destroy())
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('it is made once, and a client that trusts it trusts the site', async () => {
  await using at = await place()
  const first = await openLocalAuthority({ folder: at.folder, host: HOST, clock: systemClock })
  const pair = await first.pair()
  const facts = judgeCertificate(pair, { host: HOST, nowMs: Date.now() })
  assert.ok(facts.endsMs <= Date.now() + 90 * DAY_MS)
  assert.equal(await verdict(pair, first.pem, HOST), 'trusted')
  const again = await openLocalAuthority({ folder: at.folder, host: HOST, clock: systemClock })
  assert.equal(again.pem, first.pem)
  assert.deepEqual(await again.pair(), pair)
  for (const name of ['authority.key', 'site.key', 'authority.crt']) assert.equal((await stat(join(at.folder, name))).mode & 0o077, 0, name)
  assert.ok(first.certificate.ca)
  assert.equal(first.certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
})

test('with its stolen key nobody vouches for another name: clients look at the limits in the certificate', async () => {
  await using at = await place()
  const authority = await openLocalAuthority({ folder: at.folder, host: HOST, clock: systemClock })
  const signingKey = createPrivateKey(await readFile(join(at.folder, 'authority.key'), 'utf8'))
  const forged = (...names: string[]): CertificatePair => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const made = makeCertificate({
      issuer: subjectOf(authority.certificate.raw),
      subject: distinguishedName({ commonName: 'forger' }),
      fromMs: Date.now() - DAY_MS,
      untilMs: Date.now() + DAY_MS,
      publicKey: own.publicKey,
      signingKey,
      extensions: siteExtensions({ key: own.publicKey, authorityKey: authority.certificate.publicKey, names }),
    })
    return { certificate: made, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }
  }
  assert.equal(await verdict(forged(HOST), authority.pem, HOST), 'trusted', 'the forgery itself is well made')
  for (const names of [['bank.example'], [HOST, 'bank.example'], ['192.0.2.1'], ['2001:db8::1']])
    assert.match(await verdict(forged(...names), authority.pem, HOST), /subtree violation/, names.join(' '))
})

test('a site that is known by its address gets a certificate for that', async () => {
  for (const host of ['127.0.0.1', '::1', '2001:db8::7']) {
    await using at = await place()
    const authority = await openLocalAuthority({ folder: at.folder, host, clock: systemClock })
    const pair = await authority.pair()
    judgeCertificate(pair, { host, nowMs: Date.now() })
    assert.equal(await verdict(pair, authority.pem, 'localhost'), 'trusted', host)
  }
})

test('the certificate of the site is renewed by itself a month before its end', async () => {
  await using at = await place()
  const begun = Date.now()
  const first = await (await openLocalAuthority({ folder: at.folder, host: HOST, clock: clockAt(begun) })).pair()
  const early = await openLocalAuthority({ folder: at.folder, host: HOST, clock: clockAt(begun + 59 * DAY_MS) })
  assert.deepEqual(await early.pair(), first)
  const late = await openLocalAuthority({ folder: at.folder, host: HOST, clock: clockAt(begun + 61 * DAY_MS) })
  const second = await late.pair()
  assert.notEqual(second.certificate, first.certificate)
  assert.ok(judgeCertificate(second, { host: HOST, nowMs: begun + 140 * DAY_MS }).endsMs > begun + 140 * DAY_MS)
  assert.deepEqual(await late.pair(), second)
})

test('a cut-off renewal is made good', async () => {
  await using at = await place()
  const authority = await openLocalAuthority({ folder: at.folder, host: HOST, clock: systemClock })
  const first = await authority.pair()
  await writeFile(join(at.folder, 'site.key'), await readFile(join(at.folder, 'authority.key'), 'utf8'), { mode: 0o600 })
  const second = await authority.pair()
  assert.notEqual(second.key, first.key)
  judgeCertificate(second, { host: HOST, nowMs: Date.now() })
})

test('another name, a lost key and a past end are refused, and nothing is made in their place', async () => {
  await using at = await place()
  const { pem } = await openLocalAuthority({ folder: at.folder, host: HOST, clock: systemClock })
  const refused = async (options: { host?: string; clock?: Clock }, words: RegExp): Promise<void> => {
    const opened = openLocalAuthority({ folder: at.folder, host: options.host ?? HOST, clock: options.clock ?? systemClock })
    await assert.rejects(opened, (error) => error instanceof Failure && error.code === 'api.certificate' && words.test(error.message))
    assert.equal(await readFile(join(at.folder, 'authority.crt'), 'utf8'), pem)
  }
  await refused({ host: 'other.example' }, /made for vault\.hospital\.example, not for other\.example/)
  await refused({ clock: clockAt(new X509Certificate(pem).validToDate.getTime()) }, /has ended/)
  await rm(join(at.folder, 'authority.key'))
  await refused({}, /key of the local certificate authority is missing/)
})
