// Laws of the kernel: both builds equal the scalar twin, for any shape and length.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { combineBytes, createKernel, interpolateBytes } from '#crypto'
import { divide, multiply } from '../../src/crypto/gf256.ts'
import { ARENA, SCRATCH } from '../../src/kernels/layout.ts'
import { BUILDS, byteSource, pickPoints, place, rowKernel, rows, subsets } from './rows.ts'

/** Around vectors, unrolled loops and tiles. */
const LENGTHS = [0, 1, 13, 15, 16, 17, 31, 33, 64, 100, 2047, 2048, 2049, 4111]

const anyShape = fc.integer({ min: 2, max: 24 }).chain((n) => fc.record({ n: fc.constant(n), k: fc.integer({ min: 2, max: n }) }))
const shape = fc.oneof(fc.constantFrom({ k: 2, n: 3 }, { k: 3, n: 5 }, { k: 5, n: 9 }, { k: 5, n: 5 }, { k: 2, n: 2 }), anyShape)
const seed = fc.integer()
const points = (min: number) => fc.uniqueArray(fc.integer({ min, max: 255 }), { minLength: 1, maxLength: 12 })

for (const build of BUILDS) {
  test(`${build}: any k shares of a split give the secret, and all n lie on one polynomial of degree < k`, async () => {
    const kernel = await rowKernel(build)
    fc.assert(
      fc.property(shape, fc.constantFrom(...LENGTHS), seed, ({ k, n }, length, seed) => {
        const bytes = byteSource(seed)
        const secret = bytes(length)
        const shares = kernel.split({ k, n, secret, random: rows(k - 1, () => bytes(length)) })
        const xs = pickPoints(n, k, bytes)
        const chosen = xs.map((x) => shares[x - 1]!)
        assert.deepEqual(combineBytes({ xs, shares: chosen }), secret)
        const all = rows(n, (index) => index + 1)
        assert.deepEqual(interpolateBytes({ xs, shares: chosen, at: all }), shares)
        assert.deepEqual(kernel.combine({ xs, shares: chosen }), secret)
      }),
      { numRuns: 100 },
    )
  })

  test(`${build}: interpolate equals the scalar twin at any points`, async () => {
    const kernel = await rowKernel(build)
    fc.assert(
      fc.property(points(0), points(0), fc.constantFrom(...LENGTHS), seed, (xs, others, length, seed) => {
        const bytes = byteSource(seed)
        const from = rows(xs.length, () => bytes(length))
        const at = [...others, xs[0]!]
        assert.deepEqual(kernel.interpolate({ xs, from, at }), interpolateBytes({ xs, shares: from, at }))
      }),
      { numRuns: 100 },
    )
  })

  test(`${build}: combine equals the scalar twin at any points`, async () => {
    const kernel = await rowKernel(build)
    fc.assert(
      fc.property(points(1), fc.constantFrom(...LENGTHS), seed, (xs, length, seed) => {
        const bytes = byteSource(seed)
        const shares = rows(xs.length, () => bytes(length))
        assert.deepEqual(kernel.combine({ xs, shares }), combineBytes({ xs, shares }))
      }),
      { numRuns: 100 },
    )
  })

  test(`${build}: the greatest shapes split, combine and interpolate`, async () => {
    const kernel = await rowKernel(build)
    for (const [k, n] of [
      [128, 255],
      [255, 255],
      [2, 255],
      [254, 255],
      [32, 64],
      [33, 63],
    ] as const) {
      const bytes = byteSource(k)
      const secret = bytes(2100)
      const shares = kernel.split({ k, n, secret, random: rows(k - 1, () => bytes(2100)) })
      const xs = pickPoints(n, k, bytes)
      const chosen = xs.map((x) => shares[x - 1]!)
      assert.deepEqual(kernel.combine({ xs, shares: chosen }), secret)
      const at = rows(n, (index) => index + 1)
      assert.deepEqual(kernel.interpolate({ xs, from: chosen, at }), shares)
      const first = chosen.map((share) => share.subarray(0, 3))
      assert.deepEqual(combineBytes({ xs, shares: first }), secret.subarray(0, 3))
    }
  })
}

test('every product of the field comes out of both builds', async () => {
  // The line through (1, 0) and (2, v) has slope v/3: at x its value is v (x + 1) / 3.
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value)
  for (const build of BUILDS) {
    const kernel = await rowKernel(build)
    const at = rows(256, (x) => x)
    const values = kernel.interpolate({ xs: [1, 2], from: [new Uint8Array(256), everyByte], at })
    for (const x of at)
      assert.deepEqual(
        values[x],
        everyByte.map((v) => multiply(v, divide(x ^ 1, 3))),
      )
  }
})

test('secrecy: for a fixed secret the map from random rows to any k-1 shares is a bijection', async () => {
  const kernel = await rowKernel('standard')
  for (const [k, n] of [
    [2, 2],
    [2, 3],
    [3, 3],
    [3, 5],
    [4, 7],
    [5, 9],
    [9, 13],
  ] as const) {
    // The shares are linear over GF(2^8) in (secret, random): byte position p carries unit vector p, so that the bytes of a share
    // are its row of the map. Full rank of the part that meets the random rows is the bijection.
    const units = rows(k, (row) => Uint8Array.from({ length: k }, (_, position) => Number(row === position)))
    const shares = kernel.split({ k, n, secret: units[0]!, random: units.slice(1) })
    for (const xs of subsets(n, k - 1)) {
      const matrix = xs.map((x) => [...shares[x - 1]!.subarray(1)])
      assert.equal(rank(matrix), k - 1, `${k}-of-${n} at ${xs.join()}`)
    }
    assert.ok(
      shares.every((share) => share[0] === 1),
      'f(x) = secret + ...',
    )
  }
})

test('linearity: the split of sums is the sum of splits, which the rank law rests on', async () => {
  const kernel = await rowKernel('relaxed')
  fc.assert(
    fc.property(shape, seed, fc.integer({ min: 0, max: 255 }), ({ k, n }, seed, factor) => {
      const bytes = byteSource(seed)
      const [left, right] = rows(2, () => rows(k, () => bytes(40)))
      const sum = left!.map((row, index) => row.map((value, at) => value ^ multiply(factor, right![index]![at]!)))
      const [ofLeft, ofRight, ofSum] = [left!, right!, sum].map(([secret, ...random]) => kernel.split({ k, n, secret: secret!, random }))
      for (const [index, share] of ofSum!.entries()) {
        assert.deepEqual(
          share,
          ofLeft![index]!.map((value, at) => value ^ multiply(factor, ofRight![index]![at]!)),
        )
      }
    }),
    { numRuns: 50 },
  )
})

test('secrecy: one share of 2-of-n takes each value once over all random bytes, whatever the secret', async () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value)
  const kernel = await rowKernel('relaxed')
  for (const value of [0, 1, 0x53, 0xff]) {
    for (const n of [2, 3, 4, 9]) {
      const shares = kernel.split({ k: 2, n, secret: new Uint8Array(256).fill(value), random: [everyByte] })
      for (const share of shares) assert.deepEqual(share.toSorted(), everyByte)
    }
  }
})

test('secrecy: two shares of 3-of-5 take each pair of values once over all pairs of random bytes', async () => {
  const pairs = 65536
  const kernel = await rowKernel('relaxed')
  const random = [Uint8Array.from({ length: pairs }, (_, at) => at & 0xff), Uint8Array.from({ length: pairs }, (_, at) => at >>> 8)]
  for (const value of [0, 0x53]) {
    const shares = kernel.split({ k: 3, n: 5, secret: new Uint8Array(pairs).fill(value), random })
    for (const [x, y] of subsets(5, 2)) {
      const seen = new Set<number>()
      for (let at = 0; at < pairs; at++) seen.add((shares[x! - 1]![at]! << 8) | shares[y! - 1]![at]!)
      assert.equal(seen.size, pairs)
    }
  }
})

test('a kernel writes nothing but the rows it is told, up to whole vectors', async () => {
  const kernel = await createKernel({ arenaBytes: 2 ** 18 })
  const bytes = byteSource(7)
  for (const { k, n } of [
    { k: 2, n: 3 },
    { k: 3, n: 5 },
    { k: 4, n: 6 },
  ]) {
    const length = 1001
    const whole = 1008
    const secret = place(kernel, bytes(whole))
    const random = rows(k - 1, () => place(kernel, bytes(whole)))
    const shares = rows(n, () => kernel.alloc(whole + 16))
    const before = kernel.memory.slice()
    kernel.split({ k, n, secret, random, shares, length })
    for (const share of shares) before.set(kernel.memory.subarray(share, share + whole), share)
    assert.deepEqual(kernel.memory.subarray(ARENA), before.subarray(ARENA))
  }
})

test('the memory never detaches and allocations are aligned, apart and zero', async () => {
  const kernel = await createKernel({ arenaBytes: 100_000 })
  const { buffer } = kernel.memory
  const offsets = [1, 64, 65, 0, 4096].map((length) => kernel.alloc(length))
  assert.ok(offsets.every((offset) => offset % 64 === 0))
  assert.deepEqual(
    offsets.map((offset) => offset - offsets[0]!),
    [0, 64, 128, 256, 256],
  )
  assert.ok(kernel.memory.subarray(offsets[0]).every((byte) => byte === 0))
  assert.equal(kernel.memory.buffer, buffer)
  assert.ok(kernel.memory.length > 0)
})

test('wipe leaves no byte of secret, randomness, shares or temporary rows', async () => {
  const kernel = await createKernel({ arenaBytes: 2 ** 20 })
  const before = kernel.memory.slice()
  const bytes = byteSource(1)
  const secret = place(kernel, bytes(5000))
  const random = rows(4, () => place(kernel, bytes(5000)))
  const shares = rows(9, () => kernel.alloc(5000))
  kernel.split({ k: 5, n: 9, secret, random, shares, length: 5000 })
  assert.notDeepEqual(kernel.memory.subarray(SCRATCH), before.subarray(SCRATCH))
  kernel.wipe()
  assert.deepEqual(kernel.memory.subarray(SCRATCH), before.subarray(SCRATCH))
})

test('more shapes than the cache holds, each still right when it comes back', async () => {
  const kernel = await rowKernel('relaxed')
  const bytes = byteSource(3)
  const secret = bytes(20)
  const random = rows(4, () => bytes(20))
  const shares = kernel.split({ k: 5, n: 9, secret, random })
  for (let round = 0; round < 2; round++) {
    for (const xs of subsets(9, 5)) {
      const chosen = xs.map((x) => shares[x - 1]!)
      assert.deepEqual(kernel.combine({ xs, shares: chosen }), secret)
    }
    assert.deepEqual(kernel.split({ k: 5, n: 9, secret, random }), shares)
  }
})

test('the kernel refuses wrong jobs', async () => {
  const kernel = await createKernel({ arenaBytes: 4096 })
  const row = rows(8, () => kernel.alloc(64))
  const refused = { name: 'AssertionError' }
  const job = { k: 2, n: 3, secret: row[0]!, random: [row[1]!], shares: row.slice(2, 5), length: 64 }
  const combine = { xs: [1, 2], shares: row.slice(0, 2), secret: row[2]!, length: 64 }
  kernel.split(job)
  kernel.combine(combine)
  assert.throws(() => kernel.split({ ...job, k: 1, random: [] }), refused)
  assert.throws(() => kernel.split({ ...job, n: 4 }), refused)
  assert.throws(() => kernel.split({ ...job, n: 256, shares: rows(256, () => 0) }), refused)
  assert.throws(() => kernel.split({ ...job, random: [row[0]!] }), refused, 'overlap')
  assert.throws(() => kernel.split({ ...job, random: [row[0]! + 16] }), refused, 'partial overlap')
  assert.throws(() => kernel.split({ ...job, secret: row[7]! + 8 }), refused, 'alignment')
  assert.throws(() => kernel.split({ ...job, secret: 1024 }), refused, 'outside the arena')
  assert.throws(() => kernel.split({ ...job, secret: Number.NaN }), refused, 'not a number')
  assert.throws(() => kernel.split({ ...job, length: 8192 }), refused, 'beyond the arena')
  assert.throws(() => kernel.split({ ...job, length: -1 }), refused)
  assert.throws(() => kernel.combine({ ...combine, xs: [1, 1] }), refused)
  assert.throws(() => kernel.combine({ ...combine, xs: [0, 1] }), refused)
  assert.throws(() => kernel.combine({ ...combine, xs: [1, 256] }), refused)
  assert.throws(() => kernel.combine({ ...combine, xs: [1] }), refused)
  assert.throws(() => kernel.interpolate({ xs: [1, 2], from: row.slice(0, 2), at: [256], into: [row[2]!], length: 64 }), refused)
  assert.throws(() => kernel.interpolate({ xs: [1, 1], from: row.slice(0, 2), at: [1], into: [row[2]!], length: 64 }), refused)
  assert.throws(() => kernel.alloc(4096), refused, 'arena full')
})

/** Rank over GF(2^8) by elimination. */
function rank(matrix: number[][]): number {
  let found = 0
  for (let column = 0; column < (matrix[0]?.length ?? 0); column++) {
    const pivot = matrix.findIndex((row, index) => index >= found && row[column] !== 0)
    if (pivot < 0) continue
    ;[matrix[found], matrix[pivot]] = [matrix[pivot]!, matrix[found]!]
    for (let below = found + 1; below < matrix.length; below++) {
      const factor = divide(matrix[below]![column]!, matrix[found]![column]!)
      matrix[below] = matrix[below]!.map((value, index) => value ^ multiply(factor, matrix[found]![index]!))
    }
    found++
  }
  return found
}
