// The Azure driver keeps the contract on Azurite, and understands what Microsoft's kit wrote and the reverse.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { ContainerSASPermissions, StorageSharedKeyCredential, generateBlobSASQueryParameters } from '@azure/storage-blob'
import { SecretBytes, utf8 } from '#base'
import { isNowhere, manyAtOnce } from './bending.ts'
import { ACCOUNT, KEY, locationIn, makeContainer } from './azure-servers.ts'
import { locationConformance } from './conformance.ts'
import { endpointOf } from './s3-servers.ts'
import { begun, listAll, pattern, pour, readAll, refuses, writeAll } from './support.ts'

const endpoint = endpointOf('azurite')
if (endpoint !== undefined) {
  for (const prefix of ['', 'site-1/vault']) {
    locationConformance(
      `Azurite, ${prefix === '' ? 'whole container' : 'below a prefix'}`,
      async () => {
        const { containerName } = await makeContainer(endpoint)
        const location = locationIn(containerName, { endpoint, prefix })
        return { location, close: () => location.close() }
      },
      { largeBytes: 9 * 2 ** 20 + 4711, modelRuns: 10, adopts: 'shown' },
    )
  }

  describe('Azure', () => {
    it('reads what the kit wrote, and the kit reads what we wrote', async () => {
      const container = await makeContainer(endpoint)
      const location = locationIn(container.containerName, { endpoint })
      await container.getBlockBlobClient('aa/theirs').uploadData(pattern(100_000))
      assert.deepEqual(await readAll(location, 'aa/theirs'), pattern(100_000))
      const large = pattern(13 * 2 ** 20)
      await writeAll(location, 'aa/ours', large)
      assert.ok(large.length > 0 && Buffer.from(large).equals(await container.getBlockBlobClient('aa/ours').downloadToBuffer()))
      assert.deepEqual(await listAll(location, ''), ['aa/ours', 'aa/theirs'])
      await location.close()
    })

    it('opens by a shared access signature, as far as its rights go', async () => {
      const { containerName } = await makeContainer(endpoint)
      const signed = (permissions: string): SecretBytes => {
        const expiresOn = new Date(Date.now() + 3_600_000)
        const granted = { containerName, permissions: ContainerSASPermissions.parse(permissions), expiresOn }
        return new SecretBytes(utf8(generateBlobSASQueryParameters(granted, new StorageSharedKeyCredential(ACCOUNT, KEY)).toString()))
      }
      const opened = (permissions: string) => {
        const signature = signed(permissions)
        return locationIn(containerName, { endpoint, credentials: async () => ({ kind: 'sas', signature }) })
      }
      const whole = opened('racwdl')
      await writeAll(whole, 'aa/x', pattern(9 * 2 ** 20))
      assert.deepEqual((await whole.probe()).findings, [])
      const keeper = opened('rcwl')
      assert.equal(await keeper.discard('aa/x'), 'kept')
      assert.deepEqual(await keeper.head('aa/x'), { sizeBytes: 9 * 2 ** 20 })
      const sink = await keeper.create('aa/y')
      await pour(sink, pattern(9 * 2 ** 20))
      await sink.abort()
      assert.equal(await keeper.head('aa/y'), undefined, 'without the right to delete nothing is committed that would stay')
      const { deletes, multipartAbort, findings } = await keeper.probe()
      assert.deepEqual([deletes, multipartAbort, findings.length], [false, false, 2])
      const reader = opened('rl')
      await refuses(reader.putIfAbsent('aa/z', pattern(5)), 'location.denied', 'cloud')
      await Promise.all([whole.close(), keeper.close(), reader.close()])
    })

    it('refuses wrong keys, and nobody repeats them', async () => {
      const { containerName } = await makeContainer(endpoint)
      const key = new SecretBytes(utf8('TOPSECRETTOPSECRET'))
      const signature = new SecretBytes(utf8('sv=2023-11-03&sr=c&sp=rwdl&se=2030-01-01T00:00:00Z&sig=VE9QU0VDUkVU'))
      for (const credentials of [
        { kind: 'key', account: undefined, key },
        { kind: 'sas', signature },
      ] as const) {
        const location = locationIn(containerName, { endpoint, credentials: async () => credentials })
        for (const call of [
          () => location.head('a'),
          () => location.open('a'),
          () => location.putIfAbsent('a', pattern(10)),
          () => writeAll(location, 'a', pattern(9 * 2 ** 20)),
          () => location.list({ prefix: '' }),
          () => location.probe(),
        ]) {
          const failure = await refuses(call, 'location.denied', 'cloud')
          const shown = inspect(failure, { depth: 20, showHidden: true })
          assert.ok(!shown.includes('TOPSECRET') && !shown.includes('VE9QU0VDUkVU'), shown)
        }
        await location.close()
      }
    })

    it('tells a missing container from a missing object', async () => {
      const location = locationIn('no-such-container', { endpoint })
      await isNowhere(location, 9 * 2 ** 20)
    })

    it('leaves blocks of others alone, and what is young', async () => {
      const container = await makeContainer(endpoint)
      const location = locationIn(container.containerName, { endpoint, prefix: 'mine' })
      const staged = async (name: string): Promise<void> => {
        await container.getBlockBlobClient(name).stageBlock(Buffer.from('theirs-1').toString('base64'), Buffer.alloc(10), 10)
      }
      await staged('mine/aa/theirs')
      await staged('theirs/aa/bb')
      const sink = await location.create('aa/ours')
      await pour(sink, pattern(9 * 2 ** 20))
      await begun(sink)
      assert.equal(await location.sweepPartial({ olderThanMs: 3_600_000 }), 0)
      assert.equal(await location.sweepPartial({ olderThanMs: -1000 }), 1)
      const left: string[] = []
      for await (const { name } of container.listBlobsFlat({ includeUncommitedBlobs: true })) left.push(name)
      assert.deepEqual(left, ['mine/aa/theirs', 'theirs/aa/bb'])
      await sink.abort()
      await location.close()
    })

    it('goes on with what several interrupted writes left, behind whole blocks', async () => {
      const container = await makeContainer(endpoint)
      const location = locationIn(container.containerName, { endpoint, partBytes: 256 * 1024 })
      const blocks = async (): Promise<number[]> => {
        const { committedBlocks = [] } = await container.getBlockBlobClient('aa/x').getBlockList('committed')
        return committedBlocks.map(({ size }) => size)
      }
      const [bytes, other] = [pattern(2_000_000, 3), pattern(2_000_000, 4)]
      const left = async (sizeBytes: number) => {
        const unfinished = await location.adopt?.('aa/x')
        assert.equal(unfinished?.sizeBytes, sizeBytes)
        return unfinished
      }
      const first = await location.create('aa/x')
      await pour(first, bytes.subarray(0, 1_100_000))
      await first.suspend?.()
      // Four whole blocks; the fifth is cut, and what was behind is written otherwise.
      const second = await (await left(1_048_576))?.resume(1_000_000)
      assert.ok(second !== undefined)
      await pour(second, other.subarray(1_000_000, 1_100_000))
      await second.suspend?.()
      assert.deepEqual(await blocks(), Array(4).fill(262_144))
      // Newer, though as long as what stood there.
      const third = await (await left(1_048_576))?.resume(1_010_000)
      assert.ok(third !== undefined)
      await pour(third, other.subarray(1_010_000, 1_600_000))
      await third.suspend?.()
      const fourth = await (await left(1_572_864))?.resume(1_572_864)
      assert.ok(fourth !== undefined)
      await pour(fourth, other.subarray(1_572_864))
      await fourth.finish()
      const whole = Uint8Array.from([...bytes.subarray(0, 1_000_000), ...other.subarray(1_000_000)])
      assert.ok(Buffer.from(whole).equals(await readAll(location, 'aa/x')))
      assert.deepEqual(await blocks(), [...Array<number>(7).fill(262_144), 2_000_000 - 7 * 262_144])
      await location.close()
    })

    it('takes from staged blocks only a beginning without gaps, and nothing of others', async () => {
      const container = await makeContainer(endpoint)
      const location = locationIn(container.containerName, { endpoint })
      const staged = async (name: string, id: string, bytes: Uint8Array): Promise<void> => {
        await container.getBlockBlobClient(name).stageBlock(Buffer.from(id).toString('base64'), bytes, bytes.length)
      }
      const id = (base: number, number: number, time = 1): string =>
        `q2-${String(time).padStart(15, '0')}-123456789-${String(base).padStart(6, '0')}-${String(number).padStart(6, '0')}`
      for (const number of [1, 2, 4]) await staged('aa/gap', id(0, number), pattern(100, number))
      const gap = await location.adopt?.('aa/gap')
      assert.equal(gap?.sizeBytes, 200)
      await gap?.close()
      // A block that stood behind one that never came, and one behind blocks that do not stand.
      await staged('aa/gap', id(2, 4, 2), pattern(100, 5))
      await staged('aa/gap', id(7, 8, 2), pattern(100, 6))
      const again = await location.adopt?.('aa/gap')
      assert.equal(again?.sizeBytes, 200)
      await again?.close()
      await staged('aa/first', id(0, 2), pattern(100))
      assert.equal(await location.adopt?.('aa/first'), undefined)
      await staged('aa/theirs', 'theirs-1', pattern(100))
      assert.equal(await location.adopt?.('aa/theirs'), undefined)
      await container.getBlockBlobClient('aa/done').stageBlock(Buffer.from('theirs-1').toString('base64'), pattern(10), 10)
      await container.getBlockBlobClient('aa/done').commitBlockList([Buffer.from('theirs-1').toString('base64')])
      assert.equal(await location.adopt?.('aa/done'), undefined)
      assert.deepEqual(await location.head('aa/done'), { sizeBytes: 10 })
      await location.close()
    })

    it('forgets an interrupted write by its name, and leaves what stands there', async () => {
      const container = await makeContainer(endpoint)
      const location = locationIn(container.containerName, { endpoint })
      const dead = await location.create('aa/dead')
      await pour(dead, pattern(9 * 2 ** 20))
      await begun(dead)
      await location.forget?.('aa/dead')
      await location.putIfAbsent('aa/there', pattern(10))
      await location.forget?.('aa/there')
      await location.forget?.('aa/never')
      const left: string[] = []
      for await (const { name } of container.listBlobsFlat({ includeUncommitedBlobs: true })) left.push(name)
      assert.deepEqual(
        left.filter((name) => name !== 'aa/dead'),
        ['aa/there'],
      )
      assert.equal(await location.head('aa/dead'), undefined)
      await dead.abort()
      assert.deepEqual(await listAll(location, ''), ['aa/there'])
      await location.close()
    })

    it('says that a lock does not hold where the container has none', async () => {
      const { containerName } = await makeContainer(endpoint)
      const location = locationIn(containerName, { endpoint, lock: { mode: 'governance', days: 1 } })
      const { objectLock, findings } = await location.probe()
      assert.equal(objectLock, false)
      assert.match(findings.join(), /lock/)
      await location.close()
    })

    it('answers many at once', async () => {
      const { containerName } = await makeContainer(endpoint)
      const location = locationIn(containerName, { endpoint })
      await manyAtOnce(location)
    })
  })
}
