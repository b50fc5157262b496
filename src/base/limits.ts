// Bounds of loops, queues, bodies and waits. One place, units in the names.

export const limits = {
  /** What the product offers; the format knows up to 255. */
  countMax: 32,
  thresholdMin: 2,
  chunkLog2Default: 18,
  headBytesMax: 4096,
  trailerBytesMax: 2 ** 24,
  extBytesMax: 1024,
  metaBytesMax: 2 ** 20,
  pathBytesMax: 4096,
  pathSegmentBytesMax: 255,
  listPageMax: 1000,
  /** A location that makes no progress for this long is a laggard. */
  stallMs: 30_000,
  connectMs: 10_000,
} as const
