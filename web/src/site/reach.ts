// Whether the site answers at all. Every call of it reports here; the page shows it.
import { useSyncExternalStore } from 'react'

export type Reach = 'answers' | 'stopped'

/** The site does not answer: it was stopped, or the network between is cut. */
export class SiteStopped extends Error {
  override readonly name = 'SiteStopped'
}

let reach: Reach = 'answers'
const listeners = new Set<() => void>()

export function noteReach(next: Reach): void {
  if (next === reach) return
  reach = next
  for (const listener of listeners) listener()
}

export function currentReach(): Reach {
  return reach
}

export function onReach(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useReach(): Reach {
  return useSyncExternalStore(onReach, currentReach)
}
