// The engine of the recovery page against vaults that the product wrote, vaults of every release and the vectors; liars are named.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { ChangeRequest } from '#contract'
import { random, signer } from '#crypto/primitives'
import { saveAll } from '../../recovery/page/save.ts'
import { look, type Told, type Vault } from '../../recovery/page/vault.ts'
import { encodeVaultHead, headName, parseVaultHead } from '../../src/storage/head.ts'
import { hashOf } from '../storage/crash-model.ts'
import { finished, makeSite, pattern, put, type TestSite } from '../storage/site.ts'
import { patient, placeOfBytes, placesOf } from './page-places.ts'

const DATA = resolve(import.meta.dirname, '../data')

interface Saved {
  readonly files: ReadonlyMap<string, string>
  readonly lost: readonly string[]
  readonly notSigned: number
}

async function save(vault: Vault): Promise<Saved> {
  const files = new Map<string, string>()
  const outcome = await saveAll(
    vault,
    {
      folder: async () => undefined,
      file: async (parts, given) => void files.set(`/${parts.join('/')}`, hashOf(new Uint8Array(await given.data.arrayBuffer()))),
    },
    patient,
  )
  return { files, lost: outcome.lost.map(({ path, code }) => `${path} ${code}`), notSigned: outcome.notSigned }
}

async function only(folders: readonly string[], told: Told = {}, labels?: readonly string[]): Promise<Vault> {
  const vaults = await look(placesOf(folders, labels), told, patient)
  assert.equal(vaults.length, 1)
  return vaults[0]!
}

/** A vault in folders, closed; the current bytes of every file. */
async function written(context: TestContext, request: Parameters<typeof makeSite>[0], live: (site: TestSite) => Promise<void>) {
  const site = await makeSite(request)
  context.after(() => site.end().catch(() => rm(site.root, { recursive: true, force: true })))
  await live(site)
  const dealer = (await site.storage.site()).vault!.dealer
  await site.storage.close()
  return { site, dealer }
}

async function busy({ storage }: TestSite): Promise<void> {
  await put(storage, '/a/one', pattern(600_000, 1))
  await put(storage, '/a/two', pattern(10, 2))
  await put(storage, '/a/two', pattern(11, 3))
  await storage.copy({ from: '/a/one', to: '/copy of one', replace: false })
  await storage.move({ from: '/a', to: '/Ünï/深い', replace: false })
  await put(storage, '/gone', pattern(500, 5))
  await storage.remove({ path: '/gone', recursive: false })
  await put(storage, '/empty file', new Uint8Array(0))
  await storage.createFolder({ path: '/empty/folder' })
}

const EXPECTED = new Map([
  ['/copy of one', hashOf(pattern(600_000, 1))],
  ['/empty file', hashOf(new Uint8Array(0))],
  ['/Ünï/深い/one', hashOf(pattern(600_000, 1))],
  ['/Ünï/深い/two', hashOf(pattern(11, 3))],
])

const sorted = (files: ReadonlyMap<string, string>): string[][] => [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))

for (const layout of ['shared', 'sealed'] as const)
  for (const [threshold, count] of [
    [2, 3],
    [3, 5],
  ] as const)
    test(`${layout} ${threshold} of ${count}: files and folder names from k places`, async (context) => {
      const { site, dealer } = await written(context, { layout, threshold, count }, busy)
      const vault = await only(site.folders.slice(-threshold), { dealer, k: threshold })
      assert.deepEqual([vault.name, vault.catalogue, vault.choice.head?.k, vault.dealer?.known], ['Test', 'whole', threshold, 'sheet'])
      assert.deepEqual(vault.folders, ['/empty', '/empty/folder', '/Ünï', '/Ünï/深い'].toSorted())
      assert.deepEqual(
        vault.away.map(({ place }) => place),
        site.folders.slice(0, count - threshold).map((folder) => `folder:${folder}`),
      )
      const { files, lost, notSigned } = await save(vault)
      assert.deepEqual([sorted(files), lost, vault.notes, notSigned], [sorted(EXPECTED), [], [], 0])
      // One fewer gives nothing.
      const few = await look(placesOf(site.folders.slice(0, threshold - 1)), {}, patient)
      for (const one of few) assert.deepEqual((await save(one)).files, new Map())
    })

test('a liar at every kind of file is named, and everything comes back', async (context) => {
  const { site } = await written(context, {}, busy)
  const liar = site.folders[1]!
  const names = readdirSync(liar, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name) && name[2] === '/')
  for (const [index, name] of names.toSorted().entries()) {
    const bytes = readFileSync(join(liar, name))
    // In turn: inside a record, in the frame, the whole file.
    if (index % 3 === 0) bytes[400]! ^= 1
    else if (index % 3 === 1) bytes[bytes.length - 40]! ^= 1
    else bytes.fill(7)
    await writeFile(join(liar, name), bytes)
  }
  const vault = await only(site.folders, {}, ['a', 'b', 'c'])
  const { files, lost } = await save(vault)
  assert.deepEqual([sorted(files), lost], [sorted(EXPECTED), []])
  assert.deepEqual([...new Set(vault.notes.map(({ place }) => place))], ['b'])
  assert.deepEqual([...new Set(vault.notes.map(({ wrong }) => wrong))].toSorted(), ['frame', 'framing', 'record'])
})

test('one forged head does not win; of two dealers at one place each none is taken, and the sheet decides', async (context) => {
  const { site, dealer } = await written(context, {}, busy)
  const liar = site.folders[1]!
  const [name] = readdirSync(liar, { recursive: true, encoding: 'utf8' })
    .filter((one) => /head\/.*\/[0-9a-f]{16}$/.test(one))
    .toSorted()
    .toReversed()
  const head = parseVaultHead(readFileSync(join(liar, name!)))
  const { dealer: trueDealer, signature: _s, v: _v, ...rest } = head
  const forged = encodeVaultHead(
    { ...rest, epoch: head.epoch + 9, segments: [], catalogue: null, formerDealers: [trueDealer] },
    signer({ mldsa65: random(32), ed25519: random(32) }),
  )
  await rm(join(liar, 'head'), { recursive: true })
  await mkdir(join(liar, 'head', head.vault), { recursive: true })
  await writeFile(join(liar, headName(head.vault, head.epoch + 9)), forged)
  const all = await only(site.folders)
  assert.equal(all.choice.head?.dealer, dealer)
  assert.deepEqual(sorted((await save(all)).files), sorted(EXPECTED))
  const two = await only(site.folders.slice(0, 2))
  assert.deepEqual([two.choice.head, two.choice.complaint], [undefined, 'dealers-differ'])
  const told = await only(site.folders.slice(0, 2), { dealer })
  assert.deepEqual([told.choice.head?.epoch, told.dealer?.known], [head.epoch, 'sheet'])
  assert.deepEqual(sorted((await save(told)).files), sorted(EXPECTED))
  const other = await only(site.folders, { dealer: 'ab'.repeat(32) })
  assert.deepEqual([other.choice.head, other.choice.complaint], [undefined, 'other-dealer'])
})

test('without any head the catalogue is known by its type; without a catalogue files have their first names', async (context) => {
  const { site } = await written(context, {}, busy)
  for (const folder of site.folders) await rm(join(folder, 'head'), { recursive: true })
  const vault = await only(site.folders.slice(1))
  assert.deepEqual([vault.catalogue, vault.dealer, vault.floor], ['whole', undefined, 2])
  const { files, notSigned } = await save(vault)
  assert.deepEqual([sorted(files), notSigned], [sorted(EXPECTED), 4])
})

test('what was put after the last part of the catalogue is there; what is not whole is not', async (context) => {
  const site = await makeSite({ options: { logLimits: { flushMs: 3_600_000 } } })
  context.after(() => site.end())
  await put(site.storage, '/x', pattern(100, 1))
  await site.reopen()
  await put(site.storage, '/x', pattern(200, 2))
  await put(site.storage, '/late/new', pattern(300, 3))
  await put(site.storage, '/half', pattern(400, 4))
  const half = (await site.storage.placement({ path: '/half' })).fragments
  const copies = site.folders.map((_, index) => join(site.root, `copy-${index}`))
  for (const [index, folder] of site.folders.entries()) await cp(folder, copies[index]!, { recursive: true })
  for (const index of [0, 1]) {
    const file = join(copies[index]!, half[index]!.name!)
    await writeFile(file, readFileSync(file).subarray(0, 300))
  }
  const vault = await only(copies)
  const { files } = await save(vault)
  assert.deepEqual(
    sorted(files),
    sorted(
      new Map([
        ['/x', hashOf(pattern(200, 2))],
        ['/late/new', hashOf(pattern(300, 3))],
      ]),
    ),
  )
})

const CHANGES: Readonly<Record<string, ChangeRequest>> = {
  'another threshold': { threshold: 3 },
  'another layout': { layout: 'sealed' },
  'fresh shares': { refresh: 'shares' },
  'fresh keys': { refresh: 'keys' },
}

for (const [what, request] of Object.entries(CHANGES))
  test(`after a change: ${what}`, async (context) => {
    const { site } = await written(context, { threshold: 2, count: 4 }, async (one) => {
      await busy(one)
      const { task } = await one.storage.requestChange(request)
      if (task !== null) {
        const ended = await finished(one.storage, Promise.resolve({ id: task }))
        assert.equal(ended.state, 'done', JSON.stringify(ended.problem))
      }
    })
    const vault = await only(site.folders)
    const { files, lost } = await save(vault)
    assert.deepEqual([sorted(files), lost, vault.unknownLines], [sorted(EXPECTED), [], 0])
    assert.deepEqual(vault.choice.head?.k, request.threshold ?? 2)
    const few = await only(site.folders.slice(-(request.threshold ?? 2)))
    assert.deepEqual(sorted((await save(few)).files), sorted(EXPECTED))
  })

test('what was removed comes back from the trash, and it is said; no line of the catalogue is strange', async (context) => {
  const { site } = await written(context, {}, async (one) => {
    await busy(one)
    await one.storage.moveToTrash({ path: '/copy of one', recursive: false })
  })
  const vault = await only(site.folders.slice(1))
  const { files, lost } = await save(vault)
  const inTrash = [...files].filter(([path]) => path.startsWith('/.quorate-trash/'))
  assert.deepEqual([vault.trashed, vault.unknownLines, lost], [inTrash.length, 0, []])
  assert.ok(inTrash.some(([path, hash]) => path.endsWith('/copy of one') && hash === EXPECTED.get('/copy of one')))
})

test('two places in one folder count as one, and it is said', async (context) => {
  const { site } = await written(context, {}, busy)
  const both = join(site.root, 'both')
  for (const index of [0, 1]) await cp(site.folders[index]!, join(both, String(index)), { recursive: true })
  const vaults = await look(placesOf([both]), {}, patient)
  for (const vault of vaults) assert.deepEqual((await save(vault)).files, new Map())
  assert.equal(vaults.length, 1)
  assert.ok(vaults[0]!.notes.some(({ wrong }) => wrong === 'several-markers'))
})

suite('vaults of every release', () => {
  const found = readdirSync(join(DATA, 'vaults'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('expect.json'))
  assert.ok(found.length >= 2)
  for (const name of found)
    test(name, async () => {
      const folder = join(DATA, 'vaults', name, '..')
      const expected = JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as {
        threshold: number
        dealer: string
        files: Record<string, string[]>
      }
      const places = readdirSync(folder).filter((one) => one !== 'expect.json')
      for (const away of places) {
        const vault = await only(
          places.filter((one) => one !== away).map((one) => join(folder, one)),
          { dealer: expected.dealer },
        )
        const want = new Map(Object.entries(expected.files).map(([path, versions]) => [path, versions.at(-1)]))
        const { files, lost, notSigned } = await save(vault)
        assert.deepEqual([sorted(files), lost, notSigned], [sorted(want), [], 0])
      }
    })
})

suite('vectors: single fragments, each a place of its own', () => {
  const folders = readdirSync(join(DATA, 'fragment')).filter((name) => /^s[12]-/.test(name))
  assert.ok(folders.length >= 8)
  for (const folder of folders)
    test(folder, async () => {
      const expected = JSON.parse(readFileSync(join(DATA, 'fragment', folder, 'expect.json'), 'utf8')) as {
        k: number
        n: number
        sha256: string
        metaJson: string
      }
      const bytes = (x: number): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(DATA, 'fragment', folder, `${x}.frg`)))
      const places = Array.from({ length: expected.k }, (_, index) =>
        placeOfBytes(`${index}`, { [`${expected.n - index}.frg`]: bytes(expected.n - index) }),
      )
      const [vault] = await look(places, {}, patient)
      const { files } = await save(vault!)
      assert.deepEqual([...files.values()], [expected.sha256])
      assert.deepEqual(
        vault!.rows.map(({ path }) => path),
        [`/${(JSON.parse(expected.metaJson) as { path: string }).path.replace(/^\//, '')}`],
      )
      assert.deepEqual(
        (await look(places.slice(1), {}, patient)).flatMap(({ rows }) => rows),
        [],
      )
    })
})

test('names that would leave the folder, or that two files share, get names of their own', async () => {
  const { Namer, safeParts } = await import('../../recovery/page/names.ts')
  for (const path of [
    '/../x',
    '/a/./b',
    '/a//b',
    '/con',
    '/a/NUL.txt',
    '/x\u0000',
    '/a\\b',
    '/end.',
    `/${'n'.repeat(300)}`,
    '/C:x',
    '/\ud800',
  ])
    assert.equal(safeParts(path), undefined, path)
  const namer = new Namer()
  assert.deepEqual(
    ['/a/Scan.dcm', '/a/scan.dcm', '/A/SCAN.DCM', '/../x'].map((path) => namer.name(path, 'id').parts.join('/')),
    ['a/Scan.dcm', 'a/scan (2).dcm', 'A/SCAN (3).DCM', 'unsafe-names/id'],
  )
})

test('what is put into the archive is what another program reads', async (context) => {
  const { crc32, Zip } = await import('#base')
  const { spawnSync } = await import('node:child_process')
  const zip = new Zip()
  zip.addFolder(['leer'])
  for (const [name, bytes] of [
    ['grüße/深い.bin', pattern(70_000, 3)],
    ['empty', new Uint8Array(0)],
  ] as const)
    zip.addFile(name.split('/'), {
      data: new Blob([bytes as Uint8Array<ArrayBuffer>]),
      crc: crc32(bytes),
      modified: '2024-02-29T12:34:56Z',
    })
  const folder = await mkdtemp(join(tmpdir(), 'zip-'))
  context.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'all.zip'), new Uint8Array(await zip.finish().arrayBuffer()))
  const program =
    'import sys,zipfile,hashlib; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print([(i.filename,hashlib.sha256(z.read(i)).hexdigest(),i.date_time) for i in z.infolist()])'
  const python = spawnSync('python3', ['-c', program, join(folder, 'all.zip')], { encoding: 'utf8' })
  if (python.error !== undefined) return context.skip('python3 is not here')
  assert.equal(python.stderr, '')
  assert.match(python.stdout, /'leer\/'/)
  assert.ok(python.stdout.includes(`('grüße/深い.bin', '${hashOf(pattern(70_000, 3))}', (2024, 2, 29, 12, 34, 56))`), python.stdout)
})
