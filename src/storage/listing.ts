// Names, folders and versions as people see them: pages of a folder, one entry, the versions of a file.
import { Failure } from '#base'
import type { Entry, Redundancy, Versions } from '#contract'
import { type Kysely, sql, type Transaction } from '#database'
import { absent, folderExists } from './catalogue.ts'
import { parsePath, TRASH, TRASH_END } from './paths.ts'
import type { DealTable, StorageTables } from './tables.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>

/** Locations that answer now; fragments elsewhere do not count as readable. */
export type Present = readonly string[]

export interface CurrentVersion {
  readonly file: string
  readonly path: string
  readonly number: number
  readonly modified: string
  readonly deal: DealTable
}

/** One page of a folder, folders and files mixed, by path in code point order; names after `after`. */
export async function listFolder(
  db: Handle,
  request: {
    readonly path: string
    readonly recursive: boolean
    readonly after?: string | undefined
    readonly limit: number
    readonly present: Present
  },
): Promise<{ entries: Entry[]; next: string | null }> {
  const path = parsePath(request.path)
  await requireFolder(db, path)
  const after = request.after ?? ''
  const below = path === '/' ? '/' : `${path}/`
  // '0' is the character after '/': everything below the folder stands in between.
  const above = path === '/' ? '0' : `${path}0`
  let folders = db
    .selectFrom('folder')
    .selectAll()
    .where('path', '>', after)
    .orderBy('path')
    .limit(request.limit + 1)
  let files = fileQuery(db, request.present)
    .where('file.path', '>', after)
    .orderBy('file.path')
    .limit(request.limit + 1)
  if (request.recursive) {
    folders = folders.where('path', '>=', below).where('path', '<', above)
    files = files.where('file.path', '>=', below).where('file.path', '<', above)
  } else {
    folders = folders.where('parent', '=', path)
    files = files.where('file.parent', '=', path)
  }
  if (path === '/') {
    folders = folders.where('path', '!=', TRASH).where((eb) => eb.or([eb('path', '<', `${TRASH}/`), eb('path', '>=', TRASH_END)]))
    files = files.where((eb) => eb.or([eb('file.path', '<', `${TRASH}/`), eb('file.path', '>=', TRASH_END)]))
  }
  const [folderRows, fileRows] = await Promise.all([folders.execute(), files.execute()])
  const entries = [...folderRows.map((row) => folderEntry(row.path, row.created)), ...fileRows.map(fileEntry)].toSorted((a, b) =>
    byCodePoint(a.path, b.path),
  )
  const page = entries.slice(0, request.limit)
  return { entries: page, next: entries.length > page.length ? page[page.length - 1]!.path : null }
}

export async function statEntry(db: Handle, given: string, present: Present): Promise<Entry> {
  const path = parsePath(given)
  if (path === '/') return folderEntry('/', new Date(0).toISOString())
  const file = await fileQuery(db, present).where('file.path', '=', path).executeTakeFirst()
  if (file !== undefined) return fileEntry(file)
  const folder = await db.selectFrom('folder').selectAll().where('path', '=', path).executeTakeFirst()
  if (folder !== undefined) return folderEntry(folder.path, folder.created)
  throw absent(path)
}

/** The version to read. Throws `storage.absent`. */
export async function findVersion(db: Handle, given: string, number?: number): Promise<CurrentVersion> {
  const path = parsePath(given)
  const file = await db.selectFrom('file').selectAll().where('path', '=', path).executeTakeFirst()
  if (file === undefined) {
    if (path === '/' || (await folderExists(db, path)))
      throw new Failure('storage.path', { detail: `${path} is a folder`, next: 'Name a file in it, or read it recursively.' })
    throw absent(path)
  }
  const version = await db
    .selectFrom('file_version')
    .selectAll()
    .where('file', '=', file.file)
    .where('number', '=', number ?? file.current)
    .executeTakeFirst()
  if (version === undefined) throw new Failure('storage.absent', { detail: `${path} has no version ${number}` })
  const deal = await db.selectFrom('deal').selectAll().where('deal', '=', version.deal).executeTakeFirstOrThrow()
  return { file: file.file, path, number: version.number, modified: version.modified, deal }
}

/** The file at a path with its current version; undefined for folders and for nothing. */
export async function objectAt(
  db: Handle,
  path: string,
): Promise<{ readonly id: string; readonly version: number; readonly path: string } | undefined> {
  const row = await db.selectFrom('file').select(['file', 'current']).where('path', '=', path).executeTakeFirst()
  return row === undefined ? undefined : { id: row.file, version: row.current, path }
}

export async function versionsOf(db: Handle, given: string, present: Present): Promise<Versions> {
  const { file, path } = await findVersion(db, given)
  const rows = await db
    .selectFrom('file_version as v')
    .innerJoin('deal as d', 'd.deal', 'v.deal')
    .innerJoin('file as f', 'f.file', 'v.file')
    .select(['v.number', 'v.created', 'v.modified', 'v.deal', 'd.size', 'd.type', 'd.k', 'd.n', 'f.current', heldCount(present).as('held')])
    .where('v.file', '=', file)
    .orderBy('v.number', 'desc')
    .execute()
  return {
    path,
    versions: rows.map((row) => ({
      number: row.number,
      size: row.size,
      type: row.type,
      created: row.created,
      modified: row.modified,
      current: row.number === row.current,
      redundancy: redundancyOf(row),
      sameAs: rows.findLast((other) => other.deal === row.deal && other.number > row.number)?.number ?? null,
    })),
  }
}

async function requireFolder(db: Handle, path: string): Promise<void> {
  if (path === '/' || (await folderExists(db, path))) return
  const file = await db.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()
  throw file === undefined ? absent(path) : new Failure('storage.path', { detail: `${path} is a file, not a folder` })
}

function fileQuery(db: Handle, present: Present) {
  return db
    .selectFrom('file')
    .innerJoin('file_version as v', (join) => join.onRef('v.file', '=', 'file.file').onRef('v.number', '=', 'file.current'))
    .innerJoin('deal as d', 'd.deal', 'v.deal')
    .select(['file.path', 'v.number', 'v.modified', 'd.size', 'd.type', 'd.k', 'd.n', heldCount(present).as('held')])
}

/** Fragments of `d` that can be read now. */
function heldCount(present: Present) {
  const places = present.length === 0 ? ['-'] : present
  return sql<number>`(select count(*) from fragment where fragment.deal = d.deal and fragment.state = 'held' and fragment.location in (${sql.join(places)}))`
}

function redundancyOf(row: { readonly held: number; readonly k: number; readonly n: number }): Redundancy {
  const { held } = row
  if (held < row.k) return 'unreadable'
  if (held >= row.n) return 'redundant'
  return held === row.k ? 'no-redundancy' : 'repair-due'
}

function fileEntry(row: {
  path: string
  number: number
  modified: string
  size: number
  type: string
  k: number
  n: number
  held: number
}): Entry {
  return {
    kind: 'file',
    path: row.path,
    name: row.path.slice(row.path.lastIndexOf('/') + 1),
    size: row.size,
    type: row.type,
    modified: row.modified,
    version: row.number,
    redundancy: redundancyOf(row),
  }
}

function folderEntry(path: string, created: string): Entry {
  return {
    kind: 'folder',
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    size: 0,
    type: '',
    modified: created,
    version: 0,
    redundancy: 'redundant',
  }
}

/** The order of UTF-8 bytes, which is how both databases compare texts. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
