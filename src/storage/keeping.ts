// The rules of keeping, folder by folder: how long old versions and the trash are kept, and what nobody may remove yet.
import { Failure } from '#base'
import type { Kysely, Transaction } from '#database'
import { log } from './catalogue.ts'
import type { CatalogueLine } from './catalogue-lines.ts'
import { isBelow, parsePath } from './paths.ts'
import type { StorageTables } from './tables.ts'
import type { KeepingTable } from './tables-trash.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>
type Tx = Transaction<StorageTables>

/** A hundred years: for ever, as far as people decide. */
export const DAYS_MAX = 36_500
/** What holds where nobody said otherwise: no version is forgotten before somebody says so. */
const KEEPING_DEFAULT = { versionsDays: DAYS_MAX, versionsMin: 3, trashDays: 30 } as const
const RULES_MAX = 10_000

export interface Keeping {
  /** A version that was replaced is kept for so many days. */
  readonly versionsDays: number
  /** So many of the newest versions are kept for ever. */
  readonly versionsMin: number
  readonly trashDays: number
  /** Nothing may be removed before; null = no hold. */
  readonly holdUntil: string | null
}

/** All rules, for many questions in a row. */
export class Rules {
  readonly all: readonly KeepingTable[]
  readonly #byPath: ReadonlyMap<string, KeepingTable>

  constructor(rows: readonly KeepingTable[]) {
    this.all = rows
    this.#byPath = new Map(rows.map((row) => [row.path, row]))
  }

  /** What holds for a path: each number from the nearest folder that says it, the hold that ends last of all above. */
  of(path: string): Keeping {
    let versionsDays: number | null = null
    let versionsMin: number | null = null
    let trashDays: number | null = null
    let holdUntil: string | null = null
    for (const above of upwards(path)) {
      const rule = this.#byPath.get(above)
      if (rule === undefined) continue
      versionsDays ??= rule.versions_days
      versionsMin ??= rule.versions_min
      trashDays ??= rule.trash_days
      if (rule.hold_until !== null && (holdUntil === null || rule.hold_until > holdUntil)) holdUntil = rule.hold_until
    }
    return {
      versionsDays: versionsDays ?? KEEPING_DEFAULT.versionsDays,
      versionsMin: versionsMin ?? KEEPING_DEFAULT.versionsMin,
      trashDays: trashDays ?? KEEPING_DEFAULT.trashDays,
      holdUntil,
    }
  }

  /** The hold that ends last of those above, at and below the path, at this moment. */
  holdAround(path: string, now: string): KeepingTable | undefined {
    let last: KeepingTable | undefined
    for (const rule of this.all) {
      if (rule.hold_until === null || rule.hold_until <= now) continue
      if (rule.path !== path && !isBelow(path, rule.path) && !isBelow(rule.path, path)) continue
      if (last === undefined || rule.hold_until > last.hold_until!) last = rule
    }
    return last
  }
}

export async function rulesOf(db: Handle): Promise<Rules> {
  return new Rules(await db.selectFrom('keeping').selectAll().orderBy('path').limit(RULES_MAX).execute())
}

/** Refuses with `storage.held` what would remove something under a hold: the path, what is below, and what lies in a held folder. */
export async function requireNoHold(db: Handle, path: string, now: string): Promise<void> {
  const held = await db.selectFrom('keeping').selectAll().where('hold_until', '>', now).limit(RULES_MAX).execute()
  const hold = new Rules(held).holdAround(path, now)
  if (hold !== undefined) throw heldBy(hold)
}

/** A move may not lead out of a hold, which goes along only with the folder that carries it. */
export async function requireHoldKept(db: Handle, from: string, to: string, now: string): Promise<void> {
  const rules = await rulesOf(db)
  const above = (path: string): string => rules.of(path.slice(0, path.lastIndexOf('/')) || '/').holdUntil ?? ''
  if (above(from) > now && above(to) < above(from))
    throw new Failure('storage.held', {
      detail: `${from} is held until ${above(from).slice(0, 10)}, and would be free at ${to}`,
      next: 'Move it within the held folder, or copy it.',
    })
}

export interface KeepingRequest {
  readonly path: string
  readonly versionsDays: number | null
  readonly versionsMin: number | null
  readonly trashDays: number | null
  readonly holdUntil: string | null
  /** Allows a hold to end earlier than it was set to. */
  readonly release: boolean
  readonly by: string
  readonly at: string
}

/** Sets the rule of a folder; without any number or hold it has none of its own. */
export async function setKeeping(tx: Tx, request: KeepingRequest): Promise<void> {
  const path = parsePath(request.path)
  if (path !== '/' && (await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) === undefined)
    throw new Failure('storage.absent', { detail: `there is no folder ${path}`, next: 'Rules belong to folders; make it first.' })
  const standing = await tx.selectFrom('keeping').selectAll().where('path', '=', path).executeTakeFirst()
  const held = standing?.hold_until ?? null
  if (held !== null && held > request.at && !request.release && (request.holdUntil === null || request.holdUntil < held))
    throw new Failure('storage.held', {
      detail: `${path} is held until ${held.slice(0, 10)}: a hold can be made longer, not shorter`,
      next: 'If it was lifted, release it expressly (quorate keep --release).',
    })
  if (standing === undefined) {
    const { count } = await tx
      .selectFrom('keeping')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count >= RULES_MAX) throw new Failure('api.limit', { detail: `there are ${count} rules already` })
  }
  await applyKeeping(tx, { op: 'keep', ...fieldsOf(request), path })
}

/** A rule as the catalogue says it. Writes its line again; a recovery drops that. */
export async function applyKeeping(tx: Tx, line: Extract<CatalogueLine, { op: 'keep' }>): Promise<void> {
  await log(tx, [line])
  await putKeeping(tx, line)
}

export async function putKeeping(tx: Tx, line: Extract<CatalogueLine, { op: 'keep' }>): Promise<void> {
  await tx.deleteFrom('keeping').where('path', '=', line.path).execute()
  if (!(line.versionsDays === null && line.versionsMin === null && line.trashDays === null && line.holdUntil === null))
    await tx.insertInto('keeping').values(rowOf(line)).execute()
}

/** Rules go along with a folder that is moved. */
export async function moveKeeping(tx: Tx, from: string, to: string): Promise<void> {
  await tx
    .deleteFrom('keeping')
    .where((eb) => eb.or([eb('path', '=', to), eb.and([eb('path', '>=', `${to}/`), eb('path', '<', `${to}0`)])]))
    .execute()
  for (const { path } of await keepingBelow(tx, from))
    await tx
      .updateTable('keeping')
      .set({ path: to + path.slice(from.length) })
      .where('path', '=', path)
      .execute()
}

/** Rules of a folder and of what is below it. */
export async function keepingBelow(tx: Tx, path: string): Promise<readonly KeepingTable[]> {
  return tx
    .selectFrom('keeping')
    .selectAll()
    .where((eb) => eb.or([eb('path', '=', path), eb.and([eb('path', '>=', `${path}/`), eb('path', '<', `${path}0`)])]))
    .execute()
}

export function keepLine(row: KeepingTable): Extract<CatalogueLine, { op: 'keep' }> {
  return {
    op: 'keep',
    path: row.path,
    versionsDays: row.versions_days,
    versionsMin: row.versions_min,
    trashDays: row.trash_days,
    holdUntil: row.hold_until,
    by: row.by,
    at: row.at,
  }
}

export function heldBy(hold: KeepingTable): Failure {
  return new Failure('storage.held', {
    detail: `${hold.path} is held until ${hold.hold_until!.slice(0, 10)}: nothing in it may be removed`,
    next: 'Wait until then, or have the hold released by whoever set it.',
  })
}

function rowOf(line: Extract<CatalogueLine, { op: 'keep' }>): KeepingTable {
  return {
    path: line.path,
    versions_days: line.versionsDays,
    versions_min: line.versionsMin,
    trash_days: line.trashDays,
    hold_until: line.holdUntil,
    by: line.by,
    at: line.at,
  }
}

function fieldsOf(request: KeepingRequest): Omit<Extract<CatalogueLine, { op: 'keep' }>, 'op' | 'path'> {
  const { versionsDays, versionsMin, trashDays, holdUntil, by, at } = request
  return { versionsDays, versionsMin, trashDays, holdUntil, by, at }
}

/** The path itself and every folder above it, up to the root. */
function* upwards(path: string): Generator<string> {
  for (let at = path; at !== '/' && at !== ''; at = at.slice(0, at.lastIndexOf('/'))) yield at
  yield '/'
}

/** What says that a folder has no rule of its own any more. */
export function noKeeping(path: string): Extract<CatalogueLine, { op: 'keep' }> {
  return { op: 'keep', path, versionsDays: null, versionsMin: null, trashDays: null, holdUntil: null, by: '', at: '' }
}
