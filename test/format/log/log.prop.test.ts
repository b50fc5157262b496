// Laws of the log: every proof of every pair verifies and no altered one does; parsers take their own bytes and refuse all others in their own words.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { concat, Failure, isFailure, toHex, utf8 } from '#base'
import {
  checkpointText,
  commitPersonal,
  createProver,
  Edge,
  encodeKey,
  encodeLeaf,
  encodeNote,
  encodeReceipt,
  leafHash,
  type Leaf,
  logSigners,
  newSalt,
  opensPersonal,
  parseBundle,
  parseCheckpointText,
  parseKey,
  parseLeaf,
  parseNote,
  parsePersonalLine,
  parseReceipt,
  parseTilePath,
  signCheckpoint,
  subtreesOf,
  tilePath,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
  verifyReceipt,
} from '#format/log'
import { asFiles, filesOf, readerOf } from './tiles-of.ts'

const SEEDS = { ed25519: new Uint8Array(32).fill(7), mldsa44: new Uint8Array(32).fill(9) }
const ORIGIN = 'quorate/log/00112233445566778899aabbccddeeff'
const SIGNERS = logSigners(ORIGIN, SEEDS)
const KEYS = SIGNERS.map(({ key }) => key)

function entriesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, n) => utf8(`entry ${n}`))
}

function rootsOf(entries: readonly Uint8Array[]): Uint8Array[] {
  const edge = new Edge()
  return [edge.root(), ...entries.map((entry) => (edge.append(leafHash(entry)), edge.root()))]
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const other = bytes.slice()
  other[at % other.length]! ^= 1 << (at % 8)
  return other
}

const refusedAs =
  (...codes: string[]) =>
  (error: unknown): boolean =>
    error instanceof Failure && codes.includes(error.code)

suite('the tree', () => {
  const SIZES = [...Array.from({ length: 34 }, (_, n) => n), 63, 64, 65, 255, 256, 257, 300, 511, 512, 513]

  test('every entry of every tree of these sizes is proven, and no other hash, index, size or root is', async () => {
    const entries = entriesOf(513)
    const roots = rootsOf(entries)
    const read = readerOf(entries)
    for (const size of SIZES) {
      const prover = createProver(size, read)
      assert.equal(toHex(await prover.root()), toHex(roots[size]!))
      for (let index = 0; index < size; index += size > 70 ? 17 : 1) {
        const proof = await prover.inclusion(index)
        const request = { index, size, hash: leafHash(entries[index]!), proof, root: roots[size]! }
        verifyInclusion(request)
        const wrong = [
          { ...request, hash: flipped(request.hash, index) },
          { ...request, root: flipped(request.root, index) },
          { ...request, index: index + 1 },
          { ...request, proof: [...proof, request.hash] },
          ...proof.map((_, n) => ({ ...request, proof: proof.map((hash, m) => (m === n ? flipped(hash, index + n) : hash)) })),
          ...(proof.length === 0
            ? []
            : [
                { ...request, proof: proof.slice(1) },
                { ...request, proof: proof.slice(0, -1) },
              ]),
        ]
        for (const one of wrong) assert.throws(() => verifyInclusion(one), refusedAs('audit.proof'))
      }
    }
  })

  test('every tree of these sizes is the beginning of every larger one, and of no other', async () => {
    const entries = entriesOf(513)
    const roots = rootsOf(entries)
    const read = readerOf(entries)
    for (const size of SIZES) {
      const prover = createProver(size, read)
      for (const from of SIZES.filter((one) => one <= size)) {
        const proof = await prover.consistency(from)
        const request = { from, fromRoot: roots[from]!, size, root: roots[size]!, proof }
        verifyConsistency(request)
        const wrong = [
          { ...request, fromRoot: flipped(request.fromRoot, size) },
          ...(from === 0 ? [] : [{ ...request, root: flipped(request.root, from) }]),
          { ...request, proof: [...proof, request.root] },
          ...proof.map((_, n) => ({ ...request, proof: proof.map((hash, m) => (m === n ? flipped(hash, n) : hash)) })),
          ...(proof.length === 0
            ? []
            : [
                { ...request, proof: proof.slice(1) },
                { ...request, proof: proof.slice(0, -1) },
              ]),
        ]
        for (const one of wrong) assert.throws(() => verifyConsistency(one), refusedAs('audit.proof'))
      }
    }
  })

  test('a tree above two levels of tiles is proven from its tiles', async () => {
    const entries = entriesOf(65_536 + 300)
    const size = entries.length
    const prover = createProver(size, readerOf(entries))
    const edge = new Edge()
    const before = new Map<number, Uint8Array>()
    for (const entry of entries) {
      edge.append(leafHash(entry))
      if ([1, 255, 65_535, 65_536, 65_537].includes(edge.size)) before.set(edge.size, edge.root())
    }
    const root = edge.root()
    assert.equal(toHex(await prover.root()), toHex(root))
    for (const index of [0, 255, 256, 65_535, 65_536, size - 1])
      verifyInclusion({ index, size, hash: leafHash(entries[index]!), proof: await prover.inclusion(index), root })
    for (const [from, fromRoot] of before) verifyConsistency({ from, fromRoot, size, root, proof: await prover.consistency(from) })
  })

  test('a right edge has a hash for every whole subtree, and no other number', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(40), (size, count) => {
        const fits = subtreesOf(size).length === count
        if (fits) Edge.from(size, new Uint8Array(32 * count))
        else assert.throws(() => Edge.from(size, new Uint8Array(32 * count)), refusedAs('audit.framing'))
      }),
    )
  })
})

suite('tiles', () => {
  test('a path is read as the tile that it was made of, and nothing else is a path', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(63),
        fc.oneof(fc.nat(2000), fc.nat({ max: 2 ** 31 - 1 }), fc.maxSafeNat()),
        fc.integer({ min: 1, max: 256 }),
        (isBundle, level, index, width) => {
          const tile = { kind: isBundle ? ('entries' as const) : ('hashes' as const), level: isBundle ? 0 : level, index, width }
          assert.deepEqual(parseTilePath(tilePath(tile)), tile)
        },
      ),
    )
    for (const path of [
      'tile/0/1',
      'tile/00/001',
      'tile/64/001',
      'tile/0/000/001',
      'tile/0/x000/001',
      'tile/0/001.p/0',
      'tile/0/001.p/256',
      'tile/0/001.p/257',
      'tile/0/001.p/01',
      'tile/-1/001',
      'tile/0/../001',
      'tile/0/001/',
      'tile/0/001.p/1/2',
      '/tile/0/001',
      'tile/entries/',
      `tile/0/${'x000/'.repeat(100)}001`,
    ])
      assert.equal(parseTilePath(path), undefined, path)
  })

  test('any bytes are exactly so many entries, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 1, max: 256 }), (bytes, width) => {
        try {
          const entries = parseBundle(bytes, width)
          assert.equal(entries.length, width)
          assert.equal(
            entries.reduce((sum, { length }) => sum + length + 2, 0),
            bytes.length,
          )
        } catch (error) {
          assert.ok(isFailure(error, 'audit.framing'))
        }
      }),
    )
  })
})

suite('the signed head', () => {
  const head = { origin: ORIGIN, size: 513, root: leafHash(utf8('root')) }
  const note = signCheckpoint(head, SIGNERS, 1_800_000_000)

  test('what was signed verifies under each key, with the time that it says', () => {
    const { size, root, origin, signers } = verifyCheckpoint(note, KEYS)
    assert.deepEqual({ size, root, origin }, { ...head })
    assert.deepEqual(
      signers.map(({ key, time }) => ({ type: key.type, time })),
      [
        { type: 1, time: undefined },
        { type: 6, time: 1_800_000_000 },
      ],
    )
    for (const key of KEYS) assert.equal(verifyCheckpoint(note, [key]).signers.length, 1)
  })

  test('no note with one altered bit is accepted under both keys', () => {
    fc.assert(
      fc.property(fc.nat(note.length * 8 - 1), (bit) => {
        const other = note.slice()
        other[Math.floor(bit / 8)]! ^= 1 << (bit % 8)
        try {
          assert.ok(verifyCheckpoint(other, KEYS).signers.length < KEYS.length)
        } catch (error) {
          assert.ok(refusedAs('audit.framing', 'audit.signature', 'audit.unsigned')(error))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('signatures of strangers are passed over, a wrong one of a known key refuses all, none of a known key too', () => {
    const others = logSigners('example.com/witness', { ed25519: new Uint8Array(32).fill(1), mldsa44: new Uint8Array(32).fill(2) })
    const { text, signatures } = parseNote(note)
    const cosigned = encodeNote({ text, signatures: [...signatures, ...others.map((one) => one.sign(head, 5))] })
    assert.equal(verifyCheckpoint(cosigned, KEYS).signers.length, 2)
    assert.equal(verifyCheckpoint(cosigned, [...KEYS, ...others.map(({ key }) => key)]).signers.length, 4)
    const forged = encodeNote({ text, signatures: [{ ...signatures[0]!, signature: new Uint8Array(64) }, signatures[1]!] })
    assert.throws(() => verifyCheckpoint(forged, KEYS), refusedAs('audit.signature'))
    assert.throws(() => verifyCheckpoint(note, [others[0]!.key]), refusedAs('audit.unsigned'))
    // The same key under another name, and another key under the same name: strangers both.
    assert.throws(() => verifyCheckpoint(note, [{ ...KEYS[0]!, name: 'quorate/log/other' }]), refusedAs('audit.unsigned'))
    assert.throws(() => verifyCheckpoint(note, [{ ...others[0]!.key, name: ORIGIN }]), refusedAs('audit.unsigned'))
  })

  test('an ML-DSA-44 signature is of one name, one log, one size, one root and one time', () => {
    const [, mldsa] = SIGNERS
    const line = mldsa!.sign(head, 77)
    const accept = (other: Partial<typeof head>, signature = line.signature): boolean => {
      const bytes = encodeNote({ text: checkpointText({ ...head, ...other }), signatures: [{ ...line, signature }] })
      try {
        return verifyCheckpoint(bytes, KEYS).signers.length === 1
      } catch (error) {
        assert.ok(refusedAs('audit.signature')(error))
        return false
      }
    }
    assert.ok(accept({}))
    assert.ok(!accept({ size: 514 }))
    assert.ok(!accept({ root: leafHash(utf8('other')) }))
    assert.ok(!accept({ origin: `${ORIGIN}0` }))
    assert.ok(!accept({}, flipped(line.signature, 7) as Uint8Array<ArrayBuffer>))
  })

  test('keys are read as they were written, and with another byte are refused', () => {
    for (const key of KEYS) {
      const text = encodeKey(key)
      assert.deepEqual(parseKey(text), key)
      for (const wrong of [
        text.slice(1),
        text.replace('+', '++'),
        `${text} `,
        text.slice(0, -4),
        text.replace(/.$/, text.endsWith('A') ? 'B' : 'A'),
      ])
        assert.throws(
          () => assert.deepEqual(parseKey(wrong), key),
          (error) => refusedAs('audit.framing')(error) || error instanceof assert.AssertionError,
        )
    }
    assert.throws(() => parseKey(encodeKey(KEYS[0]!).replace(/\+[0-9a-f]{8}\+/, '+00000000+')), refusedAs('audit.framing'))
  })

  test('a head is read as it was written; other texts are refused', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, root) => {
        if (size === 0) return
        const one = { origin: ORIGIN, size, root: new Uint8Array(root) }
        assert.deepEqual(parseCheckpointText(checkpointText(one)), one)
      }),
    )
    const good = checkpointText(head)
    for (const wrong of [
      good.slice(0, -1),
      good.replace('513', '0513'),
      good.replace('513', '-1'),
      good.replace('513', '1e3'),
      good.replace('513', '99999999999999999'),
      good.replace('513', '0'),
      good.replace(ORIGIN, ''),
      good.replace(ORIGIN, 'two words'),
      good.replace('=', ''),
      `${good}\n`,
    ])
      assert.throws(() => parseCheckpointText(wrong), refusedAs('audit.framing'), JSON.stringify(wrong))
    // Lines behind the third are for others.
    assert.equal(parseCheckpointText(`${good}extension\n`).size, 513)
  })

  test('any bytes are a note, or refused', () => {
    const own = concat(note)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(own.length).map((end) => own.slice(0, end)),
        ),
        (bytes) => {
          try {
            parseNote(bytes)
          } catch (error) {
            assert.ok(isFailure(error, 'audit.framing'))
          }
        },
      ),
    )
    assert.throws(() => parseNote(utf8(`a\n\n${'— a AAAAAAA=\n'.repeat(65)}`)), refusedAs('audit.framing'))
    assert.throws(() => parseNote(utf8('a\tb\n\n— a AAAAAAA=\n')), refusedAs('audit.framing'))
    assert.throws(() => parseNote(utf8('a\n\n— a+b AAAAAAA=\n')), refusedAs('audit.framing'))
  })
})

suite('entries', () => {
  const salt = newSalt()
  const fields = { actor: { id: 'ada', name: 'Ada Wolf' }, path: '/mri/ü.dcm', detail: { n: 3 } }
  const leaf: Leaf = {
    v: 1,
    index: 4,
    at: '2026-11-20T18:00:00.000Z',
    kind: 'open',
    actor: `person:${'ab'.repeat(16)}`,
    object: { id: 'cd'.repeat(16), version: 2 },
    outcome: 'refused',
    code: 'access.denied',
    count: 12,
    personal: commitPersonal(salt, fields),
  }

  test('an entry is read as it was written, and holds no name and no path', () => {
    const bytes = encodeLeaf(leaf)
    assert.deepEqual(parseLeaf(bytes), leaf)
    // The commitment is random letters, in which any short word may stand.
    const text = new TextDecoder().decode(bytes).replace(leaf.personal, '')
    for (const name of ['Ada', 'mri', 'ada', 'dcm']) assert.ok(!text.includes(name), name)
  })

  test('an entry with anything more, less or other is refused', () => {
    const wrong: object[] = [
      { ...leaf, v: 2 },
      { ...leaf, index: -1 },
      { ...leaf, index: 1.5 },
      { ...leaf, at: 'yesterday' },
      { ...leaf, at: '2026-13-20T18:00:00.000Z' },
      { ...leaf, kind: 'Open' },
      { ...leaf, actor: 'Ada' },
      { ...leaf, subject: 'site' },
      { ...leaf, object: { id: '/mri', version: 1 } },
      { ...leaf, object: { id: 'cd'.repeat(16), version: 1, path: '/a' } },
      { ...leaf, outcome: 'maybe' },
      { ...leaf, code: 'nonsense' },
      { ...leaf, count: 1 },
      { ...leaf, personal: 'short' },
      { ...leaf, more: 1 },
    ]
    for (const one of wrong) assert.throws(() => encodeLeaf(one as Leaf), refusedAs('audit.framing'), JSON.stringify(one))
    for (const name of Object.keys(leaf).filter((one) => !['object', 'code', 'count'].includes(one))) {
      const { [name as 'v']: _, ...rest } = leaf
      assert.throws(() => encodeLeaf(rest as Leaf), refusedAs('audit.framing'), name)
    }
    assert.throws(() => parseLeaf(utf8(` ${new TextDecoder().decode(encodeLeaf(leaf))}`)), refusedAs('audit.framing'))
  })

  test('personal fields open their commitment; other fields and other salts do not', () => {
    assert.ok(opensPersonal(leaf, salt, fields))
    assert.ok(!opensPersonal(leaf, newSalt(), fields))
    assert.ok(!opensPersonal(leaf, salt, { ...fields, path: '/mri/u.dcm' }))
    assert.ok(!opensPersonal(leaf, salt, {}))
    assert.ok(!opensPersonal(leaf, salt.subarray(1), fields))
  })

  test('any bytes are an entry, a line of personal fields or a receipt, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8)), (bytes) => {
        for (const parse of [parseLeaf, parsePersonalLine, parseReceipt])
          try {
            parse(bytes)
          } catch (error) {
            assert.ok(isFailure(error, 'audit.framing'), String(error))
          }
      }),
    )
  })
})

suite('receipts', () => {
  test('a receipt proves its entry under the keys of the log, and with one altered bit nothing else', async () => {
    const entries = entriesOf(300)
    const root = rootsOf(entries)[300]!
    const checkpoint = signCheckpoint({ origin: ORIGIN, size: 300, root: root as Uint8Array<ArrayBuffer> }, SIGNERS, 1)
    const proof = await createProver(300, readerOf(entries)).inclusion(123)
    const receipt = encodeReceipt({ extra: entries[123] as Uint8Array<ArrayBuffer>, index: 123, proof, checkpoint })
    const verified = verifyReceipt(receipt, KEYS)
    assert.deepEqual({ entry: verified.entry, index: verified.index }, { entry: entries[123], index: 123 })
    assert.deepEqual(parseReceipt(receipt), { extra: entries[123], index: 123, proof, checkpoint })
    fc.assert(
      fc.property(fc.nat(receipt.length * 8 - 1), (bit) => {
        const other = receipt.slice()
        other[Math.floor(bit / 8)]! ^= 1 << (bit % 8)
        try {
          const got = verifyReceipt(other, KEYS)
          assert.ok(got.checkpoint.signers.length < KEYS.length && toHex(got.entry) === toHex(entries[123]!) && got.index === 123)
        } catch (error) {
          assert.ok(refusedAs('audit.framing', 'audit.signature', 'audit.unsigned', 'audit.proof')(error), String(error))
        }
      }),
      { numRuns: 400 },
    )
  })
})

suite('the whole log', () => {
  const count = 600
  const made = Array.from({ length: count }, (_, index): { leaf: Leaf; salt: Uint8Array } => {
    const salt = newSalt()
    return {
      salt,
      leaf: {
        v: 1,
        index,
        at: new Date(1_800_000_000_000 + index).toISOString(),
        kind: 'open',
        actor: 'nobody',
        outcome: 'allowed',
        personal: commitPersonal(salt, { path: `/${index}` }),
      },
    }
  })
  const entries = made.map(({ leaf }) => encodeLeaf(leaf))
  const roots = rootsOf(entries)
  const head = { size: count, root: roots[count]! }

  test('files as they were written are proven, with an older head as their beginning', async () => {
    const files = asFiles(await filesOf(entries))
    for (const since of [0, 1, 256, 299, 600])
      assert.deepEqual(await verifyLog({ files, head, since: { size: since, root: roots[since]! } }), {
        problem: undefined,
        entries: count,
        opened: 0,
        erased: 0,
      })
  })

  test('an altered bit of any file is found, and the entry is named', async () => {
    const whole = await filesOf(entries)
    const paths = [...whole.keys()]
    await fc.assert(
      fc.asyncProperty(fc.nat(paths.length - 1), fc.nat(1_000_000), async (n, at) => {
        const path = paths[n]!
        const other = new Map(whole).set(path, flipped(whole.get(path)!, at))
        const { problem, entries: done } = await verifyLog({ files: asFiles(other), head })
        assert.ok(problem !== undefined, path)
        assert.ok(problem.first >= done - 256 && problem.last < count, `${path}: ${problem.detail}`)
        const tile = parseTilePath(path)!
        const span = 256 ** (tile.kind === 'entries' ? 1 : tile.level + 1)
        assert.ok(problem.first >= tile.index * span && problem.last < (tile.index + 1) * span, `${path}: ${problem.detail}`)
      }),
      { numRuns: 150 },
    )
  })

  test('a missing, a cut off and an exchanged file is found', async () => {
    const whole = await filesOf(entries)
    for (const path of whole.keys()) {
      const less = new Map(whole)
      less.delete(path)
      const absent = await verifyLog({ files: asFiles(less), head })
      assert.equal(absent.problem?.what, 'absent', path)
      const cut = await verifyLog({ files: asFiles(new Map(whole).set(path, whole.get(path)!.slice(0, -1))), head })
      assert.ok(cut.problem !== undefined, path)
    }
    const swapped = new Map(whole)
    swapped.set('tile/entries/000', whole.get('tile/entries/001')!).set('tile/entries/001', whole.get('tile/entries/000')!)
    swapped.set('tile/0/000', whole.get('tile/0/001')!).set('tile/0/001', whole.get('tile/0/000')!)
    assert.deepEqual((await verifyLog({ files: asFiles(swapped), head })).problem?.first, 0)
    assert.equal((await verifyLog({ files: asFiles(swapped), head })).problem?.what, 'moved')
  })

  test('a log that was computed anew as a whole does not have the root that was signed, nor the older one', async () => {
    const other = entries.with(400, encodeLeaf({ ...made[400]!.leaf, kind: 'list' }))
    const files = asFiles(await filesOf(other))
    const { problem } = await verifyLog({ files, head })
    assert.equal(problem?.what, 'head')
    const newHead = { size: count, root: rootsOf(other)[count]! }
    const since = await verifyLog({ files, head: newHead, since: { size: 500, root: roots[500]! } })
    assert.deepEqual(
      { what: since.problem?.what, first: since.problem?.first, last: since.problem?.last },
      { what: 'since', first: 0, last: 499 },
    )
    const earlier = await verifyLog({ files, head: newHead, since: { size: 300, root: roots[300]! } })
    assert.equal(earlier.problem, undefined)
    const cut = await verifyLog({ files, head: newHead, since: { size: 601, root: roots[600]! } })
    assert.deepEqual(cut.problem?.first, 600)
  })

  test('personal fields beside the entries are those that were written, or named', async () => {
    const files = asFiles(await filesOf(entries))
    const lines = made.map(({ salt, leaf }) => ({
      index: leaf.index,
      salt: Buffer.from(salt).toString('base64'),
      fields: { path: `/${leaf.index}` },
    }))
    const verdict = (personal: readonly object[]) =>
      verifyLog({
        files,
        head,
        personal: (async function* () {
          yield* personal as never[]
        })(),
      })
    assert.deepEqual(await verdict(lines), { problem: undefined, entries: count, opened: count, erased: 0 })
    const erased = lines.map((line) => (line.index % 3 === 0 ? { index: line.index, erased: '2026-11-20T18:00:00.000Z' } : line))
    assert.deepEqual(await verdict(erased), { problem: undefined, entries: count, opened: 400, erased: 200 })
    const other = await verdict(lines.with(77, { ...lines[77]!, fields: { path: '/another' } }))
    assert.deepEqual({ what: other.problem?.what, first: other.problem?.first }, { what: 'personal', first: 77 })
    const beyond = await verdict([...lines, { ...lines[0]!, index: 700 }])
    assert.deepEqual(beyond.problem?.first, 700)
    const unordered = await verdict([lines[5]!, lines[4]!])
    assert.equal(unordered.problem?.what, 'personal')
  })
})
