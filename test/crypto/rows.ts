// Runs kernel jobs on plain byte arrays, and makes test bytes. For tests only.
import { createKernel, type Kernel, type KernelBuild } from '#crypto'

export const BUILDS: readonly KernelBuild[] = ['relaxed', 'standard']

const ARENA_BYTES = 4 * 2 ** 20

export interface RowKernel {
  split(job: { k: number; n: number; secret: Uint8Array; random: readonly Uint8Array[] }): Uint8Array[]
  combine(job: { xs: readonly number[]; shares: readonly Uint8Array[] }): Uint8Array
  interpolate(job: { xs: readonly number[]; from: readonly Uint8Array[]; at: readonly number[] }): Uint8Array[]
}

/** One kernel whose whole arena is filled with noise before each job. */
export async function rowKernel(build: KernelBuild): Promise<RowKernel> {
  const kernel = await createKernel({ arenaBytes: ARENA_BYTES, build })
  const arena = kernel.alloc(ARENA_BYTES)
  let next = arena
  const room = (length: number): number => {
    const at = next
    next += Math.ceil(length / 16) * 16
    kernel.memory.fill(0xa5, at, next)
    return at
  }
  const put = (row: Uint8Array): number => {
    const at = room(row.length)
    kernel.memory.set(row, at)
    return at
  }
  const get = (at: number, length: number): Uint8Array => kernel.memory.slice(at, at + length)
  return {
    split: ({ k, n, secret, random }) => {
      next = arena
      const { length } = secret
      const job = { k, n, secret: put(secret), random: random.map(put), shares: rows(n, () => room(length)), length }
      kernel.split(job)
      return job.shares.map((at) => get(at, length))
    },
    combine: ({ xs, shares }) => {
      next = arena
      const { length } = shares[0]!
      const job = { xs, shares: shares.map(put), secret: room(length), length }
      kernel.combine(job)
      return get(job.secret, length)
    },
    interpolate: ({ xs, from, at }) => {
      next = arena
      const { length } = from[0]!
      const job = { xs, from: from.map(put), at, into: at.map(() => room(length)), length }
      kernel.interpolate(job)
      return job.into.map((row) => get(row, length))
    },
  }
}

export function place(kernel: Kernel, row: Uint8Array): number {
  const at = kernel.alloc(row.length)
  kernel.memory.set(row, at)
  return at
}

export function rows<Row>(count: number, make: (index: number) => Row): Row[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Deterministic bytes of a seed (splitmix32), for test data only. */
export function byteSource(seed: number): (length: number) => Uint8Array<ArrayBuffer> {
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
export function pickPoints(n: number, k: number, bytes: (length: number) => Uint8Array): number[] {
  const order = bytes(n)
  return rows(n, (index) => index + 1)
    .toSorted((a, b) => order[a - 1]! - order[b - 1]! || a - b)
    .slice(0, k)
}

/** All subsets of 1..n of one size. */
export function* subsets(n: number, size: number, from = 1): Generator<number[]> {
  if (size === 0) yield []
  else for (let x = from; x <= n - size + 1; x++) for (const rest of subsets(n, size - 1, x + 1)) yield [x, ...rest]
}
