// The real PostgreSQL that the test command has started, with a schema of its own for each database that a test opens.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { it } from 'node:test'
import type { DatabasePlace } from '#database'
import { notFound, RECIPES } from '../../scripts/servers.ts'

export interface PostgresServer {
  readonly url: string
  /** An empty schema. */
  place(): DatabasePlace & { readonly postgres: { readonly schema: string } }
}

/** The server when it runs; otherwise a test that says what is missing stands in for those that need it. */
export function postgresServer(): PostgresServer | undefined {
  const url = process.env[RECIPES.postgres.variable]
  if (url !== undefined && url !== '') return { url, place: () => ({ postgres: { url, schema: `t_${randomBytes(8).toString('hex')}` } }) }
  const line = notFound('postgres')
  it('with PostgreSQL', (t) => {
    assert.notEqual(process.env['REQUIRE_SERVERS'], '1', line)
    t.skip(line)
  })
  return undefined
}
