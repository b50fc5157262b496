// The storage room on the other database: what one vault can do. Histories under faults need a database that answers in the same turn (test/sim).
import { postgresServer } from '../database/postgres-server.ts'
import { usePostgres } from './database-of.ts'

const server = postgresServer()
if (server !== undefined) {
  usePostgres(server.url)
  await import('./vault.test.ts')
  await import('./making.test.ts')
}
