// The trash: what was removed lies under a reserved folder of the catalogue until it is restored, emptied or expired (docs/spec/vault.md, "Trash").
import { Failure } from '#base'
import type { TrashEntry, TrashListing } from '#contract'
import type { Kysely, Transaction } from '#database'
import { newId } from '#format'
import { type Displace, type Dropped, log, relocate, removeEntry } from './catalogue.ts'
import type { CatalogueLine } from './catalogue-lines.ts'
import { heldBy, requireNoHold, type Rules, rulesOf } from './keeping.ts'
import { foldersAbove, isBelow, splitPath, TRASH, userPath } from './paths.ts'
import type { StorageTables } from './tables.ts'
import type { TrashTable } from './tables-trash.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>
type Tx = Transaction<StorageTables>

const DAY_MS = 86_400_000
/** Other names tried for what comes back to a place that is taken. */
const NAMES_TRIED_MAX = 1000

/** Who removes, and when. */
export interface Deed {
  readonly by: string
  readonly at: string
}

/** Moves a file or folder into the trash. Throws `storage.absent`, `storage.exists` for a folder that is not empty, `storage.held`. */
export async function moveToTrash(
  tx: Tx,
  request: Deed & { readonly path: string; readonly recursive: boolean },
): Promise<{ readonly id: string; readonly removed: number }> {
  const path = userPath(request.path)
  if (path === '/') throw new Failure('storage.path', { detail: 'the root cannot be removed' })
  const { name } = splitPath(path)
  const file = await tx.selectFrom('file').selectAll().where('path', '=', path).executeTakeFirst()
  if (file === undefined) await requireFolder(tx, { path, mayBeFull: request.recursive })
  await requireNoHold(tx, path, request.at)
  const id = newId()
  await relocate(tx, { from: path, to: `${TRASH}/${id}/${name}`, file, at: request.at })
  const { files } = await noteTrash(tx, { op: 'trash', id, path, at: request.at, by: request.by })
  return { id, removed: files }
}

/** What a move or a copy replaces goes into the trash. */
export function displaceToTrash(deed: Deed): Displace {
  return async (tx, path) => {
    await moveToTrash(tx, { ...deed, path, recursive: false })
  }
}

/** Notes what lies under an id, counted as it lies there now, and writes its line. */
export async function noteTrash(
  tx: Tx,
  line: Extract<CatalogueLine, { op: 'trash' }>,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const folder = `${TRASH}/${line.id}`
  const direct = await tx.selectFrom('file').select('file').where('parent', '=', folder).limit(1).executeTakeFirst()
  const { files, bytes } = await tx
    .selectFrom('file as f')
    .innerJoin('file_version as v', 'v.file', 'f.file')
    .innerJoin('deal as d', 'd.deal', 'v.deal')
    .select((eb) => [eb.fn.count<number>('f.file').distinct().as('files'), eb.fn.sum<number>('d.size').as('bytes')])
    .where('f.path', '>=', `${folder}/`)
    .where('f.path', '<', `${folder}0`)
    .executeTakeFirstOrThrow()
  await tx.deleteFrom('trash').where('id', '=', line.id).execute()
  await tx
    .insertInto('trash')
    .values({
      id: line.id,
      path: line.path,
      kind: direct === undefined ? 'folder' : 'file',
      at: line.at,
      by: line.by,
      files,
      bytes: bytes ?? 0,
    })
    .execute()
  await log(tx, [line])
  return { files, bytes: bytes ?? 0 }
}

/** One page of the trash, the newest first; `after` is the `next` of the page before. */
export async function listTrash(
  db: Handle,
  request: { readonly after?: string | undefined; readonly limit: number; readonly now: string },
): Promise<TrashListing> {
  const [at = '', id = ''] = request.after?.split(' ') ?? []
  const rows = await db
    .selectFrom('trash')
    .selectAll()
    .$if(request.after !== undefined, (query) =>
      query.where((eb) => eb.or([eb('at', '<', at), eb.and([eb('at', '=', at), eb('id', '<', id)])])),
    )
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(request.limit + 1)
    .execute()
  const totals = await db
    .selectFrom('trash')
    .select((eb) => [
      eb.fn.countAll<number>().as('entries'),
      eb.fn.sum<number>('files').as('files'),
      eb.fn.sum<number>('bytes').as('bytes'),
    ])
    .executeTakeFirstOrThrow()
  const rules = await rulesOf(db)
  const page = rows.slice(0, request.limit)
  const last = page.at(-1)
  return {
    entries: page.map((row) => entryOf(row, rules, request.now)),
    next: rows.length > page.length && last !== undefined ? `${last.at} ${last.id}` : null,
    total: totals.entries,
    files: totals.files ?? 0,
    bytes: totals.bytes ?? 0,
  }
}

function entryOf(row: TrashTable, rules: Rules, now: string): TrashEntry {
  return {
    id: row.id,
    path: row.path,
    name: row.path.slice(row.path.lastIndexOf('/') + 1),
    kind: row.kind,
    at: row.at,
    by: row.by,
    files: row.files,
    bytes: row.bytes,
    expires: expiryOf(row, rules),
    heldUntil: rules.holdAround(row.path, now)?.hold_until ?? null,
  }
}

/** When an entry may go for good, as the folder that it came from says today. */
export function expiryOf(row: TrashTable, rules: Rules): string {
  return new Date(Date.parse(row.at) + rules.of(row.path).trashDays * DAY_MS).toISOString()
}

/**
 * Brings an entry back to where it was, or to `to`. A name that is taken is never overwritten: then it comes back as `name (2).ext`. Throws
 * `storage.absent` when the trash has no such entry, `storage.exists` when a file stands where a folder is needed.
 */
export async function restoreFromTrash(
  tx: Tx,
  request: { readonly id: string; readonly to?: string | undefined; readonly at: string },
): Promise<string> {
  const row = await trashRow(tx, request.id)
  const wished = splitPath(userPath(request.to ?? row.path)).path
  const from = `${TRASH}/${row.id}/${row.path.slice(row.path.lastIndexOf('/') + 1)}`
  const file = await tx.selectFrom('file').selectAll().where('path', '=', from).executeTakeFirst()
  const above = foldersAbove(wished)
  const blocking = above.length === 0 ? undefined : await tx.selectFrom('file').select('path').where('path', 'in', above).executeTakeFirst()
  if (blocking !== undefined)
    throw new Failure('storage.exists', {
      detail: `${blocking.path} is a file now, so nothing can lie in it`,
      next: 'Restore it to another place.',
    })
  const to = await freeName(tx, wished)
  await relocate(tx, { from, to, file, at: request.at })
  // Nothing is left in it but its row.
  await removeEntry(tx, { path: `${TRASH}/${row.id}`, recursive: true })
  return to
}

/** Removes an entry for good. Throws `storage.absent`, and `storage.held` while a hold lies on where it came from. */
export async function removeFromTrash(
  tx: Tx,
  request: { readonly id: string; readonly now: string; readonly dropped: Dropped },
): Promise<number> {
  const row = await trashRow(tx, request.id)
  const hold = (await rulesOf(tx)).holdAround(row.path, request.now)
  if (hold !== undefined) throw heldBy(hold)
  const removed = await removeEntry(tx, { path: `${TRASH}/${row.id}`, recursive: true, dropped: request.dropped })
  if (row.kind === 'folder') await forgetRules(tx, row.path, request.now)
  return removed
}

export async function trashRow(db: Handle, id: string): Promise<TrashTable> {
  const row = await db.selectFrom('trash').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined)
    throw new Failure('storage.absent', {
      detail: 'the trash has no such entry',
      next: 'It was restored or emptied meanwhile; list the trash.',
    })
  return row
}

/** Rules that named the folder and what was below it go with it, unless a folder stands there again. */
async function forgetRules(tx: Tx, path: string, at: string): Promise<void> {
  if ((await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined) return
  for (const rule of (await rulesOf(tx)).all) {
    if (rule.path !== path && !isBelow(rule.path, path)) continue
    await tx.deleteFrom('keeping').where('path', '=', rule.path).execute()
    const none = { versionsDays: null, versionsMin: null, trashDays: null, holdUntil: null }
    await log(tx, [{ op: 'keep', path: rule.path, ...none, by: '', at }])
  }
}

async function requireFolder(tx: Tx, { path, mayBeFull }: { readonly path: string; readonly mayBeFull: boolean }): Promise<void> {
  const folder = await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()
  if (folder === undefined)
    throw new Failure('storage.absent', { detail: `there is no file or folder ${path}`, next: 'List the folder above it.' })
  if (mayBeFull) return
  const full =
    (await tx.selectFrom('file').select('file').where('parent', '=', path).limit(1).executeTakeFirst()) ??
    (await tx.selectFrom('folder').select('path').where('parent', '=', path).limit(1).executeTakeFirst())
  if (full !== undefined) throw new Failure('storage.exists', { detail: `${path} is not empty`, next: 'Remove it recursively (rm -r).' })
}

async function freeName(tx: Tx, wished: string): Promise<string> {
  const { parent, name } = splitPath(wished)
  const dot = name.lastIndexOf('.')
  const stem = dot > 0 ? name.slice(0, dot) : name
  const extension = dot > 0 ? name.slice(dot) : ''
  for (let number = 1; number <= NAMES_TRIED_MAX; number++) {
    const path = number === 1 ? wished : `${parent === '/' ? '' : parent}/${stem} (${number})${extension}`
    const taken =
      (await tx.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()) ??
      (await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst())
    if (taken === undefined) return splitPath(path).path
  }
  throw new Failure('storage.exists', {
    detail: `${wished} and ${NAMES_TRIED_MAX} names like it are taken`,
    next: 'Restore it to another place.',
  })
}
