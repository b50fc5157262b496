// Laws of the scalar twin, and npm shamir-secret-sharing as a second opinion on it and on the kernel.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { combine as peerCombine, split as peerSplit } from 'shamir-secret-sharing'
import { concat } from '#base'
import { combineBytes, interpolateBytes, lagrangeWeights, splitBytes } from '#crypto'
import { divide, inverse, multiply } from '../../src/crypto/gf256.ts'
import { BUILDS, byteSource, pickPoints, rowKernel, rows, subsets } from './rows.ts'

const element = fc.integer({ min: 0, max: 255 })
const shape = fc.integer({ min: 2, max: 12 }).chain((n) => fc.record({ n: fc.constant(n), k: fc.integer({ min: 2, max: n }) }))

test('the field is a field: products distribute, commute and divide', () => {
  fc.assert(
    fc.property(element, element, element, (a, b, c) => {
      assert.equal(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c))
      assert.equal(multiply(a, b), multiply(b, a))
      assert.equal(multiply(multiply(a, b), c), multiply(a, multiply(b, c)))
      if (b !== 0) assert.equal(multiply(divide(a, b), b), a)
    }),
    { numRuns: 2000 },
  )
  for (let a = 1; a < 256; a++) assert.equal(multiply(a, inverse(a)), 1)
  assert.equal(inverse(0), 0)
})

test('3 generates the multiplicative group and 2 does not, as in 0x11b and not in 0x11d', () => {
  const order = (a: number): number => {
    let power = a
    let count = 1
    for (; power !== 1; count++) power = multiply(power, a)
    return count
  }
  assert.deepEqual([order(2), order(3)], [51, 255])
})

test('any k shares at any points give the secret back; shares at further points come by interpolation', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 0, max: 40 }), fc.integer(), ({ k, n }, length, seed) => {
      const bytes = byteSource(seed)
      const xs = pickPoints(255, n, bytes)
      const secret = bytes(length)
      const shares = splitBytes({ secret, k, xs, random: bytes })
      for (const subset of [...subsets(n, k)].slice(0, 20)) {
        const at = subset.map((index) => xs[index - 1]!)
        const chosen = subset.map((index) => shares[index - 1]!)
        assert.deepEqual(combineBytes({ xs: at, shares: chosen }), secret)
        assert.deepEqual(interpolateBytes({ xs: at, shares: chosen, at: xs }), shares)
      }
    }),
    { numRuns: 50 },
  )
})

test('the split is f(x) = secret + a1 x + a2 x^2 with the coefficients in the order they are drawn', () => {
  const drawn = [Uint8Array.of(0x53), Uint8Array.of(0xca)]
  const shares = splitBytes({ secret: Uint8Array.of(7), k: 3, xs: [1, 2, 3], random: () => drawn.shift()! })
  const expected = [1, 2, 3].map((x) => Uint8Array.of(7 ^ multiply(0x53, x) ^ multiply(0xca, multiply(x, x))))
  assert.deepEqual(shares, expected)
})

test('without a source of its own a split draws from the system: two splits differ, both combine', () => {
  const secret = new Uint8Array(32)
  const [one, two] = rows(2, () => splitBytes({ secret, k: 2, xs: [1, 2, 3] }))
  assert.notDeepEqual(one, two)
  for (const shares of [one!, two!]) assert.deepEqual(combineBytes({ xs: [1, 3], shares: [shares[0]!, shares[2]!] }), secret)
})

test('weights add up to 1 at any point', () => {
  fc.assert(
    fc.property(fc.uniqueArray(element, { minLength: 1, maxLength: 40 }), element, (xs, at) => {
      assert.equal(
        lagrangeWeights({ xs, at }).reduce((sum, weight) => sum ^ weight, 0),
        1,
      )
    }),
  )
})

test('wrong points are refused', () => {
  const refused = { name: 'AssertionError' }
  const secret = new Uint8Array(4)
  for (const xs of [[0, 1], [1, 1], [1, 256], [1.5, 2], [1]]) assert.throws(() => splitBytes({ secret, k: 2, xs }), refused)
  assert.throws(() => splitBytes({ secret, k: 1, xs: [1, 2] }), refused)
  assert.throws(() => splitBytes({ secret, k: 2, xs: [1, 2], random: () => new Uint8Array(3) }), refused)
  assert.throws(() => combineBytes({ xs: [1, 2], shares: [secret] }), refused)
  assert.throws(() => combineBytes({ xs: [1, 2], shares: [secret, new Uint8Array(3)] }), refused)
  assert.throws(() => combineBytes({ xs: [], shares: [] }), refused)
})

test('second opinion: shamir-secret-sharing reads our shares, and we read its', async () => {
  for (const [k, n] of [
    [2, 3],
    [3, 5],
    [5, 9],
  ] as const) {
    const bytes = byteSource(k)
    const secret = bytes(301)
    const xs = rows(n, (index) => index + 1)
    const ours = [splitBytes({ secret, k, xs })]
    for (const build of BUILDS) ours.push((await rowKernel(build)).split({ k, n, secret, random: rows(k - 1, () => bytes(301)) }) as never)
    for (const shares of ours) {
      const chosen = pickPoints(n, k, bytes)
      assert.deepEqual(await peerCombine(chosen.map((x) => concat(shares[x - 1]!, Uint8Array.of(x)))), secret)
    }
    const theirs = (await peerSplit(secret, n, k)).slice(n - k)
    const at = theirs.map((share) => share[share.length - 1]!)
    const shares = theirs.map((share) => share.slice(0, -1))
    assert.deepEqual(combineBytes({ xs: at, shares }), secret)
    for (const build of BUILDS) assert.deepEqual((await rowKernel(build)).combine({ xs: at, shares }), secret)
  }
})
