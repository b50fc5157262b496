// Reading the parts of the catalogue that a head names into the database (docs/spec/vault.md, "Catalogue").
import { Failure, rfc3339 } from '#base'
import type { Common } from '#format'
import { applyContext, applyLine } from './catalogue-apply.ts'
import { CATALOGUE_TYPE, type CatalogueHeading, type CatalogueLine, parseLines } from './catalogue-lines.ts'
import type { Findings } from './findings.ts'
import type { HeadReference } from './head.ts'
import { knowHistory } from './history.ts'
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
      .set({ size, padded: reader.assembly.totals.paddedLen, k: reader.assembly.common.k, layout: layoutOf(reader.assembly.common) })
      .where('deal', '=', reference.dealId)
      .execute()
    let unknown = 0
    const parsed = parseLines(reader.read({ first: 0, last: Math.max(0, size - 1) }), () => {
      unknown += 1
    })
    const lines = await apply(vault, parsed, reference.sequence)
    if (unknown > 0)
      findings.add({
        location: '',
        path: 'catalogue',
        fragment: '',
        kind: 'incomplete',
        detail: `part ${reference.sequence} of the catalogue has ${unknown} lines of a kind that this version does not know`,
      })
    await db.kysely
      .insertInto('segment')
      .values({ sequence: reference.sequence, kind: reference.kind, deal: reference.dealId, lines })
      .execute()
    findings.checkedFragments += fragments.length
  } finally {
    await reader.close()
  }
}

export function layoutOf({ suite }: Pick<Common, 'suite'>): 'shared' | 'sealed' {
  return suite === 1 ? 'shared' : 'sealed'
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
    readonly layout?: 'shared' | 'sealed'
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
        layout: given.layout ?? vault.row.layout,
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
  const context = applyContext(vault)
  let count = 0
  let batch: CatalogueLine[] = []
  let created = ''
  const flush = async (): Promise<void> => {
    const now = batch
    batch = []
    if (now.length > 0)
      await vault.parts.db.transaction(async (tx) => {
        for (const line of now) await applyLine(tx, line, { ...context, written: created })
        // What comes from the vault need not go back there.
        await tx.deleteFrom('change').execute()
      })
  }
  for await (const line of lines) {
    if (!('op' in line)) {
      if (line.vault !== vault.row.vault || line.sequence !== sequence)
        throw new Failure('format.mismatch', { detail: 'a part of the catalogue is of another vault or place in the order' })
      created = line.created
      continue
    }
    if (count === 0) {
      // Names are known from the first part on, unless it says more; the very first segment is about all that came before it was written.
      const since = sequence === 1 && 'created' in line && line.created < created ? line.created : created
      await knowHistory(vault.parts.db, since)
    }
    count += 1
    batch.push(line)
    if (batch.length >= APPLY_LINES) await flush()
  }
  await flush()
  return count
}
