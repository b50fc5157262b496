// What of the state of a site rings: pure, from what it says of itself.
import type { Condition } from '#alarms'
import type { AlarmSettings, HealthHistory, HealthView, LocationStatus, Status, Task } from '#contract'

export interface SiteFacts {
  readonly status: Status
  readonly health: HealthView | undefined
  readonly history: HealthHistory | undefined
  readonly settings: Pick<AlarmSettings, 'unreachableMinutes' | 'repairHours'>
  readonly nowMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Short trouble of a network is no alarm. */
const UNREADABLE_DELAY_MS = 2 * MINUTE_MS
/** Debt that grew to so much of what it was a day ago, and is not small. */
const RISE = 2
const RISE_FRAGMENTS_MIN = 100

/** These say the same as a location's own state, or as a number of the status. */
const SAID_ELSEWHERE = new Set(['storage.repair', 'location.unreachable', 'location.not-ours', 'format.incomplete'])
/** What may be the work of somebody, and is begun as the record of a breach. */
const BREACHES = new Set(['location.lies', 'storage.mass-loss', 'storage.fork', 'audit.tampered'])
/** Why a location does not answer, where that is known better. */
const REASONS = new Set(['location.denied', 'location.untrusted'])

export function conditionsOf(facts: SiteFacts): Condition[] {
  const { status } = facts
  if (status.vault === null) return []
  return [...locationConditions(facts), ...vaultConditions(facts), ...messageConditions(facts), ...debtConditions(facts)]
}

function locationConditions({ status, settings }: SiteFacts): Condition[] {
  const needed = status.vault?.threshold ?? 0
  const reachable = status.locations.filter(({ state }) => state !== 'unreachable' && state !== 'empty').length
  return status.locations.flatMap((one): Condition[] => {
    const shared = { subject: one.id, culprits: [shortLabel(one.label)] }
    const found: Condition[] = []
    if (one.state === 'unreachable')
      found.push({
        ...shared,
        code: one.reason !== undefined && REASONS.has(one.reason) ? one.reason : 'location.unreachable',
        // With so few left the next one that fails takes files away.
        severity: reachable <= needed ? 'alarm' : 'warning',
        numbers: { reachable, needed },
        delayMs: settings.unreachableMinutes * MINUTE_MS,
        ...since(one),
      })
    if (one.state === 'empty') found.push({ ...shared, code: 'location.not-ours', severity: 'alarm', numbers: {} })
    if (one.state === 'lying')
      found.push({
        ...shared,
        code: 'location.lies',
        severity: 'alarm',
        numbers: { fragments: one.fragments.corrupt },
        stays: true,
        breach: true,
      })
    if (one.reason === 'location.full') found.push({ ...shared, code: 'location.full', severity: 'warning', numbers: {} })
    return found
  })
}

/** Where nobody gave it a name the label is the description, whose path is nobody's business outside: its last part says which one it is. */
export function shortLabel(label: string): string {
  const match = /^([a-z0-9]+):[^?]*\/([^/?]+)\/*(?:\?.*)?$/i.exec(label)
  return match === null ? label : `${match[1]}:${match[2]}`
}

function since({ lastSeen }: LocationStatus): { readonly sinceMs?: number } {
  return lastSeen === null ? {} : { sinceMs: Date.parse(lastSeen) }
}

function vaultConditions({ status, settings }: SiteFacts): Condition[] {
  const shared = { subject: '', culprits: [] }
  const unreadable = status.health === 'unreadable'
  const needed = status.vault?.threshold ?? 0
  return [
    ...(unreadable
      ? [{ ...shared, code: 'format.incomplete', severity: 'alarm' as const, numbers: { needed }, delayMs: UNREADABLE_DELAY_MS }]
      : []),
    ...(status.withoutRedundancy > 0 && !unreadable
      ? [
          {
            ...shared,
            code: 'storage.no-redundancy',
            severity: 'warning' as const,
            numbers: { files: status.withoutRedundancy },
            delayMs: settings.unreachableMinutes * MINUTE_MS,
          },
        ]
      : []),
  ]
}

/** What the site itself calls an alarm or a warning. Its sentences stay on the page: only the code and labels of locations leave. */
function messageConditions({ status, settings }: SiteFacts): Condition[] {
  return status.messages.flatMap(({ severity, code, text }): Condition[] => {
    if (severity === 'hint' || SAID_ELSEWHERE.has(code)) return []
    const named = status.locations.filter(({ label }) => text.includes(label))
    if (code === 'location.lies' && named.some(({ state }) => state === 'lying')) return []
    const breach = BREACHES.has(code)
    return [
      {
        code,
        subject: named[0]?.id ?? '',
        severity,
        culprits: named.map(({ label }) => shortLabel(label)),
        numbers: {},
        ...(severity === 'warning' ? { delayMs: settings.unreachableMinutes * MINUTE_MS } : {}),
        ...(breach ? { stays: true, breach: true } : {}),
      },
    ]
  })
}

function debtConditions({ health, history, settings, nowMs }: SiteFacts): Condition[] {
  if (health === undefined || health.debt.fragments === 0) return []
  const { fragments, oldest, urgent } = health.debt
  const hours = oldest === null ? 0 : Math.floor((nowMs - Date.parse(oldest)) / HOUR_MS)
  const before = fragmentsADayAgo(history, nowMs)
  const rises = before !== undefined && fragments >= RISE_FRAGMENTS_MIN && fragments > before * RISE
  if (hours < settings.repairHours && !rises) return []
  return [
    {
      code: 'storage.repair-due',
      subject: '',
      severity: urgent > 0 ? 'alarm' : 'warning',
      culprits: [],
      numbers: { fragments, hours, ...(rises ? { before } : {}) },
    },
  ]
}

/** Of the newest sample that is at least a day old. */
function fragmentsADayAgo(history: HealthHistory | undefined, nowMs: number): number | undefined {
  const sample = history?.samples.findLast(({ at }) => Date.parse(at) <= nowMs - DAY_MS)
  return sample === undefined ? undefined : sample.lost + sample.corrupt + sample.pending
}

/** Damage that a finished check found, and that a repair may have mended since. */
export function findingsOf(task: Task, locations: readonly { readonly id: string; readonly label: string }[]): Condition[] {
  if (task.state !== 'done' || task.report === null) return []
  const wrong = task.report.findings.filter(({ kind }) => kind === 'corrupt' || kind === 'head-copy' || kind === 'differs')
  return [...Map.groupBy(wrong, ({ location }) => location)].map(([label, found]) => {
    const known = locations.find((one) => one.label === label || one.id === label)
    return {
      code: 'location.lies',
      subject: known?.id ?? '',
      severity: 'alarm',
      culprits: known === undefined ? [] : [shortLabel(known.label)],
      numbers: { fragments: found.length },
      stays: true,
      breach: true,
    }
  })
}

/** Warned of 30, 7 and 1 days before the end; a pair that is not served is told at once. */
export function certificateConditions(certificate: {
  readonly endsMs: number
  readonly nowMs: number
  readonly trouble: boolean
  /** Renewed by the site itself: nobody has to do anything until that fails. */
  readonly own: boolean
}): Condition[] {
  const { endsMs, nowMs, trouble, own } = certificate
  const days = Math.floor((endsMs - nowMs) / DAY_MS)
  const shared = { subject: '', culprits: [] }
  const ends: Condition[] =
    days >= (own ? 7 : 30)
      ? []
      : [
          {
            ...shared,
            code: 'api.certificate-ends',
            severity: days < 1 ? 'alarm' : days < 7 || own ? 'warning' : 'notice',
            numbers: { days: Math.max(0, days) },
          },
        ]
  return trouble ? [...ends, { ...shared, code: 'api.certificate', severity: 'alarm', numbers: {} }] : ends
}

export function diskConditions(disk: {
  readonly freeBytes: number
  readonly totalBytes: number
  readonly percentMin: number
}): Condition[] {
  const { freeBytes, totalBytes, percentMin } = disk
  if (totalBytes <= 0) return []
  const percent = Math.floor((freeBytes / totalBytes) * 100)
  if (percent >= percentMin) return []
  return [{ code: 'main.disk', subject: '', severity: percent * 2 < percentMin ? 'alarm' : 'warning', culprits: [], numbers: { percent } }]
}
