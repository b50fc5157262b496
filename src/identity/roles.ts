// Which roles one person may have together.
import { Failure } from '#base'
import { role, type Role } from '#contract'

/**
 * Who runs the site does not also judge how it was run: an administrator is neither auditor nor data protection officer
 * (GDPR, article 38(6): no conflict of interests).
 */
const APART: readonly (readonly [Role, Role])[] = [
  ['administrator', 'auditor'],
  ['administrator', 'data-protection-officer'],
]

/** In the order of the contract, each once. Throws `identity.roles`. */
export function rolesOf(wanted: readonly Role[]): readonly Role[] {
  for (const [one, other] of APART) {
    if (wanted.includes(one) && wanted.includes(other)) {
      throw new Failure('identity.roles', {
        detail: `The roles ${one} and ${other} are not given to one person: who runs the site does not also judge how it was run.`,
        next: 'Give one of them to somebody else.',
        culprits: [one, other],
      })
    }
  }
  return role.options.filter((known) => wanted.includes(known))
}
