// Shared Key signatures, as Microsoft's own kit makes them for the same requests.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { SecretBytes } from '#base'
import { signForAzure } from '../../../src/storage/locations/azure/sign.ts'
import { ACCOUNT, KEY } from './azure-servers.ts'

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}

const sent: Sent[] = []
const server = createServer((request, response) => {
  sent.push({ method: request.method!, url: request.url!, headers: request.headers as Record<string, string> })
  request.resume()
  response.writeHead(400).end()
})
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => {
  server.closeAllConnections()
  server.close()
})

/** What the kit sends. */
async function captured(base: string, act: (service: BlobServiceClient) => Promise<unknown>): Promise<Sent> {
  const { port } = server.address() as AddressInfo
  sent.length = 0
  const credential = new StorageSharedKeyCredential(ACCOUNT, KEY)
  await act(new BlobServiceClient(`http://127.0.0.1:${port}${base}`, credential, { retryOptions: { maxTries: 1 } })).catch(() => undefined)
  assert.equal(sent.length, 1)
  return sent[0]!
}

const REQUESTS: [string, (service: BlobServiceClient) => Promise<unknown>][] = [
  [
    'Put Blob',
    (service) =>
      service
        .getContainerClient('c-1')
        .getBlockBlobClient('aa/b_c.d')
        .upload('12345', 5, { conditions: { ifNoneMatch: '*' } }),
  ],
  ['Put Blob, empty', (service) => service.getContainerClient('c-1').getBlockBlobClient('x').upload('', 0)],
  ['Put Block', (service) => service.getContainerClient('c-1').getBlockBlobClient('aa/b').stageBlock('cTEtMDAw', 'abc', 3)],
  ['Put Block List', (service) => service.getContainerClient('c-1').getBlockBlobClient('aa/b').commitBlockList(['cTEtMDAw'])],
  ['Get Blob, a range', (service) => service.getContainerClient('c-1').getBlockBlobClient('aa/b').download(5, 10)],
  ['Get Properties', (service) => service.getContainerClient('c-1').getBlockBlobClient('aa/b').getProperties()],
  ['Delete Blob', (service) => service.getContainerClient('c-1').getBlockBlobClient('aa/b').delete({ deleteSnapshots: 'include' })],
  [
    'List Blobs',
    (service) =>
      service.getContainerClient('c-1').listBlobsFlat({ prefix: 'aa/ü b', includeUncommitedBlobs: true }).byPage({ maxPageSize: 7 }).next(),
  ],
]

describe('Shared Key', () => {
  for (const base of ['', `/${ACCOUNT}`]) {
    for (const [name, act] of REQUESTS) {
      it(`signs ${name} as the kit does, with the account in the ${base === '' ? 'host' : 'path'}`, async () => {
        const { method, url, headers } = await captured(base, act)
        const { pathname, searchParams } = new URL(url, 'http://h')
        const { authorization, 'x-ms-date': date, date: _, ...given } = headers
        assert.ok(authorization !== undefined && date !== undefined)
        const ours = signForAzure(
          { method, path: pathname, query: [...searchParams], headers: given, bodyBytes: Number(given['content-length'] ?? 0) },
          {
            account: ACCOUNT,
            nowMs: Date.parse(date),
            credentials: { kind: 'key', account: undefined, key: new SecretBytes(Buffer.from(KEY, 'base64')) },
          },
        )
        assert.equal(ours.headers['x-ms-date'], date)
        assert.equal(ours.headers['authorization'], authorization)
      })
    }
  }
  it('has requests to compare', () => assert.ok(REQUESTS.length >= 8))
})
