// Taking over what other writers wrote: the parts of the catalogue that a newer head names are read, verified and applied in one transaction.
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure, rfc3339 } from '#base'
import type { Transaction } from '#database'
import { newId } from '#format'
import { dealLine } from './catalogue.ts'
import { applyContext, applyLine } from './catalogue-apply.ts'
import { CATALOGUE_TYPE, type CatalogueLine, encodeLine, parseLine, parseLines } from './catalogue-lines.ts'
import type { HeadReference, VaultHead } from './head.ts'
import type { SeenHead } from './head-look.ts'
import { parsePath, splitPath } from './paths.ts'
import { applyOwn, rebase, takeBack } from './rebase.ts'
import { createSpool } from './spool.ts'
import { DROPPED_UNSEEN } from './sweep.ts'
import type { DealTable, SegmentTable, StorageTables, VaultTable } from './tables.ts'
import type { Vault } from './vault.ts'

type Tx = Transaction<StorageTables>

export interface Followed {
  /** The history that this site knew is not part of the other's: what was missing there was added to it. */
  readonly forked: boolean
  readonly lines: number
  /** Folders in which something changed; undefined = too many to tell. */
  readonly folders: ReadonlySet<string> | undefined
}

interface Part {
  readonly reference: HeadReference
  readonly kind: 'snapshot' | 'segment'
}

interface Plan {
  readonly parts: readonly Part[]
  /** Parts whose lines are to be read and applied. */
  readonly read: readonly Part[]
  /** Own segments up to here count from now on. */
  readonly settled: number
  /** `whole`: the state is replaced; `forked`: and what only we know is added to it. */
  readonly how: 'after' | 'whole' | 'forked'
}

/** Lines of others that are applied from memory; more of them go through a file. */
const LINES_MAX = 200_000
const FOLDERS_MAX = 100

/** Makes `seen` the base of this site. Its signer was judged by the caller. */
export async function adoptHead(vault: Vault, seen: SeenHead, given: { readonly site: string; readonly home: string }): Promise<Followed> {
  const { db } = vault.parts
  const segments = await db.kysely.selectFrom('segment').selectAll().orderBy('sequence').execute()
  const plan = planOf(seen.head, { segments, settled: vault.row.head_sequence })
  const spool = plan.how === 'after' ? undefined : join(given.home, `.snapshot-${newId()}`)
  try {
    const theirs: CatalogueLine[] = []
    await using out = spool === undefined ? undefined : await createSpool(spool)
    const counts = new Map<string, { readonly lines: number; readonly size: number; readonly padded: number }>()
    for (const part of plan.read)
      counts.set(
        part.reference.dealId,
        await readPart(vault, part, seen.head, async (line) => {
          if (out === undefined) theirs.push(line)
          else await out.write(encodeLine(line))
          if (theirs.length > LINES_MAX)
            throw new Failure('format.content', { detail: 'another writer wrote more at once than a segment can hold' })
        }),
      )
    await out?.end()
    const context = { ...applyContext(vault), threshold: seen.head.k, layout: seen.head.layout }
    const request = { context, site: given.site }
    const row = await db.transaction(async (tx) => {
      await tx.deleteFrom('change').where('segment', 'is not', null).where('segment', '<=', plan.settled).execute()
      if (spool === undefined) await rebase(tx, theirs, request)
      else await replace(tx, spool, { ...request, forked: plan.how === 'forked' })
      return settle(tx, vault, { seen, plan, counts })
    })
    vault.row = row
    vault.parts.changed()
    return { forked: plan.how === 'forked', lines: theirs.length, folders: spool === undefined ? foldersOf(theirs) : undefined }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('format.content', { detail: 'what another writer wrote does not fit the catalogue that it names', cause: error })
  } finally {
    if (spool !== undefined) await rm(spool, { force: true })
  }
}

/** What has to be read of a head by a site that holds these segments, of which those up to `settled` counted. Pure. */
export function planOf(
  head: VaultHead,
  own: { readonly segments: readonly Pick<SegmentTable, 'sequence' | 'deal'>[]; readonly settled: number },
): Plan {
  const parts: Part[] = [
    ...(head.catalogue === null ? [] : [{ reference: head.catalogue, kind: 'snapshot' as const }]),
    ...head.segments.map((reference) => ({ reference, kind: 'segment' as const })),
  ]
  const first = head.catalogue?.sequence ?? 1
  for (const [index, { reference }] of parts.entries())
    if (reference.sequence !== first + index)
      throw new Failure('format.content', { detail: `part ${first + index} of the catalogue is missing in the vault head` })
  const last = first + parts.length - 1
  const dealOf = new Map(own.segments.map(({ sequence, deal }) => [sequence, deal]))
  const differs = parts.some(
    ({ reference, kind }) =>
      kind === 'segment' &&
      reference.sequence <= own.settled &&
      dealOf.has(reference.sequence) &&
      dealOf.get(reference.sequence) !== reference.dealId,
  )
  if (differs || last < own.settled) return { parts, read: parts, settled: 0, how: 'forked' }
  // Own segments that the head names count from now on, wherever it was written.
  let settled = own.settled
  while (parts.some(({ reference }) => reference.sequence === settled + 1 && reference.dealId === dealOf.get(settled + 1))) settled += 1
  if (first > settled + 1) return { parts, read: parts, settled, how: 'whole' }
  return { parts, read: parts.filter(({ reference, kind }) => kind === 'segment' && reference.sequence > settled), settled, how: 'after' }
}

async function readPart(
  vault: Vault,
  { reference, kind }: Part,
  head: VaultHead,
  take: (line: CatalogueLine) => Promise<void>,
): Promise<{ readonly lines: number; readonly size: number; readonly padded: number }> {
  const among = reference.fragments.flatMap(({ location, name, x }) => {
    const place = vault.parts.places.byId(location)
    return place === undefined || !/^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name) ? [] : [{ place, name, x }]
  })
  const asked = { deal: reference.dealId, k: head.k, object: reference.object, version: reference.version }
  const reader = await vault.openUnchecked(asked, undefined, among)
  try {
    const { meta, assembly } = reader
    if (meta.type !== CATALOGUE_TYPE)
      throw new Failure('format.mismatch', { detail: 'what the vault head names is no part of a catalogue' })
    let lines = 0
    let heading = false
    for await (const line of parseLines(reader.read({ first: 0, last: Math.max(0, meta.size - 1) }))) {
      if (!('op' in line)) {
        if (line.vault !== vault.row.vault || line.sequence !== reference.sequence || line.kind !== kind)
          throw new Failure('format.mismatch', { detail: 'a part of the catalogue is of another vault or place in the order' })
        heading = true
        continue
      }
      lines += 1
      await take(line)
    }
    if (!heading) throw new Failure('format.content', { detail: 'a part of the catalogue is empty' })
    return { lines, size: meta.size, padded: assembly.totals.paddedLen }
  } finally {
    await reader.close()
    vault.forget(reference.dealId)
  }
}

/** The state becomes that of the file; own changes, and in a fork what only we know, come on top. */
async function replace(tx: Tx, file: string, given: Parameters<typeof applyOwn>[3] & { readonly forked: boolean }): Promise<void> {
  const own = await takeBack(tx)
  const before = given.forked ? await everyVersion(tx) : []
  for (const table of ['past_name', 'trash', 'keeping', 'told_upload', 'file_version', 'file', 'folder'] as const)
    await tx.deleteFrom(table).execute()
  const known = new Set<string>()
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const line = parseLine(text)
    if (line.op === 'deal' || line.op === 'drop') known.add(line.dealId)
    await applyLine(tx, line, given.context)
  }
  await tx.deleteFrom('change').execute()
  const all = [...(await unknownOf(tx, before, known)), ...own]
  const wanted = new Set(all.flatMap(({ line }) => ('dealId' in line ? [line.dealId] : [])))
  await applyOwn(tx, all, [], given)
  // What neither the vault nor we name was removed while this site was away.
  const kept = new Set([...known, ...wanted])
  for (const state of ['dropping', 'stored'] as const)
    for (let after = ''; ;) {
      const rows = await tx
        .selectFrom('deal')
        .select('deal')
        .where('purpose', '=', 'file')
        .where('state', '=', state)
        .$if(state === 'dropping', (query) => query.where('created', '=', DROPPED_UNSEEN))
        .where('deal', '>', after)
        .orderBy('deal')
        .limit(500)
        .execute()
      if (rows.length === 0) break
      after = rows[rows.length - 1]!.deal
      const gone = rows.map(({ deal }) => deal).filter((deal) => !kept.has(deal))
      if (gone.length > 0) await tx.deleteFrom('deal').where('deal', 'in', gone).execute()
    }
}

/** Versions whose dealings the other history does not know, each dealing described before it is named. */
async function unknownOf(
  tx: Tx,
  before: readonly (CatalogueLine & { op: 'file' })[],
  known: ReadonlySet<string>,
): Promise<{ readonly line: CatalogueLine; readonly undo: null }[]> {
  const lines: CatalogueLine[] = []
  const described = new Set<string>()
  for (const line of before) {
    if (known.has(line.dealId)) continue
    const deal = await tx.selectFrom('deal').selectAll().where('deal', '=', line.dealId).executeTakeFirst()
    if (deal !== undefined && !described.has(deal.deal)) lines.push(await dealLine(tx, deal))
    described.add(line.dealId)
    lines.push(line)
  }
  return lines.map((line) => ({ line, undo: null }))
}

async function everyVersion(tx: Tx): Promise<(CatalogueLine & { op: 'file' })[]> {
  const rows = await tx
    .selectFrom('file_version as v')
    .innerJoin('file as f', 'f.file', 'v.file')
    .innerJoin('deal as d', 'd.deal', 'v.deal')
    .select(['v.file', 'f.path', 'v.number', 'd.object', 'd.version', 'd.deal', 'v.created', 'v.modified', 'v.at'])
    .orderBy('v.file')
    .orderBy('v.number')
    .execute()
  return rows.map(({ deal, ...rest }) => ({ op: 'file', ...rest, dealId: deal }))
}

async function settle(
  tx: Tx,
  vault: Vault,
  {
    seen,
    plan,
    counts,
  }: {
    readonly seen: SeenHead
    readonly plan: Plan
    readonly counts: ReadonlyMap<string, { lines: number; size: number; padded: number }>
  },
): Promise<VaultTable> {
  const { head } = seen
  const before = new Map((await tx.selectFrom('segment').selectAll().execute()).map((row) => [row.deal, row.lines]))
  await tx.deleteFrom('segment').execute()
  for (const { reference, kind } of plan.parts) {
    const count = counts.get(reference.dealId)
    const known = await tx.selectFrom('deal').select('deal').where('deal', '=', reference.dealId).executeTakeFirst()
    if (known === undefined) await insertPart(tx, vault, { reference, head, size: count?.size ?? 0, padded: count?.padded ?? 0 })
    else await tx.updateTable('deal').set({ state: 'stored' }).where('deal', '=', reference.dealId).execute()
    await tx
      .insertInto('segment')
      .values({ sequence: reference.sequence, kind, deal: reference.dealId, lines: count?.lines ?? before.get(reference.dealId) ?? 0 })
      .execute()
  }
  await tx
    .updateTable('deal')
    .set({ state: 'dropping' })
    .where('purpose', '=', 'catalogue')
    .where('state', '=', 'stored')
    .where('deal', 'not in', (eb) => eb.selectFrom('segment').select('segment.deal'))
    .execute()
  const last = plan.parts.at(-1)?.reference.sequence ?? 0
  await tx
    .updateTable('vault')
    .set({
      epoch: head.epoch,
      head_hash: seen.hash,
      head_sequence: last,
      next_sequence: last + 1,
      head_at: head.created,
    })
    .execute()
  // What another site changed is the aim of this one as well, unless this one is changing the vault itself.
  const own = await tx.selectFrom('reshape').select(['state', 'head_threshold']).executeTakeFirst()
  if (own === undefined || own.state === 'idle') await tx.updateTable('vault').set({ threshold: head.k, layout: head.layout }).execute()
  await tx.updateTable('reshape').set({ head_threshold: head.k }).execute()
  await keepLocations(tx, head)
  return tx.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
}

/** Locations that another site added stand in our heads, too. */
async function keepLocations(tx: Tx, head: VaultHead): Promise<void> {
  const locations = JSON.stringify(head.locations)
  const updated = await tx.updateTable('head_state').set({ locations }).executeTakeFirst()
  if (updated.numUpdatedRows === 0n) await tx.insertInto('head_state').values({ id: 1, root: null, locations }).execute()
}

async function insertPart(
  tx: Tx,
  vault: Vault,
  given: { readonly reference: HeadReference; readonly head: VaultHead; readonly size: number; readonly padded: number },
): Promise<void> {
  const { reference, head, size, padded } = given
  const row: DealTable = {
    deal: reference.dealId,
    object: reference.object,
    version: reference.version,
    k: head.k,
    n: head.n,
    layout: head.layout,
    chunk_log2: 18,
    size,
    padded,
    type: CATALOGUE_TYPE,
    created: rfc3339(vault.parts.clock.now()),
    state: 'stored',
    purpose: 'catalogue',
  }
  await tx.insertInto('deal').values(row).execute()
  if (reference.fragments.length === 0) return
  await tx
    .insertInto('fragment')
    .values(
      reference.fragments.map(({ x, location, name }) => ({
        deal: reference.dealId,
        x,
        location,
        name,
        commitment: null,
        size: 0,
        state: 'held' as const,
      })),
    )
    .execute()
}

function foldersOf(lines: readonly CatalogueLine[]): ReadonlySet<string> | undefined {
  const folders = new Set<string>()
  for (const line of lines) {
    // An unfinished upload shows in no folder.
    for (const path of line.op === 'upload' ? [] : 'path' in line ? [line.path] : line.op === 'move' ? [line.from, line.to] : [])
      folders.add(path === '/' ? '/' : splitPath(parsePath(path)).parent)
    if (folders.size > FOLDERS_MAX) return undefined
  }
  return folders
}
