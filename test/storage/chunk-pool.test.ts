// Threads that deal chunks: what they make is what the site's own thread makes, and their end is a clear failure.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isFailure } from '#base'
import { combineBytes } from '#crypto'
import { createArena, Dealer, newId, SALT_BYTES, TAG_BYTES } from '#format'
import { type Carrier, localDesk, pooledDesk } from '../../src/storage/chunk-desk.ts'
import { type ChunkPool, createChunkPool } from '../../src/storage/chunk-pool.ts'
import { get, makeSite, pattern, pieces } from './site.ts'

const LARGE_BYTES = 17 * 2 ** 20 + 123
const MORTAL = new URL('./mortal-chunk-thread.ts', import.meta.url)

describe('objects dealt by threads', () => {
  for (const { threshold, count, layout } of [
    { threshold: 2, count: 3, layout: 'shared' },
    { threshold: 3, count: 5, layout: 'sealed' },
    { threshold: 5, count: 9, layout: 'shared' },
  ] as const) {
    it(`are read as any other: ${threshold}-of-${count}, ${layout}`, async (t) => {
      await using pool = closing(createChunkPool({ threads: 2, startAtBytes: 0 }))
      const site = await makeSite({ threshold, count, layout, options: { chunkPool: pool } })
      t.after(() => site.end())
      const bytes = pattern(LARGE_BYTES)
      const grant = await site.storage.openToWrite({ path: '/large', ifAbsent: false, sizeBytes: bytes.length })
      await grant.store(pieces(bytes))
      assert.equal(pool.begun, 1)
      assert.deepEqual(await get(site.storage, '/large'), Buffer.from(bytes))
      await (await site.storage.openToWrite({ path: '/small', ifAbsent: false, sizeBytes: 5 })).store(pieces(bytes.subarray(0, 5)))
      assert.equal(pool.begun, 1)
    })
  }

  it('are as whole when many are stored at once', async (t) => {
    await using pool = closing(createChunkPool({ threads: 2, startAtBytes: 0 }))
    const site = await makeSite({ options: { chunkPool: pool } })
    t.after(() => site.end())
    const files = [1, 2, 3, 4].map((seed) => ({ path: `/${seed}`, bytes: pattern(LARGE_BYTES + seed, seed) }))
    await Promise.all(
      files.map(async ({ path, bytes }) =>
        (await site.storage.openToWrite({ path, ifAbsent: false, sizeBytes: bytes.length })).store(pieces(bytes)),
      ),
    )
    for (const { path, bytes } of files) assert.deepEqual(await get(site.storage, path), Buffer.from(bytes))
  })
})

describe('records from threads', () => {
  it('leave in the order of their numbers, and read back with those of this thread', async () => {
    await using pool = closing(createChunkPool({ threads: 2, startAtBytes: 0 }))
    assert.equal(await pool.serves({ sizeBytes: 2 ** 30, chunkLog2: 16, n: 3 }), true)
    const arena = await createArena({ suite: 1, k: 2, rows: 3, chunkLog2: 16, slots: 1 })
    const spec = { suite: 1, k: 2, n: 3, chunkLog2: 16, rng: 0, vault: newId(), object: newId(), version: 1, ext: [] } as const
    const dealer = new Dealer(arena, spec)
    const carrier = listening()
    const desk = pooledDesk(dealer, pool, carrier)
    for (let j = 0; j < 40; j++) {
      ;(await desk.room()).fill(j)
      desk.deal(2 ** 16, j === 39)
    }
    await desk.drain()
    await desk.close()
    assert.deepEqual(
      carrier.sent.map(firstBytes),
      Array.from({ length: 40 }, (_, j) => [j, j, 0, 0]),
    )
  })

  it('are never waited for once a location was given up while it still reads them', async () => {
    await using pool = closing(createChunkPool({ threads: 1, startAtBytes: 0 }))
    await pool.serves({ sizeBytes: 2 ** 30, chunkLog2: 16, n: 3 })
    const arena = await createArena({ suite: 1, k: 2, rows: 3, chunkLog2: 16, slots: 1 })
    const dealer = new Dealer(arena, { suite: 1, k: 2, n: 3, chunkLog2: 16, rng: 0, vault: newId(), object: newId(), version: 1, ext: [] })
    const carrier = listening({ holding: true })
    const desk = pooledDesk(dealer, pool, carrier)
    for (let j = 0; j < 20; j++) {
      await desk.room()
      desk.deal(2 ** 16, j === 19)
    }
    await desk.drain()
    // What the location may still read has not been used again, nor taken away.
    assert.equal(new Set(carrier.views.map(([first]) => first!.buffer)).size, 20)
    assert.ok(carrier.views.every(([first]) => first!.length === SALT_BYTES + 2 ** 16 + 2 * TAG_BYTES))
    await desk.close()
  })
})

describe('a thread that dies', () => {
  it('fails the upload, leaves nothing visible, and the next upload has a new one', async (t) => {
    await using pool = closing(createChunkPool({ threads: 1, startAtBytes: 0, program: MORTAL }))
    const site = await makeSite({ options: { chunkPool: pool } })
    t.after(() => site.end())
    const store = async (bytes: Uint8Array): Promise<unknown> =>
      (await site.storage.openToWrite({ path: '/large', ifAbsent: false, sizeBytes: bytes.length })).store(pieces(bytes))
    const bytes = pattern(LARGE_BYTES)
    await assert.rejects(store(bytes), (error) => isFailure(error, 'base.internal') && /thread/.test(String(error)))
    await assert.rejects(site.storage.stat({ path: '/large' }), (error) => isFailure(error, 'storage.absent'))
    for (const folder of site.folders) {
      const names = await readdir(folder, { recursive: true })
      assert.ok(!names.some((name) => name.includes('.part-')), names.join())
    }
    const begun = pool.begun
    await assert.rejects(store(bytes), (error) => isFailure(error, 'base.internal'))
    assert.equal(pool.begun, begun + 1)
    await (await site.storage.openToWrite({ path: '/small', ifAbsent: false, sizeBytes: 3 })).store(pieces(bytes.subarray(0, 3)))
    assert.deepEqual(await get(site.storage, '/small'), Buffer.from(bytes.subarray(0, 3)))
  })

  it('is not needed: a program that does not start leaves the work to this thread', async (t) => {
    await using pool = closing(createChunkPool({ threads: 1, startAtBytes: 0, program: new URL('./no-such-program.ts', import.meta.url) }))
    const site = await makeSite({ options: { chunkPool: pool } })
    t.after(() => site.end())
    const bytes = pattern(LARGE_BYTES)
    await (await site.storage.openToWrite({ path: '/large', ifAbsent: false, sizeBytes: bytes.length })).store(pieces(bytes))
    assert.equal(pool.begun, 0)
    assert.deepEqual(await get(site.storage, '/large'), Buffer.from(bytes))
  })
})

it('a closed pool has no thread, and serves nobody', async () => {
  const pool = createChunkPool({ threads: 2, startAtBytes: 0 })
  const object = { sizeBytes: 2 ** 30, chunkLog2: 18, n: 3 }
  assert.equal(await pool.serves({ ...object, sizeBytes: 2 ** 20 }), false)
  assert.equal(await pool.serves({ ...object, sizeBytes: undefined }), false)
  assert.equal(await pool.serves(object), true)
  assert.equal(pool.running, 2)
  await pool.close()
  assert.equal(pool.running, 0)
  assert.equal(await pool.serves(object), false)
})

it('dealing in this thread sends the same kind of records', async () => {
  const arena = await createArena({ suite: 1, k: 2, rows: 3, chunkLog2: 16, slots: 2 })
  const dealer = new Dealer(arena, { suite: 1, k: 2, n: 3, chunkLog2: 16, rng: 0, vault: newId(), object: newId(), version: 1, ext: [] })
  const carrier = listening()
  const desk = localDesk(dealer, arena.slots, carrier)
  for (let j = 0; j < 5; j++) {
    ;(await desk.room()).fill(j)
    desk.deal(2 ** 16, j === 4)
  }
  await desk.drain()
  assert.deepEqual(
    carrier.sent.map(firstBytes),
    Array.from({ length: 5 }, (_, j) => [j, j, 0, 0]),
  )
})

/** Of one chunk: the first and the last byte of the plaintext, and how far the other records are from lying on one line with the first two. */
function firstBytes(records: readonly Uint8Array[]): number[] {
  const bodies = records.map((record) => record.slice(SALT_BYTES, -TAG_BYTES))
  const plain = combineBytes({ xs: [1, 2], shares: bodies.slice(0, 2) })
  const again = combineBytes({ xs: [2, 3], shares: bodies.slice(1) })
  const apart = plain.filter((byte, index) => byte !== again[index]).length
  return [plain[0]!, plain[2 ** 16 - 1]!, apart, plain.length - 2 ** 16 - TAG_BYTES]
}

/** Remembers what it is sent: copies, and the views themselves. */
function listening({ holding = false } = {}): Carrier & { readonly sent: Uint8Array[][]; readonly views: (readonly Uint8Array[])[] } {
  const sent: Uint8Array[][] = []
  const views: (readonly Uint8Array[])[] = []
  return {
    sent,
    views,
    holding,
    send: (chunks) => {
      sent.push(...chunks.map((records) => records.map((record) => record.slice())))
      views.push(...chunks)
      return Promise.resolve()
    },
    guard: async (work) => void (await work),
  }
}

function closing(pool: ChunkPool): ChunkPool & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() })
}
