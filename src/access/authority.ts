// The authority of one actor: every decision about files and about the site is asked here, and what is refused leaves a trace.
import { type Clock, Failure, rfc3339 } from '#base'
import type { Ability, Right } from '#contract'
import type { SiteStorage, Witness } from '#storage'
import type { Actor } from './door.ts'
import { auditActor } from './door-audit.ts'
import type { Deed, DeedKind, Ledger, People } from './ledger.ts'
import { able, covers, rightOf, subjectsOf } from './rights.ts'

export interface AuthorityParts {
  readonly storage: SiteStorage
  readonly ledger: Ledger
  readonly people: People
  readonly clock: Clock
}

const ASK = 'Ask a data steward of this site, or whoever manages the folder.'
const ASK_SITE = 'Ask an administrator of this site.'

const WORDS: Readonly<Record<Right, string>> = {
  read: 'You have not been given the right to open this.',
  write: 'You have not been given the right to change this.',
  manage: 'You have not been given the right to manage this.',
}

const ABILITY_WORDS: Readonly<Record<Ability, string>> = {
  look: 'Only staff sees how the site is.',
  run: 'Only an administrator changes the site or starts its work.',
  content: 'Only a data steward does this for all files.',
  records: 'Only an auditor, a data protection officer or an administrator reads the records.',
  people: 'Only an administrator changes who works here.',
  alarms: 'Only an administrator, a data steward or a data protection officer answers alarms.',
  protection: 'Only a data protection officer does this.',
}

export class Authority {
  readonly actor: Actor
  readonly #parts: AuthorityParts

  constructor(parts: AuthorityParts, actor: Actor) {
    this.#parts = parts
    this.actor = actor
  }

  /** What stands in rows and in the vault about who did something; opaque. */
  get by(): string {
    return this.actor.kind === 'local' ? this.actor.name : `person:${this.actor.id}`
  }

  /** A canonical path. Null for nothing at all. */
  async right(path: string): Promise<Right | null> {
    const { actor } = this
    if (actor.kind === 'local') return 'manage'
    const onTheWay = await this.#parts.storage.grantsOnTheWay({ path, subjects: subjectsOf(actor) })
    return rightOf(actor, path, onTheWay, rfc3339(this.#parts.clock.now()))
  }

  async demand(kind: DeedKind, path: string, need: Right): Promise<void> {
    if (covers(await this.right(path), need)) return
    throw await this.refused(kind, new Failure('access.denied', { detail: WORDS[need], next: ASK }), path)
  }

  able(ability: Ability): boolean {
    return this.actor.kind === 'local' || able(this.actor, ability)
  }

  async demandAble(kind: DeedKind, ability: Ability): Promise<void> {
    if (this.able(ability)) return
    throw await this.refused(kind, new Failure('access.denied', { detail: ABILITY_WORDS[ability], next: ASK_SITE }))
  }

  /** Notes a refusal; answers the failure. */
  async refused(kind: DeedKind, failure: Failure, path?: string): Promise<Failure> {
    await this.#parts.ledger.append(this.deed(kind, { outcome: 'refused', code: failure.code, path }))
    return failure
  }

  deed(kind: DeedKind, rest: Omit<Deed, 'kind' | 'actor'>): Deed {
    return { kind, actor: auditActor(this.actor), ...rest }
  }

  /** The leaf of a change, in its transaction: no leaf, no change. */
  witness(kind: DeedKind, { path, detail }: Pick<Deed, 'path' | 'detail'> = {}): Witness {
    return async (tx, object) => {
      await this.#parts.ledger.appendIn(tx, [this.deed(kind, { outcome: 'done', object, path, detail })])
    }
  }

  /** What is no one transaction: its leaf first, and another one when it fails. */
  async noted<T>(kind: DeedKind, detail: Deed['detail'], work: () => Promise<T>): Promise<T> {
    await this.#parts.ledger.append(this.deed(kind, { outcome: 'allowed', detail }))
    try {
      return await work()
    } catch (error) {
      const code = error instanceof Failure ? error.code : 'base.internal'
      await this.#parts.ledger.append(this.deed(kind, { outcome: 'failed', code, detail })).catch(() => undefined)
      throw error
    }
  }

  /** For what goes on without end: throws `access.unauthenticated` once the actor may not enter any more. */
  async stillMayEnter(): Promise<void> {
    const { actor } = this
    if (actor.kind === 'local' || (await this.#parts.people.present(actor)) !== undefined) return
    throw new Failure('access.unauthenticated', { next: 'Sign in again.' })
  }

  /** Whether the actor still is who they were. An opening that outlives a revocation ends with `access.denied`. */
  async stillMay(kind: DeedKind, path: string, need: Right): Promise<void> {
    const { actor } = this
    if (actor.kind === 'local') return
    const present = await this.#parts.people.present(actor)
    const now = present === undefined ? undefined : new Authority(this.#parts, present)
    if (now !== undefined && covers(await now.right(path), need)) return
    this.#parts.ledger.revoked(actor.id)
    throw await this.refused(
      kind,
      new Failure('access.denied', { detail: 'The right to open this was taken back meanwhile.', next: ASK }),
      path,
    )
  }
}
