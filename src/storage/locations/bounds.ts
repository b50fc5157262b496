// Bounds of the location drivers. Units last.

export const bounds = {
  nameLengthMax: 200,
  /** `putIfAbsent` takes no more. */
  smallBytesMax: 2 ** 20,
  /** What `open` fetches along when the caller does not say. */
  tailBytesDefault: 64 * 1024,
  listPageDefault: 1000,
  listPageMax: 1000,
  /** Directory entries held in memory at once while a folder is listed. */
  folderEntriesMax: 4096,
  /** A long write reaches the disk in steps of this size, so that the last fsync is short. */
  folderSyncEveryBytes: 64 * 2 ** 20,
  folderStatsInFlight: 32,
  /** How long `abort` waits for a disk or store that does not answer. */
  abortWaitMs: 5000,
} as const

/** What all drivers that speak HTTP share. */
export const webBounds = {
  /** Views of one body that are given to a connection before the first of them has left. */
  viewsInFlight: 4,
  socketsMax: 128,
  /** Requests sent again after an answer that may pass: connection lost, 5xx, 429. */
  attempts: 4,
  backoffMs: 150,
  backoffMsMax: 5000,
  /** An answer that is not an object's bytes. */
  answerBytesMax: 8 * 2 ** 20,
  /** Of an error, more is not looked at. */
  errorBytesMax: 64 * 1024,
  xmlDepthMax: 8,
  xmlElementsMax: 50_000,
  /** No request that carries no object bytes takes longer, however steadily it drips. */
  controlMs: 600_000,
  /** Progress below this in one stall time counts as none while object bytes flow. */
  dripBytesMin: 1024,
  credentialsKeptMs: 60_000,
  /** Parts are kept as blocks of this size, which are used again. */
  blockBytes: 256 * 1024,
  blocksKeptMax: 128,
  /** Bytes that are asked for ahead in one request while an object is read in order. */
  aheadBytesMax: 4 * 2 ** 20,
  /** A request for bytes ahead that nobody takes is given up after so long. */
  aheadIdleMs: 5000,
} as const

export const s3Bounds = {
  /** With three locations the parts on their way are half of the memory that an upload may take (docs/benchmarks.md). */
  partBytesDefault: 5 * 2 ** 20,
  /** The smallest part that S3 takes, except for the last. */
  partBytesMin: 5 * 2 ** 20,
  partsMax: 10_000,
  /** Of an upload that goes on: so many parts may be copies of what stood before. */
  copiedPartsMax: 1000,
  /** Parts of an upload of unknown length double in size after so many; four sizes keep 260 GiB from 5 MiB on. */
  partsPerStep: 1500,
  partsInFlightDefault: 2,
  partsInFlightMax: 16,
  /** The store may think for long before it has joined the parts. */
  completeStallMs: 120_000,
  /** For so long after it was seen, a bucket is taken to be there still. */
  bucketSeenMs: 60_000,
  versionsMax: 64,
  uploadPagesMax: 1000,
  conflictAttempts: 6,
} as const

export const azureBounds = {
  partBytesDefault: 4 * 2 ** 20,
  partsInFlight: 4,
  /** Blocks of one blob. */
  partsMax: 50_000,
  /** Blocks of a write of unknown length double in size after so many; four sizes keep 1 TiB from 4 MiB on. */
  partsPerStep: 8000,
  partDoublingsMax: 3,
  /** The list of blocks of larger blobs is not read back; their size is. */
  blocksReadBackMax: 10_000,
  /** Of a list of blocks: three for each of the most that a blob can have. */
  blockElementsMax: 160_000,
  /** Where each of our pages ended in the words of the store, so that going on does not begin from the front. */
  markersMax: 64,
  listPagesMax: 100_000,
  commitStallMs: 120_000,
} as const

export const gcsBounds = {
  /** Pieces that are not the last have a multiple of this. */
  pieceBytes: 256 * 1024,
  partBytesDefault: 8 * 2 ** 20,
  /** The last part may be empty; there is no bound to their number but the 5 TiB of an object. */
  partsMax: 1_000_000,
  resumesMax: 8,
  /** Of a write that may be gone on with: pieces of a segment, at most. */
  segmentPartsMax: 8,
  /** Objects that the store joins at once. */
  composeMax: 32,
  dropsInFlight: 4,
  listPagesMax: 1000,
  completeStallMs: 120_000,
  tokenBytesMax: 16 * 1024,
  /** A token is renewed so long before it ends. */
  tokenMarginMs: 60_000,
  tokenSeconds: 3600,
} as const

export const sftpBounds = {
  /** Bytes of one write or read where the server does not say what it takes; every server takes this much (draft, section 3). */
  blockBytesDefault: 32 * 1024,
  /** Of what a server says it takes, more is not used. */
  blockBytesMax: 256 * 1024,
  /** Bytes on their way of one write or read: 8 blocks of 256 KiB, or 64 small ones. */
  windowBytes: 8 * 256 * 1024,
  blocksInFlightMax: 64,
  blocksKeptMax: 24,
  /** An answer that is no object bytes: names of a folder come in pages of about a hundred. */
  answerBytesMax: 512 * 1024,
  extensionsMax: 64,
  handleBytesMax: 256,
  requestsMax: 4096,
  /** Calls made anew after the connection was lost. */
  attempts: 4,
  /** A write that goes on after a break may break so often without a byte acknowledged in between. */
  resumesMax: 4,
  backoffMs: 150,
  backoffMsMax: 5000,
  /** No request takes longer, however steadily the line drips. */
  controlMs: 600_000,
  /** Bytes moved in one stall time below which the server counts as stalled. */
  dripBytesMin: 64,
  /** A long write is made durable in steps of this size, so that the last fsync is short. */
  syncEveryBytes: 64 * 2 ** 20,
  /** Free space below which a failure without a reason counts as a full disk. */
  fullBytes: 4 * 2 ** 20,
  foldersKnownMax: 4096,
  folderDepthMax: 32,
  lockLooks: 6,
  knownHostsBytesMax: 2 ** 20,
  secretFileBytesMax: 64 * 1024,
  hostKeysMax: 8,
} as const

export const webdavBounds = {
  /** A write up to this size is one request that can be sent again; beyond it the rest goes out as it comes. */
  wholeBytes: 2 ** 20,
  /** Of one folder's list. */
  listBytesMax: 256 * 2 ** 20,
  listEntriesMax: 200_000,
  xmlDepthMax: 16,
  xmlTextMax: 4096,
  folderDepthMax: 32,
  foldersKnownMax: 4096,
  lockLooks: 7,
  abortLooks: 4,
  moveTries: 4,
  /** The server may copy when it is told to move. */
  moveStallMs: 600_000,
} as const
