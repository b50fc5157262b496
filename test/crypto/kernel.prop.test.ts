// Laws of the kernel: both builds equal the scalar twin, for any shape and length.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SCRATCH } from '../../src/kernels/layout.ts'
import { divide, multiply } from '../../src/crypto/gf256.ts'
import { combineBytes, createKernel, interpolateBytes, type Kernel, type KernelBuild } from '#crypto'

const BUILDS: readonly KernelBuild[] = ['relaxed', 'standard']
const ARENA_BYTES = 4 * 2 ** 20
const LENGTHS = [0, 1, 13, 15, 16, 17, 31, 33, 64, 100, 2047, 2048, 2049, 4111]

const shape = fc.integer({ min: 2, max: 24 }).chain((n) => fc.record({ n: fc.constant(n), k: fc.integer({ min: 2, max: n }) }))
const offeredShape = fc.oneof(fc.constantFrom({ k: 2, n: 3 }, { k: 3, n: 5 }, { k: 5, n: 9 }, { k: 5, n: 5 }, { k: 2, n: 2 }), shape)
const seed = fc.integer()

for (const build of BUILDS) {
  test(`${build}: any k shares of a split give the secret, and all n lie on one polynomial of degree < k`, async () => {
    await fc.assert(
      fc.asyncProperty(offeredShape, fc.constantFrom(...LENGTHS), seed, async ({ k, n }, length, seed) => {
        const bytes = source(seed)
        const { secret, shares } = await split({ build, k, n, secret: bytes(length), random: rows(k - 1, () => bytes(length)) })
        const xs = pick(n, k, bytes)
        const chosen = xs.map((x) => shares[x - 1]!)
        assert.deepEqual(combineBytes({ xs, shares: chosen }), secret)
        const all = rows(n, (index) => index + 1)
        assert.deepEqual(interpolateBytes({ xs, shares: chosen, at: all }), shares)
        assert.deepEqual(await combine({ build, xs, shares: chosen }), secret)
      }),
      { numRuns: 60 },
    )
  })

  test(`${build}: interpolate equals the scalar twin at any points`, async () => {
    const points = (min: number) => fc.uniqueArray(fc.integer({ min, max: 255 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(points(1), points(0), fc.constantFrom(...LENGTHS), seed, async (xs, at, length, seed) => {
        const bytes = source(seed)
        const from = rows(xs.length, () => bytes(length))
        assert.deepEqual(
          await interpolate({ build, xs, from, at: [...at, xs[0]!] }),
          interpolateBytes({ xs, shares: from, at: [...at, xs[0]!] }),
        )
      }),
      { numRuns: 40 },
    )
  })

  test(`${build}: the greatest shapes split and combine`, async () => {
    for (const [k, n] of [
      [128, 255],
      [255, 255],
      [2, 255],
      [254, 255],
      [32, 64],
      [33, 63],
    ] as const) {
      const bytes = source(k)
      const { secret, shares } = await split({ build, k, n, secret: bytes(33), random: rows(k - 1, () => bytes(33)) })
      const xs = pick(n, k, bytes)
      const chosen = xs.map((x) => shares[x - 1]!)
      assert.deepEqual(await combine({ build, xs, shares: chosen }), secret)
      const at = rows(n, (index) => index + 1)
      assert.deepEqual(await interpolate({ build, xs, from: chosen, at }), shares)
    }
  })
}

test('secrecy: for a fixed secret the map from random rows to any k-1 shares is a bijection', async () => {
  for (const [k, n] of [
    [2, 2],
    [2, 3],
    [3, 3],
    [3, 5],
    [4, 7],
    [5, 9],
    [9, 16],
  ] as const) {
    // The shares are linear over GF(2^8) in (secret, random), so the rows of the map are its answers to unit vectors:
    // byte position p carries the p-th unit vector.
    const units = rows(k, (row) => Uint8Array.from({ length: k }, (_, position) => Number(row === position)))
    const { shares } = await split({ build: 'standard', k, n, secret: units[0]!, random: units.slice(1) })
    for (const xs of subsets(n, k - 1)) {
      const matrix = xs.map((x) => [...shares[x - 1]!.subarray(1)])
      assert.equal(rank(matrix), k - 1, `${k}-of-${n} at ${xs.join()}`)
    }
    assert.ok(
      shares.every((share) => share[0] === 1),
      'the secret enters every share with factor 1',
    )
  }
})

test('secrecy: one share of 2-of-3 takes each value once over all random bytes, whatever the secret', async () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value)
  for (const value of [0, 1, 0x53, 0xff]) {
    for (const [k, n] of [
      [2, 3],
      [2, 4],
    ] as const) {
      const { shares } = await split({ build: 'relaxed', k, n, secret: new Uint8Array(256).fill(value), random: [everyByte] })
      for (const share of shares) assert.deepEqual(share.toSorted(), everyByte)
    }
  }
})

test('wipe leaves no byte of secret, randomness, shares or temporary rows', async () => {
  const kernel = await createKernel({ arenaBytes: 2 ** 20 })
  const before = kernel.memory.slice()
  const bytes = source(1)
  const secret = place(kernel, bytes(5000))
  const random = rows(4, () => place(kernel, bytes(5000)))
  const shares = rows(9, () => kernel.alloc(5000))
  kernel.split({ k: 5, n: 9, secret, random, shares, length: 5000 })
  kernel.wipe()
  assert.deepEqual(kernel.memory.subarray(SCRATCH), before.subarray(SCRATCH))
})

test('the kernel refuses wrong jobs', async () => {
  const kernel = await createKernel({ arenaBytes: 4096 })
  const row = rows(8, () => kernel.alloc(64))
  const refused = { name: 'AssertionError' }
  const job = { k: 2, n: 3, secret: row[0]!, random: [row[1]!], shares: row.slice(2, 5), length: 64 }
  kernel.split(job)
  assert.throws(() => kernel.split({ ...job, k: 1, random: [] }), refused)
  assert.throws(() => kernel.split({ ...job, n: 4 }), refused)
  assert.throws(() => kernel.split({ ...job, random: [row[0]!] }), refused, 'overlap')
  assert.throws(() => kernel.split({ ...job, secret: row[0]! + 8 }), refused, 'alignment')
  assert.throws(() => kernel.split({ ...job, secret: 1024 }), refused, 'outside the arena')
  assert.throws(() => kernel.split({ ...job, length: 8192 }), refused, 'beyond the arena')
  assert.throws(() => kernel.combine({ xs: [1, 1], shares: row.slice(0, 2), secret: row[2]!, length: 64 }), refused)
  assert.throws(() => kernel.combine({ xs: [0, 1], shares: row.slice(0, 2), secret: row[2]!, length: 64 }), refused)
  assert.throws(() => kernel.combine({ xs: [1, 256], shares: row.slice(0, 2), secret: row[2]!, length: 64 }), refused)
  assert.throws(() => kernel.alloc(4096), refused, 'arena full')
})

const kernels = new Map<KernelBuild, Promise<{ kernel: Kernel; arena: number }>>()

/** A kernel whose whole arena is one allocation, reused by each case after filling it with noise. */
async function fresh(build: KernelBuild): Promise<{ kernel: Kernel; alloc: (length: number) => number }> {
  let made = kernels.get(build)
  if (!made) {
    made = createKernel({ arenaBytes: ARENA_BYTES, build }).then((kernel) => ({ kernel, arena: kernel.alloc(ARENA_BYTES) }))
    kernels.set(build, made)
  }
  const { kernel, arena } = await made
  let next = arena
  const alloc = (length: number): number => {
    const at = next
    next += Math.ceil(length / 16) * 16
    kernel.memory.fill(0xa5, at, next)
    return at
  }
  return { kernel, alloc }
}

async function split(job: { build: KernelBuild; k: number; n: number; secret: Uint8Array; random: readonly Uint8Array[] }) {
  const { kernel, alloc } = await fresh(job.build)
  const { length } = job.secret
  const put = (row: Uint8Array): number => {
    const at = alloc(length)
    kernel.memory.set(row, at)
    return at
  }
  const shares = { secret: put(job.secret), random: job.random.map(put), shares: rows(job.n, () => alloc(length)) }
  kernel.split({ k: job.k, n: job.n, ...shares, length })
  return { secret: job.secret, shares: shares.shares.map((at) => kernel.memory.slice(at, at + length)) }
}

async function combine({ build, xs, shares }: { build: KernelBuild; xs: readonly number[]; shares: readonly Uint8Array[] }) {
  const { kernel, alloc } = await fresh(build)
  const { length } = shares[0]!
  const from = shares.map((share) => {
    const at = alloc(length)
    kernel.memory.set(share, at)
    return at
  })
  const secret = alloc(length)
  kernel.combine({ xs, shares: from, secret, length })
  return kernel.memory.slice(secret, secret + length)
}

async function interpolate(job: { build: KernelBuild; xs: readonly number[]; from: readonly Uint8Array[]; at: readonly number[] }) {
  const { kernel, alloc } = await fresh(job.build)
  const { length } = job.from[0]!
  const from = job.from.map((row) => {
    const at = alloc(length)
    kernel.memory.set(row, at)
    return at
  })
  const into = job.at.map(() => alloc(length))
  kernel.interpolate({ xs: job.xs, from, at: job.at, into, length })
  return into.map((at) => kernel.memory.slice(at, at + length))
}

function place(kernel: Kernel, row: Uint8Array): number {
  const at = kernel.alloc(row.length)
  kernel.memory.set(row, at)
  return at
}

function rows<Row>(count: number, make: (index: number) => Row): Row[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Deterministic bytes of a seed (splitmix32), for test data only. */
function source(seed: number): (length: number) => Uint8Array<ArrayBuffer> {
  let state = seed | 0
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) & 0xff
    })
}

/** k distinct points of 1..n in random order. */
function pick(n: number, k: number, bytes: (length: number) => Uint8Array): number[] {
  const order = bytes(n)
  return rows(n, (index) => index + 1)
    .toSorted((a, b) => order[a - 1]! - order[b - 1]! || a - b)
    .slice(0, k)
}

function* subsets(n: number, size: number, from = 1): Generator<number[]> {
  if (size === 0) yield []
  else for (let x = from; x <= n - size + 1; x++) for (const rest of subsets(n, size - 1, x + 1)) yield [x, ...rest]
}

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
