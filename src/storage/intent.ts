// Names that are about to be written: an intent is durable before their first byte, and in the end they are a dealing's fragments, or debris.
import { Failure, tracesOf } from '#base'
import type { Transaction } from '#database'
import { newId } from '#format'
import type { WriteOutcome } from './object-writer.ts'
import { within } from './patience.ts'
import type { DealTable, FragmentTable, StorageTables } from './tables.ts'
import type { VaultParts } from './vault.ts'

type Tx = Transaction<StorageTables>

/** A name that no location has, for a fragment. */
export function newFragmentName(): string {
  const id = newId()
  return `${id.slice(0, 2)}/${id}`
}

/** A dealing in state `writing` with its names. Answers the key of these rows; the dealing itself draws its own id. */
export async function insertIntent(
  tx: Tx,
  plan: Omit<DealTable, 'deal' | 'size' | 'padded' | 'state'>,
  names: readonly { readonly x: number; readonly location: string; readonly name: string }[],
): Promise<string> {
  const provisional = newId()
  await tx
    .insertInto('deal')
    .values({ ...plan, deal: provisional, size: 0, padded: 0, state: 'writing' })
    .execute()
  await tx
    .insertInto('fragment')
    .values(names.map((one) => ({ ...one, deal: provisional, commitment: null, size: 0, state: 'writing' as const })))
    .execute()
  return provisional
}

/** The names are something else's from here on. */
export async function dropIntent(tx: Tx, provisional: string): Promise<void> {
  // Its rows of fragments go with it.
  await tx.deleteFrom('deal').where('deal', '=', provisional).execute()
}

/** What was written as the fragments of a dealing, by x; those that a location did not take are pending. */
export function writtenFragments(deal: string, { held, missed }: WriteOutcome): FragmentTable[] {
  const size = held[0]?.sizeBytes ?? 0
  return [
    ...held.map(({ target, commitment, sizeBytes }) => ({
      deal,
      x: target.x,
      location: target.place.id,
      name: target.name,
      commitment,
      size: sizeBytes,
      state: 'held' as const,
    })),
    ...missed.map(({ target }) => ({
      deal,
      x: target.x,
      location: target.place.id,
      name: null,
      commitment: null,
      size,
      state: 'pending' as const,
    })),
  ].toSorted((a, b) => a.x - b.x)
}

/** Of a location that did not take its fragment something may stand there all the same. */
export async function addMissed(tx: Tx, { missed }: WriteOutcome): Promise<void> {
  await addDebris(
    tx,
    missed.map(({ target }) => ({ location: target.place.id, name: target.name })),
  )
}

/** Names that nothing needs any more: they are taken away when their location answers. */
export async function addDebris(tx: Tx, rows: readonly { readonly location: string; readonly name: string | null }[]): Promise<void> {
  const named = rows.flatMap(({ location, name }) => (name === null ? [] : [{ location, name }]))
  if (named.length === 0) return
  await tx
    .insertInto('debris')
    .values(named)
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** Removes the rows of an intent and the names it may have made; what cannot be reached now is debris for later. */
export async function undoIntent({ db, places, clock, stallMs }: VaultParts, provisional: string): Promise<void> {
  const rows = await db.kysely.selectFrom('fragment').selectAll().where('deal', '=', provisional).execute()
  const left: { location: string; name: string }[] = []
  await Promise.all(
    rows.map(async ({ location, name }) => {
      const place = places.byId(location)
      if (place === undefined || name === null) return
      try {
        if (!place.usable) left.push({ location, name })
        else {
          const patience = { clock, ms: stallMs, label: place.label }
          const answer = await within(patience, async (signal) => {
            await place.location.forget?.(name, { signal })
            return place.location.discard(name, { signal })
          })
          if (answer === 'kept') left.push({ location, name })
        }
      } catch (error) {
        if (error instanceof Failure && error.kind !== 'denied') place.failed(error)
        left.push({ location, name })
      }
    }),
  )
  await db.transaction(async (tx) => {
    await addDebris(tx, left)
    await dropIntent(tx, provisional)
  })
}

/** As `undoIntent`, beside another failure: the next start does what cannot be done now. */
export async function undoIfPossible(parts: VaultParts, provisional: string): Promise<void> {
  await undoIntent(parts, provisional).catch((error: unknown) =>
    parts.log.warn({ causes: tracesOf(error) }, 'an unfinished write is cleaned up at the next start'),
  )
}
