// The real servers that the test command has started. Without a server its tests are skipped, or fail where REQUIRE_SERVERS=1 says that all must be there.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { RECIPES, type ServerKind, notFound } from '../../../scripts/servers.ts'

/** Where the server answers, when it runs; otherwise a test that says what is missing stands in for those that need it. */
export function endpointFor(kind: ServerKind): string | undefined {
  const endpoint = process.env[RECIPES[kind].variable]
  if (endpoint !== undefined && endpoint !== '') return endpoint
  const line = notFound(kind)
  it(`with ${kind}`, (t) => {
    assert.notEqual(process.env['REQUIRE_SERVERS'], '1', line)
    t.skip(line)
  })
  return undefined
}
