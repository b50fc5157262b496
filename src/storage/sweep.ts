// Taking away what nothing needs any more: unfinished writes of a crash, removed dealings, names that were replaced.
import { Failure, rfc3339, tracesOf } from '#base'
import { type DiscardAnswer, noteAnswers, settleDeletions } from './deletion.ts'
import { ripeDeals } from './grace.ts'
import { undoIntent } from './intent.ts'
import { noteKept, notYet } from './kept-names.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

/** `created` of a dealing that a recovery knows by its drop alone, when not every place could be looked through for it. */
export const DROPPED_UNSEEN = ''
const PAGE_ROWS = 200
/** Rows that one flush of the catalogue answers for. */
const CHOSEN_ROWS = 5000
/** Names that are discarded at one place at the same time. */
const AT_ONCE = 4
/** Looking through a place for unfinished files may take this many stall times. */
const SWEEP_STALLS = 4
/** Longer than an upload is kept without a sign of life: what is older is nobody's, not even another site's that writes this vault. */
const ABANDONED_MS = 8 * 24 * 3_600_000

/**
 * At the start, before anything else writes: intents of a process that died, with the names they drew. Uploads that may go on are left alone, and so
 * is whatever others write here. False when a place could not be looked through for what was abandoned.
 */
export async function sweepUnfinished(vault: Vault, died: boolean): Promise<boolean> {
  const { db, log } = vault.parts
  const rows = await db.kysely
    .selectFrom('deal')
    .select('deal')
    .where('state', '=', 'writing')
    .where((eb) => eb.not(eb.exists(eb.selectFrom('upload').select('upload').whereRef('upload.intent', '=', 'deal.deal'))))
    .execute()
  for (const { deal } of rows) await undoIntent(vault.parts, deal)
  if (rows.length > 0) log.info({ count: rows.length }, 'unfinished writes of an earlier run were taken back')
  if (rows.length === 0 && !died) return true
  return sweepAbandoned(vault)
}

/** Unfinished files that nobody has touched for longer than any upload is kept, whoever began them. False when a place did not answer. */
export async function sweepAbandoned({ parts }: Vault): Promise<boolean> {
  const { places, log, clock, stallMs } = parts
  const swept = await Promise.all(
    places.all.map(async (place) => {
      if (place.view.presence !== 'present') return place.view.presence === 'empty'
      try {
        const patience = { clock, ms: stallMs * SWEEP_STALLS, label: place.label }
        await within(patience, (signal) => place.location.sweepPartial({ olderThanMs: ABANDONED_MS }, { signal }))
        return true
      } catch (error) {
        log.warn({ location: place.label, causes: tracesOf(error) }, 'unfinished files could not be swept')
        return false
      }
    }),
  )
  return swept.every(Boolean)
}

/**
 * Removes fragments of dropped dealings and debris where the location answers. Only what the vault's own catalogue knows to be dropped is
 * removed, so a database lost at any moment leaves no name without its bytes: what was chosen before a flush is known there after it.
 */
export async function sweepRemoved(vault: Vault, vaultLog: VaultLog, signal: AbortSignal): Promise<void> {
  const { db, places } = vault.parts
  for (let after = ''; ;) {
    const deals = await db.kysely
      .selectFrom('deal')
      .select('deal')
      .where('state', '=', 'dropping')
      .where('deal', '>', after)
      .orderBy('deal')
      .limit(CHOSEN_ROWS)
      .execute()
    if (deals.length === 0) break
    after = deals[deals.length - 1]!.deal
    await vaultLog.flush()
    for (let from = 0; from < deals.length; from += PAGE_ROWS)
      await removeDeals(vault, {
        ids: await ripeDeals(
          vault,
          vaultLog,
          deals.slice(from, from + PAGE_ROWS).map(({ deal }) => deal),
        ),
        signal,
      })
  }
  for (const place of places.all) {
    if (place.view.presence !== 'present') continue
    for (let after = ''; ;) {
      const rows = await db.kysely
        .selectFrom('debris')
        .selectAll()
        .where('location', '=', place.id)
        .where('name', '>', after)
        .orderBy('name')
        .limit(CHOSEN_ROWS)
        .execute()
      if (rows.length === 0) break
      after = rows[rows.length - 1]!.name
      await vaultLog.flush()
      for (let from = 0; from < rows.length; from += PAGE_ROWS)
        await removeDebris(vault, place, { rows: rows.slice(from, from + PAGE_ROWS), signal })
    }
  }
  if (await settleDeletions(vault, signal)) await vaultLog.flush()
}

/** The row of a dropped dealing stays until its last fragment is gone: till then snapshots repeat the drop, or it would come back in a disaster. */
async function removeDeals(
  vault: Vault,
  { ids, signal }: { readonly ids: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  if (ids.length === 0) return
  const { db, clock } = vault.parts
  for (const id of ids) vault.forget(id)
  const fragments = await db.kysely.selectFrom('fragment').select(['deal', 'x', 'location', 'name']).where('deal', 'in', ids).execute()
  const answers: { readonly deal: string; readonly x: number; readonly answer: DiscardAnswer }[] = []
  const taken = await takeAway(vault, fragments, { signal, tell: ({ deal, x }, answer) => answers.push({ deal, x, answer }) })
  await db.transaction(async (tx) => {
    await noteAnswers(tx, answers, rfc3339(clock.now()))
    for (const { deal, x } of taken) await tx.deleteFrom('fragment').where('deal', '=', deal).where('x', '=', x).execute()
    await tx
      .deleteFrom('deal')
      .where('deal', 'in', ids)
      .where('created', '!=', DROPPED_UNSEEN)
      .where((eb) => eb.not(eb.exists(eb.selectFrom('fragment').select('x').whereRef('fragment.deal', '=', 'deal.deal'))))
      .execute()
  })
}

async function removeDebris(
  vault: Vault,
  place: Place,
  { rows, signal }: { readonly rows: readonly { readonly location: string; readonly name: string }[]; readonly signal: AbortSignal },
): Promise<void> {
  for (const { name } of rows) await forget(vault, place, { name, signal })
  const removed = (await takeAway(vault, rows, { signal, tell: () => undefined })).map(({ name }) => name)
  if (removed.length > 0)
    await vault.parts.db.kysely.deleteFrom('debris').where('location', '=', place.id).where('name', 'in', removed).execute()
}

/** Discards names, a few at once at each place; answers those that are gone, or lie nowhere. */
async function takeAway<Row extends { readonly location: string; readonly name: string | null }>(
  vault: Vault,
  rows: readonly Row[],
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (row: Row, answer: DiscardAnswer) => void },
): Promise<Row[]> {
  const taken = rows.filter(({ name }) => name === null)
  const at = (id: string): Place | undefined => vault.parts.places.byId(id)
  await Promise.all(
    [...Map.groupBy(rows, ({ location }) => location)].map(async ([id, group]) => {
      const place = at(id)
      if (place === undefined) return
      const names = group.flatMap(({ name }) => (name === null ? [] : [name]))
      const waiting = await notYet(vault, id, names)
      for (const row of group) {
        const answer = row.name === null ? undefined : waiting.get(row.name)
        if (answer !== undefined) tell(row, answer)
      }
      const queue = group.filter(({ name }) => name !== null && !waiting.has(name))
      const answers: { readonly name: string; readonly answer: DiscardAnswer }[] = []
      const work = async (): Promise<void> => {
        for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
          const answer = await discard(vault, place, { name: row.name!, signal })
          tell(row, answer)
          answers.push({ name: row.name!, answer })
          if (answer === 'removed') taken.push(row)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      await noteKept(vault, id, answers)
    }),
  )
  return taken
}

/** Anything but `removed`: the name stays for now. */
async function discard(vault: Vault, place: Place, what: { readonly name: string; readonly signal: AbortSignal }): Promise<DiscardAnswer> {
  const { clock, stallMs } = vault.parts
  const { name, signal } = what
  if (signal.aborted) throw new Failure('base.cancelled')
  if (vault.readings.isRead(place.id, name)) return 'awaited'
  if (!place.usable) return 'unreachable'
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal }
    return (await within(patience, (stop) => place.location.discard(name, { signal: stop }))) === 'gone' ? 'removed' : 'kept'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // A credential without the right to delete is enough to run: the place is as well as before.
    if (error.kind === 'denied') return 'denied'
    place.failed(error)
    return 'unreachable'
  }
}

/** What a write that failed left unfinished under a name. Where it cannot be removed now, it is nobody's after a while. */
async function forget(vault: Vault, place: Place, what: { readonly name: string; readonly signal: AbortSignal }): Promise<void> {
  const { clock, stallMs } = vault.parts
  if (!place.usable || place.location.forget === undefined) return
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal: what.signal }
    await within(patience, async (stop) => place.location.forget?.(what.name, { signal: stop }))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.kind !== 'denied') place.failed(error)
  }
}
