// What a site is killed in the middle of, one act a run.
import type { ChangeRequest } from '#contract'
import type { Operation } from './crash-model.ts'

export const CHANGES = ['threshold', 'layout', 'shares', 'keys', 'leave'] as const
export const ACTS = ['repair', 'segment', 'snapshot', ...CHANGES] as const
export type Act = (typeof ACTS)[number]
export type Change = (typeof CHANGES)[number]

/** From 2 of 4, shared. */
export const REQUESTS: Readonly<Record<Change, ChangeRequest>> = {
  threshold: { threshold: 3 },
  layout: { layout: 'sealed' },
  shares: { refresh: 'shares' },
  keys: { refresh: 'keys' },
  leave: { leave: [{ location: 'b' }] },
}

export function isChange(act: Act): act is Change {
  return (CHANGES as readonly string[]).includes(act)
}

/** Fewer fsyncs no thread has in this act. */
export function syncsAtLeast(act: Act): number {
  return act === 'segment' || act === 'snapshot' ? 3 : 12
}

/** Before any act. */
export const PREPARED: readonly Operation[] = [
  { kind: 'put', path: '/a/large', seed: 1, size: 300_000 },
  { kind: 'put', path: '/a/small', seed: 2, size: 3000 },
  { kind: 'put', path: '/a/small', seed: 3, size: 10 },
  { kind: 'copy', from: '/a/small', to: '/b/copy' },
]

/** Changes of the catalogue alone; they go into the vault at the end, together. */
export function operationsOf(act: Act): readonly Operation[] {
  if (act !== 'segment' && act !== 'snapshot') return []
  return [
    { kind: 'move', from: '/a/large', to: '/c/large' },
    { kind: 'copy', from: '/a/small', to: '/c/copy' },
    { kind: 'remove', path: '/b/copy' },
    { kind: 'move', from: '/a/small', to: '/b/renamed' },
  ]
}

/** Lines that the child prints. */
export type Said =
  | { readonly what: 'ready'; readonly threads: readonly { readonly id: number; readonly name: string }[] }
  | { readonly what: 'begin' | 'done'; readonly at: number }
  | { readonly what: 'asked' }
