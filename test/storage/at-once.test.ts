// Readers that leave, wait or lose their places, and work at the same time: nothing is lost, mixed up or left open.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { BYTES, healthy } from './faulty-checks.ts'
import { fragmentsAt, withFaultySite } from './faulty-site.ts'
import { get, pattern, put } from './site.ts'

suite('readers', () => {
  test('a range is read again after a place of the first read is gone', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', BYTES)
      await get(site.storage, '/x', { first: 0, last: 10 })
      for (const label of ['a', 'b', 'c']) {
        site.at[label]!.plan = () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' })
        assert.ok(equalPublic(await get(site.storage, '/x', { first: 5, last: 600_000 }), BYTES.subarray(5, 600_001)), label)
        site.at[label]!.plan = () => undefined
        await site.storage.status({ check: true })
      }
    }))

  test('places come and go while a file is read', () =>
    withFaultySite({ layout: 'sealed' }, async (site) => {
      const bytes = pattern(5_000_000, 2)
      await put(site.storage, '/x', bytes)
      const labels = ['a', 'b', 'c']
      let turn = 0
      const opened = await site.storage.openToRead({ path: '/x' })
      const parts: Uint8Array[] = []
      for await (const part of opened.read({ first: 0, last: bytes.length - 1 })) {
        parts.push(part.slice())
        const away = labels[turn++ % 3]!
        for (const label of labels)
          site.at[label]!.plan = label === away ? () => ({ kind: 'fail', when: 'before', code: 'location.unreachable' }) : () => undefined
      }
      await opened.close()
      assert.ok(equalPublic(Buffer.concat(parts), bytes))
    }))

  test('readers that leave early, are cancelled or never read give everything back', () =>
    withFaultySite({ options: { arenaBytesMax: 16 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(4_000_000, 2)
      await put(site.storage, '/x', bytes)
      for (let round = 0; round < 1000; round++) {
        const cancel = new AbortController()
        const opened = await site.storage.openToRead({ path: '/x' }, cancel.signal)
        if (round % 4 === 0) {
          for await (const _ of opened.read({ first: 0, last: bytes.length - 1 })) break
        } else if (round % 4 === 1) {
          const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
          await reading.next()
          cancel.abort()
          await assert.rejects(
            async () => {
              while ((await reading.next()).done !== true);
            },
            (error) => isFailure(error, 'base.cancelled'),
          )
        } else if (round % 4 === 2) {
          const reading = opened.read({ first: 100, last: 400_000 }, cancel.signal)[Symbol.asyncIterator]()
          const next = reading.next()
          cancel.abort()
          await next.catch(() => undefined)
          await reading.return?.(undefined)
        }
        await opened.close()
      }
      for (const label of ['a', 'b', 'c']) assert.equal(site.at[label]!.open, 0, label)
      // Far more than fits into the memory, one after the other: nothing is kept back.
      assert.ok(equalPublic(await get(site.storage, '/x'), bytes))
      await put(site.storage, '/y', bytes)
    }))

  test('many paused readers do not keep an upload, or each other, waiting', () =>
    withFaultySite({ options: { arenaBytesMax: 8 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(2_000_000, 2)
      await put(site.storage, '/x', bytes)
      const readers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const opened = await site.storage.openToRead({ path: '/x' })
          const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
          return { opened, reading, first: (await reading.next()).value!.slice() }
        }),
      )
      await put(site.storage, '/y', bytes)
      for (const { opened, reading, first } of readers) {
        const parts = [first]
        for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value.slice())
        await opened.close()
        assert.ok(equalPublic(Buffer.concat(parts), bytes))
      }
    }))

  test('a copy through the gateway reads and writes at once, many times in little memory', () =>
    withFaultySite({ options: { arenaBytesMax: 12 * 2 ** 20 } }, async (site) => {
      const bytes = pattern(1_200_000, 2)
      await put(site.storage, '/x', bytes)
      await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const opened = await site.storage.openToRead({ path: '/x' })
          const grant = await site.storage.openToWrite({ path: `/copies/${index}`, ifAbsent: true })
          await grant.store(opened.read({ first: 0, last: bytes.length - 1 }))
          await opened.close()
        }),
      )
      for (let index = 0; index < 6; index++) assert.ok(equalPublic(await get(site.storage, `/copies/${index}`), bytes))
    }))
})

suite('at the same time', () => {
  test('uploads to one path are all kept, as versions', () =>
    withFaultySite({}, async (site) => {
      const contents = Array.from({ length: 8 }, (_, index) => pattern(10_000 + index, index))
      await Promise.all(contents.map((bytes) => put(site.storage, '/x', bytes)))
      const { versions } = await site.storage.versions({ path: '/x' })
      assert.deepEqual(
        versions.map(({ number }) => number),
        [8, 7, 6, 5, 4, 3, 2, 1],
      )
      assert.deepEqual(new Set(versions.map(({ size }) => size)), new Set(contents.map(({ length }) => length)))
      await healthy(site)
    }))

  test('an upload of a new version while the file moves away: both stand', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(100, 1))
      const grant = await site.storage.openToWrite({ path: '/x', ifAbsent: false })
      await site.storage.move({ from: '/x', to: '/moved', replace: false })
      await grant.store(
        (async function* () {
          yield pattern(200, 2)
        })(),
      )
      assert.ok(equalPublic(await get(site.storage, '/x'), pattern(200, 2)))
      assert.ok(equalPublic(await get(site.storage, '/moved'), pattern(100, 1)))
    }))

  test('a folder takes the name of an upload under way: the upload is refused and leaves nothing', () =>
    withFaultySite({}, async (site) => {
      const before = fragmentsAt(site.at['a']!).length
      const grant = await site.storage.openToWrite({ path: '/x', ifAbsent: false })
      await site.storage.createFolder({ path: '/x' })
      await assert.rejects(
        grant.store(
          (async function* () {
            yield pattern(200, 2)
          })(),
        ),
        (error) => isFailure(error, 'storage.exists'),
      )
      assert.equal(fragmentsAt(site.at['a']!).length, before)
    }))

  test('files that are moved, replaced and removed while they are read', () =>
    withFaultySite({}, async (site) => {
      const bytes = pattern(3_000_000, 5)
      await put(site.storage, '/x', bytes)
      const opened = await site.storage.openToRead({ path: '/x' })
      const reading = opened.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
      const parts = [(await reading.next()).value!.slice()]
      await site.storage.move({ from: '/x', to: '/y', replace: false })
      await put(site.storage, '/y', pattern(10))
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value.slice())
      await opened.close()
      assert.ok(equalPublic(Buffer.concat(parts), bytes))
      // Removed in the middle: the reader ends well or with an error, never with a short file.
      const again = await site.storage.openToRead({ path: '/y', version: 1 })
      const rest = again.read({ first: 0, last: bytes.length - 1 })[Symbol.asyncIterator]()
      await rest.next()
      await site.storage.remove({ path: '/y', recursive: false })
      let length = 0
      try {
        for (let next = await rest.next(); next.done !== true; next = await rest.next()) length += next.value.length
        assert.ok(length > 2_000_000)
      } catch (error) {
        assert.ok(isFailure(error), String(error))
      }
      await again.close()
      await site.reopen()
      await healthy(site)
    }))

  test('closing while uploads and reads are under way leaves a vault that is whole', () =>
    withFaultySite({}, async (site) => {
      const long = pattern(5_000_000, 3)
      await put(site.storage, '/x', long)
      const stalled = await site.storage.openToWrite({ path: '/slow', ifAbsent: false })
      const open = await site.storage.openToRead({ path: '/x' })
      const reading = open.read({ first: 0, last: long.length - 1 })[Symbol.asyncIterator]()
      await reading.next()
      let more = (): void => undefined
      const storing = stalled.store(
        (async function* () {
          yield BYTES
          await new Promise<void>((resolve) => {
            more = resolve
          })
          yield BYTES
        })(),
      )
      const refused = assert.rejects(storing, (error) => isFailure(error, 'base.cancelled'))
      setImmediate(() => more())
      await site.reopen()
      more()
      await refused
      await assert.rejects(async () => {
        while ((await reading.next()).done !== true);
      })
      await healthy(site)
    }))
})
