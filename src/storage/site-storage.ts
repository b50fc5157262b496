// Everything a site stores, behind one object: making the vault, files in it, its health, long work. One process per home.
import { join } from 'node:path'
import type { Site, SiteEvent, Status } from '#contract'
import { openDatabase } from '#database'
import { suggestFolders } from './enrolment.ts'
import { SiteCore, type SiteStorageOptions } from './site-core.ts'
import { siteChange } from './site-change.ts'
import { siteFiles } from './site-files.ts'
import { siteGrants } from './site-grants.ts'
import { siteHealth } from './site-health.ts'
import { siteMaking } from './site-making.ts'
import { siteUploads } from './site-uploads.ts'
import { sitePlanner } from './site-planner.ts'
import { siteTrash } from './site-trash.ts'
import { siteRecovery } from './site-recovery.ts'
import { siteStatus } from './site-status.ts'
import { siteWork } from './site-work.ts'
import { siteWriters } from './site-writers.ts'
import { type StorageTables, storageMigrations } from './tables.ts'

export type SiteStorage = ReturnType<typeof siteStorage>

/** Opens the home's database and, if there is one, its vault. */
export async function openSiteStorage(options: SiteStorageOptions): Promise<SiteStorage> {
  const place = options.database ?? { file: join(options.home, 'site.sqlite') }
  const db = 'opened' in place ? place.opened : await openDatabase<StorageTables>({ ...place, migrations: storageMigrations })
  const core = new SiteCore(db, options)
  try {
    await core.start()
    return siteStorage(core)
  } catch (error) {
    await core.close()
    throw error
  }
}

function siteStorage(core: SiteCore) {
  return {
    ...siteFiles(core),
    ...siteTrash(core),
    ...siteGrants(core),
    ...siteMaking(core),
    ...siteRecovery(core, siteFiles(core)),
    ...siteUploads(core),
    ...siteWork(core),
    ...siteWriters(core),
    ...siteHealth(core),
    ...sitePlanner(core),
    ...siteChange(core),
    close: (): Promise<void> => core.close(),

    async site(): Promise<Omit<Site, 'abilities'>> {
      const running = core.running
      return {
        version: core.options.productVersion,
        suggestedFolders: running === undefined ? await suggestFolders(core.options.home) : [],
        vault: running === undefined ? null : (await siteStatus(core, { check: false })).vault,
      }
    },

    status: (request: { readonly check: boolean }): Promise<Status> => siteStatus(core, request),

    async *events(signal: AbortSignal): AsyncGenerator<SiteEvent> {
      const stop = AbortSignal.any([signal, core.stop.signal])
      const listener = core.events.listen(stop)
      const first = listener.next()
      yield { kind: 'status', status: await siteStatus(core, { check: false }) }
      for (const task of core.tasks.list().filter(({ state }) => state === 'running')) yield { kind: 'task', task }
      const event = await first
      if (event.done === true) return
      yield event.value
      yield* listener
    },
  }
}
