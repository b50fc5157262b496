// Making a vault, adding a location to it, taking over a vault that lies at its locations.
import { Failure, limits, rfc3339 } from '#base'
import type { Capabilities, Kit, LocationStatus, Task, VaultRequest, VaultSummary } from '#contract'
import type { Signer } from '#crypto/primitives'
import { dealable, newId } from '#format'
import { describedLocations, type LocationLine, takeLabels } from './description.ts'
import { occupied, openDescribed, openLocations, openNew, requireUnmarked, tryOut } from './enrolment.ts'
import { tryAll, tryLocation } from './probing.ts'
import { Findings } from './findings.ts'
import { headName, type VaultHead } from './head.ts'
import { makeKit } from './kit.ts'
import { restore, type RestoreRequest } from './restore.ts'
import { passphraseOf } from './passphrase.ts'
import { within } from './patience.ts'
import type { Location } from './location.ts'
import { MARKER, type Marker, markerBytes, readMarker } from './place.ts'
import { adoptHead, officeOf, readCatalogue, rebuild, severalWrite } from './recover.ts'
import { findVault, type FoundVault } from './recover-head.ts'
import { createSigningKeys, openSigningKeys, readPublicSigningKeys } from './signing-keys.ts'
import type { Running, SiteCore } from './site-core.ts'
import { siteStatus } from './site-status.ts'
import { locationStatus } from './status.ts'
import type { TaskTools } from './tasks.ts'

export interface LocationRequest {
  readonly spec: string
  readonly label?: string | undefined
}

export interface TestRequest {
  /** Label or id. */
  readonly location: string
}

export interface RecoverRequest {
  /** Only as a writer whom the vault knows: nothing is taken over. */
  readonly asWriter?: boolean
  /** Nothing is taken over from other sites that write. */
  readonly sparesOthers?: boolean
  readonly locations: readonly LocationRequest[]
  readonly passphrase?: string | undefined
  /** Fingerprint of the recovery sheet: heads of other dealers do not count. */
  readonly dealer?: string | undefined
  /** The vault that it must be. */
  readonly vault?: string | undefined
  /** Locations that do not answer now, by their ids. */
  readonly others?: readonly LocationLine[] | undefined
}

export function siteMaking(core: SiteCore) {
  return {
    createVault: (request: VaultRequest): Promise<VaultSummary> => createVault(core, request),
    addLocation: (request: LocationRequest): Promise<LocationStatus> => addLocation(core, request),
    testLocation: (request: TestRequest): Promise<Capabilities> => testLocation(core, request),
    makeKit: (request: Parameters<typeof makeKit>[1]): Promise<Kit> => makeKit(core, request),
    restore: (request: RestoreRequest): Promise<Task> => restore(core, request, recover),
    recover: (request: Pick<RecoverRequest, 'locations' | 'passphrase'>): Promise<Task> => recover(core, request),
  }
}

async function createVault(core: SiteCore, request: VaultRequest): Promise<VaultSummary> {
  beginMaking(core, 'Use another QUORATE_HOME for another vault.')
  try {
    return await create(core, request)
  } finally {
    core.making = false
  }
}

/** One at a time, and only where there is no vault; whoever called ends it by `core.making = false`. */
function beginMaking(core: SiteCore, next: string): void {
  if (core.running !== undefined) throw new Failure('storage.vault-exists', { detail: 'this site has a vault already', next })
  if (core.making) throw new Failure('storage.vault-exists', { detail: 'a vault is being made or recovered just now' })
  core.making = true
}

async function create(core: SiteCore, request: VaultRequest): Promise<VaultSummary> {
  const { threshold: k, locations: wanted } = request
  const n = wanted.length
  if (k > n)
    throw new Failure('crypto.threshold', {
      detail: `${k} of ${n} cannot be: the threshold is larger than the number of locations`,
      next: `Name at least ${k} locations.`,
    })
  if (!dealable(k, n))
    throw new Failure('crypto.threshold', {
      detail: `${k} of ${n} is not offered: after a disaster the search would take too long`,
      next: 'Choose a smaller threshold or fewer locations.',
    })
  const vault = newId()
  const opened = await openNew(core, wanted)
  const enrolled = opened.map((one, index) => ({ ...one, id: newId(), x: index + 1 }))
  const { home } = core.options
  let signer: Signer
  let probed: Capabilities[]
  try {
    for (const { location } of enrolled) await requireUnmarked(core, location)
    signer = await ownSigningKeys(home, request.passphrase)
    probed = await Promise.all(enrolled.map(({ location }) => tryOut(core, location)))
  } catch (error) {
    await Promise.allSettled(enrolled.map(({ location }) => location.close()))
    throw error
  }
  const created = rfc3339(core.clock.now())
  const row = await core.db.transaction(async (tx) => {
    const values = {
      id: 1,
      vault,
      name: request.name ?? 'Vault',
      threshold: k,
      layout: request.layout ?? 'shared',
      require_all: request.requireAll === true ? 1 : 0,
      created,
      next_sequence: 1,
      epoch: 0,
      head_hash: null,
      head_sequence: 0,
      head_at: null,
      former_dealers: '[]',
      state: 'making',
      running: 0,
    } as const
    await tx.insertInto('vault').values(values).execute()
    await tx
      .insertInto('location')
      .values(
        enrolled.map(({ id, x, location, config }, index) => ({
          location: id,
          x,
          label: location.label,
          kind: location.kind,
          config: JSON.stringify(config),
          added: created,
          capabilities: JSON.stringify(probed[index]),
        })),
      )
      .execute()
    return values
  })
  const published = await readPublicSigningKeys({ home })
  const running = await core.prepare({
    row,
    locations: enrolled,
    signer,
    locked: undefined,
    publicKeys: signer.keys,
    dealer: published.fingerprint,
  })
  try {
    await core.finishMaking(running)
  } catch (error) {
    // The places are as they were before: none of them holds anything but our marker.
    for (const { view, location } of running.places.all) {
      if (view.presence !== 'present') continue
      await location.discard(MARKER).catch(() => undefined)
      await location.discard(headName(vault, 1)).catch(() => undefined)
    }
    await core.forget(running)
    throw error
  }
  core.run(running)
  return (await siteStatus(core, { check: false })).vault!
}

async function addLocation(core: SiteCore, request: LocationRequest): Promise<LocationStatus> {
  const { vault, places, log } = core.open()
  const k = vault.row.threshold
  if (places.all.length >= limits.countMax || !dealable(k, places.all.length + 1))
    throw new Failure('crypto.threshold', { detail: `${k} of ${places.all.length + 1} is not offered` })
  const [opened] = await openNew(core, [request])
  const { location, config } = opened!
  const id = newId()
  let x: number
  try {
    if (places.all.some(({ label }) => label === location.label))
      throw new Failure('storage.exists', {
        detail: `the vault has a location ${location.label} already`,
        next: 'Give it another label.',
      })
    await requireUnmarked(core, location)
    const capabilities = await tryOut(core, location)
    // The row stands before the marker: cut off in between, the place is empty and repair fills it.
    x = await core.db.transaction(async (tx) => {
      const taken = await tx.selectFrom('location').select(['x', 'label']).execute()
      if (taken.some(({ label }) => label === location.label)) throw new Failure('storage.exists', { detail: 'it is being added just now' })
      const values = { location: id, x: Math.max(0, ...taken.map((row) => row.x)) + 1, label: location.label, kind: location.kind }
      await tx
        .insertInto('location')
        .values({
          ...values,
          config: JSON.stringify(config),
          added: rfc3339(core.clock.now()),
          capabilities: JSON.stringify(capabilities),
        })
        .execute()
      return values.x
    })
    try {
      const patience = { clock: core.clock, ms: core.stallMs, label: location.label }
      const marker = markerBytes(vault.row.vault, id)
      const answer = await within(patience, (signal) => location.putIfAbsent(MARKER, marker, { signal }))
      if (answer !== 'created') throw occupied(location)
    } catch (error) {
      await core.db.kysely.deleteFrom('location').where('location', '=', id).execute()
      await takeBackMarker(core, location, { vault: vault.row.vault, location: id })
      throw error
    }
  } catch (error) {
    await location.close()
    throw error
  }
  const place = places.add({ id, x, location })
  await place.check()
  // It is one of the vault's whether or not enough locations take the head now: that is tried again by itself, and the status says so.
  await log.writeHead().catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    log.schedule()
  })
  core.changed()
  return locationStatus(place, { held: 0, lost: 0, corrupt: 0, pending: 0, bytes: 0 })
}

/** A marker whose writing was not answered may stand all the same: then the place would look occupied for ever. */
async function takeBackMarker(core: SiteCore, location: Location, ours: Marker): Promise<void> {
  const patience = { clock: core.clock, ms: core.stallMs, label: location.label, signal: core.stop.signal }
  try {
    const found = await within(patience, (signal) => readMarker(location, signal))
    if (found?.vault === ours.vault && found.location === ours.location)
      await within(patience, (signal) => location.discard(MARKER, { signal }))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    core.options.log.warn({ location: location.label, code: error.code }, 'a marker that was not answered may stand there')
  }
}

async function testLocation(core: SiteCore, request: TestRequest): Promise<Capabilities> {
  const { places } = core.open()
  const place = places.named(request.location)
  return tryLocation(core, place, 'person')
}

/** Rebuilds the database of a vault from its locations, on a site without one. */
async function recover(core: SiteCore, request: RecoverRequest): Promise<Task> {
  return takeUp(core, request, {
    title: 'Recover the catalogue',
    next: 'Use an empty QUORATE_HOME to recover another one.',
    read: async ({ running, found }, tools) => {
      const findings = await rebuild(running.vault, found.head, tools)
      // Among other writers nothing is written before it is known which places vote.
      if (severalWrite(found.head)) await tryAll(core, running)
      return findings
    },
    // What the vault itself lacks follows by and by.
    begun: async ({ log }) => {
      await log.flush().catch(() => undefined)
      await log.writeHead()
    },
  })
}

/** How a site without a vault gets to one that lies at its locations: what is read of it, and the first thing done once it is open. */
interface TakingUp {
  readonly title: string
  /** What to do where there is a vault already. */
  readonly next: string
  readonly read: (adopted: Adopted, tools: TaskTools) => Promise<Findings>
  /** May fail: it is done again by itself. */
  readonly begun: (running: Running) => Promise<void>
}

export async function takeUp(core: SiteCore, request: RecoverRequest, how: TakingUp): Promise<Task> {
  beginMaking(core, how.next)
  try {
    const adopted = await adoptAll(core, request)
    const { running, signer, given } = adopted
    const work = async (tools: TaskTools): Promise<Findings> => {
      try {
        const findings = await how.read(adopted, tools)
        // From here on the database is whole.
        await core.db.kysely.updateTable('vault').set({ state: 'open' }).execute()
        const open = (await takeLabels(core.db, given)) ? await reopened(core, running, signer) : running
        core.run(open)
        await how.begun(open).catch(() => undefined)
        return findings
      } catch (error) {
        if (core.running === undefined) await core.forget(running)
        throw error
      } finally {
        core.making = false
      }
    }
    try {
      return core.tasks.start('recover', how.title, 'files', work)
    } catch (error) {
      await core.forget(running)
      throw error
    }
  } catch (error) {
    core.making = false
    throw error
  }
}

interface Adopted {
  readonly running: Running
  readonly found: FoundVault
  readonly signer: Signer
  /** Ids of locations that a person gave a label. */
  readonly given: ReadonlySet<string>
}

/** As `adopt`; locations that nobody named are opened where the catalogue says that they are. */
async function adoptAll(core: SiteCore, request: RecoverRequest): Promise<Adopted> {
  const told = request.others ?? []
  const first = await adopt(core, request, told)
  if (first.found.missing.length === 0) return first
  let described
  try {
    await readCatalogue(first.running.vault, first.found.head, new Findings())
    described = await describedLocations(core.db)
  } finally {
    await core.forget(first.running)
  }
  const others = first.found.missing.map((id) => described.get(id))
  const known = others.filter((line) => line !== undefined)
  if (known.length < others.length) {
    const places = known.map(({ label, place }) => `${label} (${place})`)
    throw new Failure('storage.locations', {
      detail: `the vault has ${first.found.head.locations.length} locations, ${request.locations.length} were named, and its catalogue does not say where ${known.length === 0 ? 'the others' : 'all others'} are${known.length === 0 ? '' : `; it names ${places.join(', ')}`}`,
      next: 'Name one place for each; for those that are gone name new, empty ones, which repair fills.',
    })
  }
  return adopt(core, request, [...told, ...known])
}

/** The vault opened anew, with the labels that its locations have now. */
async function reopened(core: SiteCore, running: Running, signer: Signer): Promise<Running> {
  await running.log.close()
  await running.places.close()
  const row = await core.db.kysely.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
  const locations = await openLocations(core)
  return core.prepare({ row, locations, signer, locked: undefined, publicKeys: signer.keys, dealer: running.dealer })
}

/** `others`: locations of the vault that nobody named, as the catalogue describes them. */
async function adopt(core: SiteCore, request: RecoverRequest, others: readonly LocationLine[] = []): Promise<Adopted> {
  const { home } = core.options
  const opened = await openNew(core, request.locations)
  try {
    const named = await findVault(
      opened.map(({ location }) => location),
      { clock: core.clock, ms: core.stallMs },
      { dealer: request.dealer, vault: request.vault },
    )
    const away = others.filter(({ location }) => named.missing.includes(location))
    opened.push(...(await openDescribed(core, away)))
    const ids = [...named.ids, ...away.map(({ location }) => location)]
    const found = { ...named, ids, missing: named.missing.filter((id) => !ids.includes(id)) }
    if (request.sparesOthers === true) await requireOffice(home, named.head)
    const signer = await ownSigningKeys(home, request.passphrase ?? core.options.passphrase)
    if (request.asWriter === true && officeOf(named.head, signer.keys) === 'none') throw notCertified()
    await adoptHead(core.db, found, {
      name: 'Vault',
      clock: core.clock,
      own: signer.keys,
      locations: opened.map(({ location, config }) => ({ label: location.label, kind: location.kind, config: JSON.stringify(config) })),
    })
    const row = await core.db.kysely.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
    const published = await readPublicSigningKeys({ home })
    const locations = opened.map(({ location }, index) => ({
      id: found.ids[index]!,
      x: found.head.locations.find(({ id }) => id === found.ids[index])!.x,
      location,
    }))
    const running = await core.prepare({
      row,
      locations,
      signer,
      locked: undefined,
      publicKeys: signer.keys,
      dealer: published.fingerprint,
    })
    const given = new Set(request.locations.flatMap(({ label }, index) => (label === undefined ? [] : [found.ids[index]!])))
    return { running, found, signer, given }
  } catch (error) {
    await Promise.allSettled(opened.map(({ location }) => location.close()))
    await core.forgetRows()
    throw error
  }
}

/** Made now; those of an attempt that was cut off before there was a vault serve as well. */
async function ownSigningKeys(home: string, given: string | undefined): Promise<Signer> {
  const passphrase = given === undefined ? undefined : passphraseOf(given)
  return createSigningKeys({ home, passphrase }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'storage.exists') return openSigningKeys({ home, passphrase })
    throw error
  })
}

/** Keys that the vault does not know would take it over from the sites that write to it. Makes none. */
async function requireOffice(home: string, head: VaultHead): Promise<void> {
  if (!severalWrite(head)) return
  const published = await readPublicSigningKeys({ home }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'storage.no-vault') return undefined
    throw error
  })
  if (published !== undefined && officeOf(head, published.keys) !== 'none') return
  throw new Failure('storage.writer', {
    detail: 'other sites write to this vault, and the signing keys of this one are not here',
    next: 'Give the kit that has them, with --identity; or make new keys and join (quorate writer key, quorate join). Only where no other site is left: quorate recover takes the vault over.',
  })
}

function notCertified(): Failure {
  return new Failure('storage.writer', {
    detail: 'the vault does not know the key of this site as a writer',
    next: 'Print it here (quorate writer key), add it on a site that writes (quorate writer add), then join again.',
  })
}
