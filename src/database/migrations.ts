// Brings a database to the version of this program, in one transaction, from what the rooms bring.
import { Failure, assert } from '#base'
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely/migration'
import type { Kysely } from 'kysely'
import type { Database } from './database.ts'

interface MigrationTables {
  readonly [DEFAULT_MIGRATION_TABLE]: { readonly name: string }
}

const NAME = /^(?<room>[a-z]+(?:-[a-z]+)*)-(?<number>[0-9]{4})(?:-[a-z0-9]+)*$/

export async function migrate<Tables>(database: Database<Tables>, migrations: Readonly<Record<string, Migration>>): Promise<void> {
  assertNames(Object.keys(migrations))
  await database.transaction(async (tx) => {
    await assertKnown(tx as unknown as Kysely<MigrationTables>, new Set(Object.keys(migrations)))
    const migrator = new Migrator({ db: tx, provider: { getMigrations: async () => migrations }, allowUnorderedMigrations: true })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
  })
}

/** A room's migrations are numbered from 0001 without gaps; rooms come in any order, so their tables do not refer to each other. */
function assertNames(names: readonly string[]): void {
  const counts = new Map<string, number>()
  for (const name of names.toSorted()) {
    const { room, number } = NAME.exec(name)?.groups ?? {}
    assert(room && number, `a migration is named ROOM-NNNN-what: ${name}`)
    const count = (counts.get(room) ?? 0) + 1
    assert(Number(number) === count, `migrations of a room are numbered without gaps: ${name}`)
    counts.set(room, count)
  }
}

async function assertKnown(tx: Kysely<MigrationTables>, known: ReadonlySet<string>): Promise<void> {
  const tables = await tx.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === DEFAULT_MIGRATION_TABLE)) return
  const executed = await tx.selectFrom(DEFAULT_MIGRATION_TABLE).select('name').execute()
  const unknown = executed.filter(({ name }) => !known.has(name))
  if (unknown.length === 0) return
  throw new Failure('database.version', {
    detail: `the database has changes that this program does not know: ${unknown.map(({ name }) => name).join(', ')}`,
    next: 'Start the newer version of Quorate that wrote it.',
  })
}
