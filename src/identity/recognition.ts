// Who is it that carries this secret? Asked with every request, answered from memory until anything about people changes.
import { limits } from '#base'
import type { Means, Role, Scope } from '#contract'
import { dayOf, type Core } from './core.ts'
import { digestOf, PREFIXES } from './secrets.ts'

/** A person as they were when they proved who they are. Of the same shape as the door's. */
export interface Person {
  readonly kind: 'person'
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  readonly groups: readonly string[]
  readonly means: Means
  readonly scope?: Scope | undefined
}

export interface Recognised {
  readonly person: Person
  readonly account: string | null
  /** Of the session, token, app password or access key. */
  readonly id: string
  /** When its person last proved who they are; milliseconds since 1970. */
  readonly since: number
  /** When it ends in any case; undefined is never. */
  readonly expires: number | undefined
}

export interface Recognition {
  /**
   * `use` false asks without counting as use, for what a page does by itself. Undefined for whatever opens nothing: unknown, ended, expired,
   * of somebody who has left.
   */
  recognise(means: 'session' | 'token', secret: string, how?: { readonly use: boolean }): Promise<Recognised | undefined>
  /** For WebDAV: the name of the account and an app password. */
  recogniseAppPassword(account: string, secret: string): Promise<Recognised | undefined>
  /** For S3: the secret that signatures of this access key are checked with. */
  accessKey(name: string): Promise<{ readonly recognised: Recognised; readonly secret: Uint8Array } | undefined>
  /** The same person with the roles and groups of this moment; undefined when they have left. */
  present(person: Person): Promise<Person | undefined>
  /** Nothing that was known before counts any more. */
  forget(): void
}

interface Kept {
  readonly recognised: Recognised
  /** Of sessions: the newest use that is written down. */
  seen: number | undefined
  /** Of the others: the day of the newest use. */
  usedDay: string | null
}

const SEEN_EVERY_MS = 60_000

export function createRecognition(core: Omit<Core, 'changed'>): Recognition {
  const kept = new Map<string, Kept>()
  let epoch = 0

  const keep = (key: string, row: Kept, asked: number): void => {
    // What was read before a change must not outlive it.
    if (asked !== epoch) return
    kept.set(key, row)
    const [oldest] = kept.keys()
    if (kept.size > limits.recognisedMax && oldest !== undefined) kept.delete(oldest)
  }

  const stands = ({ recognised, seen }: Kept, now: number): boolean =>
    (recognised.expires === undefined || recognised.expires > now) && (seen === undefined || seen + core.settings.idleMs > now)

  async function session(secret: string, use: boolean): Promise<Recognised | undefined> {
    const digest = digestOf(secret)
    const asked = epoch
    const now = core.clock.now()
    const row = kept.get(digest) ?? (await readSession(core, digest))
    if (row === undefined || !stands(row, now)) {
      kept.delete(digest)
      return undefined
    }
    keep(digest, row, asked)
    if (use && now - (row.seen ?? now) >= SEEN_EVERY_MS) {
      row.seen = now
      // Nobody waits for it: without it the session ends a little earlier.
      void core.db.kysely
        .updateTable('identity_session')
        .set({ seen: now })
        .where('digest', '=', digest)
        .where('seen', '<', now)
        .execute()
        .catch(() => {})
    }
    return row.recognised
  }

  async function secretRow(means: Means, lookup: string): Promise<Kept | undefined> {
    const key = `${means} ${lookup}`
    const asked = epoch
    const now = core.clock.now()
    const row = kept.get(key) ?? (await readSecret(core, means, lookup))
    if (row === undefined || !stands(row, now)) {
      kept.delete(key)
      return undefined
    }
    keep(key, row, asked)
    const today = dayOf(now)
    if (row.usedDay !== today) {
      row.usedDay = today
      void core.db.kysely
        .updateTable('identity_secret')
        .set({ used_day: today })
        .where('id', '=', row.recognised.id)
        .execute()
        .catch(() => {})
    }
    return row
  }

  return {
    async recognise(means, secret, { use } = { use: true }) {
      if (means === 'session') return session(secret, use)
      return secret.startsWith(PREFIXES.token) ? (await secretRow('token', digestOf(secret)))?.recognised : undefined
    },
    async recogniseAppPassword(account, secret) {
      const row = secret.startsWith(PREFIXES['app-password']) ? await secretRow('app-password', digestOf(secret)) : undefined
      return row !== undefined && row.recognised.account === account.trim().toLowerCase() ? row.recognised : undefined
    },
    async accessKey(name) {
      const row = /^[A-Z2-7]{20}$/.test(name) ? await secretRow('access-key', name) : undefined
      if (row === undefined) return undefined
      const { id } = row.recognised
      const found = await core.db.kysely.selectFrom('identity_secret').select('sealed').where('id', '=', id).executeTakeFirst()
      if (found === undefined || found.sealed === null) return undefined
      return { recognised: row.recognised, secret: await core.sealing.open(found.sealed, `access key ${id}`) }
    },
    async present(person) {
      return (await readPerson(core, person.id, person.means, person.scope))?.person
    },
    forget() {
      epoch++
      kept.clear()
    },
  }
}

type Reader = Pick<Core, 'db'>

async function readSession(core: Reader, digest: string): Promise<Kept | undefined> {
  const row = await core.db.kysely.selectFrom('identity_session').selectAll().where('digest', '=', digest).executeTakeFirst()
  if (row === undefined) return undefined
  const found = await readPerson(core, row.person, 'session', undefined)
  if (found === undefined) return undefined
  return { recognised: { ...found, id: row.id, since: row.created, expires: row.expires }, seen: row.seen, usedDay: null }
}

async function readSecret(core: Reader, means: Means, lookup: string): Promise<Kept | undefined> {
  if (means === 'session') return undefined
  const row = await core.db.kysely
    .selectFrom('identity_secret')
    .selectAll()
    .where('lookup', '=', lookup)
    .where('means', '=', means)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const found = await readPerson(core, row.person, means, { rights: row.rights, path: row.path })
  if (found === undefined) return undefined
  const recognised = { ...found, id: row.id, since: row.created, expires: row.expires ?? undefined }
  return { recognised, seen: undefined, usedDay: row.used_day }
}

async function readPerson(
  core: Reader,
  id: string,
  means: Means,
  scope: Scope | undefined,
): Promise<{ readonly person: Person; readonly account: string | null } | undefined> {
  const { kysely } = core.db
  const row = await kysely.selectFrom('identity_person').selectAll().where('id', '=', id).where('state', '=', 'active').executeTakeFirst()
  if (row === undefined) return undefined
  const roles = await kysely.selectFrom('identity_role').select('role').where('person', '=', id).orderBy('role').execute()
  const groups = await kysely.selectFrom('identity_member').select('group_id').where('person', '=', id).orderBy('group_id').execute()
  const person: Person = {
    kind: 'person',
    id,
    name: row.name,
    roles: roles.map(({ role }) => role as Role),
    groups: groups.map((one) => one.group_id),
    means,
    scope,
  }
  return { person, account: row.account }
}
