// Applying the catalogue's own lines to the database: what a recovery reads, and what other writers of the vault wrote.
import { type Clock, rfc3339 } from '#base'
import { createFolder, relocate, removeEntry, type Store } from './catalogue.ts'
import type { CatalogueLine } from './catalogue-lines.ts'
import { keepDescription } from './description.ts'
import { adoptRecord } from './deletion.ts'
import { applyGrant } from './grants.ts'
import { applyKeeping } from './keeping.ts'
import { isBelow, splitPath } from './paths.ts'
import { freeX, isOfSet } from './redeal-sets.ts'
import { DROPPED_UNSEEN } from './sweep.ts'
import type { FragmentTable } from './tables.ts'
import { keepTold } from './told-uploads.ts'
import { noteTrash } from './trash.ts'
import type { Vault } from './vault.ts'

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]

export interface ApplyContext {
  readonly clock: Clock
  /** Locations that should hold a fragment of everything. */
  readonly places: readonly { readonly id: string; readonly x: number }[]
  readonly threshold: number
  readonly layout: 'shared' | 'sealed'
  /** When the part that holds the line was begun, for lines of old that do not say when they were. */
  readonly written?: string
}

export function applyContext(vault: Vault): ApplyContext {
  const { clock, places } = vault.parts
  return { clock, places: places.active, threshold: vault.row.threshold, layout: vault.row.layout }
}

/** One line of the catalogue, as the page says it. What it notes in `change` on the way is the caller's to remove. */
export async function applyLine(tx: Tx, line: CatalogueLine, context: ApplyContext): Promise<void> {
  switch (line.op) {
    case 'folder':
      return createFolder(tx, line.path, line.created)
    case 'deal': {
      // A later line for the same dealing replaces the earlier; what is known of a fragment that stays is kept.
      const known = new Map(
        (await tx.selectFrom('fragment').selectAll().where('deal', '=', line.dealId).execute()).map((row) => [`${row.x} ${row.name}`, row]),
      )
      await tx.deleteFrom('fragment').where('deal', '=', line.dealId).execute()
      await tx
        .insertInto('deal')
        .values({
          deal: line.dealId,
          object: line.object,
          version: line.version,
          k: line.k,
          n: line.n,
          layout: line.layout,
          chunk_log2: 18,
          size: line.size,
          padded: 0,
          type: line.type,
          created: line.created,
          state: 'stored',
          purpose: 'file',
        })
        .onConflict((oc) => oc.column('deal').doUpdateSet({ k: line.k, n: line.n, state: 'stored' }))
        .execute()
      const held = line.fragments.map(({ x, location, name, commitment }) => ({
        deal: line.dealId,
        x,
        location,
        name,
        commitment,
        size: known.get(`${x} ${name}`)?.size ?? 0,
        state: known.get(`${x} ${name}`)?.state ?? ('held' as const),
      }))
      const rows: FragmentTable[] = held
      // A set of its own has its own generation; what is known of when it was drawn is lost with another one.
      if (!(await isOfSet(tx, line.dealId, { generation: line.generation ?? 0, setId: line.set ?? '' }))) {
        await tx.deleteFrom('deal_set').where('deal', '=', line.dealId).execute()
        const set = { generation: line.generation ?? 0, set_id: line.set ?? null, dealt: null, renewed: null }
        await tx
          .insertInto('deal_set')
          .values({ deal: line.dealId, ...set })
          .execute()
      }
      for (const { id, x } of context.places)
        if (rows.every(({ location }) => location !== id))
          rows.push({ deal: line.dealId, x: freeX(rows, x), location: id, name: null, commitment: null, size: 0, state: 'pending' })
      if (rows.length > 0) await tx.insertInto('fragment').values(rows).execute()
      return
    }
    case 'file': {
      const folders = splitPath(line.path)
      await createFolder(tx, folders.parent, line.created)
      const standing = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
      if (standing === undefined)
        await tx
          .insertInto('file')
          .values({ file: line.file, path: line.path, parent: folders.parent, current: line.number, since: line.at ?? line.created })
          .execute()
      else
        await tx
          .updateTable('file')
          .set({ path: line.path, parent: folders.parent, current: Math.max(standing.current, line.number) })
          .where('file', '=', line.file)
          .execute()
      await tx
        .insertInto('file_version')
        .values({
          file: line.file,
          number: line.number,
          deal: line.dealId,
          created: line.created,
          modified: line.modified,
          at: line.at ?? line.created,
        })
        // Dealt anew, a version keeps its number.
        .onConflict((oc) => oc.columns(['file', 'number']).doUpdateSet({ deal: line.dealId }))
        .execute()
      return
    }
    case 'move': {
      if (isBelow(line.to, line.from) || !(await exists(tx, line.from)) || (await exists(tx, line.to))) return
      const file = await tx.selectFrom('file').selectAll().where('path', '=', line.from).executeTakeFirst()
      return relocate(tx, { from: line.from, to: line.to, file, at: line.at ?? context.written ?? rfc3339(context.clock.now()) })
    }
    case 'name':
      if ((await tx.selectFrom('file').select('file').where('file', '=', line.file).executeTakeFirst()) === undefined) return
      if (line.until === null) await tx.updateTable('file').set({ since: line.since }).where('file', '=', line.file).execute()
      else
        await tx
          .insertInto('past_name')
          .values({ file: line.file, path: line.path, since: line.since, until: line.until })
          .onConflict((oc) => oc.doNothing())
          .execute()
      return
    case 'history':
      await tx.updateTable('history').set({ since: line.since }).execute()
      return
    case 'trash':
      await noteTrash(tx, line)
      return
    case 'keep':
      return applyKeeping(tx, line)
    case 'grant':
      return applyGrant(tx, line)
    case 'deletion':
      return adoptRecord(tx, line.record)
    case 'upload':
    case 'upload-end':
      return keepTold(tx, line)
    case 'remove':
      if (await exists(tx, line.path)) await removeEntry(tx, { path: line.path, recursive: true })
      return
    case 'forget': {
      const file = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
      if (file !== undefined) await removeEntry(tx, { path: file.path, recursive: false, version: line.number })
      return
    }
    case 'place':
      await tx
        .deleteFrom('fragment')
        .where('deal', '=', line.dealId)
        .where((eb) => eb.or([eb('x', '=', line.x), eb('location', '=', line.location)]))
        .execute()
      if ((await tx.selectFrom('deal').select('deal').where('deal', '=', line.dealId).executeTakeFirst()) === undefined) return
      await tx
        .insertInto('fragment')
        .values({
          deal: line.dealId,
          x: line.x,
          location: line.location,
          name: line.name,
          commitment: line.commitment,
          size: 0,
          state: 'held',
        })
        .execute()
      return
    case 'unplace':
      await tx
        .updateTable('fragment')
        .set({ name: null, commitment: null, state: 'pending' })
        .where('deal', '=', line.dealId)
        .where('x', '=', line.x)
        .execute()
      return
    case 'vault':
      await tx
        .updateTable('vault')
        .set({ name: line.name, require_all: line.requireAll ? 1 : 0, created: line.created })
        .execute()
      return keepDescription(tx, line)
    case 'location':
    case 'leave':
      return keepDescription(tx, line)
    case 'drop': {
      // A snapshot repeats drops of dealings that it does not describe; the row keeps what turns up of them from being taken for new.
      const described = await tx.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', line.dealId).executeTakeFirst()
      if (Number(described.numUpdatedRows) > 0) return
      const { threshold, layout } = context
      const row = {
        deal: line.dealId,
        object: line.dealId,
        version: 0,
        k: threshold,
        n: threshold,
        layout,
        chunk_log2: 18,
        size: 0,
        padded: 0,
        type: '',
        created: DROPPED_UNSEEN,
      }
      await tx
        .insertInto('deal')
        .values({ ...row, state: 'dropping', purpose: 'file' })
        .execute()
    }
  }
}

async function exists(tx: Tx, path: string): Promise<boolean> {
  const file = await tx.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()
  return file !== undefined || (await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
}
