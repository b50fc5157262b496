// Vectors of an independent writer (test/data/fragment/README.md): what is good is read, what is bad is refused and blamed as listed.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { toHex } from '#base'
import {
  assemble,
  canonicalJson,
  commitment,
  fetchFrame,
  type FragmentFile,
  type Json,
  parseMeta,
  restoreBytes,
  type Variant,
} from '#format'
import { sha256 } from '#crypto/primitives'
import { bytesOf, dealerKeys, expected, FOLDER, goodFolders, memoryFile, vectorFile } from './vectors.ts'

interface Read {
  readonly files: readonly string[]
  readonly oneLocation?: boolean
  readonly asked?: { readonly k?: number; readonly dealId?: string }
  readonly ok: boolean
  readonly from?: readonly string[]
  readonly blames?: readonly string[]
  readonly heads?: readonly { readonly file: string; readonly damaged: string }[]
  readonly conflict?: readonly string[] | true
  readonly refused?: readonly string[]
}

interface BadFolder {
  readonly folder: string
  readonly about: string
  readonly sha256: string
  readonly dealerKeys: { readonly mldsa65: string; readonly ed25519: string }
  readonly reads: readonly Read[]
}

function* subsetsOf<T>(items: readonly T[], size: number, from = 0, taken: readonly T[] = []): Generator<readonly T[]> {
  if (taken.length === size) yield taken
  else for (let index = from; index < items.length; index++) yield* subsetsOf(items, size, index + 1, [...taken, items[index]!])
}

suite('good fragments', () => {
  const folders = goodFolders()
  assert.ok(folders.length >= 8)
  for (const folder of folders) {
    test(folder, async () => {
      const want = expected(folder)
      const names = Array.from({ length: want.n }, (_, index) => `${index + 1}.frg`)
      const dealers = [dealerKeys(want.dealerKeys)]
      let cases = 0
      for (const size of [want.k, want.n]) {
        for (const chosen of subsetsOf(names, size)) {
          const restored = await restoreBytes({ files: chosen.map((name) => vectorFile(folder, name)), dealers })
          assert.equal(restored.failure, undefined)
          assert.equal(toHex(sha256(restored.data)), want.sha256)
          assert.deepEqual(restored.blames, [])
          assert.equal(restored.dealer, 'verified')
          assert.equal(canonicalJson(parseMeta(restored.report.chosen!.meta).json as Json), want.metaJson)
          cases += 1
        }
      }
      assert.ok(cases > want.n)
      for (const chosen of subsetsOf(names, want.k - 1)) {
        const restored = await restoreBytes({ files: chosen.map((name) => vectorFile(folder, name)) })
        assert.equal(restored.failure?.code, 'format.incomplete')
        assert.deepEqual(restored.blames, [])
      }
    })

    test(`${folder}: every derived value`, async () => {
      const want = expected(folder)
      const frames = await Promise.all(want.debug.fragments.map(({ file }) => fetchFrame(vectorFile(folder, file), { front: true })))
      const { chosen } = assemble(frames)
      assert.ok(chosen)
      assert.equal(toHex(chosen.K), want.debug.K)
      assert.equal(toHex(chosen.F), want.debug.F ?? '')
      assert.equal(toHex(chosen.keys.contentId), want.debug.contentId)
      assert.equal(toHex(chosen.keys.chunkKey), want.debug.Kt)
      assert.equal(toHex(chosen.keys.manifestKey), want.debug.Km)
      assert.equal(want.debug.fragments.length, want.n)
      for (const fragment of want.debug.fragments) {
        const variant: Variant = chosen.members.find(({ frame }) => frame.file === fragment.file)!.variant
        assert.equal(variant.head.x, fragment.x)
        assert.equal(toHex(chosen.keys.fragmentKey(variant.head)), fragment.Kx)
        assert.equal(toHex(commitment({ ...variant.head, ktag: variant.ktag, nonce: variant.nonce })), fragment.commitment)
        const bytes = bytesOf(folder, fragment.file)
        const end = variant.head.bytes.length + variant.shape.recordBytes(0)
        assert.equal(toHex(bytes.subarray(end - 16, end)), fragment.ftag0)
      }
    })
  }
})

suite('bad fragments', () => {
  const folders = JSON.parse(readFileSync(join(FOLDER, 'bad', 'expect.json'), 'utf8')) as readonly BadFolder[]
  assert.ok(folders.length >= 10)
  for (const { folder, about, sha256: hash, dealerKeys: keys, reads } of folders) {
    for (const [number, read] of reads.entries()) {
      test(`${folder} ${number}: ${about}`, async () => {
        const files = read.files.map((name): FragmentFile => vectorFile(`bad/${folder}`, name, read.oneLocation ? 'one' : name))
        const restored = await restoreBytes({ files, asked: read.asked ?? {}, dealers: [dealerKeys(keys)] })
        assert.equal(restored.failure === undefined, read.ok, restored.failure?.message ?? 'read')
        if (read.ok) assert.equal(toHex(sha256(restored.data)), hash)
        if (read.from) for (const file of restored.from) assert.ok(read.from.includes(file))
        if (read.blames) assert.deepEqual(restored.blames.map(({ frame }) => frame.file).toSorted(), read.blames)
        else assert.deepEqual(restored.blames, [])
        assert.deepEqual(
          restored.report.heads.map(({ frame, damaged }) => ({ file: frame.file, damaged })),
          read.heads ?? [],
        )
        if (read.conflict === true) assert.equal(restored.failure?.code, 'format.conflict')
        else
          assert.deepEqual(
            restored.report.conflicts.map(({ file }) => file),
            read.conflict ?? [],
          )
        assert.deepEqual(
          restored.report.refused.map(({ file }) => file),
          read.refused ?? [],
        )
      })
    }
  }
})

test('a flip in every byte of a fragment is blamed on it, or its HEAD copy reported', async () => {
  const folder = 's1-2of3-13'
  const want = expected(folder)
  const [one, two, three] = ['1.frg', '2.frg', '3.frg'].map((name) => bytesOf(folder, name))
  const counts = { blamed: 0, heads: 0, refusedAlone: 0, readAlone: 0 }
  for (let offset = 0; offset < two!.length; offset++) {
    const flipped = two!.slice()
    flipped[offset]! ^= 1 << (offset % 8)
    const files = [memoryFile('a', '1', one!), memoryFile('b', '2', flipped), memoryFile('c', '3', three!)]
    const all = await restoreBytes({ files })
    assert.equal(all.failure, undefined, `offset ${offset}`)
    assert.equal(toHex(sha256(all.data)), want.sha256)
    const blamed = all.blames.map(({ frame }) => frame.file)
    const heads = all.report.heads.map(({ frame }) => frame.file)
    assert.deepEqual([...blamed, ...heads], ['2'], `offset ${offset}`)
    if (blamed.length > 0) counts.blamed += 1
    else counts.heads += 1
    const alone = await restoreBytes({ files: files.slice(0, 2) })
    assert.ok(!alone.blames.some(({ frame }) => frame.file === '1'))
    if (alone.failure === undefined) {
      assert.deepEqual(
        alone.report.heads.map(({ frame }) => frame.file),
        ['2'],
      )
      counts.readAlone += 1
    } else counts.refusedAlone += 1
  }
  assert.equal(counts.blamed, 6330)
  assert.equal(counts.heads, 282)
  assert.equal(counts.readAlone, 282)
})

test('a fragment whose HEAD copies are both damaged alike never spoils the others', async () => {
  for (const folder of ['s1-2of3-13', 's2-2of3-70000']) {
    const want = expected(folder)
    const [one, two, three] = ['1.frg', '2.frg', '3.frg'].map((name) => bytesOf(folder, name))
    const { head } = (await fetchFrame(memoryFile('b', '2', two!), { front: true })).variants[0]!
    const trailer = two!.length - 8 - new DataView(two!.buffer).getUint32(two!.length - 8)
    for (let offset = 0; offset < head.bytes.length; offset++) {
      const flipped = two!.slice()
      flipped[offset]! ^= 1 << (offset % 8)
      flipped[trailer + offset]! ^= 1 << (offset % 8)
      for (const order of [
        [one!, flipped, three!],
        [flipped, one!, three!],
        [three!, one!, flipped],
      ]) {
        const files = order.map((bytes, index) => memoryFile(`${index}`, bytes === flipped ? 'bad' : `${index}`, bytes))
        const all = await restoreBytes({ files })
        assert.equal(all.failure, undefined, `${folder} offset ${offset}`)
        assert.equal(toHex(sha256(all.data)), want.sha256)
        const named = [
          ...all.blames.map(({ frame }) => frame),
          ...all.report.incomplete,
          ...all.report.refused,
          ...all.report.conflicts,
        ].map(({ file }) => file)
        assert.deepEqual(named, ['bad'], `${folder} offset ${offset}`)
      }
    }
  }
})
