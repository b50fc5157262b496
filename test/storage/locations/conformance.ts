// What every location must do. A driver passes this suite or says in its capabilities what it cannot.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { Capabilities, Location, UnfinishedWrite } from '../../../src/storage/location.ts'
import { createMemoryLocation } from '../../../src/storage/locations/memory.ts'
import { begun, listAll, pattern, pour, readAll, refuses, writeAll } from './support.ts'

export interface Subject {
  readonly location: Location
  close(): Promise<void>
}

export interface Expectations {
  /** Capabilities that differ from those of an honest location. */
  readonly deviations?: Partial<Omit<Capabilities, 'latencyMs' | 'findings'>>
  /** A size at which the driver writes in several parts. */
  readonly largeBytes?: number
  readonly modelRuns?: number
  /** What interrupted writes leave does not show, or is locked while it is written, and goes by itself. */
  readonly nothingToSweep?: boolean
  /** What was adopted stands under its name until the write ends; `no`: nothing can be adopted. */
  readonly adopts?: 'shown' | 'no'
  /** Known faults of a server that the driver must notice: they become failures, never wrong answers. */
  readonly faults?: readonly ('single bytes' | 'list order' | 'no list of uploads')[]
}

const HONEST = { honestCreate: true, rangedRead: true, listAfterWrite: true, multipartAbort: true, deletes: true, objectLock: false }

export function locationConformance(name: string, factory: () => Promise<Subject>, expectations: Expectations = {}): void {
  const expected = { ...HONEST, ...expectations.deviations }
  const has = (fault: NonNullable<Expectations['faults']>[number]): boolean => expectations.faults?.includes(fault) ?? false
  const largeBytes = expectations.largeBytes ?? 3 * 2 ** 20 + 17

  describe(`location conformance: ${name}`, () => {
    let subject: Subject
    let location: Location
    const fresh = (): string => `t/${randomBytes(8).toString('hex')}`
    before(async () => {
      subject = await factory()
      location = subject.location
    })
    after(async () => {
      await subject?.close()
    })

    it('keeps what was written, at every size that matters', async () => {
      for (const sizeBytes of [0, 1, 15, 16, 17, 65_535, 65_537, largeBytes]) {
        const at = `${fresh()}-${sizeBytes}`
        await writeAll(location, at, pattern(sizeBytes, sizeBytes + 1))
        assert.deepEqual(await location.head(at), { sizeBytes })
        assert.ok(Buffer.from(pattern(sizeBytes, sizeBytes + 1)).equals(await readAll(location, at)), `${sizeBytes} bytes`)
      }
    })

    it('takes pieces of any size and lets the caller reuse them', async () => {
      const at = fresh()
      const bytes = pattern(largeBytes, 5)
      const reused = new Uint8Array(700_001)
      const sink = await location.create(at)
      for (let from = 0; from < bytes.length;) {
        const length = Math.min(bytes.length - from, from % 3 === 0 ? reused.length : 4097)
        reused.set(bytes.subarray(from, from + length))
        await sink.write(reused.subarray(0, length))
        from += length
      }
      await sink.write(new Uint8Array(0))
      await sink.finish()
      assert.equal(sink.acceptedBytes, bytes.length)
      assert.ok(Buffer.from(bytes).equals(await readAll(location, at)))
    })

    it('takes several pieces at once as one after the other', async () => {
      const at = fresh()
      const sink = await location.create(at)
      const bytes = pattern(300_000)
      const pieces = [bytes.subarray(0, 7), bytes.subarray(7, 7), bytes.subarray(7, 262_191), bytes.subarray(262_191)]
      if (sink.writev === undefined) for (const piece of pieces) await sink.write(piece)
      else await sink.writev(pieces)
      await sink.write(bytes.subarray(0, 3))
      await sink.finish()
      assert.deepEqual(await readAll(location, at), Uint8Array.from([...bytes, ...bytes.subarray(0, 3)]))
    })

    it('shows nothing under the name before the write is finished', async () => {
      for (const sizeBytes of [100, largeBytes]) {
        const at = fresh()
        const sink = await location.create(at)
        await pour(sink, pattern(sizeBytes))
        assert.equal(await location.head(at), undefined)
        await refuses(location.open(at), 'location.absent', location.label)
        assert.deepEqual(await listAll(location, at), [])
        await sink.finish()
        assert.deepEqual(await location.head(at), { sizeBytes })
      }
    })

    it('drops an abandoned write, however often it is told', async () => {
      for (const sizeBytes of [0, 100, largeBytes]) {
        const at = fresh()
        const sink = await location.create(at)
        await pour(sink, pattern(sizeBytes))
        await sink.abort()
        await sink.abort()
        assert.equal(await location.head(at), undefined)
        assert.deepEqual(await listAll(location, at), [])
        await writeAll(location, at, pattern(10))
        await sink.abort()
        assert.deepEqual(await location.head(at), { sizeBytes: 10 })
      }
    })

    it('never overwrites a name that it has', async () => {
      for (const sizeBytes of [100, largeBytes]) {
        const at = fresh()
        await writeAll(location, at, pattern(50, 1))
        await refuses(writeAll(location, at, pattern(sizeBytes, 2)), 'location.exists', location.label)
        assert.equal(await location.putIfAbsent(at, pattern(60, 3)), 'exists')
        assert.ok(Buffer.from(pattern(50, 1)).equals(await readAll(location, at)))
      }
    })

    it('puts a small object once', async () => {
      for (const sizeBytes of [0, 1, 5000, 2 ** 20]) {
        const at = fresh()
        assert.equal(await location.putIfAbsent(at, pattern(sizeBytes, 1)), 'created')
        assert.equal(await location.putIfAbsent(at, pattern(sizeBytes, 2)), 'exists')
        assert.ok(Buffer.from(pattern(sizeBytes, 1)).equals(await readAll(location, at)))
      }
    })

    const ofHonest = (title: string, work: () => Promise<void>): void => void (expected.honestCreate && it(title, work))
    ofHonest('lets exactly one of several writers create a name', async () => {
      for (let round = 0; round < 5; round += 1) {
        const at = fresh()
        const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => location.putIfAbsent(at, pattern(500, seed))))
        assert.equal(answers.filter((answer) => answer === 'created').length, 1)
        const winner = answers.indexOf('created') + 1
        assert.ok(Buffer.from(pattern(500, winner)).equals(await readAll(location, at)))
      }
    })

    ofHonest('lets exactly one of two long writes finish', async () => {
      const at = fresh()
      const sinks = [await location.create(at), await location.create(at)]
      await Promise.all(sinks.map((sink, index) => pour(sink, pattern(largeBytes, index + 1))))
      await sinks[0]!.finish()
      await refuses(sinks[1]!.finish(), 'location.exists', location.label)
      assert.ok(Buffer.from(pattern(largeBytes, 1)).equals(await readAll(location, at)))
    })

    it('reads exactly what is asked, into views of any memory', async () => {
      const at = fresh()
      const bytes = pattern(300_000, 9)
      await writeAll(location, at, bytes)
      const memory = new WebAssembly.Memory({ initial: 8 })
      const source = await location.open(at, { tailBytes: 1000 })
      try {
        assert.equal(source.sizeBytes, bytes.length)
        assert.ok(Buffer.from(bytes.subarray(-1000)).equals(source.tail))
        for (const [offset, length] of [
          [0, 1],
          [0, 300_000],
          [299_999, 1],
          [123_457, 65_536],
          [5, 0],
          [300_000, 0],
        ] as const) {
          const view = new Uint8Array(memory.buffer, 64, length)
          view.fill(0)
          if (has('single bytes') && offset === 0 && length === 1) {
            await refuses(source.read(offset, view), 'location.unsupported', location.label)
            continue
          }
          await source.read(offset, view)
          assert.ok(Buffer.from(bytes.subarray(offset, offset + length)).equals(view), `${length} bytes from ${offset}`)
        }
        const views = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => ({ offset: index * 30_000, view: new Uint8Array(20_000) }))
        await Promise.all(views.map(({ offset, view }) => source.read(offset, view)))
        for (const { offset, view } of views) assert.ok(Buffer.from(bytes.subarray(offset, offset + 20_000)).equals(view))
      } finally {
        await source.close()
      }
    })

    it('touches nothing outside the view', async () => {
      const at = fresh()
      await writeAll(location, at, pattern(1000).fill(7))
      const around = new Uint8Array(300)
      const source = await location.open(at)
      await source.read(10, around.subarray(100, 200))
      await source.close()
      assert.ok(around.subarray(0, 100).every((byte) => byte === 0))
      assert.ok(around.subarray(100, 200).every((byte) => byte === 7))
      assert.ok(around.subarray(200).every((byte) => byte === 0))
    })

    it('gives a tail of at most the object', async () => {
      for (const [sizeBytes, tailBytes, wanted] of [
        [0, 100, 0],
        [50, 100, 50],
        [100, 100, 100],
        [500, 100, 100],
        [500, 0, 0],
      ] as const) {
        const at = fresh()
        await writeAll(location, at, pattern(sizeBytes))
        const source = await location.open(at, { tailBytes })
        assert.equal(source.sizeBytes, sizeBytes)
        assert.ok(Buffer.from(pattern(sizeBytes).subarray(sizeBytes - wanted)).equals(source.tail), `${tailBytes} of ${sizeBytes}`)
        await source.close()
      }
    })

    it('says truncated rather than give fewer bytes', async () => {
      const at = fresh()
      await writeAll(location, at, pattern(100))
      const source = await location.open(at)
      try {
        await refuses(source.read(90, new Uint8Array(11)), 'location.truncated', location.label)
        await refuses(source.read(100, new Uint8Array(1)), 'location.truncated', location.label)
        await refuses(source.read(5000, new Uint8Array(1)), 'location.truncated', location.label)
      } finally {
        await source.close()
      }
    })

    it('knows what it does not have', async () => {
      const at = fresh()
      assert.equal(await location.head(at), undefined)
      assert.equal(await location.head(`${at}/deeper`), undefined)
      await refuses(location.open(at), 'location.absent', location.label)
      await refuses(location.open(at, { tailBytes: 0 }), 'location.absent', location.label)
      assert.equal(await location.discard(at), 'gone')
      assert.deepEqual(await location.list({ prefix: at }), { entries: [] })
    })

    it('lists in code point order, in pages, with sizes', async () => {
      const at = fresh()
      const names = ['a', 'a-b', 'a-b/c', 'a.b', 'a0', 'a_', 'b/1', 'b/10', 'b/2', 'b0', 'ab/cd/ef', 'ab/cd-ef', 'z'].map(
        (each) => `${at}/${each}`,
      )
      // A folder cannot hold a file and a folder of one name; names of ours never ask for it.
      const kept = names.filter((each) => !names.some((other) => other.startsWith(`${each}/`)))
      for (const [index, each] of kept.entries()) await location.putIfAbsent(each, pattern(index + 1))
      kept.sort()
      if (has('list order')) return void (await refuses(listAll(location, `${at}/`), 'location.lies', location.label))
      for (const limit of [undefined, 1, 2, 3, 100]) assert.deepEqual(await listAll(location, `${at}/`, limit), kept, `pages of ${limit}`)
      assert.deepEqual(await listAll(location, `${at}/b/1`), [`${at}/b/1`, `${at}/b/10`])
      const { entries } = await location.list({ prefix: `${at}/`, limit: 2 })
      assert.equal(entries.length, 2)
      for (const entry of entries) assert.deepEqual(await location.head(entry.name), { sizeBytes: entry.sizeBytes })
      const later = await location.list({ prefix: `${at}/`, after: `${at}/b` })
      assert.deepEqual(
        later.entries.map((entry) => entry.name),
        kept.filter((each) => each > `${at}/b`),
      )
      assert.deepEqual((await location.list({ prefix: `${at}/`, after: `${at}/z` })).entries, [])
    })

    it('discards for good, and again', async () => {
      if (!expected.deletes) return
      const at = fresh()
      await writeAll(location, at, pattern(100))
      assert.equal(await location.discard(at), 'gone')
      assert.equal(await location.discard(at), 'gone')
      assert.equal(await location.head(at), undefined)
      await refuses(location.open(at), 'location.absent', location.label)
      assert.deepEqual(await listAll(location, at), [])
    })

    it('sweeps what interrupted writes left behind, and nothing younger', async () => {
      if (has('no list of uploads')) {
        return void (await refuses(location.sweepPartial({ olderThanMs: 0 }), 'location.unsupported', location.label))
      }
      const at = fresh()
      const sink = await location.create(at)
      await pour(sink, pattern(largeBytes))
      await location.sweepPartial({ olderThanMs: 3_600_000 })
      await sink.finish()
      assert.deepEqual(await location.head(at), { sizeBytes: largeBytes })
      const left = await location.create(fresh())
      await pour(left, pattern(largeBytes))
      await begun(left)
      const swept = await location.sweepPartial({ olderThanMs: -3_600_000 })
      assert.ok(expectations.nothingToSweep === true ? swept === 0 : swept >= 1)
      await left.abort()
      assert.equal(await location.sweepPartial({ olderThanMs: -3_600_000 }), 0)
      assert.deepEqual(await location.head(at), { sizeBytes: largeBytes })
    })

    it('gives back what a suspended or abandoned write left, and goes on with it', async () => {
      if (location.adopt === undefined || expectations.adopts === 'no') return
      assert.equal(await location.adopt(fresh()), undefined)
      const bytes = pattern(2 * largeBytes, 9)
      const cut = largeBytes - 1000
      for (const how of ['suspended', 'abandoned', 'finished'] as const) {
        const at = fresh()
        const first = await location.create(at, { adoptable: true })
        await pour(first, bytes.subarray(0, largeBytes))
        if (how === 'suspended') await first.suspend?.()
        // Parts that are on their way when their writer vanishes may or may not arrive.
        if (how === 'abandoned') while (first.acceptedBytes < cut / 2) await new Promise(setImmediate)
        if (how === 'finished') await first.finish()
        const left: UnfinishedWrite | undefined = await location.adopt(at)
        assert.ok(left !== undefined, how)
        if (expectations.adopts !== 'shown') assert.equal(await location.head(at), undefined)
        // What arrived is a beginning of what was written; the rest of a part may have been in memory only.
        assert.ok(left.sizeBytes <= largeBytes && left.sizeBytes > 0, `${left.sizeBytes} bytes, ${how}`)
        const there: Uint8Array = new Uint8Array(left.sizeBytes)
        await left.read(0, there)
        assert.ok(Buffer.from(bytes.subarray(0, left.sizeBytes)).equals(there), how)
        const middle = new Uint8Array(100)
        await left.read(left.sizeBytes - 100, middle)
        assert.ok(Buffer.from(bytes.subarray(left.sizeBytes - 100, left.sizeBytes)).equals(middle))
        const from = Math.min(cut, left.sizeBytes)
        const sink = await left.resume(from)
        await pour(sink, bytes.subarray(from))
        if (expectations.adopts !== 'shown') assert.equal(await location.head(at), undefined)
        await sink.finish()
        assert.equal(sink.acceptedBytes, bytes.length)
        assert.ok(Buffer.from(bytes).equals(await readAll(location, at)), how)
        if (how === 'abandoned') await first.abort()
      }
    })

    it('gives back the same after several interruptions', async () => {
      if (location.adopt === undefined || expectations.adopts === 'no') return
      const at = fresh()
      const bytes = pattern(largeBytes, 11)
      const first = await location.create(at, { adoptable: true })
      await pour(first, bytes)
      await first.suspend?.()
      for (let round = 0; round < 3; round += 1) {
        const left = await location.adopt(at)
        assert.ok(left !== undefined)
        if (round === 1) await left.close()
        else await (await left.resume(left.sizeBytes)).suspend?.()
      }
      const left = await location.adopt(at)
      assert.ok(left !== undefined && left.sizeBytes > 0)
      const sink = await left.resume(left.sizeBytes)
      await pour(sink, bytes.subarray(left.sizeBytes))
      await sink.finish()
      assert.ok(Buffer.from(bytes).equals(await readAll(location, at)))
    })

    it('forgets the unfinished writes of one name, and no others', async () => {
      if (location.adopt === undefined || location.forget === undefined || expectations.adopts === 'no') return
      const [at, other] = [fresh(), fresh()]
      for (const name of [at, other, `${at}.b`]) {
        const sink = await location.create(name, { adoptable: true })
        await pour(sink, pattern(largeBytes))
        await sink.suspend?.()
      }
      await location.forget(at)
      await location.forget(at)
      assert.equal(await location.adopt(at), undefined)
      for (const name of [other, `${at}.b`]) {
        const left = await location.adopt(name)
        assert.ok(left !== undefined && left.sizeBytes > 0)
        await left.close()
        await location.forget(name)
        if (expectations.adopts === 'shown') await location.discard(name)
        assert.equal(await location.adopt(name), undefined)
      }
    })

    it('stops when cancelled', async () => {
      const at = fresh()
      await location.putIfAbsent(at, pattern(1000))
      const signal = AbortSignal.abort()
      await refuses(location.create(fresh(), { signal }), 'base.cancelled')
      await refuses(location.putIfAbsent(fresh(), pattern(10), { signal }), 'base.cancelled')
      await refuses(location.open(at, { signal }), 'base.cancelled')
      await refuses(location.head(at, { signal }), 'base.cancelled')
      await refuses(location.list({ prefix: '' }, { signal }), 'base.cancelled')
      await refuses(location.discard(at, { signal }), 'base.cancelled')
      const source = await location.open(at)
      await refuses(source.read(0, new Uint8Array(10), { signal }), 'base.cancelled')
      await source.close()
      const cancel = new AbortController()
      const name = fresh()
      const sink = await location.create(name, { signal: cancel.signal })
      await sink.write(pattern(1000))
      cancel.abort()
      await refuses(sink.write(pattern(1000)), 'base.cancelled')
      await sink.abort()
      assert.equal(await location.head(name), undefined)
    })

    it('refuses names that are not ours before asking anybody', async () => {
      for (const name of [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '..',
        '../a',
        'a/../b',
        '.part-1',
        'a/.b',
        'A',
        'ä',
        'a b',
        'a\0',
        'a\\b',
        '%2e%2e/a',
        'x'.repeat(201),
      ]) {
        await refuses(() => location.create(name), 'location.name', location.label)
        await refuses(() => location.putIfAbsent(name, pattern(1)), 'location.name', location.label)
        await refuses(() => location.open(name), 'location.name', location.label)
        await refuses(() => location.head(name), 'location.name', location.label)
        await refuses(() => location.discard(name), 'location.name', location.label)
      }
    })

    it('keeps every name of ours', async () => {
      const segment = fc
        .string({ unit: fc.constantFrom(...'abcz019._-'.split('')), minLength: 1, maxLength: 12 })
        .filter((text) => !text.startsWith('.'))
      await fc.assert(
        fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 4 }), async (segments) => {
          const name = `${fresh()}/${segments.join('/')}`
          assert.equal(await location.putIfAbsent(name, pattern(3)), 'created')
          assert.deepEqual(await location.head(name), { sizeBytes: 3 })
          assert.deepEqual(await listAll(location, name), [name])
          await location.discard(name)
        }),
        { numRuns: expectations.modelRuns ?? 20 },
      )
    })

    it('behaves as the model does, whatever is asked in whatever order', async () => {
      const step = fc.oneof(
        fc.record({ kind: fc.constant('put' as const), key: fc.nat(5), sizeBytes: fc.nat(3000) }),
        fc.record({ kind: fc.constant('write' as const), key: fc.nat(5), sizeBytes: fc.nat(3000) }),
        fc.record({ kind: fc.constant('abort' as const), key: fc.nat(5), sizeBytes: fc.nat(3000) }),
        fc.record({ kind: fc.constant('discard' as const), key: fc.nat(5), sizeBytes: fc.constant(0) }),
        fc.record({ kind: fc.constant('list' as const), key: fc.nat(5), sizeBytes: fc.constant(0) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const model = createMemoryLocation({ label: 'model' })
          const at = fresh()
          for (const [index, { kind, key, sizeBytes }] of steps.entries()) {
            const name = `${at}/${'abcdef'[key]}`
            const bytes = pattern(sizeBytes, index + 1)
            const both = async <T>(act: (target: Location) => Promise<T>): Promise<void> => {
              assert.deepEqual(await outcome(act(location)), await outcome(act(model)), kind)
            }
            if (kind === 'put') await both((target) => target.putIfAbsent(name, bytes))
            else if (kind === 'write') await both((target) => writeAll(target, name, bytes, 1000))
            else if (kind === 'discard' && expected.deletes) await both((target) => target.discard(name))
            else if (kind === 'list') await both((target) => target.list({ prefix: `${at}/`, after: name }))
            else if (kind === 'abort') {
              // Whether a taken name is refused at the beginning or at the end is the location's choice.
              const sink = await location.create(name).catch(() => undefined)
              await sink?.write(bytes)
              await sink?.abort()
            }
          }
          assert.deepEqual(await listAll(location, `${at}/`), await listAll(model, `${at}/`))
          for (const name of model.objects.keys()) assert.ok(Buffer.from(model.objects.get(name)!).equals(await readAll(location, name)))
        }),
        { numRuns: expectations.modelRuns ?? 20 },
      )
    })

    it('says in its capabilities what it can', async () => {
      const { latencyMs, findings, ...answers } = await location.probe()
      assert.deepEqual(answers, expected)
      assert.ok(latencyMs >= 0 && latencyMs < 60_000)
      assert.equal(findings.length > 0, expectations.deviations !== undefined, findings.join(' '))
      if (expected.deletes) assert.deepEqual(await listAll(location, 'probe/'), [])
    })
  })
}

async function outcome<T>(work: Promise<T>): Promise<unknown> {
  try {
    return { answer: await work }
  } catch (error) {
    return { code: (error as { code?: unknown }).code }
  }
}
