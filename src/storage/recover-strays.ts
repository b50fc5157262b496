// What stands at the places and not in the catalogue: files put after its last segment, fragments that a repair wrote, debris.
import { Failure, isFailure, toHex } from '#base'
import { type Common, commitment, dealtFrom, type Meta } from '#format'
import { addVersion, dealLine, log } from './catalogue.ts'
import { CATALOGUE_TYPE } from './catalogue-lines.ts'
import type { Findings, Progress } from './findings.ts'
import { openCandidate, type Opened } from './frame-search.ts'
import type { Place } from './place.ts'
import { within } from './patience.ts'
import { parsePath } from './paths.ts'
import { insertDeal, layoutOf } from './recover-catalogue.ts'
import { freeX, isOfSet, setOf } from './redeal-sets.ts'
import { DROPPED_UNSEEN } from './sweep.ts'
import { succeed } from './succession.ts'
import type { DealTable, FragmentTable } from './tables.ts'
import type { Vault } from './vault.ts'

const FRAMES_AT_ONCE = 8
const NAME = /^[0-9a-f]{2}\/[0-9a-f]{32}$/

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
  /** Names of unfinished uploads, which are expected to be incomplete. */
  readonly unfinished: ReadonlySet<string>
}

/** Names that the catalogue does not know: files put after its last segment, or a segment that no head names yet. Sizes and losses are noted on the way. */
export async function adoptLater(vault: Vault, request: Request, findings: Findings): Promise<void> {
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
  // The newest set of a dealing first: what stands of it is what older ones are held against.
  for (const found of [...strays.values()].toSorted((a, b) => b[0]!.common.generation - a[0]!.common.generation))
    await adoptKnown(vault, found, { ...request, findings })
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

/**
 * Strays of dealings that the catalogue knows: what a repair wrote after the last segment stands in, a set that a change wrote after it takes
 * the place of the one before, what was dropped or replaced is debris.
 */
async function adoptKnown(vault: Vault, found: readonly Stray[], request: Request & { readonly findings: Findings }): Promise<void> {
  const { db } = vault.parts
  const { common, name: first } = found[0]!
  const known = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', common.dealId).executeTakeFirst()
  if (known === undefined) return
  if (known.state === 'stored' && !(await isOfSet(db.kysely, known.deal, common))) {
    const { generation } = await setOf(db.kysely, known.deal)
    const rows = await db.kysely.selectFrom('fragment').select('state').where('deal', '=', known.deal).execute()
    const held = rows.filter(({ state }) => state === 'held').length
    // A set that can be read stands against an older one; a newer one takes its place when it is whole; what was cut off is waste beside a whole set.
    if (common.generation <= generation && held >= known.k) await addDebris(vault, found)
    else if (await takePlace(vault, known, found, request)) return
    else if (held >= known.k && held === rows.length) await addDebris(vault, found)
    else
      request.findings.add({
        location: '',
        path: '',
        fragment: first,
        kind: 'incomplete',
        detail: 'a change was cut off before it was whole',
      })
    return
  }
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

async function addDebris(vault: Vault, rows: readonly { readonly location: string; readonly name: string }[]): Promise<void> {
  await vault.parts.db.kysely
    .insertInto('debris')
    .values(rows.map(({ location, name }) => ({ location, name })))
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** Another set of a dealing that the catalogue knows, if it is right to the last byte; false when it is not. */
async function takePlace(vault: Vault, known: DealTable, found: readonly Stray[], { signal }: Request): Promise<boolean> {
  const { db, places } = vault.parts
  const { common } = found[0]!
  const whole = await wholeOf(vault, found, signal)
  if (whole === undefined || whole.meta.size !== known.size) return false
  await db.transaction(async (tx) => {
    const old = await tx.selectFrom('fragment').select(['location', 'name']).where('deal', '=', known.deal).execute()
    for (const { location, name } of old)
      if (name !== null)
        await tx
          .insertInto('debris')
          .values({ location, name })
          .onConflict((oc) => oc.doNothing())
          .execute()
    await tx.deleteFrom('fragment').where('deal', '=', known.deal).execute()
    const rows: FragmentTable[] = whole.fragments.map(({ x, location, name, commitment: told }) => ({
      deal: known.deal,
      x,
      location,
      name,
      commitment: told ?? null,
      size: found.find((one) => one.name === name)?.sizeBytes ?? 0,
      state: 'held',
    }))
    for (const { id, x } of places.active)
      if (rows.every(({ location }) => location !== id))
        rows.push({ deal: known.deal, x: freeX(rows, x), location: id, name: null, commitment: null, size: 0, state: 'pending' })
    await tx.insertInto('fragment').values(rows).execute()
    const shape = { k: common.k, n: rows.length, padded: whole.padded }
    await tx.updateTable('deal').set(shape).where('deal', '=', known.deal).execute()
    await tx.deleteFrom('deal_set').where('deal', '=', known.deal).execute()
    const set = { generation: common.generation, set_id: common.setId, dealt: null, renewed: null }
    await tx
      .insertInto('deal_set')
      .values({ deal: known.deal, ...set })
      .execute()
    await log(tx, [await dealLine(tx, { ...known, ...shape })])
  })
  return true
}

/** A dealing anew of one that cannot be read any more takes its place, if it is right to the last byte; false when it is not. */
async function takeOver(
  vault: Vault,
  source: DealTable,
  { found, signal }: { readonly found: readonly Stray[]; readonly signal: AbortSignal },
): Promise<boolean> {
  const { db } = vault.parts
  const whole = await wholeOf(vault, found, signal)
  if (whole === undefined || whole.meta.size !== source.size || whole.common.object !== source.object) return false
  const deal = whole.common.dealId
  await insertLater(vault, whole, source.created)
  await db.transaction(async (tx) => {
    const row = await tx.selectFrom('deal').selectAll().where('deal', '=', deal).executeTakeFirstOrThrow()
    await succeed(tx, source.deal, row)
  })
  return true
}

/** All of it, read; undefined when it is not whole, or may not count. */
async function wholeOf(vault: Vault, found: readonly Stray[], signal: AbortSignal): Promise<Later | undefined> {
  const { common } = found[0]!
  if (common.k < vault.row.threshold || new Set(found.map(({ location }) => location)).size < common.k) return undefined
  try {
    return await readWhole(vault, found, signal)
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    return undefined
  }
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
  for (const found of groups.toSorted((a, b) => b[0]!.common.generation - a[0]!.common.generation)) {
    if (signal.aborted) throw new Failure('base.cancelled')
    const { common, name } = found[0]!
    const known = await db.kysely.selectFrom('deal').select('deal').where('deal', '=', common.dealId).executeTakeFirst()
    if (known !== undefined) continue
    const one = { location: '', path: '', fragment: name }
    const before = dealtFrom(common)
    const source =
      before === undefined ? undefined : await db.kysely.selectFrom('deal').selectAll().where('deal', '=', before).executeTakeFirst()
    if (source !== undefined) {
      // The catalogue means the dealing before it, or nothing any more: this one was not finished when the site died.
      const held = await db.kysely.selectFrom('fragment').select('x').where('deal', '=', source.deal).where('state', '=', 'held').execute()
      if (source.state === 'dropping' || held.length >= source.k) await addDebris(vault, found)
      else if (!(await takeOver(vault, source, { found, signal })))
        findings.add({ ...one, kind: 'orphan', detail: `the same content as dealing ${source.deal}, which the catalogue names` })
      continue
    }
    if (common.k < vault.row.threshold || new Set(found.map(({ location }) => location)).size < common.k) continue
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
    const version = `${common.object} ${common.version}`
    if (later.get(version)?.some((newer) => newer.common.dealId === common.dealId) === true) {
      await addDebris(vault, found)
      continue
    }
    try {
      later.set(version, [...(later.get(version) ?? []), await readWhole(vault, found, signal)])
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      // Unfinished, or dealt by somebody else: not a file of this vault.
      if (!request.unfinished.has(name)) findings.add({ ...one, kind: 'incomplete', detail: error.message })
    }
  }
  const clashing = [...later.values()].filter(({ length }) => length > 1).flat()
  for (const { meta, common, fragments } of clashing) {
    const detail = `two dealings of one version: recovery/recover.py --deal ${common.dealId} restores this one`
    findings.add({ location: '', path: meta.path, fragment: fragments[0]!.name, kind: 'conflict', detail })
  }
  const sources = new Set([...later.values()].flat().map(({ common }) => dealtFrom(common)))
  const clear = [...later.values()].flat().filter((one) => !clashing.includes(one) && !sources.has(one.common.dealId))
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

async function insertLater(vault: Vault, { meta, common, padded, fragments }: Later, created: string): Promise<void> {
  const { dealId: deal, object, version, k, generation } = common
  await insertDeal(vault, {
    object,
    version,
    dealId: deal,
    k,
    purpose: meta.type === CATALOGUE_TYPE ? 'catalogue' : 'file',
    size: meta.size,
    padded,
    type: meta.type,
    created,
    layout: layoutOf(common),
    fragments,
  })
  if (generation > 0)
    await vault.parts.db.kysely
      .insertInto('deal_set')
      .values({ deal, generation, set_id: common.setId, dealt: null, renewed: null })
      .execute()
}

/** Gives an adopted dealing its name, unless the file that stands there is newer. */
async function nameOne(vault: Vault, later: Later, findings: Findings): Promise<void> {
  const { db } = vault.parts
  const { meta, common } = later
  const deal = common.dealId
  const catalogue = meta.type === CATALOGUE_TYPE
  await insertLater(vault, later, meta.created)
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
