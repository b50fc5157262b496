// Uploads over a link that breaks all the time, through the real gateway: they arrive, once, whole.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { isFailure } from '#base'
import { prefixProof, type ResumeNews } from '#contract'
import { arrived, digestOf, hashing, madeSource, uploadMade, withLink } from './resuming-run.ts'

const MIB = 2 ** 20

test('24 MiB arrive over a link that breaks every 900 kB', async (context) => {
  const given = { path: '/slide.svs', sizeBytes: 24 * MIB + 321 }
  await withLink(
    {},
    () => 900_000,
    async ({ client, steady, breaks }) => {
      const stored = await uploadMade(client, given)
      assert.equal(stored.entry.version, 1)
      assert.equal(stored.acknowledged, 3)
      assert.ok(breaks() > 20, `${breaks()} breaks`)
      context.diagnostic(`${breaks()} breaks`)
      await arrived(steady, given)
    },
  )
})

test('an upload goes on although its site restarts in the middle, again and again', async (context) => {
  const given = { path: '/slide.svs', sizeBytes: 12 * MIB + 5 }
  let restarts = 0
  let restarting: Promise<void> | undefined
  await withLink(
    { layout: 'sealed' },
    () => 1_500_000,
    async ({ client, steady, restart }) => {
      const kinds = new Set<ResumeNews['kind']>()
      await uploadMade(client, {
        ...given,
        tell: (news) => {
          kinds.add(news.kind)
          if (news.kind !== 'waiting' || restarts >= 3 || restarting !== undefined) return
          restarts += 1
          restarting = restart().finally(() => (restarting = undefined))
        },
      })
      await restarting
      assert.ok(restarts > 0 && kinds.has('proving'), [...kinds].join())
      context.diagnostic(`${restarts} restarts`)
      await arrived(steady, given)
    },
  )
})

test('an upload that was given up goes on with another client; another source of the same size is refused', async () => {
  const given = { path: '/slide.svs', sizeBytes: 6 * MIB }
  await withLink(
    {},
    () => 2 * MIB,
    async ({ client, steady }) => {
      const stop = new AbortController()
      await assert.rejects(
        uploadMade(client, { ...given, signal: stop.signal, tell: (news) => (news.kind === 'waiting' ? stop.abort() : undefined) }),
        (error) => isFailure(error, 'base.cancelled'),
      )
      const { uploads } = await steady.uploads({ path: given.path })
      assert.ok((uploads[0]?.offset ?? 0) > MIB)
      await assert.rejects(uploadMade(steady, { ...given, seed: 9 }), (error) => isFailure(error, 'storage.source-changed'))
      const kinds: string[] = []
      await uploadMade(steady, { ...given, tell: ({ kind }) => kinds.push(kind) })
      assert.deepEqual(kinds, ['found', 'proving', 'sending'])
      await arrived(steady, given)
    },
  )
})

test('two clients at once: the second one is refused while the first goes on', async () => {
  const given = { path: '/slide.svs', sizeBytes: 3 * MIB }
  await withLink(
    {},
    () => Number.MAX_SAFE_INTEGER,
    async ({ client, steady }) => {
      const { id, turn } = await client.beginUpload({ path: given.path, size: given.sizeBytes })
      let more = (): void => undefined
      async function* slow(): AsyncIterable<Uint8Array> {
        for (const part of madeSource(given.sizeBytes).read(0)) {
          yield part
          await new Promise<void>((resolve) => {
            more = resolve
          })
        }
      }
      const first = client.sendUpload({ id, turn, offset: 0, body: slow(), size: given.sizeBytes })
      while (((await steady.unfinishedUpload(id)).offset ?? 0) === 0) await new Promise(setImmediate)
      // Whenever the second one has met it busy, the first one goes on a little.
      await assert.rejects(uploadMade(steady, { ...given, tell: (news) => (news.kind === 'waiting' ? more() : undefined) }), (error) =>
        isFailure(error, 'storage.upload-busy'),
      )
      const pump = setInterval(() => more(), 1)
      await first
      clearInterval(pump)
      await client.finishUpload(id, { turn })
      await arrived(steady, given)
    },
  )
})

test('what was hashed for one proof is not read again for the next, and each proof is the hash of the beginning', async () => {
  const source = madeSource(3 * MIB)
  const reads: [number, number][] = []
  const proof = prefixProof(
    () => hashing(createHash('sha256')),
    async function* (from, end) {
      reads.push([from, end])
      yield* source.read(from, end)
    },
  )
  const lengths = [100, 70_000, 70_000, MIB, 2 * MIB + 1, MIB + 3, 3 * MIB]
  for (const length of lengths) assert.equal(await proof(length), source.digest(length), String(length))
  // Less than before is hashed from the first byte on.
  assert.deepEqual(
    reads.map(([from]) => from),
    [0, 100, 70_000, 70_000, MIB, 0, MIB + 3],
  )
})

test('a download in ranges of one version is put together and compared as a whole', async () => {
  const given = { path: '/slide.svs', sizeBytes: 3 * MIB }
  await withLink(
    {},
    () => Number.MAX_SAFE_INTEGER,
    async ({ steady }) => {
      await uploadMade(steady, given)
      const first = await steady.download({ path: given.path, range: { first: 0, last: MIB - 1 } })
      assert.deepEqual([first.size, first.whole], [MIB, given.sizeBytes])
      await digestOf(first.body)
      const rest = await steady.download({ path: given.path, ifMatch: first.etag, range: { first: MIB } })
      assert.equal(await digestOf(rest.body), await digestOf(Readable.from(madeSource(given.sizeBytes).read(MIB))))
      const sha256 = madeSource(given.sizeBytes).digest()
      assert.deepEqual(await steady.verifyContent({ path: given.path, sha256 }), { same: true })
      assert.deepEqual(await steady.verifyContent({ path: given.path, sha256: '0'.repeat(64) }), { same: false })
      await uploadMade(steady, { ...given, seed: 2 })
      await assert.rejects(steady.download({ path: given.path, ifMatch: first.etag, range: { first: MIB } }), (error) =>
        isFailure(error, 'api.precondition'),
      )
    },
  )
})
