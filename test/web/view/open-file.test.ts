// A viewer sees one version of a file, or says that it was replaced, and fetches nothing once it is closed.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Failure } from '#base'
import type { Client } from '#contract'
import { CannotShow, type Reason } from '../../../web/src/view/cannot-show.ts'
import { openFile } from '../../../web/src/view/open-file.ts'

type Ask = Parameters<Client['download']>

/** A site with one file, which may become another one. */
function siteOf(content: Uint8Array): {
  readonly client: Pick<Client, 'download'>
  readonly asked: Ask[]
  now: { content: Uint8Array; etag: string }
} {
  const asked: Ask[] = []
  const now = { content, etag: '"one"' }
  const client: Pick<Client, 'download'> = {
    download: async (...ask) => {
      asked.push(ask)
      const [{ range, ifMatch }, options] = ask
      options?.signal?.throwIfAborted()
      if (ifMatch !== undefined && ifMatch !== now.etag) throw new Failure('api.precondition')
      if (range === undefined || 'suffix' in range) throw new Error('only ranges from the beginning are asked for')
      if (range.first >= now.content.length) throw new Failure('storage.range')
      const part = now.content.slice(range.first, (range.last ?? now.content.length - 1) + 1)
      const body = (async function* () {
        yield part
      })()
      return { size: part.length, whole: now.content.length, etag: now.etag, type: '', modified: '', body }
    },
  }
  return { client, asked, now }
}

function because(reason: Reason): (error: unknown) => boolean {
  return (error) => error instanceof CannotShow && error.reason === reason
}

const content = Uint8Array.from({ length: 900_000 }, (_, index) => (index * 13) & 255)

it('every read after the first names the version that was opened', async () => {
  const { client, asked } = siteOf(content)
  const file = await openFile({ client, path: '/a/b.bin' })
  assert.deepEqual([file.name, file.sizeBytes, file.head.length], ['b.bin', content.length, 65_536])
  assert.deepEqual(await file.bytes.read(700_000, 100), content.slice(700_000, 700_100))
  assert.deepEqual(
    asked.map(([{ ifMatch }]) => ifMatch),
    [undefined, '"one"'],
  )
  assert.ok(asked.every(([{ range }]) => range !== undefined))
  assert.equal(file.bytes.fetchedBytes, 65_536 + 256 * 1024)
})

it('what is looked at in the beginning costs one request', async () => {
  const { client, asked } = siteOf(content)
  const file = await openFile({ client, path: '/a' })
  for (let at = 0; at < 1000; at += 100) assert.deepEqual(await file.bytes.read(at, 100), content.slice(at, at + 100))
  assert.equal(asked.length, 1)
})

it('a file that is replaced meanwhile is not mixed with the one that was opened', async () => {
  const site = siteOf(content)
  const file = await openFile({ client: site.client, path: '/a' })
  site.now.content = content.toReversed()
  site.now.etag = '"two"'
  await assert.rejects(file.bytes.read(500_000, 10), because('replaced'))
  assert.deepEqual(await file.bytes.read(10, 10), content.slice(10, 20), 'what is here already is still the old one')
})

it('an empty file is empty, whether its size was known or not', async () => {
  const { client, asked } = siteOf(new Uint8Array(0))
  await assert.rejects(openFile({ client, path: '/a', entry: { size: 0 } }), because('empty'))
  assert.equal(asked.length, 0)
  await assert.rejects(openFile({ client, path: '/a' }), because('empty'))
})

it('what the site refuses stays what it is', async () => {
  const client: Pick<Client, 'download'> = { download: () => Promise.reject(new Failure('storage.quorum', { culprits: ['north'] })) }
  await assert.rejects(
    openFile({ client, path: '/a' }),
    (error: unknown) => error instanceof Failure && error.code === 'storage.quorum' && error.culprits[0] === 'north',
  )
})

it('a closed file fetches nothing more', async () => {
  const { client } = siteOf(content)
  const file = await openFile({ client, path: '/a' })
  file.close()
  await assert.rejects(file.bytes.read(500_000, 10), { name: 'AbortError' })
  assert.equal(file.signal.aborted, true)
})

it('an answer that ends too early is said, not shown', async () => {
  const whole = siteOf(content)
  const client: Pick<Client, 'download'> = {
    download: async (...ask) => ({ ...(await whole.client.download(...ask)), size: 70_000 }),
  }
  await assert.rejects(openFile({ client, path: '/a' }), because('truncated'))
})
