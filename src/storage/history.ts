// Names over time: since when they are known, and taking a move back as if it had not been.
import type { Transaction } from '#database'
import type { Store } from './catalogue.ts'
import type { StorageTables } from './tables.ts'

type Tx = Transaction<StorageTables>

/** From when on names are known, said once in the life of a database. */
export async function knowHistory(db: Store, since: string): Promise<void> {
  await db.kysely
    .insertInto('history')
    .values({ id: 1, since })
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** After a file or folder went back from where a move at that moment had brought it: its names are as if that had not been. */
export async function forgetMove(tx: Tx, path: string, at: string): Promise<void> {
  const moved = await tx
    .selectFrom('past_name as p')
    .innerJoin('file as f', 'f.file', 'p.file')
    .select(['p.file', 'p.since'])
    .where('p.until', '=', at)
    .where((eb) => eb.or([eb('f.path', '=', path), eb.and([eb('f.path', '>=', `${path}/`), eb('f.path', '<', `${path}0`)])]))
    .execute()
  for (const { file, since } of moved) {
    await tx.updateTable('file').set({ since }).where('file', '=', file).execute()
    await tx.deleteFrom('past_name').where('file', '=', file).where('until', '=', at).execute()
  }
}
