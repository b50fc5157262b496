// Unfinished uploads in the vault's own catalogue: told when they begin and when they end, never in between, so that a home that was
// recovered goes on with those of the one that was lost.
import { rfc3339 } from '#base'
import type { Transaction } from '#database'
import { dealerFingerprint, newId } from '#format'
import { log } from './catalogue.ts'
import { type CatalogueLine, encodeLine, parseLine } from './catalogue-lines.ts'
import { decodeKeys } from './head.ts'
import type { StorageTables } from './tables.ts'
import type { UploadTable } from './tables-upload.ts'
import type { Vault } from './vault.ts'

type Tx = Transaction<StorageTables>
export type UploadLine = Extract<CatalogueLine, { op: 'upload' }>

/** Smaller ones are sent anew as fast as they are read back, and stand in nobody's catalogue. */
export const TOLD_BYTES_MIN = 2 ** 20
const PAGE_ROWS = 200

/** Notes for the vault that an upload was begun, or begun anew. Call it in the transaction that writes its intent. */
export async function tellUpload(tx: Tx, vault: Vault, row: Omit<UploadTable, 'active' | 'state' | 'stored'>): Promise<void> {
  if (row.size < TOLD_BYTES_MIN) return
  const deal = await tx.selectFrom('deal').selectAll().where('deal', '=', row.intent).executeTakeFirstOrThrow()
  const fragments = await tx.selectFrom('fragment').selectAll().where('deal', '=', row.intent).orderBy('x').execute()
  await tell(tx, {
    op: 'upload',
    upload: row.upload,
    site: siteOf(vault),
    actor: row.actor,
    path: row.path,
    file: row.file,
    size: row.size,
    modified: row.modified,
    type: row.type,
    ifAbsent: row.if_absent === 1,
    begun: row.created,
    restarts: row.restarts,
    object: deal.object,
    version: deal.version,
    k: deal.k,
    n: deal.n,
    layout: deal.layout,
    created: deal.created,
    fragments: fragments.flatMap(({ x, location, name }) => (name === null ? [] : [{ x, location, name }])),
  })
}

/** Notes that it ended, however. Nothing where it was never told. */
export async function tellEnd(tx: Tx, upload: string): Promise<void> {
  const told = await tx.deleteFrom('told_upload').where('upload', '=', upload).executeTakeFirst()
  if (told.numDeletedRows > 0n) await log(tx, [{ op: 'upload-end', upload }])
}

/** Keeps a line that stands in the vault. */
export async function keepTold(tx: Tx, line: Extract<CatalogueLine, { op: 'upload' | 'upload-end' }>): Promise<void> {
  await tx.deleteFrom('told_upload').where('upload', '=', line.upload).execute()
  if (line.op === 'upload')
    await tx
      .insertInto('told_upload')
      .values({ upload: line.upload, site: line.site, line: encodeLine(line) })
      .execute()
}

/** The lines as a snapshot holds them. */
export async function toldLines(tx: Tx): Promise<string[]> {
  const rows = await tx.selectFrom('told_upload').select('line').orderBy('upload').execute()
  return rows.map(({ line }) => line)
}

/** Names at locations that unfinished uploads have, whoever takes them. */
export async function toldNames(vault: Vault): Promise<ReadonlySet<string>> {
  const rows = await vault.parts.db.kysely.selectFrom('told_upload').select('line').execute()
  return new Set(rows.flatMap(({ line }) => uploadOf(line).fragments.map(({ name }) => name)))
}

/**
 * At the end of a recovery: unfinished uploads of the site that was here before, or of one that this one takes over, become its own, and wait
 * to be gone on with. Those of other writers are theirs. An upload whose file was found is over. Answers how many wait.
 */
export async function adoptTold(vault: Vault): Promise<number> {
  const { db, clock, places } = vault.parts
  const former = (JSON.parse(vault.row.former_dealers) as Parameters<typeof decodeKeys>[0][]).map((keys) =>
    dealerFingerprint(decodeKeys(keys)),
  )
  const mine = new Set([siteOf(vault), ...former])
  let waiting = 0
  for (let after = ''; ;) {
    const rows = await db.kysely
      .selectFrom('told_upload')
      .selectAll()
      .where('upload', '>', after)
      .orderBy('upload')
      .limit(PAGE_ROWS)
      .execute()
    for (const row of rows) {
      if (!mine.has(row.site)) continue
      const line = uploadOf(row.line)
      const names = line.fragments.filter(({ location }) => places.byId(location) !== undefined)
      const waits = await db.transaction(async (tx) => {
        const done = await tx.selectFrom('deal').select('deal').where('object', '=', line.object).limit(1).executeTakeFirst()
        if (done !== undefined || names.length === 0) {
          await tellEnd(tx, line.upload)
          return false
        }
        await takeOver(tx, { ...line, fragments: names }, rfc3339(clock.now()))
        await tell(tx, { ...line, site: siteOf(vault) })
        return true
      })
      if (waits) waiting += 1
    }
    if (rows.length < PAGE_ROWS) return waiting
    after = rows[rows.length - 1]!.upload
  }
}

/** Its intent and its row, as if it had been begun here. A recovery is a sign of life. */
async function takeOver(tx: Tx, line: UploadLine, active: string): Promise<void> {
  const intent = newId()
  const { object, version, k, n, layout, type, created } = line
  const shape = { chunk_log2: 18, size: 0, padded: 0, state: 'writing', purpose: 'file' } as const
  await tx
    .insertInto('deal')
    .values({ deal: intent, object, version, k, n, layout, type, created, ...shape })
    .execute()
  await tx
    .insertInto('fragment')
    .values(line.fragments.map((one) => ({ deal: intent, ...one, commitment: null, size: 0, state: 'writing' as const })))
    .execute()
  await tx
    .insertInto('upload')
    .values({
      upload: line.upload,
      intent,
      actor: line.actor,
      path: line.path,
      file: line.file,
      size: line.size,
      modified: line.modified,
      type,
      if_absent: line.ifAbsent ? 1 : 0,
      created: line.begun,
      active,
      restarts: line.restarts,
      state: 'open',
      stored: null,
    })
    .execute()
}

async function tell(tx: Tx, line: UploadLine): Promise<void> {
  await keepTold(tx, line)
  await log(tx, [line])
}

function uploadOf(text: string): UploadLine {
  return parseLine(text) as UploadLine
}

function siteOf(vault: Vault): string {
  return dealerFingerprint(vault.parts.signer().keys)
}
