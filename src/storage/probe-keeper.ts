// Tries the locations of a running vault again, each about once a day and soon after its credentials have changed. Ends with the site.
import { stat } from 'node:fs/promises'
import { Failure, tracesOf } from '#base'
import { parseCapabilities } from './enrolment.ts'
import { probeRows, tryLocation } from './probing.ts'
import type { SiteCore } from './site-core.ts'

const LOOK_MS = 5 * 60_000
const DAY_MS = 86_400_000
/** Where nothing can be deleted, the small objects of a trial stay: it is tried less often. */
const KEPT_PERIOD_MS = 7 * DAY_MS
/** After a trial that could not be made. */
const BACKOFF_MS = 3_600_000
/** Fields of a description that name files with credentials. */
const CREDENTIAL_FIELDS = ['credentials', 'key', 'password', 'passphrase']

/** Looks every few minutes for locations that are due, one after the other, until the site stops. Never rejects. */
export async function keepProbing(core: SiteCore): Promise<void> {
  const notBefore = new Map<string, number>()
  const shares = new Map<string, number>()
  for (;;) {
    try {
      // Many sites that were started at one moment do not ask one cloud at one moment.
      await core.clock.sleep((core.options.probeLookMs ?? LOOK_MS) * (0.75 + Math.random() / 2), core.stop.signal)
    } catch {
      return
    }
    try {
      await lookOnce(core, { notBefore, shares })
    } catch (error) {
      if (core.stop.signal.aborted) return
      core.options.log.warn({ causes: tracesOf(error) }, 'the trials of the locations go on later')
    }
  }
}

async function lookOnce(
  core: SiteCore,
  memory: {
    /** When a location may be tried again after a trial that could not be made. */
    readonly notBefore: Map<string, number>
    /** The part of the period after which each is due, so that they are not all tried at one time. */
    readonly shares: Map<string, number>
  },
): Promise<void> {
  const { running } = core
  if (running === undefined) return
  const rows = await core.db.kysely.selectFrom('location').select(['location', 'config', 'added', 'capabilities']).execute()
  const probes = await probeRows(core)
  for (const { location: id, config, added, capabilities } of rows) {
    const place = running.places.byId(id)
    const nowMs = core.clock.now()
    if (place?.view.presence !== 'present' || nowMs < (memory.notBefore.get(id) ?? 0)) continue
    const share = memory.shares.get(id) ?? 0.9 + Math.random() / 5
    memory.shares.set(id, share)
    const known = parseCapabilities(capabilities)
    // When it was enrolled it was tried; when it was recovered it was not.
    const enrolledMs = known === null ? 0 : Date.parse(added)
    const last = probes.get(id)
    const lastMs = last === undefined ? enrolledMs : Date.parse(last.at)
    const periodMs = known?.deletes === false ? KEPT_PERIOD_MS : DAY_MS
    if (nowMs - lastMs < periodMs * share && !(await credentialsChanged(config, lastMs))) continue
    try {
      await tryLocation(core, place, 'schedule')
    } catch (error) {
      if (core.stop.signal.aborted) return
      if (!(error instanceof Failure)) throw error
      memory.notBefore.set(id, core.clock.now() + BACKOFF_MS)
      core.options.log.warn({ location: place.label, code: error.code }, 'a location could not be tried; it is tried again in an hour')
    }
  }
}

/** True when a file with credentials was written after the last trial. */
async function credentialsChanged(config: string, sinceMs: number): Promise<boolean> {
  const fields = JSON.parse(config) as Readonly<Record<string, unknown>>
  for (const field of CREDENTIAL_FIELDS) {
    const path = fields[field]
    if (typeof path !== 'string') continue
    const written = await stat(path).catch(() => undefined)
    if (written !== undefined && written.mtimeMs > sinceMs) return true
  }
  return false
}
