// Reading the parts of the catalogue that a head names into the database (docs/spec/vault.md, "Catalogue").
import { Failure, rfc3339 } from '#base'
import { createFolder, moveEntry, removeEntry, type Store } from './catalogue.ts'
import { CATALOGUE_TYPE, type CatalogueHeading, type CatalogueLine, parseLines } from './catalogue-lines.ts'
import type { Findings } from './findings.ts'
import type { HeadReference } from './head.ts'
import { splitPath } from './paths.ts'
import { DROPPED_UNSEEN } from './sweep.ts'
import type { Vault } from './vault.ts'

const APPLY_LINES = 1000
const NAME = /^[0-9a-f]{2}\/[0-9a-f]{32}$/

export async function applyReference(
  vault: Vault,
  reference: HeadReference & { kind: 'snapshot' | 'segment' },
  findings: Findings,
): Promise<void> {
  const { db } = vault.parts
  const fragments = reference.fragments.filter(({ location, name }) => vault.parts.places.byId(location) !== undefined && NAME.test(name))
  await insertDeal(vault, { ...reference, k: vault.row.threshold, purpose: 'catalogue', fragments })
  let reader
  try {
    const deal = await db.kysely.selectFrom('deal').selectAll().where('deal', '=', reference.dealId).executeTakeFirstOrThrow()
    reader = await vault.openUnchecked(deal)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, {
      detail: `part ${reference.sequence} of the catalogue cannot be read: ${error.message}`,
      culprits: error.culprits,
      next: 'Bring more locations into reach; recovery/recover.py restores files without the catalogue, too.',
    })
  }
  try {
    const size = reader.meta.size
    await db.kysely
      .updateTable('deal')
      .set({ size, padded: reader.assembly.totals.paddedLen })
      .where('deal', '=', reference.dealId)
      .execute()
    const lines = await apply(vault, parseLines(reader.read({ first: 0, last: Math.max(0, size - 1) })), reference.sequence)
    await db.kysely
      .insertInto('segment')
      .values({ sequence: reference.sequence, kind: reference.kind, deal: reference.dealId, lines })
      .execute()
    findings.checkedFragments += fragments.length
  } finally {
    await reader.close()
  }
}

export async function insertDeal(
  vault: Vault,
  given: {
    readonly object: string
    readonly version: number
    readonly dealId: string
    readonly k: number
    readonly purpose: 'file' | 'catalogue'
    readonly size?: number
    readonly padded?: number
    readonly type?: string
    readonly created?: string
    readonly fragments: readonly { x: number; location: string; name: string; commitment?: string }[]
  },
): Promise<void> {
  await vault.parts.db.transaction(async (tx) => {
    await tx
      .insertInto('deal')
      .values({
        deal: given.dealId,
        object: given.object,
        version: given.version,
        k: given.k,
        n: Math.max(given.fragments.length, vault.parts.places.all.length),
        layout: vault.row.layout,
        chunk_log2: 18,
        size: given.size ?? 0,
        padded: given.padded ?? 0,
        type: given.type ?? CATALOGUE_TYPE,
        created: given.created ?? rfc3339(vault.parts.clock.now()),
        state: 'stored',
        purpose: given.purpose,
      })
      .execute()
    if (given.fragments.length === 0) return
    await tx
      .insertInto('fragment')
      .values(
        given.fragments.map(({ x, location, name, commitment }) => ({
          deal: given.dealId,
          x,
          location,
          name,
          commitment: commitment ?? null,
          size: 0,
          state: 'held' as const,
        })),
      )
      .execute()
  })
}

/** Applies the lines of one snapshot or segment; answers how many there were. */
async function apply(vault: Vault, lines: AsyncIterable<CatalogueHeading | CatalogueLine>, sequence: number): Promise<number> {
  let count = 0
  let batch: CatalogueLine[] = []
  const flush = async (): Promise<void> => {
    const now = batch
    batch = []
    if (now.length > 0)
      await vault.parts.db.transaction(async (tx) => {
        for (const line of now) await applyLine(vault, tx, line)
        // What comes from the vault need not go back there.
        await tx.deleteFrom('change').execute()
      })
  }
  for await (const line of lines) {
    if ('kind' in line) {
      if (line.vault !== vault.row.vault || line.sequence !== sequence)
        throw new Failure('format.mismatch', { detail: 'a part of the catalogue is of another vault or place in the order' })
      continue
    }
    count += 1
    batch.push(line)
    if (batch.length >= APPLY_LINES) await flush()
  }
  await flush()
  return count
}

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]

async function applyLine(vault: Vault, tx: Tx, line: CatalogueLine): Promise<void> {
  switch (line.op) {
    case 'folder':
      return createFolder(tx, line.path, line.created)
    case 'deal': {
      // A later line for the same dealing replaces the earlier.
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
        .onConflict((oc) => oc.column('deal').doUpdateSet({ k: line.k, n: line.n }))
        .execute()
      const rows = vault.parts.places.all.map((place) => {
        const fragment = line.fragments.find(({ location }) => location === place.id)
        return {
          deal: line.dealId,
          x: fragment?.x ?? place.x,
          location: place.id,
          name: fragment?.name ?? null,
          commitment: fragment?.commitment ?? null,
          size: 0,
          state: fragment === undefined ? ('pending' as const) : ('held' as const),
        }
      })
      await tx.insertInto('fragment').values(rows).execute()
      return
    }
    case 'file': {
      const folders = splitPath(line.path)
      await createFolder(tx, folders.parent, line.created)
      const standing = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
      if (standing === undefined)
        await tx.insertInto('file').values({ file: line.file, path: line.path, parent: folders.parent, current: line.number }).execute()
      else
        await tx
          .updateTable('file')
          .set({ path: line.path, parent: folders.parent, current: Math.max(standing.current, line.number) })
          .where('file', '=', line.file)
          .execute()
      await tx
        .insertInto('file_version')
        .values({ file: line.file, number: line.number, deal: line.dealId, created: line.created, modified: line.modified })
        .onConflict((oc) => oc.doNothing())
        .execute()
      return
    }
    case 'move':
      if ((await exists(tx, line.from)) && !(await exists(tx, line.to)))
        await moveEntry(tx, { from: line.from, to: line.to, replace: false, at: rfc3339(vault.parts.clock.now()) })
      return
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
    case 'drop': {
      // A snapshot repeats drops of dealings that it does not describe; the row keeps what turns up of them from being taken for new.
      const described = await tx.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', line.dealId).executeTakeFirst()
      if (Number(described.numUpdatedRows) > 0) return
      const { threshold, layout } = vault.row
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
