// Which host key is right: fingerprints and known_hosts files as OpenSSH writes them.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { fingerprintOf, isPinned, knownFingerprints } from '../../../src/storage/locations/sftp/host-keys.ts'

// From the manual of GitHub: "GitHub's SSH key fingerprints".
const GITHUB = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
const GITHUB_PRINT = 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU'
const other = Buffer.from(GITHUB, 'base64').fill(7, 30).toString('base64')
const otherPrint = fingerprintOf(Buffer.from(other, 'base64'))

describe('host keys', () => {
  it('have the fingerprint that ssh-keygen shows', () => {
    const key = Buffer.from(GITHUB, 'base64')
    assert.equal(fingerprintOf(key), GITHUB_PRINT)
    assert.ok(isPinned(key, [otherPrint, GITHUB_PRINT]) && isPinned(key, [`${GITHUB_PRINT}=`]))
    assert.ok(!isPinned(key, [otherPrint]) && !isPinned(key, []) && !isPinned(key, ['SHA256:']))
  })

  it('are found by name, port, pattern and hash', () => {
    const salt = Buffer.alloc(20, 3)
    const hashed = (name: string): string => `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
    const cases: [string, string, number, boolean][] = [
      ['far.example.org', 'far.example.org', 22, true],
      ['far.example.org', 'FAR.example.org', 22, true],
      ['far.example.org', 'far.example.org', 2222, false],
      ['[far.example.org]:2222', 'far.example.org', 2222, true],
      ['near,far.example.org,10.0.0.1', '10.0.0.1', 22, true],
      ['*.example.org', 'far.example.org', 22, true],
      ['*.example.org,!far.example.org', 'far.example.org', 22, false],
      ['f?r.example.org', 'far.example.org', 22, true],
      ['f?r.example.org', 'faar.example.org', 22, false],
      ['[::1]:22', '[::1]', 22, false],
      ['::1', '[::1]', 22, true],
      [hashed('far.example.org'), 'far.example.org', 22, true],
      [hashed('[far.example.org]:2222'), 'far.example.org', 2222, true],
      [hashed('far.example.org'), 'far.example.com', 22, false],
      ['|1|x', 'x', 22, false],
    ]
    for (const [hosts, host, port, found] of cases)
      assert.deepEqual(
        knownFingerprints(`# c\n\n${hosts} ssh-ed25519 ${GITHUB} me\r\n`, { host, port }),
        found ? [GITHUB_PRINT] : [],
        `${hosts} ${host} ${port}`,
      )
  })

  it('that were revoked or are authorities are not trusted', () => {
    const at = { host: 'far', port: 22 }
    assert.deepEqual(knownFingerprints(`far ssh-ed25519 ${GITHUB}\nfar ssh-ed25519 ${other}\n@revoked * ssh-ed25519 ${GITHUB}`, at), [
      otherPrint,
    ])
    assert.deepEqual(knownFingerprints(`@cert-authority * ssh-ed25519 ${GITHUB}`, at), [])
  })

  it('never make the reader stumble, nor slow', () => {
    const word = fc.constantFrom(
      'far',
      '*',
      '?',
      '!',
      ',',
      '|1|',
      '@revoked',
      ' ',
      '\n',
      'ssh-ed25519',
      GITHUB,
      '#',
      '[',
      ']:22',
      '*a*a*a*a*a*',
    )
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 60 }),
        (words) => void knownFingerprints(words.join(''), { host: 'a'.repeat(200), port: 22 }),
      ),
    )
  })
})
