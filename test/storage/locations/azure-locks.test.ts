// Locks of Azure against a small server that keeps immutability policies as Microsoft's documentation says; Azurite knows none.
import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Clock } from '#base'
import type { AzureLocationOptions } from '../../../src/storage/locations/azure/azure.ts'
import type { Location } from '../../../src/storage/location.ts'
import { ACCOUNT, locationIn } from './azure-servers.ts'
import { pattern, refuses, writeAll } from './support.ts'

const DAY_MS = 86_400_000
const CONTAINER = 'locked'

interface Policy {
  readonly mode: string
  readonly untilMs: number
}

/** https://learn.microsoft.com/rest/api/storageservices/set-blob-immutability-policy, put-blob, put-block-list, delete-blob */
class ImmutableContainer {
  readonly blobs = new Map<string, { readonly size: number; policy: Policy | undefined }>()
  readonly staged = new Map<string, number>()
  nowMs = Date.now()
  /** The container was made with version-level immutability. */
  supported = true
  /** The key may set policies. */
  allowed = true

  answer(
    method: string,
    url: URL,
    headers: IncomingHttpHeaders,
    size: number,
  ): { status: number; code?: string; headers?: Record<string, string> } {
    const name = url.pathname.slice(`/${ACCOUNT}/${CONTAINER}/`.length)
    const comp = url.searchParams.get('comp')
    const blob = this.blobs.get(name)
    if (method === 'PUT' && comp === 'block') {
      this.staged.set(name, (this.staged.get(name) ?? 0) + size)
      return { status: 201 }
    }
    if (method === 'PUT' && (comp === null || comp === 'blocklist')) {
      if (blob !== undefined) return { status: 409, code: 'BlobAlreadyExists' }
      const policy = policyOf(headers)
      if (policy !== undefined && !this.supported) return { status: 400, code: 'UnsupportedHeader' }
      this.blobs.set(name, { size: comp === null ? size : (this.staged.get(name) ?? 0), policy })
      return { status: 201, headers: { etag: '"0x1"' } }
    }
    if (blob === undefined) return { status: 404, code: 'BlobNotFound' }
    const held = blob.policy !== undefined && blob.policy.untilMs > this.nowMs
    if (method === 'HEAD') {
      const { policy } = blob
      const told: Record<string, string> =
        policy === undefined
          ? {}
          : {
              'x-ms-immutability-policy-mode': policy.mode.toLowerCase(),
              'x-ms-immutability-policy-until-date': new Date(policy.untilMs).toUTCString(),
            }
      return { status: 200, headers: { etag: '"0x1"', 'content-length': String(blob.size), ...told } }
    }
    if (method === 'DELETE') {
      if (held) return { status: 409, code: 'BlobImmutableDueToPolicy' }
      this.blobs.delete(name)
      return { status: 202 }
    }
    const policy = policyOf(headers)
    if (comp !== 'immutabilityPolicies' || policy === undefined) return { status: 400, code: 'InvalidHeaderValue' }
    if (!this.allowed) return { status: 403, code: 'AuthorizationPermissionMismatch' }
    if (!this.supported) return { status: 409, code: 'FeatureNotSupportedForAccount' }
    const locked = held && blob.policy?.mode === 'Locked'
    if (locked && (policy.mode !== 'Locked' || policy.untilMs < (blob.policy?.untilMs ?? 0)))
      return { status: 409, code: 'BlobImmutableDueToPolicy' }
    blob.policy = policy
    return { status: 200 }
  }
}

function policyOf(headers: IncomingHttpHeaders): Policy | undefined {
  const until = Date.parse(String(headers['x-ms-immutability-policy-until-date'] ?? ''))
  const mode = String(headers['x-ms-immutability-policy-mode'] ?? 'Unlocked')
  return Number.isNaN(until) || (mode !== 'Locked' && mode !== 'Unlocked') ? undefined : { mode, untilMs: until }
}

describe('locks of Azure', () => {
  let container: ImmutableContainer
  let endpoint: string
  const opened: Location[] = []
  const server = createServer((incoming, response) => {
    let size = 0
    incoming.on('data', (chunk: Buffer) => (size += chunk.length))
    incoming.on('end', () => {
      const { status, code, headers } = container.answer(
        incoming.method ?? '',
        new URL(incoming.url ?? '/', 'http://h'),
        incoming.headers,
        size,
      )
      response.writeHead(status, { 'content-length': '0', ...headers, ...(code === undefined ? {} : { 'x-ms-error-code': code }) }).end()
    })
  })
  beforeEach(async () => {
    container = new ImmutableContainer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((location) => location.close()))
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const clock: Clock = {
    now: () => container.nowMs,
    sleep: (_, signal) => new Promise((__, reject) => signal?.addEventListener('abort', reject)),
  }
  const location = (options: Partial<AzureLocationOptions>): Location => {
    const one = locationIn(CONTAINER, { endpoint, clock, partBytes: 256 * 1024, ...options })
    opened.push(one)
    return one
  }
  const daysLeft = (name: string): number => ((container.blobs.get(name)?.policy?.untilMs ?? 0) - container.nowMs) / DAY_MS

  for (const [mode, word] of [
    ['governance', 'Unlocked'],
    ['compliance', 'Locked'],
  ] as const) {
    it(`of ${mode} hold what is written, in one request and in blocks, and are made longer before they end`, async () => {
      const place = location({ lock: { mode, days: 10 } })
      await place.putIfAbsent('aa/small', pattern(10))
      await writeAll(place, 'aa/large', pattern(600_000))
      for (const name of ['aa/small', 'aa/large']) {
        assert.equal(container.blobs.get(name)?.policy?.mode, word)
        assert.ok(Math.abs(daysLeft(name) - 10) < 0.01)
        assert.equal(await place.discard(name), 'kept')
        assert.equal(await place.extendLock?.(name), 'held')
      }
      container.nowMs += 6 * DAY_MS
      for (const name of ['aa/small', 'aa/large']) {
        assert.ok(daysLeft(name) < 5)
        assert.equal(await place.extendLock?.(name), 'extended')
        assert.ok(Math.abs(daysLeft(name) - 10) < 0.01)
        assert.equal(container.blobs.get(name)?.policy?.mode, word)
        assert.equal(await place.extendLock?.(name), 'held')
      }
      container.nowMs += 11 * DAY_MS
      assert.equal(await place.discard('aa/small'), 'gone')
    })
  }

  it('that were locked stay locked where the description asks for less since', async () => {
    await location({ lock: { mode: 'compliance', days: 10 } }).putIfAbsent('aa/x', pattern(10))
    container.nowMs += 6 * DAY_MS
    assert.equal(await location({ lock: { mode: 'governance', days: 10 } }).extendLock?.('aa/x'), 'extended')
    assert.equal(container.blobs.get('aa/x')?.policy?.mode, 'Locked')
    assert.ok(Math.abs(daysLeft('aa/x') - 10) < 0.01)
  })

  it('are put on what was written without one', async () => {
    await location({}).putIfAbsent('aa/x', pattern(10))
    assert.equal(await location({}).extendLock?.('aa/x'), 'refused')
    assert.equal(await location({ lock: { mode: 'governance', days: 3 } }).extendLock?.('aa/x'), 'extended')
    assert.ok(Math.abs(daysLeft('aa/x') - 3) < 0.01)
  })

  it('are refused without the right or the container for it, and what is absent is said so', async () => {
    const place = location({ lock: { mode: 'governance', days: 10 } })
    await location({}).putIfAbsent('aa/x', pattern(10))
    container.allowed = false
    assert.equal(await place.extendLock?.('aa/x'), 'refused')
    container.allowed = true
    container.supported = false
    assert.equal(await place.extendLock?.('aa/x'), 'refused')
    await refuses(async () => place.extendLock?.('aa/none'), 'location.absent', 'cloud')
  })
})
