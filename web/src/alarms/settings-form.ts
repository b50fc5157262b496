// The form of the settings of alarms as text, and what it means when it is right.
import { alarmSettings, type AlarmSettings, type MailSettings } from '#contract'
import { within } from '../health/typed-number.ts'

export interface Draft {
  readonly unreachableMinutes: string
  readonly repairHours: string
  readonly diskPercent: string
  readonly reminderHours: string
  readonly language: 'en' | 'de'
  readonly link: string
  readonly quiet: boolean
  readonly from: string
  readonly to: string
  readonly timeZone: string
  readonly mail: boolean
  readonly host: string
  readonly port: string
  readonly security: MailSettings['security']
  readonly user: string
  readonly passwordFile: string
  readonly authorityFile: string
  readonly sender: string
  readonly recipients: string
  readonly escalateTo: string
  readonly webhook: boolean
  readonly url: string
  readonly secretFile: string
  readonly hookAuthorityFile: string
  readonly allowPrivate: boolean
}

export function draftOf(settings: AlarmSettings): Draft {
  const { mail, webhook, quiet } = settings
  return {
    unreachableMinutes: String(settings.unreachableMinutes),
    repairHours: String(settings.repairHours),
    diskPercent: String(settings.diskPercent),
    reminderHours: String(settings.reminderHours),
    language: settings.language,
    link: settings.link ?? '',
    quiet: quiet !== null,
    from: quiet?.from ?? '22:00',
    to: quiet?.to ?? '06:00',
    timeZone: quiet?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    mail: mail !== null,
    host: mail?.host ?? '',
    port: String(mail?.port ?? 587),
    security: mail?.security ?? 'starttls',
    user: mail?.user ?? '',
    passwordFile: mail?.passwordFile ?? '',
    authorityFile: mail?.authorityFile ?? '',
    sender: mail?.from ?? '',
    recipients: mail?.to.join('\n') ?? '',
    escalateTo: mail?.escalateTo.join('\n') ?? '',
    webhook: webhook !== null,
    url: webhook?.url ?? '',
    secretFile: webhook?.secretFile ?? '',
    hookAuthorityFile: webhook?.authorityFile ?? '',
    allowPrivate: webhook?.allowPrivate ?? false,
  }
}

/** The settings, or the fields that are not usable. */
export function settingsOf(draft: Draft): { readonly settings?: AlarmSettings; readonly wrong: readonly (keyof Draft)[] } {
  const whole = (text: string): number => within(text, 0, 1e6) ?? Number.NaN
  const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim())
  const lines = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean)
  const candidate = {
    unreachableMinutes: whole(draft.unreachableMinutes),
    repairHours: whole(draft.repairHours),
    diskPercent: whole(draft.diskPercent),
    reminderHours: whole(draft.reminderHours),
    language: draft.language,
    link: orNull(draft.link),
    quiet: draft.quiet ? { from: draft.from, to: draft.to, timeZone: draft.timeZone } : null,
    mail: draft.mail
      ? {
          host: draft.host,
          port: whole(draft.port),
          security: draft.security,
          user: orNull(draft.user),
          passwordFile: orNull(draft.passwordFile),
          authorityFile: orNull(draft.authorityFile),
          from: draft.sender,
          to: lines(draft.recipients),
          escalateTo: lines(draft.escalateTo),
        }
      : null,
    webhook: draft.webhook
      ? {
          url: draft.url.trim(),
          secretFile: draft.secretFile.trim(),
          authorityFile: orNull(draft.hookAuthorityFile),
          allowPrivate: draft.allowPrivate,
        }
      : null,
  }
  const parsed = alarmSettings.safeParse(candidate)
  if (parsed.success) return { settings: parsed.data, wrong: [] }
  return { wrong: [...new Set(parsed.error.issues.map(({ path }) => fieldAt(path.map(String))))] }
}

const FIELDS: Readonly<Record<string, keyof Draft>> = {
  'mail.from': 'sender',
  'mail.to': 'recipients',
  'mail.escalateTo': 'escalateTo',
  'mail.host': 'host',
  'mail.port': 'port',
  'mail.user': 'user',
  'mail.passwordFile': 'passwordFile',
  'mail.authorityFile': 'authorityFile',
  'webhook.url': 'url',
  'webhook.secretFile': 'secretFile',
  'webhook.authorityFile': 'hookAuthorityFile',
  'quiet.from': 'from',
  'quiet.to': 'to',
  'quiet.timeZone': 'timeZone',
}

function fieldAt(path: readonly string[]): keyof Draft {
  return FIELDS[path.slice(0, 2).join('.')] ?? (path[0] as keyof Draft)
}
