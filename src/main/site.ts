// A site in this process: its storage behind the one door.
import { join } from 'node:path'
import { type Clock, type Failure, systemClock } from '#base'
import { type Access, createAccess } from '#access'
import { alarmMigrations, type Alarms, type AlarmTables, type Condition, openAlarms } from '#alarms'
import { type AuditLog, auditMigrations, type AuditTables, openAudit } from '#audit'
import { type DatabasePlace, openDatabase, type TurnLoad } from '#database'
import { identityMigrations, openIdentity, type Identity, type IdentityEvents, type IdentityTables, type ProviderSettings } from '#identity'
import { openSiteStorage, type SiteStorage, storageMigrations, type StorageTables } from '#storage'
import { identityRecord } from './identity-record.ts'
import type { SiteLog } from './log.ts'
import { peopleOf } from './people.ts'
import { productVersion } from './product-version.ts'

export interface SiteOptions {
  /** An existing folder, readable by its user only, whose lock this process holds. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly passphrase?: string | undefined
  readonly database: DatabasePlace
  readonly log: SiteLog
  /** Single sign-on by the house. */
  readonly provider?: ProviderSettings | undefined
  readonly clock?: Clock
}

/** The tables of all rooms, in one database: what belongs together is changed in one transaction. */
type SiteTables = StorageTables & IdentityTables & AuditTables & AlarmTables

export interface OpenSite {
  readonly access: Access
  readonly identity: Identity
  readonly audit: AuditLog
  readonly storage: SiteStorage
  readonly alarms: Alarms
  databaseLoad(): TurnLoad
  close(): Promise<void>
}

export async function openSite({ home, environment, passphrase, database, log, provider, clock }: SiteOptions): Promise<OpenSite> {
  const opened = await openDatabase<SiteTables>({
    ...database,
    migrations: { ...storageMigrations, ...identityMigrations, ...auditMigrations, ...alarmMigrations },
  })
  let audit: AuditLog | undefined
  try {
    const alarms = openAlarms({
      db: opened,
      clock: clock ?? systemClock,
      secretsFolder: join(home, 'secrets'),
      log,
    })
    const opening = await openAudit({
      db: opened,
      clock: clock ?? systemClock,
      home,
      log,
      alarm: (failure) => alarms.ring(tampering(failure)),
    })
    audit = opening
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
      provider,
      home,
      events: ringing(identityRecord(opening, log), alarms),
      ...(clock === undefined ? {} : { clock }),
    })
    return {
      access: createAccess({ storage, audit: opening, alarms, people: peopleOf(identity), clock: clock ?? systemClock }),
      identity,
      audit: opening,
      storage,
      alarms,
      databaseLoad: () => opened.load,
      close: async () => {
        await storage.close()
        await alarms.close()
        await opening.close()
        await opened.close()
      },
    }
  } catch (error) {
    await audit?.close()
    await opened.close()
    throw error
  }
}

/** Stays until somebody has seen it; what was changed behind our back begins the record of a breach. */
function tampering({ code, kind }: Failure): Condition {
  return { code, subject: '', severity: 'alarm', culprits: [], numbers: {}, stays: true, breach: kind === 'corrupt' }
}

/** Sign-ins that are put off since too many failed ring. */
function ringing(events: IdentityEvents, alarms: Alarms): IdentityEvents {
  return {
    async record(tx, event) {
      await events.record(tx, event)
      const { code } = event
      if (code === 'identity.wait') alarms.ring({ code, subject: '', severity: 'warning', culprits: [], numbers: { count: 1 } })
    },
  }
}
