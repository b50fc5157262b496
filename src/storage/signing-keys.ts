// The site's signing keys at rest: made once, sealed under a passphrase or a key file (docs/spec/signing-keys.md).
import { join } from 'node:path'
import { type Bytes, Failure, fromBase64, SecretBytes, toBase64, utf8 } from '#base'
import { gcmOpen, gcmSeal, hkdfSha256, random, type Signer, signer, type VerifyingKeys } from '#crypto/primitives'
import { dealerFingerprint } from '#format'
import { createFileDurably, readSmallFile } from './durable-file.ts'
import { argon2Cost, passphraseKey } from './passphrase.ts'
import { encodeSigningKeysFile, headBytes, parseSigningKeysFile, type Seal, type SigningKeysFile } from './signing-keys-file.ts'

export interface SigningKeysPlace {
  /** Folder of the site, which holds `signing-keys.json`. */
  readonly home: string
  /** Made by `passphraseOf`. Without one the keys are sealed under a key file. */
  readonly passphrase?: SecretBytes | undefined
  /** Where the key file is or is to be; `signing.key` in the home by default. */
  readonly keyFile?: string | undefined
}

export interface PublicSigningKeys {
  readonly keys: VerifyingKeys
  /** Hex SHA-256 of raw ML-DSA-65 key | raw Ed25519 key. */
  readonly fingerprint: string
  readonly sealedUnder: 'passphrase' | 'key-file'
}

const KEY_BYTES = 32
const SEED_BYTES = 32
const NONCE_BYTES = 12
const FILE_BYTES_MAX = 16_384
const KEY_FILE_INFO = utf8('quorate/1 signing keys')

/** Makes the keys and keeps them in the home, durable when this resolves. `storage.exists` when there are keys: none is ever overwritten. */
export async function createSigningKeys(place: SigningKeysPlace): Promise<Signer> {
  const path = keysPath(place)
  const exists = new Failure('storage.exists', { detail: `there are signing keys already: ${path}` })
  if (await readSmallFile(path, FILE_BYTES_MAX)) throw exists
  const seal: Seal = place.passphrase ? { kind: 'passphrase', ...argon2Cost() } : { kind: 'key-file' }
  if (seal.kind === 'key-file') await createKeyFile(place)
  const key = await sealingKey(seal, place)

  const seeds = random(2 * SEED_BYTES)
  const made = signerOf(seeds)
  const head = {
    v: 1,
    format: 'quorate signing keys',
    keys: { mldsa65: toBase64(made.keys.mldsa65), ed25519: toBase64(made.keys.ed25519) },
    fingerprint: dealerFingerprint(made.keys),
    seal,
  } as const
  const nonce = random(NONCE_BYTES)
  const sealed = gcmSeal(key.reveal(), nonce, headBytes(head), seeds)
  key.wipe()
  seeds.fill(0)
  const file = encodeSigningKeysFile({ ...head, nonce: toBase64(nonce), sealed: toBase64(sealed) })
  if ((await createFileDurably(path, file)) === 'exists') throw exists
  return made
}

/**
 * Opens the keys. `storage.no-vault` when there are none, `crypto.passphrase` when what is given does not open them,
 * `crypto.tag` when the file is damaged.
 */
export async function openSigningKeys(place: SigningKeysPlace): Promise<Signer> {
  const file = await readFile(place)
  const key = await sealingKey(file.seal, place)
  const seeds = gcmOpen(key.reveal(), fromBase64(file.nonce), headBytes(file), fromBase64(file.sealed))
  key.wipe()
  if (!seeds) throw refused(file.seal.kind === 'passphrase' ? 'the passphrase is wrong' : 'the key file belongs to other signing keys')
  const made = signerOf(seeds)
  seeds.fill(0)
  if (dealerFingerprint(made.keys) !== file.fingerprint) throw damaged(place)
  return made
}

/** The public halves, readable without passphrase or key file: what the file says, which only opening proves. */
export async function readPublicSigningKeys(place: Pick<SigningKeysPlace, 'home'>): Promise<PublicSigningKeys> {
  const { keys, fingerprint, seal } = await readFile(place)
  return { keys: { mldsa65: fromBase64(keys.mldsa65), ed25519: fromBase64(keys.ed25519) }, fingerprint, sealedUnder: seal.kind }
}

async function readFile(place: Pick<SigningKeysPlace, 'home'>): Promise<SigningKeysFile> {
  const bytes = await readSmallFile(keysPath(place), FILE_BYTES_MAX)
  if (!bytes) throw new Failure('storage.no-vault', { detail: `there are no signing keys: ${keysPath(place)}` })
  const file = parseSigningKeysFile(bytes)
  if (!file) throw damaged(place)
  return file
}

async function sealingKey(seal: Seal, place: SigningKeysPlace): Promise<SecretBytes> {
  if (seal.kind === 'passphrase') {
    if (!place.passphrase) throw refused('the signing keys are sealed under a passphrase, and none is given')
    return passphraseKey(place.passphrase, seal)
  }
  if (place.passphrase) throw refused('the signing keys are sealed under a key file, not under a passphrase')
  const path = keyFilePath(place)
  const secret = await readSmallFile(path, KEY_BYTES)
  if (!secret) throw refused(`there is no key file ${path}`)
  if (secret.length !== KEY_BYTES) throw refused(`a key file has ${KEY_BYTES} bytes: ${path}`)
  const key = new SecretBytes(hkdfSha256(secret, KEY_FILE_INFO, KEY_BYTES))
  secret.fill(0)
  return key
}

/** A key file that is there already is kept: it may serve others, or be left from a start that was interrupted. */
async function createKeyFile(place: SigningKeysPlace): Promise<void> {
  const secret = random(KEY_BYTES)
  await createFileDurably(keyFilePath(place), secret)
  secret.fill(0)
}

/** seeds: ML-DSA-65 | Ed25519. */
function signerOf(seeds: Bytes): Signer {
  const mldsa65 = seeds.slice(0, SEED_BYTES)
  const ed25519 = seeds.slice(SEED_BYTES)
  const made = signer({ mldsa65, ed25519 })
  mldsa65.fill(0)
  ed25519.fill(0)
  return made
}

function keysPath({ home }: Pick<SigningKeysPlace, 'home'>): string {
  return join(home, 'signing-keys.json')
}

function keyFilePath({ home, keyFile }: SigningKeysPlace): string {
  return keyFile ?? join(home, 'signing.key')
}

function refused(detail: string): Failure {
  return new Failure('crypto.passphrase', { detail })
}

function damaged(place: Pick<SigningKeysPlace, 'home'>): Failure {
  return new Failure('crypto.tag', {
    detail: `the file of the signing keys is damaged: ${keysPath(place)}`,
    next: 'Put back a copy of the file.',
    culprits: [keysPath(place)],
  })
}
