// Writing entries: gapless places, the right edge of the tree and the entries in one transaction.
import { assert, Failure } from '#base'
import { insertMany, isUniqueViolation, type Transaction } from '#database'
import { Edge, encodeLeaf, leafHash, newSalt, personalBytes, TILE_HEIGHT } from '#format/log'
import { leafOf, newPseudonym, type Prepared } from './event.ts'
import type { AuditLeafTable, AuditNodeTable, AuditPersonalTable, AuditTables } from './tables.ts'

export type AuditTx = Transaction<AuditTables>

const text = new TextDecoder()

/**
 * Appends in the caller's transaction; answers the places. The edge is read and written in it, and transactions run one after the other,
 * so places have no gaps and a transaction that is rolled back leaves nothing.
 */
export async function appendRows(tx: AuditTx, generation: number, entries: readonly Prepared[]): Promise<readonly number[]> {
  const before = await tx.selectFrom('audit_edge').select(['size', 'hashes']).where('generation', '=', generation).executeTakeFirst()
  if (before === undefined) throw new Failure('audit.tampered', { detail: 'The end of the audit log is not in the database any more.' })
  const edge = Edge.from(before.size, before.hashes)
  const pseudonyms = await pseudonymsOf(tx, entries)

  const leaves: AuditLeafTable[] = []
  const personals: AuditPersonalTable[] = []
  const nodes: AuditNodeTable[] = []
  for (const one of entries) {
    const { event } = one
    const salt = newSalt()
    const subject = event.subject === undefined ? undefined : pseudonyms.get(keyOf('person', event.subject.id))!
    const actor = actorWord(event.actor.kind) ?? pseudonyms.get(keyOf(event.actor.kind, event.actor.id))!
    const leaf = leafOf(one, { index: edge.size, actor, subject, salt })
    const bytes = encodeLeaf(leaf)
    const hash = leafHash(bytes)
    const { at, kind, outcome } = leaf
    leaves.push({
      generation,
      idx: leaf.index,
      hash,
      leaf: text.decode(bytes),
      at,
      kind,
      actor,
      subject: leaf.subject ?? null,
      object: leaf.object?.id ?? null,
      outcome,
    })
    personals.push({ generation, idx: leaf.index, salt, fields: text.decode(personalBytes(one.personal)), erased: null })
    edge.append(hash, (level, idx, root) => {
      if (level % TILE_HEIGHT === 0) nodes.push({ generation, level: level / TILE_HEIGHT, idx, hash: root })
    })
  }
  try {
    await insertMany(tx, 'audit_leaf', leaves)
    await insertMany(tx, 'audit_personal', personals)
    await insertMany(tx, 'audit_node', nodes)
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Failure('audit.tampered', {
      detail: `The audit log was changed after the fact: something that it did not write stands at entry ${before.size} or behind it.`,
      cause: error,
    })
  }
  const { numUpdatedRows } = await tx
    .updateTable('audit_edge')
    .set({ size: edge.size, hashes: edge.bytes() })
    .where('generation', '=', generation)
    .where('size', '=', before.size)
    .executeTakeFirst()
  assert(Number(numUpdatedRows) === 1, 'the edge of the log moved under a transaction')
  return leaves.map(({ idx }) => idx)
}

/** The pseudonyms of everybody in these entries; those who have none get one. */
async function pseudonymsOf(tx: AuditTx, entries: readonly Prepared[]): Promise<ReadonlyMap<string, string>> {
  const wanted = new Map<string, { kind: 'local' | 'person'; actor: string }>()
  for (const { event } of entries) {
    const { actor, subject } = event
    if (actor.kind === 'local' || actor.kind === 'person') wanted.set(keyOf(actor.kind, actor.id), { kind: actor.kind, actor: actor.id })
    if (subject !== undefined) wanted.set(keyOf('person', subject.id), { kind: 'person', actor: subject.id })
  }
  const known = new Map<string, string>()
  if (wanted.size === 0) return known
  const ids = [...new Set([...wanted.values()].map(({ actor }) => actor))]
  for (const row of await tx.selectFrom('audit_actor').selectAll().where('actor', 'in', ids).execute())
    known.set(keyOf(row.kind, row.actor), row.pseudonym)
  const fresh = [...wanted].filter(([key]) => !known.has(key)).map(([key, one]) => ({ key, ...one, pseudonym: newPseudonym(one.kind) }))
  await insertMany(
    tx,
    'audit_actor',
    fresh.map(({ pseudonym, kind, actor }) => ({ pseudonym, kind, actor })),
  )
  for (const { key, pseudonym } of fresh) known.set(key, pseudonym)
  return known
}

function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`
}

function actorWord(kind: string): 'site' | 'nobody' | undefined {
  return kind === 'site' || kind === 'nobody' ? kind : undefined
}
