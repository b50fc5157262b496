// Names, folders and versions in the database. Every change writes its line for the vault's own catalogue in the same transaction.
import { Failure, limits, utf8 } from '#base'
import { type Database, type Kysely, sql, type Transaction } from '#database'
import { newId } from '#format'
import { type CatalogueLine, encodeLine } from './catalogue-lines.ts'
import { forgetGrants, moveGrants } from './grants.ts'
import { applyKeeping, keepingBelow, moveKeeping, noKeeping } from './keeping.ts'
import { foldersAbove, isBelow, isReserved, parsePath, splitPath, TRASH } from './paths.ts'
import { takenAway } from './rebase-undo.ts'
import { type DealSet, setOf } from './redeal-sets.ts'
import type { DealTable, FileTable, FragmentTable, StorageTables } from './tables.ts'

export type Store = Database<StorageTables>
type Handle = Kysely<StorageTables> | Transaction<StorageTables>
type Tx = Transaction<StorageTables>

/** Puts what stands at the path out of the way of what comes there. */
export type Displace = (tx: Tx, path: string) => Promise<void>

/** Told which dealings are to be deleted everywhere, while their fragments are still known, and how many stay because other names need them. */
export type Dropped = (tx: Tx, deals: readonly string[], stillNamed: number) => Promise<void>

/** What an upload needs to know before its first byte. Throws when the path cannot take a file. */
export async function requireWritable(
  db: Handle,
  given: string,
  ifAbsent: boolean,
): Promise<{ path: string; file: FileTable | undefined; folders: ReadonlySet<string> }> {
  const { path } = splitPath(given)
  if (isReserved(path)) throw new Failure('storage.path', { detail: `${path} belongs to the trash`, next: 'Choose another name.' })
  const way = [path, ...foldersAbove(path)]
  const folders = new Set((await db.selectFrom('folder').select('path').where('path', 'in', way).execute()).map((row) => row.path))
  if (folders.has(path)) throw new Failure('storage.exists', { detail: `${path} is a folder`, next: 'Choose another name.' })
  const files = await db.selectFrom('file').selectAll().where('path', 'in', way).execute()
  const blocking = files.find((file) => file.path !== path)
  if (blocking !== undefined)
    throw new Failure('storage.exists', { detail: `${blocking.path} is a file, so nothing can lie in it`, next: 'Choose another folder.' })
  const [file] = files
  if (file !== undefined && ifAbsent) throw new Failure('storage.exists', { detail: `${path} exists already` })
  return { path, file, folders }
}

/** Makes a stored dealing the current version at the path. */
export async function addVersion(
  tx: Tx,
  request: {
    readonly path: string
    readonly file: string
    readonly deal: DealTable
    /** Its fragments, when they are at hand. */
    readonly fragments?: readonly FragmentTable[]
    readonly created: string
    readonly modified: string
    /** When it can be seen; `created`, when its dealing began, when nothing is given. */
    readonly at?: string
    readonly ifAbsent: boolean
  },
): Promise<{ readonly file: string; readonly number: number }> {
  const { path, file: standing, folders } = await requireWritable(tx, request.path, request.ifAbsent)
  const missing = foldersAbove(path).filter((folder) => !folders.has(folder))
  if (missing.length > 0) await makeFolders(tx, missing, request.created)
  // The file that was to get a version may have moved away meanwhile: then this is a new one.
  const moved = standing === undefined && (await tx.selectFrom('file').select('file').where('file', '=', request.file).executeTakeFirst())
  const file = standing?.file ?? (moved ? newId() : request.file)
  const number = standing === undefined ? 1 : standing.current + 1
  const at = request.at ?? request.created
  if (standing === undefined)
    await tx
      .insertInto('file')
      .values({ file, path, parent: splitPath(path).parent, current: number, since: at })
      .execute()
  else await tx.updateTable('file').set({ current: number }).where('file', '=', file).execute()
  await tx
    .insertInto('file_version')
    .values({ file, number, deal: request.deal.deal, created: request.created, modified: request.modified, at })
    .execute()
  const { deal, fragments } = request
  await log(tx, [
    fragments === undefined ? await dealLine(tx, deal) : dealLineOf(deal, fragments),
    {
      op: 'file',
      file,
      path,
      number,
      object: deal.object,
      version: deal.version,
      dealId: deal.deal,
      created: request.created,
      modified: request.modified,
      at,
    },
  ])
  return { file, number }
}

export async function createFolder(tx: Tx, given: string, created: string): Promise<void> {
  const path = parsePath(given)
  if (path === '/') return
  await makeFolders(tx, [...foldersAbove(path), path], created)
}

export async function moveEntry(
  tx: Tx,
  request: { readonly from: string; readonly to: string; readonly replace: Displace | false; readonly at: string },
): Promise<void> {
  const from = splitPath(request.from).path
  const to = splitPath(request.to).path
  if (from === to) return
  const file = await tx.selectFrom('file').selectAll().where('path', '=', from).executeTakeFirst()
  if (file === undefined && !(await folderExists(tx, from))) throw absent(from)
  if (isBelow(to, from)) throw new Failure('storage.path', { detail: `${from} cannot be moved into itself` })
  await clearTarget(tx, to, file !== undefined && request.replace)
  if (file === undefined && !isReserved(to))
    await requireShort(tx, { from: `${from}/`, to: `${from}0` }, utf8(to).length - utf8(from).length)
  await relocate(tx, { from, to, file, at: request.at })
}

/** Gives a file or folder another path, where nothing stands; the path that it had is remembered. */
export async function relocate(
  tx: Tx,
  request: { readonly from: string; readonly to: string; readonly file: FileTable | undefined; readonly at: string },
): Promise<void> {
  const { from, to, file, at } = request
  await makeFolders(tx, foldersAbove(to), at)
  const within = { from: `${from}/`, to: `${from}0` }
  // A name that was given and taken away in one moment was never seen.
  await tx
    .insertInto('past_name')
    .columns(['file', 'path', 'since', 'until'])
    .expression((eb) =>
      eb
        .selectFrom('file')
        .select(['file', 'path', 'since', eb.val(at).as('until')])
        .where('since', '<', at)
        .$if(file !== undefined, (query) => query.where('file', '=', file!.file))
        .$if(file === undefined, (query) => query.where('path', '>=', within.from).where('path', '<', within.to)),
    )
    .onConflict((oc) => oc.doNothing())
    .execute()
  if (file !== undefined)
    await tx
      .updateTable('file')
      .set({ path: to, parent: splitPath(to).parent, since: later(at) })
      .where('file', '=', file.file)
      .execute()
  else {
    await moveFolder(tx, { from, to, at })
    if (!isReserved(to) && !isReserved(from)) await moveKeeping(tx, from, to)
  }
  await moveGrants(tx, from, to)
  await log(tx, [{ op: 'move', from, to, at }])
}

/** A copy names the same dealing: it costs no bytes, and lives on when the first is removed. */
export async function copyEntry(
  tx: Tx,
  request: { readonly from: string; readonly to: string; readonly replace: Displace | false; readonly at: string },
): Promise<void> {
  const from = splitPath(request.from).path
  const to = splitPath(request.to).path
  if (from === to) throw new Failure('storage.exists', { detail: `${to} is the file itself` })
  if (isBelow(to, from)) throw new Failure('storage.path', { detail: `${from} cannot be copied into itself` })
  const file = await tx.selectFrom('file').selectAll().where('path', '=', from).executeTakeFirst()
  if (file === undefined && !(await folderExists(tx, from))) throw absent(from)
  await clearTarget(tx, to, file !== undefined && request.replace)
  if (file !== undefined) return copyFile(tx, file, { to, at: request.at })
  const below = `${from}/`
  const folders = await tx
    .selectFrom('folder')
    .select('path')
    .where('path', '>=', below)
    .where('path', '<', `${from}0`)
    .orderBy('path')
    .execute()
  await createFolder(tx, to, request.at)
  for (const folder of folders) await createFolder(tx, to + folder.path.slice(from.length), request.at)
  const files = await tx.selectFrom('file').selectAll().where('path', '>=', below).where('path', '<', `${from}0`).orderBy('path').execute()
  for (const one of files) await copyFile(tx, one, { to: to + one.path.slice(from.length), at: request.at })
}

async function copyFile(
  tx: Tx,
  file: { readonly file: string; readonly current: number },
  target: { readonly to: string; readonly at: string },
): Promise<void> {
  const version = await tx
    .selectFrom('file_version')
    .selectAll()
    .where('file', '=', file.file)
    .where('number', '=', file.current)
    .executeTakeFirstOrThrow()
  await addVersion(tx, {
    path: target.to,
    file: newId(),
    deal: await tx.selectFrom('deal').selectAll().where('deal', '=', version.deal).executeTakeFirstOrThrow(),
    created: target.at,
    modified: version.modified,
    ifAbsent: true,
  })
}

/** Removes a file with its versions, one version, or a folder. Answers how many files or versions went. */
export async function removeEntry(
  tx: Tx,
  request: {
    readonly path: string
    readonly recursive: boolean
    readonly version?: number | undefined
    readonly dropped?: Dropped | undefined
  },
): Promise<number> {
  const path = parsePath(request.path)
  const { dropped } = request
  const file = await tx.selectFrom('file').selectAll().where('path', '=', path).executeTakeFirst()
  if (file !== undefined && request.version !== undefined) return removeVersion(tx, file, { number: request.version, dropped })
  if (request.version !== undefined && (path === '/' || (await folderExists(tx, path))))
    throw new Failure('storage.path', { detail: `${path} is a folder: it has no versions` })
  if (file !== undefined) {
    await log(tx, [{ op: 'remove', path }])
    await dropFiles(tx, [file.file], dropped)
    await forgetGrants(tx, path)
    return 1
  }
  if (path === '/') throw new Failure('storage.path', { detail: 'the root cannot be removed' })
  if (!(await folderExists(tx, path))) throw absent(path)
  const below = `${path}/`
  const files = await tx.selectFrom('file').select('file').where('path', '>=', below).where('path', '<', `${path}0`).execute()
  const folders = await tx.selectFrom('folder').select('path').where('path', '>=', below).where('path', '<', `${path}0`).execute()
  if (!request.recursive && files.length + folders.length > 0) {
    throw new Failure('storage.exists', { detail: `${path} is not empty`, next: 'Remove it recursively (rm -r).' })
  }
  await log(tx, [{ op: 'remove', path }])
  for (let at = 0; at < files.length; at += 500)
    await dropFiles(
      tx,
      files.slice(at, at + 500).map((one) => one.file),
      dropped,
    )
  await tx
    .deleteFrom('folder')
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', below), eb('path', '<', `${path}0`)])]))
    .execute()
  await forgetGrants(tx, path)
  if (path.startsWith(`${TRASH}/`))
    await tx
      .deleteFrom('trash')
      .where('id', '=', path.slice(TRASH.length + 1))
      .execute()
  else for (const rule of await keepingBelow(tx, path)) await applyKeeping(tx, noKeeping(rule.path))
  return files.length
}

async function removeVersion(
  tx: Tx,
  file: { readonly file: string; readonly path: string; readonly current: number },
  { number, dropped }: { readonly number: number; readonly dropped: Dropped | undefined },
): Promise<number> {
  const rows = await tx.selectFrom('file_version').select(['number', 'deal']).where('file', '=', file.file).orderBy('number').execute()
  const row = rows.find((one) => one.number === number)
  if (row === undefined) throw new Failure('storage.absent', { detail: `${file.path} has no version ${number}` })
  if (rows.length === 1) {
    await log(tx, [{ op: 'remove', path: file.path }])
    await dropFiles(tx, [file.file], dropped)
    await forgetGrants(tx, file.path)
    return 1
  }
  await log(tx, [{ op: 'forget', file: file.file, number }])
  await tx.deleteFrom('file_version').where('file', '=', file.file).where('number', '=', number).execute()
  const newest = Math.max(...rows.filter((one) => one.number !== number).map((one) => one.number))
  await tx.updateTable('file').set({ current: newest }).where('file', '=', file.file).execute()
  await dropUnnamed(tx, [row.deal], dropped)
  return 1
}

async function dropFiles(tx: Tx, files: readonly string[], dropped: Dropped | undefined): Promise<void> {
  if (files.length === 0) return
  const deals = await tx.selectFrom('file_version').select('deal').distinct().where('file', 'in', files).execute()
  await tx.deleteFrom('file_version').where('file', 'in', files).execute()
  await tx.deleteFrom('file').where('file', 'in', files).execute()
  for (let at = 0; at < deals.length; at += 500)
    await dropUnnamed(
      tx,
      deals.slice(at, at + 500).map((row) => row.deal),
      dropped,
    )
}

/** Dealings that no version names any more are to be deleted everywhere. */
export async function dropUnnamed(tx: Tx, deals: readonly string[], tell?: Dropped): Promise<void> {
  if (deals.length === 0) return
  const named = new Set(
    (await tx.selectFrom('file_version').select('deal').distinct().where('deal', 'in', deals).execute()).map((row) => row.deal),
  )
  const dropped = deals.filter((deal) => !named.has(deal))
  await tell?.(tx, dropped, named.size)
  if (dropped.length === 0) return
  await tx.updateTable('deal').set({ state: 'dropping' }).where('deal', 'in', dropped).execute()
  await log(
    tx,
    dropped.map((deal): CatalogueLine => ({ op: 'drop', dealId: deal })),
  )
}

/** A move told with an earlier time than the name before it, by another writer's clock, changes no time. */
function later(at: string): ReturnType<typeof sql<string>> {
  return sql<string>`case when since < ${at} then ${at} else since end`
}

async function moveFolder(tx: Tx, { from, to, at }: { readonly from: string; readonly to: string; readonly at: string }): Promise<void> {
  // substr counts characters, not UTF-16 units.
  const cut = Array.from(from).length + 1
  const moved = (column: string): ReturnType<typeof sql<string>> => sql<string>`${to} || substr(${sql.ref(column)}, ${cut})`
  const within = { from: `${from}/`, to: `${from}0` }
  await tx
    .updateTable('folder')
    .set({ path: to, parent: splitPath(to).parent })
    .where('path', '=', from)
    .execute()
  await tx
    .updateTable('folder')
    .set({ path: moved('path'), parent: moved('parent') })
    .where('path', '>=', within.from)
    .where('path', '<', within.to)
    .execute()
  await tx
    .updateTable('file')
    .set({ path: moved('path'), parent: moved('parent'), since: later(at) })
    .where('path', '>=', within.from)
    .where('path', '<', within.to)
    .execute()
}

/** A folder that moves must not carry a path beyond what a path may be. */
async function requireShort(tx: Tx, within: { readonly from: string; readonly to: string }, longerBytes: number): Promise<void> {
  const bytes = sql<number>`octet_length(path)`
  for (const table of ['folder', 'file'] as const) {
    const row = await tx
      .selectFrom(table)
      .select('path')
      .where('path', '>=', within.from)
      .where('path', '<', within.to)
      .orderBy(bytes, 'desc')
      .limit(1)
      .executeTakeFirst()
    if (row !== undefined && utf8(row.path).length + longerBytes > limits.pathBytesMax)
      throw new Failure('storage.path', { detail: `${row.path} would get a path that is too long`, next: 'Choose a shorter name.' })
  }
}

/** Makes room at the target of a move or copy; an existing file goes only when it may be replaced. */
async function clearTarget(tx: Tx, to: string, replace: Displace | false): Promise<void> {
  const standing = await tx.selectFrom('file').select('file').where('path', '=', to).executeTakeFirst()
  if (standing === undefined && !(await folderExists(tx, to))) return
  if (standing === undefined || replace === false)
    throw new Failure('storage.exists', { detail: `${to} exists already`, next: 'Choose another name, or replace it expressly.' })
  await replace(tx, to)
}

async function makeFolders(tx: Tx, paths: readonly string[], created: string): Promise<void> {
  for (const path of paths) {
    if (await folderExists(tx, path)) continue
    const file = await tx.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()
    if (file !== undefined)
      throw new Failure('storage.exists', { detail: `${path} is a file, so nothing can lie in it`, next: 'Choose another folder.' })
    await tx
      .insertInto('folder')
      .values({ path, parent: splitPath(path).parent, created })
      .execute()
    await log(tx, [{ op: 'folder', path, created }])
  }
}

export async function folderExists(db: Handle, path: string): Promise<boolean> {
  return (await db.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
}

/** Notes lines for the next segment of the vault's own catalogue. `replaced`: the dealing that versions had which are dealt anew. */
export async function log(tx: Tx, lines: readonly CatalogueLine[], replaced?: string): Promise<void> {
  if (lines.length === 0) return
  // Called before what they take away is gone.
  const undo = await takenAway(tx, lines, replaced)
  for (let at = 0; at < lines.length; at += 500) {
    await tx
      .insertInto('change')
      .values(lines.slice(at, at + 500).map((line) => ({ line: encodeLine(line), undo: undo.get(line) ?? null })))
      .execute()
  }
}

export async function dealLine(db: Handle, deal: DealTable): Promise<CatalogueLine> {
  const rows = await db
    .selectFrom('fragment')
    .selectAll()
    .where('deal', '=', deal.deal)
    .where('state', '!=', 'writing')
    .orderBy('x')
    .execute()
  return dealLineOf(deal, rows, await setOf(db, deal.deal))
}

export function dealLineOf(
  deal: DealTable,
  rows: readonly { x: number; location: string; name: string | null; commitment: string | null }[],
  set?: DealSet,
): CatalogueLine {
  return {
    op: 'deal',
    object: deal.object,
    version: deal.version,
    dealId: deal.deal,
    k: deal.k,
    n: deal.n,
    layout: deal.layout,
    size: deal.size,
    type: deal.type,
    created: deal.created,
    ...(set === undefined || set.generation === 0 ? {} : { generation: set.generation }),
    ...(set === undefined || set.generation === 0 || set.setId === null ? {} : { set: set.setId }),
    fragments: rows.flatMap(({ x, location, name, commitment }) =>
      name === null || commitment === null ? [] : [{ x, location, name, commitment }],
    ),
  }
}

export function absent(path: string): Failure {
  return new Failure('storage.absent', { detail: `there is no file or folder ${path}`, next: 'List the folder above it.' })
}
