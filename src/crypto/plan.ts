// Plans: straight-line programs over rows that the kernel interprets. They depend on public numbers only: k, n and the points.
import { assert } from '#base'
import { ADD, BUTTERFLY, COPY, FOLD, MULTIPLY_ADD, OPERATION_BYTES } from '../kernels/layout.ts'
import { divide, isElement, multiply } from './gf256.ts'
import { lagrangeWeights } from './shamir.ts'

/** Rows are numbered: inputs, then outputs, then temporary rows. */
export interface Plan {
  readonly inputs: number
  readonly outputs: number
  readonly temporaries: number
  readonly operations: number
  readonly multiplications: number
  /** Encoded as src/kernels/layout.ts says. */
  readonly program: Uint8Array
}

/**
 * Plans shares at 1..n from inputs secret, k-1 random rows: an additive FFT over the coefficients of f in the basis X_0, X_1, ... of
 * Lin, Chung, Han (FOCS 2014, section II). X_0 = 1 and X_j(0) = 0 for j > 0, so f(0) is the secret; X_j has degree j, so uniform
 * coefficients in this basis are uniform coefficients of x, x^2, ...: the shares are plain Shamir shares.
 */
export function planSplit({ k, n }: { readonly k: number; readonly n: number }): Plan {
  assert(Number.isInteger(k) && Number.isInteger(n) && k >= 2 && k <= n && n <= 255, 'plan: 2 <= k <= n <= 255')
  const draft = new Draft(k)
  const levels = 32 - Math.clz32(n)
  const coefficients = Array.from({ length: 2 ** levels }, (_, index) => (index < k ? index : ZERO))
  const shares: Value[] = []
  evaluate(levels, coefficients, 0)
  return draft.finish(shares.slice(1))

  /** Values at start .. start + 2^level - 1, of which 1..n are wanted (section III, figure 1: from the top level down). */
  function evaluate(level: number, row: readonly Value[], start: number): void {
    if (level === 0) {
      shares[start] = row[0]!
      return
    }
    const half = 2 ** (level - 1)
    const twist = subspaceValue(level - 1, start)
    const wantLow = start + half > 1
    const wantHigh = start + half <= n
    const low: Value[] = []
    const high: Value[] = []
    for (let index = 0; index < half; index++) {
      const a = row[index]!
      const b = row[index + half]!
      if (wantLow && wantHigh) [low[index], high[index]] = draft.butterfly(a, twist, b)
      else if (wantLow) low[index] = draft.multiplyAdd(a, twist, b)
      else high[index] = draft.multiplyAdd(a, twist ^ 1, b)
    }
    if (wantLow) evaluate(level - 1, low, start)
    if (wantHigh) evaluate(level - 1, high, start + half)
  }
}

/**
 * Plans the values at the points `at` of the polynomial through the inputs at `xs`. The weights of Lagrange add up to 1, so
 * f(p) = a_0 ^ sum of w_i (a_i ^ a_0): one multiplication fewer per value, and the differences serve all values.
 */
export function planInterpolate({ xs, at }: { readonly xs: readonly number[]; readonly at: readonly number[] }): Plan {
  assert(xs.length > 0 && new Set(xs).size === xs.length && [...xs, ...at].every(isElement), 'plan: distinct points, 0..255')
  const draft = new Draft(xs.length)
  const differences: Value[] = []
  const fresh = at.filter((point) => !xs.includes(point)).length
  const values = at.map((point) => {
    const known = xs.indexOf(point)
    if (known >= 0) return known
    const weights = lagrangeWeights({ xs, at: point })
    let sum = 0
    for (let index = 1; index < xs.length; index++) {
      if (fresh === 1) sum = draft.fold(sum, weights[index]!, index, 0)
      else sum = draft.multiplyAdd(sum, weights[index]!, (differences[index] ??= draft.add(index, 0)))
    }
    return sum
  })
  return draft.finish(values)
}

/** s_i(x): the polynomial that vanishes on 0..2^i-1, scaled to s_i(2^i) = 1 (LCH section II.B). It is linear over GF(2). */
function subspaceValue(i: number, x: number): number {
  let above = 1
  let below = 1
  for (let u = 0; u < 2 ** i; u++) {
    above = multiply(above, x ^ u)
    below = multiply(below, (2 ** i) ^ u)
  }
  return divide(above, below)
}

/** Number of a row that is computed once; inputs come first. */
type Value = number
const ZERO: Value = -1

interface Step {
  readonly code: number
  readonly t: number
  readonly reads: readonly Value[]
  readonly writes: readonly Value[]
}

/** Collects steps in single-assignment form, then gives each value a row. */
class Draft {
  readonly #inputs: number
  readonly #steps: Step[] = []
  #values: number

  constructor(inputs: number) {
    this.#inputs = inputs
    this.#values = inputs
  }

  add(a: Value, b: Value): Value {
    return this.#step(ADD, 0, [a, b], 1)[0]!
  }

  multiplyAdd(a: Value, t: number, b: Value): Value {
    if (b === ZERO || t === 0) return a
    if (t === 1) return this.add(a, b)
    return this.#step(MULTIPLY_ADD, t, [a, b], 1)[0]!
  }

  /** a ^ t*(b ^ d): a difference that is used once needs no row. */
  fold(a: Value, t: number, b: Value, d: Value): Value {
    return this.#step(FOLD, t, [a, b, d], 1)[0]!
  }

  butterfly(a: Value, t: number, b: Value): [Value, Value] {
    if (b === ZERO) return [a, a]
    if (t === 0) return [a, this.add(a, b)]
    if (t === 1) return [this.add(a, b), a]
    const [c, d] = this.#step(BUTTERFLY, t, [a, b], 2)
    return [c!, d!]
  }

  #step(code: number, t: number, reads: readonly Value[], results: number): readonly Value[] {
    assert(!reads.includes(ZERO), 'plan: a zero row is never computed with')
    const writes = Array.from({ length: results }, () => this.#values++)
    this.#steps.push({ code, t, reads, writes })
    return writes
  }

  /** An output that is an input or another output becomes a copy. Temporary rows are used again once their last reader has run. */
  finish(outputs: readonly Value[]): Plan {
    const rowOf = new Map<Value, number>()
    for (let input = 0; input < this.#inputs; input++) rowOf.set(input, input)
    for (const [index, value] of outputs.entries()) {
      const row = this.#inputs + index
      if (rowOf.has(value)) rowOf.set(this.#step(COPY, 0, [value], 1)[0]!, row)
      else rowOf.set(value, row)
    }
    const lastReader = new Map<Value, number>()
    for (const [index, step] of this.#steps.entries()) for (const value of step.reads) lastReader.set(value, index)

    const firstTemporary = this.#inputs + outputs.length
    const free: number[] = []
    let temporaries = 0
    const program = new DataView(new ArrayBuffer(this.#steps.length * OPERATION_BYTES))
    for (const [index, step] of this.#steps.entries()) {
      const reads = step.reads.map((value) => rowOf.get(value)!)
      // A row whose last reader this is may take the result: the kernel reads a vector of every row before it writes one.
      for (const row of new Set(reads.filter((_, at) => lastReader.get(step.reads[at]!) === index))) {
        if (row >= firstTemporary) free.push(row)
      }
      const writes = step.writes.map((value) => {
        const row = rowOf.get(value) ?? free.pop() ?? firstTemporary + temporaries++
        rowOf.set(value, row)
        return row
      })
      const [a, b = a, third] = reads
      const [c, d = third ?? c] = writes
      for (const [field, number] of [step.code, step.t, a!, b!, c!, d!].entries()) {
        program.setUint16(index * OPERATION_BYTES + 2 * field, number, true)
      }
    }
    return {
      inputs: this.#inputs,
      outputs: outputs.length,
      temporaries,
      operations: this.#steps.length,
      multiplications: this.#steps.filter((step) => step.t !== 0).length,
      program: new Uint8Array(program.buffer),
    }
  }
}
