// A million rows: written quickly, streamed in pages, in bounded memory.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { insertMany } from '#database'
import { openPairs } from './pairs.ts'

const ROWS = 1_000_000
const BATCH = 10_000
const PAGE = 1000
const GROWTH_MIB_MAX = 64

const folder = mkdtempSync(join(tmpdir(), 'quorate-large-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('10^6 rows are inserted and streamed, and memory does not follow them', async (t) => {
  const database = await openPairs({ file: join(folder, 'large.db') })
  const bytes = new Uint8Array(32).fill(7)
  let start = performance.now()
  for (let at = 0; at < ROWS; at += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => ({ number: at + index, half: 0, bytes }))
    await database.transaction((tx) => insertMany(tx, 'test_pair', rows))
  }
  t.diagnostic(`${rate(start)} rows/s inserted`)

  start = performance.now()
  let settled = 0
  let grown = 0
  let next = 0
  for await (const { number } of database.kysely.selectFrom('test_pair').select(['number', 'bytes']).orderBy('number').stream(PAGE)) {
    assert.equal(number, next++)
    // The collectors of two threads find their size within the first part.
    if (next === ROWS / 5) settled = process.memoryUsage.rss()
    if (settled > 0 && next % 10_000 === 0) grown = Math.max(grown, process.memoryUsage.rss() - settled)
  }
  assert.equal(next, ROWS)
  t.diagnostic(`${rate(start)} rows/s streamed, ${Math.round(grown / 2 ** 20)} MiB more at most`)
  assert.ok(grown < GROWTH_MIB_MAX * 2 ** 20, `${grown} bytes more`)
  await database.close()
})

function rate(start: number): number {
  return Math.round(ROWS / ((performance.now() - start) / 1000))
}
