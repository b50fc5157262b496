// A site in this process: its storage behind the one door.
import type { Clock } from '#base'
import { type Access, createAccess } from '#access'
import { type DatabasePlace, openDatabase } from '#database'
import { identityMigrations, openIdentity, type Identity, type IdentityEvents, type IdentityTables } from '#identity'
import { openSiteStorage, storageMigrations, type StorageLog, type StorageTables } from '#storage'
import { productVersion } from './product-version.ts'

export interface SiteOptions {
  /** An existing folder, readable by its user only, whose lock this process holds. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly passphrase?: string | undefined
  readonly database: DatabasePlace
  readonly log: StorageLog
  readonly clock?: Clock
}

/** The tables of all rooms, in one database: what belongs together is changed in one transaction. */
type SiteTables = StorageTables & IdentityTables

export interface OpenSite {
  readonly access: Access
  readonly identity: Identity
  close(): Promise<void>
}

export async function openSite({ home, environment, passphrase, database, log, clock }: SiteOptions): Promise<OpenSite> {
  const opened = await openDatabase<SiteTables>({ ...database, migrations: { ...storageMigrations, ...identityMigrations } })
  try {
    const storage = await openSiteStorage({
      home,
      variables: environment,
      passphrase,
      database: { opened },
      log,
      productVersion,
      ...(clock === undefined ? {} : { clock }),
    })
    const identity = await openIdentity({
      database: opened,
      home,
      events: loggedEvents(log),
      ...(clock === undefined ? {} : { clock }),
    })
    return {
      access: createAccess(storage),
      identity,
      close: async () => {
        await storage.close()
        await opened.close()
      },
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** What happened to people, by ids: names and secrets are no part of it. */
function loggedEvents(log: StorageLog): IdentityEvents {
  return {
    async record(_tx, { kind, actor, subject, outcome, code, facts }) {
      const by = actor.kind === 'person' ? actor.id : actor.kind
      log.info({ event: kind, by, subject, outcome, code, facts }, 'identity')
    },
  }
}
