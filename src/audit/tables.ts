// The tables of the audit room. A log that cannot be continued is kept; the one that follows has the next generation.
// R1: nothing here is a function of a plaintext or a fragment. Names and paths stand in `audit_personal` only.
import type { Migration } from '#database'

/** One entry. The columns repeat what `leaf` says, so that it can be looked for. */
export interface AuditLeafTable {
  readonly generation: number
  readonly idx: number
  /** RFC 6962 leaf hash. */
  readonly hash: Uint8Array
  /** Canonical JSON, as it is in the tree. */
  readonly leaf: string
  readonly at: string
  readonly kind: string
  readonly actor: string
  readonly subject: string | null
  readonly object: string | null
  readonly outcome: string
}

/** What may name people, and the salt of its commitment: both gone once it is erased. */
export interface AuditPersonalTable {
  readonly generation: number
  readonly idx: number
  readonly salt: Uint8Array | null
  /** Canonical JSON. */
  readonly fields: string | null
  readonly erased: string | null
}

/** Hashes of tiles above the leaves: row (level, idx) is the root of the 256^level entries from idx * 256^level on. */
export interface AuditNodeTable {
  readonly generation: number
  readonly level: number
  readonly idx: number
  readonly hash: Uint8Array
}

/** Where each log ends. */
export interface AuditEdgeTable {
  readonly generation: number
  readonly origin: string
  /** Verifier keys, one a line. */
  readonly vkeys: string
  readonly size: number
  readonly hashes: Uint8Array
}

/** Who a pseudonym is. The row is removed when the person is erased. */
export interface AuditActorTable {
  readonly pseudonym: string
  readonly kind: 'local' | 'person'
  readonly actor: string
}

export interface AuditTables {
  readonly audit_leaf: AuditLeafTable
  readonly audit_personal: AuditPersonalTable
  readonly audit_node: AuditNodeTable
  readonly audit_edge: AuditEdgeTable
  readonly audit_actor: AuditActorTable
}

export const auditMigrations: Record<string, Migration> = {
  'audit-0001-leaves': {
    up: async (db) => {
      await db.schema
        .createTable('audit_leaf')
        .addColumn('generation', 'bigint', (c) => c.notNull())
        .addColumn('idx', 'bigint', (c) => c.notNull())
        .addColumn('hash', 'bytea', (c) => c.notNull())
        .addColumn('leaf', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('subject', 'text')
        .addColumn('object', 'text')
        .addColumn('outcome', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('audit_leaf_key', ['generation', 'idx'])
        .execute()
      for (const column of ['at', 'kind', 'actor', 'subject', 'object', 'outcome'])
        await db.schema.createIndex(`audit_leaf_${column}`).on('audit_leaf').columns(['generation', column, 'idx']).execute()
      await db.schema
        .createTable('audit_personal')
        .addColumn('generation', 'bigint', (c) => c.notNull())
        .addColumn('idx', 'bigint', (c) => c.notNull())
        .addColumn('salt', 'bytea')
        .addColumn('fields', 'text')
        .addColumn('erased', 'text')
        .addPrimaryKeyConstraint('audit_personal_key', ['generation', 'idx'])
        .execute()
      await db.schema
        .createTable('audit_node')
        .addColumn('generation', 'bigint', (c) => c.notNull())
        .addColumn('level', 'bigint', (c) => c.notNull())
        .addColumn('idx', 'bigint', (c) => c.notNull())
        .addColumn('hash', 'bytea', (c) => c.notNull())
        .addPrimaryKeyConstraint('audit_node_key', ['generation', 'level', 'idx'])
        .execute()
      await db.schema
        .createTable('audit_edge')
        .addColumn('generation', 'bigint', (c) => c.primaryKey())
        .addColumn('origin', 'text', (c) => c.notNull())
        .addColumn('vkeys', 'text', (c) => c.notNull())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('hashes', 'bytea', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('audit_actor')
        .addColumn('pseudonym', 'text', (c) => c.primaryKey())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addUniqueConstraint('audit_actor_of', ['kind', 'actor'])
        .execute()
    },
  },
}
