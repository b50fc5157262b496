// How states are coloured. Every tone also has its own icon and word: colour alone says nothing.
import type { LocationState, Placement, Redundancy } from '#contract'

export type Tone = 'good' | 'warn' | 'bad' | 'liar' | 'idle'

export const toneOfLocation = {
  healthy: 'good',
  degraded: 'warn',
  empty: 'warn',
  unreachable: 'bad',
  lying: 'liar',
} as const satisfies Record<LocationState, Tone>

export const toneOfFragment = {
  held: 'good',
  pending: 'warn',
  lost: 'bad',
  away: 'bad',
  corrupt: 'liar',
} as const satisfies Record<Placement['fragments'][number]['state'], Tone>

export const toneOfRedundancy = {
  redundant: 'good',
  'repair-due': 'warn',
  'no-redundancy': 'warn',
  unreadable: 'bad',
} as const satisfies Record<Redundancy, Tone>

export const toneOfHealth = { none: 'idle', healthy: 'good', degraded: 'warn', unreadable: 'bad' } as const
