// Turns: one at a time, in order, with a bound on the waiting.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '#base'
import { createTurns } from '../../src/database/turns.ts'

test('turns come in order, one at a time', async () => {
  const turns = createTurns({ waitMs: 10_000, waitingMax: 100 })
  const order: number[] = []
  let inside = 0
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const end = await turns.take()
      assert.equal(++inside, 1)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(index)
      inside--
      end()
      end()
    }),
  )
  assert.deepEqual(
    order,
    order.map((_, index) => index),
  )
})

test('a wait has an end, and the queue too; who gave up is passed over', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turns = createTurns({ waitMs: 1000, waitingMax: 2 })
  const end = await turns.take()
  const second = turns.take()
  t.mock.timers.tick(500)
  const third = turns.take()
  await assert.rejects(turns.take(), (error) => isFailure(error, 'database.unavailable'))
  t.mock.timers.tick(500)
  await assert.rejects(second, (error) => isFailure(error, 'database.unavailable'))
  end()
  ;(await third)()
  ;(await turns.take())()
})

test('how the turns went: who waits now, how many had to, and how long', async () => {
  const turns = createTurns({ waitMs: 10_000, waitingMax: 100 })
  assert.deepEqual(turns.load, { waiting: 0, waits: 0, waitedMs: 0 })
  const end = await turns.take()
  const others = [turns.take(), turns.take()]
  assert.deepEqual([turns.load.waiting, turns.load.waits], [2, 2])
  end()
  for (const other of others) (await other)()
  assert.deepEqual([turns.load.waiting, turns.load.waits], [0, 2])
  assert.ok(turns.load.waitedMs > 0)
  ;(await turns.take())()
  assert.equal(turns.load.waits, 2, 'a turn that comes at once is no wait')
})
