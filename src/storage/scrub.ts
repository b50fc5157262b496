// Checking what the locations keep. `present` and `tags` never reassemble an object: each fragment is judged alone; `full` reads each object whole.
import { Failure, isFailure, toHex } from '#base'
import type { ScrubDepth } from '#contract'
import { type Assembly, assemble, type AssemblyReport, ChunkOpener, commitment, type Frame, type Member } from '#format'
import { log } from './catalogue.ts'
import { Findings, type Progress } from './findings.ts'
import { openCandidate, type Opened } from './frame-search.ts'
import type { FragmentSource } from './location.ts'
import { whyAbsent } from './hidden.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { DealTable, FragmentTable } from './tables.ts'
import type { Vault } from './vault.ts'

const PAGE_DEALS = 200
const WORKERS = 3

export interface ScrubRequest {
  readonly depth: ScrubDepth
  /** One location only: its records; k key shares are read from others all the same. */
  readonly place?: Place | undefined
  readonly signal: AbortSignal
  readonly progress: Progress
  /** Told of what was read; takes its time, so that people's work has the places. */
  readonly pace?: ((bytes: number) => Promise<void>) | undefined
}

/** Goes through every stored object. What is lost or damaged is noted for repair; nothing is changed at the locations. */
export async function scrub(vault: Vault, request: ScrubRequest): Promise<Findings> {
  const { db, places } = vault.parts
  const findings = new Findings()
  await places.checkAll()
  request.progress.total(await countWork(vault, request))
  for (const place of places.all) {
    if (request.place !== undefined && place !== request.place) continue
    if (place.view.presence !== 'present')
      findings.add({
        location: place.label,
        path: '',
        fragment: '',
        kind: 'unreachable',
        detail: place.view.detail || `${place.label} does not answer`,
      })
  }
  for (let after = ''; ;) {
    const deals = await db.kysely
      .selectFrom('deal')
      .selectAll()
      .where('state', '=', 'stored')
      .where('deal', '>', after)
      .orderBy('deal')
      .limit(PAGE_DEALS)
      .execute()
    if (deals.length === 0) break
    after = deals[deals.length - 1]!.deal
    const queue = [...deals]
    await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        for (let deal = queue.shift(); deal !== undefined; deal = queue.shift()) {
          if (request.signal.aborted) throw new Failure('base.cancelled')
          await scrubDeal(vault, deal, request, findings)
        }
      }),
    )
  }
  if (request.depth !== 'full') await scrubNames(vault, request, findings)
  return findings
}

async function countWork(vault: Vault, request: ScrubRequest): Promise<number> {
  const { kysely } = vault.parts.db
  const { count } =
    request.depth === 'full'
      ? await kysely
          .selectFrom('deal')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('state', '=', 'stored')
          .executeTakeFirstOrThrow()
      : await kysely
          .selectFrom('fragment')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('name', 'is not', null)
          .$if(request.place !== undefined, (query) => query.where('location', '=', request.place!.id))
          .executeTakeFirstOrThrow()
  return count
}

interface Looked extends Opened {
  readonly row: FragmentTable
}

/** Checks what stands of one object. */
export async function scrubDeal(vault: Vault, listed: DealTable, request: ScrubRequest, findings: Findings): Promise<void> {
  if (request.depth === 'full') return readWhole(vault, listed, request, findings)
  const { db, places, clock, stallMs } = vault.parts
  const rows = (await db.kysely.selectFrom('fragment').selectAll().where('deal', '=', listed.deal).orderBy('x').execute()).filter(
    (row) => row.name !== null,
  )
  // After the names: where a change came in between, they are not those that stand, and nothing is noted against them.
  const deal = await db.kysely
    .selectFrom('deal')
    .selectAll()
    .where('deal', '=', listed.deal)
    .where('state', '=', 'stored')
    .executeTakeFirst()
  if (deal === undefined) return
  const { k, object, version } = deal
  const path = await pathOf(vault, deal)
  const isWanted = (row: FragmentTable): boolean => request.place === undefined || request.place.id === row.location
  const checked = (sizeBytes: number): void => {
    findings.checkedFragments += 1
    findings.checkedBytes += sizeBytes
    request.progress.add(1)
  }
  const note = async (row: FragmentTable, kind: 'lost' | 'corrupt' | 'head-copy', detail: string): Promise<void> => {
    const place = places.byId(row.location)!
    // What was removed or replaced while we looked is no loss.
    await vault.parts.news()
    if (!(await stands(vault, deal, row))) return
    findings.add({ location: place.label, path, fragment: row.name!, kind, detail })
    await vault.blame(deal.deal, { candidate: { place, x: row.x, name: row.name! }, kind: kind === 'lost' ? 'lost' : 'corrupt', detail })
  }
  /** Undefined when the place has no answer, which is noted. */
  const answerOf = async <T>(row: FragmentTable, place: Place, asking: Promise<T>): Promise<T | undefined> => {
    try {
      return await asking
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      if (error.code === 'location.absent') await note(row, 'lost', 'it is not there')
      else if (error.code === 'location.truncated') await note(row, 'corrupt', 'it ends too early')
      else {
        place.failed(error)
        findings.add({ location: place.label, path, fragment: row.name!, kind: 'unreachable', detail: error.message })
      }
      return undefined
    }
  }
  const patience = (place: Place): { clock: typeof clock; ms: number; label: string; signal: AbortSignal } => ({
    clock,
    ms: stallMs,
    label: place.label,
    signal: request.signal,
  })
  const present = rows.flatMap((row) => {
    const place = places.byId(row.location)
    return place !== undefined && place.view.presence === 'present' ? [{ row, place }] : []
  })
  if (request.depth === 'present') {
    for (const { row, place } of present.filter((one) => isWanted(one.row))) {
      const asking = within(patience(place), async (stop) => ({ head: await place.location.head(row.name!, { signal: stop }) }))
      const found = await answerOf(row, place, asking)
      checked(0)
      if (found === undefined) continue
      if (found.head === undefined) await note(row, 'lost', await whyAbsent(vault, place, { name: row.name!, signal: request.signal }))
      else if (row.size === 0) await learnSize(vault, row, found.head.sizeBytes)
      else if (found.head.sizeBytes !== row.size) await note(row, 'corrupt', `it has ${found.head.sizeBytes} bytes instead of ${row.size}`)
    }
    return
  }

  const looked: Looked[] = []
  try {
    // K needs k frames that verify: those of other places are read along.
    const ordered = present.toSorted((a, b) => Number(isWanted(b.row)) - Number(isWanted(a.row)))
    for (const { row, place } of ordered) {
      if (!isWanted(row) && judge().chosen !== undefined) break
      const candidate = { place, x: row.x, name: row.name! }
      const late = (answer: Opened): Promise<void> => answer.source.close()
      const asking = within({ ...patience(place), late }, (stop) => openCandidate(candidate, { front: true, signal: stop }))
      const opened = await answerOf(row, place, asking)
      if (opened !== undefined) looked.push({ ...opened, row })
      else if (isWanted(row)) checked(0)
    }
    const report = judge()
    const rowOf = (frame: Frame): FragmentTable => looked.find((one) => one.frame === frame)!.row
    const wrong = [
      ...report.blames.map(({ frame, reason }) => ({ frame, reason })),
      ...[...report.refused, ...report.conflicts].map((frame) => ({ frame, reason: 'it is a fragment of something else' })),
      ...report.superseded.map((frame) => ({ frame, reason: 'it is of a set that was replaced' })),
    ].filter(({ frame }) => isWanted(rowOf(frame)))
    for (const { frame, reason } of wrong) {
      checked(0)
      await note(rowOf(frame), 'corrupt', reason)
    }
    const { chosen } = report
    if (chosen === undefined) {
      await vault.parts.news()
      if (await areStored(vault, rows))
        findings.add({
          location: '',
          path,
          fragment: '',
          kind: 'unreadable',
          detail: report.failure?.message ?? 'too few fragments verify',
        })
      for (const frame of report.incomplete) if (isWanted(rowOf(frame))) checked(0)
      return
    }
    for (const member of chosen.members) {
      const one = looked.find(({ frame }) => frame === member.frame)!
      const { row } = one
      if (!isWanted(row)) continue
      const { place } = one.candidate
      const { signal, pace } = request
      const judging = judgeMember(vault, { assembly: chosen, member, source: one.source, label: place.label, signal, pace })
      const damage = await answerOf(
        row,
        place,
        judging.then((what) => ({ what })),
      )
      checked(one.source.sizeBytes)
      if (damage === undefined) continue
      const copy = report.heads.find(({ frame }) => frame === member.frame)
      if (damage.what !== undefined) await note(row, 'corrupt', damage.what)
      else if (!asWritten(row, member)) await note(row, 'corrupt', 'it is not the fragment that was written there')
      else if (copy !== undefined) await note(row, 'head-copy', `its ${copy.damaged} HEAD copy is damaged`)
      else if (row.state !== 'held' || row.size !== one.source.sizeBytes || row.commitment === null)
        await acquit(vault, row, { sizeBytes: one.source.sizeBytes, commitment: commitmentOf(member) })
    }
  } finally {
    for (const { source } of looked) void source.close().catch(() => undefined)
  }

  function judge(): AssemblyReport {
    return assemble(
      looked.map(({ frame }) => frame),
      { k, vault: vault.row.vault, object, version, dealId: listed.deal },
    )
  }
}

/** Reads an object end to end as a person would: every chunk's tag, the SHA-256 of the whole, the zeros after it, the dealer's signature. */
async function readWhole(vault: Vault, deal: DealTable, request: ScrubRequest, findings: Findings): Promise<void> {
  const { places } = vault.parts
  const { signal } = request
  const { candidates: before } = await vault.set(deal)
  const path = await pathOf(vault, deal)
  try {
    const reader = await vault.open(deal, signal)
    try {
      for await (const piece of reader.read({ first: 0, last: Math.max(0, reader.meta.size - 1) }, signal)) {
        findings.checkedBytes += piece.length
        await request.pace?.(piece.length * deal.k)
      }
    } finally {
      await reader.close()
    }
    findings.checkedFragments += deal.k
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure) || error.code === 'base.cancelled') throw error
    // A place that is away explains it, and is told elsewhere; what was removed meanwhile is nobody's loss.
    const explained = error.kind === 'unavailable' && places.present.length < places.all.length
    if (!explained && (await isStored(vault, deal)))
      findings.add({ location: '', path, fragment: '', kind: 'unreadable', detail: error.message })
  }
  request.progress.add(1)
  const suspects = new Set(before.filter(({ suspect }) => suspect).map(({ name }) => name))
  const rows = await vault.parts.db.kysely.selectFrom('fragment').selectAll().where('deal', '=', deal.deal).execute()
  for (const { name, location, state } of rows) {
    if (name === null || suspects.has(name) || (state !== 'lost' && state !== 'corrupt')) continue
    const label = places.byId(location)?.label ?? location
    findings.add({ location: label, path, fragment: name, kind: state, detail: 'it was met while the file was read' })
  }
}

/** It is genuine; is it the one that the catalogue names? After a recovery the commitment may be unknown. */
function asWritten(row: FragmentTable, member: Member): boolean {
  const { x, unproven } = member.variant.head
  return x === row.x && (row.commitment === null || unproven || commitmentOf(member) === row.commitment)
}

function commitmentOf({ variant }: Member): string {
  return toHex(commitment({ ...variant.head, ...variant }))
}

/** What another site wrote comes without its size. */
async function learnSize(vault: Vault, { deal, x, name }: FragmentTable, sizeBytes: number): Promise<void> {
  await vault.parts.db.kysely
    .updateTable('fragment')
    .set({ size: sizeBytes })
    .where('deal', '=', deal)
    .where('x', '=', x)
    .where('name', '=', name)
    .where('size', '=', 0)
    .execute()
}

/** False when what it was was removed since. */
async function isStored(vault: Vault, { deal }: DealTable): Promise<boolean> {
  const found = await vault.parts.db.kysely.selectFrom('deal').select('state').where('deal', '=', deal).executeTakeFirst()
  return found?.state === 'stored'
}

/** False when what it was was removed or replaced since. */
async function areStored(vault: Vault, rows: readonly FragmentTable[]): Promise<boolean> {
  for (const row of rows) if (!(await stands(vault, { deal: row.deal }, row))) return false
  return true
}

/** False when the fragment was replaced, or its file removed, since the row was read. */
async function stands(vault: Vault, deal: Pick<DealTable, 'deal'>, row: FragmentTable): Promise<boolean> {
  const found = await vault.parts.db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .select('fragment.name')
    .where('fragment.deal', '=', deal.deal)
    .where('fragment.x', '=', row.x)
    .where('deal.state', '=', 'stored')
    .executeTakeFirst()
  return found?.name === row.name
}

/** Every tag of it is right, whatever was thought before: a place that was away, or bytes that were damaged on their way only. */
async function acquit(vault: Vault, row: FragmentTable, found: { readonly sizeBytes: number; readonly commitment: string }): Promise<void> {
  const { deal, x, location, name } = row
  await vault.parts.db.transaction(async (tx) => {
    const answer = await tx
      .updateTable('fragment')
      .set({ state: 'held', size: found.sizeBytes, commitment: found.commitment })
      .where('deal', '=', deal)
      .where('x', '=', x)
      .where('name', '=', name)
      .where('state', '=', row.state)
      .executeTakeFirst()
    const purpose = await tx.selectFrom('deal').select('purpose').where('deal', '=', deal).executeTakeFirst()
    if (row.commitment === null && answer.numUpdatedRows > 0n && name !== null && purpose?.purpose === 'file')
      await log(tx, [{ op: 'place', dealId: deal, x, location, name, commitment: found.commitment }])
  })
  vault.parts.changed()
}

/** Reads every record of one fragment; answers what is wrong with it. */
async function judgeMember(
  vault: Vault,
  given: {
    readonly assembly: Assembly
    readonly member: Member
    readonly source: FragmentSource
    readonly label: string
    readonly signal: AbortSignal
    readonly pace: ScrubRequest['pace']
  },
): Promise<string | undefined> {
  const { arenas, clock, stallMs } = vault.parts
  const { assembly, member, source, label, signal, pace } = given
  const { suite, k, chunkLog2 } = assembly.common
  const arena = await arenas.take({ suite, k, rows: k, chunkLog2, slots: 1 }, signal)
  let silent = false
  try {
    const opener = new ChunkOpener(arena, assembly)
    const { head, shape } = member.variant
    const slot = arena.slots[0]!
    for (let j = 0; j < shape.m; j++) {
      if (signal.aborted) throw new Failure('base.cancelled')
      const view = opener.recordView(slot, 0, j)
      silent = true
      try {
        await within({ clock, ms: stallMs, label, signal }, (stop) =>
          source.read(head.bytes.length + shape.recordOffset(j), view, { signal: stop }),
        )
      } catch (error) {
        silent = !isFailure(error, 'location.truncated')
        if (!silent) return 'it ends too early'
        throw error
      }
      silent = false
      await pace?.(view.length)
      if (opener.judge(slot, { ...member, row: 0 }, j) === 'bad') return `record ${j} is damaged`
    }
    return undefined
  } finally {
    // A place that was left behind may still write into it.
    if (silent) arenas.abandon(arena)
    else arenas.release(arena)
  }
}

/** Names at the locations that the catalogue does not know. They are named, not removed. */
async function scrubNames(vault: Vault, request: ScrubRequest, findings: Findings): Promise<void> {
  const { db, places, clock, stallMs } = vault.parts
  for (const place of places.all) {
    if ((request.place !== undefined && place !== request.place) || place.view.presence !== 'present') continue
    const patience = { clock, ms: stallMs, label: place.label, signal: request.signal }
    try {
      await lookThrough(place, patience)
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      place.failed(error)
      findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail: error.message })
    }
  }

  async function lookThrough(place: Place, patience: Parameters<typeof within>[0]): Promise<void> {
    for (let after: string | undefined; ;) {
      if (request.signal.aborted) throw new Failure('base.cancelled')
      const page = await within(patience, (stop) => place.location.list({ prefix: '', after }, { signal: stop }))
      const names = page.entries.map(({ name }) => name).filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name))
      for (let at = 0; at < names.length; at += 500) {
        const part = names.slice(at, at + 500)
        const known = await db.kysely
          .selectFrom('fragment')
          .select('name')
          .where('location', '=', place.id)
          .where('name', 'in', part)
          .execute()
        const waste = await db.kysely
          .selectFrom('debris')
          .select('name')
          .where('location', '=', place.id)
          .where('name', 'in', part)
          .execute()
        const named = new Set([...known, ...waste].map(({ name }) => name))
        for (const name of part) {
          // A name that went while we asked belonged to a file that was just removed.
          if (!named.has(name) && (await within(patience, (stop) => place.location.head(name, { signal: stop }))) !== undefined)
            findings.add({ location: place.label, path: '', fragment: name, kind: 'orphan', detail: 'no file of the vault needs it' })
        }
      }
      if (page.next === undefined) break
      after = page.next
    }
  }
}

/** A path of the dealing for people; the catalogue's own objects have theirs. */
export async function pathOf(vault: Vault, deal: DealTable): Promise<string> {
  if (deal.purpose === 'catalogue') return 'catalogue'
  const row = await vault.parts.db.kysely
    .selectFrom('file_version')
    .innerJoin('file', 'file.file', 'file_version.file')
    .select('file.path')
    .where('file_version.deal', '=', deal.deal)
    .executeTakeFirst()
  return row?.path ?? ''
}
