// Small things the tests of locations share.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure, type FailureCode } from '#base'
import type { FragmentSink, Location } from '../../../src/storage/location.ts'

/** Bytes that differ from place to place, the same for the same seed. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let state = (seed * 2654435761) >>> 0 || 1
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** Asserts that the work is refused with the code and, when given, that the culprit is named and a next step said. */
export async function refuses(work: Promise<unknown> | (() => Promise<unknown>), code: FailureCode, culprit?: string): Promise<Failure> {
  let caught: unknown
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    caught = error
  }
  assert.ok(caught instanceof Failure, `expected ${code}, got ${String(caught)}`)
  assert.equal(caught.code, code, `${caught.code}: ${caught.message}`)
  if (culprit !== undefined) {
    assert.deepEqual(caught.culprits, [culprit])
    assert.ok((caught.next ?? '').length > 0, 'says the next step')
  }
  return caught
}

/** Writes an object in pieces of `pieceBytes`. */
export async function writeAll(location: Location, name: string, bytes: Uint8Array, pieceBytes = 256 * 1024): Promise<void> {
  const sink = await location.create(name)
  await pour(sink, bytes, pieceBytes)
  await sink.finish()
}

export async function pour(sink: FragmentSink, bytes: Uint8Array, pieceBytes = 256 * 1024): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) await sink.write(bytes.subarray(at, at + pieceBytes))
  } catch (error) {
    await sink.abort()
    throw error
  }
}

/** Resolves when the location has acknowledged a part of the write. */
export async function begun(sink: FragmentSink): Promise<void> {
  for (let look = 0; look < 30_000 && sink.acceptedBytes === 0; look += 1) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.ok(sink.acceptedBytes > 0, 'nothing was acknowledged')
}

export async function readAll(location: Location, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = await location.open(name, { tailBytes: 16 })
  try {
    const bytes = new Uint8Array(source.sizeBytes)
    await source.read(0, bytes)
    return bytes
  } finally {
    await source.close()
  }
}

export async function listAll(location: Location, prefix: string, limit?: number): Promise<string[]> {
  const names: string[] = []
  let after: string | undefined
  for (let pages = 0; pages < 10_000; pages += 1) {
    const page = await location.list({ prefix, after, limit })
    names.push(...page.entries.map((entry) => entry.name))
    if (page.next === undefined) return names
    after = page.next
  }
  throw new Error('the list does not end')
}

/** A scratch folder that is removed with the scope. */
export async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'quorate-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
