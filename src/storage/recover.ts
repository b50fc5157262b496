// Rebuilding the catalogue of a vault from its locations, when the database is lost (docs/spec/vault.md, "Restoring with nothing but k locations").
import { type Clock, Failure, isFailure, rfc3339 } from '#base'
import type { VerifyingKeys } from '#crypto/primitives'
import { fetchFrame, type Frame } from '#format'
import { addVersion, createFolder, moveEntry, removeEntry, type Store } from './catalogue.ts'
import { CATALOGUE_TYPE, type CatalogueHeading, type CatalogueLine, parseLines } from './catalogue-lines.ts'
import { Findings, type Progress } from './findings.ts'
import { decodeKeys, encodeKeys, HEAD_BYTES_MAX, headHash, type HeadReference, parseVaultHead, type VaultHead } from './head.ts'
import type { Location } from './location.ts'
import { readMarker } from './place.ts'
import { splitPath } from './paths.ts'
import type { Vault } from './vault.ts'

export interface FoundVault {
  readonly head: VaultHead
  readonly headBytes: Uint8Array
  /** Location id for each of the given locations, in their order. */
  readonly ids: readonly string[]
}

const HEADS_READ_MAX = 16
const APPLY_LINES = 1000
const NAME = /^[0-9a-f]{2}\/[0-9a-f]{32}$/

/**
 * Finds which vault the locations belong to and its newest head. Places without a marker (new and empty ones) and places that do not answer
 * take the location ids that are left over. Throws when they are not of one vault, or no head verifies.
 */
export async function findVault(locations: readonly Location[]): Promise<FoundVault> {
  const markers = await Promise.all(
    locations.map(async (location) => {
      try {
        return await readMarker(location)
      } catch (error) {
        if (error instanceof Failure && error.kind === 'unavailable') return undefined
        throw error
      }
    }),
  )
  const vaults = new Set(markers.flatMap((marker) => (marker === undefined ? [] : [marker.vault])))
  const [vault] = vaults
  if (vault === undefined)
    throw new Failure('storage.no-vault', {
      detail: 'none of these places holds fragments of a vault',
      next: 'Name the folders or buckets of the vault.',
    })
  if (vaults.size > 1)
    throw new Failure('location.not-ours', {
      detail: 'these places belong to different vaults',
      culprits: locations.map(({ label }) => label),
      next: 'Name the places of one vault only.',
    })
  const heads = (await Promise.all(locations.map((location) => readHeads(location, vault)))).flat()
  const newest = trusted(heads)
  const { head } = newest
  if (locations.length !== head.locations.length) {
    throw new Failure('cli.usage', {
      detail: `the vault has ${head.locations.length} locations, ${locations.length} were named`,
      next: 'Name one place for each; for those that are gone name new, empty ones, which repair fills.',
    })
  }
  const taken = new Set(markers.flatMap((marker) => (marker === undefined ? [] : [marker.location])))
  const left = head.locations.map(({ id }) => id).filter((id) => !taken.has(id))
  const ids = markers.map((marker) => marker?.location ?? left.shift()!)
  if (new Set(ids).size !== ids.length || ids.some((id) => !head.locations.some((one) => one.id === id))) {
    throw new Failure('location.not-ours', {
      detail: 'a place was named twice, or is not of the newest head',
      next: 'Name each place of the vault once.',
    })
  }
  return { head, headBytes: newest.bytes, ids }
}

interface Served {
  readonly location: string
  readonly head: VaultHead
  readonly bytes: Uint8Array
}

/**
 * A head is signed by the keys it names, so any one location can write one: the dealer counts whose heads stand at the most locations, of two
 * at equally many the one that names the other as former (docs/spec/vault.md, "Head"). Of that dealer, the newest head.
 */
function trusted(heads: readonly Served[]): Served {
  const byDealer = [...Map.groupBy(heads, ({ head }) => head.dealer.ed25519 + head.dealer.mldsa65)].map(([key, served]) => ({
    key,
    served: served.toSorted((a, b) => b.head.epoch - a.head.epoch || (headHash(a.bytes) < headHash(b.bytes) ? -1 : 1)),
    locations: new Set(served.map(({ location }) => location)).size,
  }))
  const most = Math.max(0, ...byDealer.map(({ locations }) => locations))
  const tied = byDealer.filter(({ locations }) => locations === most)
  const names = (one: Served, key: string): boolean => one.head.formerDealers.some(({ ed25519, mldsa65 }) => ed25519 + mldsa65 === key)
  const chosen =
    tied.length === 1 ? tied[0] : tied.find(({ key, served }) => tied.every((other) => other.key === key || names(served[0]!, other.key)))
  if (chosen !== undefined) return chosen.served[0]!
  throw tied.length === 0
    ? new Failure('storage.no-vault', {
        detail: 'no head of the vault verifies at any of these places',
        next: 'Restore the files with recovery/recover.py.',
      })
    : new Failure('format.conflict', {
        detail: 'the locations name different dealers, and equally many speak for each',
        culprits: tied.flatMap(({ served }) => served.map(({ location }) => location)),
        next: 'Compare the fingerprint on the recovery sheet; restore with recovery/recover.py --dealer.',
      })
}

async function readHeads(location: Location, vault: string): Promise<Served[]> {
  const names: string[] = []
  try {
    for (let after: string | undefined; ;) {
      const page = await location.list({ prefix: `head/${vault}/`, after })
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
      const source = await location.open(name, { tailBytes: HEAD_BYTES_MAX })
      try {
        if (source.sizeBytes > HEAD_BYTES_MAX) continue
        const bytes = source.tail.slice()
        const head = parseVaultHead(bytes)
        if (head.vault !== vault || !name.endsWith(head.epoch.toString(16).padStart(16, '0'))) continue
        heads.push({ location: location.label, head, bytes })
      } finally {
        await source.close()
      }
    } catch (error) {
      // A head that is damaged is passed over: an older one, or another location's, serves.
      if (!(error instanceof Failure)) throw error
    }
  }
  return heads
}

/** Rows of the vault and its locations as the head tells them. */
export async function adoptHead(
  db: Store,
  found: FoundVault,
  given: {
    readonly name: string
    readonly clock: Clock
    readonly own: VerifyingKeys
    readonly locations: readonly { label: string; kind: 'folder' | 's3'; config: string }[]
  },
): Promise<void> {
  const { head, headBytes, ids } = found
  const own = encodeKeys(given.own)
  const former = [head.dealer, ...head.formerDealers].filter(({ ed25519 }) => ed25519 !== own.ed25519)
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
    if (reference.sequence !== sequence)
      throw new Failure('format.content', { detail: `segment ${sequence} of the catalogue is missing in the vault head` })
    await applyReference(vault, reference, findings)
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
    const lines = await apply(vault, parseLines(reader.read({ first: 0, last: size - 1 })), reference.sequence)
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
        padded: 0,
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
      if ((await tx.selectFrom('deal').select('deal').where('deal', '=', line.dealId).executeTakeFirst()) !== undefined) return
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
          .set({ current: Math.max(standing.current, line.number) })
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
        created: '',
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

interface Stray {
  readonly location: string
  readonly name: string
  readonly frame: Frame
  readonly sizeBytes: number
}

/** Names that the catalogue does not know: files put after its last segment, or a segment that no head names yet. Sizes and losses are noted on the way. */
async function adoptLater(
  vault: Vault,
  request: { readonly signal: AbortSignal; readonly progress: Progress },
  findings: Findings,
): Promise<void> {
  const { db, places } = vault.parts
  const strays = new Map<string, Stray[]>()
  for (const place of places.all) {
    if (place.view.presence !== 'present') {
      await db.kysely.updateTable('fragment').set({ state: 'lost' }).where('location', '=', place.id).where('state', '=', 'held').execute()
      continue
    }
    const seen = new Set<string>()
    for (let after: string | undefined; ;) {
      if (request.signal.aborted) throw new Failure('base.cancelled')
      const page = await place.location.list({ prefix: '', after }, { signal: request.signal })
      const entries = page.entries.filter(({ name }) => NAME.test(name))
      for (let at = 0; at < entries.length; at += 500) {
        const part = entries.slice(at, at + 500)
        const known = await db.kysely
          .selectFrom('fragment')
          .select(['deal', 'name'])
          .where('location', '=', place.id)
          .where(
            'name',
            'in',
            part.map(({ name }) => name),
          )
          .execute()
        const names = new Set(known.map(({ name }) => name))
        await db.transaction(async (tx) => {
          for (const { name, sizeBytes } of part)
            if (names.has(name))
              await tx.updateTable('fragment').set({ size: sizeBytes }).where('location', '=', place.id).where('name', '=', name).execute()
        })
        for (const { name, sizeBytes } of part) {
          seen.add(name)
          if (!names.has(name)) await noteStray(vault, { location: place.id, name, sizeBytes }, strays)
        }
      }
      request.progress.add(page.entries.length)
      if (page.next === undefined) break
      after = page.next
    }
    const rows = await db.kysely
      .selectFrom('fragment')
      .select(['deal', 'x', 'name'])
      .where('location', '=', place.id)
      .where('state', '=', 'held')
      .execute()
    for (const row of rows)
      if (row.name !== null && !seen.has(row.name))
        await db.kysely.updateTable('fragment').set({ state: 'lost' }).where('deal', '=', row.deal).where('x', '=', row.x).execute()
  }
  await adoptStrays(vault, strays, findings)
}

async function noteStray(
  vault: Vault,
  given: { readonly location: string; readonly name: string; readonly sizeBytes: number },
  strays: Map<string, Stray[]>,
): Promise<void> {
  const { places } = vault.parts
  const place = places.byId(given.location)!
  try {
    const source = await place.location.open(given.name, { tailBytes: 16_384 })
    try {
      const frame = await fetchFrame(
        {
          location: place.id,
          file: given.name,
          sizeBytes: source.sizeBytes,
          tail: source.tail,
          read: (offset, into) => source.read(offset, into),
        },
        { front: false },
      )
      const common = frame.variants[0]?.head.common
      if (common === undefined || common.vault !== vault.row.vault) return
      const key = common.dealId
      strays.set(key, [...(strays.get(key) ?? []), { ...given, frame }])
    } finally {
      await source.close()
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
}

async function adoptStrays(vault: Vault, strays: Map<string, Stray[]>, findings: Findings): Promise<void> {
  const { db } = vault.parts
  const later: {
    readonly deal: string
    readonly path: string
    readonly created: string
    readonly modified: string
    readonly catalogue: boolean
  }[] = []
  for (const [dealId, found] of strays) {
    const known = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', dealId).executeTakeFirst()
    if (known !== undefined) {
      // A repair wrote them after the last segment: they stand in where the known name is gone.
      for (const { location, name, frame, sizeBytes } of found) {
        const { x } = frame.variants[0]!.head
        if (known.state === 'stored') {
          await db.kysely
            .updateTable('fragment')
            .set({ name, size: sizeBytes, state: 'held', x })
            .where('deal', '=', dealId)
            .where('location', '=', location)
            .where('state', 'in', ['lost', 'pending'])
            .execute()
        } else {
          await db.kysely
            .insertInto('fragment')
            .values({ deal: dealId, x, location, name, commitment: null, size: sizeBytes, state: 'held' })
            .onConflict((oc) => oc.doNothing())
            .execute()
        }
      }
      continue
    }
    const { common } = found[0]!.frame.variants[0]!.head
    if (common.k < vault.row.threshold || new Set(found.map(({ location }) => location)).size < common.k) continue
    const first = new Map(found.map((stray) => [stray.location, stray]))
    await insertDeal(vault, {
      object: common.object,
      version: common.version,
      dealId,
      k: common.k,
      purpose: 'file',
      fragments: [...first.values()].map(({ location, name, frame }) => ({ x: frame.variants[0]!.head.x, location, name })),
    }).catch((error: unknown) => {
      findings.add({
        location: '',
        path: '',
        fragment: found[0]!.name,
        kind: 'conflict',
        detail: `two dealings of one version: ${String(error)}`,
      })
    })
    const deal = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', dealId).executeTakeFirst()
    if (deal === undefined) continue
    try {
      const reader = await vault.openUnchecked(deal)
      try {
        for await (const _ of reader.read({ first: 0, last: Math.max(0, reader.meta.size - 1) }));
        const { meta } = reader
        await db.kysely
          .updateTable('deal')
          .set({ size: meta.size, type: meta.type, created: meta.created, padded: reader.assembly.totals.paddedLen })
          .where('deal', '=', dealId)
          .execute()
        later.push({
          deal: dealId,
          path: meta.path,
          created: meta.created,
          modified: meta.modified,
          catalogue: meta.type === CATALOGUE_TYPE,
        })
      } finally {
        await reader.close()
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Unfinished, or dealt by somebody else: not a file of this vault.
      await db.kysely.deleteFrom('fragment').where('deal', '=', dealId).execute()
      await db.kysely.deleteFrom('deal').where('deal', '=', dealId).execute()
      findings.add({ location: '', path: '', fragment: found[0]!.name, kind: 'incomplete', detail: error.message })
    }
  }
  for (const one of later.toSorted((a, b) => (a.created < b.created ? -1 : 1))) {
    if (one.catalogue)
      await db.kysely.updateTable('deal').set({ state: 'dropping', purpose: 'catalogue' }).where('deal', '=', one.deal).execute()
    else {
      try {
        await db.transaction((tx) =>
          addVersion(tx, { path: one.path, file: one.deal, deal: one.deal, created: one.created, modified: one.modified, ifAbsent: false }),
        )
      } catch (error) {
        if (!isFailure(error)) throw error
        await db.transaction((tx) =>
          addVersion(tx, {
            path: `/recovered/${one.deal}${one.path}`,
            file: one.deal,
            deal: one.deal,
            created: one.created,
            modified: one.modified,
            ifAbsent: false,
          }),
        )
      }
    }
  }
}

/** Keys of all dealers that the head names. */
export function dealersOf(head: VaultHead): VerifyingKeys[] {
  return [head.dealer, ...head.formerDealers].map(decodeKeys)
}
