// When alarms ring and who is told: kept in the database, without any secret.
import { Failure } from '#base'
import { alarmSettings, type AlarmSettings } from '#contract'
import type { Kysely } from '#database'
import { isTimeZone } from './quiet.ts'
import type { AlarmTables } from './tables.ts'

const FIRST: AlarmSettings = {
  unreachableMinutes: 10,
  repairHours: 24,
  diskPercent: 5,
  language: 'en',
  link: null,
  quiet: null,
  reminderHours: 4,
  mail: null,
  webhook: null,
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/

export async function readSettings(db: Kysely<AlarmTables>): Promise<AlarmSettings> {
  const row = await db.selectFrom('alarms_settings').select('settings').executeTakeFirst()
  return row === undefined ? FIRST : alarmSettings.parse({ ...FIRST, ...(JSON.parse(row.settings) as object) })
}

/** Throws `alarms.settings` on what would send alarms in clear, or nowhere. */
export async function writeSettings(db: Kysely<AlarmTables>, settings: AlarmSettings): Promise<void> {
  const { mail, webhook, quiet } = settings
  if (mail !== null && mail.security === 'none' && !LOOPBACK.test(mail.host))
    throw refused(
      'Mail would cross the network in clear.',
      'Choose STARTTLS or TLS; without either only a server on this machine is allowed.',
    )
  if (mail !== null && (mail.user === null) !== (mail.passwordFile === null))
    throw refused('A user and a password go together.', 'Give both, or neither.')
  if (webhook !== null) {
    const url = new URL(webhook.url)
    if (url.username !== '' || url.password !== '')
      throw refused('The address of the webhook holds a password.', 'The signature says who calls; leave it away.')
    if (url.hash !== '') throw refused('The address of the webhook has a part behind #, which is never sent.', 'Leave it away.')
  }
  if (quiet !== null && !isTimeZone(quiet.timeZone)) throw refused(`There is no time zone ${quiet.timeZone}.`, 'Write it as Europe/Berlin.')
  const text = JSON.stringify(settings)
  await db
    .insertInto('alarms_settings')
    .values({ id: 1, settings: text })
    .onConflict((oc) => oc.column('id').doUpdateSet({ settings: text }))
    .execute()
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

function refused(detail: string, next: string): Failure {
  return new Failure('alarms.settings', { detail, next })
}
