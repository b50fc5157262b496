// Everything that the storage room is tested for, on the other database, but what it does in processes of its own: those have the embedded one.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { postgresServer } from '../database/postgres-server.ts'
import { usePostgres } from './database-of.ts'

const OWN_PROCESSES = /^(?:crash|change-crash|upload-crash|sync-kill|postgres)\.test\.ts$/

const server = postgresServer()
if (server !== undefined) {
  usePostgres(server.url)
  const files = globSync('*.test.ts', { cwd: import.meta.dirname }).filter((file) => !OWN_PROCESSES.test(file))
  for (const file of files.toSorted()) await import(join(import.meta.dirname, file))
}
