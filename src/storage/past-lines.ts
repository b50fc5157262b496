// What a snapshot says of the past beside the present state: names over time, the trash, the rules, the grants, the newest records of deletions.
import type { Transaction } from '#database'
import type { CatalogueLine } from './catalogue-lines.ts'
import { CARRIED_MAX, isCarried } from './deletion.ts'
import { grantLine } from './grants.ts'
import { keepLine, rulesOf } from './keeping.ts'
import type { StorageTables } from './tables.ts'

const PAGE_ROWS = 500

/** These lines follow those of folders, dealings and files. */
export async function* pastLines(tx: Transaction<StorageTables>): AsyncGenerator<CatalogueLine> {
  const history = await tx.selectFrom('history').select('since').executeTakeFirst()
  if (history !== undefined) yield { op: 'history', since: history.since }
  yield* nameLines(tx)
  for (let after = ''; ;) {
    const rows = await tx.selectFrom('trash').selectAll().where('id', '>', after).orderBy('id').limit(PAGE_ROWS).execute()
    for (const { id, path, at, by } of rows) yield { op: 'trash', id, path, at, by }
    if (rows.length < PAGE_ROWS) break
    after = rows[rows.length - 1]!.id
  }
  for (const row of (await rulesOf(tx)).all) yield keepLine(row)
  for (let after = { path: '', subject: '' }; ;) {
    const rows = await tx
      .selectFrom('path_grant')
      .selectAll()
      .where((eb) => eb.or([eb('path', '>', after.path), eb.and([eb('path', '=', after.path), eb('subject', '>', after.subject)])]))
      .orderBy('path')
      .orderBy('subject')
      .limit(PAGE_ROWS)
      .execute()
    for (const row of rows) yield grantLine(row)
    if (rows.length < PAGE_ROWS) break
    after = rows[rows.length - 1]!
  }
  const closed = await tx
    .selectFrom('deletion')
    .select('record')
    .where('record', 'is not', null)
    .orderBy('at', 'desc')
    .limit(CARRIED_MAX)
    .execute()
  for (const { record } of closed.toReversed()) if (record !== null && isCarried(record)) yield { op: 'deletion', record }
}

/** Names that files had, and since when they have the present one where the first version does not tell. */
async function* nameLines(tx: Transaction<StorageTables>): AsyncGenerator<CatalogueLine> {
  for (let after = { file: '', since: '' }; ;) {
    const rows = await tx
      .selectFrom('past_name')
      .selectAll()
      .where((eb) => eb.or([eb('file', '>', after.file), eb.and([eb('file', '=', after.file), eb('since', '>', after.since)])]))
      .orderBy('file')
      .orderBy('since')
      .limit(PAGE_ROWS)
      .execute()
    for (const row of rows) yield { op: 'name', ...row }
    if (rows.length < PAGE_ROWS) break
    after = rows[rows.length - 1]!
  }
  for (let after = ''; ;) {
    const rows = await tx
      .selectFrom('file as f')
      .select(['f.file', 'f.path', 'f.since'])
      .where('f.file', '>', after)
      .where((eb) =>
        eb(
          'f.since',
          '!=',
          eb.selectFrom('file_version as v').select('v.at').whereRef('v.file', '=', 'f.file').orderBy('v.number').limit(1),
        ),
      )
      .orderBy('f.file')
      .limit(PAGE_ROWS)
      .execute()
    for (const { file, path, since } of rows) yield { op: 'name', file, path, since, until: null }
    if (rows.length < PAGE_ROWS) return
    after = rows[rows.length - 1]!.file
  }
}
