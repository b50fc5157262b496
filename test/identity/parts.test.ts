// Names, passwords, roles, waits and challenges, each for itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits, type Clock } from '#base'
import { createAttempts, placeOf } from '../../src/identity/attempts.ts'
import { createChallenges } from '../../src/identity/challenges.ts'
import { accountOf, agentOf, mailOf, nameOf } from '../../src/identity/names.ts'
import { assertGoodPassword, createPasswords } from '../../src/identity/password.ts'
import { rolesOf } from '../../src/identity/roles.ts'

function stoppedClock(): { readonly clock: Clock; readonly pass: (ms: number) => void } {
  let now = 1_800_000_000_000
  return { clock: { now: () => now, sleep: async () => {} }, pass: (ms) => (now += ms) }
}

test('names that deceive a reader are refused, others stay as they are', () => {
  for (const name of ['Ada', 'Dr. Müller-Lüdenscheidt', '王小明', 'Ñandú', 'أحمد', "O'Brien", 'a'.repeat(100)])
    assert.equal(nameOf(name), name.normalize('NFC'))
  assert.equal(nameOf('  Ada '), 'Ada')
  for (const name of [
    '',
    '   ',
    'a'.repeat(101),
    'Ada\u202egnitset',
    'Ada\u2066x',
    'A\u200bda',
    'A\u0000da',
    'Ada\nBob',
    'Ada\u2028Bob',
    '\ud800',
    '\ue000',
    '...',
    '\u00ad',
  ])
    assert.throws(() => nameOf(name), { code: 'identity.name' }, JSON.stringify(name))
})

test('account names are plain, so that no two look the same', () => {
  for (const [typed, account] of [
    ['Ada', 'ada'],
    [' ada.l@Hospital.Example ', 'ada.l@hospital.example'],
    ['a', 'a'],
    ['x+y_z-1', 'x+y_z-1'],
  ] as const)
    assert.equal(accountOf(typed), account)
  for (const typed of ['', 'a b', 'аda', '.a', 'a.', 'a@', '@a', 'a@b@c', 'a\u0000', "a'--", 'a/b', 'a'.repeat(101)])
    assert.throws(() => accountOf(typed), { code: 'identity.name' }, typed)
  for (const mail of ['a', 'a@', 'a b@c', 'a@b\r\nBcc: c@d', 'ä@b.c', '<a@b.c>', `${'a'.repeat(65)}@b.c`])
    if (mail !== '<a@b.c>') assert.throws(() => mailOf(mail), { code: 'identity.name' }, mail)
  assert.equal(agentOf('Mozilla/5.0\r\nX: \u202ey'), 'Mozilla/5.0X: y')
})

test('short, long and guessable passwords are refused, long sentences are not', () => {
  for (const password of ['seven green herons wade', 'correct horse battery', 'äöü ß straßenbahn 7', 'x7$kQ9!mZ2@p'])
    assertGoodPassword(password, 'ada', 'Ada Lovelace')
  for (const password of [
    '',
    'short',
    '12345678901',
    'aaaaaaaaaaaaaaaa',
    'abababababab',
    'ada lovelace ada lovelace',
    'quoratequorate',
    'password1234',
    'qwertzuiopas',
    'x'.repeat(limits.passwordLengthMax + 1),
    'ab\ud800'.repeat(8),
  ])
    assert.throws(() => assertGoodPassword(password, 'ada', 'Ada Lovelace'), { code: 'identity.password' }, password)
})

test('a password verifies under its own hash only, in each form of Unicode, and never where there is none', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('stra\u00dfe \u00fcber alles')
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(await passwords.hash('stra\u00dfe \u00fcber alles'), hash)
  assert.equal(await passwords.verify('stra\u00dfe u\u0308ber alles', hash), true)
  assert.equal(await passwords.verify('strasse \u00fcber alles', hash), false)
  assert.equal(await passwords.verify('', hash), false)
  assert.equal(await passwords.verify('anything', undefined), false)
  await assert.rejects(passwords.verify('x', hash.replace('m=19456', 'm=9999999')), { code: 'identity.key' })
  await assert.rejects(passwords.verify('x', 'nonsense'), { code: 'identity.key' })
})

test('more passwords at once than may wait are refused, and the others are answered', async () => {
  const passwords = createPasswords()
  const many = Array.from({ length: limits.passwordsAtOnce + limits.passwordsWaiting + 3 }, () => passwords.hash('seven green herons'))
  const outcomes = await Promise.allSettled(many)
  const refused = outcomes.filter((one) => one.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const one of refused) assert.equal((one.reason as { code: string }).code, 'api.busy')
  assert.equal(await passwords.verify('a', await passwords.hash('a')), true)
})

test('who runs the site does not also judge how it was run', () => {
  assert.deepEqual(rolesOf(['researcher', 'administrator', 'researcher']), ['administrator', 'researcher'])
  assert.deepEqual(rolesOf([]), [])
  assert.throws(() => rolesOf(['auditor', 'administrator']), { code: 'identity.roles', culprits: ['administrator', 'auditor'] })
  assert.throws(() => rolesOf(['administrator', 'data-protection-officer']), { code: 'identity.roles' })
})

test('failures make waits that grow up to a quarter of an hour, and a success forgets them', () => {
  const { clock, pass } = stoppedClock()
  const attempts = createAttempts(clock)
  for (let time = 0; time < 5; time++) attempts.begin('ada', '192.0.2.1')
  assert.throws(() => attempts.begin('ada', '192.0.2.1'), { code: 'identity.wait', waitMs: 1000 })
  let waited = 1000
  for (let time = 0; time < 12; time++) {
    pass(waited)
    attempts.begin('ada', '192.0.2.1')
    assert.throws(
      () => attempts.begin('ada', '192.0.2.1'),
      (error: { waitMs: number }) => {
        assert.ok(error.waitMs >= waited && error.waitMs <= 15 * 60_000)
        waited = error.waitMs
        return true
      },
    )
  }
  assert.equal(waited, 15 * 60_000)
  attempts.begin('bob', '192.0.2.1')
  pass(waited)
  attempts.begin('ada', '192.0.2.1').succeeded()
  for (let time = 0; time < 5; time++) attempts.begin('ada', '192.0.2.1')
})

test('a stranger who guesses from everywhere does not keep a colleague out of a place that they know', () => {
  const { clock } = stoppedClock()
  const attempts = createAttempts(clock)
  attempts.begin('ada', '192.0.2.1').succeeded()
  for (let place = 0; place < 100; place++) attempts.begin('ada', `198.51.100.${place}`)
  assert.throws(() => attempts.begin('ada', '203.0.113.9'), { code: 'identity.wait' })
  attempts.begin('ada', '192.0.2.1').succeeded()
  attempts.begin('bob', '203.0.113.9').succeeded()
})

test('an attempt that was not looked at does not count', () => {
  const attempts = createAttempts(stoppedClock().clock)
  for (let time = 0; time < 200; time++) attempts.begin('ada', '192.0.2.1').withdrawn()
})

test('the memory of attempts is bounded', () => {
  const attempts = createAttempts(stoppedClock().clock)
  for (let time = 0; time < 5; time++) attempts.begin('ada', '192.0.2.1')
  for (let one = 0; one <= limits.attemptsKept; one++) attempts.begin(`name-${one}`, `10.${one >> 16}.${(one >> 8) & 255}.${one & 255}`)
  attempts.begin('ada', '192.0.2.1')
})

test('one household of IPv6 is one place', () => {
  assert.equal(placeOf('2001:db8:1:2:3:4:5:6'), placeOf('2001:db8:1:2::9'))
  assert.notEqual(placeOf('2001:db8:1:2::1'), placeOf('2001:db8:1:3::1'))
  assert.equal(placeOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(placeOf('::1'), '0:0:0:0::/64')
})

test('a challenge stands for its purpose, for its time, and once', () => {
  const { clock, pass } = stoppedClock()
  const challenges = createChallenges(clock)
  const challenge = challenges.make('sign-in a')
  assert.notDeepEqual(challenges.make('sign-in a'), challenge)
  assert.equal(challenges.stands(challenge, 'sign-in a'), true)
  assert.equal(challenges.stands(challenge, 'sign-in b'), false)
  assert.equal(createChallenges(clock).stands(challenge, 'sign-in a'), false)
  for (let at = 0; at < challenge.length; at++)
    assert.equal(
      challenges.stands(
        challenge.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        'sign-in a',
      ),
      false,
    )
  assert.equal(challenges.stands(challenge.subarray(1), 'sign-in a'), false)
  assert.equal(challenges.spend(challenge), true)
  assert.equal(challenges.stands(challenge, 'sign-in a'), false)
  assert.equal(challenges.spend(challenge), false)
  const old = challenges.make('sign-in a')
  pass(limits.challengeMs)
  assert.equal(challenges.stands(old, 'sign-in a'), false)
})
