// Grants on files and folders, as the site keeps them for the room that decides.
import { Failure, rfc3339 } from '#base'
import { allGrants, grantsAt, grantsBelow, type PathGrant, setGrant } from './grants.ts'
import { foldersAbove, userPath } from './paths.ts'
import type { SiteCore, Witness } from './site-core.ts'

const PAGE_MAX = 10_000

export function siteGrants(core: SiteCore) {
  return {
    /** Grants at the path and at each folder above it, the root included, to one of the subjects; expired ones too. */
    async grantsOnTheWay(request: { readonly path: string; readonly subjects: readonly string[] }): Promise<readonly PathGrant[]> {
      const path = userPath(request.path)
      const way = path === '/' ? ['/'] : ['/', ...foldersAbove(path), path]
      return grantsAt(core.db.kysely, way, request.subjects)
    },

    /** Grants below a folder to one of the subjects, by path; one more than the limit says that there are more. */
    async grantsBelow(request: {
      readonly path: string
      readonly subjects: readonly string[]
      readonly limit: number
    }): Promise<readonly PathGrant[]> {
      return grantsBelow(core.db.kysely, { ...request, path: userPath(request.path) })
    },

    /** Grants at the path and above it to anybody, or all there are. */
    async grants(request: { readonly path?: string | undefined }): Promise<readonly PathGrant[]> {
      core.open()
      if (request.path === undefined) return allGrants(core.db.kysely, { limit: PAGE_MAX })
      const path = userPath(request.path)
      const paths = path === '/' ? ['/'] : ['/', ...foldersAbove(path), path]
      return allGrants(core.db.kysely, { paths, limit: PAGE_MAX })
    },

    /** Gives, changes, or with `right: null` takes back. */
    async setGrant(request: {
      readonly path: string
      readonly subject: string
      readonly right: PathGrant['right'] | null
      readonly until: string | null
      readonly by: string
      readonly witness?: Witness | undefined
    }): Promise<void> {
      const { witness, ...rest } = request
      if (rest.subject.length > 200) throw new Failure('base.invalid', { detail: 'the subject of a grant is too long' })
      const path = userPath(rest.path)
      await core.change(path, async (tx) => {
        await setGrant(tx, { ...rest, path, at: rfc3339(core.clock.now()) })
        await witness?.(tx, undefined)
      })
    },
  }
}
