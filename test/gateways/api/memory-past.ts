// The part of a door in memory that speaks of what was: it notes each call and answers the least that the contract allows.
import type { Door } from '#access'
import { Failure, utf8 } from '#base'
import type { Entry, KeepingView, Task } from '#contract'

const ID = 'ab'.repeat(16)
const AT = '2026-01-01T00:00:00.000Z'

export type PastDoor = Pick<
  Door,
  | 'trash'
  | 'restoreTrash'
  | 'emptyTrash'
  | 'restoreVersion'
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

export function memoryPast(given: { readonly note: (call: string) => void; readonly entry: (path: string) => Entry }): PastDoor {
  const { note, entry } = given
  const task = (kind: Task['kind']): Task => ({
    id: ID,
    kind,
    state: 'running',
    title: kind,
    done: 0,
    total: 0,
    unit: 'files',
    bytesPerSecond: 0,
    remainingSeconds: null,
    started: AT,
    report: null,
    problem: null,
  })
  const keeping = (path: string): KeepingView => ({
    path,
    own: null,
    effective: { versionsDays: 90, versionsMin: 3, trashDays: 30, holdUntil: null },
    by: null,
    at: null,
  })
  return {
    trash: async ({ after, limit }) => {
      note(`trash ${after ?? ''} ${limit ?? ''}`)
      return { entries: [], next: null, total: 0, files: 0, bytes: 0 }
    },
    restoreTrash: async ({ id, to }) => {
      note(`restoreTrash ${id} ${to ?? ''}`)
      if (to === undefined) throw new Failure('storage.absent')
      return entry(to)
    },
    emptyTrash: async ({ ids }) => {
      note(`emptyTrash ${ids?.join(' ') ?? 'all'}`)
      return task('remove')
    },
    restoreVersion: async ({ path, version }) => {
      note(`restoreVersion ${path} ${version}`)
      return entry(path)
    },
    keeping: async ({ path }) => {
      note(`keeping ${path}`)
      return keeping(path)
    },
    keepingRules: async () => {
      note('keepingRules')
      return [keeping('/')]
    },
    setKeeping: async ({ path, release, holdUntil }) => {
      note(`setKeeping ${path} ${release} ${holdUntil}`)
      return keeping(path)
    },
    planPurge: async () => {
      note('planPurge')
      return { trash: [], versions: [], counts: { trash: 0, versions: 0, held: 0 }, bytes: 0 }
    },
    purge: async () => {
      note('purge')
      return task('remove')
    },
    planMoment: async ({ path, at }) => {
      note(`planMoment ${path} ${at}`)
      const counts = { returns: 0, replaces: 0, trashes: 0, unchanged: 0, doubtful: 0 }
      return { path, at, knownSince: AT, returns: [], replaces: [], trashes: [], doubtful: [], counts }
    },
    restoreMoment: async ({ path, at }) => {
      note(`restoreMoment ${path} ${at}`)
      return task('restore')
    },
    deletions: async ({ after, limit }) => {
      note(`deletions ${after ?? ''} ${limit ?? ''}`)
      return { deletions: [], next: null }
    },
    deletionRecord: async ({ id }) => {
      note(`deletionRecord ${id}`)
      return utf8('{}')
    },
  }
}
