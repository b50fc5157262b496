// The files of a log in memory, made from its entries.
import { concat } from '#base'
import { Edge, encodeBundle, leafHash, type LogFiles, type ReadTile, TILE_HEIGHT, TILE_WIDTH, tilePath, allTiles } from '#format/log'

/** Reads tiles of a log of these entries. */
export function readerOf(entries: readonly Uint8Array[]): ReadTile {
  const levels = levelsOf(entries)
  return async ({ level, index, width }) => concat(...(levels[level] ?? []).slice(index * TILE_WIDTH, index * TILE_WIDTH + width))
}

/** Every file of the log, by its path. */
export async function filesOf(entries: readonly Uint8Array[]): Promise<Map<string, Uint8Array>> {
  const read = readerOf(entries)
  const files = new Map<string, Uint8Array>()
  for (const tile of allTiles(entries.length)) {
    const first = tile.index * TILE_WIDTH
    const bytes = tile.kind === 'entries' ? encodeBundle(entries.slice(first, first + tile.width)) : await read(tile)
    files.set(tilePath(tile), bytes)
  }
  return files
}

export function asFiles(files: ReadonlyMap<string, Uint8Array>): LogFiles {
  return { read: async (path) => files.get(path) }
}

function levelsOf(entries: readonly Uint8Array[]): Uint8Array[][] {
  const levels: Uint8Array[][] = [[]]
  const edge = new Edge()
  for (const entry of entries) {
    const hash = leafHash(entry)
    levels[0]!.push(hash)
    edge.append(hash, (level, _index, root) => {
      if (level % TILE_HEIGHT === 0) (levels[level / TILE_HEIGHT] ??= []).push(root)
    })
  }
  return levels
}
