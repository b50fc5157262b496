// Sessions of browsers: opened by a sign-in, listed, ended. Only the digest of what the browser carries is kept.
import { limits, rfc3339 } from '#base'
import type { SessionView } from '#contract'
import { change, type Core, type Tx } from './core.ts'
import type { IdentityActor } from './events.ts'
import { agentOf } from './names.ts'
import { noSuch } from './people.ts'
import { digestOf, newId, newSecret } from './secrets.ts'

export interface OpenedSession {
  /** For the cookie, and nowhere else. */
  readonly secret: string
  readonly person: string
  /** Milliseconds until it ends in any case. */
  readonly lifeMs: number
}

export interface Arrival {
  readonly address: string
  /** What the browser calls itself. */
  readonly agent: string
  /** The session that the browser carried before: it ends when its person signs in again. */
  readonly before?: string | undefined
}

export async function openSession(core: Core, tx: Tx, person: string, arrival: Arrival): Promise<OpenedSession> {
  const now = core.clock.now()
  const { idleMs, absoluteMs } = core.settings
  await tx
    .deleteFrom('identity_session')
    .where((eb) => eb.or([eb('expires', '<=', now), eb('seen', '<=', now - idleMs)]))
    .execute()
  if (arrival.before !== undefined) await tx.deleteFrom('identity_session').where('digest', '=', digestOf(arrival.before)).execute()
  const others = await tx.selectFrom('identity_session').select('digest').where('person', '=', person).orderBy('seen', 'desc').execute()
  for (const { digest } of others.slice(limits.sessionsOfPersonMax - 1))
    await tx.deleteFrom('identity_session').where('digest', '=', digest).execute()
  const secret = newSecret()
  await tx
    .insertInto('identity_session')
    .values({
      digest: digestOf(secret),
      id: newId(),
      person,
      created: now,
      seen: now,
      expires: now + absoluteMs,
      agent: agentOf(arrival.agent),
    })
    .execute()
  return { secret, person, lifeMs: absoluteMs }
}

export async function listSessions(core: Core, person: string, present?: string): Promise<SessionView[]> {
  const now = core.clock.now()
  const rows = await core.db.kysely
    .selectFrom('identity_session')
    .selectAll()
    .where('person', '=', person)
    .where('expires', '>', now)
    .where('seen', '>', now - core.settings.idleMs)
    .orderBy('seen', 'desc')
    .execute()
  return rows.map(({ id, created, seen, expires, agent }) => ({
    id,
    created: rfc3339(created),
    seen: rfc3339(seen),
    expires: rfc3339(expires),
    agent,
    present: id === present,
  }))
}

/** By the one who carries it. Whether there was one is not told. */
export async function signOut(core: Core, actor: IdentityActor, secret: string): Promise<void> {
  await change(core, async (tx, record) => {
    const ended = await tx.deleteFrom('identity_session').where('digest', '=', digestOf(secret)).returning('person').executeTakeFirst()
    if (ended !== undefined) await record({ kind: 'sign-out', actor, subject: ended.person, outcome: 'done' })
  })
}

/** One session, or all of a person. */
export async function endSessions(
  core: Core,
  actor: IdentityActor,
  { person, id }: { readonly person: string; readonly id?: string },
): Promise<number> {
  return change(core, async (tx, record) => {
    let query = tx.deleteFrom('identity_session').where('person', '=', person)
    if (id !== undefined) query = query.where('id', '=', id)
    const sessions = Number((await query.executeTakeFirst()).numDeletedRows)
    if (id !== undefined && sessions === 0) throw noSuch('session')
    await record({ kind: 'end-sessions', actor, subject: person, outcome: 'done', facts: { sessions } })
    return sessions
  })
}
