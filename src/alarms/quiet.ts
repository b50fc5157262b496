// The hours in which warnings wait.
import type { AlarmSettings } from '#contract'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

/** The moment itself outside of the quiet hours, else their end, by the clock on the wall of that time zone. */
export function endOfQuiet(quiet: AlarmSettings['quiet'], nowMs: number): number {
  if (quiet === null || quiet.from === quiet.to) return nowMs
  const now = minutesAt(nowMs, quiet.timeZone)
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)]
  const within = from < to ? now >= from && now < to : now >= from || now < to
  if (!within) return nowMs
  const begun = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
  return begun + ((to - now + DAY_MINUTES) % DAY_MINUTES) * MINUTE_MS
}

/** False for a name that the clock of this machine does not know. */
export function isTimeZone(name: string): boolean {
  try {
    minutesAt(0, name)
    return true
  } catch {
    return false
  }
}

function minutesAt(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(ms)
  const numberOf = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
  return numberOf('hour') * 60 + numberOf('minute')
}

function minutesOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}
