// What one dealing named passes to another of the same content, and the first is dropped.
import type { Transaction } from '#database'
import { dealLine, log } from './catalogue.ts'
import type { DealTable, StorageTables } from './tables.ts'

/** Call in the transaction that makes `made` stand, with its fragments and its set noted. */
export async function succeed(tx: Transaction<StorageTables>, before: string, made: DealTable): Promise<void> {
  const versions = await tx
    .selectFrom('file_version as v')
    .innerJoin('file as f', 'f.file', 'v.file')
    .select(['v.file', 'v.number', 'v.created', 'v.modified', 'f.path'])
    .where('v.deal', '=', before)
    .orderBy('v.file')
    .orderBy('v.number')
    .execute()
  await tx.updateTable('file_version').set({ deal: made.deal }).where('deal', '=', before).execute()
  await tx.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', before).execute()
  const { object, version, deal: dealId } = made
  const lines = versions.map((row) => ({ op: 'file' as const, ...row, object, version, dealId }))
  await log(tx, [await dealLine(tx, made), ...lines, { op: 'drop', dealId: before }], before)
}
