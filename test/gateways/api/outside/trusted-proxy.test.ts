// What a proxy says is believed from its own address alone, and never what somebody else put into its mouth.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureCode } from '#base'
import { createTrustedProxy } from '#gateways/api'

const PROXY = '10.0.0.5'
const proxy = createTrustedProxy([PROXY, '10.1.0.0/16', 'fd00::/8'])
const coded = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code

test('headers of the proxy are believed, in either form', () => {
  const wanted = { address: '192.0.2.7', secure: true, host: 'vault.example' }
  for (const headers of [
    { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'vault.example' },
    { forwarded: 'for=192.0.2.7;proto=https;host=vault.example' },
    { forwarded: 'For="192.0.2.7:4711"; Proto=HTTPS; Host="vault.example"' },
    { 'x-forwarded-for': '192.0.2.7:4711', 'x-forwarded-proto': 'https', host: 'vault.example' },
  ])
    assert.deepEqual(proxy.seen(PROXY, headers), wanted, JSON.stringify(headers))
  assert.equal(
    proxy.seen('::ffff:10.0.0.5', { 'x-forwarded-for': '[2001:db8::1]:99', 'x-forwarded-proto': 'https' }).address,
    '2001:db8::1',
  )
})

test('forged headers from any other address are ignored', () => {
  const forged = {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'vault.example',
    forwarded: 'for=127.0.0.1;proto=https;host=vault.example',
    host: 'seen.example',
  }
  for (const remote of ['10.0.0.6', '192.0.2.7', '127.0.0.1', '::1', '10.2.0.1', '::ffff:10.0.0.6', '', 'unix'])
    assert.deepEqual(proxy.seen(remote, forged), { address: remote.replace('::ffff:', ''), secure: false, host: 'seen.example' }, remote)
})

test('what a client told the proxy about itself does not become its address', () => {
  const secure = { 'x-forwarded-proto': 'https' }
  assert.equal(proxy.seen(PROXY, { ...secure, 'x-forwarded-for': '127.0.0.1, 192.0.2.7' }).address, '192.0.2.7')
  assert.equal(proxy.seen(PROXY, { ...secure, 'x-forwarded-for': '1.1.1.1, 192.0.2.7, 10.1.2.3' }).address, '192.0.2.7')
  assert.equal(proxy.seen(PROXY, { ...secure, 'x-forwarded-for': 'evil, _hidden' }).address, PROXY)
  assert.equal(proxy.seen(PROXY, { ...secure, 'x-forwarded-for': '10.1.0.1, 10.1.0.2' }).address, '10.1.0.1')
})

test('one hop in clear makes it a request in clear', () => {
  for (const headers of [
    {},
    { 'x-forwarded-for': '192.0.2.7' },
    { 'x-forwarded-proto': 'http' },
    { 'x-forwarded-proto': 'https, http' },
    { 'x-forwarded-proto': '' },
    { forwarded: 'for=192.0.2.7' },
    { forwarded: 'for=192.0.2.7;proto=https, for=10.1.0.1;proto=http' },
  ])
    assert.equal(proxy.seen(PROXY, headers).secure, false, JSON.stringify(headers))
})

test('two forms that contradict each other are refused: one of them came from the client', () => {
  const told = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'vault.example' }
  assert.throws(() => proxy.seen(PROXY, { ...told, forwarded: 'for=192.0.2.8;proto=https;host=vault.example' }), coded('api.body'))
  assert.equal(proxy.seen(PROXY, { ...told, forwarded: 'for=192.0.2.7;proto=https;host=vault.example' }).secure, true)
})

test('headers that are bombs or garbage are refused', () => {
  for (const forwarded of [
    'for="192.0.2.7',
    'for==;;',
    '=https',
    'for=1.1.1.1 proto=https',
    Array(40).fill('for=192.0.2.7;proto=https').join(','),
  ])
    assert.throws(() => proxy.seen(PROXY, { forwarded }), coded('api.body'), forwarded)
  assert.throws(() => proxy.seen(PROXY, { 'x-forwarded-for': Array(40).fill('192.0.2.7').join(',') }), coded('api.body'))
  assert.throws(() => proxy.seen(PROXY, { forwarded: '__proto__=https' }), coded('api.body'))
})

test('a list of proxies that cannot be meant is refused', () => {
  for (const one of ['', 'proxy.example', '10.0.0.0/0', '10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', '0.0.0.0/0', '10.0.0'])
    assert.throws(() => createTrustedProxy([one]), coded('main.config'), one)
})
