// A large upload over a link that breaks all the time: SIZE_GIB of a made source, a break every BREAK_MIB; memory stays flat.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrived, uploadMade, withLink } from './resuming-run.ts'

const SIZE_BYTES = Number(process.env['SIZE_GIB'] ?? '2') * 2 ** 30
const BREAK_BYTES = Number(process.env['BREAK_MIB'] ?? '48') * 2 ** 20
const RSS_BYTES_MAX = 600 * 2 ** 20

test(`${SIZE_BYTES / 2 ** 30} GiB over a link that breaks every ${BREAK_BYTES / 2 ** 20} MiB`, async (context) => {
  const given = { path: '/genome.bam', sizeBytes: SIZE_BYTES + 12_345 }
  await withLink(
    {},
    () => BREAK_BYTES,
    async ({ client, steady, breaks }) => {
      let most = 0
      const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 200)
      const since = performance.now()
      const stored = await uploadMade(client, given)
      const seconds = (performance.now() - since) / 1000
      clearInterval(watch)
      assert.equal(stored.acknowledged, 3)
      assert.ok(breaks() >= Math.floor(SIZE_BYTES / BREAK_BYTES) - 1, `${breaks()} breaks`)
      // The client, the link and the site are all in this process.
      assert.ok(most < RSS_BYTES_MAX, `${Math.round(most / 2 ** 20)} MiB of memory`)
      context.diagnostic(
        `${breaks()} breaks, ${Math.round(seconds)} s, ${Math.round(SIZE_BYTES / 1e6 / seconds)} MB/s, at most ${Math.round(most / 2 ** 20)} MiB of memory`,
      )
      await arrived(steady, given)
    },
  )
})
