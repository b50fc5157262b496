// Taking own changes back that no head names yet, so that the changes of other writers can be applied before them (docs/spec/vault.md, "Several writers").
import { Failure } from '#base'
import type { Transaction } from '#database'
import { z } from 'zod'
import { relocate } from './catalogue.ts'
import { type CatalogueLine, encodeLine, parseLine } from './catalogue-lines.ts'
import { grantLine, grantLinesBelow, putGrant } from './grants.ts'
import { forgetMove } from './history.ts'
import { keepLine, noKeeping, putKeeping } from './keeping.ts'
import { isReserved, splitPath, TRASH } from './paths.ts'
import type { StorageTables } from './tables.ts'

type Tx = Transaction<StorageTables>

const version = z.object({ number: z.number(), deal: z.string(), created: z.string(), modified: z.string(), at: z.string().optional() })
const trash = z.object({
  id: z.string(),
  path: z.string(),
  kind: z.enum(['file', 'folder']),
  at: z.string(),
  by: z.string(),
  files: z.number(),
  bytes: z.number(),
})
const name = z.object({ path: z.string(), since: z.string(), until: z.string() })
const file = z.object({
  file: z.string(),
  path: z.string(),
  current: z.number(),
  since: z.string().optional(),
  versions: z.array(version),
  names: z.array(name).optional(),
})
const removed = z.object({
  folders: z.array(z.object({ path: z.string(), created: z.string() })),
  files: z.array(file),
  trash: trash.optional(),
  /** Lines of the grants on it. */
  grants: z.array(z.string()).optional(),
})
const forgotten = version.extend({ file: z.string() })
export type Removed = z.infer<typeof removed>
export type Forgotten = z.infer<typeof forgotten>

export function parseRemoved(text: string | null): Removed {
  return text === null ? { folders: [], files: [] } : removed.parse(JSON.parse(text))
}

export function parseForgotten(text: string | null): Forgotten | undefined {
  return text === null ? undefined : forgotten.parse(JSON.parse(text))
}

/** The dealing that a version had before it was dealt anew. */
export function parseReplaced(text: string | null): string | undefined {
  return text === null ? undefined : z.object({ replaced: z.string() }).parse(JSON.parse(text)).replaced
}

/** JSON of what removals are about to take away, by line; nothing where one site writes alone. */
export async function takenAway(tx: Tx, lines: readonly CatalogueLine[], replaced?: string): Promise<ReadonlyMap<CatalogueLine, string>> {
  const found = new Map<CatalogueLine, string>()
  if (replaced !== undefined) for (const line of lines) if (line.op === 'file') found.set(line, JSON.stringify({ replaced }))
  const taking = lines.filter(({ op }) => op === 'remove' || op === 'forget' || op === 'keep' || op === 'grant')
  if (taking.length === 0) return found
  if ((await tx.selectFrom('writer_certificate').select('fingerprint').limit(1).executeTakeFirst()) === undefined) return found
  for (const line of taking) {
    if (line.op === 'remove') found.set(line, JSON.stringify(await below(tx, line.path)))
    if (line.op === 'keep') {
      const row = await tx.selectFrom('keeping').selectAll().where('path', '=', line.path).executeTakeFirst()
      if (row !== undefined) found.set(line, JSON.stringify(keepLine(row)))
    }
    if (line.op === 'grant') {
      const row = await tx
        .selectFrom('path_grant')
        .selectAll()
        .where('path', '=', line.path)
        .where('subject', '=', line.subject)
        .executeTakeFirst()
      if (row !== undefined) found.set(line, JSON.stringify(grantLine(row)))
    }
    if (line.op === 'forget') {
      const row = await tx
        .selectFrom('file_version')
        .selectAll()
        .where('file', '=', line.file)
        .where('number', '=', line.number)
        .executeTakeFirst()
      if (row !== undefined) found.set(line, JSON.stringify(row))
    }
  }
  return found
}

async function below(tx: Tx, path: string): Promise<Removed> {
  const folders = await tx
    .selectFrom('folder')
    .select(['path', 'created'])
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', `${path}/`), eb('path', '<', `${path}0`)])]))
    .orderBy('path')
    .execute()
  const files = await tx
    .selectFrom('file')
    .select(['file', 'path', 'current', 'since'])
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', `${path}/`), eb('path', '<', `${path}0`)])]))
    .orderBy('path')
    .execute()
  const entry = isReserved(path)
    ? await tx
        .selectFrom('trash')
        .selectAll()
        .where('id', '=', path.slice(TRASH.length + 1))
        .executeTakeFirst()
    : undefined
  const grants = (await grantLinesBelow(tx, path)).map(encodeLine)
  const out: Removed = { folders, files: [], grants, ...(entry === undefined ? {} : { trash: entry }) }
  for (const one of files) {
    const versions = await tx
      .selectFrom('file_version')
      .select(['number', 'deal', 'created', 'modified', 'at'])
      .where('file', '=', one.file)
      .orderBy('number')
      .execute()
    const names = await tx
      .selectFrom('past_name')
      .select(['path', 'since', 'until'])
      .where('file', '=', one.file)
      .orderBy('since')
      .execute()
    out.files.push({ ...one, versions, names })
  }
  return out
}

/** As before the line was applied here. Lines are taken back newest first; what they note in `change` is the caller's to remove. */
export async function undoLine(tx: Tx, line: CatalogueLine, undo: string | null): Promise<void> {
  switch (line.op) {
    case 'folder':
      await tx.deleteFrom('folder').where('path', '=', line.path).execute()
      return
    case 'file': {
      const replaced = parseReplaced(undo)
      if (replaced !== undefined) {
        await tx.updateTable('deal').set({ state: 'stored' }).where('deal', '=', replaced).where('state', '=', 'dropping').execute()
        await tx
          .updateTable('file_version')
          .set({ deal: replaced })
          .where('file', '=', line.file)
          .where('number', '=', line.number)
          .execute()
        return
      }
      await tx.deleteFrom('file_version').where('file', '=', line.file).where('number', '=', line.number).execute()
      const left = await tx
        .selectFrom('file_version')
        .select((eb) => eb.fn.max('number').as('number'))
        .where('file', '=', line.file)
        .executeTakeFirst()
      if (left?.number == null) await tx.deleteFrom('file').where('file', '=', line.file).execute()
      else await tx.updateTable('file').set({ current: left.number }).where('file', '=', line.file).execute()
      return
    }
    case 'move': {
      const file = await tx.selectFrom('file').selectAll().where('path', '=', line.to).executeTakeFirst()
      await relocate(tx, { from: line.to, to: line.from, file, at: '' })
      return forgetMove(tx, line.from, line.at ?? '')
    }
    case 'trash':
      await tx.deleteFrom('trash').where('id', '=', line.id).execute()
      return
    case 'keep': {
      const before = undo === null ? noKeeping(line.path) : parseLine(undo)
      if (before.op === 'keep') await putKeeping(tx, before)
      return
    }
    case 'grant': {
      const before = undo === null ? ({ ...line, right: null } as const) : parseLine(undo)
      if (before.op === 'grant') await putGrant(tx, before)
      return
    }
    case 'remove': {
      const { folders, files, trash: entry, grants = [] } = parseRemoved(undo)
      if (entry !== undefined) await tx.insertInto('trash').values(entry).execute()
      for (const { path, created } of folders)
        await tx
          .insertInto('folder')
          .values({ path, created, parent: splitPath(path).parent })
          .execute()
      for (const { file, path, current, since = '', versions, names = [] } of files) {
        await tx
          .insertInto('file')
          .values({ file, path, current, parent: splitPath(path).parent, since })
          .execute()
        for (const one of versions) await putBack(tx, { ...one, file })
        for (const one of names)
          await tx
            .insertInto('past_name')
            .values({ ...one, file })
            .execute()
      }
      for (const text of grants) {
        const grant = parseLine(text)
        if (grant.op === 'grant') await putGrant(tx, grant)
      }
      return
    }
    case 'forget': {
      const one = parseForgotten(undo)
      if (one === undefined) throw new Failure('base.internal', { detail: 'a removed version is not known any more' })
      await putBack(tx, one)
      await tx
        .updateTable('file')
        .set((eb) => ({
          current: eb
            .selectFrom('file_version')
            .select((max) => max.fn.max('number').as('n'))
            .where('file', '=', one.file),
        }))
        .where('file', '=', one.file)
        .execute()
      return
    }
    case 'drop':
      await tx.updateTable('deal').set({ state: 'stored' }).where('deal', '=', line.dealId).where('state', '=', 'dropping').execute()
      return
    case 'deal':
    case 'place':
    case 'unplace':
    case 'vault':
    case 'location':
    case 'leave':
    case 'name':
    case 'history':
    case 'deletion':
    case 'upload':
    case 'upload-end':
      // Dealings and uploads have ids of their own, and where fragments lie is told again, after what others say of it.
      return
  }
}

async function putBack(tx: Tx, { file, number, deal, created, modified, at = created }: Forgotten): Promise<void> {
  await tx.updateTable('deal').set({ state: 'stored' }).where('deal', '=', deal).where('state', '=', 'dropping').execute()
  await tx.insertInto('file_version').values({ file, number, deal, created, modified, at }).execute()
}
