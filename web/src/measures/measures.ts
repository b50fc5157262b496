// Sizes, dates and durations as people read them, in the person's locale.
import type { Words } from '../words/en.ts'

export interface Measures {
  bytes(bytes: number): string
  number(value: number): string
  decimal(value: number, digits: number): string
  percent(fraction: number): string
  /** Date and time of an RFC 3339 timestamp. */
  date(timestamp: string): string
  /** Short where the day is near: time today, date otherwise. */
  when(timestamp: string): string
  /** A day without its time, as `2026-11-20`. */
  day(day: string): string
  milliseconds(ms: number): string
  /** Remaining or elapsed time, rounded so that it does not flicker. */
  duration(seconds: number): string
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

export function createMeasures(locale: string, words: Words): Measures {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const share = new Intl.NumberFormat(locale, { style: 'percent' })
  const long = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short' })
  const sized = UNITS.map((unit) =>
    [0, 1].map(
      (digits) =>
        new Intl.NumberFormat(locale, {
          style: 'unit',
          unit,
          unitDisplay: unit === 'byte' ? 'long' : 'short',
          maximumFractionDigits: digits,
        }),
    ),
  )
  const decimal = (value: number, digits: number): string =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
  const valid = (timestamp: string): Date | undefined => {
    const date = new Date(timestamp)
    return Number.isNaN(date.getTime()) ? undefined : date
  }
  return {
    number: (value) => whole.format(value),
    decimal,
    percent: (fraction) => share.format(fraction),
    bytes: (bytes) => {
      const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3 + 1e-12))
      const value = bytes / 1000 ** step
      return sized[step]![step > 0 && value < 100 ? 1 : 0]!.format(value)
    },
    date: (timestamp) => {
      const date = valid(timestamp)
      return date === undefined ? '' : long.format(date)
    },
    day: (text) => {
      const date = valid(`${text}T12:00:00`)
      return date === undefined ? '' : day.format(date)
    },
    when: (timestamp) => {
      const date = valid(timestamp)
      if (date === undefined) return ''
      return date.toDateString() === new Date().toDateString() ? time.format(date) : day.format(date)
    },
    milliseconds: (ms) => `${decimal(ms, ms < 10 ? 1 : 0)} ms`,
    duration: (seconds) => {
      const { s, min, h } = words.times.units
      if (!Number.isFinite(seconds)) return ''
      if (seconds < 1) return words.times.under
      if (seconds < 10) return `${Math.ceil(seconds)} ${s}`
      if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} ${s}`
      if (seconds < 3600) return `${Math.ceil(seconds / 60)} ${min}`
      return `${decimal(seconds / 3600, 1)} ${h}`
    },
  }
}
