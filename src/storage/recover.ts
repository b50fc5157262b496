// Rebuilding the catalogue of a vault from its locations, when the database is lost (docs/spec/vault.md, "Restoring with nothing but k locations").
import { type Clock, Failure, isFailure, rfc3339, toHex } from '#base'
import type { LocationKind } from '#contract'
import type { VerifyingKeys } from '#crypto/primitives'
import { type Common, commitment, type Meta } from '#format'
import { addVersion, createFolder, moveEntry, removeEntry, type Store } from './catalogue.ts'
import { CATALOGUE_TYPE, type CatalogueHeading, type CatalogueLine, parseLines } from './catalogue-lines.ts'
import { Findings, type Progress } from './findings.ts'
import { openCandidate, type Opened } from './frame-search.ts'
import { encodeKeys, HEAD_BYTES_MAX, headHash, headName, type HeadReference, parseVaultHead, type VaultHead } from './head.ts'
import type { Location } from './location.ts'
import { type Marker, type Place, readMarker } from './place.ts'
import { within } from './patience.ts'
import { parsePath, splitPath } from './paths.ts'
import { DROPPED_UNSEEN } from './sweep.ts'
import type { Vault } from './vault.ts'

export interface FoundVault {
  readonly head: VaultHead
  readonly headBytes: Uint8Array
  /** Location id for each of the given locations, in their order. */
  readonly ids: readonly string[]
}

const HEADS_READ_MAX = 16
/** As many as a head can name. */
const FORMER_MAX = 64
const FRAMES_AT_ONCE = 8
const APPLY_LINES = 1000
const NAME = /^[0-9a-f]{2}\/[0-9a-f]{32}$/

/**
 * Finds which vault the locations belong to and its newest head. Places without a marker (new and empty ones) and places that do not answer
 * take the location ids that are left over. Throws when they are not of one vault, or no head verifies.
 */
export async function findVault(locations: readonly Location[], patience: Patience): Promise<FoundVault> {
  const markers = await Promise.all(locations.map((location) => markerOf(location, patience)))
  const vaults = new Set(markers.flatMap((marker) => (typeof marker === 'string' ? [] : [marker.vault])))
  const [vault] = vaults
  if (vault === undefined)
    throw new Failure('storage.no-vault', {
      detail: 'none of these places holds fragments of a vault',
      next: 'Name the folders or buckets of the vault.',
    })
  if (vaults.size > 1)
    throw new Failure('location.not-ours', {
      detail: `these places belong to different vaults: ${locations.flatMap(({ label }, index) => (typeof markers[index] === 'string' ? [] : [`${label} to ${markers[index]!.vault.slice(0, 8)}`])).join(', ')}`,
      culprits: locations.map(({ label }) => label),
      next: 'Name the places of one vault only; for one that is gone name a new, empty one.',
    })
  const heads = (await Promise.all(locations.map((location) => readHeads(location, vault, patience)))).flat()
  const newest = trusted(heads)
  const { head } = newest
  if (locations.length !== head.locations.length) {
    throw new Failure('storage.locations', {
      detail: `the vault has ${head.locations.length} locations, ${locations.length} were named`,
      next: 'Name one place for each; for those that are gone name new, empty ones, which repair fills.',
    })
  }
  const taken = new Set(markers.flatMap((marker) => (typeof marker === 'string' ? [] : [marker.location])))
  const left = head.locations.map(({ id }) => id).filter((id) => !taken.has(id))
  const silent = locations.filter((_, index) => markers[index] === 'silent').map(({ label }) => label)
  // Which of the missing locations a silent place is cannot be told, unless only one is missing.
  if (silent.length > 0 && left.length > 1)
    throw new Failure('location.unreachable', {
      detail: `${silent.join(' and ')} cannot show which location of the vault it is`,
      culprits: silent,
      next: 'Bring it back, or name a new, empty place instead, which repair fills.',
    })
  const ids = markers.map((marker) => (typeof marker === 'string' ? left.shift()! : marker.location))
  if (new Set(ids).size !== ids.length || ids.some((id) => !head.locations.some((one) => one.id === id))) {
    throw new Failure('location.not-ours', {
      detail: 'a place was named twice, or is not of the newest head',
      next: 'Name each place of the vault once.',
    })
  }
  return { head, headBytes: newest.bytes, ids }
}

/** `silent`: it does not answer, or its marker is damaged. */
async function markerOf(location: Location, patience: Patience): Promise<Marker | 'empty' | 'silent'> {
  try {
    return (await within({ ...patience, label: location.label }, (signal) => readMarker(location, signal))) ?? 'empty'
  } catch (error) {
    if (error instanceof Failure && (error.kind === 'unavailable' || error.kind === 'invalid' || error.kind === 'corrupt')) return 'silent'
    throw error
  }
}

interface Patience {
  readonly clock: Clock
  readonly ms: number
}

interface Served {
  readonly location: string
  readonly head: VaultHead
  readonly bytes: Uint8Array
}

/**
 * A head is signed by the keys it names, so any one location can write one: the dealer counts whose heads stand at the most locations, of two
 * at equally many the one that stands wherever the other does and names it as former (docs/spec/vault.md, "Head"). Of that dealer, the newest.
 */
function trusted(heads: readonly Served[]): Served {
  const byDealer = [...Map.groupBy(heads, ({ head }) => keyOf(head.dealer))].map(([key, served]) => ({
    key,
    newest: served.toSorted((a, b) => b.head.epoch - a.head.epoch || (headHash(a.bytes) < headHash(b.bytes) ? -1 : 1))[0]!,
    locations: new Set(served.map(({ location }) => location)),
  }))
  const most = Math.max(0, ...byDealer.map(({ locations }) => locations.size))
  const tied = byDealer.filter(({ locations }) => locations.size === most)
  const chosen = tied.find((one) =>
    tied.every(
      (other) =>
        other === one ||
        (other.locations.isSubsetOf(one.locations) && one.newest.head.formerDealers.some((former) => keyOf(former) === other.key)),
    ),
  )
  if (chosen !== undefined) return chosen.newest
  throw tied.length === 0
    ? new Failure('storage.no-vault', {
        detail: 'no head of the vault verifies at any of these places',
        next: 'Restore the files with recovery/recover.py.',
      })
    : new Failure('format.conflict', {
        detail: 'the locations name different dealers, and equally many speak for each',
        culprits: [...new Set(tied.flatMap(({ locations }) => [...locations]))],
        next: 'Compare the fingerprint on the recovery sheet; restore with recovery/recover.py --dealer.',
      })
}

function keyOf(dealer: { readonly mldsa65: string; readonly ed25519: string }): string {
  return `${dealer.mldsa65} ${dealer.ed25519}`
}

async function readHeads(location: Location, vault: string, given: Patience): Promise<Served[]> {
  const patience = { ...given, label: location.label }
  const names: string[] = []
  try {
    for (let after: string | undefined; ;) {
      const page = await within(patience, (signal) => location.list({ prefix: `head/${vault}/`, after }, { signal }))
      names.push(...page.entries.map(({ name }) => name))
      if (page.next === undefined || names.length > 100_000) break
      after = page.next
    }
  } catch (error) {
    if (error instanceof Failure && error.kind === 'unavailable') return []
    throw error
  }
  const heads: Served[] = []
  for (const name of names.toSorted().toReversed().slice(0, HEADS_READ_MAX)) {
    try {
      const bytes = await within(patience, (signal) => readHead(location, name, signal))
      const head = parseVaultHead(bytes)
      if (head.vault === vault && name === headName(vault, head.epoch)) heads.push({ location: location.label, head, bytes })
    } catch (error) {
      // A head that is damaged is passed over: an older one, or another location's, serves.
      if (!(error instanceof Failure)) throw error
      if (error.code === 'location.stalled') break
    }
  }
  return heads
}

async function readHead(location: Location, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const source = await location.open(name, { tailBytes: HEAD_BYTES_MAX, signal })
  try {
    if (source.sizeBytes > HEAD_BYTES_MAX) throw new Failure('format.framing', { detail: 'the vault head is too long' })
    return source.tail.slice()
  } finally {
    await source.close()
  }
}

/** Rows of the vault and its locations as the head tells them. */
export async function adoptHead(
  db: Store,
  found: FoundVault,
  given: {
    readonly name: string
    readonly clock: Clock
    readonly own: VerifyingKeys
    readonly locations: readonly { label: string; kind: LocationKind; config: string }[]
  },
): Promise<void> {
  const { head, headBytes, ids } = found
  const own = encodeKeys(given.own)
  const former = [head.dealer, ...head.formerDealers].filter((dealer) => keyOf(dealer) !== keyOf(own)).slice(0, FORMER_MAX)
  await db.transaction(async (tx) => {
    await tx
      .insertInto('vault')
      .values({
        id: 1,
        vault: head.vault,
        name: given.name,
        threshold: head.k,
        layout: head.layout,
        require_all: 0,
        created: head.created,
        next_sequence: 1,
        epoch: head.epoch,
        head_hash: headHash(headBytes),
        head_sequence: 0,
        head_at: head.created,
        former_dealers: JSON.stringify(former),
        state: 'recovering',
        running: 0,
      })
      .execute()
    for (const [index, location] of given.locations.entries()) {
      const id = ids[index]!
      const { x } = head.locations.find((one) => one.id === id)!
      await tx
        .insertInto('location')
        .values({
          location: id,
          x,
          label: location.label,
          kind: location.kind,
          config: location.config,
          added: rfc3339(given.clock.now()),
          capabilities: null,
        })
        .execute()
    }
  })
}

/** Reads the catalogue that the head names into the database, then looks for what was written after it. */
export async function rebuild(
  vault: Vault,
  head: VaultHead,
  request: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<Findings> {
  const findings = new Findings()
  await vault.parts.places.checkAll()
  const references = [
    ...(head.catalogue === null ? [] : [{ ...head.catalogue, kind: 'snapshot' as const }]),
    ...head.segments.map((one) => ({ ...one, kind: 'segment' as const })),
  ]
  let sequence = references[0]?.sequence ?? 1
  for (const reference of references) {
    try {
      if (reference.sequence !== sequence)
        throw new Failure('format.content', { detail: `part ${sequence} of the catalogue is missing in the vault head` })
      await applyReference(vault, reference, findings)
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      // While a place is silent the part may be there: nothing is given up.
      if (vault.parts.places.all.some(({ view }) => view.presence !== 'present' && view.presence !== 'empty')) throw error
      findings.add({
        location: '',
        path: 'catalogue',
        fragment: '',
        kind: 'unreadable',
        detail: `${error.message} Files are looked for one by one.`,
      })
      break
    }
    sequence += 1
  }
  await setSequence(vault, { next: sequence, head: sequence - 1 })
  await adoptLater(vault, request, findings)
  return findings
}

async function setSequence(vault: Vault, to: { readonly next: number; readonly head: number }): Promise<void> {
  await vault.parts.db.kysely.updateTable('vault').set({ next_sequence: to.next, head_sequence: to.head }).execute()
  vault.row = { ...vault.row, next_sequence: to.next, head_sequence: to.head }
}

async function applyReference(
  vault: Vault,
  reference: HeadReference & { kind: 'snapshot' | 'segment' },
  findings: Findings,
): Promise<void> {
  const { db } = vault.parts
  const fragments = reference.fragments.filter(({ location, name }) => vault.parts.places.byId(location) !== undefined && NAME.test(name))
  await insertDeal(vault, { ...reference, k: vault.row.threshold, purpose: 'catalogue', fragments })
  let reader
  try {
    const deal = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', reference.dealId).executeTakeFirstOrThrow()
    reader = await vault.openUnchecked(deal)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, {
      detail: `part ${reference.sequence} of the catalogue cannot be read: ${error.message}`,
      culprits: error.culprits,
      next: 'Bring more locations into reach; recovery/recover.py restores files without the catalogue, too.',
    })
  }
  try {
    const size = reader.meta.size
    await db.kysely
      .updateTable('deal')
      .set({ size, padded: reader.assembly.totals.paddedLen })
      .where('deal', '=', reference.dealId)
      .execute()
    const lines = await apply(vault, parseLines(reader.read({ first: 0, last: Math.max(0, size - 1) })), reference.sequence)
    await db.kysely
      .insertInto('segment')
      .values({ sequence: reference.sequence, kind: reference.kind, deal: reference.dealId, lines })
      .execute()
    findings.checkedFragments += fragments.length
  } finally {
    await reader.close()
  }
}

async function insertDeal(
  vault: Vault,
  given: {
    readonly object: string
    readonly version: number
    readonly dealId: string
    readonly k: number
    readonly purpose: 'file' | 'catalogue'
    readonly size?: number
    readonly padded?: number
    readonly type?: string
    readonly created?: string
    readonly fragments: readonly { x: number; location: string; name: string; commitment?: string }[]
  },
): Promise<void> {
  await vault.parts.db.transaction(async (tx) => {
    await tx
      .insertInto('deal')
      .values({
        deal: given.dealId,
        object: given.object,
        version: given.version,
        k: given.k,
        n: Math.max(given.fragments.length, vault.parts.places.all.length),
        layout: vault.row.layout,
        chunk_log2: 18,
        size: given.size ?? 0,
        padded: given.padded ?? 0,
        type: given.type ?? CATALOGUE_TYPE,
        created: given.created ?? rfc3339(vault.parts.clock.now()),
        state: 'stored',
        purpose: given.purpose,
      })
      .execute()
    if (given.fragments.length === 0) return
    await tx
      .insertInto('fragment')
      .values(
        given.fragments.map(({ x, location, name, commitment }) => ({
          deal: given.dealId,
          x,
          location,
          name,
          commitment: commitment ?? null,
          size: 0,
          state: 'held' as const,
        })),
      )
      .execute()
  })
}

/** Applies the lines of one snapshot or segment; answers how many there were. */
async function apply(vault: Vault, lines: AsyncIterable<CatalogueHeading | CatalogueLine>, sequence: number): Promise<number> {
  let count = 0
  let batch: CatalogueLine[] = []
  const flush = async (): Promise<void> => {
    const now = batch
    batch = []
    if (now.length > 0)
      await vault.parts.db.transaction(async (tx) => {
        for (const line of now) await applyLine(vault, tx, line)
        // What comes from the vault need not go back there.
        await tx.deleteFrom('change').execute()
      })
  }
  for await (const line of lines) {
    if ('kind' in line) {
      if (line.vault !== vault.row.vault || line.sequence !== sequence)
        throw new Failure('format.mismatch', { detail: 'a part of the catalogue is of another vault or place in the order' })
      continue
    }
    count += 1
    batch.push(line)
    if (batch.length >= APPLY_LINES) await flush()
  }
  await flush()
  return count
}

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]

async function applyLine(vault: Vault, tx: Tx, line: CatalogueLine): Promise<void> {
  switch (line.op) {
    case 'folder':
      return createFolder(tx, line.path, line.created)
    case 'deal': {
      // A later line for the same dealing replaces the earlier.
      await tx.deleteFrom('fragment').where('deal', '=', line.dealId).execute()
      await tx
        .insertInto('deal')
        .values({
          deal: line.dealId,
          object: line.object,
          version: line.version,
          k: line.k,
          n: line.n,
          layout: line.layout,
          chunk_log2: 18,
          size: line.size,
          padded: 0,
          type: line.type,
          created: line.created,
          state: 'stored',
          purpose: 'file',
        })
        .onConflict((oc) => oc.column('deal').doUpdateSet({ k: line.k, n: line.n }))
        .execute()
      const rows = vault.parts.places.all.map((place) => {
        const fragment = line.fragments.find(({ location }) => location === place.id)
        return {
          deal: line.dealId,
          x: fragment?.x ?? place.x,
          location: place.id,
          name: fragment?.name ?? null,
          commitment: fragment?.commitment ?? null,
          size: 0,
          state: fragment === undefined ? ('pending' as const) : ('held' as const),
        }
      })
      await tx.insertInto('fragment').values(rows).execute()
      return
    }
    case 'file': {
      const folders = splitPath(line.path)
      await createFolder(tx, folders.parent, line.created)
      const standing = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
      if (standing === undefined)
        await tx.insertInto('file').values({ file: line.file, path: line.path, parent: folders.parent, current: line.number }).execute()
      else
        await tx
          .updateTable('file')
          .set({ path: line.path, parent: folders.parent, current: Math.max(standing.current, line.number) })
          .where('file', '=', line.file)
          .execute()
      await tx
        .insertInto('file_version')
        .values({ file: line.file, number: line.number, deal: line.dealId, created: line.created, modified: line.modified })
        .onConflict((oc) => oc.doNothing())
        .execute()
      return
    }
    case 'move':
      if ((await exists(tx, line.from)) && !(await exists(tx, line.to)))
        await moveEntry(tx, { from: line.from, to: line.to, replace: false, at: rfc3339(vault.parts.clock.now()) })
      return
    case 'remove':
      if (await exists(tx, line.path)) await removeEntry(tx, { path: line.path, recursive: true })
      return
    case 'forget': {
      const file = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
      if (file !== undefined) await removeEntry(tx, { path: file.path, recursive: false, version: line.number })
      return
    }
    case 'place':
      await tx
        .deleteFrom('fragment')
        .where('deal', '=', line.dealId)
        .where((eb) => eb.or([eb('x', '=', line.x), eb('location', '=', line.location)]))
        .execute()
      if ((await tx.selectFrom('deal').select('deal').where('deal', '=', line.dealId).executeTakeFirst()) === undefined) return
      await tx
        .insertInto('fragment')
        .values({
          deal: line.dealId,
          x: line.x,
          location: line.location,
          name: line.name,
          commitment: line.commitment,
          size: 0,
          state: 'held',
        })
        .execute()
      return
    case 'unplace':
      await tx
        .updateTable('fragment')
        .set({ name: null, commitment: null, state: 'pending' })
        .where('deal', '=', line.dealId)
        .where('x', '=', line.x)
        .execute()
      return
    case 'drop': {
      // A snapshot repeats drops of dealings that it does not describe; the row keeps what turns up of them from being taken for new.
      const described = await tx.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', line.dealId).executeTakeFirst()
      if (Number(described.numUpdatedRows) > 0) return
      const { threshold, layout } = vault.row
      const row = {
        deal: line.dealId,
        object: line.dealId,
        version: 0,
        k: threshold,
        n: threshold,
        layout,
        chunk_log2: 18,
        size: 0,
        padded: 0,
        type: '',
        created: DROPPED_UNSEEN,
      }
      await tx
        .insertInto('deal')
        .values({ ...row, state: 'dropping', purpose: 'file' })
        .execute()
    }
  }
}

async function exists(tx: Tx, path: string): Promise<boolean> {
  const file = await tx.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()
  return file !== undefined || (await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
}

/** A fragment that the catalogue does not name. */
interface Stray {
  readonly location: string
  readonly name: string
  readonly sizeBytes: number
  readonly x: number
  readonly common: Common
  /** COMMON's bytes in hex. */
  readonly group: string
}

interface Request {
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** Names that the catalogue does not know: files put after its last segment, or a segment that no head names yet. Sizes and losses are noted on the way. */
async function adoptLater(vault: Vault, request: Request, findings: Findings): Promise<void> {
  const { db, places } = vault.parts
  // By the whole of COMMON: a liar who copies an id makes a group of his own.
  const strays = new Map<string, Stray[]>()
  let seenAll = true
  for (const place of places.all) {
    if (place.view.presence === 'empty')
      await db.kysely.updateTable('fragment').set({ state: 'lost' }).where('location', '=', place.id).where('state', '=', 'held').execute()
    else if (place.view.presence !== 'present' || !(await lookThrough(vault, place, { ...request, strays }))) {
      seenAll = false
      findings.add({
        location: place.label,
        path: '',
        fragment: '',
        kind: 'unreachable',
        detail: place.view.detail || `${place.label} does not answer`,
      })
    }
  }
  for (const found of strays.values()) await adoptKnown(vault, found)
  await adoptNew(vault, [...strays.values()], { ...request, findings })
  // What too few places show stays where it is: a list may be old, and another place may come back with the rest.
  if (seenAll)
    await db.kysely
      .deleteFrom('deal')
      .where('state', '=', 'dropping')
      .where('created', '=', DROPPED_UNSEEN)
      .where((eb) => eb.not(eb.exists(eb.selectFrom('fragment').select('x').whereRef('fragment.deal', '=', 'deal.deal'))))
      .execute()
}

/** All names at one place. False when it stops answering. */
async function lookThrough(vault: Vault, place: Place, request: Request & { readonly strays: Map<string, Stray[]> }): Promise<boolean> {
  const { db, clock, stallMs } = vault.parts
  const { signal } = request
  const seen = new Set<string>()
  try {
    for (let after: string | undefined; ;) {
      const page = await within({ clock, ms: stallMs, label: place.label, signal }, (stop) =>
        place.location.list({ prefix: '', after }, { signal: stop }),
      )
      const entries = page.entries.filter(({ name }) => NAME.test(name))
      for (let at = 0; at < entries.length; at += 500) {
        const part = entries.slice(at, at + 500)
        const names = part.map(({ name }) => name)
        const known = await db.kysely
          .selectFrom('fragment')
          .select('name')
          .where('location', '=', place.id)
          .where('name', 'in', names)
          .execute()
        const named = new Set(known.map(({ name }) => name))
        await db.transaction(async (tx) => {
          for (const { name, sizeBytes } of part)
            if (named.has(name))
              await tx.updateTable('fragment').set({ size: sizeBytes }).where('location', '=', place.id).where('name', '=', name).execute()
        })
        for (const { name } of part) seen.add(name)
        const unknown = part.filter(({ name }) => !named.has(name))
        for (let begin = 0; begin < unknown.length; begin += FRAMES_AT_ONCE)
          for (const stray of await Promise.all(
            unknown.slice(begin, begin + FRAMES_AT_ONCE).map((one) => readStray(vault, place, { ...one, signal })),
          )) {
            for (const one of stray) request.strays.set(one.group, [...(request.strays.get(one.group) ?? []), one])
          }
      }
      request.progress.add(page.entries.length)
      if (page.next === undefined) break
      after = page.next
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    place.failed(error)
    return false
  }
  const rows = await db.kysely
    .selectFrom('fragment')
    .select(['deal', 'x', 'name'])
    .where('location', '=', place.id)
    .where('state', '=', 'held')
    .execute()
  const lost = rows.filter(({ name }) => name !== null && !seen.has(name))
  await db.transaction(async (tx) => {
    for (const { deal, x } of lost)
      await tx.updateTable('fragment').set({ state: 'lost' }).where('deal', '=', deal).where('x', '=', x).execute()
  })
  return true
}

/** What it claims to be, twice when its HEAD copies differ; nothing when it is damaged, or of another vault. Throws when the place stops answering. */
async function readStray(
  vault: Vault,
  place: Place,
  given: { readonly name: string; readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<Stray[]> {
  const { clock, stallMs } = vault.parts
  const { name, sizeBytes, signal } = given
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal, late: (late: Opened) => late.source.close() }
    const { frame, source } = await within(patience, (stop) => openCandidate({ place, x: 0, name }, { front: true, signal: stop }))
    await source.close()
    return frame.variants.flatMap(({ head: { x, common, commonBytes } }) =>
      common.vault === vault.row.vault ? [{ location: place.id, name, sizeBytes, x, common, group: toHex(commonBytes) }] : [],
    )
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'unavailable' || error.code === 'base.cancelled') throw error
    return []
  }
}

/** Strays of dealings that the catalogue knows: what a repair wrote after the last segment stands in, what was dropped is debris. */
async function adoptKnown(vault: Vault, found: readonly Stray[]): Promise<void> {
  const { db } = vault.parts
  const known = await db.kysely.selectFrom('deal').select('state').where('deal', '=', found[0]!.common.dealId).executeTakeFirst()
  if (known === undefined) return
  await db.transaction(async (tx) => {
    for (const { location, name, x, sizeBytes, common } of found) {
      if (known.state === 'stored') {
        const used = await tx
          .updateTable('fragment')
          .set({ name, commitment: null, size: sizeBytes, state: 'held' })
          .where('deal', '=', common.dealId)
          .where('location', '=', location)
          .where('x', '=', x)
          .where('state', 'in', ['lost', 'pending'])
          .executeTakeFirst()
        if (used.numUpdatedRows > 0n) continue
        // The catalogue names another fragment here, which stands: this one was replaced, or never counted.
        const named = await tx
          .selectFrom('fragment')
          .select(['name', 'size'])
          .where('deal', '=', common.dealId)
          .where('location', '=', location)
          .where('x', '=', x)
          .where('state', '=', 'held')
          .executeTakeFirst()
        if (named === undefined || named.name === name || named.size !== sizeBytes) continue
      }
      await tx
        .insertInto('debris')
        .values({ location, name })
        .onConflict((oc) => oc.doNothing())
        .execute()
    }
  })
}

interface Later {
  readonly meta: Meta
  readonly common: Common
  readonly padded: number
  readonly fragments: readonly { x: number; location: string; name: string; commitment?: string }[]
}

/**
 * Dealings that the catalogue does not know count when they are complete, signed and right to the last byte. Of two of one version neither
 * does: nothing says which is meant.
 */
async function adoptNew(
  vault: Vault,
  groups: readonly (readonly Stray[])[],
  request: Request & { readonly findings: Findings },
): Promise<void> {
  const { db } = vault.parts
  const { findings, signal } = request
  const later = new Map<string, Later[]>()
  for (const found of groups) {
    if (signal.aborted) throw new Failure('base.cancelled')
    const { common, name } = found[0]!
    if (common.k < vault.row.threshold || new Set(found.map(({ location }) => location)).size < common.k) continue
    const known = await db.kysely.selectFrom('deal').select('deal').where('deal', '=', common.dealId).executeTakeFirst()
    if (known !== undefined) continue
    const one = { location: '', path: '', fragment: name }
    const rival = await db.kysely
      .selectFrom('deal')
      .select('deal')
      .where('object', '=', common.object)
      .where('version', '=', common.version)
      .executeTakeFirst()
    if (rival !== undefined) {
      findings.add({ ...one, kind: 'conflict', detail: 'another dealing of this version is the one that stands' })
      continue
    }
    try {
      const version = `${common.object} ${common.version}`
      later.set(version, [...(later.get(version) ?? []), await readWhole(vault, found, signal)])
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      // Unfinished, or dealt by somebody else: not a file of this vault.
      findings.add({ ...one, kind: 'incomplete', detail: error.message })
    }
  }
  const clashing = [...later.values()].filter(({ length }) => length > 1).flat()
  for (const { meta, common, fragments } of clashing) {
    const detail = `two dealings of one version: recovery/recover.py --deal ${common.dealId} restores this one`
    findings.add({ location: '', path: meta.path, fragment: fragments[0]!.name, kind: 'conflict', detail })
  }
  const clear = [...later.values()].flat().filter((one) => !clashing.includes(one))
  for (const one of clear.toSorted((a, b) => Date.parse(a.meta.created) - Date.parse(b.meta.created))) await nameOne(vault, one, findings)
}

/** Reads all of it; answers what it is and where. Throws when it is not whole, or not signed by a dealer of the vault. */
async function readWhole(vault: Vault, found: readonly Stray[], signal: AbortSignal): Promise<Later> {
  const { common } = found[0]!
  const asked = { deal: common.dealId, k: common.k, object: common.object, version: common.version }
  const among = found.map(({ location, name, x }) => ({ place: vault.parts.places.byId(location)!, name, x }))
  const reader = await vault.openUnchecked(asked, signal, among)
  try {
    const { meta, assembly } = reader
    for await (const _ of reader.read({ first: 0, last: Math.max(0, meta.size - 1) }, signal));
    // Those that verified, then what claims to stand elsewhere: a scrub tells.
    const members = assembly.members.map(({ frame, variant }) => ({
      x: variant.head.x,
      location: frame.location,
      name: frame.file,
      commitment: toHex(commitment({ ...variant.head, ...variant })),
    }))
    const fragments: Later['fragments'][number][] = []
    for (const one of [...members, ...found])
      if (fragments.every(({ x, location }) => x !== one.x && location !== one.location)) fragments.push(one)
    return { meta, common, padded: assembly.totals.paddedLen, fragments }
  } finally {
    await reader.close()
    vault.forget(common.dealId)
  }
}

/** Gives an adopted dealing its name, unless the file that stands there is newer. */
async function nameOne(vault: Vault, { meta, common, padded, fragments }: Later, findings: Findings): Promise<void> {
  const { db } = vault.parts
  const deal = common.dealId
  const { object, version, k } = common
  const catalogue = meta.type === CATALOGUE_TYPE
  const { size, type, created } = meta
  await insertDeal(vault, {
    object,
    version,
    dealId: deal,
    k,
    purpose: catalogue ? 'catalogue' : 'file',
    size,
    padded,
    type,
    created,
    fragments,
  })
  if (catalogue) {
    await db.kysely.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', deal).execute()
    return
  }
  const add = (path: string): Promise<unknown> =>
    db.transaction(async (tx) => {
      const newest = await tx
        .selectFrom('file_version as v')
        .innerJoin('file as f', (join) => join.onRef('f.file', '=', 'v.file').onRef('f.current', '=', 'v.number'))
        .select('v.created')
        .where('f.path', '=', parsePath(path))
        .executeTakeFirst()
      if (newest !== undefined && Date.parse(newest.created) > Date.parse(meta.created)) {
        await tx.deleteFrom('deal').where('deal', '=', deal).execute()
        findings.add({ location: '', path, fragment: '', kind: 'orphan', detail: 'older than the version that the catalogue names' })
        return
      }
      const row = await tx.selectFrom('deal').selectAll().where('deal', '=', deal).executeTakeFirstOrThrow()
      await addVersion(tx, { path, file: deal, deal: row, created: meta.created, modified: meta.modified, ifAbsent: false })
    })
  try {
    await add(meta.path)
  } catch (error) {
    if (!isFailure(error)) throw error
    // A folder stands there now, or the name means nothing here.
    await add(`/recovered/${deal}`)
  }
}
