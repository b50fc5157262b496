// Writing again what is lost, damaged or never arrived: the same share at the same x, in a new fragment under a new name.
import { concat, Failure, toHex } from '#base'
import { interpolateBytes } from '#crypto'
import { gmac, random } from '#crypto/primitives'
import { sql, type Transaction } from '#database'
import { type Common, commitment, encodeFragmentHead, encodeTrailer, ktag, newId, recordNonce, recordPrefix, saltOf } from '#format'
import { log } from './catalogue.ts'
import { Findings, type Progress } from './findings.ts'
import { allowRefill, DAMAGED, forgetRefills, heldBackPlaces, noteWounds } from './health-debt.ts'
import { addDebris, dropIntent, insertIntent, newFragmentName, undoIfPossible, undoIntent } from './intent.ts'
import type { FragmentSink } from './location.ts'
import type { ObjectReader } from './object-reader.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import { pathOf } from './scrub.ts'
import { freeX, isOfSet } from './redeal-sets.ts'
import type { DealTable, FragmentTable, StorageTables } from './tables.ts'
import { unindexed } from './unindexed.ts'
import type { Vault } from './vault.ts'

export interface RepairRequest {
  /** Only dealings of this file or of what lies below this folder. */
  readonly path?: string | undefined
  readonly signal: AbortSignal
  readonly progress: Progress
  /** Nobody asked for it: emptied places stay as they are, and what lost much at once waits for a person. */
  readonly automatic?: boolean
  /** A change of the vault is under way: what never arrived is its work, at its own pace; here only what is lost or wrong. */
  readonly damageOnly?: boolean
  /** Called before each record that is written; slows the work down. */
  readonly pace?: ((bytes: number) => Promise<void>) | undefined
}

/** Dealings of one round; the next round orders anew, since meanwhile others may be nearer to loss. */
const ROUND_DEALS = 2000

/**
 * Repairs in the order of need: what is nearest to loss first, then what was damaged longest ago. By a person's word an emptied place is
 * marked as ours again and filled. Every repaired fragment counts at once, so a repair that is cut off goes on where it was.
 */
export async function repair(vault: Vault, request: RepairRequest): Promise<Findings> {
  const { db, places } = vault.parts
  const findings = new Findings()
  await places.checkAll()
  /** Places that failed a write in this repair, or may not be filled; they are not waited for again and again. */
  const givenUp = new Set<Place>()
  if (request.automatic === true) {
    for (const place of places.all) if (place.view.presence !== 'present') givenUp.add(place)
    for (const place of await heldBackPlaces(vault)) givenUp.add(place)
  } else {
    for (const place of places.all) await welcome(vault, place, { findings, signal: request.signal })
    if (request.path === undefined || request.path === '/') await allowRefill(vault)
  }
  if (request.damageOnly !== true) await fillAdded(vault)
  await noteWounds(vault)
  const skipped = new Set(request.automatic === true ? givenUp : [])
  const elsewhere = [...skipped].map(({ id }) => id)
  const tried = new Set<string>()
  const due = { path: request.path, skipped: elsewhere, states: statesOf(request) }
  request.progress.total(await countDue(vault, due))
  for (;;) {
    const round = (await dueDeals(vault, { ...due, limit: ROUND_DEALS + tried.size })).filter((id) => !tried.has(id))
    if (round.length === 0) break
    for (const id of round) {
      if (request.signal.aborted) throw new Failure('base.cancelled')
      tried.add(id)
      const deal = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', id).where('state', '=', 'stored').executeTakeFirst()
      if (deal !== undefined) await repairDeal(vault, deal, { ...request, findings, givenUp, skipped })
    }
  }
  await noteWounds(vault)
  await forgetRefills(vault)
  return findings
}

/** How often a place that changes under our hands is looked at anew. */
const RENEWALS_MAX = 3

/** An emptied place is ours again by this explicit act; everything it held is lost. */
async function welcome(vault: Vault, place: Place, { findings, signal }: { findings: Findings; signal: AbortSignal }): Promise<void> {
  // Calls that were under way when the place was exchanged may still take it for the old one: then it is looked at anew.
  for (let look = 0; look < RENEWALS_MAX && place.view.presence !== 'present'; look++) {
    await place.renew()
    if (place.view.presence !== 'empty') break
    if (await markAgain(vault, place, signal)) return
  }
  if (place.view.presence === 'present') return
  const detail = place.view.detail || `${place.label} does not answer`
  findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail })
}

/** Everything an emptied place held is lost; false when it was exchanged once more while it was marked. */
async function markAgain(vault: Vault, place: Place, signal: AbortSignal): Promise<boolean> {
  await vault.parts.db.kysely
    .updateTable('fragment')
    .set({ state: 'lost' })
    .where('location', '=', place.id)
    .where('state', 'in', ['held', 'corrupt'])
    .execute()
  vault.parts.changed()
  try {
    await place.mark(signal)
    return true
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    return false
  }
}

/** A location that was added later gets its fragment of every older object. */
async function fillAdded(vault: Vault): Promise<void> {
  const { db, places } = vault.parts
  for (const place of places.active) {
    for (;;) {
      const missing = await db.kysely
        .selectFrom('deal')
        .select('deal')
        .where('state', '=', 'stored')
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('fragment')
                .select('x')
                .whereRef('fragment.deal', '=', 'deal.deal')
                .where(unindexed('fragment.location'), '=', place.id),
            ),
          ),
        )
        .limit(500)
        .execute()
      if (missing.length === 0) break
      await db.transaction(async (tx) => {
        for (const { deal } of missing) await expect(tx, deal, place)
      })
    }
  }
}

/** A place is to get a fragment of a dealing: at its own x, or at another when that is taken in this dealing. */
export async function expect(tx: Transaction<StorageTables>, deal: string, place: Place): Promise<void> {
  const rows = await tx.selectFrom('fragment').select(['x', 'location']).where('deal', '=', deal).execute()
  const standing = await tx.selectFrom('deal').select('state').where('deal', '=', deal).executeTakeFirst()
  if (standing?.state !== 'stored' || rows.some(({ location }) => location === place.id)) return
  const row = { deal, x: freeX(rows, place.x), location: place.id, name: null, commitment: null, size: 0, state: 'pending' } as const
  await tx.insertInto('fragment').values(row).execute()
}

/** Nothing is written any more to a location that leaves. */
function staying(vault: Vault): string[] {
  return vault.parts.places.active.map(({ id }) => id)
}

interface Due {
  readonly path: string | undefined
  readonly skipped: readonly string[]
  readonly states: readonly (typeof DAMAGED)[number][]
}

export function statesOf({ damageOnly }: Pick<RepairRequest, 'damageOnly'>): Due['states'] {
  return damageOnly === true ? ['lost', 'corrupt'] : DAMAGED
}

/** Dealings with something to write again at places that are not skipped. */
function dueQuery(vault: Vault, { path, skipped, states }: Due) {
  return vault.parts.db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .leftJoin('wound', (join) => join.onRef('wound.deal', '=', 'fragment.deal').onRef('wound.x', '=', 'fragment.x'))
    .where('deal.state', '=', 'stored')
    .where('fragment.state', 'in', states)
    .where('fragment.location', 'in', staying(vault))
    .$if(skipped.length > 0, (query) => query.where('fragment.location', 'not in', skipped))
    .$if(path !== undefined && path !== '/', (query) =>
      query.where('fragment.deal', 'in', (eb) =>
        eb
          .selectFrom('file_version')
          .innerJoin('file', 'file.file', 'file_version.file')
          .select('file_version.deal')
          .where((inner) =>
            inner.or([
              inner('file.path', '=', path!),
              inner.and([inner('file.path', '>=', `${path}/`), inner('file.path', '<', `${path}0`)]),
            ]),
          ),
      ),
    )
}

async function countDue(vault: Vault, due: Due): Promise<number> {
  const { count } = await dueQuery(vault, due)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Fewest good fragments above k first, then the oldest damage; of equals the catalogue's own objects first. */
async function dueDeals(vault: Vault, given: Due & { readonly limit: number }): Promise<string[]> {
  const { present } = vault.parts.places
  const there = present.length === 0 ? ['-'] : present
  const good = sql<number>`(select count(*) from fragment as f where f.deal = deal.deal and f.state = 'held' and ${unindexed('f.location')} in (${sql.join(there)}))`
  const rows = await dueQuery(vault, given)
    .select((eb) => ['fragment.deal', sql<number>`${good} - deal.k`.as('margin'), eb.fn.min('wound.since').as('since'), 'deal.purpose'])
    .groupBy(['fragment.deal', 'deal.deal', 'deal.k', 'deal.purpose'])
    .orderBy('margin')
    .orderBy('since')
    .orderBy('deal.purpose')
    .orderBy('fragment.deal')
    .limit(given.limit)
    .execute()
  return rows.map(({ deal }) => deal)
}

export async function repairDeal(
  vault: Vault,
  deal: DealTable,
  request: Omit<RepairRequest, 'path'> & {
    readonly findings: Findings
    readonly givenUp: Set<Place>
    readonly skipped: ReadonlySet<Place>
  },
): Promise<void> {
  const { findings, givenUp } = request
  const { db, places } = vault.parts
  const path = await pathOf(vault, deal)
  const rows = await db.kysely
    .selectFrom('fragment')
    .selectAll()
    .where('deal', '=', deal.deal)
    .where('state', 'in', statesOf(request))
    .where('location', 'in', staying(vault))
    .execute()
  const targets: { row: FragmentTable; place: Place }[] = []
  for (const row of rows) {
    const place = places.byId(row.location)
    if (place !== undefined && (await answers(place, request))) {
      targets.push({ row, place })
      continue
    }
    // Nobody asked, and it is told elsewhere.
    if (request.automatic === true && (place === undefined || request.skipped.has(place))) continue
    request.progress.add(1)
    findings.add({
      location: place?.label ?? row.location,
      path,
      fragment: '',
      kind: 'unreachable',
      detail: 'the place does not answer, so its fragment waits',
    })
  }
  if (targets.length === 0) return
  let reader: ObjectReader
  try {
    reader = await vault.open(deal, request.signal)
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    const standing = await db.kysely.selectFrom('deal').select('state').where('deal', '=', deal.deal).executeTakeFirst()
    // What was removed meanwhile is nobody's loss.
    if (standing?.state === 'stored') findings.add({ location: '', path, fragment: '', kind: 'unreadable', detail: error.message })
    request.progress.add(targets.length)
    return
  }
  try {
    for (const target of targets) {
      if (givenUp.has(target.place)) continue
      try {
        if (await writeAgain(vault, { deal, reader, ...target, signal: request.signal, pace: request.pace }))
          findings.repairedFragments += 1
      } catch (error) {
        if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
        if (error.code.startsWith('location.') && error.culprits.includes(target.place.label)) {
          target.place.failed(error)
          givenUp.add(target.place)
        }
        findings.add({
          location: target.place.label,
          path,
          fragment: target.row.name ?? '',
          kind: error.code === 'format.record' ? 'unreadable' : 'unreachable',
          detail: error.message,
        })
      }
      request.progress.add(1)
    }
  } finally {
    await reader.close()
  }
}

/** A call from before that fails late must not keep a place out of its repair: it is asked once more before it is given up. */
async function answers(
  place: Place,
  { givenUp, signal }: { readonly givenUp: Set<Place>; readonly signal: AbortSignal },
): Promise<boolean> {
  if (givenUp.has(place)) return false
  if (place.view.presence !== 'present') await place.check(signal)
  if (place.view.presence === 'present') return true
  givenUp.add(place)
  return false
}

interface MadeFragment {
  readonly name: string
  readonly commitment: string
  readonly sizeBytes: number
}

/**
 * Writes one fragment under a new name that is an intent before its first byte, so that nothing of it stays when the work is cut off. False
 * when the file was removed meanwhile.
 */
async function writeAgain(
  vault: Vault,
  given: {
    readonly deal: DealTable
    readonly reader: ObjectReader
    readonly row: FragmentTable
    readonly place: Place
    readonly signal: AbortSignal
    readonly pace: RepairRequest['pace']
  },
): Promise<boolean> {
  const { deal, reader, row, place, signal, pace } = given
  const name = newFragmentName()
  const intent = await vault.parts.db.transaction((tx) =>
    insertIntent(tx, { ...deal, object: newId(), version: 0 }, [{ x: row.x, location: row.location, name }]),
  )
  try {
    const made = await writeFragment(vault, { reader, x: row.x, place, name, signal, pace })
    const accepted = await accept(vault, { deal, common: reader.assembly.common, row, made, intent })
    if (!accepted) await undoIntent(vault.parts, intent)
    return accepted
  } catch (error) {
    await undoIfPossible(vault.parts, intent)
    throw error
  }
}

/** Interpolates keyShare, META share and every body at x from k good fragments, and proves the result anew under K. */
async function writeFragment(
  vault: Vault,
  given: {
    readonly reader: ObjectReader
    readonly x: number
    readonly place: Place
    readonly name: string
    readonly signal: AbortSignal
    readonly pace: RepairRequest['pace']
  },
): Promise<MadeFragment> {
  const { reader, x, place, name, signal, pace } = given
  const { assembly } = reader
  const patience = { clock: vault.parts.clock, ms: vault.parts.stallMs, label: place.label, signal }
  const helpers = assembly.members
    .filter((member, index, all) => all.findIndex((one) => one.variant.head.x === member.variant.head.x) === index)
    .slice(0, assembly.common.k)
  const xs = helpers.map(({ variant }) => variant.head.x)
  const at = (shares: readonly Uint8Array[]): Uint8Array => interpolateBytes({ xs, shares, at: [x] })[0]!
  const keyShare = at(helpers.map(({ variant }) => variant.head.keyShare))
  const metaShare = at(helpers.map(({ variant }) => variant.metaShare))
  const { variant } = helpers[0]!
  const head = { ...variant.head, unproven: false, x, fragId: newId(), keyShare: keyShare as typeof variant.head.keyShare }
  const headBytes = encodeFragmentHead(head)
  const fragmentKey = assembly.keys.fragmentKey(head)
  const late = (sink: FragmentSink): Promise<void> => sink.abort()
  const sink = await within({ ...patience, late }, (stop) => place.location.create(name, { signal: stop }))
  try {
    let sizeBytes = 0
    const write = async (bytes: Uint8Array): Promise<void> => {
      await within(patience, () => sink.write(bytes))
      sizeBytes += bytes.length
    }
    await write(headBytes)
    const { m } = assembly.totals
    for (let j = 0; j < m; j++) {
      if (signal.aborted) throw new Failure('base.cancelled')
      // A copy: a place that stalls may still read it when the slot is used again.
      const record = await reader.withChunk(
        j,
        async ({ opener, slot, used, spareRow }) => {
          const body = opener.bodyAt(slot, used, j, { x, row: spareRow })
          const salt = saltOf(assembly.totals, j)
          return concat(salt, body, gmac(fragmentKey, recordNonce(salt, j), recordPrefix(j, j === m - 1), body))
        },
        signal,
      )
      await pace?.(record.length)
      await write(record)
    }
    const nonce = random(64)
    const parts = { ...head, totalsBytes: variant.totalsBytes, metaShare, nonce }
    const tag = ktag(assembly.keys.manifestKey, parts)
    await write(encodeTrailer({ head: headBytes, totals: variant.totalsBytes, metaShare, ktag: tag, nonce }))
    await within(patience, () => sink.finish())
    return { name, commitment: toHex(commitment({ ...parts, ktag: tag })), sizeBytes }
  } catch (error) {
    await sink.abort()
    throw error
  }
}

/** The fragment counts from here on. False when its dealing is not wanted any more. */
async function accept(
  vault: Vault,
  given: {
    readonly deal: DealTable
    readonly common: Common
    readonly row: FragmentTable
    readonly made: MadeFragment
    readonly intent: string
  },
): Promise<boolean> {
  const { deal, common, row, made, intent } = given
  const accepted = await vault.parts.db.transaction(async (tx) => {
    const standing = await tx.selectFrom('deal').select('state').where('deal', '=', deal.deal).executeTakeFirst()
    if (standing?.state !== 'stored' || !(await isOfSet(tx, deal.deal, common))) return false
    const wanted = await tx
      .selectFrom('fragment')
      .select('name')
      .where('deal', '=', deal.deal)
      .where('x', '=', row.x)
      .where('location', '=', row.location)
      .executeTakeFirst()
    // Another repair was quicker: its fragment stays, and nobody would know of it any more if ours took its row.
    if (wanted === undefined || wanted.name !== row.name) return false
    await dropIntent(tx, intent)
    await tx
      .updateTable('fragment')
      .set({ name: made.name, commitment: made.commitment, size: made.sizeBytes, state: 'held' })
      .where('deal', '=', deal.deal)
      .where('x', '=', row.x)
      .execute()
    await addDebris(tx, [row])
    if (deal.purpose === 'file')
      await log(tx, [{ op: 'place', dealId: deal.deal, x: row.x, location: row.location, name: made.name, commitment: made.commitment }])
    return true
  })
  vault.forget(deal.deal)
  vault.parts.changed()
  return accepted
}
