// Reads in order share requests for what comes next; the bytes are those that single reads give, whatever happens on the way.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { type Clock, systemClock } from '#base'
import type { FragmentSource, Location } from '../../../src/storage/location.ts'
import { createS3Location } from '../../../src/storage/locations/s3/s3.ts'
import { BUCKET, type FakeS3, error, fakeS3 } from './fake-s3.ts'
import { keysOf } from './s3-servers.ts'
import { pattern, refuses } from './support.ts'

const RECORD = 64 * 1024
const RECORDS = 100
const OBJECT = pattern(RECORD * RECORDS + 1234, 3)

/** A clock that sleeps only as long as a test lets it. */
class HeldClock implements Clock {
  readonly sleeps: { readonly ms: number; readonly end: () => void }[] = []
  now(): number {
    return Date.now()
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sleeps.push({ ms, end: resolve })
      signal?.addEventListener('abort', () => reject(new Error('called off')), { once: true })
    })
  }
}

describe('reads in order', () => {
  let fake: FakeS3
  let location: Location
  beforeEach(async () => {
    fake = await fakeS3()
    fake.objects.set('a', OBJECT)
    location = locationOf(systemClock)
  })
  afterEach(async () => {
    await location.close()
    await fake[Symbol.asyncDispose]()
  })
  const locationOf = (clock: Clock): Location =>
    createS3Location({
      label: 'cloud',
      endpoint: fake.endpoint,
      bucket: BUCKET,
      region: 'us-east-1',
      credentials: async () => keysOf('A', 'S'),
      backoffMs: 1,
      clock,
    })
  const ranges = (): string[] => fake.requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers.range ?? '')
  const part = (index: number): Uint8Array => OBJECT.subarray(index * RECORD, (index + 1) * RECORD)

  for (const atOnce of [1, 8]) {
    it(`take few requests, ${atOnce} at once`, async () => {
      const source = await location.open('a', { tailBytes: 0 })
      const views = Array.from({ length: RECORDS }, () => new Uint8Array(RECORD))
      for (let at = 0; at < RECORDS; at += atOnce) {
        await Promise.all(views.slice(at, at + atOnce).map((view, index) => source.read((at + index) * RECORD, view)))
      }
      for (const [index, view] of views.entries()) assert.ok(Buffer.from(part(index)).equals(view), `record ${index}`)
      assert.ok(ranges().length <= 10, `${ranges().length} requests`)
      assert.ok(ranges().every((range) => rangeBytes(range) <= 4 * 2 ** 20))
      await source.close()
    })
  }

  it('ask for no more than was read before', async () => {
    const source = await location.open('a', { tailBytes: 0 })
    for (let index = 0; index < 40; index += 1) {
      await source.read(index * RECORD, new Uint8Array(RECORD))
      const asked = ranges().reduce((sum, range) => sum + rangeBytes(range), 0)
      assert.ok(asked <= 2 * (index + 1) * RECORD, `${asked} after ${index + 1} records`)
    }
    await source.close()
  })

  it('that are not in order ask for themselves alone', async () => {
    const source = await location.open('a', { tailBytes: 0 })
    for (const index of [5, 50, 7, 30, 8, 90]) await source.read(index * RECORD, new Uint8Array(RECORD))
    assert.deepEqual(
      ranges().map(rangeBytes),
      [5, 50, 7, 30, 8, 90].map(() => RECORD),
    )
    await source.close()
  })

  it('give the bytes that are there, whatever is read in whatever order and given up', async () => {
    const step = fc.record({
      from: fc.oneof({ weight: 6, arbitrary: fc.constant('next' as const) }, { weight: 1, arbitrary: fc.nat(RECORDS - 1) }),
      wait: fc.boolean(),
      cancel: fc.constantFrom('no', 'no', 'no', 'no', 'at once', 'soon'),
      length: fc.constantFrom(RECORD, RECORD, RECORD, 1000, 1),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const source = await location.open('a', { tailBytes: 0 })
        const under: Promise<void>[] = []
        let next = 0
        for (const { from, wait, cancel, length } of steps) {
          const offset = Math.min(from === 'next' ? next : from * RECORD, OBJECT.length - length)
          next = offset + length
          const view = new Uint8Array(length)
          const stop = new AbortController()
          const reading = source.read(offset, view, { signal: stop.signal })
          if (cancel === 'at once') stop.abort()
          if (cancel === 'soon') setImmediate(() => stop.abort())
          const judged = reading.then(
            () => assert.ok(Buffer.from(OBJECT.subarray(offset, offset + length)).equals(view), `${length} from ${offset}`),
            async (failure: unknown) => {
              assert.equal((failure as { code?: string }).code, 'base.cancelled')
              const before = view.slice()
              await new Promise((resolve) => setImmediate(resolve))
              assert.deepEqual(view, before)
            },
          )
          under.push(judged)
          if (wait) await judged
        }
        await Promise.all(under)
        await source.close()
      }),
      { numRuns: 60 },
    )
  })

  /** Reads up to where the next read in order asks for several at once. */
  const upToRequest = async (source: FragmentSource): Promise<void> => {
    for (let index = 0; index < 7; index += 1) await source.read(index * RECORD, new Uint8Array(RECORD))
  }

  it('stop fetching at once when all who wait have left', async () => {
    const source = await location.open('a', { tailBytes: 0 })
    await upToRequest(source)
    const closed = new Promise((resolve) => {
      fake.bend =
        ({ headers }) =>
        (response) => {
          const range = headers.range!
          const bytes = rangeBytes(range)
          response.writeHead(206, { 'content-length': String(bytes), 'content-range': `${range.replace('=', ' ')}/${OBJECT.length}` })
          response.write(part(7).subarray(0, 1000))
          response.on('close', () => resolve(bytes))
        }
    })
    const stop = new AbortController()
    const views = [7, 8, 9].map((index) => ({ index, view: new Uint8Array(RECORD) }))
    const refused = views.map(({ index, view }) => refuses(source.read(index * RECORD, view, { signal: stop.signal }), 'base.cancelled'))
    while (views[0]!.view.every((byte) => byte === 0)) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    await Promise.all(refused)
    assert.equal(await closed, 8 * RECORD)
    await source.close()
  })

  it('end with the source', async () => {
    const source = await location.open('a', { tailBytes: 0 })
    await upToRequest(source)
    fake.bend = () => 'hang'
    const reading = [7, 8, 9].map((index) => refuses(source.read(index * RECORD, new Uint8Array(RECORD)), 'base.cancelled'))
    await source.close()
    await Promise.all(reading)
  })

  it('go on one by one when the shared request breaks', async () => {
    const source = await location.open('a', { tailBytes: 0 })
    await upToRequest(source)
    let broken = 0
    fake.bend = (request) => {
      const bytes = rangeBytes(request.headers.range ?? '')
      if (bytes <= RECORD) return 'pass'
      broken += 1
      return (response, honest) => {
        const { status, headers, body } = honest()
        response.writeHead(status, { ...headers, 'content-length': String(bytes) })
        response.write(body!.slice(0, RECORD + 100), () => response.destroy())
      }
    }
    const views = Array.from({ length: 30 }, () => new Uint8Array(RECORD))
    await Promise.all(views.map((view, index) => source.read((index + 7) * RECORD, view)))
    for (const [index, view] of views.entries()) assert.ok(Buffer.from(part(index + 7)).equals(view), `record ${index + 7}`)
    assert.ok(broken > 0)
    await source.close()
  })

  it('name what is wrong, as single reads do', async () => {
    for (const [bend, code] of [
      [error(412, 'PreconditionFailed'), 'location.lies'],
      [error(403, 'AccessDenied'), 'location.denied'],
      [error(404, 'NoSuchKey'), 'location.absent'],
      [{ status: 200, body: OBJECT }, 'location.unsupported'],
      ['lose', 'location.unreachable'],
    ] as const) {
      fake.bend = () => 'pass'
      const source = await location.open('a', { tailBytes: 0 })
      await upToRequest(source)
      fake.bend = () => bend
      await refuses(source.read(7 * RECORD, new Uint8Array(RECORD)), code, 'cloud')
      await refuses(source.read(8 * RECORD, new Uint8Array(RECORD)), code, 'cloud')
      await source.close()
    }
  })

  it('let go of the connection when nobody reads on', async () => {
    const clock = new HeldClock()
    const patient = locationOf(clock)
    const source = await patient.open('a', { tailBytes: 0 })
    const views = Array.from({ length: 20 }, () => new Uint8Array(RECORD))
    for (const [index, view] of views.entries()) await source.read(index * RECORD, view)
    const idle = (): (() => void) | undefined => clock.sleeps.find(({ ms }) => ms === 5000)?.end
    while (idle() === undefined) await new Promise((resolve) => setImmediate(resolve))
    const before = ranges().length
    for (const { ms, end } of clock.sleeps) if (ms === 5000) end()
    await new Promise((resolve) => setImmediate(resolve))
    const view = new Uint8Array(RECORD)
    await source.read(20 * RECORD, view)
    assert.ok(Buffer.from(part(20)).equals(view))
    assert.ok(ranges().length > before, 'it asked anew')
    await source.close()
    await patient.close()
  })
})

function rangeBytes(range: string): number {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range)
  return match === null ? 0 : Number(match[2]) - Number(match[1]) + 1
}
