// Refusals are written down too, and a flood of them is counted: who knocks ten thousand times makes few entries.
import type { AuditEvent } from './event.ts'

export interface Refusals {
  /** The place of the entry: its own, or the one of the first alike. */
  refused(event: AuditEvent): Promise<number>
  /** Writes what was counted and not yet written. */
  flush(): Promise<void>
}

/** Refusals alike within this time are one entry, and at its end a second one that says how many followed. */
export const REFUSALS_MS = 60_000
/** Different ones of one actor within that time; beyond it they are counted by kind and code alone. */
const DIFFERENT_MAX = 50
/** Beyond these the oldest is written early. */
const KEPT_MAX = 10_000

interface Window {
  readonly event: AuditEvent
  readonly until: number
  readonly first: Promise<number>
  /** Alike since the first. */
  more: number
}

export interface RefusalsRequest {
  readonly append: (event: AuditEvent, count: number) => Promise<number>
  readonly now: () => number
  /** Resolves when a window may be over; rejects when the site stops. */
  readonly wait: (ms: number) => Promise<void>
  /** What could not be written. */
  readonly lost: (error: unknown) => void
}

export function createRefusals({ append, now, wait, lost }: RefusalsRequest): Refusals {
  /** The oldest first. */
  const windows = new Map<string, Window>()
  const different = new Map<string, { count: number; until: number }>()
  let watching = false

  /** Takes the window away, and writes what it has counted. */
  const close = async (key: string, window: Window): Promise<void> => {
    if (windows.get(key) !== window) return
    windows.delete(key)
    if (window.more > 0) await append(window.event, window.more)
  }

  const watch = async (): Promise<void> => {
    watching = true
    try {
      for (;;) {
        const [oldest] = windows
        if (oldest === undefined) break
        const [key, window] = oldest
        if (now() < window.until) await wait(window.until - now())
        if (windows.get(key) === window && now() >= window.until) await close(key, window)
      }
    } catch (error) {
      // The end of the site: `flush` writes the rest.
      if (!(error instanceof Error && 'code' in error && error.code === 'base.cancelled')) lost(error)
    } finally {
      watching = false
      for (const [actor, { until }] of different) if (until <= now()) different.delete(actor)
    }
  }

  /** What counts as alike, and what is written for all of them. */
  const alike = (event: AuditEvent): { readonly key: string; readonly said: AuditEvent } => {
    const { actor, kind, code, object, path, outcome, subject } = event
    const who = actor.kind === 'nobody' ? 'nobody' : `${actor.kind} ${actor.id}`
    const coarse = [who, kind, outcome, code ?? ''].join('\0')
    const fine = [coarse, object?.id ?? '', object?.version ?? '', object?.path ?? path ?? '', subject?.id ?? ''].join('\0')
    if (windows.has(fine)) return { key: fine, said: event }
    const known = different.get(who)
    const counted = known === undefined || known.until <= now() ? { count: 0, until: now() + REFUSALS_MS } : known
    if (counted.count >= DIFFERENT_MAX)
      return { key: coarse, said: { kind, actor, outcome, code, detail: { many: 'of different files or people' } } }
    counted.count += 1
    different.set(who, counted)
    return { key: fine, said: event }
  }

  return {
    refused: async (event) => {
      const { key, said } = alike(event)
      const known = windows.get(key)
      if (known !== undefined && now() < known.until) {
        known.more += 1
        return known.first
      }
      const [oldest] = windows.size >= KEPT_MAX ? windows : []
      const before = [...(known === undefined ? [] : [close(key, known)]), ...(oldest === undefined ? [] : [close(...oldest)])]
      const window: Window = { event: said, until: now() + REFUSALS_MS, first: append(said, 1), more: 0 }
      windows.set(key, window)
      if (!watching) void watch()
      try {
        await Promise.all(before)
        return await window.first
      } catch (error) {
        if (windows.get(key) === window) windows.delete(key)
        throw error
      }
    },
    flush: async () => {
      for (const [key, window] of Array.from(windows)) await close(key, window)
    },
  }
}
