// Credentials: loaded when needed, loaded again after a while or when the store refuses them, so that they rotate without a restart.
import { type Clock, systemClock } from '#base'
import { webBounds } from '../bounds.ts'

/** Answers what to sign with now. `reload` asks for fresh ones, after the store refused the last. */
export type Cached<T> = (options?: { readonly reload?: boolean }) => Promise<T>

/** Calls `load` at most once in `keptMs` unless told to reload; calls at the same time share one load. */
export function cached<T>(
  load: () => Promise<T>,
  options: { readonly clock?: Clock; readonly keptMs?: number; readonly keptUntil?: (loaded: T) => number } = {},
): Cached<T> {
  const clock = options.clock ?? systemClock
  const keptMs = options.keptMs ?? webBounds.credentialsKeptMs
  let kept: { untilMs: number; readonly loading: Promise<T> } | undefined
  return async ({ reload = false } = {}) => {
    if (kept === undefined || reload || clock.now() >= kept.untilMs) kept = { untilMs: clock.now() + keptMs, loading: load() }
    const mine = kept
    try {
      const loaded = await mine.loading
      if (options.keptUntil !== undefined) mine.untilMs = options.keptUntil(loaded)
      return loaded
    } catch (error) {
      if (kept === mine) kept = undefined
      throw error
    }
  }
}
