// One dealing into the wanted shape: a new set of fragments under the same keys, a new dealing under new keys, or other places for some of them.
// Everything is written before anything is given up: until the one transaction that swaps them, the old fragments are what counts.
import { Failure, rfc3339 } from '#base'
import { type Common, dealable, dealtAnew, newId, parseMeta } from '#format'
import { dealLine, log } from './catalogue.ts'
import { readReshape, writtenBytes } from './change-plan.ts'
import { deskSlots } from './chunk-desk.ts'
import { addDebris, addMissed, dropIntent, insertIntent, newFragmentName, undoIfPossible, undoIntent, writtenFragments } from './intent.ts'
import type { ObjectReader } from './object-reader.ts'
import { WriteFailed, writeObject, type WriteOutcome, type WriteTarget } from './object-writer.ts'
import type { Place } from './place.ts'
import { isOfSet } from './redeal-sets.ts'
import { pathOf } from './scrub.ts'
import { succeed } from './succession.ts'
import type { DealTable } from './tables.ts'
import type { Vault } from './vault.ts'

export interface RedealRequest {
  readonly signal: AbortSignal
  /** Waits until so many bytes may be written to the locations. Rejects with `base.cancelled`. */
  readonly pace: (bytes: number) => Promise<void>
}

/**
 * A new set of fragments of the same dealing for the places and the k that are wanted now: all polynomials fresh, dealId, K, tags and META as
 * they are (docs/spec/fragment.md, "Change by a gateway"). False when the dealing was removed or changed meanwhile.
 */
export async function reshare(vault: Vault, deal: DealTable, request: RedealRequest): Promise<boolean> {
  const places = vault.parts.places.active
  const shape = { k: vault.row.threshold, n: places.length }
  requireDealable(shape)
  const { renew_before: renewBefore } = await readReshape(vault.parts.db.kysely)
  const renewed = later(rfc3339(vault.parts.clock.now()), renewBefore)
  const reader = await vault.open(deal, request.signal)
  try {
    const intent = await begin(vault, deal, { ...shape, places })
    if (intent === undefined) return false
    try {
      const outcome = await writeSet(vault, { deal, reader, shape, targets: intent.targets, request })
      const swapped = await swap(vault, deal, { outcome, shape, renewed, intent: intent.provisional, before: reader.assembly.common })
      if (!swapped) await undoIntent(vault.parts, intent.provisional)
      return swapped
    } catch (error) {
      await undoIfPossible(vault.parts, intent.provisional)
      throw error
    }
  } finally {
    await reader.close()
  }
}

/**
 * The same content as a new dealing: new dealId and keys, META signed by the present dealer. The number of the version that people see, its
 * times and its author stay. False when the dealing was removed meanwhile.
 */
export async function dealAnew(vault: Vault, deal: DealTable, request: RedealRequest): Promise<boolean> {
  const { db, clock } = vault.parts
  const { anew_before: anewBefore } = await readReshape(db.kysely)
  const dealt = later(rfc3339(clock.now()), anewBefore)
  const path = await pathOf(vault, deal)
  const old = await db.kysely.selectFrom('fragment').select(['location', 'name']).where('deal', '=', deal.deal).execute()
  const reader = await vault.open(deal, request.signal)
  try {
    const { meta } = parseMeta(reader.assembly.meta)
    const shape = { k: vault.row.threshold, n: vault.parts.places.active.length }
    const readable = await readableOf(vault, deal)
    vault.readings.replacing(deal.deal, old)
    await vault.store(
      {
        object: deal.object,
        purpose: 'file',
        path: path === '' ? meta.path : path,
        type: meta.type,
        created: deal.created,
        modified: meta.modified,
        user: meta.user,
        ext: [dealtAnew(deal.deal)],
        sizeBytes: meta.size,
        body: paced(reader, request, writtenBytes(vault.row.layout, shape)),
        signal: request.signal,
      },
      async (tx, made) => {
        const standing = await tx.selectFrom('deal').selectAll().where('deal', '=', deal.deal).executeTakeFirst()
        if (standing?.state !== 'stored') throw new Failure('storage.absent', { detail: 'it was removed meanwhile' })
        const held = made.fragments.filter(({ state }) => state === 'held').length
        const least = leastOf(made.deal, readable)
        if (held < least) throw tooFew(held, least)
        await tx.insertInto('deal_set').values({ deal: made.deal.deal, generation: 0, set_id: null, dealt, renewed: null }).execute()
        await succeed(tx, deal.deal, made.deal)
      },
    )
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'storage.absent') return false
    throw error
  } finally {
    await reader.close()
    vault.forget(deal.deal)
    vault.readings.settle(deal.deal)
    vault.parts.changed()
  }
}

/**
 * Gives up the fragments at locations that leave, once the others hold as many as all did. False while they do not.
 * The names are debris from then on.
 */
export async function evacuate(vault: Vault, deal: DealTable): Promise<boolean> {
  const { db, places } = vault.parts
  const active = new Set(places.active.map(({ id }) => id))
  const present = new Set(places.present)
  const names = await db.kysely.selectFrom('fragment').select(['location', 'name']).where('deal', '=', deal.deal).execute()
  const left = names.filter(({ location }) => !active.has(location))
  if (left.length === 0) return true
  vault.readings.replacing(deal.deal, left)
  try {
    return await db.transaction(async (tx) => {
      const standing = await tx.selectFrom('deal').selectAll().where('deal', '=', deal.deal).executeTakeFirst()
      if (standing?.state !== 'stored') return true
      const rows = await tx.selectFrom('fragment').selectAll().where('deal', '=', deal.deal).execute()
      const readable = rows.filter(({ state, location }) => state === 'held' && present.has(location))
      const staying = readable.filter(({ location }) => active.has(location)).length
      if (staying < active.size && (staying < readable.length || staying < standing.k)) return false
      const going = rows.filter(({ location }) => !active.has(location))
      // Of a location that is none of ours any more nothing can be taken away.
      await addDebris(
        tx,
        going.filter(({ location }) => places.byId(location) !== undefined),
      )
      for (const { x } of going) await tx.deleteFrom('fragment').where('deal', '=', deal.deal).where('x', '=', x).execute()
      const n = rows.length - going.length
      await tx.updateTable('deal').set({ n }).where('deal', '=', deal.deal).execute()
      if (standing.purpose === 'file') await log(tx, [await dealLine(tx, { ...standing, n })])
      return true
    })
  } finally {
    vault.forget(deal.deal)
    vault.readings.settle(deal.deal)
    vault.parts.changed()
  }
}

/** How many fragments must arrive before the old ones may go: all, or as many as could be read and more than k. */
function leastOf({ k, n }: { readonly k: number; readonly n: number }, readable: number): number {
  return Math.min(n, Math.max(k + 1, readable))
}

async function readableOf(vault: Vault, deal: DealTable): Promise<number> {
  const { db, places } = vault.parts
  const present = new Set(places.present)
  const rows = await db.kysely.selectFrom('fragment').select('location').where('deal', '=', deal.deal).where('state', '=', 'held').execute()
  return rows.filter(({ location }) => present.has(location)).length
}

interface Intent {
  readonly provisional: string
  readonly targets: readonly WriteTarget[]
}

/** Which names will be written, durable before the first byte. Undefined when the dealing or a place is not wanted any more. */
async function begin(
  vault: Vault,
  deal: DealTable,
  wanted: { readonly k: number; readonly n: number; readonly places: readonly Place[] },
): Promise<Intent | undefined> {
  const targets = wanted.places.map((place, index) => ({ place, x: index + 1, name: newFragmentName() }))
  const { k, n } = wanted
  const provisional = await vault.parts.db.transaction(async (tx) => {
    const standing = await tx.selectFrom('deal').select('state').where('deal', '=', deal.deal).executeTakeFirst()
    const leaving = await tx.selectFrom('leaving').select('location').execute()
    // The head speaks for the k that is wanted now: nothing is begun with a smaller one.
    const row = await tx.selectFrom('vault').select('threshold').executeTakeFirstOrThrow()
    if (
      standing?.state !== 'stored' ||
      row.threshold !== k ||
      targets.some(({ place }) => leaving.some(({ location }) => location === place.id))
    )
      return undefined
    return insertIntent(
      tx,
      { ...deal, object: newId(), version: 0, k, n },
      targets.map(({ place, x, name }) => ({ x, location: place.id, name })),
    )
  })
  return provisional === undefined ? undefined : { provisional, targets }
}

async function writeSet(
  vault: Vault,
  given: {
    readonly deal: DealTable
    readonly reader: ObjectReader
    readonly shape: { readonly k: number; readonly n: number }
    readonly targets: readonly WriteTarget[]
    readonly request: RedealRequest
  },
): Promise<WriteOutcome> {
  const { uploadArenas, signer, clock, stallMs } = vault.parts
  const { deal, reader, shape, targets, request } = given
  const { suite, chunkLog2, vault: id, object, version, ext } = reader.assembly.common
  const quorum = leastOf(shape, await readableOf(vault, deal))
  const slots = deskSlots(shape.n)
  const arena = await uploadArenas.take({ suite, k: shape.k, rows: shape.n, chunkLog2, slots }, request.signal)
  let arenaFree = true
  try {
    const outcome = await writeObject({
      arena,
      spec: { suite, ...shape, chunkLog2, rng: 0, vault: id, object, version, ext },
      before: reader.assembly,
      targets,
      body: paced(reader, request, writtenBytes(deal.layout, shape)),
      meta: { path: '', type: '', created: '', user: '' },
      sizeBytes: reader.meta.size,
      signer: signer(),
      quorum,
      stallMs,
      clock,
      signal: request.signal,
    })
    arenaFree = outcome.arenaFree
    return outcome
  } catch (error) {
    if (!(error instanceof WriteFailed)) throw error
    arenaFree = error.arenaFree
    throw error.failure
  } finally {
    if (arenaFree) uploadArenas.release(arena)
    else uploadArenas.abandon(arena)
  }
}

/** The rows are the new set's from here on; what they named before is debris. False when another set stands by now. */
async function swap(
  vault: Vault,
  deal: DealTable,
  made: {
    readonly outcome: WriteOutcome
    readonly intent: string
    readonly shape: { readonly k: number; readonly n: number }
    readonly renewed: string
    readonly before: Pick<Common, 'generation' | 'setId'>
  },
): Promise<boolean> {
  const { db } = vault.parts
  const { outcome, shape } = made
  const old = await db.kysely.selectFrom('fragment').select(['location', 'name']).where('deal', '=', deal.deal).execute()
  vault.readings.replacing(deal.deal, old)
  try {
    return await db.transaction(async (tx) => {
      const standing = await tx.selectFrom('deal').selectAll().where('deal', '=', deal.deal).executeTakeFirst()
      if (standing?.state !== 'stored' || !(await isOfSet(tx, deal.deal, made.before))) return false
      const before = await tx.selectFrom('deal_set').select('dealt').where('deal', '=', deal.deal).executeTakeFirst()
      await dropIntent(tx, made.intent)
      await addDebris(tx, await tx.selectFrom('fragment').select(['location', 'name']).where('deal', '=', deal.deal).execute())
      await addMissed(tx, outcome)
      await tx.deleteFrom('fragment').where('deal', '=', deal.deal).execute()
      await tx.insertInto('fragment').values(writtenFragments(deal.deal, outcome)).execute()
      await tx.updateTable('deal').set(shape).where('deal', '=', deal.deal).execute()
      const set = { generation: made.before.generation + 1, set_id: outcome.setId, renewed: made.renewed }
      await tx.deleteFrom('deal_set').where('deal', '=', deal.deal).execute()
      await tx
        .insertInto('deal_set')
        .values({ deal: deal.deal, dealt: before?.dealt ?? null, ...set })
        .execute()
      if (standing.purpose === 'file') await log(tx, [await dealLine(tx, { ...standing, ...shape })])
      return true
    })
  } finally {
    vault.forget(deal.deal)
    vault.readings.settle(deal.deal)
    vault.parts.changed()
  }
}

/** The whole content, hash compared, no faster than the pace. */
async function* paced(reader: ObjectReader, { signal, pace }: RedealRequest, factor: number): AsyncGenerator<Uint8Array> {
  for await (const piece of reader.read({ first: 0, last: Math.max(0, reader.meta.size - 1) }, signal)) {
    await pace(Math.ceil(piece.length * factor))
    yield piece
  }
}

/** A clock that was put back must not make a dealing due for ever. */
function later(now: string, before: string | null): string {
  return before !== null && before > now ? before : now
}

function requireDealable({ k, n }: { readonly k: number; readonly n: number }): void {
  if (!dealable(k, n)) throw new Failure('crypto.threshold', { detail: `${k} of ${n} is not offered` })
}

function tooFew(held: number, least: number): Failure {
  return new Failure('storage.quorum', {
    detail: `only ${held} locations took the new fragments, ${least} are needed to be as safe as before`,
    next: 'Bring the missing locations back; the old fragments stand.',
  })
}
