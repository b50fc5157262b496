// The part of the door for what was: trash, rules of keeping, moments, proven deletions.
import type { TrashEntry } from '#contract'
import { canonicalPath, type SiteStorage } from '#storage'
import type { Authority } from './authority.ts'
import type { TaskBook } from './door-site.ts'
import type { Names } from './names.ts'
import type { Door } from './door.ts'
import { demandNoRise } from './door-files.ts'
import { covers, folderOf } from './rights.ts'

type TrashDoor = Pick<
  Door,
  | 'trash'
  | 'restoreTrash'
  | 'emptyTrash'
  | 'keeping'
  | 'keepingRules'
  | 'setKeeping'
  | 'planPurge'
  | 'purge'
  | 'planMoment'
  | 'restoreMoment'
  | 'deletions'
  | 'deletionRecord'
>

/** Pages of the trash that are looked through for the entries of one person. */
const PAGES_MAX = 100
const PAGE = 1000

export function trashDoor({
  storage,
  authority,
  names,
  book,
}: {
  readonly storage: SiteStorage
  readonly authority: Authority
  readonly names: Names
  readonly book: TaskBook
}): TrashDoor {
  // Another folder may stand where an entry came from, and its readers never saw the entry: so it is for whoever removed it, and for stewards.
  const isOwn = (by: string): boolean => authority.able('content') || by === authority.by

  const demandEntry = async (id: string, need: 'write' | 'manage', kind: 'restore' | 'remove'): Promise<string> => {
    const { path, by } = await storage.trashEntry({ id })
    if (!isOwn(by)) await authority.demandAble(kind, 'content')
    await authority.demand(kind, folderOf(path), need)
    return path
  }

  return {
    async trash(request) {
      if (authority.able('content')) {
        const page = await storage.trash(request)
        return { ...page, entries: await names.ofRows(page.entries) }
      }
      const limit = Math.min(request.limit ?? PAGE, PAGE)
      const entries: TrashEntry[] = []
      let after = request.after
      for (let pages = 0; pages < PAGES_MAX; pages += 1) {
        const page = await storage.trash({ after, limit: PAGE })
        for (const entry of page.entries) {
          if (!isOwn(entry.by) || !covers(await authority.right(folderOf(entry.path)), 'write')) continue
          if (entries.length < limit) entries.push(entry)
          // How many there are in all would tell of those of others.
          if (entries.length === limit) return summed(await names.ofRows(entries), `${entry.at} ${entry.id}`)
        }
        if (page.next === null) return summed(await names.ofRows(entries), null)
        after = page.next
      }
      return summed(await names.ofRows(entries), after ?? null)
    },

    async restoreTrash(request) {
      const path = await demandEntry(request.id, 'write', 'restore')
      const to = request.to === undefined ? undefined : canonicalPath(request.to)
      if (to !== undefined) {
        await authority.demand('restore', to, 'write')
        await demandNoRise(authority, { kind: 'restore', from: path, to })
      }
      return storage.restoreTrash({ id: request.id, to, witness: authority.witness('restore', { path: to ?? path }) })
    },

    async emptyTrash(request) {
      if (request.ids === undefined) await authority.demandAble('remove', 'content')
      else for (const id of request.ids) await demandEntry(id, 'manage', 'remove')
      const task = await authority.noted('remove', { trash: request.ids?.length ?? 'all', forGood: 1 }, () =>
        storage.emptyTrash({ ids: request.ids, by: authority.by }),
      )
      return book.note(task, authority.by)
    },

    async keeping(request) {
      const path = canonicalPath(request.path)
      await authority.demand('keep', path, 'read')
      const [view] = await names.ofRows([await storage.keeping({ path })])
      return view!
    },

    async keepingRules() {
      const rules = await names.ofRows(await storage.keepingRules())
      if (authority.able('content') || authority.able('records')) return rules
      const seen = []
      for (const rule of rules) if (covers(await authority.right(rule.path), 'read')) seen.push(rule)
      return seen
    },

    async setKeeping(request) {
      const path = canonicalPath(request.path)
      await authority.demand('keep', path, 'manage')
      const view = await storage.setKeeping({ ...request, path, by: authority.by, witness: authority.witness('keep', { path }) })
      return (await names.ofRows([view]))[0]!
    },

    async planPurge() {
      await authority.demandAble('remove', 'content')
      return storage.planPurge()
    },

    async purge() {
      await authority.demandAble('purge', 'content')
      return book.note(await authority.noted('purge', { expired: 1, forGood: 1 }, () => storage.purge({ by: authority.by })), authority.by)
    },

    async planMoment(request) {
      const path = canonicalPath(request.path)
      // What lay there then may have been somebody else's.
      await authority.demandAble('restore', 'content')
      return storage.planMoment({ ...request, path })
    },

    async restoreMoment(request) {
      const path = canonicalPath(request.path)
      await authority.demandAble('restore', 'content')
      const task = await authority.noted('restore', { path, moment: request.at }, () =>
        storage.restoreMoment({ ...request, path, by: authority.by }),
      )
      return book.note(task, authority.by)
    },

    async deletions(request) {
      await requireRecords(authority)
      const page = await storage.deletions(request)
      return { ...page, deletions: await names.ofRows(page.deletions) }
    },

    async deletionRecord(request) {
      await requireRecords(authority)
      return storage.deletionRecord(request)
    },
  }
}

/** Stewards made them, auditors read them. */
async function requireRecords(authority: Authority): Promise<void> {
  if (!authority.able('content')) await authority.demandAble('audit', 'records')
}

function summed(entries: readonly TrashEntry[], next: string | null) {
  return {
    entries: [...entries],
    next,
    total: entries.length,
    files: entries.reduce((sum, { files }) => sum + files, 0),
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
