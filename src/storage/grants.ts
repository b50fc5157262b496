// Who was given what: grants on files and folders (docs/spec/vault.md, "Grants"). They stand in the vault's own catalogue, so that they outlive the
// site's database, and go where their path goes, into the trash and back. What a grant allows is decided by the room `access`.
import { Failure } from '#base'
import { type Kysely, type Migration, sql, type Transaction } from '#database'
import { log } from './catalogue.ts'
import type { CatalogueLine } from './catalogue-lines.ts'
import { isReserved, parsePath, TRASH, TRASH_END } from './paths.ts'
import type { StorageTables } from './tables.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>
type Tx = Transaction<StorageTables>
type GrantLine = Extract<CatalogueLine, { op: 'grant' }>

/** One grant; `subject` is a word of the room that asks, and opaque here. */
export interface PathGrant {
  readonly path: string
  readonly subject: string
  readonly right: 'read' | 'write' | 'manage'
  /** RFC 3339; null = until it is taken back. */
  readonly until: string | null
  readonly by: string
  readonly at: string
}

export type PathGrantTable = PathGrant

export interface GrantTables {
  readonly path_grant: PathGrantTable
}

/** Grants of one vault. */
const GRANTS_MAX = 100_000

export const grantMigrations: Record<string, Migration> = {
  'storage-grant-0001': {
    up: async (db) => {
      await db.schema
        .createTable('path_grant')
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('right', 'text', (c) => c.notNull())
        .addColumn('until', 'text')
        .addColumn('by', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('path_grant_key', ['path', 'subject'])
        .execute()
      await db.schema.createIndex('path_grant_subject').on('path_grant').columns(['subject', 'path']).execute()
    },
  },
}

/** Grants at exactly these paths to one of these subjects. */
export async function grantsAt(db: Handle, paths: readonly string[], subjects: readonly string[]): Promise<readonly PathGrant[]> {
  if (paths.length === 0 || subjects.length === 0) return []
  return db.selectFrom('path_grant').selectAll().where('path', 'in', paths).where('subject', 'in', subjects).execute()
}

/** Grants below a folder to one of these subjects, by path; not those of what lies in the trash. */
export async function grantsBelow(
  db: Handle,
  request: { readonly path: string; readonly subjects: readonly string[]; readonly limit: number },
): Promise<readonly PathGrant[]> {
  if (request.subjects.length === 0) return []
  const path = parsePath(request.path)
  return db
    .selectFrom('path_grant')
    .selectAll()
    .where('subject', 'in', request.subjects)
    .where('path', '>', path === '/' ? '/' : `${path}/`)
    .where('path', '<', path === '/' ? '0' : `${path}0`)
    .where((eb) => eb.or([eb('path', '<', TRASH), eb('path', '>=', TRASH_END)]))
    .orderBy('path')
    .limit(request.limit)
    .execute()
}

/** Every grant at these paths, or every one at all. */
export async function allGrants(
  db: Handle,
  request: { readonly paths?: readonly string[] | undefined; readonly limit: number },
): Promise<readonly PathGrant[]> {
  let query = db.selectFrom('path_grant').selectAll().orderBy('path').orderBy('subject').limit(request.limit)
  if (request.paths !== undefined) query = query.where('path', 'in', request.paths.length === 0 ? ['-'] : request.paths)
  return query.execute()
}

/** Gives, changes, or with `right: null` takes back. Throws `storage.absent` when nothing stands at the path, `api.limit` beyond the bound. */
export async function setGrant(
  tx: Tx,
  request: Omit<PathGrant, 'right'> & { readonly right: PathGrant['right'] | null },
): Promise<{ readonly before: PathGrant | undefined }> {
  const path = parsePath(request.path)
  if (request.right !== null && !(await stands(tx, path)))
    throw new Failure('storage.absent', { detail: `there is no file or folder ${path}`, next: 'Make it first.' })
  const before = await tx
    .selectFrom('path_grant')
    .selectAll()
    .where('path', '=', path)
    .where('subject', '=', request.subject)
    .executeTakeFirst()
  if (before === undefined && request.right === null) return { before }
  if (before === undefined) {
    const { count } = await tx
      .selectFrom('path_grant')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count >= GRANTS_MAX)
      throw new Failure('api.limit', {
        detail: `there are ${count} grants already`,
        next: 'Grant folders to groups instead of files to people.',
      })
  }
  const line: GrantLine = { op: 'grant', ...request, path }
  await log(tx, [line])
  await putGrant(tx, line)
  return { before }
}

/** A grant as the catalogue says it; one for what does not exist changes nothing. Writes its line again; a recovery drops that. */
export async function applyGrant(tx: Tx, line: GrantLine): Promise<void> {
  if (!(await stands(tx, line.path))) return
  await log(tx, [line])
  await putGrant(tx, line)
}

export async function putGrant(tx: Tx, { op: _, right, ...rest }: GrantLine): Promise<void> {
  await tx.deleteFrom('path_grant').where('path', '=', rest.path).where('subject', '=', rest.subject).execute()
  if (right !== null)
    await tx
      .insertInto('path_grant')
      .values({ ...rest, right })
      .execute()
}

/** They go along with what is moved. */
export async function moveGrants(tx: Tx, from: string, to: string): Promise<void> {
  await forgetGrants(tx, to)
  // substr counts characters, not UTF-16 units.
  const cut = Array.from(from).length + 1
  await tx
    .updateTable('path_grant')
    .set({ path: sql<string>`${to} || substr(path, ${cut})` })
    .where((eb) => eb.or([eb('path', '=', from), eb.and([eb('path', '>=', `${from}/`), eb('path', '<', `${from}0`)])]))
    .execute()
}

/** They go with what is removed for good: whoever makes the path anew gives anew. */
export async function forgetGrants(tx: Tx, path: string): Promise<void> {
  await tx
    .deleteFrom('path_grant')
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', `${path}/`), eb('path', '<', `${path}0`)])]))
    .execute()
}

/** Grants of a path and of what is below it, as lines. */
export async function grantLinesBelow(tx: Tx, path: string): Promise<GrantLine[]> {
  const rows = await tx
    .selectFrom('path_grant')
    .selectAll()
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', `${path}/`), eb('path', '<', `${path}0`)])]))
    .orderBy('path')
    .orderBy('subject')
    .execute()
  return rows.map(grantLine)
}

export function grantLine(row: PathGrant): GrantLine {
  return { op: 'grant', path: row.path, subject: row.subject, right: row.right, until: row.until, by: row.by, at: row.at }
}

async function stands(db: Handle, path: string): Promise<boolean> {
  if (path === '/') return true
  if (isReserved(path) && path.split('/').length < 4) return false
  const folder = await db.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()
  return folder !== undefined || (await db.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
}
