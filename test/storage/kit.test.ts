// A kit says what a new machine needs, gives secrets only to officers, grows old visibly, and brings a site back.
import assert from 'node:assert/strict'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Decrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { fromBase64, fromUtf8, isFailure, toHex } from '#base'
import { type Kit, kitFacts, type KitSecrets, kitSecrets } from '#contract'
import { sha256 } from '#crypto/primitives'
import { filesOf } from './crash-run.ts'
import { type FaultySite, withFaultySite } from './faulty-site.ts'
import { finished, pattern, put } from './site.ts'

const SECRET = 'wJalrXUtnFEMI-not-a-real-key'

function fileOf(kit: Kit, name: string): Uint8Array {
  const found = kit.files.find((file) => file.name === name)
  assert.ok(found, name)
  return fromBase64(found.data)
}

async function opened(kit: Kit, identity: string): Promise<KitSecrets> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  return kitSecrets.parse(JSON.parse(await decrypter.decrypt(fileOf(kit, 'secrets.age'), 'text')))
}

async function lose(site: FaultySite): Promise<void> {
  await site.storage.close()
  await rm(site.home, { recursive: true })
  await mkdir(site.home, { mode: 0o700 })
  await site.reopen()
}

const plain = { officers: [], credentials: false, signingKeys: false } as const

/** Two folders and two buckets, one with a key file and one with the key in variables; all behind memory. */
async function withBuckets(work: (site: FaultySite) => Promise<void>): Promise<void> {
  const variables = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET, OTHER_SECRET: 'never to leave' }
  await withFaultySite({ vault: false, options: { variables } }, async (site) => {
    const keyFile = join(site.root, 'keys.toml')
    await writeFile(keyFile, `access_key_id = "AKIDFILE"\nsecret_access_key = "${SECRET}-file"\n`)
    await site.storage.createVault({
      name: 'Biobank <1>',
      threshold: 2,
      locations: [
        { spec: `folder:${site.folders[0]}`, label: 'a' },
        { spec: `s3:https://s3.example.org/bucket/vault?credentials=${keyFile}`, label: 'West' },
        { spec: 's3:https://s3.example.net/other', label: 'East' },
      ],
    })
    await put(site.storage, '/x', pattern(5000, 1))
    await work(site)
  })
}

suite('what a kit holds', () => {
  test('facts, programs, pages and a sheet, each with its hash; and no secret', () =>
    withBuckets(async (site) => {
      const kit = await site.storage.makeKit(plain)
      const facts = kitFacts.parse(JSON.parse(fromUtf8(fileOf(kit, 'kit.json'))))
      assert.deepEqual(facts, kit.facts)
      for (const name of ['recover.py', 'recover.html', 'README.md', 'spec/fragment.md', 'spec/vault.md', 'sheet.html', 'START-HERE.txt'])
        assert.equal(toHex(sha256(fileOf(kit, name))), facts.files[name], name)
      assert.deepEqual(fileOf(kit, 'recover.py'), new Uint8Array(await readFile(join(import.meta.dirname, '../../recovery/recover.py'))))
      const { vault } = await site.storage.site()
      assert.deepEqual([facts.vault.id, facts.vault.threshold, facts.dealer.fingerprint], [vault!.id, 2, vault!.dealer])
      assert.deepEqual(
        facts.locations.map(({ label, x }) => `${x} ${label}`),
        ['1 a', '2 West', '3 East'],
      )
      const sheet = fromUtf8(fileOf(kit, 'sheet.html'))
      for (const text of ['lang="en"', 'lang="de"', 'Biobank &lt;1&gt;', 'West', facts.vault.id.slice(0, 4)])
        assert.ok(sheet.includes(text), text)
      const home = await readFile(join(site.home, 'signing.key'))
      for (const { name, data } of kit.files) {
        const bytes = Buffer.from(fromBase64(data))
        for (const secret of [SECRET, 'never to leave', 'AKIDEXAMPLE']) assert.equal(bytes.includes(secret), false, name)
        assert.equal(bytes.includes(home), false, name)
      }
    }))

  test('secrets are sealed to every officer, also against quantum computers, and only what was asked for', () =>
    withBuckets(async (site) => {
      const identities = [await generateHybridIdentity(), await generateHybridIdentity()]
      const officers = await Promise.all(
        identities.map(async (identity, index) => ({ name: `Officer ${index}`, recipient: await identityToRecipient(identity) })),
      )
      assert.match(officers[0]!.recipient, /^age1pq1/)
      const kit = await site.storage.makeKit({ officers, credentials: true, signingKeys: true })
      assert.deepEqual(kit.facts.sealed?.contains, ['credentials', 'signing-keys'])
      for (const { data } of kit.files) assert.equal(Buffer.from(fromBase64(data)).includes(SECRET), false)
      for (const identity of identities) {
        const secrets = await opened(kit, identity)
        const [, west, east] = kit.facts.locations
        assert.deepEqual(
          secrets.files.map(({ location, field }) => [location, field]),
          [[west!.location, 'credentials']],
        )
        assert.ok(fromUtf8(fromBase64(secrets.files[0]!.data)).includes(`${SECRET}-file`))
        assert.deepEqual(secrets.variables, [
          { location: east!.location, values: { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET } },
        ])
        assert.ok(secrets.signingKeys?.keyFile)
      }
      const stranger = new Decrypter()
      stranger.addIdentity(await generateHybridIdentity())
      await assert.rejects(stranger.decrypt(fileOf(kit, 'secrets.age')))
      const onlyKeys = await site.storage.makeKit({ officers, credentials: false, signingKeys: true })
      assert.deepEqual((await opened(onlyKeys, identities[0]!)).files, [])
    }))

  test('every kind of location comes with what opens it, wherever that stood', async () => {
    const variables = {
      QUORATE_SFTP_PASSWORD: `${SECRET}-sftp`,
      QUORATE_WEBDAV_USER: 'maria',
      QUORATE_WEBDAV_PASSWORD: `${SECRET}-dav`,
    }
    await withFaultySite({ vault: false, options: { variables } }, async (site) => {
      const files = { key: join(site.root, 'id_ed25519'), passphrase: join(site.root, 'passphrase') }
      for (const [what, path] of Object.entries(files)) await writeFile(path, `${SECRET}-${what}\n`)
      const pin = `hostKey=${encodeURIComponent(`SHA256:${'A'.repeat(43)}`)}`
      await site.storage.createVault({
        threshold: 2,
        locations: [
          { spec: `sftp:ssh://q@files.example.org/vault?key=${files.key}&passphrase=${files.passphrase}&${pin}`, label: 'with key' },
          { spec: `sftp:ssh://q@other.example.org/vault?${pin}`, label: 'with password' },
          { spec: 'webdav:https://dav.example.org/vault', label: 'dav' },
        ],
      })
      const identity = await generateHybridIdentity()
      const officers = [{ name: 'Officer', recipient: await identityToRecipient(identity) }]
      const kit = await site.storage.makeKit({ officers, credentials: true, signingKeys: false })
      const secrets = await opened(kit, identity)
      const told = secrets.files.map(({ location, field, data }) => [
        kit.facts.locations.find((one) => one.location === location)!.label,
        field,
        fromUtf8(fromBase64(data)),
      ])
      assert.deepEqual(told, [
        ['with key', 'key', `${SECRET}-key\n`],
        ['with key', 'passphrase', `${SECRET}-passphrase\n`],
        ['with key', 'password', `${SECRET}-sftp\n`],
        ['with password', 'password', `${SECRET}-sftp\n`],
        ['dav', 'credentials', JSON.stringify({ user: 'maria', password: `${SECRET}-dav` })],
      ])
      assert.deepEqual(kit.notes, [])
    })
  })

  test('secrets for nobody, mixed strengths and a recipient that is none are refused', () =>
    withBuckets(async (site) => {
      const weak = await identityToRecipient(await generateX25519Identity())
      const strong = await identityToRecipient(await generateHybridIdentity())
      const two = [
        { name: 'Weak', recipient: weak },
        { name: 'Strong', recipient: strong },
      ]
      await assert.rejects(site.storage.makeKit({ ...plain, credentials: true }), (error) => isFailure(error, 'base.invalid'))
      await assert.rejects(
        site.storage.makeKit({ officers: two, credentials: true, signingKeys: false }),
        (error) => isFailure(error, 'base.invalid') && error.culprits.join() === 'Weak',
      )
      await assert.rejects(
        site.storage.makeKit({ officers: [{ name: 'Typo', recipient: 'age1abc' }], credentials: true, signingKeys: false }),
        (error) => isFailure(error, 'base.invalid') && error.culprits.join() === 'Typo',
      )
    }))
})

test('the status says when the kit is out of date, and when a year has passed without a drill', () =>
  withFaultySite({}, async (site) => {
    const codes = async (): Promise<string[]> => (await site.storage.status({ check: false })).messages.map(({ code }) => code)
    assert.deepEqual(await codes(), [])
    await site.storage.makeKit(plain)
    assert.deepEqual(await codes(), [])
    await site.storage.addLocation({ spec: `folder:${join(site.root, 'd')}`, label: 'd' })
    assert.ok((await codes()).includes('storage.kit'))
    await site.storage.makeKit(plain)
    assert.equal((await codes()).includes('storage.kit'), false)
  }))

suite('a site from a kit', () => {
  test('with its secrets: the same signing keys, key files in the home, the place that is away known by its id', () =>
    withBuckets(async (site) => {
      const identity = await generateX25519Identity()
      const officers = [{ name: 'Officer', recipient: await identityToRecipient(identity) }]
      const kit = await site.storage.makeKit({ officers, credentials: true, signingKeys: true })
      const secrets = await opened(kit, identity)
      const before = await filesOf(site.storage)
      const { vault } = await site.storage.site()
      await lose(site)
      await site.reopen({ variables: {} })
      site.at['a']!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      const task = await finished(site.storage, site.storage.restore({ kit: kit.facts, secrets, places: [] }))
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      assert.deepEqual((await site.storage.site()).vault, vault)
      const { locations } = await site.storage.status({ check: true })
      assert.deepEqual(
        locations.map(({ label, state }) => `${label} ${state}`),
        ['a unreachable', 'West healthy', 'East healthy'],
      )
      assert.deepEqual(await filesOf(site.storage), before)
      for (const { location } of kit.facts.locations.slice(1)) {
        const path = join(site.home, 'restored-credentials', `${location.slice(0, 8)}-credentials`)
        assert.equal((await stat(path)).mode & 0o777, 0o600)
        assert.ok((await readFile(path, 'utf8')).includes(SECRET))
      }
    }))

  test('without secrets the keys are new; too few places are named; a place that moved and a new empty one are told', () =>
    withFaultySite({ threshold: 2, count: 3 }, async (site) => {
      await put(site.storage, '/x', pattern(5000, 1))
      const before = await filesOf(site.storage)
      const kit = await site.storage.makeKit(plain)
      await lose(site)
      for (const label of ['b', 'c']) site.at[label]!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
      await assert.rejects(
        site.storage.restore({ kit: kit.facts, places: [] }),
        (error) => isFailure(error, 'storage.locations') && error.culprits.join() === 'b,c',
      )
      assert.equal((await site.storage.site()).vault, null)
      site.at['b']!.plan = () => undefined
      site.at['c']!.plan = () => undefined
      site.at['c']!.memory.objects.clear()
      const [, , c] = kit.facts.locations
      const places = [{ location: c!.location, spec: `folder:${join(site.root, 'new')}` }]
      const task = await finished(site.storage, site.storage.restore({ kit: kit.facts, places }))
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      assert.deepEqual(await filesOf(site.storage), before)
      assert.notEqual((await site.storage.site()).vault!.dealer, kit.facts.dealer.fingerprint)
      const { locations } = await site.storage.status({ check: true })
      assert.deepEqual(
        locations.map(({ label, state }) => `${label} ${state}`),
        ['a healthy', 'b healthy', 'c empty'],
      )
      await finished(site.storage, site.storage.repair({}))
      assert.equal((await site.storage.status({ check: true })).health, 'healthy')
      await assert.rejects(site.storage.restore({ kit: kit.facts, places }), (error) => isFailure(error, 'storage.vault-exists'))
    }))

  test('a kit of another vault, of another dealer, or with the secrets of another vault is refused', () =>
    withFaultySite({}, async (site) => {
      const { facts } = await site.storage.makeKit(plain)
      await lose(site)
      const dealer = { ...facts.dealer, fingerprint: 'ab'.repeat(32) }
      await assert.rejects(site.storage.restore({ kit: { ...facts, dealer }, places: [] }), (error) => isFailure(error, 'storage.kit'))
      const secrets: KitSecrets = { v: 1, kind: 'quorate kit secrets', vault: 'cd'.repeat(16), files: [], variables: [], signingKeys: null }
      await assert.rejects(site.storage.restore({ kit: facts, secrets, places: [] }), (error) => isFailure(error, 'storage.kit'))
      const other = { ...facts, vault: { ...facts.vault, id: 'cd'.repeat(16) } }
      await assert.rejects(site.storage.restore({ kit: other, places: [] }), (error) => isFailure(error, 'storage.locations'))
      assert.equal((await site.storage.site()).vault, null)
    }))
})
