// Laws of the primitives: the two twins answer alike, and what was altered does not open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type Bytes, concat, utf8 } from '#base'
import * as browser from '../../src/crypto/primitives-browser.ts'
import * as node from '../../src/crypto/primitives-node.ts'

const TWINS = { node, browser }
const text = fc.uint8Array({ maxLength: 200 }) as fc.Arbitrary<Bytes>
const parts = fc.array(text, { maxLength: 4 })
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }) as fc.Arbitrary<Bytes>
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 }) as fc.Arbitrary<Bytes>

test('hashes, tags and derived keys: the twins agree, and parts are one text', () => {
  fc.assert(
    fc.property(key, nonce, parts, text, fc.integer({ min: 1, max: 100 }), (key, nonce, parts, info, length) => {
      const whole = concat(...parts)
      for (const twin of [node, browser]) {
        assert.deepEqual(twin.sha256(...parts), node.sha256(whole))
        assert.deepEqual(twin.hmacSha256(key, ...parts), node.hmacSha256(key, whole))
        assert.deepEqual(twin.gmac(key, nonce, ...parts), node.gcmSeal(key, nonce, whole, new Uint8Array(0)))
        assert.deepEqual(twin.hkdfSha256(whole, info, length), node.hkdfSha256(whole, info, length))
      }
    }),
  )
})

test('what one twin seals the other opens; one flipped bit and it does not', () => {
  fc.assert(
    fc.property(key, nonce, text, text, fc.nat(), (key, nonce, aad, plaintext, flip) => {
      const sealed = node.gcmSeal(key, nonce, aad, plaintext)
      assert.deepEqual(browser.gcmSeal(key, nonce, aad, plaintext), sealed)
      for (const twin of [node, browser]) {
        assert.deepEqual(twin.gcmOpen(key, nonce, aad, sealed), plaintext)
        assert.equal(twin.gcmOpen(key, nonce, aad, flipped(sealed, flip)), undefined)
        assert.equal(twin.gcmOpen(key, nonce, concat(aad, Uint8Array.of(0)), sealed), undefined)
        assert.equal(twin.gcmOpen(key, nonce, aad, sealed.subarray(0, 15)), undefined)
      }
    }),
  )
})

test('what one twin signs the other verifies; both halves, the context and every key count', () => {
  const message = utf8('a message')
  const seeds = { mldsa65: node.random(32), ed25519: node.random(32) }
  const other = node.signer({ mldsa65: node.random(32), ed25519: node.random(32) })
  assert.deepEqual(browser.signer(seeds).keys, node.signer(seeds).keys)
  for (const [signing, verifying] of [
    [node, browser],
    [browser, node],
    [node, node],
    [browser, browser],
  ] as const) {
    const signer = signing.signer(seeds)
    const { keys } = signer
    const signatures = signer.sign(message, 'fragment/1 meta')
    const verify = (changes: Partial<{ keys: typeof keys; message: Bytes; context: string; signatures: typeof signatures }>): boolean => {
      const all = { keys, message, context: 'fragment/1 meta', signatures, ...changes }
      return verifying.verifySignatures(all.keys, all.message, all.context, all.signatures)
    }
    assert.ok(verify({}))
    assert.ok(!verify({ message: utf8('another') }))
    assert.ok(!verify({ context: '' }))
    for (const half of ['mldsa65', 'ed25519'] as const) {
      assert.ok(!verify({ keys: { ...keys, [half]: other.keys[half] } }), half)
      assert.ok(!verify({ keys: { ...keys, [half]: keys[half].subarray(1) } }), half)
      assert.ok(!verify({ signatures: { ...signatures, [half]: flipped(signatures[half], 100) } }), half)
      assert.ok(!verify({ signatures: { ...signatures, [half]: signatures[half].subarray(1) } }), half)
      assert.ok(!verify({ signatures: { ...signatures, [half]: new Uint8Array(signatures[half].length) } }), half)
      assert.ok(!verify({ keys: { ...keys, [half]: new Uint8Array(keys[half].length).fill(0xff) } }), half)
    }
  }
})

test('randomness fills every view whole, also views of WebAssembly memory and long ones', () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 })
  for (const [name, twin] of Object.entries(TWINS)) {
    const view = new Uint8Array(memory.buffer, 5, 200_000).fill(0)
    twin.randomFill(view)
    for (let at = 0; at < view.length; at += 1000) {
      assert.ok(
        view.subarray(at, at + 1000).some((byte) => byte !== 0),
        `${name} ${at}`,
      )
    }
    assert.equal(new Uint8Array(memory.buffer)[4], 0)
    assert.equal(new Uint8Array(memory.buffer)[200_005], 0)
    assert.equal(twin.random(0).length, 0)
    assert.notDeepEqual(twin.random(32), twin.random(32))
  }
})

test('equalSecret is equality', () => {
  fc.assert(
    fc.property(text, fc.nat(), (bytes, flip) => {
      for (const twin of [node, browser]) {
        assert.ok(twin.equalSecret(bytes, bytes.slice()))
        assert.ok(!twin.equalSecret(bytes, concat(bytes, Uint8Array.of(0))))
        if (bytes.length > 0) assert.ok(!twin.equalSecret(bytes, flipped(bytes, flip)))
      }
    }),
  )
})

function flipped(bytes: Uint8Array, bit: number): Bytes {
  const copy = new Uint8Array(bytes)
  copy[(bit >>> 3) % copy.length]! ^= 1 << (bit & 7)
  return copy
}
