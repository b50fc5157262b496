// Tiles and entry bundles of a log, and the paths under which they are served (c2sp.org/tlog-tiles).
import { assert, type Bytes, concat, Failure, u16 } from '#base'
import { HASH_BYTES } from './tree.ts'

/** Hashes of a full tile, entries of a full bundle. */
export const TILE_WIDTH = 256
/** Levels of the tree that one tile spans. */
export const TILE_HEIGHT = 8
/** Levels that a path may name: "between 0 and 63". */
const LEVEL_MAX = 63

/** Where a run of hashes or entries lies. `width` below 256 is a partial tile. */
export interface Tile {
  readonly kind: 'hashes' | 'entries'
  /** Level of tiles, not of the tree; 0 for entries. */
  readonly level: number
  readonly index: number
  readonly width: number
}

/** `tile/0/x001/x234/067.p/8`, relative to the prefix of the log. */
export function tilePath({ kind, level, index, width }: Tile): string {
  assert(width >= 1 && width <= TILE_WIDTH, 'a tile has 1 to 256 hashes')
  const digits = String(index)
  const groups = digits
    .padStart(Math.ceil(digits.length / 3) * 3, '0')
    .match(/\d{3}/g)!
    .map((group, at, all) => (at < all.length - 1 ? `x${group}` : group))
  return `tile/${kind === 'entries' ? 'entries' : level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Undefined for anything but a path that `tilePath` gives. */
export function parseTilePath(path: string): Tile | undefined {
  if (path.length > 64) return undefined
  const found = PATH.exec(path)
  if (found === null) return undefined
  const [, level = '', groups = '', width] = found
  const tile: Tile = {
    kind: level === 'entries' ? 'entries' : 'hashes',
    level: level === 'entries' ? 0 : Number(level),
    index: Number(groups.replace(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  if (tile.level > LEVEL_MAX || !Number.isSafeInteger(tile.index) || tile.width > TILE_WIDTH) return undefined
  // Leading groups of zeros, and a partial tile as wide as a full one, are other names of the same tile.
  return tilePath(tile) === path ? tile : undefined
}

/** The tiles of a level of a tree of that size: how many are full, and how wide the partial one behind them is (0 = none). */
export function tilesOf(level: number, size: number): { readonly full: number; readonly partial: number } {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return { full: Math.floor(hashes / TILE_WIDTH), partial: hashes % TILE_WIDTH }
}

/** Every tile and bundle of a tree of that size, bundles and level 0 first, in the order of their entries. */
export function* allTiles(size: number): Generator<Tile> {
  for (let level = 0; level === 0 || size >= TILE_WIDTH ** level; level++) {
    const { full, partial } = tilesOf(level, size)
    const kinds = level === 0 ? (['entries', 'hashes'] as const) : (['hashes'] as const)
    for (let index = 0; index < full; index++) for (const kind of kinds) yield { kind, level, index, width: TILE_WIDTH }
    if (partial > 0) for (const kind of kinds) yield { kind, level, index: full, width: partial }
  }
}

/** Hash number `at` of a tile. */
export function hashAt(tile: Uint8Array, at: number): Bytes {
  return new Uint8Array(tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
}

/** Entries, each behind its length in two bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Bytes {
  return concat(...entries.flatMap((entry) => [u16(entry.length), entry]))
}

/** `audit.framing` when they are not exactly `width` entries. */
export function parseBundle(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && entries.length < width) {
    const start = at + 2
    const end = start + bytes[at]! * 256 + (bytes[at + 1] ?? 0)
    if (start > bytes.length || end > bytes.length) break
    entries.push(bytes.subarray(start, end))
    at = end
  }
  if (entries.length !== width || at !== bytes.length)
    throw new Failure('audit.framing', { detail: `a bundle does not hold exactly ${width} entries` })
  return entries
}
