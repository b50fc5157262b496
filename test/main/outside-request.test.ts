// How a site may be reached from outside: what is asked for is done, or refused with a sentence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '#base'
import { planOutside, type OutsideRequest } from '../../src/main/outside-request.ts'

const publicUrl = 'https://vault.hospital.example'

function refusal(request: OutsideRequest): string {
  try {
    planOutside(request, '/folder')
  } catch (error) {
    assert.ok(error instanceof Failure && error.code === 'main.config')
    assert.ok((error.next ?? '').length > 10)
    return `${error.message} ${error.next}`
  }
  return assert.fail(`taken: ${JSON.stringify(request)}`)
}

test('nothing asked for, nothing opened', () => {
  assert.equal(planOutside({}, '/folder'), undefined)
})

test('listening on the network without HTTPS is refused, and the sentence says what to do', () => {
  for (const request of [
    { listen: '0.0.0.0' },
    { listen: '0.0.0.0:80' },
    { trustedProxy: '10.0.0.5' },
    { certificate: 'a', certificateKey: 'b' },
    { redirectHttp: ':80' },
    { tls12: true },
  ])
    assert.match(refusal(request), /--public-url https:\/\/NAME/)
})

test('with a name alone the site makes its own certificate and listens everywhere', () => {
  assert.deepEqual(planOutside({ publicUrl }, '/folder'), {
    url: new URL(publicUrl),
    tls12: false,
    redirect: undefined,
    listen: [{ address: '::', port: 443 }],
    by: { kind: 'own' },
  })
})

test('files, addresses and ports are read', () => {
  const plan = planOutside(
    {
      publicUrl: `${publicUrl}:8443`,
      listen: '10.1.2.3, [::1]:9443,:9444,2001:db8::1',
      certificate: 'a.pem',
      certificateKey: '/keys/b.pem',
      redirectHttp: '10.1.2.3',
      tls12: true,
    },
    '/folder',
  )
  assert.deepEqual(plan?.listen, [
    { address: '10.1.2.3', port: 8443 },
    { address: '::1', port: 9443 },
    { address: '::', port: 9444 },
    { address: '2001:db8::1', port: 8443 },
  ])
  assert.deepEqual(plan?.by, { kind: 'files', certificate: '/folder/a.pem', key: '/keys/b.pem' })
  assert.deepEqual([plan?.redirect, plan?.tls12], [{ address: '10.1.2.3', port: 80 }, true])
})

test('behind a proxy plain HTTP stays on this machine or in a private network', () => {
  const behind = (listen?: string) => ({ publicUrl, trustedProxy: '127.0.0.1, 10.0.0.0/24', listen })
  assert.deepEqual(planOutside(behind(), '/folder')?.listen, [{ address: '127.0.0.1', port: 7879 }])
  for (const near of ['127.0.0.1', '10.1.2.3:80', '172.16.0.1', '172.31.255.1', '192.168.1.1', '[::1]', '[fd00::1]:80', 'localhost'])
    planOutside(behind(near), '/folder')
  for (const open of ['0.0.0.0', '[::]', ':80', '192.0.2.1', '172.32.0.1', '11.0.0.1', '[2001:db8::1]:80', '169.254.169.254'])
    assert.match(refusal(behind(open)), /plain HTTP to it in the open/, open)
})

test('what cannot be meant is refused', () => {
  for (const url of [
    'http://vault.example',
    'vault.example',
    'https://',
    'https://a@vault.example',
    'https://vault.example/path',
    'https://vault.example/?q',
    'https://vault.example./',
    'ftp://vault.example',
  ])
    refusal({ publicUrl: url })
  for (const listen of [
    'everywhere',
    '10.0.0.1:99999',
    '10.0.0.1:x',
    '[10.0.0',
    '300.1.1.1',
    'vault.example:443',
    Array(20).fill('::').join(','),
  ])
    refusal({ publicUrl, listen })
  refusal({ publicUrl, certificate: 'a.pem' })
  refusal({ publicUrl, certificateKey: 'a.pem' })
  refusal({ publicUrl, certificate: 'a', certificateKey: 'b', trustedProxy: '10.0.0.5' })
  refusal({ publicUrl, trustedProxy: '10.0.0.5', redirectHttp: ':80' })
  refusal({ publicUrl, trustedProxy: '10.0.0.5', tls12: true })
})
