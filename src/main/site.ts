// A site in this process: its storage behind the one door.
import type { Clock } from '#base'
import { type Access, createAccess } from '#access'
import { type DatabasePlace, openDatabase } from '#database'
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
type SiteTables = StorageTables

export interface OpenSite {
  readonly access: Access
  close(): Promise<void>
}

export async function openSite({ home, environment, passphrase, database, log, clock }: SiteOptions): Promise<OpenSite> {
  const opened = await openDatabase<SiteTables>({ ...database, migrations: storageMigrations })
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
    return {
      access: createAccess(storage),
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
