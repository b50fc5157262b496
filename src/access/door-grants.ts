// The part of the door for grants: who may open what, and who says so.
import { Failure } from '#base'
import { canonicalPath, type SiteStorage } from '#storage'
import type { Authority } from './authority.ts'
import type { Door } from './door.ts'
import { granteeOf, type Ledger, type People, subjectOf } from './ledger.ts'
import { covers } from './rights.ts'

export interface GrantParts {
  readonly storage: SiteStorage
  readonly ledger: Ledger
  readonly people: People
  readonly authority: Authority
}

type GrantDoor = Pick<Door, 'grants' | 'setGrant' | 'candidates'>

/** Names offered at once. */
const FOUND_MAX = 50

export function grantDoor({ storage, ledger, people, authority }: GrantParts): GrantDoor {
  const door: GrantDoor = {
    async grants(request) {
      const path = canonicalPath(request.path)
      const own = await authority.right(path)
      if (!covers(own, 'manage')) return { own, grants: [] }
      const rows = await storage.grants({ path })
      const names = await people.names(rows.map(({ subject }) => subject))
      return {
        own,
        grants: rows.flatMap(({ subject, path: on, right, until, by, at }) => {
          const to = granteeOf(subject)
          return to === undefined ? [] : [{ path: on, to, name: names.get(subject) ?? null, right, until, by, at }]
        }),
      }
    },

    async candidates(request) {
      await authority.demand('grant', canonicalPath(request.path), 'manage')
      return { candidates: [...(await people.find({ text: request.text, limit: FOUND_MAX }))] }
    },

    async setGrant(request) {
      const path = canonicalPath(request.path)
      await authority.demand('grant', path, 'manage')
      const subject = subjectOf(request.to)
      const known = (await people.names([subject])).get(subject)
      if (known === undefined && request.right !== null)
        throw new Failure('base.invalid', {
          detail: 'The site knows nobody of this name.',
          next: 'Invite the person first, or make the group.',
        })
      await storage.setGrant({
        path,
        subject,
        right: request.right,
        until: request.until,
        by: authority.by,
        witness: authority.witness(request.right === null ? 'revoke' : 'grant', {
          path,
          detail: {
            to: subject,
            name: known ?? '',
            ...(request.right === null ? {} : { right: request.right }),
            ...(request.until === null ? {} : { until: request.until }),
          },
        }),
      })
      // Whoever opens next is written anew, under what holds now.
      ledger.revoked()
      return door.grants({ path })
    },
  }
  return door
}
