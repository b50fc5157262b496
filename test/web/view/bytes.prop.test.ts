// Laws of reading a file in ranges: the right bytes, a bounded memory, nothing fetched for nobody.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cachedBytes, readExactly } from '../../../web/src/view/bytes.ts'
import { CannotShow } from '../../../web/src/view/cannot-show.ts'

const content = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31 + (index >> 8)) & 255)
const fetched = async ({ first, last }: { first: number; last: number }): Promise<Uint8Array> => content.slice(first, last + 1)

describe('bytes in ranges', () => {
  it('any reads, one after the other and at once, give what is in the file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5200), fc.nat(900)), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.boolean(),
        async (reads, blockBytes, keptBytesMax, atOnce) => {
          const bytes = cachedBytes({ sizeBytes: content.length, fetchRange: fetched, blockBytes, keptBytesMax, fetchesMax: 3 })
          const read = async ([first, length]: [number, number]): Promise<void> => {
            assert.deepEqual(await bytes.read(first, length), content.slice(first, first + length))
          }
          if (atOnce) await Promise.all(reads.map(read))
          else for (const one of reads) await read(one)
          assert.ok(bytes.keptBytes <= Math.max(keptBytesMax, 0) + blockBytes, 'the memory is bounded')
        },
      ),
      { verbose: true },
    )
  })

  it('what several want at once is fetched once, and never more than so many at a time', async () => {
    let [running, most, fetches] = [0, 0, 0]
    const bytes = cachedBytes({
      sizeBytes: content.length,
      blockBytes: 100,
      fetchesMax: 2,
      fetchRange: async (range) => {
        fetches++
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        return fetched(range)
      },
    })
    await Promise.all(Array.from({ length: 20 }, (_, index) => bytes.read((index % 5) * 100, 50)))
    assert.equal(fetches, 5)
    assert.ok(most <= 2)
  })

  it('who leaves stops waiting; when the last one leaves, the fetch is broken off', async () => {
    let aborted = false
    const bytes = cachedBytes({
      sizeBytes: content.length,
      blockBytes: 1000,
      fetchRange: (_, signal) =>
        new Promise((_done, fail) => {
          signal.addEventListener('abort', () => {
            aborted = true
            fail(signal.reason as Error)
          })
        }),
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const first = bytes.read(0, 10, one.signal)
    const second = bytes.read(5, 10, two.signal)
    one.abort()
    await assert.rejects(first, { name: 'AbortError' })
    assert.equal(aborted, false, 'the other one still waits')
    two.abort()
    await assert.rejects(second, { name: 'AbortError' })
    assert.equal(aborted, true)
  })

  it('a fetch that failed is tried again by the next read', async () => {
    let tries = 0
    const bytes = cachedBytes({
      sizeBytes: content.length,
      fetchRange: async (range) => {
        if (tries++ === 0) throw new Error('gone')
        return fetched(range)
      },
    })
    await assert.rejects(bytes.read(0, 10), { message: 'gone' })
    assert.deepEqual(await bytes.read(0, 10), content.slice(0, 10))
  })

  it('an answer that is too short is no answer', async () => {
    const bytes = cachedBytes({ sizeBytes: content.length, fetchRange: async (range) => (await fetched(range)).subarray(1) })
    await assert.rejects(bytes.read(0, 10), (error: unknown) => error instanceof CannotShow && error.reason === 'truncated')
  })

  it('offsets of liars are refused before anything is fetched', async () => {
    const bytes = cachedBytes({ sizeBytes: 2 ** 40, fetchRange: () => assert.fail('fetched') })
    for (const [first, length, reason] of [
      [-1, 5, 'damaged'],
      [1.5, 5, 'damaged'],
      [Number.NaN, 5, 'damaged'],
      [0, 2 ** 38, 'too-large'],
    ] as const)
      await assert.rejects(bytes.read(first, length), (error: unknown) => error instanceof CannotShow && error.reason === reason)
    assert.equal((await bytes.read(2 ** 41, 10)).length, 0)
    await assert.rejects(readExactly(bytes, 2 ** 41, 10), (error: unknown) => error instanceof CannotShow && error.reason === 'truncated')
  })
})
