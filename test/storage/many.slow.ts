// Very many small files: bounded memory, listings that are whole, and where the time goes. COUNT says how many.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic } from '#base'
import { finished, get, makeSite, pattern, pieces } from './site.ts'

const COUNT = Number(process.env['COUNT'] ?? '100000')
const AT_ONCE = 8
const FOLDERS = 100
/** Above what the process needs before the first file. */
const MEMORY_BYTES_MAX = 250 * 2 ** 20

suite(`${COUNT} small files`, () => {
  test('go in, are listed in pages, come back, and the database can be lost', { timeout: 1_700_000 }, async (context) => {
    const site = await makeSite({})
    context.after(() => site.end())
    const before = process.memoryUsage().rss
    let most = 0
    let next = 0
    const begun = performance.now()
    const work = async (): Promise<void> => {
      while (next < COUNT) {
        const index = next++
        const grant = await site.storage.openToWrite({
          path: `/f/${index % FOLDERS}/${index}`,
          sizeBytes: 100 + (index % 50),
          ifAbsent: true,
        })
        await grant.store(pieces(pattern(100 + (index % 50), index)))
        if (index % 1000 === 0) most = Math.max(most, process.memoryUsage().rss)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const seconds = (performance.now() - begun) / 1000
    context.diagnostic(`${Math.round(COUNT / seconds)} files a second, ${Math.round((most - before) / 2 ** 20)} MiB more than before`)
    assert.ok(most - before < MEMORY_BYTES_MAX, `${most - before} bytes`)

    const listing = performance.now()
    let count = 0
    let last = ''
    for (let after: string | undefined; ;) {
      const page = await site.storage.list({ path: '/f', recursive: true, ...(after === undefined ? {} : { after }) })
      for (const { path, kind } of page.entries) {
        assert.ok(Buffer.compare(Buffer.from(last), Buffer.from(path)) < 0, `${last} before ${path}`)
        last = path
        if (kind === 'file') count += 1
      }
      if (page.next === null) break
      after = page.next
    }
    assert.equal(count, COUNT)
    context.diagnostic(`listed in ${Math.round(performance.now() - listing)} ms`)
    for (const index of [0, 1, COUNT >> 1, COUNT - 1])
      assert.ok(equalPublic(await get(site.storage, `/f/${index % FOLDERS}/${index}`), pattern(100 + (index % 50), index)))
    const stopping = performance.now()
    await site.reopen()
    context.diagnostic(`closed and opened in ${Math.round(performance.now() - stopping)} ms`)
    assert.equal((await site.storage.status({ check: true })).recoveryPoint.pendingChanges, 0)
    const scrub = await finished(site.storage, site.storage.scrub({ depth: 'present' }))
    assert.deepEqual(scrub.report!.findings, [])
  })
})
