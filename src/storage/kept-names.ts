// Names that a location would not let go: under a lock, or its credential may not delete. They are asked for again, rarer each time.
import type { Status } from '#contract'
import type { DiscardAnswer } from './deletion.ts'
import { DAY_MS, HOUR_MS } from './health-settings.ts'
import type { Vault } from './vault.ts'

type Refusal = Extract<DiscardAnswer, 'kept' | 'denied'>

/** After an hour, two, four ... at most a month. */
const FIRST_WAIT_MS = HOUR_MS
const LONGEST_WAIT_MS = 30 * DAY_MS

/** Of these names at a location those that need not be asked for yet, with what it answered last. */
export async function notYet(vault: Vault, location: string, names: readonly string[]): Promise<Map<string, Refusal>> {
  if (names.length === 0) return new Map()
  const { db, clock } = vault.parts
  const rows = await db.kysely
    .selectFrom('kept_name')
    .select(['name', 'answer'])
    .where('location', '=', location)
    .where('name', 'in', names)
    .where('next_try', '>', clock.now())
    .execute()
  return new Map(rows.map(({ name, answer }) => [name, answer]))
}

/** What a location answered when it was asked to let names go. */
export async function noteKept(
  vault: Vault,
  location: string,
  answers: readonly { readonly name: string; readonly answer: DiscardAnswer }[],
): Promise<void> {
  const { db, clock } = vault.parts
  const refused = answers.filter(({ answer }) => answer === 'kept' || answer === 'denied')
  const gone = answers.filter(({ answer }) => answer === 'removed').map(({ name }) => name)
  if (refused.length + gone.length === 0) return
  const nowMs = clock.now()
  await db.transaction(async (tx) => {
    if (gone.length > 0) await tx.deleteFrom('kept_name').where('location', '=', location).where('name', 'in', gone).execute()
    for (const { name, answer } of refused) {
      const before = await tx
        .selectFrom('kept_name')
        .select('tries')
        .where('location', '=', location)
        .where('name', '=', name)
        .executeTakeFirst()
      const tries = (before?.tries ?? 0) + 1
      const next_try = nowMs + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20))
      const values = { tries, next_try, answer: answer as Refusal }
      await tx
        .insertInto('kept_name')
        .values({ location, name, since: nowMs, ...values })
        .onConflict((oc) => oc.columns(['location', 'name']).doUpdateSet(values))
        .execute()
    }
  })
}

/** What people are told of it: no fault, but it lies there and may cost. */
export async function keptMessages(vault: Vault): Promise<Status['messages']> {
  const rows = await vault.parts.db.kysely
    .selectFrom('kept_name')
    .select((eb) => ['location', eb.fn.countAll<number>().as('count')])
    .groupBy('location')
    .execute()
  return rows.flatMap(({ location, count }) => {
    const place = vault.parts.places.byId(location)
    if (place === undefined) return []
    return [
      {
        severity: 'hint' as const,
        code: 'location.kept',
        text: `${place.label} keeps ${count === 1 ? 'one name' : `${count} names`} that nothing needs any more: under a lock, or its credential may not delete.`,
        next: 'Nothing has to be done. What is locked goes after its lock; else remove it with another credential, or let the bucket expire it.',
      },
    ]
  })
}
