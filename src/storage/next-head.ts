// What the next head says: the locations, k, and the parts of the catalogue as the database lists them (docs/spec/vault.md, "Head").
import { rfc3339 } from '#base'
import { describedLocations, leftLocations } from './description.ts'
import type { encodeVaultHead, HeadReference, VaultHead } from './head.ts'
import type { Vault } from './vault.ts'
import type { WriterBook } from './writers-book.ts'

/** `last` is the sequence of the newest part that the head names. A smaller k than the vault's own may be `promised` to readers. */
export async function nextHead(
  vault: Vault,
  book: WriterBook,
  given: { readonly epoch: number; readonly promised: number | undefined },
): Promise<{ readonly head: Parameters<typeof encodeVaultHead>[0]; readonly last: number }> {
  const { db, clock } = vault.parts
  const { row } = vault
  const parts = await db.kysely
    .selectFrom('segment')
    .innerJoin('deal', 'deal.deal', 'segment.deal')
    .select(['segment.sequence', 'segment.kind', 'deal.deal', 'deal.object', 'deal.version', 'deal.k'])
    .orderBy('segment.sequence')
    .execute()
  const references: { readonly kind: string; readonly reference: HeadReference }[] = []
  for (const { kind, object, version, deal, sequence } of parts) {
    const fragments = await db.kysely
      .selectFrom('fragment')
      .select(['x', 'location', 'name'])
      .where('deal', '=', deal)
      .where('name', 'is not', null)
      .orderBy('x')
      .execute()
    references.push({
      kind,
      reference: {
        object,
        version,
        dealId: deal,
        sequence,
        fragments: fragments.map(({ x, location, name }) => ({ x, location, name: name! })),
      },
    })
  }
  const locations = await headLocations(vault, book)
  return {
    head: {
      vault: row.vault,
      epoch: given.epoch,
      k: await headThreshold(vault, { parts, promised: given.promised }),
      n: locations.length,
      layout: row.layout,
      locations,
      catalogue: references.find(({ kind }) => kind === 'snapshot')?.reference ?? null,
      segments: references.flatMap(({ kind, reference }) => (kind === 'segment' ? [reference] : [])),
      previous: row.head_hash,
      created: rfc3339(clock.now()),
      formerDealers: JSON.parse(row.former_dealers) as VaultHead['formerDealers'],
      ...book.forHead,
    },
    last: parts.at(-1)?.sequence ?? 0,
  }
}

/** Ours, and those that another site added and the catalogue still describes. */
async function headLocations({ parts: { db, places } }: Vault, book: WriterBook): Promise<VaultHead['locations']> {
  const named = places.essential.map(({ id, x }) => (places.departure(id) === undefined ? { id, x } : { id, x, leaving: true as const }))
  if (!book.several) return named
  const left = await leftLocations(db)
  const own = named.filter(({ id }) => !left.has(id))
  const state = await db.kysely.selectFrom('head_state').select('locations').executeTakeFirst()
  const told = state?.locations == null ? [] : (JSON.parse(state.locations) as VaultHead['locations'])
  const described = await describedLocations(db)
  const others = told.filter(({ id }) => places.all.every((one) => one.id !== id) && described.has(id))
  return [...own, ...others].toSorted((a, b) => a.x - b.x)
}

/**
 * k of the head is what a reader holds against the parts of the catalogue and against dealings that it does not describe: it rises only when
 * none of them has a smaller one (docs/spec/vault.md, "Change").
 */
async function headThreshold(
  vault: Vault,
  given: { readonly parts: readonly { readonly k: number }[]; readonly promised: number | undefined },
): Promise<number> {
  const { kysely } = vault.parts.db
  const writing = await kysely
    .selectFrom('deal')
    .select((eb) => eb.fn.min('k').as('k'))
    .where('state', '=', 'writing')
    .executeTakeFirst()
  const before = await kysely.selectFrom('reshape').select('head_threshold').executeTakeFirst()
  const waiting = await kysely.selectFrom('change').select('id').limit(1).executeTakeFirst()
  const unwritten = waiting === undefined ? undefined : before?.head_threshold
  const all = [vault.row.threshold, given.promised, writing?.k, unwritten, ...given.parts.map(({ k }) => k)]
  return Math.min(...all.filter((k) => typeof k === 'number'))
}
