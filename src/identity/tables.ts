// Tables of people and of what proves who they are. Secrets stand here as digests, or sealed under the key file of the home.
import type { Migration } from '#database'

/** Times are milliseconds since 1970; days are `2026-11-20`, so that no row tells when somebody works. */
export interface IdentityPersonTable {
  /** 32 hex digits; never given again. */
  readonly id: string
  /** Small letters; null once the person has left, so that the name is free again. */
  readonly account: string | null
  readonly name: string
  readonly mail: string | null
  readonly state: 'invited' | 'active' | 'left'
  readonly created: number
  readonly ended: number | null
}

export interface IdentityRoleTable {
  readonly person: string
  readonly role: string
}

export interface IdentityGroupTable {
  readonly id: string
  readonly name: string
  readonly created: number
}

export interface IdentityMemberTable {
  readonly group_id: string
  readonly person: string
}

export interface IdentityPasskeyTable {
  /** As the authenticator names it, base64url. */
  readonly credential: string
  readonly id: string
  readonly person: string
  readonly public_key: Uint8Array
  /** Signatures so far, by the authenticator's own count; 0 where it does not count. */
  readonly counter: number
  /** JSON array. */
  readonly transports: string
  readonly name: string
  /** The host name that it was made for; it works nowhere else. */
  readonly site: string
  /** 1 when it is copied to other devices by its maker. */
  readonly copied: number
  readonly created: number
  readonly used_day: string | null
}

export interface IdentityPasswordTable {
  readonly person: string
  /** PHC string of Argon2id. */
  readonly hash: string
  /** Sealed. */
  readonly totp: Uint8Array
  /** Time step of the newest code that was taken: it and those before it are spent. */
  readonly totp_step: number
  readonly created: number
  readonly used_day: string | null
}

export interface IdentityRecoveryCodeTable {
  readonly digest: string
  readonly person: string
}

/** Tokens, app passwords and access keys. */
export interface IdentitySecretTable {
  readonly id: string
  /** SHA-256 of the secret; of an access key its public name. */
  readonly lookup: string
  readonly person: string
  readonly means: 'token' | 'app-password' | 'access-key'
  readonly name: string
  readonly rights: 'read' | 'write' | 'all'
  readonly path: string
  readonly created: number
  readonly expires: number | null
  readonly used_day: string | null
  /** The secret of an access key, which signatures are checked with; null for the others. */
  readonly sealed: Uint8Array | null
}

export interface IdentitySessionTable {
  readonly digest: string
  readonly id: string
  readonly person: string
  readonly created: number
  /** The newest use, written down at most once a minute. */
  readonly seen: number
  readonly expires: number
  /** What the browser calls itself. */
  readonly agent: string
}

export interface IdentityInvitationTable {
  readonly digest: string
  readonly person: string
  readonly created: number
  readonly expires: number
}

/** Who somebody is at a provider of single sign-on. */
export interface IdentityExternalTable {
  readonly issuer: string
  readonly subject: string
  readonly person: string
  readonly created: number
  readonly used_day: string | null
}

export interface IdentityTables {
  readonly identity_person: IdentityPersonTable
  readonly identity_role: IdentityRoleTable
  readonly identity_group: IdentityGroupTable
  readonly identity_member: IdentityMemberTable
  readonly identity_passkey: IdentityPasskeyTable
  readonly identity_password: IdentityPasswordTable
  readonly identity_recovery_code: IdentityRecoveryCodeTable
  readonly identity_secret: IdentitySecretTable
  readonly identity_session: IdentitySessionTable
  readonly identity_invitation: IdentityInvitationTable
  readonly identity_external: IdentityExternalTable
}

export const identityMigrations: Record<string, Migration> = {
  'identity-0001-people': {
    up: async (db) => {
      await db.schema
        .createTable('identity_person')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('account', 'text', (c) => c.unique())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('mail', 'text')
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('ended', 'bigint')
        .execute()
      await db.schema
        .createTable('identity_role')
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addColumn('role', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('identity_role_key', ['person', 'role'])
        .execute()
      await db.schema
        .createTable('identity_group')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('name', 'text', (c) => c.notNull().unique())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .execute()
      await db.schema
        .createTable('identity_member')
        .addColumn('group_id', 'text', (c) => c.notNull().references('identity_group.id').onDelete('cascade'))
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addPrimaryKeyConstraint('identity_member_key', ['group_id', 'person'])
        .execute()
      await db.schema.createIndex('identity_member_person').on('identity_member').column('person').execute()
    },
  },
  'identity-0002-credentials': {
    up: async (db) => {
      await db.schema
        .createTable('identity_passkey')
        .addColumn('credential', 'text', (c) => c.primaryKey())
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addColumn('public_key', 'bytea', (c) => c.notNull())
        .addColumn('counter', 'bigint', (c) => c.notNull())
        .addColumn('transports', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('site', 'text', (c) => c.notNull())
        .addColumn('copied', 'bigint', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('used_day', 'text')
        .execute()
      await db.schema.createIndex('identity_passkey_person').on('identity_passkey').column('person').execute()
      await db.schema
        .createTable('identity_password')
        .addColumn('person', 'text', (c) => c.primaryKey().references('identity_person.id'))
        .addColumn('hash', 'text', (c) => c.notNull())
        .addColumn('totp', 'bytea', (c) => c.notNull())
        .addColumn('totp_step', 'bigint', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('used_day', 'text')
        .execute()
      await db.schema
        .createTable('identity_recovery_code')
        .addColumn('digest', 'text', (c) => c.primaryKey())
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .execute()
      await db.schema.createIndex('identity_recovery_code_person').on('identity_recovery_code').column('person').execute()
      await db.schema
        .createTable('identity_secret')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('lookup', 'text', (c) => c.notNull().unique())
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addColumn('means', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('rights', 'text', (c) => c.notNull())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('expires', 'bigint')
        .addColumn('used_day', 'text')
        .addColumn('sealed', 'bytea')
        .execute()
      await db.schema.createIndex('identity_secret_person').on('identity_secret').column('person').execute()
      await db.schema
        .createTable('identity_session')
        .addColumn('digest', 'text', (c) => c.primaryKey())
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('seen', 'bigint', (c) => c.notNull())
        .addColumn('expires', 'bigint', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('identity_session_person').on('identity_session').column('person').execute()
      await db.schema
        .createTable('identity_invitation')
        .addColumn('digest', 'text', (c) => c.primaryKey())
        .addColumn('person', 'text', (c) => c.notNull().unique().references('identity_person.id'))
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('expires', 'bigint', (c) => c.notNull())
        .execute()
    },
  },
  'identity-0003-providers': {
    up: async (db) => {
      await db.schema
        .createTable('identity_external')
        .addColumn('issuer', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('person', 'text', (c) => c.notNull().references('identity_person.id'))
        .addColumn('created', 'bigint', (c) => c.notNull())
        .addColumn('used_day', 'text')
        .addPrimaryKeyConstraint('identity_external_key', ['issuer', 'subject'])
        .execute()
      await db.schema.createIndex('identity_external_person').on('identity_external').column('person').execute()
    },
  },
}
