// What a site can do about what was: trash, versions of old, rules of keeping, moments, deletions that are proven.
import { type Clock, Failure, rfc3339, tracesOf } from '#base'
import type { DeletionListing, Entry, KeepingRule, KeepingView, MomentPlan, PurgePlan, Task, TrashListing } from '#contract'
import { addVersion, removeEntry } from './catalogue.ts'
import { findVersion, objectAt, statEntry } from './listing.ts'
import { deletionRecord, listDeletions, provenDeletion } from './deletion.ts'
import { Findings } from './findings.ts'
import { keepLine, requireNoHold, rulesOf, setKeeping } from './keeping.ts'
import { planMoment, restoreMoment } from './moment.ts'
import { userPath } from './paths.ts'
import { planPurge, purge } from './retention.ts'
import type { SiteCore, Witness } from './site-core.ts'
import { listTrash, moveToTrash, removeFromTrash, restoreFromTrash, trashRow } from './trash.ts'

const PAGE_MAX = 1000
/** Between two looks for what is past its time; the first comes early, each at a time of its own. */
const PURGE_EVERY_MS = 3_600_000
const PURGE_FIRST_MS = 300_000
const SYSTEM = 'retention'

export function siteTrash(core: SiteCore) {
  const now = (): string => rfc3339(core.clock.now())
  return {
    /** Puts a file or folder into the trash. */
    async moveToTrash(request: {
      readonly path: string
      readonly recursive: boolean
      readonly by?: string | undefined
      readonly witness?: Witness | undefined
    }): Promise<{ readonly id: string; readonly removed: number }> {
      const path = userPath(request.path)
      return core.change(path, async (tx) => {
        const object = await objectAt(tx, path)
        const moved = await moveToTrash(tx, { path, recursive: request.recursive, by: request.by ?? 'local', at: now() })
        await request.witness?.(tx, object)
        return moved
      })
    },

    /** Removes a file, a folder or one version for good, with a record of its deletion. Answers how many files or versions went. */
    async remove(request: {
      readonly path: string
      readonly recursive: boolean
      readonly version?: number | undefined
      readonly by?: string | undefined
      readonly witness?: Witness | undefined
    }): Promise<number> {
      const path = userPath(request.path)
      const removed = await core.change(path, async (tx) => {
        const at = now()
        await requireNoHold(tx, path, at)
        const object = await objectAt(tx, path)
        const what = request.version !== undefined ? 'version' : object === undefined ? 'folder' : 'file'
        const dropped = provenDeletion({ path, what, reason: 'removed', by: request.by ?? 'local', at })
        const gone = await removeEntry(tx, { path, recursive: request.recursive, version: request.version, dropped })
        await request.witness?.(tx, object && { ...object, version: request.version ?? object.version })
        return gone
      })
      core.sweepLater()
      return removed
    },

    async trash(request: { readonly after?: string | undefined; readonly limit?: number | undefined }): Promise<TrashListing> {
      core.open()
      return listTrash(core.db.kysely, { after: request.after, limit: Math.min(request.limit ?? PAGE_MAX, PAGE_MAX), now: now() })
    },

    /** Where something in the trash came from, and who put it there. Throws `storage.absent`. */
    async trashEntry(request: { readonly id: string }): Promise<{ readonly path: string; readonly by: string }> {
      const { path, by } = await trashRow(core.db.kysely, request.id)
      return { path, by }
    },

    async restoreTrash(request: {
      readonly id: string
      readonly to?: string | undefined
      readonly witness?: Witness | undefined
    }): Promise<Entry> {
      const row = await trashRow(core.db.kysely, request.id)
      let path = request.to ?? row.path
      await core.change(path, async (tx) => {
        path = await restoreFromTrash(tx, { id: request.id, to: request.to, at: now() })
        await request.witness?.(tx, await objectAt(tx, path))
      })
      core.tellFiles(path)
      return statEntry(core.db.kysely, path, core.open().places.present)
    },

    /** Removes entries for good, all of them when none is named; those under a hold stay and are told. */
    async emptyTrash(request: { readonly ids?: readonly string[] | undefined; readonly by?: string | undefined }): Promise<Task> {
      const { vault, log } = core.open()
      vault.parts.signer()
      for (const id of request.ids ?? []) {
        const row = await trashRow(core.db.kysely, id)
        await requireNoHold(core.db.kysely, row.path, now())
      }
      return core.tasks.start('remove', 'Empty the trash', 'files', async ({ signal, progress }) => {
        const findings = new Findings()
        const rows = await core.db.kysely
          .selectFrom('trash')
          .selectAll()
          .$if(request.ids !== undefined, (query) => query.where('id', 'in', request.ids!.length === 0 ? ['-'] : request.ids!))
          .orderBy('at')
          .execute()
        progress.total(rows.length)
        try {
          for (const row of rows) {
            if (signal.aborted) throw new Failure('base.cancelled')
            try {
              await core.db.transaction((tx) => {
                const at = now()
                const dropped = provenDeletion({ path: row.path, what: row.kind, reason: 'removed', by: request.by ?? 'local', at })
                return removeFromTrash(tx, { id: row.id, now: at, dropped })
              })
            } catch (error) {
              // Restored or emptied by somebody else meanwhile.
              if (!(error instanceof Failure) || (error.kind !== 'absent' && error.code !== 'storage.held')) throw error
              if (error.code === 'storage.held')
                findings.add({ location: '', path: row.path, fragment: '', kind: 'conflict', detail: error.message })
            }
            progress.add(1)
          }
        } finally {
          log.schedule()
          core.sweepLater()
          core.changed()
        }
        return findings
      })
    },

    /** Makes an older version the current one again, by a new version that names the same dealing: it costs no bytes. */
    async restoreVersion(request: {
      readonly path: string
      readonly version: number
      readonly witness?: Witness | undefined
    }): Promise<Entry> {
      const path = userPath(request.path)
      await core.change(path, async (tx) => {
        const wanted = await findVersion(tx, path, request.version)
        const current = await findVersion(tx, path)
        if (current.deal.deal === wanted.deal.deal) return
        const at = now()
        const { file, deal, modified } = wanted
        const added = await addVersion(tx, { path, file, deal, created: at, modified, at, ifAbsent: false })
        await request.witness?.(tx, { id: added.file, version: added.number, path })
      })
      return statEntry(core.db.kysely, path, core.open().places.present)
    },

    async keeping(request: { readonly path: string }): Promise<KeepingView> {
      const { places } = core.open()
      const path = userPath(request.path)
      await statEntry(core.db.kysely, path, places.present)
      const rules = await rulesOf(core.db.kysely)
      const own = rules.all.find((rule) => rule.path === path)
      const { op: _, path: __, by, at, ...rule } = own === undefined ? { op: '', path, by: null, at: null } : keepLine(own)
      return { path, own: own === undefined ? null : (rule as KeepingRule), effective: rules.of(path), by, at }
    },

    /** Every folder that has a rule of its own. */
    async keepingRules(): Promise<KeepingView[]> {
      core.open()
      const rules = await rulesOf(core.db.kysely)
      return rules.all.map((row) => {
        const { op: _, path, by, at, ...own } = keepLine(row)
        return { path, own, effective: rules.of(path), by, at }
      })
    },

    async setKeeping(
      request: KeepingRule & {
        readonly path: string
        readonly release: boolean
        readonly by?: string | undefined
        readonly witness?: Witness | undefined
      },
    ): Promise<KeepingView> {
      const path = userPath(request.path)
      await core.change(path, async (tx) => {
        await setKeeping(tx, { ...request, path, by: request.by ?? 'local', at: now() })
        await request.witness?.(tx, undefined)
      })
      return this.keeping({ path })
    },

    async planPurge(): Promise<PurgePlan> {
      core.open()
      return planPurge(core.db.kysely, core.clock.now())
    },

    async purge(request: { readonly by?: string | undefined }): Promise<Task> {
      core.open().vault.parts.signer()
      return core.tasks.start('remove', 'Remove what is past its time', 'files', async (tools) => {
        const findings = new Findings()
        try {
          await purge(core, { by: request.by ?? 'local', ...tools, findings })
        } finally {
          core.open().log.schedule()
          core.sweepLater()
          core.changed()
        }
        return findings
      })
    },

    async planMoment(request: { readonly path: string; readonly at: string }): Promise<MomentPlan> {
      core.open()
      return planMoment(core, request)
    },

    async restoreMoment(request: { readonly path: string; readonly at: string; readonly by?: string | undefined }): Promise<Task> {
      core.open().vault.parts.signer()
      // Refused at once, not in the middle.
      const plan = await planMoment(core, request)
      return core.tasks.start('restore', `Restore ${plan.path} as of ${plan.at}`, 'files', async (tools) => {
        const findings = new Findings()
        try {
          await restoreMoment(core, { path: plan.path, at: plan.at, by: request.by ?? 'local', ...tools, findings })
        } finally {
          core.open().log.schedule()
          core.changed()
          core.tellFiles(plan.path)
        }
        return findings
      })
    },

    async deletions(request: { readonly after?: string | undefined; readonly limit?: number | undefined }): Promise<DeletionListing> {
      return listDeletions(core.open().vault, { after: request.after, limit: Math.min(request.limit ?? 100, PAGE_MAX) })
    },

    async deletionRecord(request: { readonly id: string }): Promise<Uint8Array> {
      return deletionRecord(core.open().vault, request.id)
    },
  }
}

/** Runs until the site stops: now and then what is past its time goes, and what locations still owe to a deletion is asked for again. */
export async function purgeByTheHour(core: SiteCore): Promise<void> {
  const rest = (ms: number, clock: Clock): Promise<void> => clock.sleep(ms * (0.5 + Math.random()), core.stop.signal)
  try {
    for (let waitMs = PURGE_FIRST_MS; !core.stop.signal.aborted; waitMs = PURGE_EVERY_MS) {
      await rest(waitMs, core.clock)
      if (core.running === undefined) continue
      try {
        core.running.vault.parts.signer()
        const findings = new Findings()
        const nobody = { total: () => undefined, add: () => undefined }
        const gone = await core.working(purge(core, { by: SYSTEM, signal: core.stop.signal, progress: nobody, findings }))
        if (gone > 0) {
          core.running.log.schedule()
          core.changed()
        }
      } catch (error) {
        if (core.stop.signal.aborted) return
        core.options.log.warn({ causes: tracesOf(error) }, 'what is past its time is removed later')
      }
      core.sweepLater()
    }
  } catch (error) {
    if (!core.stop.signal.aborted) throw error
  }
}
