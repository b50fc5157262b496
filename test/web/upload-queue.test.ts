// The upload queue of the page: three at a time, each cancellable, and a site that goes away costs nothing but time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONCURRENT, createUploadQueue, type Sending, type UploadQueue } from '../../web/src/uploads/queue.ts'
import { createRate } from '../../web/src/uploads/rate.ts'

class Stopped extends Error {}

interface Sent extends Sending {
  readonly finish: () => void
  readonly fail: (error: Error) => void
}

function harness(): { queue: UploadQueue; sent: Sent[]; most: () => number } {
  const sent: Sent[] = []
  let at = 0
  let open = 0
  let most = 0
  const queue = createUploadQueue({
    isStopped: (error) => error instanceof Stopped,
    now: () => (at += 10),
    send: (sending) =>
      new Promise((resolve, reject) => {
        most = Math.max(most, ++open)
        const end = (then: () => void) => (): void => {
          open--
          then()
        }
        sending.signal.addEventListener(
          'abort',
          end(() => reject(new Error('aborted'))),
        )
        sent.push({ ...sending, finish: end(() => resolve({ version: 1, laggards: [] })), fail: (error) => end(() => reject(error))() })
      }),
  })
  return { queue, sent, most: () => most }
}

const file = (name: string, size = 1000): { file: File; path: string } => ({
  file: new File([new Uint8Array(size)], name),
  path: `/${name}`,
})
/** Lets every promise that can go on go on, and the view be told. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150))

test('never more than the bound at once, and all in the end', async () => {
  const { queue, sent, most } = harness()
  queue.add(Array.from({ length: 20 }, (_, index) => file(`f${index}`)))
  for (let index = 0; index < 20; index++) {
    await new Promise(setImmediate)
    sent[index]!.finish()
  }
  await settle()
  assert.equal(most(), CONCURRENT)
  const view = queue.view()
  assert.deepEqual([view.done, view.files, view.busy, view.sentBytes, view.bytes], [20, 20, false, 20_000, 20_000])
  assert.ok(view.recent.length <= 5, 'what is done is forgotten but for the last few')
})

test('progress counts bytes of what runs and of what is done', async () => {
  const { queue, sent } = harness()
  queue.add([file('a', 4000), file('b', 1000)])
  sent[0]!.progress(1000)
  sent[1]!.progress(1000)
  await settle()
  const view = queue.view()
  assert.equal(view.sentBytes, 2000)
  assert.deepEqual(
    view.active.map(({ state }) => state),
    ['sending', 'settling'],
  )
})

test('one cancelled upload is aborted, the others go on; a waiting one never starts', async () => {
  const { queue, sent } = harness()
  queue.add(['a', 'b', 'c', 'd', 'e'].map((name) => file(name)))
  await settle()
  const view = queue.view()
  queue.cancel(view.active[0]!.id)
  queue.cancel(view.waiting[1]!.id)
  await new Promise(setImmediate)
  assert.ok(sent[0]!.signal.aborted)
  for (let index = 1; index < 4; index++) {
    await new Promise(setImmediate)
    sent[index]!.finish()
  }
  await settle()
  assert.deepEqual([queue.view().done, queue.view().cancelled, sent.map(({ path }) => path)], [3, 2, ['/a', '/b', '/c', '/d']])
})

test('cancelling all leaves nothing running', async () => {
  const { queue, sent } = harness()
  queue.add(Array.from({ length: 9 }, (_, index) => file(`f${index}`)))
  queue.cancelAll()
  await settle()
  assert.equal(sent.length, CONCURRENT)
  assert.deepEqual([queue.view().busy, queue.view().cancelled], [false, 9])
})

test('a failure keeps its reason, and another try can succeed', async () => {
  const { queue, sent } = harness()
  queue.add([file('a')])
  sent[0]!.fail(new Error('full'))
  await settle()
  const reasons = queue.view().failures.map(({ error }) => (error instanceof Error ? error.message : ''))
  assert.deepEqual(reasons, ['full'])
  assert.equal(queue.view().busy, false)
  queue.retryAll()
  await new Promise(setImmediate)
  sent[1]!.finish()
  await settle()
  assert.deepEqual([queue.view().failed, queue.view().done], [0, 1])
})

test('a site that stops pauses the queue and loses no file', async () => {
  const { queue, sent } = harness()
  queue.add(['a', 'b', 'c', 'd'].map((name) => file(name)))
  for (const sending of sent.slice(0, 3)) sending.fail(new Stopped())
  await settle()
  assert.deepEqual([queue.view().paused, queue.view().waitingCount, sent.length], [true, 4, 3])
  queue.resume()
  for (let index = 3; index < 7; index++) {
    await new Promise(setImmediate)
    sent[index]!.finish()
  }
  await settle()
  assert.deepEqual([queue.view().done, queue.view().failed, queue.view().paused], [4, 0, false])
})

test('the rate is of the last seconds, and nothing before anything is known', () => {
  const rate = createRate()
  assert.equal(rate.perSecond(0), 0)
  for (let at = 0; at <= 10_000; at += 500) rate.note(at, at * 2)
  assert.equal(rate.perSecond(10_000), 2000)
  assert.equal(rate.perSecond(60_000), 0)
})
