// Which certificates are served, and what happens when the files change while the site runs.
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { Failure, systemClock, type Clock } from '#base'
import { keepCertificate, type CertificateKeeper, type CertificatePair } from '#gateways/api'
import { judgeCertificate } from '../../../../src/gateways/api/outside/certificate.ts'
import { certificate, NAME, NOW } from './certificates.ts'

const DAY_MS = 86_400_000
const at = { host: NAME, nowMs: NOW }

function refusal(pair: CertificatePair, wanted: { host: string; nowMs: number } = at): string {
  try {
    judgeCertificate(pair, wanted)
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.code, 'api.certificate')
    assert.ok(error.next !== undefined)
    return error.message
  }
  return assert.fail('it was taken')
}

test('a certificate of the right name and time is taken, alone and with its authority behind it', async () => {
  const { pair, authority } = certificate()
  const facts = judgeCertificate(pair, at)
  assert.equal(facts.endsMs, NOW + 90 * DAY_MS)
  assert.match(facts.fingerprint, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  judgeCertificate({ ...pair, certificate: pair.certificate + authority }, at)
  const wide = certificate({ names: ['*.hospital.example'] })
  judgeCertificate(wide.pair, at)
})

test('what browsers would refuse is refused, each with its reason', async () => {
  const { pair, authority } = certificate()
  const other = certificate()
  assert.match(refusal({ ...pair, key: other.pair.key }), /does not belong/)
  assert.match(refusal({ ...pair, certificate: authority + pair.certificate }), /must come first/)
  assert.match(refusal({ ...pair, certificate: pair.certificate + other.pair.certificate }), /out of order/)
  assert.match(refusal(certificate({ names: ['other.example'] }).pair), /not for vault\.hospital\.example but for DNS:other\.example/)
  assert.match(refusal(certificate({ onlyCommonName: true }).pair), /no name at all/)
  assert.match(refusal(pair, { host: '192.0.2.1', nowMs: NOW }), /not for 192\.0\.2\.1/)
  assert.match(refusal(pair, { host: NAME, nowMs: NOW + 90 * DAY_MS }), /ended on 2027-02-18/)
  assert.match(refusal(pair, { host: NAME, nowMs: NOW - 2 * DAY_MS }), /begins only on 2026-11-19/)
  assert.match(refusal(certificate({ rsaBits: 1024 }).pair), /too short/)
  const sealed = createPrivateKey(pair.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
  assert.match(refusal({ ...pair, key: sealed }), /sealed under a passphrase/)
  assert.match(refusal({ ...pair, key: 'nothing' }), /key cannot be read/)
  assert.match(refusal({ ...pair, certificate: 'nothing' }), /holds none/)
  assert.match(refusal({ ...pair, certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }), /cannot be read/)
  assert.match(refusal({ ...pair, certificate: pair.certificate.repeat(11) }), /more than 10/)
})

test('a new pair is taken up, a broken one is told at the second look and the old one stays', async () => {
  const [first, second, foreign] = [certificate(), certificate(), certificate({ names: ['other.example'] })]
  let files: CertificatePair | Error = first.pair
  const applied: CertificatePair[] = []
  const clock: Clock = { ...systemClock, now: () => NOW }
  const keeper = await keepCertificate({
    host: NAME,
    clock,
    read: async () => {
      if (files instanceof Error) throw files
      return files
    },
    apply: (pair) => void applied.push(pair),
  })
  assert.deepEqual(applied, [first.pair])
  await keeper.look()
  assert.equal(applied.length, 1, 'nothing changed')

  // The certificate was written, the key not yet.
  files = { certificate: second.pair.certificate, key: first.pair.key }
  await keeper.look()
  assert.equal(troubleOf(keeper), undefined)
  await keeper.look()
  assert.equal(troubleOf(keeper), 'api.certificate')
  assert.equal(keeper.pair, first.pair)

  files = second.pair
  await keeper.look()
  assert.deepEqual([troubleOf(keeper), keeper.pair, applied.length], [undefined, second.pair, 2])

  for (const wrong of [foreign.pair, new Error('gone')] as const) {
    files = wrong
    await keeper.look()
    await keeper.look()
    assert.equal(troubleOf(keeper), 'api.certificate')
    assert.equal(keeper.pair, second.pair)
  }
  files = second.pair
  await keeper.look()
  assert.equal(troubleOf(keeper), undefined)
  assert.equal(applied.length, 2)
})

test('a site does not begin with a pair that nobody would take', async () => {
  const { pair } = certificate({ names: ['other.example'] })
  const begun = keepCertificate({ host: NAME, clock: { ...systemClock, now: () => NOW }, read: async () => pair, apply: () => {} })
  await assert.rejects(begun, (error) => error instanceof Failure && error.code === 'api.certificate')
})

function troubleOf(keeper: CertificateKeeper): string | undefined {
  return keeper.trouble?.code
}
