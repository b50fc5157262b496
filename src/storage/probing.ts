// Trying what a location promises, and what follows when it no longer keeps it.
import { randomBytes } from 'node:crypto'
import { Failure, rfc3339, tracesOf } from '#base'
import type { Capabilities, KeptPromise, LocationProbe, Status } from '#contract'
import { parseCapabilities, probe } from './enrolment.ts'
import type { Location } from './location.ts'
import { within } from './patience.ts'
import type { SiteCore } from './site-core.ts'
import type { LocationProbeTable } from './tables-probe.ts'

const PROMISES: readonly KeptPromise[] = ['honestCreate', 'rangedRead', 'listAfterWrite', 'objectLock']
const SPEED_BYTES = 2 ** 20
const SPEED_STALLS = 2

/**
 * Tries a location and keeps what was found, with the time. A promise that it kept before and breaks now, twice in a row, is lost: it stays
 * lost, and without `honestCreate` the location has no vote, until a person tries it and all is right.
 */
export async function tryLocation(
  core: SiteCore,
  tried: { readonly id: string; readonly location: Location },
  by: 'person' | 'schedule',
): Promise<Capabilities> {
  const { location } = tried
  const before = await core.db.kysely.selectFrom('location').select('capabilities').where('location', '=', tried.id).executeTakeFirst()
  const known = parseCapabilities(before?.capabilities)
  const lostBefore = (await probeRows(core)).get(tried.id)?.lost ?? []
  let found = await probe(core, location)
  // One bad moment of a store is not its word.
  if (brokenOf(known, found).length > 0) found = await probe(core, location)
  const broken = new Set([...brokenOf(known, found), ...lostBefore.filter((promise) => by === 'schedule' || !found[promise])])
  const lost = PROMISES.filter((promise) => broken.has(promise))
  const speed = found.deletes && !found.objectLock ? await measure(core, location) : { up: null, down: null }
  const kept = lost.includes('honestCreate') ? { ...found, honestCreate: false } : found
  await keep(core, tried.id, kept, { at: core.clock.now(), ...speed, lost: JSON.stringify(lost) })
  const fresh = lost.filter((promise) => !lostBefore.includes(promise))
  if (fresh.length > 0) core.options.log.warn({ location: location.label, lost: fresh }, 'a location no longer keeps what it promised')
  core.changed()
  return kept
}

/** Tries the places of which nothing is known yet: which of them vote is for each site to find out. One that does not answer now is tried later (quorate location test). */
export async function tryAll(core: SiteCore, { places }: { readonly places: NonNullable<SiteCore['running']>['places'] }): Promise<void> {
  const rows = await core.db.kysely.selectFrom('location').select(['location', 'capabilities']).execute()
  for (const { location, capabilities } of rows) {
    const place = places.byId(location)
    if (place === undefined || parseCapabilities(capabilities) !== null) continue
    const found = await probe(core, place.location).catch((error: unknown) => {
      core.options.log.warn({ location: place.label, causes: tracesOf(error) }, 'the location could not be tried')
      return undefined
    })
    if (found === undefined) continue
    await core.db.kysely
      .updateTable('location')
      .set({ capabilities: JSON.stringify(found) })
      .where('location', '=', location)
      .execute()
  }
}

/** The last trial of each location that was tried since it was enrolled. */
export async function probeRows(core: SiteCore): Promise<ReadonlyMap<string, LocationProbe>> {
  const rows = await core.db.kysely.selectFrom('location_probe').selectAll().execute()
  return new Map(
    rows.map(({ location, at, up, down, lost }) => [
      location,
      { at: rfc3339(at), upBytesPerSecond: up, downBytesPerSecond: down, lost: JSON.parse(lost) as KeptPromise[] },
    ]),
  )
}

const BROKEN: Readonly<Record<KeptPromise, string>> = {
  honestCreate: 'it overwrites what it holds, and has no vote on the vault head any more',
  rangedRead: 'it does not give back parts of what was written',
  listAfterWrite: 'its lists do not show what was written',
  objectLock: 'its object lock does not hold any more',
}

/** An alarm for each location that lost a promise. */
export function lostPromises(probes: readonly { readonly label: string; readonly probe: LocationProbe | null }[]): Status['messages'] {
  return probes.flatMap(({ label, probe: last }) =>
    last === null || last.lost.length === 0
      ? []
      : [
          {
            severity: 'alarm' as const,
            code: 'location.lies',
            text: `${label} no longer keeps what it promised: ${last.lost.map((promise) => BROKEN[promise]).join('; ')}.`,
            next: `Find out what changed at ${label}. When it is right again: quorate location test ${label}`,
          },
        ],
  )
}

function brokenOf(known: Capabilities | null | undefined, found: Capabilities): KeptPromise[] {
  return PROMISES.filter((promise) => known?.[promise] === true && !found[promise])
}

async function keep(core: SiteCore, location: string, found: Capabilities, row: Omit<LocationProbeTable, 'location'>): Promise<void> {
  await core.db.transaction(async (tx) => {
    const updated = await tx
      .updateTable('location')
      .set({ capabilities: JSON.stringify(found) })
      .where('location', '=', location)
      .executeTakeFirst()
    // It has left the vault meanwhile.
    if (Number(updated.numUpdatedRows) === 0) return
    await tx.deleteFrom('location_probe').where('location', '=', location).execute()
    await tx
      .insertInto('location_probe')
      .values({ location, ...row })
      .execute()
  })
}

/** Bytes per second up and down with one small object; what cannot be measured now is not. */
async function measure(core: SiteCore, location: Location): Promise<{ readonly up: number | null; readonly down: number | null }> {
  const { clock } = core
  const name = `probe/${randomBytes(16).toString('hex')}/speed`
  const patience = { clock, ms: core.stallMs * SPEED_STALLS, label: location.label, signal: core.stop.signal }
  const rate = (beganMs: number): number => Math.round((SPEED_BYTES * 1000) / Math.max(1, clock.now() - beganMs))
  try {
    return await within(patience, async (signal) => {
      const beganMs = clock.now()
      await location.putIfAbsent(name, randomBytes(SPEED_BYTES), { signal })
      const up = rate(beganMs)
      const readMs = clock.now()
      const source = await location.open(name, { signal, tailBytes: SPEED_BYTES })
      const down = rate(readMs)
      await source.close()
      await location.discard(name, { signal })
      return { up, down }
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    return { up: null, down: null }
  }
}
