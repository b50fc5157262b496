// When a lock is made longer.
import type { ObjectLock } from './spec-text.ts'

/** A lock that holds for more than this part of its days is long enough. */
const ENOUGH = 0.5

/** False for a time that is none. */
export function lockLasts({ days }: ObjectLock, when: { readonly untilMs: number; readonly nowMs: number }): boolean {
  return when.untilMs - when.nowMs > days * 86_400_000 * ENOUGH
}
