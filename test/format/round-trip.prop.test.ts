// Laws of the writer: what it deals, any k fragments give back; fewer give nothing; damage is blamed on who holds it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { equalPublic, Failure } from '#base'
import { createArena, dealable, Dealer, newId, padme, paddedLength, parseFrame, parseHead, restoreBytes, trailerLength } from '#format'
import { dealBytes, SIGNER } from './deal.ts'
import { memoryFile } from './vectors.ts'

const shapes = fc.record({
  suite: fc.constantFrom(1 as const, 2 as const),
  k: fc.integer({ min: 2, max: 6 }),
  spare: fc.integer({ min: 0, max: 4 }),
})
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 65_000, max: 66_000 }),
  fc.integer({ min: 130_000, max: 300_000 }),
)

function pattern(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed + (index >>> 8)) & 0xff)
}

suite('writer', () => {
  test('any k of n fragments give the bytes back, and k-1 do not', async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        sizes,
        fc.nat(255),
        fc.infiniteStream(fc.nat(1000)),
        async ({ suite: layout, k, spare }, size, seed, picks) => {
          const data = pattern(size, seed)
          const { files } = await dealBytes(data, { suite: layout, k, n: k + spare })
          const order = files.map((_, index) => ({ index, key: picks.next().value })).toSorted((a, b) => Number(a.key) - Number(b.key))
          const chosen = order.slice(0, k).map(({ index }) => memoryFile(`l${index}`, `${index}`, files[index]!))
          const restored = await restoreBytes({ files: chosen, dealers: [SIGNER.keys], asked: { k } })
          assert.equal(restored.failure, undefined)
          assert.ok(equalPublic(restored.data, data))
          assert.equal(restored.dealer, 'verified')
          const fewer = await restoreBytes({ files: chosen.slice(1) })
          assert.equal(fewer.failure?.code, 'format.incomplete')
        },
      ),
      { numRuns: 40 },
    )
  })

  test('runs that begin again leave every record readable', async () => {
    const data = pattern(400_000, 3)
    for (const layout of [1, 2] as const) {
      const { files } = await dealBytes(data, { suite: layout }, [0, 2, 5])
      const restored = await restoreBytes({
        files: [files[1]!, files[2]!].map((bytes, index) => memoryFile(`${index}`, `${index}`, bytes)),
      })
      assert.ok(equalPublic(restored.data, data))
      assert.equal(restored.report.chosen!.totals.runs.length, 3)
    }
  })

  test('an object survives damage in different records of two of three fragments, and both are named', async () => {
    const data = pattern(250_000, 9)
    const { files } = await dealBytes(data)
    const record = (files[0]!.length / 4) | 0
    files[0]![300 + 10]! ^= 1
    files[2]![300 + record * 2]! ^= 1
    const restored = await restoreBytes({ files: files.map((bytes, index) => memoryFile(`${index}`, `${index}`, bytes)) })
    assert.ok(equalPublic(restored.data, data))
    assert.deepEqual(restored.blames.map(({ frame }) => frame.file).toSorted(), ['0', '2'])
  })

  test('two fragments of one dealing never share a record or a frame', async () => {
    const { files } = await dealBytes(new Uint8Array(100_000))
    for (let a = 0; a < 3; a++) for (let b = 0; b < a; b++) assert.ok(!equalPublic(files[a]!.subarray(150), files[b]!.subarray(150)))
  })

  test('a writer refuses what a disaster could not search', () => {
    assert.ok(dealable(2, 3) && dealable(3, 5) && dealable(2, 32) && dealable(128, 128))
    assert.ok(!dealable(1, 3) && !dealable(4, 3) && !dealable(16, 32) && !dealable(2, 256))
  })

  test('the last chunk ends a dealing', async () => {
    const arena = await createArena({ suite: 1, k: 2, rows: 3, chunkLog2: 16, slots: 1 })
    const dealer = new Dealer(arena, { suite: 1, k: 2, n: 3, chunkLog2: 16, rng: 0, vault: newId(), object: newId(), version: 1, ext: [] })
    dealer.deal(arena.slots[0]!, 1024, true)
    assert.throws(() => dealer.deal(arena.slots[0]!, 1024, true), /after the last chunk/)
    dealer.wipe()
    assert.ok(arena.slots.every((slot) => arena.kernel.memory.subarray(slot.bodies[0], slot.bodies[0]! + 1040).every((byte) => byte === 0)))
  })
})

suite('padding', () => {
  test('padme: worked values, and at most 12 % more', () => {
    assert.equal(padme(1024), 1024)
    assert.equal(padme(1025), 1088)
    assert.equal(padme(70_000), 71_680)
    assert.equal(paddedLength(0), 1024)
    assert.equal(paddedLength(2 ** 30), 2 ** 30)
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 48 }), (length) => {
        const padded = padme(length)
        assert.ok(padded >= length && padded <= length * 1.12 + 1)
        assert.equal(padme(padded), padded)
      }),
    )
  })
})

suite('parsers', () => {
  test('no bytes make a parser do anything but answer or refuse', async () => {
    const { files } = await dealBytes(pattern(5000, 1))
    const file = files[0]!
    const refusal = (work: () => unknown): void => {
      try {
        work()
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        assert.equal(error.code, 'format.framing')
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(file.length), fc.nat(file.length), (noise, cut, at) => {
        const broken = file.slice(0, cut)
        broken.set(noise.subarray(0, Math.max(0, broken.length - at)), Math.min(at, broken.length))
        refusal(() => parseHead(noise))
        refusal(() => parseHead(broken))
        refusal(() => trailerLength(broken))
        refusal(() => parseFrame({ front: broken, trailer: noise, sizeBytes: cut }))
        refusal(() => parseFrame({ front: noise, trailer: broken, sizeBytes: file.length }))
      }),
      { numRuns: 2000 },
    )
  })
})
