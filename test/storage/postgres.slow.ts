// Everything that the storage room is tested for, on the other database.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { postgresServer } from '../database/postgres-server.ts'
import { usePostgres } from './database-of.ts'

const server = postgresServer()
if (server !== undefined) {
  usePostgres(server.url)
  const files = globSync('*.test.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'postgres.test.ts')
  for (const file of files.toSorted()) await import(join(import.meta.dirname, file))
  await import('../sim/store.sim.test.ts')
}
