// One entry for an actor and a version of an object in a quarter of an hour, however many blocks are read.
import type { AuditEvent } from './event.ts'

export interface Openings {
  /** Resolves when the entry that covers this opening is durable. */
  opening(event: AuditEvent): Promise<number>
  /** What this actor, or everybody, opens next is written anew. */
  revoked(actorId?: string): void
}

export const OPENING_MS = 15 * 60_000
/** Beyond these the oldest is forgotten, which costs an entry more and loses none. */
const KEPT_MAX = 50_000

interface Opening {
  readonly actorId: string
  readonly until: number
  readonly index: Promise<number>
}

export function createOpenings(append: (event: AuditEvent) => Promise<number>, now: () => number): Openings {
  /** The oldest first. */
  const kept = new Map<string, Opening>()
  return {
    opening: async (event) => {
      const { actor, object, kind, outcome } = event
      if (object === undefined || outcome !== 'allowed') return append(event)
      const key = [actor.kind, actor.id, object.id, object.version, kind].join('\0')
      const known = kept.get(key)
      if (known !== undefined && now() < known.until) return known.index
      const opening: Opening = { actorId: actor.id, until: now() + OPENING_MS, index: append(event) }
      kept.delete(key)
      kept.set(key, opening)
      if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!)
      try {
        return await opening.index
      } catch (error) {
        if (kept.get(key) === opening) kept.delete(key)
        throw error
      }
    },
    revoked: (actorId) => {
      if (actorId === undefined) return kept.clear()
      for (const [key, opening] of kept) if (opening.actorId === actorId) kept.delete(key)
    },
  }
}
