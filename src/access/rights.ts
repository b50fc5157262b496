// What roles and grants allow (docs/spec/access.md). Pure: from facts to a decision. What is not stated is refused.
import type { Ability, Right, Role, Scope } from '#contract'
import type { Person } from './door.ts'

/** Which files somebody opens is said by grants; a role alone opens none, but for the steward's. */
export const ABILITIES: Readonly<Record<Role, readonly Ability[]>> = {
  administrator: ['look', 'run', 'people', 'records', 'alarms'],
  'data-steward': ['look', 'content', 'alarms'],
  clinician: ['look'],
  researcher: ['look'],
  'output-checker': ['look'],
  'data-protection-officer': ['look', 'records', 'alarms', 'protection'],
  auditor: ['look', 'records'],
  patient: [],
}

const RANK: Readonly<Record<Right, number>> = { read: 1, write: 2, manage: 3 }

export function rank(right: Right | null): number {
  return right === null ? 0 : RANK[right]
}

export function covers(have: Right | null, need: Right): boolean {
  return rank(have) >= RANK[need]
}

/** What the roles allow. A credential that is limited in any way does nothing for the whole site, but for looking at it where no folder limits it. */
export function able(person: Person, ability: Ability): boolean {
  const { scope } = person
  const whole = scope === undefined || (scope.rights === 'all' && scope.path === '/')
  return (whole || (ability === 'look' && scope.path === '/')) && holds(person, ability)
}

function holds(person: Person, ability: Ability): boolean {
  return person.roles.some((role) => ABILITIES[role].includes(ability))
}

/** The words under which a person is named in grants. */
export function subjectsOf(person: Person): readonly string[] {
  return [`person:${person.id}`, ...person.groups.map((group) => `group:${group}`)]
}

export interface GrantFact {
  readonly path: string
  readonly right: Right
  /** RFC 3339. */
  readonly until: string | null
}

/** The greatest right that grants on the way to the path give at this moment, within what the person's credential is limited to. */
export function rightOf(person: Person, path: string, onTheWay: readonly GrantFact[], now: string): Right | null {
  let best: Right | null = holds(person, 'content') ? 'manage' : null
  for (const { right, until } of onTheWay) if ((until === null || until > now) && rank(right) > rank(best)) best = right
  return within(person.scope, path, best)
}

/** Never more than the scope says, and nothing outside of its folder. */
export function within(scope: Scope | undefined, path: string, right: Right | null): Right | null {
  if (scope === undefined || right === null) return right
  if (!isAtOrBelow(path, scope.path)) return null
  if (scope.rights === 'read') return 'read'
  return scope.rights === 'write' && right === 'manage' ? 'write' : right
}

export function isAtOrBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

/** The folder that a path lies in; the root lies in itself. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}
