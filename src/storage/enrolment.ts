// Locations before and while they become the vault's: described, opened, tried, found empty.
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base'
import type { Capabilities, LocationStatus } from '#contract'
import type { Location } from './location.ts'
import { type LocationConfig, labelOf, openLocation, parseLocation } from './locations/from-config.ts'
import { within } from './patience.ts'
import { readMarker } from './place.ts'
import type { SiteCore } from './site-core.ts'

/** A probe is a dozen requests: it may take this many stall times. */
const PROBE_STALLS = 4

export async function requireUnmarked(core: SiteCore, location: Location): Promise<void> {
  const patience = { clock: core.clock, ms: core.stallMs, label: location.label, signal: core.stop.signal }
  if ((await within(patience, (signal) => readMarker(location, signal))) !== undefined) throw occupied(location)
}

/** What a new location can do, tried before anything depends on it. One that cannot even give back what it took is refused. */
export async function tryOut(core: SiteCore, location: Location): Promise<Capabilities> {
  const found = await probe(core, location)
  if (found.rangedRead) return found
  throw new Failure('location.lies', {
    detail: `${location.label} does not give back what was written: ${found.findings.join(' ')}`,
    culprits: [location.label],
    next: 'Choose another place.',
  })
}

export async function probe(core: SiteCore, location: Location): Promise<Capabilities> {
  const patience = { clock: core.clock, ms: core.stallMs * PROBE_STALLS, label: location.label, signal: core.stop.signal }
  const found = await within(patience, (signal) => location.probe({ signal }))
  return { ...found, findings: [...found.findings] }
}

export async function openLocations(core: SiteCore): Promise<{ id: string; x: number; location: Location }[]> {
  const rows = await core.db.kysely.selectFrom('location').selectAll().orderBy('x').execute()
  return Promise.all(
    rows.map(async (row) => {
      const config = parseLocation(JSON.parse(row.config) as Record<string, unknown>)
      const capabilities = parseCapabilities(row.capabilities)
      return { id: row.location, x: row.x, location: await openOne(core, config, row.label, capabilities?.honestCreate ?? false) }
    }),
  )
}

/** Opens what a person described; folders are made when they are absent. */
export async function openNew(
  core: SiteCore,
  wanted: readonly { readonly spec: string; readonly label?: string | undefined }[],
): Promise<{ location: Location; config: LocationConfig }[]> {
  const configs = wanted.map(({ spec, label }) => {
    const config = parseLocation(spec, { from: core.options.home })
    return { config, label: label ?? labelOf(config) }
  })
  const labels = configs.map(({ label }) => label)
  if (new Set(labels).size !== labels.length)
    throw new Failure('location.config', {
      detail: 'two locations have the same label or are the same place',
      next: 'Name each place once, or give them labels.',
    })
  const opened: { location: Location; config: LocationConfig }[] = []
  try {
    for (const { config, label } of configs) {
      if (config.kind === 'folder') await makeFolder(config.path, label)
      opened.push({ location: await openOne(core, config, label, false), config })
    }
    return opened
  } catch (error) {
    await Promise.allSettled(opened.map(({ location }) => location.close()))
    throw error
  }
}

/** Opens locations where the catalogue says that they are; nothing is made there, and the places themselves are not asked. */
export async function openDescribed(
  core: SiteCore,
  lines: readonly { readonly label: string; readonly place: string }[],
): Promise<{ location: Location; config: LocationConfig }[]> {
  const opened: { location: Location; config: LocationConfig }[] = []
  try {
    for (const { label, place } of lines) {
      const config = parseLocation(place, { from: core.options.home })
      opened.push({ location: await openOne(core, config, label, false), config })
    }
    return opened
  } catch (error) {
    await Promise.allSettled(opened.map(({ location }) => location.close()))
    throw error
  }
}

async function openOne(core: SiteCore, config: LocationConfig, label: string, honestCreate: boolean): Promise<Location> {
  const location = await openLocation(config, {
    label,
    variables: core.options.variables,
    clock: core.clock,
    honestCreate,
    syncWrites: core.options.syncWrites ?? true,
  })
  return core.options.wrapLocation?.(location) ?? location
}

export function occupied(location: Location): Failure {
  return new Failure('location.not-ours', {
    detail: `${location.label} belongs to a vault already`,
    culprits: [location.label],
    next: 'Choose an empty place; to bring that vault back on this site use quorate recover.',
  })
}

async function makeFolder(path: string, label: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o750 })
    if (!(await lstat(path)).isDirectory()) throw new Error('not a folder')
  } catch (error) {
    throw new Failure('location.config', {
      detail: `the folder for ${label} cannot be made`,
      culprits: [label],
      next: 'Check the path and its permissions.',
      cause: error,
    })
  }
}

/** Three folders beside the database that nobody uses yet. */
export async function suggestFolders(home: string): Promise<string[]> {
  for (let round = 1; round < 100; round++) {
    const suffix = round === 1 ? '' : `-${round}`
    const folders = ['place-a', 'place-b', 'place-c'].map((name) => join(home, `${name}${suffix}`))
    const free = await Promise.all(
      folders.map((folder) =>
        readdir(folder).then(
          (names) => names.length === 0,
          () => true,
        ),
      ),
    )
    if (free.every(Boolean)) return folders
  }
  return []
}

export function parseCapabilities(text: string | null | undefined): LocationStatus['capabilities'] {
  return text === null || text === undefined ? null : (JSON.parse(text) as LocationStatus['capabilities'])
}
