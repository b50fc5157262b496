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
