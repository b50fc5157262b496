// Values of the standards, and Wycheproof, on both twins of the primitives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex, utf8 } from '#base'
import * as browser from '../../src/crypto/primitives-browser.ts'
import * as node from '../../src/crypto/primitives-node.ts'
import { publishedTest, readPublished } from './published.ts'

const TWINS = { node, browser }

for (const [name, twin] of Object.entries(TWINS)) {
  test(`${name}: FIPS 180-4 SHA-256 of "abc"`, () => {
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(toHex(twin.sha256(utf8('abc'))), digest)
    assert.equal(toHex(twin.sha256(utf8('a'), utf8(''), utf8('bc'))), digest)
    const stream = twin.sha256Stream()
    for (const part of ['ab', 'c']) stream.update(utf8(part))
    assert.equal(toHex(stream.digest()), digest)
  })

  test(`${name}: RFC 4231 section 4.2 and 4.3, HMAC-SHA-256`, () => {
    assert.equal(
      toHex(twin.hmacSha256(new Uint8Array(20).fill(0x0b), utf8('Hi '), utf8('There'))),
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    assert.equal(
      toHex(twin.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?'))),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })

  test(`${name}: RFC 5869 appendix A.3, HKDF-SHA-256 without salt and info`, () => {
    assert.equal(
      toHex(twin.hkdfSha256(new Uint8Array(22).fill(0x0b), new Uint8Array(0), 42)),
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })

  test(`${name}: GCM specification (McGrew, Viega) test cases 13, 14 and 16, AES-256`, () => {
    const zeroKey = new Uint8Array(32)
    const zeroNonce = new Uint8Array(12)
    const none = new Uint8Array(0)
    assert.equal(toHex(twin.gmac(zeroKey, zeroNonce)), '530f8afbc74536b9a963b4f1c4cb738b')
    assert.equal(toHex(twin.gmac(zeroKey, zeroNonce, none, none)), '530f8afbc74536b9a963b4f1c4cb738b')
    assert.equal(
      toHex(twin.gcmSeal(zeroKey, zeroNonce, none, new Uint8Array(16))),
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    )
    const key = fromHex('feffe9928665731c6d6a8f9467308308'.repeat(2))
    const nonce = fromHex('cafebabefacedbaddecaf888')
    const aad = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    const plaintext = fromHex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    )
    const sealed = twin.gcmSeal(key, nonce, aad, plaintext)
    assert.equal(
      toHex(sealed),
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
        '76fc6ece0f4e1768cddf8853bb2d551b',
    )
    assert.deepEqual(twin.gcmOpen(key, nonce, aad, sealed), plaintext)
  })

  test(`${name}: RFC 8032 section 7.1, Ed25519 keys and signatures of tests 1 and 2`, () => {
    const mldsa65 = new Uint8Array(32)
    const one = twin.signer({ mldsa65, ed25519: fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60') })
    assert.equal(toHex(one.keys.ed25519), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    assert.equal(
      toHex(one.sign(new Uint8Array(0), '').ed25519),
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
    const two = twin.signer({ mldsa65, ed25519: fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb') })
    assert.equal(toHex(two.keys.ed25519), '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    assert.equal(
      toHex(two.sign(Uint8Array.of(0x72), '').ed25519),
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
  })
}

interface Wycheproof<Group, Case> {
  readonly testGroups: readonly (Group & { readonly tests: readonly (Case & { readonly tcId: number; readonly result: string })[] })[]
}

interface AeadGroup {
  readonly keySize: number
  readonly ivSize: number
  readonly tagSize: number
}

interface AeadCase {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

publishedTest('Wycheproof AES-256-GCM with nonces of 12 bytes', 'wycheproof/aes_gcm_test.json', (file: Wycheproof<AeadGroup, AeadCase>) => {
  let executed = 0
  for (const group of file.testGroups) {
    if (group.keySize !== 256 || group.ivSize !== 96 || group.tagSize !== 128) continue
    for (const { tcId, result, ...one } of group.tests) {
      const [key, nonce, aad, plaintext, sealed] = [one.key, one.iv, one.aad, one.msg, one.ct + one.tag].map(fromHex)
      for (const [name, twin] of Object.entries(TWINS)) {
        const opened = twin.gcmOpen(key!, nonce!, aad!, sealed!)
        assert.deepEqual(opened, result === 'valid' ? plaintext : undefined, `${name} ${tcId}`)
        if (result === 'valid') assert.deepEqual(twin.gcmSeal(key!, nonce!, aad!, plaintext!), sealed, `${name} ${tcId}`)
        if (result === 'valid' && plaintext!.length === 0) assert.deepEqual(twin.gmac(key!, nonce!, aad!), sealed)
      }
      executed++
    }
  }
  return executed
})

interface MacCase {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

publishedTest('Wycheproof HMAC-SHA-256', 'wycheproof/hmac_sha256_test.json', (file: Wycheproof<{ readonly tagSize: number }, MacCase>) => {
  let executed = 0
  for (const group of file.testGroups) {
    for (const { tcId, result, ...one } of group.tests) {
      for (const [name, twin] of Object.entries(TWINS)) {
        const tag = twin.hmacSha256(fromHex(one.key), fromHex(one.msg)).subarray(0, group.tagSize / 8)
        assert.equal(twin.equalSecret(tag, fromHex(one.tag)), result === 'valid', `${name} ${tcId}`)
      }
      executed++
    }
  }
  return executed
})

interface SignatureCase {
  readonly msg: string
  readonly sig: string
  readonly ctx?: string
}

const own = node.signer({ mldsa65: node.random(32), ed25519: node.random(32) })

// `verifySignatures` wants two good signatures. The one that is not under test is our own.
publishedTest(
  'Wycheproof Ed25519',
  'wycheproof/ed25519_test.json',
  (file: Wycheproof<{ readonly publicKey: { readonly pk: string } }, SignatureCase>) => {
    let executed = 0
    for (const group of file.testGroups) {
      for (const { tcId, result, ...one } of group.tests) {
        const message = fromHex(one.msg)
        const keys = { ...own.keys, ed25519: fromHex(group.publicKey.pk) }
        const signatures = { ...own.sign(message, ''), ed25519: fromHex(one.sig) }
        for (const [name, twin] of Object.entries(TWINS)) {
          assert.equal(twin.verifySignatures(keys, message, '', signatures), result === 'valid', `${name} ${tcId}`)
          assert.equal(twin.verifyEd25519(keys.ed25519, message, signatures.ed25519), result === 'valid', `${name} ${tcId}`)
        }
        executed++
      }
    }
    return executed
  },
)

publishedTest(
  'Wycheproof ML-DSA-65',
  'wycheproof/mldsa_65_verify_test.json.gz',
  (file: Wycheproof<{ readonly publicKey: string }, SignatureCase>) => {
    let executed = 0
    for (const group of file.testGroups) {
      for (const { tcId, result, ...one } of group.tests) {
        const message = fromHex(one.msg)
        const context = Buffer.from(one.ctx ?? '', 'hex').toString('latin1')
        // Our contexts are short texts; a case whose context is not ASCII or longer than 255 bytes cannot be said here.
        if (context.length > 255 || /[^\0-\x7f]/.test(context)) continue
        const keys = { ...own.keys, mldsa65: fromHex(group.publicKey) }
        const signatures = { ...own.sign(message, ''), mldsa65: fromHex(one.sig) }
        for (const [name, twin] of Object.entries(TWINS)) {
          assert.equal(twin.verifySignatures(keys, message, context, signatures), result === 'valid', `${name} ${tcId}`)
        }
        executed++
      }
    }
    return executed
  },
)

publishedTest(
  'Wycheproof ML-DSA-44 with an empty context',
  'wycheproof/mldsa_44_verify_test.json.gz',
  (file: Wycheproof<{ readonly publicKey: string }, SignatureCase>) => {
    let executed = 0
    for (const group of file.testGroups) {
      for (const { tcId, result, ...one } of group.tests) {
        if ((one.ctx ?? '') !== '') continue
        for (const [name, twin] of Object.entries(TWINS)) {
          const verified = twin.verifyMldsa44(fromHex(group.publicKey), fromHex(one.msg), fromHex(one.sig))
          assert.equal(verified, result === 'valid', `${name} ${tcId}`)
        }
        executed++
      }
    }
    return executed
  },
)

interface MlDsaKeyGen {
  readonly testGroups: readonly {
    readonly parameterSet?: string
    readonly tests: readonly { readonly tcId: number; readonly seed?: string; readonly pk?: string }[]
  }[]
}

publishedTest('ACVP ML-DSA-65 public keys of seeds (FIPS 204)', 'acvp/ML-DSA-keyGen-FIPS204/prompt.json.gz', (prompts: MlDsaKeyGen) => {
  const results = readPublished('acvp/ML-DSA-keyGen-FIPS204/expectedResults.json.gz') as MlDsaKeyGen
  const expected = new Map(results.testGroups.flatMap((group) => group.tests.map((one) => [one.tcId, one.pk!.toLowerCase()])))
  let executed = 0
  for (const group of prompts.testGroups.filter((group) => group.parameterSet === 'ML-DSA-65')) {
    for (const one of group.tests) {
      const seeds = { mldsa65: fromHex(one.seed!.toLowerCase()), ed25519: new Uint8Array(32) }
      for (const [name, twin] of Object.entries(TWINS)) {
        assert.equal(toHex(twin.signer(seeds).keys.mldsa65), expected.get(one.tcId), `${name} ${one.tcId}`)
      }
      executed++
    }
  }
  return executed
})

publishedTest('ACVP ML-DSA-44 public keys of seeds (FIPS 204)', 'acvp/ML-DSA-keyGen-FIPS204/prompt.json.gz', (prompts: MlDsaKeyGen) => {
  const results = readPublished('acvp/ML-DSA-keyGen-FIPS204/expectedResults.json.gz') as MlDsaKeyGen
  const expected = new Map(results.testGroups.flatMap((group) => group.tests.map((one) => [one.tcId, one.pk!.toLowerCase()])))
  let executed = 0
  for (const group of prompts.testGroups.filter((group) => group.parameterSet === 'ML-DSA-44')) {
    for (const one of group.tests) {
      for (const [name, twin] of Object.entries(TWINS)) {
        assert.equal(toHex(twin.mldsa44Signer(fromHex(one.seed!.toLowerCase())).key), expected.get(one.tcId), `${name} ${one.tcId}`)
      }
      executed++
    }
  }
  return executed
})

test('each twin verifies what the other signs, with Ed25519 and with ML-DSA-44, and no other message or length', () => {
  const seed = node.random(32)
  const message = utf8('a head of a log')
  for (const [one, other] of [
    [node, browser],
    [browser, node],
  ] as const) {
    const ed25519 = one.ed25519Signer(seed)
    const mldsa44 = one.mldsa44Signer(seed)
    const signatures = { ed25519: ed25519.sign(message), mldsa44: mldsa44.sign(message) }
    assert.ok(other.verifyEd25519(ed25519.key, message, signatures.ed25519))
    assert.ok(other.verifyMldsa44(mldsa44.key, message, signatures.mldsa44))
    assert.ok(!other.verifyEd25519(ed25519.key, utf8('another'), signatures.ed25519))
    assert.ok(!other.verifyMldsa44(mldsa44.key, utf8('another'), signatures.mldsa44))
    assert.ok(!other.verifyEd25519(ed25519.key.subarray(1), message, signatures.ed25519))
    assert.ok(!other.verifyMldsa44(mldsa44.key.subarray(1), message, signatures.mldsa44))
    assert.ok(!other.verifyEd25519(ed25519.key, message, signatures.ed25519.subarray(1)))
    assert.ok(!other.verifyMldsa44(mldsa44.key, message, signatures.mldsa44.subarray(1)))
  }
})
