// What passes between the site and the threads that deal chunks. Buffers change hands with each message, and come back.
import type { ChunkKeys, ChunkTurn } from '#format'

export type ToChunkThread =
  | { readonly kind: 'learn'; readonly dealing: number; readonly keys: ChunkKeys }
  | { readonly kind: 'deal'; readonly job: number; readonly dealing: number; readonly turn: ChunkTurn; readonly buffers: ChunkBuffers }
  /** Wipes the keys, and what the dealing left in memory. */
  | { readonly kind: 'forget'; readonly dealing: number }

export type FromChunkThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'dealt'; readonly job: number; readonly recordBytes: number; readonly buffers: ChunkBuffers }

export interface ChunkBuffers {
  /** S_j from its beginning. */
  readonly plain: ArrayBuffer
  /** n records, each from a multiple of `recordStride`. */
  readonly records: ArrayBuffer
}

/** Bytes from one record to the next in `ChunkBuffers.records`. */
export function recordStride(records: ArrayBuffer, n: number): number {
  return records.byteLength / n
}
