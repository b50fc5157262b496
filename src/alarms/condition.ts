// What can ring: a cause, told by whoever watches it.
import type { AlarmSeverity } from '#contract'

/** A cause that is there now. */
export interface Condition {
  /** Of the table of codes, or of a room that comes later. */
  readonly code: string
  /** Which of several: the id of a location. Empty where there is but one. Never a name of a file. */
  readonly subject: string
  readonly severity: AlarmSeverity
  /** Labels that messages may carry. */
  readonly culprits: readonly string[]
  readonly numbers: Readonly<Record<string, number>>
  /** It rings when it has lasted so long. */
  readonly delayMs?: number | undefined
  /** Since when, where that is known. */
  readonly sinceMs?: number | undefined
  /** Stays open until somebody has seen it, even when its cause is gone. */
  readonly stays?: boolean | undefined
  /** Starts the record of a breach, or belongs to one. */
  readonly breach?: boolean | undefined
}

/** Of those with the same code so many are told apart; more become one. */
export const SUBJECTS_MAX = 50
const LABEL_CHARACTERS_MAX = 100
const CULPRITS_MAX = 10

export function keyOf(one: { readonly code: string; readonly subject: string }): string {
  return `${one.code} ${one.subject}`
}

/** Of every key one, the gravest; of a code that floods, one for all; labels short and on one line. */
export function condensed(conditions: readonly Condition[]): readonly Condition[] {
  const byKey = new Map<string, Condition>()
  const subjects = new Map<string, number>()
  for (const one of conditions) {
    const key = keyOf(one)
    const known = byKey.get(key)
    if (known === undefined) {
      const count = (subjects.get(one.code) ?? 0) + 1
      subjects.set(one.code, count)
      if (count > SUBJECTS_MAX) {
        const many = { ...one, subject: '', culprits: [], numbers: { count } }
        byKey.set(keyOf(many), tidy(many))
        continue
      }
    }
    if (known === undefined || gravity(one.severity) >= gravity(known.severity)) byKey.set(key, tidy(one))
  }
  return [...byKey.values()]
}

export function gravity(severity: AlarmSeverity): number {
  return severity === 'alarm' ? 2 : severity === 'warning' ? 1 : 0
}

function tidy(one: Condition): Condition {
  const culprits = one.culprits
    .slice(0, CULPRITS_MAX)
    .map((label) => label.replaceAll(/[\p{Cc}\p{Cf}]/gu, '').slice(0, LABEL_CHARACTERS_MAX))
  return { ...one, culprits }
}
