// The Azure driver before Azurite, with somebody between who loses, delays, cuts and falsifies answers.
import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { ContainerClient } from '@azure/storage-blob'
import * as fc from 'fast-check'
import type { FailureCode } from '#base'
import type { AzureLocationOptions } from '../../../src/storage/locations/azure/azure.ts'
import type { AzureCredentials } from '../../../src/storage/locations/azure/credentials.ts'
import { cached } from '../../../src/storage/locations/web/cached.ts'
import type { Location } from '../../../src/storage/location.ts'
import { CALLS, type ReadBend, bender, bentReads, failsInKnownWords, sameAgain } from './bending.ts'
import { ACCOUNT_KEY, locationIn, makeContainer } from './azure-servers.ts'
import { type BendingProxy, type PassingRequest, bendingProxy } from './bending-proxy.ts'
import type { FakeAnswer } from './fake-s3.ts'
import { endpointOf } from './s3-servers.ts'
import { begun, listAll, pattern, pour, readAll, refuses, writeAll } from './support.ts'

const PART = 256 * 1024
const endpoint = endpointOf('azurite')

function error(status: number, code: string): FakeAnswer {
  return {
    status,
    headers: { 'x-ms-error-code': code },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`,
  }
}

if (endpoint !== undefined) {
  describe('the Azure driver, when the store misbehaves', () => {
    let container: ContainerClient
    let proxy: BendingProxy
    let location: Location
    const opened = (options: Partial<AzureLocationOptions> = {}): Location =>
      locationIn(container.containerName, { endpoint: proxy.endpoint, partBytes: PART, backoffMs: 1, ...options })
    before(async () => {
      container = await makeContainer(endpoint)
    })
    beforeEach(async () => {
      proxy = await bendingProxy(endpoint)
      location = opened({ prefix: `p${Math.random().toString(36).slice(2)}` })
    })
    afterEach(async () => {
      await location.close()
      await proxy[Symbol.asyncDispose]()
    })

    const bend = bender(() => proxy)
    const isGet = (request: PassingRequest): boolean => request.method === 'GET'
    const isPut = (request: PassingRequest): boolean => request.method === 'PUT' && !request.query.has('comp')
    const isBlock = (request: PassingRequest): boolean => request.query.get('comp') === 'block'
    const isCommit = (request: PassingRequest): boolean => request.method === 'PUT' && request.query.get('comp') === 'blocklist'

    it('stalls, for each call, when nobody answers', async () => {
      const impatient = opened({ stallMs: 150, prefix: 'stall' })
      await impatient.putIfAbsent('a', pattern(1000))
      const source = await impatient.open('a')
      proxy.bend = () => 'hang'
      for (const call of [
        () => impatient.head('b'),
        () => impatient.open('a'),
        () => source.read(0, new Uint8Array(10)),
        () => impatient.list({ prefix: '' }),
        () => impatient.discard('a'),
        () => impatient.putIfAbsent('b', pattern(10)),
        () => writeAll(impatient, 'b', pattern(10)),
        () => writeAll(impatient, 'b', pattern(3 * PART)),
        () => impatient.sweepPartial({ olderThanMs: 0 }),
        () => impatient.probe(),
      ])
        await refuses(call, 'location.stalled', 'cloud')
      await impatient.close()
    })

    it('cannot be connected to', async () => {
      const nowhere = locationIn('aaa', { endpoint: 'http://127.0.0.1:1', backoffMs: 1 })
      await refuses(nowhere.head('a'), 'location.unreachable', 'cloud')
      await refuses(writeAll(nowhere, 'a', pattern(9 * 2 ** 20)), 'location.unreachable', 'cloud')
      await nowhere.close()
    })

    it('is asked again, and not without end', async () => {
      await location.putIfAbsent('a', pattern(100))
      bend(isGet, 'lose', 3)
      assert.deepEqual(await readAll(location, 'a'), pattern(100))
      const met = bend(() => true, 'lose')
      await refuses(location.list({ prefix: '' }), 'location.unreachable', 'cloud')
      assert.ok(met() >= 4 && met() <= 8)
      for (const answer of [error(503, 'ServerBusy'), error(500, 'OperationTimedOut'), { status: 429 }, { status: 502 }]) {
        bend(() => true, answer, 2)
        assert.equal(await location.head('b'), undefined)
        bend(() => true, answer)
        await refuses(location.head('b'), 'location.unreachable', 'cloud')
      }
    })

    it('keeps our own write when only the answers were lost', async () => {
      for (const [name, times] of [
        ['a', 1],
        ['b', Number.POSITIVE_INFINITY],
      ] as const) {
        const met = bend(isPut, 'lose answer', times)
        assert.equal(await location.putIfAbsent(name, pattern(500)), 'created')
        assert.ok(met() >= 1)
        assert.deepEqual(await readAll(location, name), pattern(500))
      }
    })

    it('sees that somebody else was first', async () => {
      const other = opened({ prefix: 'first' })
      const mine = opened({ prefix: 'first' })
      let first = true
      proxy.bend = (request) => {
        if (!isPut(request) || !first) return 'pass'
        first = false
        return (response) => {
          void other.putIfAbsent('a', pattern(500, 2)).then(() => response.destroy())
        }
      }
      assert.equal(await mine.putIfAbsent('a', pattern(500, 1)), 'exists')
      assert.deepEqual(await readAll(mine, 'a'), pattern(500, 2))
      await Promise.all([other.close(), mine.close()])
    })

    it('fails when nothing landed', async () => {
      bend((request) => isPut(request) || isBlock(request), 'lose')
      await refuses(location.putIfAbsent('a', pattern(500)), 'location.unreachable', 'cloud')
      await refuses(writeAll(location, 'a', pattern(500)), 'location.unreachable', 'cloud')
      await refuses(writeAll(location, 'a', pattern(3 * PART)), 'location.unreachable', 'cloud')
      assert.deepEqual(await listAll(location, ''), [])
    })

    it('gets the same bytes again for a block', () => sameAgain(location, proxy, { bytes: PART, named: 'blockid' }))

    it('has joined the blocks although the answer was lost', async () => {
      const bytes = pattern(PART * 3 + 5)
      for (const [name, times] of [
        ['a', 1],
        ['b', Number.POSITIVE_INFINITY],
      ] as const) {
        bend(isCommit, 'lose answer', times)
        await writeAll(location, name, bytes)
        assert.deepEqual(await readAll(location, name), bytes)
      }
    })

    it('goes on with an interrupted write although answers were lost', async () => {
      const bytes = pattern(PART * 5 + 5)
      const first = await location.create('a')
      await pour(first, bytes.subarray(0, PART * 3))
      await first.suspend?.()
      bend(isCommit, 'lose answer')
      const left = await location.adopt?.('a')
      assert.equal(left?.sizeBytes, PART * 3)
      const sink = await left?.resume(PART * 2 + 7)
      assert.ok(sink !== undefined)
      await pour(sink, bytes.subarray(PART * 2 + 7))
      await sink.finish()
      assert.deepEqual(await readAll(location, 'a'), bytes)
    })

    it('does not take the place of what somebody else put there meanwhile', async () => {
      const other = opened({ prefix: 'meanwhile' })
      const mine = opened({ prefix: 'meanwhile' })
      const first = await mine.create('a')
      await pour(first, pattern(PART * 3))
      await first.suspend?.()
      const sink = await (await mine.adopt?.('a'))?.resume(PART * 3)
      assert.ok(sink !== undefined)
      await pour(sink, pattern(PART))
      await other.discard('a')
      await writeAll(other, 'a', pattern(PART * 2, 2))
      await refuses(sink.finish(), 'location.exists', 'cloud')
      assert.deepEqual(await readAll(mine, 'a'), pattern(PART * 2, 2))
      await Promise.all([other.close(), mine.close()])
    })

    it('tells the commit of somebody else from its own, of the same size', async () => {
      const other = opened({ prefix: 'same' })
      const mine = opened({ prefix: 'same' })
      let first = true
      proxy.bend = (request) => {
        if (!isCommit(request) || !first) return 'pass'
        first = false
        return (response) => {
          void writeAll(other, 'a', pattern(3 * PART, 2)).then(() => response.destroy())
        }
      }
      await refuses(writeAll(mine, 'a', pattern(3 * PART, 1)), 'location.exists', 'cloud')
      assert.deepEqual(await readAll(mine, 'a'), pattern(3 * PART, 2))
      await Promise.all([other.close(), mine.close()])
    })

    it('lies about what it committed', async () => {
      let committed = false
      proxy.bend = (request) => {
        if (isCommit(request)) committed = true
        return committed && request.method === 'HEAD' ? { status: 200, headers: { 'content-length': '5' } } : 'pass'
      }
      await refuses(writeAll(location, 'a', pattern(3 * PART)), 'location.lies', 'cloud')
    })

    it('has its key revoked in the middle of an upload, and another put in its place', async () => {
      for (const cured of [true, false]) {
        let revoked = false
        let loads = 0
        const wrong: AzureCredentials = { ...ACCOUNT_KEY, account: 'revoked' } as AzureCredentials
        const mine = opened({
          prefix: `revoked-${cured}`,
          credentials: cached(async () => {
            loads += 1
            return loads === 1 || cured ? ACCOUNT_KEY : wrong
          }),
        })
        let refusedOnce = false
        proxy.bend = (request) => {
          if (!revoked || !isBlock(request)) return 'pass'
          if (cured && refusedOnce) return 'pass'
          refusedOnce = true
          return error(403, 'AuthenticationFailed')
        }
        const sink = await mine.create('a')
        await pour(sink, pattern(PART * 2, 1))
        await begun(sink)
        revoked = true
        const rest = async (): Promise<void> => {
          await pour(sink, pattern(PART * 2 + 3, 2))
          await sink.finish()
        }
        if (cured) {
          await rest()
          assert.deepEqual(await mine.head('a'), { sizeBytes: PART * 4 + 3 })
          assert.ok(loads >= 2, 'the key was read again')
        } else {
          const failure = await refuses(rest, 'location.denied', 'cloud')
          assert.ok(!inspect(failure, { depth: 9, showHidden: true }).includes('SharedKey'))
          proxy.bend = () => 'pass'
        }
        await mine.close()
      }
    })

    describe('cuts or changes what we read', () => {
      beforeEach(async () => {
        await location.putIfAbsent('a', pattern(10_000))
      })
      const answers: [string, ReadBend, FailureCode][] = [
        ['another object', error(412, 'ConditionNotMet'), 'location.lies'],
        ['nothing any more', error(404, 'BlobNotFound'), 'location.absent'],
        ['no container any more', error(404, 'ContainerNotFound'), 'location.config'],
        ['nothing that says what is missing', { status: 404 }, 'location.config'],
        ['the archive', error(409, 'BlobArchived'), 'location.unsupported'],
        ['no right', error(403, 'AuthorizationPermissionMismatch'), 'location.denied'],
      ]
      bentReads({ location: () => location, bendReads: (what, times) => bend(isGet, what, times), answers })
    })

    it('answers nonsense, and no list of it counts', async () => {
      const list = (inner: string): string => `<EnumerationResults>${inner}</EnumerationResults>`
      for (const body of [
        '',
        '<!DOCTYPE html><html><body><p>Please log in<br></body></html>',
        '<Other/>',
        list(''),
        list('<Blobs><Blob><Name>a</Name><Properties><Content-Length>-1</Content-Length></Properties></Blob></Blobs>'),
        list('<Blobs><Blob><Properties/></Blob></Blobs>'),
        list('<Blobs><Blob><Name>b</Name></Blob><Blob><Name>a</Name></Blob></Blobs>'),
        list(`<Blobs/><NextMarker>${'x'.repeat(5000)}</NextMarker>`),
      ]) {
        const whole = opened({ prefix: '' })
        bend(isGet, { status: 200, body })
        await refuses(whole.list({ prefix: '' }), 'location.lies', 'cloud')
        await whole.close()
      }
    })

    it('lists the same, whether lists can begin at a name, cannot, or only seem to', async () => {
      const names = Array.from({ length: 23 }, (_, index) => `l/${String(index * 7).padStart(3, '0')}`)
      for (const name of names) await location.putIfAbsent(name, pattern(1))
      await listAll(location, 'l/', 3)
      for (const how of ['refused', 'ignored', 'cannot page'] as const) {
        const fresh = opened({ prefix: proxy.requests[0]!.path.split('/')[3]! })
        proxy.bend = (request) => {
          if (!request.query.has('startFrom')) return 'pass'
          if (how === 'refused') return error(400, 'InvalidHeaderValue')
          if (how === 'cannot page') return error(400, 'UnsupportedQueryParameter')
          const blobs = names.slice(0, 5).map((name) => `<Blob><Name>${request.query.get('prefix')!.replace('l/', name)}</Name></Blob>`)
          return { status: 200, body: `<EnumerationResults><Blobs>${blobs.join('')}</Blobs><NextMarker/></EnumerationResults>` }
        }
        assert.deepEqual(await listAll(fresh, 'l/', 3), names, how)
        const { entries } = await fresh.list({ prefix: 'l/', after: 'l/050', limit: 2 })
        assert.deepEqual(
          entries.map(({ name }) => name),
          names.filter((name) => name > 'l/050').slice(0, 2),
          'from the middle, where nobody ended before',
        )
        await fresh.close()
      }
    })

    it('goes on after empty pages, and not without end', async () => {
      let pages = 0
      bend(isGet, (response) => {
        pages += 1
        const blobs = pages < 5 ? '' : `<Blob><Name>a</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>`
        const body = `<EnumerationResults><Blobs>${blobs}</Blobs><NextMarker>${pages < 5 ? `m${pages}` : ''}</NextMarker></EnumerationResults>`
        response.writeHead(200, { 'content-length': String(body.length) })
        response.end(body)
      })
      const whole = opened({ prefix: '' })
      assert.deepEqual(await listAll(whole, ''), ['a'])
      assert.equal(pages, 5)
      await whole.close()
    })

    it('fails in known words only, whatever it answers', async () => {
      const answer = fc.record({
        status: fc.constantFrom(200, 201, 202, 206, 301, 304, 400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 500, 501, 507),
        code: fc.option(fc.constantFrom('BlobNotFound', 'ContainerNotFound', 'BlobAlreadyExists', 'InvalidBlockList', 'TOPSECRET', '<x>')),
        body: fc.oneof(fc.string({ maxLength: 100 }), fc.constant('<BlockList/>'), fc.constant('<Error><Code>TOPSECRET</Code></Error>')),
      })
      const call = fc.constantFrom(...CALLS)
      await fc.assert(
        fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 3 }), call, async (answers, what) => {
          const fresh = opened({ prefix: 'fuzz', backoffMs: 0 })
          let index = 0
          proxy.bend = () => {
            const { status, code, body } = answers[index++ % answers.length]!
            return { status, ...(code === null ? {} : { headers: { 'x-ms-error-code': code } }), body: status === 304 ? '' : body }
          }
          await failsInKnownWords(fresh, what, PART * 2)
        }),
        { numRuns: 150 },
      )
    })
  })
}
