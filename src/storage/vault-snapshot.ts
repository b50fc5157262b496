// The whole catalogue as lines, for a snapshot (docs/spec/vault.md, "Catalogue").
import { dealLineOf, type Store } from './catalogue.ts'
import { encodeLine } from './catalogue-lines.ts'
import { descriptionLines } from './description.ts'
import { pastLines } from './past-lines.ts'
import { createSpool } from './spool.ts'
import { toldLines } from './told-uploads.ts'

const PAGE_ROWS = 500

/** Writes the whole state to a file, as it is in one transaction. Undefined when it is to be a settled one and changes wait for their segment. */
export async function dumpCatalogue(
  db: Store,
  given: { readonly file: string; readonly heading: string; readonly settled: boolean },
): Promise<{ readonly lines: number; readonly lastId: number } | undefined> {
  const out = await createSpool(given.file)
  let lines = 0
  const write = async (line: string): Promise<void> => {
    lines += 1
    await out.write(line)
  }
  try {
    const lastId = await db.transaction(async (tx) => {
      if (given.settled && (await tx.selectFrom('change').select('id').limit(1).executeTakeFirst()) !== undefined) return undefined
      await out.write(given.heading)
      for (const line of await descriptionLines(tx)) await write(line)
      for (let after = ''; ;) {
        const rows = await tx.selectFrom('folder').selectAll().where('path', '>', after).orderBy('path').limit(PAGE_ROWS).execute()
        for (const row of rows) await write(encodeLine({ op: 'folder', path: row.path, created: row.created }))
        if (rows.length < PAGE_ROWS) break
        after = rows[rows.length - 1]!.path
      }
      for (let after = ''; ;) {
        const deals = await tx
          .selectFrom('deal')
          .selectAll()
          .where('purpose', '=', 'file')
          .where('state', '!=', 'writing')
          .where('deal', '>', after)
          .orderBy('deal')
          .limit(PAGE_ROWS)
          .execute()
        if (deals.length === 0) break
        const fragments = await tx
          .selectFrom('fragment')
          .selectAll()
          .where(
            'deal',
            'in',
            deals.map(({ deal }) => deal),
          )
          .orderBy('x')
          .execute()
        const byDeal = Map.groupBy(fragments, ({ deal }) => deal)
        const sets = await tx
          .selectFrom('deal_set')
          .select(['deal', 'generation', 'set_id as setId'])
          .where(
            'deal',
            'in',
            deals.map(({ deal }) => deal),
          )
          .execute()
        const setOf = new Map(sets.map((set) => [set.deal, set]))
        for (const deal of deals) {
          if (deal.state === 'dropping') await write(encodeLine({ op: 'drop', dealId: deal.deal }))
          else await write(encodeLine(dealLineOf(deal, byDeal.get(deal.deal) ?? [], setOf.get(deal.deal))))
        }
        after = deals[deals.length - 1]!.deal
      }
      for (let after = { file: '', number: 0 }; ;) {
        const rows = await tx
          .selectFrom('file_version as v')
          .innerJoin('file as f', 'f.file', 'v.file')
          .innerJoin('deal as d', 'd.deal', 'v.deal')
          .select(['v.file', 'f.path', 'v.number', 'd.object', 'd.version', 'd.deal', 'v.created', 'v.modified', 'v.at'])
          .where((eb) => eb.or([eb('v.file', '>', after.file), eb.and([eb('v.file', '=', after.file), eb('v.number', '>', after.number)])]))
          .orderBy('v.file')
          .orderBy('v.number')
          .limit(PAGE_ROWS)
          .execute()
        for (const row of rows) {
          const { deal, ...rest } = row
          await write(encodeLine({ op: 'file', ...rest, dealId: deal }))
        }
        if (rows.length < PAGE_ROWS) break
        after = { file: rows[rows.length - 1]!.file, number: rows[rows.length - 1]!.number }
      }
      for await (const line of pastLines(tx)) await write(encodeLine(line))
      for (const line of await toldLines(tx)) await write(line)
      const newest = await tx
        .selectFrom('change')
        .select((eb) => eb.fn.max('id').as('id'))
        .executeTakeFirst()
      return newest?.id ?? 0
    })
    await out.end()
    return lastId === undefined ? undefined : { lines, lastId }
  } finally {
    await out[Symbol.asyncDispose]()
  }
}
