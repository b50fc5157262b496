// The sharing kernel: split, combine and interpolate rows of bytes inside one fixed WebAssembly memory (src/kernels/kernel.ts).
// No row is copied on the way; callers read, fill with randomness and write out through views of `memory`.
import { assert, fromBase64 } from '#base'
import { ARENA, CONSTANTS, OPERATIONS_MAX, POINTERS, PROGRAM, ROWS_MAX, SCRATCH, SCRATCH_BYTES, TABLES } from '../kernels/layout.ts'
import { multiply } from './gf256.ts'
import { relaxed, standard } from './kernel-wasm.ts'
import { type Plan, planInterpolate, planSplit } from './plan.ts'

/** WebAssembly relaxed SIMD (table look-ups in one instruction), or plain SIMD where that is missing. */
export type KernelBuild = 'relaxed' | 'standard'

/**
 * Rows are named by their offset in `memory`: inside the arena, multiples of 16, not overlapping. The kernel may read and write up to the
 * next multiple of 16 bytes after `length`. Points are public; row contents never decide a branch or an address.
 */
export interface Kernel {
  readonly build: KernelBuild
  /** The whole memory; of fixed size, so this view never detaches. */
  readonly memory: Uint8Array<ArrayBuffer>
  /** Offset of `lengthBytes` fresh zero bytes, a multiple of 64. The arena full is an assertion failure. */
  alloc(lengthBytes: number): number
  /** Shares at x = 1..n, 2 <= k <= n <= 255. `random` has k-1 rows of uniform bytes, used once. */
  split(job: SplitJob): void
  /** secret = f(0) from exactly k shares at distinct xs, 1..255. */
  combine(job: CombineJob): void
  /** Values at each point of `at` (0..255) of the polynomial of degree < xs.length through (xs, from), xs distinct, 0..255. */
  interpolate(job: InterpolateJob): void
  /** Zeroes every byte that was ever allocated, and the kernel's own temporary rows. Allocations stay valid. */
  wipe(): void
}

export interface SplitJob {
  readonly k: number
  readonly n: number
  readonly secret: number
  readonly random: readonly number[]
  readonly shares: readonly number[]
  readonly length: number
}

export interface CombineJob {
  readonly xs: readonly number[]
  readonly shares: readonly number[]
  readonly secret: number
  readonly length: number
}

export interface InterpolateJob {
  readonly xs: readonly number[]
  readonly from: readonly number[]
  readonly at: readonly number[]
  readonly into: readonly number[]
  readonly length: number
}

/** What src/kernels/kernel.ts exports. */
interface Exports {
  split2of3(secret: number, r1: number, f1: number, f2: number, f3: number, length: number): void
  split3of5(secret: number, r1: number, r2: number, f1: number, f2: number, f3: number, f4: number, f5: number, length: number): void
  run(operations: number, moving: number, tile: number, length: number): void
}

const PAGE_BYTES = 65536
const VECTOR_BYTES = 16
const ALIGNMENT_BYTES = 64
/** Rows of a tile stay in the first-level cache from one operation to the next. */
const TILE_BYTES_MAX = 2048
const PLANS_MAX = 64

const modules = new Map<KernelBuild, Promise<WebAssembly.Module>>()

/** Makes a kernel with a memory of its own. Without `build` the fastest that this engine knows. */
export async function createKernel({ arenaBytes, build }: { readonly arenaBytes: number; readonly build?: KernelBuild }): Promise<Kernel> {
  assert(Number.isSafeInteger(arenaBytes) && arenaBytes >= 0, 'kernel: arena size')
  const chosen = build ?? (WebAssembly.validate(fromBase64(relaxed)) ? 'relaxed' : 'standard')
  const pages = Math.ceil((ARENA + arenaBytes) / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const instance = await WebAssembly.instantiate(await compiled(chosen), { env: { memory } })
  return new WasmKernel({
    build: chosen,
    memory: new Uint8Array(memory.buffer),
    exports: instance.exports as unknown as Exports,
    end: ARENA + arenaBytes,
  })
}

function compiled(build: KernelBuild): Promise<WebAssembly.Module> {
  const known = modules.get(build)
  if (known) return known
  const module = WebAssembly.compile(fromBase64(build === 'relaxed' ? relaxed : standard))
  modules.set(build, module)
  return module
}

class WasmKernel implements Kernel {
  readonly build: KernelBuild
  readonly memory: Uint8Array<ArrayBuffer>
  readonly #exports: Exports
  readonly #view: DataView
  readonly #end: number
  #next = ARENA
  readonly #plans = new Map<string, readonly Plan[]>()
  #loaded: Plan | undefined

  constructor(parts: { build: KernelBuild; memory: Uint8Array<ArrayBuffer>; exports: Exports; end: number }) {
    this.build = parts.build
    this.memory = parts.memory
    this.#exports = parts.exports
    this.#view = new DataView(parts.memory.buffer)
    this.#end = parts.end
    this.memory.fill(0x0f, CONSTANTS + VECTOR_BYTES, CONSTANTS + 2 * VECTOR_BYTES)
    this.memory.fill(0x1b, CONSTANTS + 2 * VECTOR_BYTES, CONSTANTS + 3 * VECTOR_BYTES)
    for (let t = 0; t < 256; t++) {
      for (let nibble = 0; nibble < 16; nibble++) {
        this.memory[TABLES + 32 * t + nibble] = multiply(t, nibble)
        this.memory[TABLES + 32 * t + 16 + nibble] = multiply(t, nibble << 4)
      }
    }
  }

  alloc(lengthBytes: number): number {
    assert(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0, 'kernel: length')
    const at = this.#next
    const next = at + roundUp(lengthBytes, ALIGNMENT_BYTES)
    assert(next <= this.#end, 'kernel: the arena is full')
    this.#next = next
    return at
  }

  split({ k, n, secret, random, shares, length }: SplitJob): void {
    assert(Number.isInteger(k) && Number.isInteger(n) && k >= 2 && k <= n && n <= 255, 'split: 2 <= k <= n <= 255')
    assert(random.length === k - 1 && shares.length === n, 'split: k-1 random rows, n shares')
    const bytes = this.#assertRows([secret, ...random, ...shares], length)
    if (k === 2 && n === 3) this.#exports.split2of3(secret, random[0]!, shares[0]!, shares[1]!, shares[2]!, bytes)
    else if (k === 3 && n === 5) {
      this.#exports.split3of5(secret, random[0]!, random[1]!, shares[0]!, shares[1]!, shares[2]!, shares[3]!, shares[4]!, bytes)
    } else {
      const [plan] = this.#planned(`split ${k} ${n}`, () => [planSplit({ k, n })])
      this.#run(plan!, [secret, ...random, ...shares], bytes)
    }
  }

  combine({ xs, shares, secret, length }: CombineJob): void {
    assert(!xs.includes(0), 'combine: no share is at 0')
    this.interpolate({ xs, from: shares, at: [0], into: [secret], length })
  }

  interpolate({ xs, from, at, into, length }: InterpolateJob): void {
    assert(xs.length === from.length && at.length === into.length && xs.length > 0, 'interpolate: one row per point')
    const bytes = this.#assertRows([...from, ...into], length)
    const plans = this.#planned(`interpolate ${xs.join()} ${at.join()}`, () => planInGroups(xs, at))
    let done = 0
    for (const plan of plans) {
      this.#run(plan, [...from, ...into.slice(done, done + plan.outputs)], bytes)
      done += plan.outputs
    }
  }

  wipe(): void {
    this.memory.fill(0, SCRATCH, SCRATCH + SCRATCH_BYTES)
    this.memory.fill(0, ARENA, this.#next)
  }

  /** Length rounded up to whole vectors. Rows that overlap would give wrong shares in silence. */
  #assertRows(rows: readonly number[], length: number): number {
    assert(Number.isSafeInteger(length) && length >= 0, 'kernel: length')
    const bytes = roundUp(length, VECTOR_BYTES)
    let end = ARENA
    for (const row of rows.toSorted((a, b) => a - b)) {
      assert(row >= end && row % VECTOR_BYTES === 0, 'kernel: rows are aligned, inside the arena, and do not overlap')
      end = row + bytes
    }
    assert(end <= this.#end, 'kernel: rows end inside the arena')
    return bytes
  }

  /** Plans of a shape; the oldest shape makes room for a new one. */
  #planned(shape: string, plan: () => readonly Plan[]): readonly Plan[] {
    const known = this.#plans.get(shape)
    if (known) return known
    const plans = plan()
    if (this.#plans.size === PLANS_MAX) this.#plans.delete(this.#plans.keys().next().value!)
    this.#plans.set(shape, plans)
    return plans
  }

  #run(plan: Plan, rows: readonly number[], bytes: number): void {
    assert(rows.length === plan.inputs + plan.outputs && rows.length + plan.temporaries <= ROWS_MAX, 'kernel: rows of the plan')
    if (this.#loaded !== plan) {
      assert(plan.operations <= OPERATIONS_MAX, 'kernel: operations of the plan')
      this.memory.set(plan.program, PROGRAM)
      this.#loaded = plan
    }
    const tile = Math.min(TILE_BYTES_MAX, roundDown(SCRATCH_BYTES / Math.max(1, plan.temporaries), ALIGNMENT_BYTES))
    for (const [index, row] of rows.entries()) this.#view.setUint32(POINTERS + 4 * index, row, true)
    for (let index = 0; index < plan.temporaries; index++) {
      this.#view.setUint32(POINTERS + 4 * (rows.length + index), SCRATCH + tile * index, true)
    }
    this.#exports.run(plan.operations, rows.length, tile, bytes)
  }
}

/** One plan for all points, or several where one would be too long for the kernel. */
function planInGroups(xs: readonly number[], at: readonly number[]): readonly Plan[] {
  const size = Math.max(1, Math.floor((OPERATIONS_MAX - xs.length) / xs.length))
  const plans: Plan[] = []
  for (let done = 0; done < at.length; done += size) plans.push(planInterpolate({ xs, at: at.slice(done, done + size) }))
  return plans
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

function roundDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit
}
