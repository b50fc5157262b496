// A kit as people hand it to the page: as our own ZIP, as another program packed it, as a folder; and everything that is none.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { crc32, isFailure, utf8, Zip } from '#base'
import { openSecrets, readKit } from '../../web/src/restore/kit-file.ts'
import { unzip } from '../../web/src/restore/unzip.ts'
import { noPython } from '../storage/recover-py.ts'

const ID = '0123456789abcdef0123456789abcdef'

async function kitOf(change: { readonly hash?: string; readonly identity?: string } = {}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const sheet = utf8('<p>sheet</p>')
  const secrets = { v: 1, kind: 'quorate kit secrets', vault: ID, files: [], variables: [], signingKeys: null }
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(change.identity ?? (await generateX25519Identity())))
  const sealed = new Uint8Array(await encrypter.encrypt(JSON.stringify(secrets)))
  const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  const facts = {
    v: 1,
    kind: 'quorate kit',
    made: '2026-11-20T10:00:00.000Z',
    product: 'test',
    vault: { id: ID, name: 'V', threshold: 2, count: 2, layout: 'shared', created: '2026-11-20T10:00:00.000Z' },
    dealer: { fingerprint: 'a'.repeat(64), mldsa65: '', ed25519: '' },
    locations: [],
    sealed: { file: 'secrets.age', officers: [{ name: 'Ada', recipient: 'age1x' }], contains: ['signing-keys'] },
    files: { 'spec/sheet.html': change.hash ?? hashOf(sheet), 'secrets.age': hashOf(sealed) },
  }
  return new Map([
    ['kit.json', utf8(JSON.stringify(facts))],
    ['spec/sheet.html', sheet],
    ['secrets.age', sealed],
  ])
}

async function zipped(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<File> {
  const zip = new Zip()
  for (const [name, bytes] of files)
    zip.addFile(['kit', ...name.split('/')], { data: new Blob([bytes]), crc: crc32(bytes), modified: '2026-11-20T10:00:00.000Z' })
  return new File([zip.finish()], 'kit.zip')
}

test('the ZIP that the page gives is read back, and its secrets open for the officer and nobody else', async () => {
  const identity = await generateX25519Identity()
  const kit = await readKit([await zipped(await kitOf({ identity }))])
  assert.equal(kit.facts.vault.id, ID)
  assert.equal((await openSecrets(kit, `# mine\n${identity}\n`)).vault, ID)
  for (const wrong of ['', 'AGE-SECRET-KEY-1NONE', await generateX25519Identity()])
    await assert.rejects(openSecrets(kit, wrong), (error) => isFailure(error, 'crypto.passphrase'))
})

test('a ZIP that another program deflated is read as well', { skip: noPython() ?? false }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-'))
  try {
    const files = await kitOf()
    for (const [name, bytes] of files) writeFileSync(join(folder, name.replace('/', '-')), bytes)
    const script = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[3:]: z.write(sys.argv[2] + '/' + name.replace('/', '-'), name)`
    const made = join(folder, 'made.zip')
    execFileSync('python3', ['-c', script, made, folder, ...files.keys()])
    const found = await unzip(new Uint8Array(readFileSync(made)))
    assert.deepEqual(found, files)
    assert.equal((await readKit([new File([readFileSync(made)], 'made.zip')])).facts.vault.id, ID)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what was changed, is missing, damaged, or something else is refused', async () => {
  const refused = (error: unknown): boolean => isFailure(error, 'storage.kit')
  await assert.rejects(readKit([await zipped(await kitOf({ hash: 'b'.repeat(64) }))]), refused)
  const lacking = await kitOf()
  lacking.delete('spec/sheet.html')
  await assert.rejects(readKit([await zipped(lacking)]), refused)
  await assert.rejects(readKit([new File(['no zip'], 'x.zip')]), refused)
  await assert.rejects(readKit([new File(['{}'], 'kit.json')]), refused)
  const whole = new Uint8Array(await (await zipped(await kitOf())).arrayBuffer())
  // Cut anywhere, or altered in its directory, it is refused and never read wrongly.
  for (let at = 0; at < whole.length - 1; at += 97) await assert.rejects(unzip(whole.slice(0, at)), refused, `cut at ${at}`)
})
