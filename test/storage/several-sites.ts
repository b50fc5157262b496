// More sites over the places of a test site, each with a line of its own to them.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Location, openSiteStorage, type SiteStorage, type SiteStorageOptions } from '#storage'
import { type Fault, type FaultyCall, wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { type FaultySite, IMPATIENT } from './faulty-site.ts'
import { finished, quiet } from './site.ts'
import { turnClock } from './turn-clock.ts'

export const FAST = { flushMs: 10, followMs: 1_000_000, followFoldersMs: 1_000_000 } as const

export interface Second {
  storage: SiteStorage
  readonly home: string
  /** What goes wrong between this site and the places. */
  plan: (label: string, call: FaultyCall) => Fault | undefined
  reopen(): Promise<void>
  end(): Promise<void>
}

/** Another home over the places of a site, with a line of its own to them. */
export async function second(site: FaultySite, name: string, options: Partial<SiteStorageOptions> = {}): Promise<Second> {
  const home = join(site.root, name)
  await mkdir(home, { mode: 0o700 })
  const wrapLocation = (location: Location): Location =>
    wrapFaulty(site.at[location.label]!.memory, (call) => made.plan(location.label, call))
  const open = (): Promise<SiteStorage> =>
    openSiteStorage({
      home,
      variables: {},
      log: quiet,
      productVersion: 'test',
      syncWrites: false,
      ...IMPATIENT,
      clock: turnClock(),
      logLimits: FAST,
      ...options,
      wrapLocation,
    })
  const made: Second = {
    home,
    plan: () => undefined,
    storage: undefined as unknown as SiteStorage,
    reopen: async () => {
      await made.storage.close()
      made.storage = await open()
    },
    end: () => made.storage.close(),
  }
  made.storage = await open()
  return made
}

export function locations(site: FaultySite): { spec: string; label: string }[] {
  return site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abcdefgh'[index]! }))
}

/** A second site that has joined. */
export async function joined(site: FaultySite, name = 'north', options: Partial<SiteStorageOptions> = {}): Promise<Second> {
  const other = await second(site, name, options)
  const { line } = await other.storage.writerKey({})
  await site.storage.addWriter({ line, name })
  const task = await finished(other.storage, other.storage.join({ locations: locations(site) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return other
}

/** Everything that a site did is in the vault. */
export async function settled(storage: SiteStorage): Promise<void> {
  for (let tried = 0; tried < 2000; tried++) {
    const { recoveryPoint } = await storage.status({ check: false })
    if (recoveryPoint.pendingChanges === 0) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(JSON.stringify((await storage.status({ check: false })).messages))
}

export async function names(storage: SiteStorage): Promise<string[]> {
  return (await storage.list({ path: '/', recursive: true })).entries.map(({ path }) => path)
}

/** Both hear of each other until nothing changes. */
export async function together(...sites: readonly SiteStorage[]): Promise<void> {
  for (let round = 0; round < 3; round++)
    for (const site of sites) {
      await site.status({ check: true })
      await settled(site)
    }
}
