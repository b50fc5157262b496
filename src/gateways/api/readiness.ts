// Whether the site can do its work now, for whoever sends requests to it or starts it anew: no names, no numbers, nothing of anyone.
import type { Door } from '#access'
import { type Clock, isFailure } from '#base'

export interface Readiness {
  readonly status: 'ready' | 'not-ready'
  readonly database: 'answers' | 'silent'
  /** none: no vault is made yet, which is no reason to start a site anew. */
  readonly vault: 'none' | 'reachable' | 'too-few-locations' | 'unknown'
}

/** Whoever asks is nobody, so an answer is given again for so long. */
const KEPT_MS = 1000
/** A database that takes longer does not answer. */
const PATIENCE_MS = 5000

const SILENT: Readiness = { status: 'not-ready', database: 'silent', vault: 'unknown' }

export function createReadiness(door: Pick<Door, 'status'>, clock: Clock): () => Promise<Readiness> {
  let last: { readonly atMs: number; readonly answer: Promise<Readiness> } | undefined
  return () => {
    const now = clock.now()
    if (last === undefined || now - last.atMs >= KEPT_MS) last = { atMs: now, answer: look(door, clock) }
    return last.answer
  }
}

async function look(door: Pick<Door, 'status'>, clock: Clock): Promise<Readiness> {
  const patience = new AbortController()
  const tired = clock.sleep(PATIENCE_MS, patience.signal).then(
    () => SILENT,
    () => SILENT,
  )
  try {
    return await Promise.race([judge(door), tired])
  } catch (error) {
    if (isFailure(error) && error.code.startsWith('database.')) return SILENT
    return { ...SILENT, database: 'answers' }
  } finally {
    patience.abort()
  }
}

/** Reading takes k locations that answer with what is ours. */
async function judge(door: Pick<Door, 'status'>): Promise<Readiness> {
  const { vault, locations } = await door.status({ check: false })
  if (vault === null) return { status: 'ready', database: 'answers', vault: 'none' }
  const there = locations.filter(({ state }) => state !== 'unreachable' && state !== 'empty').length
  return there >= vault.threshold
    ? { status: 'ready', database: 'answers', vault: 'reachable' }
    : { status: 'not-ready', database: 'answers', vault: 'too-few-locations' }
}
