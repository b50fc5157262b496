// The signing keys at rest: made once, opened only by what sealed them, refused after any change.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type FailureCode, fromBase64, fromUtf8, isFailure, SecretBytes, toBase64, toHex, utf8 } from '#base'
import { sha256, type Signer, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, type Json } from '#format'
import { argon2Cost, passphraseKey, passphraseOf } from '../../src/storage/passphrase.ts'
import { createSigningKeys, openSigningKeys, readPublicSigningKeys, type SigningKeysPlace } from '../../src/storage/signing-keys.ts'

const scratch = mkdtempSync(join(tmpdir(), 'quorate-keys-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
const passphrase = passphraseOf('correct horse battery staple')
let homes = 0

function newHome(): string {
  const home = join(scratch, `home ${++homes}`)
  mkdirSync(home)
  return home
}

function code(expected: FailureCode): (error: unknown) => boolean {
  return (error) => isFailure(error, expected)
}

function assertSame(a: Signer, b: Signer): void {
  assert.deepEqual(a.keys, b.keys)
  const message = utf8('a message')
  assert.ok(verifySignatures(a.keys, message, 'a context', b.sign(message, 'a context')))
}

/** Rewrites the file with a right checksum, as someone who means it would. */
function forge(path: string, change: (file: { [name: string]: Json }) => void): void {
  const { checksum, ...file } = JSON.parse(readFileSync(path, 'utf8')) as { [name: string]: Json }
  assert.equal(checksum, toHex(sha256(canonicalBytes(file))))
  change(file)
  writeFileSync(path, canonicalBytes({ ...file, checksum: toHex(sha256(canonicalBytes(file))) }))
}

const seals: Record<string, Partial<SigningKeysPlace>> = {
  'a passphrase': { passphrase },
  'a key file in the home': {},
  'a key file elsewhere': { keyFile: join(scratch, 'elsewhere.key') },
}

for (const [name, seal] of Object.entries(seals)) {
  describe(`sealed under ${name}`, () => {
    test('what was made is opened', async () => {
      const place = { home: newHome(), ...seal }
      const made = await createSigningKeys(place)
      assertSame(made, await openSigningKeys(place))
      const read = await readPublicSigningKeys(place)
      assert.deepEqual(read.keys, made.keys)
      assert.equal(read.fingerprint, toHex(sha256(made.keys.mldsa65, made.keys.ed25519)))
      assert.equal(read.sealedUnder, seal.passphrase ? 'passphrase' : 'key-file')
    })

    test('keys are never overwritten', async () => {
      const place = { home: newHome(), ...seal }
      const made = await createSigningKeys(place)
      await assert.rejects(createSigningKeys(place), code('storage.exists'))
      await assert.rejects(createSigningKeys({ home: place.home, passphrase: passphraseOf('another passphrase') }), code('storage.exists'))
      assertSame(made, await openSigningKeys(place))
    })

    test('of two at once one makes the keys', async () => {
      const place = { home: newHome(), ...seal }
      const settled = await Promise.allSettled([createSigningKeys(place), createSigningKeys(place)])
      const made = settled.filter((one) => one.status === 'fulfilled')
      const lost = settled.filter((one) => one.status === 'rejected')
      assert.equal(made.length, 1)
      assert.ok(lost.every((one) => isFailure(one.reason, 'storage.exists')))
      assertSame(made[0]!.value, await openSigningKeys(place))
    })

    test('files are for their owner only, and nothing is left beside them', async () => {
      const place = { home: newHome(), ...seal }
      await createSigningKeys(place)
      const files = readdirSync(place.home)
      assert.deepEqual(files, name === 'a key file in the home' ? ['signing-keys.json', 'signing.key'] : ['signing-keys.json'])
      for (const file of files) assert.equal(statSync(join(place.home, file)).mode & 0o777, 0o600)
      if (place.keyFile) assert.equal(statSync(place.keyFile).mode & 0o777, 0o600)
    })

    test('each flipped bit of the file is damage', async () => {
      const place = { home: newHome(), ...seal }
      await createSigningKeys(place)
      const path = join(place.home, 'signing-keys.json')
      const original = readFileSync(path)
      for (let at = 0; at < original.length; at++) {
        const flipped = new Uint8Array(original)
        flipped[at]! ^= 1 << randomInt(8)
        writeFileSync(path, flipped)
        await assert.rejects(openSigningKeys(place), code('crypto.tag'), `byte ${at}`)
      }
      for (const bytes of [new Uint8Array(0), original.subarray(1), original.subarray(0, -1), Buffer.concat([original, utf8('\n')])]) {
        writeFileSync(path, bytes)
        await assert.rejects(openSigningKeys(place), code('crypto.tag'))
        await assert.rejects(readPublicSigningKeys(place), code('crypto.tag'))
      }
      writeFileSync(path, new Uint8Array(2 ** 20))
      await assert.rejects(openSigningKeys(place), code('crypto.tag'))
      writeFileSync(path, original)
      await openSigningKeys(place)
    })

    test('a change by someone who knows the format is refused', async () => {
      const place = { home: newHome(), ...seal }
      await createSigningKeys(place)
      const other = { home: newHome(), ...seal }
      await createSigningKeys(other)
      const path = join(place.home, 'signing-keys.json')
      const original = readFileSync(path)
      const theirs = JSON.parse(readFileSync(join(other.home, 'signing-keys.json'), 'utf8')) as { [name: string]: Json }
      const flip = (text: Json | undefined, at: number): string => {
        const bytes = fromBase64(text as string)
        bytes[at]! ^= 1
        return toBase64(bytes)
      }
      const changes: Record<string, (file: { [name: string]: Json }) => void> = {
        nonce: (file) => (file['nonce'] = flip(file['nonce'], 3)),
        'sealed, first': (file) => (file['sealed'] = flip(file['sealed'], 0)),
        'sealed, last': (file) => (file['sealed'] = flip(file['sealed'], 79)),
        'public keys of another site': (file) => {
          file['keys'] = theirs['keys']!
          file['fingerprint'] = theirs['fingerprint']!
        },
        'secrets of another site': (file) => {
          file['nonce'] = theirs['nonce']!
          file['sealed'] = theirs['sealed']!
        },
      }
      for (const [what, change] of Object.entries(changes)) {
        forge(path, change)
        await assert.rejects(openSigningKeys(place), code('crypto.passphrase'), what)
        writeFileSync(path, original)
      }
      const malformed: Record<string, (file: { [name: string]: Json }) => void> = {
        version: (file) => (file['v'] = 2),
        fingerprint: (file) => (file['fingerprint'] = '0'.repeat(64)),
        'a member more': (file) => (file['more'] = 1),
        'a member less': (file) => delete file['nonce'],
        'another seal': (file) => (file['seal'] = { kind: 'none' }),
        'a member more in the seal': (file) => (file['seal'] = { ...(file['seal'] as object), more: 1 }),
        'a short seed': (file) => (file['sealed'] = toBase64(new Uint8Array(79))),
      }
      for (const [what, change] of Object.entries(malformed)) {
        forge(path, change)
        await assert.rejects(openSigningKeys(place), code('crypto.tag'), what)
        writeFileSync(path, original)
      }
    })
  })
}

test('without keys there is nothing to open', async () => {
  const home = newHome()
  await assert.rejects(openSigningKeys({ home }), code('storage.no-vault'))
  await assert.rejects(readPublicSigningKeys({ home }), code('storage.no-vault'))
})

test('a home that is not there is said, not made', async () => {
  await assert.rejects(createSigningKeys({ home: join(scratch, 'no such home'), passphrase }), code('storage.read-only'))
})

describe('a passphrase', () => {
  test('that is wrong, missing or not asked for opens nothing', async () => {
    const sealed = { home: newHome(), passphrase }
    await createSigningKeys(sealed)
    await assert.rejects(
      openSigningKeys({ home: sealed.home, passphrase: passphraseOf('correct horse battery stable') }),
      code('crypto.passphrase'),
    )
    await assert.rejects(openSigningKeys({ home: sealed.home }), code('crypto.passphrase'))
    const underFile = { home: newHome() }
    await createSigningKeys(underFile)
    await assert.rejects(openSigningKeys({ ...underFile, passphrase }), code('crypto.passphrase'))
  })

  test('is the same however it is typed, and never printed', async () => {
    assert.deepEqual(passphraseOf('Schlüssel für uns').reveal(), passphraseOf('Schlu\u0308ssel fu\u0308r uns').reveal())
    assert.match(
      `${String(passphraseOf('correct horse'))} ${JSON.stringify(passphraseOf('correct horse'))}`,
      /^SecretBytes\(13\) "SecretBytes\(13\)"$/,
    )
  })

  test('too short, too long or not Unicode is refused', () => {
    for (const text of ['', 'eleven byte', 'x'.repeat(1025), `\ud800 correct horse`])
      assert.throws(() => passphraseOf(text), code('base.invalid'))
  })

  test('costs that a file claims are bounded', async () => {
    const place = { home: newHome(), passphrase }
    await createSigningKeys(place)
    const path = join(place.home, 'signing-keys.json')
    const original = readFileSync(path)
    const costs = [
      { memoryKib: 65_535 },
      { memoryKib: 2 ** 20 + 1 },
      { memoryKib: 1e300 },
      { passes: 2 },
      { passes: 17 },
      { passes: 3.5 },
      { lanes: 3 },
      { lanes: 17 },
    ]
    for (const cost of [...costs, { algorithm: 'argon2i' }, { salt: '' }, { salt: toBase64(new Uint8Array(15)) }]) {
      forge(path, (file) => (file['seal'] = { ...(file['seal'] as { [name: string]: Json }), ...cost } as Json))
      await assert.rejects(openSigningKeys(place), code('crypto.tag'), JSON.stringify(cost))
      writeFileSync(path, original)
    }
    for (const cost of [{ passes: 4 }, { salt: toBase64(new Uint8Array(16)) }]) {
      forge(path, (file) => (file['seal'] = { ...(file['seal'] as { [name: string]: Json }), ...cost } as Json))
      await assert.rejects(openSigningKeys(place), code('crypto.passphrase'), JSON.stringify(cost))
      writeFileSync(path, original)
    }
  })

  test('becomes the key that Argon2id gives', async () => {
    // Made by Debian's `argon2` 0~20171227: echo -n PASSPHRASE | argon2 saltsaltsaltsalt -id -t 3 -k 65536 -p 4 -l 32 -r
    const key = await passphraseKey(passphrase, { ...argon2Cost(), salt: toBase64(utf8('saltsaltsaltsalt')) })
    assert.equal(toHex(key.reveal()), 'a292bfd7695ec2bdb3e58a542ae7090945c04a290819837eaa3477bcbd9ef20a')
  })
})

describe('a key file', () => {
  test('of another site, of another length, flipped or gone opens nothing', async () => {
    const place = { home: newHome() }
    await createSigningKeys(place)
    const other = { home: newHome() }
    await createSigningKeys(other)
    const path = join(place.home, 'signing.key')
    const original = readFileSync(path)
    assert.equal(original.length, 32)
    copyFileSync(join(other.home, 'signing.key'), path)
    await assert.rejects(openSigningKeys(place), code('crypto.passphrase'))
    for (let at = 0; at < 32; at++) {
      const flipped = new Uint8Array(original)
      flipped[at]! ^= 1 << randomInt(8)
      writeFileSync(path, flipped)
      await assert.rejects(openSigningKeys(place), code('crypto.passphrase'))
    }
    for (const bytes of [new Uint8Array(0), original.subarray(1), new Uint8Array(33), new Uint8Array(100_000)]) {
      writeFileSync(path, bytes)
      await assert.rejects(openSigningKeys(place), code('crypto.passphrase'))
    }
    rmSync(path)
    await assert.rejects(openSigningKeys(place), code('crypto.passphrase'))
    writeFileSync(path, original)
    await openSigningKeys(place)
  })

  test('left by a start that was interrupted is used', async () => {
    const place = { home: newHome() }
    const left = new Uint8Array(32).fill(7)
    writeFileSync(join(place.home, 'signing.key'), left)
    const made = await createSigningKeys(place)
    assert.deepEqual(new Uint8Array(readFileSync(join(place.home, 'signing.key'))), left)
    assertSame(made, await openSigningKeys(place))
  })

  test('holds no secret in the file of the keys', async () => {
    const place = { home: newHome() }
    await createSigningKeys(place)
    const text = fromUtf8(readFileSync(join(place.home, 'signing-keys.json')))
    const secret = readFileSync(join(place.home, 'signing.key'))
    assert.ok(!text.includes(toBase64(secret)) && !text.includes(toHex(secret)))
    assert.ok(new SecretBytes(secret).length === 32)
  })
})
