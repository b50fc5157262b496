// Shamir's secret sharing byte by byte over GF(2^8) (CACM 22(11), 1979), as the specification writes it down: slow, branch-free, no tables.
// The product shares its short keys with it; the kernel is held equal to it by laws.
import { type Bytes, assert } from '#base'
import { random as systemRandom } from '#crypto/primitives'
import { divide, isElement, multiply } from './gf256.ts'

export interface SplitBytes {
  readonly secret: Uint8Array
  /** Shares needed, 2 <= k <= xs.length. */
  readonly k: number
  /** Points of the shares: distinct, 1..255. */
  readonly xs: readonly number[]
  /** Answers `length` uniform bytes, overwritten after use; asked once for each of the coefficients of x, x^2, ... x^(k-1). Default: the system's. */
  readonly random?: (length: number) => Uint8Array
}

export interface SharesAt {
  /** Points of the shares: distinct, 1..255. Exactly k of them. */
  readonly xs: readonly number[]
  /** Equally long, in the order of `xs`. */
  readonly shares: readonly Uint8Array[]
}

/** Shares of the secret at `xs`: f(x) for f = secret + a_1 x + ... + a_{k-1} x^{k-1}. */
export function splitBytes({ secret, k, xs, random = systemRandom }: SplitBytes): Bytes[] {
  assertPoints(xs)
  assert(Number.isInteger(k) && k >= 2 && k <= xs.length, 'split: 2 <= k <= n')
  const coefficients = Array.from({ length: k - 1 }, () => random(secret.length))
  assert(
    coefficients.every((row) => row.length === secret.length),
    'split: random bytes as long as the secret',
  )
  const shares = xs.map((x) => {
    const share = new Uint8Array(secret.length)
    for (let at = 0; at < share.length; at++) {
      let value = 0
      for (let degree = k - 1; degree >= 1; degree--) value = multiply(value ^ coefficients[degree - 1]![at]!, x)
      share[at] = value ^ secret[at]!
    }
    return share
  })
  for (const row of coefficients) row.fill(0)
  return shares
}

/** The secret f(0) from exactly k shares. Fewer, more of a lower degree, or altered ones give other bytes, never an error. */
export function combineBytes({ xs, shares }: SharesAt): Bytes {
  assertPoints(xs)
  return interpolateBytes({ xs, shares, at: [0] })[0]!
}

/** Values at each point of `at` of the polynomial of degree < xs.length through the shares. */
export function interpolateBytes({ xs, shares, at }: SharesAt & { readonly at: readonly number[] }): Bytes[] {
  const length = shares[0]?.length ?? 0
  assert(shares.length === xs.length && shares.every((share) => share.length === length), 'interpolate: one share per point, equally long')
  return at.map((point) => {
    const weights = lagrangeWeights({ xs, at: point })
    const values = new Uint8Array(length)
    for (const [index, share] of shares.entries()) {
      for (let byte = 0; byte < length; byte++) values[byte]! ^= multiply(weights[index]!, share[byte]!)
    }
    return values
  })
}

/** Weights w with f(at) = sum of w_i f(xs_i) for every f of degree < xs.length; they add up to 1. Points may be 0. */
export function lagrangeWeights({ xs, at }: { readonly xs: readonly number[]; readonly at: number }): number[] {
  assert(xs.length > 0 && new Set(xs).size === xs.length && [...xs, at].every(isElement), 'weights: distinct points, 0..255')
  return xs.map((xi) => {
    let above = 1
    let below = 1
    for (const xj of xs) {
      if (xj === xi) continue
      above = multiply(above, at ^ xj)
      below = multiply(below, xi ^ xj)
    }
    return divide(above, below)
  })
}

function assertPoints(xs: readonly number[]): void {
  assert(xs.length > 0 && new Set(xs).size === xs.length && xs.every((x) => isElement(x) && x !== 0), 'points: distinct, 1..255')
}
