// Checking what the locations keep, without ever reassembling an object: each fragment is judged by its own tags.
import { Failure, isFailure } from '#base'
import { type Assembly, assemble, ChunkOpener, fetchFrame, type Frame, type Member } from '#format'
import { Findings, type Progress } from './findings.ts'
import type { FragmentSource } from './location.ts'
import type { Place } from './place.ts'
import type { DealTable, FragmentTable } from './tables.ts'
import type { Vault } from './vault.ts'

const PAGE_DEALS = 200
const WORKERS = 3

export interface ScrubRequest {
  readonly depth: 'present' | 'tags'
  /** One location only: its records; k key shares are read from others all the same. */
  readonly place?: Place | undefined
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** Goes through every stored object. What is lost or damaged is noted for repair; nothing is changed at the locations. */
export async function scrub(vault: Vault, request: ScrubRequest): Promise<Findings> {
  const { db, places } = vault.parts
  const findings = new Findings()
  await places.checkAll()
  const total = await db.kysely
    .selectFrom('fragment')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('name', 'is not', null)
    .$if(request.place !== undefined, (query) => query.where('location', '=', request.place!.id))
    .executeTakeFirstOrThrow()
  request.progress.total(Number(total.count))
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
    after = deals.at(-1)!.deal
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
  await scrubNames(vault, request, findings)
  return findings
}

async function scrubDeal(vault: Vault, deal: DealTable, request: ScrubRequest, findings: Findings): Promise<void> {
  const { db, places } = vault.parts
  const rows = (await db.kysely.selectFrom('fragment').selectAll().where('deal', '=', deal.deal).execute()).filter(
    (row) => row.name !== null,
  )
  const path = await pathOf(vault, deal)
  const note = async (row: FragmentTable, kind: 'lost' | 'corrupt' | 'head-copy', detail: string): Promise<void> => {
    const place = places.byId(row.location)!
    findings.add({ location: place.label, path, fragment: row.name!, kind, detail })
    if (kind !== 'head-copy') await vault.blame(deal.deal, { candidate: { place, x: row.x, name: row.name! }, kind, detail })
    else await vault.blame(deal.deal, { candidate: { place, x: row.x, name: row.name! }, kind: 'corrupt', detail })
  }
  const opened: { readonly row: FragmentTable; readonly source: FragmentSource; readonly frame: Frame }[] = []
  const isWanted = (row: FragmentTable): boolean => request.place === undefined || request.place.id === row.location
  try {
    for (const row of rows) {
      const place = places.byId(row.location)
      if (place === undefined || place.view.presence !== 'present') continue
      const wanted = isWanted(row)
      if (!wanted && opened.length > deal.k) continue
      try {
        const source = await place.location.open(row.name!, { signal: request.signal, tailBytes: request.depth === 'tags' ? 16_384 : 0 })
        const frame: Frame =
          request.depth === 'tags'
            ? await fetchFrame(
                {
                  location: place.id,
                  file: row.name!,
                  sizeBytes: source.sizeBytes,
                  tail: source.tail,
                  read: (offset, into) => source.read(offset, into),
                },
                { front: true },
              )
            : { location: place.id, file: row.name!, variants: [] }
        opened.push({ row, source, frame })
        if (wanted && request.depth === 'present') {
          findings.checkedFragments += 1
          request.progress.add(1)
          if (source.sizeBytes !== row.size) await note(row, 'corrupt', `it has ${source.sizeBytes} bytes instead of ${row.size}`)
        }
      } catch (error) {
        if (isFailure(error, 'location.absent')) await note(row, 'lost', 'it is not there')
        else if (isFailure(error, 'location.truncated')) await note(row, 'corrupt', 'it ends too early')
        else if (error instanceof Failure && error.code !== 'base.cancelled') {
          place.failed(error)
          findings.add({ location: place.label, path, fragment: row.name!, kind: 'unreachable', detail: error.message })
        } else throw error
        if (wanted) {
          findings.checkedFragments += 1
          request.progress.add(1)
        }
      }
    }
    if (request.depth === 'present') return
    await judgeRecords()
  } finally {
    await Promise.allSettled(opened.map(({ source }) => source.close()))
  }

  async function judgeRecords(): Promise<void> {
    const report = assemble(
      opened.map(({ frame }) => frame),
      { k: deal.k, vault: vault.row.vault, object: deal.object, version: deal.version, dealId: deal.deal },
    )
    const rowOf = (frame: Frame): FragmentTable => opened.find((one) => one.frame === frame)!.row
    for (const { frame, reason } of report.blames) if (isWanted(rowOf(frame))) await note(rowOf(frame), 'corrupt', reason)
    for (const frame of report.refused)
      if (isWanted(rowOf(frame))) await note(rowOf(frame), 'corrupt', 'it is a fragment of something else')
    for (const { frame, damaged } of report.heads)
      if (isWanted(rowOf(frame))) await note(rowOf(frame), 'head-copy', `its ${damaged} HEAD copy is damaged`)
    if (report.chosen === undefined) {
      findings.add({ location: '', path, fragment: '', kind: 'unreadable', detail: report.failure?.message ?? 'too few fragments verify' })
      for (const { row } of opened) if (isWanted(row)) request.progress.add(1)
      return
    }
    for (const member of report.chosen.members) {
      const one = opened.find(({ frame }) => frame === member.frame)!
      if (!isWanted(one.row)) continue
      const damage = await judgeMember(vault, { assembly: report.chosen, member, source: one.source, signal: request.signal })
      findings.checkedFragments += 1
      findings.checkedBytes += one.source.sizeBytes
      request.progress.add(1)
      if (damage !== undefined) await note(one.row, 'corrupt', damage)
    }
  }
}

/** Reads every record of one fragment; answers what is wrong with it. */
async function judgeMember(
  vault: Vault,
  given: { readonly assembly: Assembly; readonly member: Member; readonly source: FragmentSource; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { suite, k, chunkLog2 } = given.assembly.common
  const arena = await vault.parts.arenas.take({ suite, k, rows: k, chunkLog2, slots: 1 }, given.signal)
  try {
    const opener = new ChunkOpener(arena, given.assembly)
    const { head, shape } = given.member.variant
    const slot = arena.slots[0]!
    for (let j = 0; j < shape.m; j++) {
      if (given.signal.aborted) throw new Failure('base.cancelled')
      try {
        await given.source.read(head.bytes.length + shape.recordOffset(j), opener.recordView(slot, 0, j))
      } catch (error) {
        if (isFailure(error, 'location.truncated')) return 'it ends too early'
        throw error
      }
      if (opener.judge(slot, { ...given.member, row: 0 }, j) === 'bad') return `record ${j} is damaged`
    }
    return undefined
  } finally {
    vault.parts.arenas.release(arena)
  }
}

/** Names at the locations that the catalogue does not know. They are named, not removed. */
async function scrubNames(vault: Vault, request: ScrubRequest, findings: Findings): Promise<void> {
  const { db, places } = vault.parts
  for (const place of places.all) {
    if ((request.place !== undefined && place !== request.place) || place.view.presence !== 'present') continue
    for (let after: string | undefined; ;) {
      if (request.signal.aborted) throw new Failure('base.cancelled')
      const page = await place.location.list({ prefix: '', after }, { signal: request.signal })
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
          if (!named.has(name))
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
