// Published values of one-time codes: RFC 4226, appendix D, and RFC 6238, appendix B; and what counts once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base32, hotp, stepOf, totpAddress, type HmacHash } from '../../src/identity/totp.ts'

const ASCII = '12345678901234567890'

// RFC 4226, appendix D.
const HOTP = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']

// RFC 6238, appendix B. The secrets of SHA-256 and SHA-512 are longer (erratum 2866).
const TOTP: readonly (readonly [number, string, HmacHash])[] = [
  [59, '94287082', 'sha1'],
  [59, '46119246', 'sha256'],
  [59, '90693936', 'sha512'],
  [1_111_111_109, '07081804', 'sha1'],
  [1_111_111_109, '68084774', 'sha256'],
  [1_111_111_109, '25091201', 'sha512'],
  [1_111_111_111, '14050471', 'sha1'],
  [1_111_111_111, '67062674', 'sha256'],
  [1_111_111_111, '99943326', 'sha512'],
  [1_234_567_890, '89005924', 'sha1'],
  [1_234_567_890, '91819424', 'sha256'],
  [1_234_567_890, '93441116', 'sha512'],
  [2_000_000_000, '69279037', 'sha1'],
  [2_000_000_000, '90698825', 'sha256'],
  [2_000_000_000, '38618901', 'sha512'],
  [20_000_000_000, '65353130', 'sha1'],
  [20_000_000_000, '77737706', 'sha256'],
  [20_000_000_000, '47863826', 'sha512'],
]
const LENGTHS = { sha1: 20, sha256: 32, sha512: 64 }

test('RFC 4226, appendix D', () => {
  assert.equal(HOTP.length, 10)
  for (const [counter, code] of HOTP.entries()) assert.equal(hotp(Buffer.from(ASCII), counter), code)
})

test('RFC 6238, appendix B', () => {
  assert.equal(TOTP.length, 18)
  for (const [seconds, code, hash] of TOTP) {
    const secret = Buffer.from(ASCII.repeat(4).slice(0, LENGTHS[hash]))
    assert.equal(hotp(secret, Math.floor(seconds / 30), { digits: 8, hash }), code, `${seconds} ${hash}`)
  }
})

// RFC 4648, section 10, without the padding.
test('RFC 4648, base32', () => {
  const cases = { '': '', f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' }
  assert.equal(Object.keys(cases).length, 7)
  for (const [plain, text] of Object.entries(cases)) assert.equal(base32(Buffer.from(plain)), text)
})

test('a code counts within one step of its time, and never a second time', () => {
  const secret = Buffer.from(ASCII)
  const now = 1_111_111_111_000
  const present = Math.floor(now / 30_000)
  for (const step of [present - 1, present, present + 1]) {
    assert.equal(stepOf(secret, hotp(secret, step), { now, spent: 0 }), step)
    assert.equal(stepOf(secret, hotp(secret, step), { now, spent: step }), undefined)
    assert.equal(stepOf(secret, hotp(secret, step), { now, spent: present + 1 }), undefined)
  }
  for (const step of [present - 2, present + 2]) assert.equal(stepOf(secret, hotp(secret, step), { now, spent: 0 }), undefined)
  for (const wrong of ['', '1', '12345', '1234567', 'abcdef', '\u0661\u0662\u0663\u0664\u0665\u0666'])
    assert.equal(stepOf(secret, wrong, { now, spent: 0 }), undefined, wrong)
})

test('what an app reads names the site and the account, whatever is in them', () => {
  const address = totpAddress({ secret: Buffer.from(ASCII), account: 'a&b@x', site: 'Quorate a:b' })
  const { protocol, pathname, searchParams } = new URL(address)
  assert.equal(protocol, 'otpauth:')
  assert.ok(pathname.endsWith('/Quorate%20a%3Ab:a%26b%40x'))
  assert.equal(searchParams.get('issuer'), 'Quorate a:b')
  assert.equal(searchParams.get('secret'), base32(Buffer.from(ASCII)))
})
