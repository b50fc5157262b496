// Published values: the test tree of Certificate Transparency, the examples of the specifications, RFC 6962.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, isFailure, toHex, utf8 } from '#base'
import {
  createProver,
  Edge,
  EMPTY_ROOT,
  hashAt,
  leafHash,
  nodeHash,
  parseCheckpointText,
  parseKey,
  parseNote,
  tilePath,
  tilesOf,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '#format/log'
import { verifyEd25519 } from '#crypto/primitives'
import { readerOf } from './tiles-of.ts'

// google/certificate-transparency, merkletree tests: inputs, roots of the trees of the first 1..8 of them, paths and proofs.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(fromHex)
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const PATHS: readonly { readonly index: number; readonly size: number; readonly path: readonly string[] }[] = [
  { index: 0, size: 1, path: [] },
  {
    index: 0,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    size: 8,
    path: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { index: 2, size: 3, path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    index: 1,
    size: 5,
    path: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
]
const PROOFS: readonly { readonly from: number; readonly size: number; readonly proof: readonly string[] }[] = [
  { from: 1, size: 1, proof: [] },
  {
    from: 1,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    from: 6,
    size: 8,
    proof: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    from: 2,
    size: 5,
    proof: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
]

test('RFC 6962 section 2.1: the root of the empty tree is the hash of the empty string', () => {
  assert.equal(toHex(EMPTY_ROOT), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(toHex(new Edge().root()), toHex(EMPTY_ROOT))
})

test('the roots of the test tree of Certificate Transparency', () => {
  const edge = new Edge()
  for (const [n, leaf] of LEAVES.entries()) {
    edge.append(leafHash(leaf))
    assert.equal(toHex(edge.root()), ROOTS[n])
    assert.equal(toHex(Edge.from(edge.size, edge.bytes()).root()), ROOTS[n])
  }
})

test('the inclusion proofs of the test tree of Certificate Transparency', async () => {
  for (const { index, size, path } of PATHS) {
    const proof = await createProver(size, readerOf(LEAVES)).inclusion(index)
    assert.deepEqual(proof.map(toHex), path)
    verifyInclusion({ index, size, hash: leafHash(LEAVES[index]!), proof, root: fromHex(ROOTS[size - 1]!) })
  }
})

test('the consistency proofs of the test tree of Certificate Transparency', async () => {
  for (const { from, size, proof } of PROOFS) {
    const made = await createProver(size, readerOf(LEAVES)).consistency(from)
    assert.deepEqual(made.map(toHex), proof)
    verifyConsistency({ from, fromRoot: fromHex(ROOTS[from - 1]!), size, root: fromHex(ROOTS[size - 1]!), proof: made })
  }
})

test('c2sp.org/signed-note: the example verifies under its verifier key, and no other text does', () => {
  const key = parseKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
  const source =
    'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
  const { text, signatures } = parseNote(utf8(source))
  const [line] = signatures
  assert.ok(line !== undefined && line.name === key.name && line.id === key.id)
  assert.equal(text, 'This is an example message.\n')
  assert.ok(verifyEd25519(key.key, utf8(text), line.signature))
  assert.ok(!verifyEd25519(key.key, utf8(text.replace('example', 'exemple')), line.signature))
})

test('golang.org/x/mod/sumdb/note: the example of its documentation verifies', () => {
  const key = parseKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
  const source =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
  const { text, signatures } = parseNote(utf8(source))
  assert.equal(signatures[0]?.id, key.id)
  assert.ok(verifyEd25519(key.key, utf8(text), signatures[0].signature))
})

test('c2sp.org/tlog-checkpoint: the example is read, and is signed by nobody we know', () => {
  const source =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n'
  const { origin, size } = parseCheckpointText(parseNote(utf8(source)).text)
  assert.deepEqual({ origin, size }, { origin: 'example.com/behind-the-sofa', size: 20_852_163 })
  const stranger = parseKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
  assert.throws(
    () => verifyCheckpoint(utf8(source), [stranger]),
    (error) => isFailure(error, 'audit.unsigned'),
  )
})

test('c2sp.org/tlog-tiles: the path of index 1234067, and the tiles of a tree of 70000 and of 256', () => {
  assert.equal(tilePath({ kind: 'hashes', level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
  assert.deepEqual(tilesOf(0, 70_000), { full: 273, partial: 112 })
  assert.deepEqual(tilesOf(1, 70_000), { full: 1, partial: 17 })
  assert.deepEqual(tilesOf(2, 70_000), { full: 0, partial: 1 })
  assert.deepEqual(tilesOf(0, 256), { full: 1, partial: 0 })
  assert.deepEqual(tilesOf(1, 256), { full: 0, partial: 1 })
})

test('RFC 6962 section 2.1: a tile of level 1 holds the roots of 256 leaves', async () => {
  const leaves = Array.from({ length: 256 }, (_, n) => utf8(String(n)))
  const read = readerOf(leaves)
  let hashes = leaves.map(leafHash)
  while (hashes.length > 1) hashes = Array.from({ length: hashes.length / 2 }, (_, n) => nodeHash(hashes[2 * n]!, hashes[2 * n + 1]!))
  assert.equal(toHex(hashAt(await read({ kind: 'hashes', level: 1, index: 0, width: 1 }), 0)), toHex(hashes[0]!))
})
