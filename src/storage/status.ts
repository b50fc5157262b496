// What people are told about the vault: every number from the catalogue and from what the locations just answered.
import type { LocationStatus, Status } from '#contract'
import { rfc3339 } from '#base'
import { sql } from '#database'
import { TRASH, TRASH_END } from './paths.ts'
import type { Place } from './place.ts'
import type { Places } from './places.ts'
import type { Vault } from './vault.ts'
import type { VaultLog } from './vault-log.ts'

interface Counts {
  held: number
  lost: number
  corrupt: number
  pending: number
  bytes: number
}

export async function vaultStatus(vault: Vault, vaultLog: VaultLog, dealer: string): Promise<Omit<Status, 'head'>> {
  const { db, places } = vault.parts
  const { row } = vault
  const counts = await countFragments(vault)
  const files = await db.kysely
    .selectFrom('file')
    .innerJoin('file_version as v', (join) => join.onRef('v.file', '=', 'file.file').onRef('v.number', '=', 'file.current'))
    .innerJoin('deal as d', 'd.deal', 'v.deal')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('d.size').as('bytes')])
    .where(visible('file.path'))
    .executeTakeFirstOrThrow()
  const folders = await db.kysely
    .selectFrom('folder')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where(visible('path'))
    .executeTakeFirstOrThrow()
  const locations = places.all.map((place) => locationStatus(place, owed(places, place, counts.get(place.id))))
  const wounded = locations.some(({ state }) => state !== 'healthy')
  const weak = wounded ? await weakDeals(vault) : { unreadable: 0, exact: 0 }
  const repairDue = locations.reduce((sum, { fragments }) => sum + fragments.lost + fragments.corrupt + fragments.pending, 0)
  const pendingChanges = await vaultLog.pendingChanges()
  const messages: Status['messages'] = []
  for (const { state, label, detail, next, fragments } of locations) {
    if (state === 'healthy') continue
    messages.push({
      severity: state === 'lying' ? 'alarm' : 'warning',
      code:
        state === 'lying'
          ? 'location.lies'
          : state === 'degraded'
            ? 'storage.repair'
            : state === 'empty'
              ? 'location.not-ours'
              : 'location.unreachable',
      text: `${detail.startsWith(label) ? detail : `${label}: ${detail}`}${fragments.lost > 0 ? ` What it kept counts as lost: ${fragmentsOf(fragments.lost)}.` : ''}`,
      next,
    })
  }
  if (weak.unreadable > 0)
    messages.push({
      severity: 'alarm',
      code: 'format.incomplete',
      text: weak.unreadable === 1 ? 'one file cannot be opened now' : `${weak.unreadable} files cannot be opened now`,
      next: 'Bring missing locations back.',
    })
  if (vaultLog.failure !== undefined)
    messages.push({ severity: 'warning', code: vaultLog.failure.code, text: vaultLog.failure.message, next: vaultLog.failure.next ?? '' })
  return {
    health: weak.unreadable > 0 ? 'unreadable' : wounded ? 'degraded' : 'healthy',
    vault: {
      id: row.vault,
      name: row.name,
      threshold: row.threshold,
      count: places.active.length,
      layout: row.layout,
      requireAll: row.require_all === 1,
      created: row.created,
      dealer,
    },
    files: files.count,
    folders: folders.count,
    bytes: files.bytes ?? 0,
    repairDue,
    withoutRedundancy: weak.exact + weak.unreadable,
    locations,
    recoveryPoint: { sequence: row.head_sequence, at: row.head_at, pendingChanges },
    messages,
  }
}

/** To a location that leaves nothing is written any more: what it lacks is nobody's concern. */
function owed(places: Places, place: Place, counts: Counts | undefined): Counts {
  if (counts === undefined) return none()
  return places.departure(place.id) === undefined ? counts : { ...counts, lost: 0, corrupt: 0, pending: 0 }
}

/** Not in the trash. */
function visible(column: string): ReturnType<typeof sql<boolean>> {
  const path = sql.ref(column)
  return sql<boolean>`(${path} < ${TRASH} or ${path} >= ${TRASH_END})`
}

export function locationStatus(place: Place, counts: Counts): LocationStatus {
  const { presence, detail, next, code, latencyMs, lastSeenMs } = place.view
  const away = presence === 'empty' || presence === 'foreign' || presence === 'unreachable'
  const fragments = away
    ? { held: 0, lost: counts.held + counts.lost + counts.corrupt, corrupt: 0, pending: counts.pending }
    : { held: counts.held, lost: counts.lost, corrupt: counts.corrupt, pending: counts.pending }
  const due = fragments.lost + fragments.corrupt + fragments.pending
  const state =
    presence === 'empty' || presence === 'foreign'
      ? 'empty'
      : presence === 'unreachable'
        ? 'unreachable'
        : counts.corrupt > 0
          ? 'lying'
          : due > 0
            ? 'degraded'
            : 'healthy'
  const words = {
    healthy: { detail: '', next: '' },
    empty: { detail, next },
    unreachable: { detail: detail || 'it does not answer', next: next || 'Bring it back; the vault goes on without it.' },
    lying: {
      detail: `it gave wrong bytes for ${fragmentsOf(counts.corrupt)}`,
      next: 'Repair writes them again; look after the place if it happens once more.',
    },
    degraded: {
      detail: `it lacks ${fragmentsOf(due)}${detail === '' ? '' : `: ${detail}`}`,
      next: next || 'Repair writes them again.',
    },
  }[state]
  return {
    id: place.id,
    label: place.label,
    kind: place.kind,
    x: place.x,
    state,
    detail: words.detail,
    next: words.next,
    ...(code === undefined ? {} : { reason: code }),
    fragments,
    bytes: counts.bytes,
    latencyMs,
    lastSeen: lastSeenMs === null ? null : rfc3339(lastSeenMs),
    capabilities: null,
    probe: null,
  }
}

export async function countFragments(vault: Vault): Promise<Map<string, Counts>> {
  const rows = await vault.parts.db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .select([
      'fragment.location',
      'fragment.state',
      (eb) => eb.fn.countAll<number>().as('count'),
      (eb) => eb.fn.sum<number>('fragment.size').as('bytes'),
    ])
    .where('deal.state', '=', 'stored')
    .groupBy(['fragment.location', 'fragment.state'])
    .execute()
  const counts = new Map<string, Counts>()
  for (const row of rows) {
    const mine = counts.get(row.location) ?? none()
    if (row.state === 'held') mine.bytes += row.bytes
    if (row.state !== 'writing') mine[row.state] += row.count
    counts.set(row.location, mine)
  }
  // A location that was added later is still to get its fragments of older objects.
  const { stored } = await vault.parts.db.kysely
    .selectFrom('deal')
    .select((eb) => eb.fn.countAll<number>().as('stored'))
    .where('state', '=', 'stored')
    .executeTakeFirstOrThrow()
  for (const { id } of vault.parts.places.active) {
    const mine = counts.get(id) ?? none()
    mine.pending += Math.max(0, stored - mine.held - mine.lost - mine.corrupt - mine.pending)
    counts.set(id, mine)
  }
  return counts
}

/** Dealings of files with fewer than k readable fragments, and with exactly k. */
export async function weakDeals(vault: Vault): Promise<{ unreadable: number; exact: number }> {
  const present = vault.parts.places.present
  const places = present.length === 0 ? ['-'] : present
  const held = sql<number>`(select count(*) from fragment where fragment.deal = deal.deal and fragment.state = 'held' and fragment.location in (${sql.join(places)}))`
  const rows = await vault.parts.db.kysely
    .selectFrom((eb) =>
      eb
        .selectFrom('deal')
        .select(['deal.k', held.as('held')])
        .where('state', '=', 'stored')
        .where('purpose', '=', 'file')
        .as('d'),
    )
    .select((eb) => [
      eb.fn.countAll<number>().filterWhere('d.held', '<', eb.ref('d.k')).as('unreadable'),
      eb.fn.countAll<number>().filterWhere('d.held', '=', eb.ref('d.k')).as('exact'),
    ])
    .executeTakeFirstOrThrow()
  return { unreadable: rows.unreadable, exact: rows.exact }
}

function none(): Counts {
  return { held: 0, lost: 0, corrupt: 0, pending: 0, bytes: 0 }
}

function fragmentsOf(count: number): string {
  return count === 1 ? 'one fragment' : `${count} fragments`
}
