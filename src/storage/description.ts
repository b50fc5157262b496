// The name of the vault and the addresses of its locations go into its own catalogue, so that k locations tell where the others are.
import { log, type Store } from './catalogue.ts'
import { type CatalogueLine, encodeLine } from './catalogue-lines.ts'
import { formatLocation, labelOf, parseLocation } from './locations/from-config.ts'
import type { StorageTables } from './tables.ts'

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]
export type LocationLine = Extract<CatalogueLine, { op: 'location' }>
type DescriptionLine = Extract<CatalogueLine, { op: 'vault' | 'location' | 'leave' }>

/** Compares what the database says with what this site said last, and notes the difference for the vault's next segment. */
export async function noteDescription(db: Store): Promise<void> {
  await db.transaction(async (tx) => {
    const told = new Map((await tx.selectFrom('description').selectAll().execute()).map((row) => [row.subject, row]))
    const now = await linesNow(tx)
    const lines: DescriptionLine[] = []
    for (const [subject, line] of now) {
      const text = encodeLine(line)
      if (told.get(subject)?.own === text) continue
      if (told.get(subject)?.line !== text) lines.push(line)
      await put(tx, { subject, line: text, own: text })
    }
    for (const { subject, own } of told.values()) {
      if (now.has(subject) || own === null) continue
      lines.push({ op: 'leave', location: subject })
      await put(tx, { subject, line: null, own: null })
    }
    await log(tx, lines)
  })
}

/** Keeps a line that stands in the vault. */
export async function keepDescription(tx: Tx, line: DescriptionLine): Promise<void> {
  const subject = line.op === 'vault' ? 'vault' : line.location
  const own = (await tx.selectFrom('description').select('own').where('subject', '=', subject).executeTakeFirst())?.own ?? null
  await put(tx, { subject, line: line.op === 'leave' ? null : encodeLine(line), own })
}

async function put(tx: Tx, row: StorageTables['description']): Promise<void> {
  await tx.deleteFrom('description').where('subject', '=', row.subject).execute()
  if (row.line !== null || row.own !== null) await tx.insertInto('description').values(row).execute()
}

/** The lines as a snapshot holds them. */
export async function descriptionLines(tx: Tx): Promise<string[]> {
  const rows = await tx.selectFrom('description').select('line').where('line', 'is not', null).orderBy('subject', 'desc').execute()
  return rows.map(({ line }) => line!)
}

/** What the catalogue says about locations, by their ids. */
export async function describedLocations(db: Store): Promise<Map<string, LocationLine>> {
  const rows = await db.kysely
    .selectFrom('description')
    .select(['subject', 'line'])
    .where('subject', '!=', 'vault')
    .where('line', 'is not', null)
    .execute()
  return new Map(rows.map(({ subject, line }) => [subject, JSON.parse(line!) as LocationLine]))
}

/** Ids of locations that this site has and another site took out of the vault. */
export async function leftLocations(db: Store): Promise<Set<string>> {
  const rows = await db.kysely
    .selectFrom('description')
    .select('subject')
    .where('subject', '!=', 'vault')
    .where('line', 'is', null)
    .execute()
  return new Set(rows.map(({ subject }) => subject))
}

/**
 * A location that a person gave no label is called what the vault calls it, unless that is an old address. Answers whether anything changed.
 */
export async function takeLabels(db: Store, given: ReadonlySet<string>): Promise<boolean> {
  const described = await describedLocations(db)
  return db.transaction(async (tx) => {
    const rows = await tx.selectFrom('location').selectAll().execute()
    let changed = false
    for (const row of rows) {
      const said = described.get(row.location)
      if (said === undefined || given.has(row.location) || rows.some(({ label }) => label === said.label)) continue
      if (said.place !== locationLine(row).place && isAddress(said)) continue
      await tx.updateTable('location').set({ label: said.label }).where('location', '=', row.location).execute()
      changed = true
    }
    return changed
  })
}

/** True when the label is no more than where the location was. */
function isAddress({ label, kind, place }: LocationLine): boolean {
  if (label.startsWith(`${kind}:`)) return true
  try {
    return label === labelOf(parseLocation(place))
  } catch {
    return false
  }
}

async function linesNow(tx: Tx): Promise<Map<string, DescriptionLine>> {
  const vault = await tx.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
  const lines = new Map<string, DescriptionLine>([
    ['vault', { op: 'vault', name: vault.name, requireAll: vault.require_all === 1, created: vault.created }],
  ])
  const locations = await tx.selectFrom('location').selectAll().orderBy('x').execute()
  for (const row of locations) lines.set(row.location, locationLine(row))
  return lines
}

function locationLine({ location, label, kind, config, added }: StorageTables['location']): LocationLine {
  const place = formatLocation(parseLocation(JSON.parse(config) as Record<string, unknown>))
  return { op: 'location', location, label, kind, place, added }
}
