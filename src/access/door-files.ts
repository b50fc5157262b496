// The part of the door for files and folders: each call asks the authority first, and each change writes its leaf with it.
import { type Clock, Failure } from '#base'
import type { Right } from '#contract'
import { canonicalPath, type SiteStorage } from '#storage'
import type { Authority } from './authority.ts'
import type { Door, ReadGrant } from './door.ts'
import type { Ledger } from './ledger.ts'
import { covers, folderOf, rank, subjectsOf } from './rights.ts'
import { GIVEN_MAX, listGiven, searchGiven } from './visible.ts'

export interface FileParts {
  readonly storage: SiteStorage
  readonly ledger: Ledger
  readonly clock: Clock
  readonly authority: Authority
}

type FileDoor = Pick<
  Door,
  | 'list'
  | 'search'
  | 'stat'
  | 'versions'
  | 'placement'
  | 'fragment'
  | 'openToRead'
  | 'openToWrite'
  | 'createFolder'
  | 'move'
  | 'copy'
  | 'remove'
  | 'restoreVersion'
>

/** A running download asks again so often whether it may go on. */
const ASK_AGAIN_MS = 1000

export function fileDoor({ storage, ledger, clock, authority }: FileParts): FileDoor {
  /** Paths below the folder that the person was given; empty when nothing. */
  const givenBelow = async (path: string): Promise<readonly string[]> => {
    const { actor } = authority
    if (actor.kind === 'local') return []
    const found = await storage.grantsBelow({ path, subjects: subjectsOf(actor), limit: GIVEN_MAX + 1 })
    if (found.length > GIVEN_MAX)
      throw new Failure('api.limit', { detail: `more than ${GIVEN_MAX} single grants`, next: 'Ask for a grant of a folder instead.' })
    const seen: string[] = []
    // A grant may have ended, or lie outside of what a token is limited to.
    for (const given of new Set(found.map((one) => one.path))) if (covers(await authority.right(given), 'read')) seen.push(given)
    return seen
  }

  const leafOfOpening = async (object: { readonly id: string; readonly version: number; readonly path: string }): Promise<void> => {
    await ledger.opening(authority.deed('open', { outcome: 'allowed', object }))
  }

  return {
    async list(request) {
      const path = canonicalPath(request.path)
      if (covers(await authority.right(path), 'read')) return storage.list({ ...request, path })
      const given = await givenBelow(path)
      // The root is everybody's way in, be there nothing to see.
      if (given.length === 0 && path !== '/') await authority.demand('open', path, 'read')
      return listGiven(storage, { ...request, path, given })
    },

    async search(request) {
      const path = canonicalPath(request.path)
      if (covers(await authority.right(path), 'read')) return storage.search({ ...request, path })
      return searchGiven(storage, { ...request, path, given: await givenBelow(path) })
    },

    async stat(request) {
      const path = canonicalPath(request.path)
      if (path !== '/' && !covers(await authority.right(path), 'read') && (await givenBelow(path)).length === 0)
        await authority.demand('open', path, 'read')
      return storage.stat({ path })
    },

    async versions(request) {
      const path = canonicalPath(request.path)
      await authority.demand('open', path, 'read')
      return storage.versions({ path })
    },

    async placement(request) {
      const path = canonicalPath(request.path)
      await authority.demand('open', path, 'read')
      return storage.placement({ ...request, path })
    },

    /** k of them are the file: who looks at one opens it. */
    async fragment(request) {
      const path = canonicalPath(request.path)
      await authority.demand('open', path, 'read')
      await leafOfOpening(await storage.objectAt({ path }))
      return storage.fragment({ ...request, path })
    },

    async openToRead(request) {
      const path = canonicalPath(request.path)
      await authority.demand('open', path, 'read')
      const opened = await storage.openToRead({ ...request, path })
      try {
        await leafOfOpening({ id: opened.file, version: opened.number, path })
      } catch (error) {
        await opened.close()
        throw error
      }
      const grant: ReadGrant = {
        path: opened.path,
        sizeBytes: opened.sizeBytes,
        type: opened.type,
        modified: opened.modified,
        etag: opened.etag,
        hasDigest: (sha256) => opened.hasDigest(sha256),
        read: (range, signal) => watched(opened.read(range, signal), () => authority.stillMay('open', path, 'read'), clock),
        close: () => opened.close(),
      }
      return grant
    },

    async openToWrite(request) {
      const path = canonicalPath(request.path)
      await authority.demand('store', path, 'write')
      const opened = await storage.openToWrite({ ...request, path, witness: authority.witness('store') })
      return {
        store: (body, signal) =>
          opened.store(
            watched(body, () => authority.stillMay('store', path, 'write'), clock),
            signal,
          ),
      }
    },

    async createFolder(request) {
      const path = canonicalPath(request.path)
      await authority.demand('folder', path, 'write')
      return storage.createFolder({ path, witness: authority.witness('folder', { path }) })
    },

    async move(request) {
      const from = canonicalPath(request.from)
      const to = canonicalPath(request.to)
      await authority.demand('move', folderOf(from), 'write')
      await authority.demand('move', to, 'write')
      await demandNoRise(authority, { kind: 'move', from, to })
      return storage.move({ ...request, from, to, by: authority.by, witness: authority.witness('move', { path: to, detail: { from } }) })
    },

    async copy(request) {
      const from = canonicalPath(request.from)
      const to = canonicalPath(request.to)
      await authority.demand('copy', from, 'read')
      await authority.demand('copy', to, 'write')
      return storage.copy({ ...request, from, to, by: authority.by, witness: authority.witness('copy', { path: to, detail: { from } }) })
    },

    async remove(request) {
      const path = canonicalPath(request.path)
      const forGood = request.now === true || request.version !== undefined
      const need: Right = forGood ? 'manage' : 'write'
      await authority.demand('remove', forGood ? path : folderOf(path), need)
      const asked = { path, recursive: request.recursive, by: authority.by }
      if (forGood) {
        const witness = authority.witness('remove', { path, detail: { forGood: 1 } })
        return { removed: await storage.remove({ ...asked, version: request.version, witness }), trash: null }
      }
      const { removed, id } = await storage.moveToTrash({ ...asked, witness: authority.witness('remove', { path }) })
      return { removed, trash: id }
    },

    async restoreVersion(request) {
      const path = canonicalPath(request.path)
      await authority.demand('restore', path, 'write')
      return storage.restoreVersion({
        ...request,
        path,
        witness: authority.witness('restore', { path, detail: { version: request.version } }),
      })
    },
  }
}

/** Bytes pass as long as whoever asked for them still may: asked again while they flow, and before their end counts. */
export async function* watched(body: AsyncIterable<Uint8Array>, ask: () => Promise<void>, clock: Clock): AsyncIterableIterator<Uint8Array> {
  let askedMs = clock.now()
  const again = async (): Promise<void> => {
    if (clock.now() - askedMs < ASK_AGAIN_MS) return
    await ask()
    askedMs = clock.now()
  }
  for await (const piece of body) {
    await again()
    yield piece
  }
  await again()
}

/** Moving what one may write to where one may manage would make one its manager. */
export async function demandNoRise(
  authority: Authority,
  { kind, from, to }: { readonly kind: 'move' | 'restore'; readonly from: string; readonly to: string },
): Promise<void> {
  const [before, after] = [await authority.right(folderOf(from)), await authority.right(to)]
  if (rank(after) <= rank(before)) return
  throw await authority.refused(
    kind,
    new Failure('access.denied', {
      detail: 'There you would manage what you may only change where it is.',
      next: 'Ask whoever manages the folder to do it.',
    }),
    from,
  )
}
