// Published vectors: read where they are kept, said aloud where they are not. The project holds no copies.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'

const folder = process.env['VECTORS_DIR'] ?? resolve(import.meta.dirname, '../../../shared/vectors')
const present = existsSync(folder)

/**
 * A test over one published file, relative to the folder of vectors. `run` names the type it reads and answers how many cases it executed: none is a failure.
 * Without the folder the test is skipped in one line.
 */
export function publishedTest(title: string, file: string, run: (document: never) => number | Promise<number>): void {
  void test(title, { skip: present ? false : `no published vectors: set VECTORS_DIR to run ${file}` }, async (context) => {
    const executed = await run(readPublished(file) as never)
    assert.ok(executed > 0, `${file}: no case was executed`)
    context.diagnostic(`${executed} cases of ${file}`)
  })
}

/** A published JSON file, for tests that need two. Only inside `publishedTest`, which knows that the folder is there. */
export function readPublished(file: string): unknown {
  const raw = readFileSync(resolve(folder, file))
  return JSON.parse((file.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8'))
}
