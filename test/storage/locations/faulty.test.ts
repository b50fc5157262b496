// The location that misbehaves as planned does so, and only so.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { type Fault, type FaultyOperation, explicitPlan, seededPlan, wrapFaulty } from '../../../src/storage/locations/faulty.ts'
import { createMemoryLocation } from '../../../src/storage/locations/memory.ts'
import { locationConformance } from './conformance.ts'
import { listAll, pattern, readAll, refuses, writeAll } from './support.ts'

locationConformance('a faulty location without faults', async () => ({
  location: wrapFaulty(createMemoryLocation({ label: 'memory' }), () => undefined),
  close: () => Promise.resolve(),
}))

function faulty(...faults: { operation: FaultyOperation; nth?: number; fault: Fault }[]) {
  const memory = createMemoryLocation({ label: 'shelf' })
  return { memory, location: wrapFaulty(memory, explicitPlan(faults)) }
}

describe('a faulty location', () => {
  it('refuses before or after the effect', async () => {
    const { memory, location } = faulty(
      { operation: 'putIfAbsent', nth: 0, fault: { kind: 'fail', when: 'before', code: 'location.unreachable' } },
      { operation: 'putIfAbsent', nth: 1, fault: { kind: 'fail', when: 'after', code: 'location.stalled' } },
      { operation: 'putIfAbsent', nth: 2, fault: { kind: 'full' } },
    )
    await refuses(location.putIfAbsent('a', pattern(1)), 'location.unreachable', 'shelf')
    assert.equal(memory.objects.has('a'), false)
    await refuses(location.putIfAbsent('a', pattern(1)), 'location.stalled', 'shelf')
    assert.equal(memory.objects.has('a'), true)
    await refuses(location.putIfAbsent('b', pattern(1)), 'location.full', 'shelf')
  })

  it('hangs until it is cancelled', async () => {
    const { location } = faulty({ operation: 'head', fault: { kind: 'hang' } })
    const cancel = new AbortController()
    const head = location.head('a', { signal: cancel.signal })
    cancel.abort()
    await refuses(head, 'base.cancelled')
  })

  it('delays by its clock', async () => {
    const slept: number[] = []
    const clock = { now: () => 0, sleep: (ms: number) => Promise.resolve(void slept.push(ms)) }
    const location = wrapFaulty(createMemoryLocation({ label: 'shelf' }), () => ({ kind: 'delay', ms: 1234 }), { clock })
    assert.equal(await location.head('a'), undefined)
    assert.deepEqual(slept, [1234])
  })

  it('corrupts the one byte wherever it is read', async () => {
    const { memory, location } = faulty({ operation: 'open', fault: { kind: 'corrupt', offset: 900, xor: 1 } })
    const bytes = pattern(1000)
    memory.objects.set('a', bytes)
    const wanted = bytes.slice()
    wanted[900]! ^= 1
    const source = await location.open('a', { tailBytes: 200 })
    assert.deepEqual(source.tail, wanted.subarray(800))
    const all = new Uint8Array(1000)
    await source.read(0, all)
    assert.deepEqual(all, wanted)
    assert.notDeepEqual(memory.objects.get('a'), wanted)
  })

  it('truncates objects and reads', async () => {
    const { memory, location } = faulty(
      { operation: 'open', nth: 0, fault: { kind: 'truncate', sizeBytes: 700 } },
      { operation: 'read', nth: 1, fault: { kind: 'truncate', sizeBytes: 10 } },
    )
    memory.objects.set('a', pattern(1000))
    const short = await location.open('a', { tailBytes: 400 })
    assert.equal(short.sizeBytes, 700)
    assert.deepEqual(short.tail, pattern(1000).subarray(600, 700))
    await refuses(short.read(650, new Uint8Array(100)), 'location.truncated', 'shelf')
    const whole = await location.open('a')
    await refuses(whole.read(0, new Uint8Array(100)), 'location.truncated', 'shelf')
    await whole.read(0, new Uint8Array(100))
  })

  it('lies about what it has', async () => {
    const { memory, location } = faulty(
      { operation: 'head', nth: 0, fault: { kind: 'lie', says: 'absent' } },
      { operation: 'head', nth: 1, fault: { kind: 'lie', says: 'exists' } },
      { operation: 'open', fault: { kind: 'lie', says: 'absent' } },
      { operation: 'finish', nth: 1, fault: { kind: 'lie', says: 'done' } },
      { operation: 'discard', fault: { kind: 'lie', says: 'done' } },
      { operation: 'create', nth: 2, fault: { kind: 'lie', says: 'exists' } },
    )
    await writeAll(location, 'a', pattern(10))
    await writeAll(location, 'b', pattern(10))
    await refuses(writeAll(location, 'c', pattern(10)), 'location.exists', 'shelf')
    assert.deepEqual([...memory.objects.keys()], ['a'])
    assert.equal(await location.head('a'), undefined)
    assert.deepEqual(await location.head('z'), { sizeBytes: 1 })
    await refuses(location.open('a'), 'location.absent', 'shelf')
    assert.equal(await location.discard('a'), 'gone')
    assert.equal(memory.objects.has('a'), true)
  })

  it('lists what was, and answers what was', async () => {
    const { memory, location } = faulty(
      { operation: 'list', nth: 0, fault: { kind: 'stale', names: 1 } },
      { operation: 'list', nth: 1, fault: { kind: 'old' } },
      { operation: 'open', nth: 0, fault: { kind: 'old' } },
      { operation: 'head', nth: 0, fault: { kind: 'old' } },
    )
    await location.putIfAbsent('a', pattern(10, 1))
    await location.snapshot()
    await location.putIfAbsent('b', pattern(20, 2))
    assert.deepEqual(await listAll(location, ''), ['a'])
    memory.objects.set('a', pattern(30, 3))
    assert.deepEqual(await listAll(location, ''), ['a'])
    assert.deepEqual(await readAll(location, 'a'), pattern(10, 1))
    assert.deepEqual(await location.head('a'), { sizeBytes: 10 })
    assert.deepEqual(await readAll(location, 'a'), pattern(30, 3))
  })

  it('disappears until it appears', async () => {
    const { location } = faulty({ operation: 'list', fault: { kind: 'disappear' } })
    await location.putIfAbsent('a', pattern(10))
    await refuses(location.list({ prefix: '' }), 'location.unreachable', 'shelf')
    await refuses(location.head('a'), 'location.unreachable', 'shelf')
    location.appear()
    assert.deepEqual(await location.head('a'), { sizeBytes: 10 })
  })

  it('does the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const faults: Fault[] = [{ kind: 'full' }, { kind: 'hang' }, { kind: 'delay', ms: 1 }]
        const call = { operation: 'read' as const, name: 'a', index: 0, nth: 0 }
        const [one, other] = [seededPlan({ seed, rate: 0.5, faults }), seededPlan({ seed, rate: 0.5, faults })]
        for (let index = 0; index < 50; index += 1) assert.equal(one(call), other(call))
      }),
    )
  })
})
