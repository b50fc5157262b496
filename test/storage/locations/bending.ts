// What the tests of drivers over HTTP do with servers whose answers they bend.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureCode } from '#base'
import type { Location } from '../../../src/storage/location.ts'
import type { BendingProxy } from './bending-proxy.ts'
import type { FakeAnswer, FakeS3 } from './fake-s3.ts'
import { listAll, pattern, readAll, refuses, writeAll } from './support.ts'

/** Bends the first `times` requests that match; answers how many it met. */
export type Bending<Request, Bend> = (matches: (request: Request) => boolean, what: Bend | 'pass', times?: number) => () => number

export function bender<Request, Bend>(server: () => { bend: (request: Request) => Bend | 'pass' }): Bending<Request, Bend> {
  return (matches, what, times = Number.POSITIVE_INFINITY) => {
    let met = 0
    server().bend = (request) => {
      if (!matches(request) || met >= times) return 'pass'
      met += 1
      return what
    }
    return () => met
  }
}

export type ReadBend = FakeAnswer | ((response: ServerResponse) => void)

/** Answers to a read of the first 1000 bytes of 10,000 that every driver takes alike. */
const TO_READS: readonly (readonly [string, ReadBend, FailureCode])[] = [
  ['fewer bytes', { status: 206, headers: { 'content-range': 'bytes 0-499/10000' }, body: pattern(500) }, 'location.truncated'],
  ['another part', { status: 206, headers: { 'content-range': 'bytes 1-1000/10000' }, body: pattern(1000) }, 'location.unsupported'],
  ['another size', { status: 206, headers: { 'content-range': 'bytes 0-999/9999' }, body: pattern(1000) }, 'location.lies'],
  ['no range', { status: 206, body: pattern(1000) }, 'location.lies'],
  ['a false length', { status: 206, headers: { 'content-range': 'bytes 0-999/10000' }, body: pattern(900) }, 'location.lies'],
  ['everything', { status: 200, body: pattern(10_000) }, 'location.unsupported'],
  ['no such range', { status: 416 }, 'location.truncated'],
]

/** The object `a` of 10,000 bytes is there. */
export function bentReads(given: {
  readonly location: () => Location
  readonly bendReads: (what: ReadBend, times?: number) => void
  /** In the words of this kind of store. */
  readonly answers: readonly (readonly [string, ReadBend, FailureCode])[]
}): void {
  for (const [what, answer, code] of [...TO_READS, ...given.answers]) {
    it(`answers ${what}`, async () => {
      const location = given.location()
      const source = await location.open('a', { tailBytes: 10 })
      given.bendReads(answer)
      await refuses(source.read(0, new Uint8Array(1000)), code, location.label)
    })
  }

  it('sends more than it announced', async () => {
    const location = given.location()
    const source = await location.open('a', { tailBytes: 10 })
    given.bendReads((response) => {
      response.writeHead(206, { 'transfer-encoding': 'chunked', 'content-range': 'bytes 0-999/10000' })
      response.end(pattern(2000))
    })
    await refuses(source.read(0, new Uint8Array(1000)), 'location.lies', location.label)
  })

  it('ends in the middle', async () => {
    const cut = (response: ServerResponse): void => {
      response.writeHead(206, { 'content-length': '1000', 'content-range': 'bytes 0-999/10000' })
      response.write(pattern(500), () => response.destroy())
    }
    const location = given.location()
    const source = await location.open('a', { tailBytes: 10 })
    given.bendReads(cut, 2)
    const view = new Uint8Array(1000)
    await source.read(0, view)
    assert.deepEqual(view, pattern(10_000).subarray(0, 1000))
    given.bendReads(cut)
    await refuses(source.read(0, view), 'location.truncated', location.label)
  })
}

/** Every second answer to a part is lost: what is sent again is the same. */
export async function sameAgain(
  location: Location,
  server: Pick<FakeS3, 'bend'> | Pick<BendingProxy, 'bend'>,
  parts: { readonly bytes: number; readonly named: string },
): Promise<void> {
  const bodies = new Map<string, Buffer[]>()
  let lost = 0
  server.bend = (request: { readonly query: URLSearchParams; readonly body: Buffer }) => {
    const part = request.query.get(parts.named)
    if (part === null) return 'pass'
    bodies.set(part, [...(bodies.get(part) ?? []), request.body])
    lost += 1
    return lost % 2 === 1 ? 'lose answer' : 'pass'
  }
  const bytes = pattern(parts.bytes * 3 + 5)
  await writeAll(location, 'a', bytes, 10_007)
  assert.deepEqual(await readAll(location, 'a'), bytes)
  assert.ok([...bodies.values()].some((sent) => sent.length > 1))
  for (const sent of bodies.values()) for (const body of sent) assert.deepEqual(body, sent[0])
}

export const CALLS = ['head', 'open', 'put', 'write', 'list', 'discard', 'sweep', 'adopt', 'forget', 'lock', 'probe'] as const

/** One call of any kind: it succeeds, or fails in the words of locations and without what the store said. */
export async function failsInKnownWords(location: Location, call: (typeof CALLS)[number], largeBytes: number): Promise<void> {
  const calls: { readonly [Call in (typeof CALLS)[number]]: () => Promise<unknown> } = {
    head: () => location.head('a'),
    open: () => location.open('a'),
    put: () => location.putIfAbsent('a', pattern(10)),
    write: () => writeAll(location, 'a', pattern(largeBytes)),
    list: () => location.list({ prefix: '' }),
    discard: () => location.discard('a'),
    sweep: () => location.sweepPartial({ olderThanMs: 0 }),
    adopt: async () => (await location.adopt?.('a'))?.close(),
    forget: async () => location.forget?.('a'),
    lock: async () => location.extendLock?.('a'),
    probe: () => location.probe(),
  }
  try {
    await calls[call]()
  } catch (failure) {
    assert.ok(failure instanceof Failure && failure.code.startsWith('location.'), inspect(failure))
    assert.deepEqual(failure.culprits, [location.label])
    assert.ok(!inspect(failure, { depth: 9 }).includes('TOPSECRET'))
  } finally {
    await location.close()
  }
}

/** Every call is refused with the code of a place that is not there. */
export async function isNowhere(location: Location, largeBytes: number): Promise<void> {
  for (const call of [
    () => location.head('a'),
    () => location.open('a'),
    () => location.putIfAbsent('a', pattern(10)),
    () => writeAll(location, 'a', pattern(largeBytes)),
    () => location.list({ prefix: '' }),
    () => location.discard('a'),
  ])
    await refuses(call, 'location.config', location.label)
  await location.close()
}

/** Sixty objects at once. */
export async function manyAtOnce(location: Location): Promise<void> {
  const names = Array.from({ length: 60 }, (_, index) => `m/${String(index).padStart(3, '0')}`)
  await Promise.all(names.map((name, index) => location.putIfAbsent(name, pattern(5000, index + 1))))
  const read = await Promise.all(names.map((name) => readAll(location, name)))
  for (const [index, bytes] of read.entries()) assert.deepEqual(bytes, pattern(5000, index + 1))
  assert.deepEqual(await listAll(location, 'm/'), names)
  await location.close()
}
