// Checking by schedule: each pass is spread over its period, goes on where it stopped, and leaves the places time for people's work.
import { Failure } from '#base'
import type { HealthSettings } from '#contract'
import { type CheckPass, savePass } from './health-settings.ts'
import { Findings, type Progress } from './findings.ts'
import { whyAbsent } from './hidden.ts'
import { type Patience, within } from './patience.ts'
import type { Place } from './place.ts'
import { scrubDeal } from './scrub.ts'
import type { ScrubPassTable } from './tables-health.ts'
import type { Vault } from './vault.ts'

export interface SliceTools {
  readonly signal: AbortSignal
  readonly settings: HealthSettings
  /** False when other work goes first, or somebody paused: the slice ends after the step that is under way. */
  readonly mayGoOn: () => Promise<boolean>
  /** A slice ends by then, whether or not it is where it should be. */
  readonly untilMs: number
}

const PAGE_NAMES = 1000
const quiet: Progress = { total: () => undefined, add: () => undefined }

/**
 * Brings the pass to where it should be by now. Each step is one object, or one page of names at one place, and is noted before the next
 * begins. Answers whether something was found.
 */
export async function scrubSlice(vault: Vault, given: CheckPass, tools: SliceTools): Promise<boolean> {
  const { db, clock } = vault.parts
  let pass = given
  if (pass.enabled === 0) return false
  if (pass.cursor === null) {
    if (pass.began !== null && clock.now() < pass.began + pass.every_ms) return false
    pass = { ...pass, cursor: '', began: clock.now(), checked_fragments: 0, checked_bytes: 0, findings: 0 }
    await savePass(db, pass)
  }
  let found = false
  const pace = paceOf(vault, tools)
  while (pass.cursor !== null && !tools.signal.aborted) {
    const nowMs = clock.now()
    if (nowMs >= tools.untilMs || !(await tools.mayGoOn())) break
    // A little ahead of time is on time: else the last step of a pass would wait for its very end.
    if (placeOf(pass) > (nowMs - (pass.began ?? nowMs)) / pass.every_ms) break
    const findings = new Findings()
    const step = pass.depth === 'present' ? stepNames : stepObject
    const cursor = await step(vault, pass, { findings, signal: tools.signal, pace })
    found ||= findings.damage > 0
    pass = {
      ...pass,
      cursor,
      ...(cursor === null ? { finished: clock.now() } : {}),
      checked_fragments: pass.checked_fragments + findings.checkedFragments,
      checked_bytes: pass.checked_bytes + findings.checkedBytes,
      findings: pass.findings + findings.damage,
    }
    await savePass(db, pass)
    await pace(0)
  }
  return found
}

/** How much of the last period was gone through, 0..1. */
export function coverage(pass: ScrubPassTable, nowMs: number): number {
  if (pass.cursor !== null) return pass.finished === null ? placeOf(pass) : 1
  return pass.finished !== null && nowMs - pass.finished <= pass.every_ms * 1.5 ? 1 : 0
}

/** Part of the running pass that is done; null while none runs. */
export function progressOf(pass: ScrubPassTable): number | null {
  return pass.cursor === null ? null : placeOf(pass)
}

/** Ids are random, so the first digits of the cursor tell how far it came. */
export function placeOf({ cursor, depth }: ScrubPassTable): number {
  if (cursor === null || cursor === '') return 0
  if (depth !== 'present') return part(cursor)
  const [at = '0', of = '1', name = ''] = cursor.split(':')
  return Math.min(1, (Number(at) + part(name.replace('/', ''))) / Math.max(1, Number(of)))
}

function part(hex: string): number {
  const digits = /^[0-9a-f]{1,8}/.exec(hex)?.[0] ?? ''
  // Heads and the marker come after the last fragment.
  if (digits === '') return hex === '' ? 0 : 1
  return parseInt(digits.padEnd(8, '0'), 16) / 2 ** 32
}

interface StepTools {
  readonly findings: Findings
  readonly signal: AbortSignal
  readonly pace: (bytes: number) => Promise<void>
}

/** The next object; null after the last. */
async function stepObject(vault: Vault, pass: CheckPass, { findings, signal, pace }: StepTools): Promise<string | null> {
  const deal = await vault.parts.db.kysely
    .selectFrom('deal')
    .selectAll()
    .where('state', '=', 'stored')
    .where('deal', '>', pass.cursor ?? '')
    .orderBy('deal')
    .limit(1)
    .executeTakeFirst()
  if (deal === undefined) return null
  await scrubDeal(vault, deal, { depth: pass.depth, signal, progress: quiet, pace }, findings)
  return deal.deal
}

/**
 * One page of names at one place, compared with what should lie between its first and its last. Lists may be stale, so what seems to be
 * missing is asked for by name before it counts. The cursor is `INDEX:COUNT:NAME`.
 */
async function stepNames(vault: Vault, pass: CheckPass, { findings, signal }: StepTools): Promise<string | null> {
  const { db, places, clock, stallMs } = vault.parts
  const { all } = places
  const [at = '0', , ...rest] = (pass.cursor ?? '').split(':')
  const index = Number(at === '' ? '0' : at)
  const after = rest.join(':')
  const place = all[index]
  if (place === undefined) return null
  const nextPlace = index + 1 < all.length ? `${index + 1}:${all.length}:` : null
  if (place.view.presence !== 'present') return nextPlace
  const patience = { clock, ms: stallMs, label: place.label, signal }
  try {
    const page = await within(patience, (stop) =>
      place.location.list({ prefix: '', limit: PAGE_NAMES, ...(after === '' ? {} : { after }) }, { signal: stop }),
    )
    const sizes = new Map(page.entries.map(({ name, sizeBytes }) => [name, sizeBytes]))
    for (let from = after; ;) {
      const rows = await db.kysely
        .selectFrom('fragment')
        .innerJoin('deal', 'deal.deal', 'fragment.deal')
        .select(['fragment.deal', 'fragment.x', 'fragment.name', 'fragment.size'])
        .where('fragment.location', '=', place.id)
        .where('deal.state', '=', 'stored')
        .where('fragment.state', '=', 'held')
        .where('fragment.name', '>', from)
        .$if(page.next !== undefined, (query) => query.where('fragment.name', '<=', page.next!))
        .orderBy('fragment.name')
        .limit(PAGE_NAMES)
        .execute()
      for (const row of rows) {
        findings.checkedFragments += 1
        if (sizes.get(row.name!) !== row.size) await doubt(vault, place, { ...row, name: row.name! }, { findings, patience })
      }
      if (rows.length < PAGE_NAMES) break
      from = rows[rows.length - 1]!.name!
    }
    return page.next === undefined ? nextPlace : `${index}:${all.length}:${page.next}`
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure) || error.code === 'base.cancelled') throw error
    place.failed(error)
    findings.add({ location: place.label, path: '', fragment: '', kind: 'unreachable', detail: error.message })
    return nextPlace
  }
}

/** The list disagrees: the place is asked for the one name, and the catalogue whether it is still wanted there. */
async function doubt(
  vault: Vault,
  place: Place,
  row: { readonly deal: string; readonly x: number; readonly name: string; readonly size: number },
  tools: { readonly findings: Findings; readonly patience: Patience },
): Promise<void> {
  const head = await within(tools.patience, (stop) => place.location.head(row.name, { signal: stop }))
  if (head?.sizeBytes === row.size) return
  await vault.parts.news()
  const standing = await vault.parts.db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .select('fragment.name')
    .where('fragment.deal', '=', row.deal)
    .where('fragment.x', '=', row.x)
    .where('deal.state', '=', 'stored')
    .executeTakeFirst()
  // Replaced or removed meanwhile; and a place that lost its marker lost everything, which is another finding.
  if (standing?.name !== row.name) return
  await place.check()
  if (place.view.presence !== 'present') return
  const kind = head === undefined ? 'lost' : 'corrupt'
  const { signal = new AbortController().signal } = tools.patience
  const detail =
    head === undefined ? await whyAbsent(vault, place, { name: row.name, signal }) : `it has ${head.sizeBytes} bytes instead of ${row.size}`
  tools.findings.add({ location: place.label, path: '', fragment: row.name, kind, detail })
  await vault.blame(row.deal, { candidate: { place, x: row.x, name: row.name, suspect: false }, kind, detail })
}

/** Holds work to the limits, piece by piece: so many bytes in a second, and so much of the time. */
function paceOf(vault: Vault, tools: SliceTools): (bytes: number) => Promise<void> {
  const { clock } = vault.parts
  const { bytesPerSecond, timeShare } = tools.settings
  let resumedMs = clock.now()
  let owedMs = 0
  return async (bytes) => {
    const busyMs = clock.now() - resumedMs
    owedMs += Math.max((bytes / bytesPerSecond) * 1000 - busyMs, busyMs * (1 / timeShare - 1))
    if (owedMs >= REST_MS_MIN) {
      await clock.sleep(Math.min(owedMs, REST_MS_MAX), tools.signal)
      owedMs = 0
    }
    resumedMs = clock.now()
  }
}

/** Shorter rests are saved up. Work that hung for hours is not answered by a rest of days. */
const REST_MS_MIN = 20
const REST_MS_MAX = 600_000
