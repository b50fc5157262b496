// Rows in the kernel's memory for one shape (k, n, chunk size): what a dealing or a reading works in, without copies in between.
// A slot is one chunk on its way: its plaintext and its n records. Slots are used in turn, so that writes of one overlap the dealing of the next.
import { assert } from '#base'
import { createKernel, type Kernel, type KernelBuild } from '#crypto'
import { SALT_BYTES, TAG_BYTES } from './padding.ts'
import type { Suite } from './header.ts'

export interface ArenaShape {
  readonly suite: Suite
  readonly k: number
  /** Record rows per slot: n for a dealing, k for a reading. */
  readonly rows: number
  readonly chunkLog2: number
  readonly slots: number
}

/** One chunk's rows; all are offsets into the kernel's memory. */
export interface Slot {
  /** S_j begins here; 64 bytes before it are free for the prefix under its tag. */
  readonly secret: number
  /** body begins here; 64 bytes before it are free for the salt. */
  readonly bodies: readonly number[]
}

export interface Arena {
  readonly kernel: Kernel
  readonly shape: ArenaShape
  readonly slots: readonly Slot[]
  /** k-1 rows of coefficients, used at once and never across chunks; a reading uses them as scratch. */
  readonly random: readonly number[]
  /** k rows for D_i of suite 2, beside `random`. */
  readonly pieces: readonly number[]
  /** Length of the largest body that fits. */
  readonly bodyBytesMax: number
}

const MARGIN_BYTES = 64

/** Bytes of the arena of a shape. */
export function arenaBytes(shape: ArenaShape): number {
  const { body, plain } = rowBytes(shape)
  const margin = MARGIN_BYTES
  const pieces = shape.suite === 2 ? shape.k * body : 0
  return shape.slots * (margin + plain + shape.rows * (margin + body)) + (shape.k - 1) * body + pieces + 64 * 8
}

export async function createArena(shape: ArenaShape, build?: KernelBuild): Promise<Arena> {
  assert(shape.slots >= 1 && shape.rows >= shape.k, 'arena shape')
  const kernel = await createKernel({ arenaBytes: arenaBytes(shape), ...(build === undefined ? {} : { build }) })
  const { body, plain } = rowBytes(shape)
  const row = (length: number): number => kernel.alloc(MARGIN_BYTES + length) + MARGIN_BYTES
  return {
    kernel,
    shape,
    slots: Array.from({ length: shape.slots }, () => ({
      secret: row(plain),
      bodies: Array.from({ length: shape.rows }, () => row(body)),
    })),
    random: Array.from({ length: shape.k - 1 }, () => kernel.alloc(body)),
    pieces: shape.suite === 2 ? Array.from({ length: shape.k }, () => kernel.alloc(body)) : [],
    bodyBytesMax: body - MARGIN_BYTES,
  }
}

/** Rows end on 64 bytes behind the ftag, so that the kernel's rounding up never meets a neighbour. */
function rowBytes({ suite, k, chunkLog2 }: ArenaShape): { readonly body: number; readonly plain: number } {
  const plain = 2 ** chunkLog2 + TAG_BYTES
  const body = suite === 1 ? plain : Math.ceil(plain / k)
  const round = (length: number): number => Math.ceil((length + TAG_BYTES + SALT_BYTES) / 64) * 64 + MARGIN_BYTES
  return { body: round(body), plain: round(plain) }
}
