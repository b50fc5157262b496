// A site in this process: its storage behind the one door.
import type { Clock } from '#base'
import { type Access, createAccess } from '#access'
import type { DatabasePlace } from '#database'
import { openSiteStorage, type StorageLog } from '#storage'
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

export interface OpenSite {
  readonly access: Access
  close(): Promise<void>
}

export async function openSite({ home, environment, passphrase, database, log, clock }: SiteOptions): Promise<OpenSite> {
  const storage = await openSiteStorage({
    home,
    variables: environment,
    passphrase,
    database,
    log,
    productVersion,
    ...(clock === undefined ? {} : { clock }),
  })
  return { access: createAccess(storage), close: () => storage.close() }
}
