// The log read from its rows: tiles, bundles, entries, as they stand in the database.
import { isFailure, utf8 } from '#base'
import type { AuditEntry, AuditFilter } from '#contract'
import type { Database } from '#database'
import { encodeBundle, HASH_BYTES, type Leaf, parseLeaf, parsePersonal, parseTilePath, type Tile, TILE_WIDTH, tilesOf } from '#format/log'
import type { AuditTables } from './tables.ts'

export type AuditStore = Database<AuditTables>

export interface LogRows {
  /** Size and right edge of the log; undefined when the row is gone. */
  edge(): Promise<{ readonly size: number; readonly hashes: Uint8Array; readonly origin: string; readonly vkeys: string } | undefined>
  /** The hashes of a tile, as many as there are: a row that is gone makes it shorter. */
  hashes(tile: Tile): Promise<Uint8Array>
  /** A file of the log by its path below the prefix; undefined for what a log of this size does not have. */
  file(path: string, size: number): Promise<Uint8Array | undefined>
  /** The bytes of one entry. */
  leaf(index: number): Promise<Uint8Array | undefined>
  entries(query: AuditFilter): Promise<{ entries: AuditEntry[]; next: string | null }>
}

const PAGE_DEFAULT = 100

export function createRows(db: AuditStore, generation: number): LogRows {
  const { kysely } = db

  const hashes = async ({ level, index, width }: Tile): Promise<Uint8Array> => {
    const first = index * TILE_WIDTH
    const rows =
      level === 0
        ? await kysely
            .selectFrom('audit_leaf')
            .select(['idx', 'hash'])
            .where('generation', '=', generation)
            .where('idx', '>=', first)
            .where('idx', '<', first + width)
            .orderBy('idx')
            .execute()
        : await kysely
            .selectFrom('audit_node')
            .select(['idx', 'hash'])
            .where('generation', '=', generation)
            .where('level', '=', level)
            .where('idx', '>=', first)
            .where('idx', '<', first + width)
            .orderBy('idx')
            .execute()
    // What is missing, or no hash, stands as zeros: every place keeps its own.
    const bytes = new Uint8Array(width * HASH_BYTES)
    for (const { idx, hash } of rows) if (hash.length === HASH_BYTES) bytes.set(hash, (idx - first) * HASH_BYTES)
    return bytes
  }

  const bundle = async ({ index, width }: Tile): Promise<Uint8Array | undefined> => {
    const first = index * TILE_WIDTH
    const rows = await kysely
      .selectFrom('audit_leaf')
      .select(['idx', 'leaf'])
      .where('generation', '=', generation)
      .where('idx', '>=', first)
      .where('idx', '<', first + width)
      .orderBy('idx')
      .execute()
    const leaves: Uint8Array[] = Array.from({ length: width }, () => new Uint8Array(0))
    for (const { idx, leaf } of rows) leaves[idx - first] = utf8(leaf).subarray(0, 0xffff)
    return encodeBundle(leaves)
  }

  return {
    edge: () =>
      kysely.selectFrom('audit_edge').select(['size', 'hashes', 'origin', 'vkeys']).where('generation', '=', generation).executeTakeFirst(),
    hashes,
    file: async (path, size) => {
      const tile = parseTilePath(path)
      if (tile === undefined || !fits(tile, size)) return undefined
      return tile.kind === 'entries' ? bundle(tile) : hashes(tile)
    },
    leaf: async (index) => {
      const row = await kysely
        .selectFrom('audit_leaf')
        .select('leaf')
        .where('generation', '=', generation)
        .where('idx', '=', index)
        .executeTakeFirst()
      return row === undefined ? undefined : utf8(row.leaf)
    },
    entries: async (asked) => {
      const { after, actor, object, kind, outcome, since, until } = asked
      const limit = asked.limit ?? PAGE_DEFAULT
      let query = kysely
        .selectFrom('audit_leaf')
        .leftJoin('audit_personal', (join) =>
          join.onRef('audit_personal.generation', '=', 'audit_leaf.generation').onRef('audit_personal.idx', '=', 'audit_leaf.idx'),
        )
        .select(['audit_leaf.idx', 'audit_leaf.leaf', 'audit_personal.fields', 'audit_personal.erased'])
        .where('audit_leaf.generation', '=', generation)
      if (after !== undefined) query = query.where('audit_leaf.idx', '<', /^\d{1,15}$/.test(after) ? Number(after) : 0)
      if (kind !== undefined) query = query.where('audit_leaf.kind', '=', kind)
      if (outcome !== undefined) query = query.where('audit_leaf.outcome', '=', outcome)
      if (object !== undefined) query = query.where('audit_leaf.object', '=', object)
      if (since !== undefined) query = query.where('audit_leaf.at', '>=', new Date(since).toISOString())
      if (until !== undefined) query = query.where('audit_leaf.at', '<', new Date(until).toISOString())
      if (actor !== undefined) {
        const names = await pseudonyms(actor)
        query = query.where((eb) => eb.or([eb('audit_leaf.actor', 'in', names), eb('audit_leaf.subject', 'in', names)]))
      }
      const rows = await query
        .orderBy('audit_leaf.idx', 'desc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit)
      return {
        entries: page.map(({ idx, leaf, fields, erased }) => entryOf(idx, leaf, fields, erased)),
        next: rows.length > limit ? String(page.at(-1)?.idx) : null,
      }
    },
  }

  async function pseudonyms(actor: string): Promise<string[]> {
    const rows = await kysely.selectFrom('audit_actor').select('pseudonym').where('actor', '=', actor).execute()
    return [actor, ...rows.map(({ pseudonym }) => pseudonym)]
  }
}

function fits({ kind, level, index, width }: Tile, size: number): boolean {
  const { full, partial } = tilesOf(kind === 'entries' ? 0 : level, size)
  return index < full || (index === full && width <= partial)
}

/** A row that was damaged is shown as far as it can be, never passed over. */
function entryOf(index: number, leaf: string, fields: string | null, erased: string | null): AuditEntry {
  const read = readLeaf(leaf)
  if (read === undefined)
    return {
      index,
      at: new Date(0).toISOString(),
      kind: 'damaged',
      actor: 'nobody',
      outcome: 'failed',
      code: 'audit.tampered',
      personal: null,
      erased: null,
    }
  const { at, kind, actor, outcome, code, count, object, subject } = read
  return {
    index,
    at,
    kind,
    actor,
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(count === undefined ? {} : { count }),
    ...(object === undefined ? {} : { object: { ...object } }),
    ...(subject === undefined ? {} : { subject }),
    personal: fields === null ? null : readPersonal(fields),
    erased,
  }
}

function readLeaf(leaf: string): Leaf | undefined {
  try {
    return parseLeaf(utf8(leaf))
  } catch (error) {
    if (isFailure(error, 'audit.framing')) return undefined
    throw error
  }
}

export function readPersonal(fields: string): AuditEntry['personal'] {
  try {
    const { actor, subject, path, detail } = parsePersonal(utf8(fields))
    return {
      ...(actor === undefined ? {} : { actor: { ...actor } }),
      ...(subject === undefined ? {} : { subject: { ...subject } }),
      ...(path === undefined ? {} : { path }),
      ...(detail === undefined ? {} : { detail: { ...detail } }),
    }
  } catch (error) {
    if (isFailure(error, 'audit.framing')) return null
    throw error
  }
}
