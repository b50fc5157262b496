// Spans of time as people say them: a number and a unit.
import { within } from './typed-number.ts'

export const SPAN_SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const
export type SpanUnit = keyof typeof SPAN_SECONDS

/** As it is being typed. */
export interface SpanDraft {
  readonly amount: string
  readonly unit: SpanUnit
}

/** In the largest of the units that it is a whole number of; else in the smallest. */
export function spanOf(seconds: number, units: readonly SpanUnit[]): SpanDraft {
  const ordered = units.toSorted((a, b) => SPAN_SECONDS[b] - SPAN_SECONDS[a])
  const whole = seconds === 0 ? undefined : ordered.find((unit) => seconds % SPAN_SECONDS[unit] === 0)
  const unit = whole ?? ordered.at(-1)!
  return { amount: String(Math.round((seconds / SPAN_SECONDS[unit]) * 100) / 100), unit }
}

/** Undefined when it is no number, or out of bounds (seconds). */
export function secondsOf({ amount, unit }: SpanDraft, least: number, most: number): number | undefined {
  const value = within(amount, least / SPAN_SECONDS[unit], most / SPAN_SECONDS[unit])
  return value === undefined ? undefined : Math.round(value * SPAN_SECONDS[unit])
}
