// Recomputes the log from its rows: every column of every row, the hashes above, the end, and the head that was signed last.
import { equalPublic, Failure, isFailure, utf8 } from '#base'
import {
  Edge,
  HASH_BYTES,
  type Leaf,
  leafHash,
  type LogHead,
  type LogProblem,
  opensPersonal,
  parseLeaf,
  parsePersonal,
  TILE_HEIGHT,
} from '#format/log'
import type { AuditStore } from './rows.ts'
import type { AuditLeafTable, AuditPersonalTable } from './tables.ts'

export interface RowsVerdict {
  readonly size: number
  readonly root: Uint8Array
  /** Undefined when everything is as it was written and signed. */
  readonly problem: LogProblem | undefined
  readonly entries: number
  readonly opened: number
  readonly erased: number
}

const PAGE = 1024

/** `signed` is the last head that was signed. Entries that come meanwhile are left for the next time. */
export async function judgeRows(
  db: AuditStore,
  request: {
    readonly generation: number
    readonly signed: LogHead
    readonly signal?: AbortSignal | undefined
    readonly progress?: ((done: number, total: number) => void) | undefined
  },
): Promise<RowsVerdict> {
  const { generation, signed, signal, progress } = request
  const walk = new Edge()
  const count = { opened: 0, erased: 0 }
  const verdict = (problem?: LogProblem): RowsVerdict => ({ size: signed.size, root: walk.root(), problem, entries: walk.size, ...count })
  const end = await db.kysely.selectFrom('audit_edge').select(['size', 'hashes']).where('generation', '=', generation).executeTakeFirst()
  const size = end?.size ?? 0
  if (size < signed.size)
    return verdict({ ...span(size, signed.size), what: 'absent', detail: `the log ends after ${size} entries; ${signed.size} were signed` })

  while (walk.size < size) {
    if (signal?.aborted === true) throw new Failure('base.cancelled')
    const first = walk.size
    const until = Math.min(first + PAGE, size)
    const { leaves, personals, nodes } = await page(db, generation, { first, until })
    for (let at = first; at < until; at++) {
      const leaf = leaves.get(at)
      const problem = judgeLeaf(at, leaf) ?? judgePersonal(at, leaf!, personals.get(at), count)
      if (problem !== undefined) return verdict(problem)
      const wrong: LogProblem[] = []
      walk.append(leafHash(utf8(leaf!.leaf)), (level, idx, root) => {
        if (level % TILE_HEIGHT !== 0) return
        const tileLevel = level / TILE_HEIGHT
        const stored = nodes.get(`${tileLevel}/${idx}`)
        const width = 2 ** level
        if (stored === undefined || !equalPublic(stored, root))
          wrong.push({
            ...span(idx * width, (idx + 1) * width),
            what: stored === undefined ? 'absent' : 'tile',
            detail: `the stored hash over entries ${idx * width} to ${(idx + 1) * width - 1} ${stored === undefined ? 'is missing' : 'is not theirs'}`,
          })
      })
      if (wrong[0] !== undefined) return verdict(wrong[0])
      if (walk.size === signed.size && !equalPublic(walk.root(), signed.root))
        return verdict({
          ...span(0, signed.size),
          what: 'head',
          detail: 'the entries and their hashes fit together, but they are not those that were signed: the whole was computed anew',
        })
    }
    progress?.(walk.size, size)
  }
  return verdict(await judgeEnd(db, { generation, size, walk, hashes: end?.hashes }))
}

/** What stands behind the last entry, and beside no entry. */
async function judgeEnd(
  db: AuditStore,
  { generation, size, walk, hashes }: { generation: number; size: number; walk: Edge; hashes: Uint8Array | undefined },
): Promise<LogProblem | undefined> {
  const at = Math.max(0, size - 1)
  if (hashes !== undefined && !equalPublic(hashes, walk.bytes()))
    return { ...span(at, size), what: 'tile', detail: 'the stored right edge of the tree is not that of its entries' }
  // Entries that were added meanwhile are complete in their own transaction: the edge tells which belong to none.
  for (const table of ['audit_leaf', 'audit_personal'] as const) {
    const beyond = await db.transaction(async (tx) => {
      const now = await tx.selectFrom('audit_edge').select('size').where('generation', '=', generation).executeTakeFirst()
      return tx
        .selectFrom(table)
        .select('idx')
        .where('generation', '=', generation)
        .where((eb) => eb.or([eb('idx', '>=', now?.size ?? 0), eb('idx', '<', 0)]))
        .orderBy('idx')
        .limit(1)
        .executeTakeFirst()
    })
    if (beyond !== undefined)
      return {
        ...span(Math.max(0, beyond.idx), beyond.idx),
        what: 'moved',
        detail: `there is a row of an entry ${beyond.idx}, outside the log`,
      }
  }
  return undefined
}

function judgeLeaf(at: number, row: AuditLeafTable | undefined): LogProblem | undefined {
  const wrong = (what: LogProblem['what'], detail: string): LogProblem => ({ first: at, last: at, what, detail })
  if (row === undefined) return wrong('absent', `entry ${at} is missing`)
  const bytes = utf8(row.leaf)
  if (row.hash.length !== HASH_BYTES || !equalPublic(row.hash, leafHash(bytes)))
    return wrong('entry', `entry ${at} does not have the hash that was stored with it`)
  let leaf: Leaf
  try {
    leaf = parseLeaf(bytes)
  } catch (error) {
    if (isFailure(error, 'audit.framing')) return wrong('framing', `entry ${at}: ${error.message}`)
    throw error
  }
  if (leaf.index !== at) return wrong('moved', `in the place of entry ${at} stands the one that was entry ${leaf.index}`)
  const said = {
    at: leaf.at,
    kind: leaf.kind,
    actor: leaf.actor,
    subject: leaf.subject ?? null,
    object: leaf.object?.id ?? null,
    outcome: leaf.outcome,
  }
  for (const [name, value] of Object.entries(said))
    if (row[name as keyof typeof said] !== value)
      return wrong('entry', `the column ${name} of entry ${at} does not say what the entry says`)
  return undefined
}

function judgePersonal(
  at: number,
  row: AuditLeafTable,
  personal: AuditPersonalTable | undefined,
  count: { opened: number; erased: number },
): LogProblem | undefined {
  const wrong = (detail: string): LogProblem => ({ first: at, last: at, what: 'personal', detail })
  if (personal === undefined) return wrong(`the personal fields of entry ${at} are missing, and nothing says that they were erased`)
  const { salt, fields, erased } = personal
  if (erased !== null) {
    if (salt !== null || fields !== null) return wrong(`the personal fields of entry ${at} are said to be erased, and are still there`)
    count.erased += 1
    return undefined
  }
  if (salt === null || fields === null)
    return wrong(`the personal fields of entry ${at} are missing, and nothing says that they were erased`)
  try {
    if (!opensPersonal(parseLeaf(utf8(row.leaf)), salt, parsePersonal(utf8(fields))))
      return wrong(`the personal fields of entry ${at} are not those that it was written with`)
  } catch (error) {
    if (isFailure(error, 'audit.framing')) return wrong(`the personal fields of entry ${at} are damaged`)
    throw error
  }
  count.opened += 1
  return undefined
}

async function page(db: AuditStore, generation: number, { first, until }: { readonly first: number; readonly until: number }) {
  const leaves = await db.kysely
    .selectFrom('audit_leaf')
    .selectAll()
    .where('generation', '=', generation)
    .where('idx', '>=', first)
    .where('idx', '<', until)
    .execute()
  const personals = await db.kysely
    .selectFrom('audit_personal')
    .selectAll()
    .where('generation', '=', generation)
    .where('idx', '>=', first)
    .where('idx', '<', until)
    .execute()
  const nodes = new Map<string, Uint8Array>()
  // Those that can become whole between the two places: one level has a 256th of the one below.
  for (let level = 1, width = 256; width <= until; level++, width *= 256) {
    const rows = await db.kysely
      .selectFrom('audit_node')
      .select(['idx', 'hash'])
      .where('generation', '=', generation)
      .where('level', '=', level)
      .where('idx', '>=', Math.floor(first / width))
      .where('idx', '<', Math.floor(until / width))
      .execute()
    for (const { idx, hash } of rows) nodes.set(`${level}/${idx}`, hash)
  }
  return { leaves: new Map(leaves.map((row) => [row.idx, row])), personals: new Map(personals.map((row) => [row.idx, row])), nodes }
}

function span(first: number, end: number): { first: number; last: number } {
  return { first, last: Math.max(first, end - 1) }
}
