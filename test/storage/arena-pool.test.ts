// The stock of arenas: bounded, fair, nothing of one user is seen by the next, nothing is lost when waiting ends early.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '#base'
import { arenaBytes, type ArenaShape } from '#format'
import { createArenaPool } from '../../src/storage/arena-pool.ts'

const SHAPE: ArenaShape = { suite: 1, k: 2, rows: 3, chunkLog2: 16, slots: 1 }
const WIDE: ArenaShape = { ...SHAPE, slots: 3 }

test('within its bound, one after the other, in the order they came', async () => {
  const pool = createArenaPool(arenaBytes(SHAPE) * 2)
  const [a, b] = [await pool.take(SHAPE), await pool.take(SHAPE)]
  const order: number[] = []
  const waiting = [0, 1, 2].map(async (index) => {
    const arena = await pool.take(SHAPE)
    order.push(index)
    return arena
  })
  pool.release(a)
  const first = await waiting[0]!
  assert.deepEqual(order, [0])
  pool.release(first)
  pool.abandon(b)
  pool.release(await waiting[1]!)
  pool.release(await waiting[2]!)
  assert.deepEqual(order, [0, 1, 2])
  assert.equal(pool.usedBytes, 0)
})

test('one that is larger than all is served alone, and who gives up waiting holds nobody up', async () => {
  const pool = createArenaPool(arenaBytes(SHAPE))
  const small = await pool.take(SHAPE)
  const stop = new AbortController()
  const large = pool.take(WIDE, stop.signal)
  const after = pool.take(SHAPE)
  stop.abort()
  await assert.rejects(large, (error) => isFailure(error, 'base.cancelled'))
  pool.release(small)
  pool.release(await after)
  pool.release(await pool.take(WIDE))
  await assert.rejects(
    pool.take(SHAPE, stop.signal).then((arena) => pool.take(SHAPE, stop.signal).finally(() => pool.release(arena))),
    (error) => isFailure(error, 'base.cancelled'),
  )
  assert.equal(pool.usedBytes, 0)
})

test('what one leaves in an arena is wiped before another has it, and kept for its own return', async () => {
  const pool = createArenaPool(arenaBytes(SHAPE) * 4)
  const arena = await pool.take(SHAPE)
  const at = arena.slots[0]!.secret
  const mine = { arena, wipe: () => arena.kernel.memory.fill(0, at, at + 10) }
  arena.kernel.memory.fill(7, at, at + 10)
  pool.release(arena, mine.wipe)
  const again = await pool.take(SHAPE, undefined, mine)
  assert.equal(again, arena)
  assert.equal(again.kernel.memory[at], 7)
  pool.release(again, mine.wipe)
  const other = await pool.take(SHAPE)
  assert.equal(other, arena)
  assert.equal(other.kernel.memory[at], 0)
  // Left by somebody else meanwhile: it is not ours any more as it is.
  other.kernel.memory.fill(9, at, at + 10)
  pool.release(other, () => other.kernel.memory.fill(0, at, at + 10))
  assert.equal((await pool.take(SHAPE, undefined, mine)).kernel.memory[at], 0)
})
