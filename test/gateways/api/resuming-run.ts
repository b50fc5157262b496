// A real site behind a link that breaks all the time, and its restarts: what is sent arrives.
import assert from 'node:assert/strict'
import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { createAccess } from '#access'
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { Failure, systemClock } from '#base'
import { createClient, prefixProof, uploadResumably, type PrefixHash, type Client, type ResumeNews, type Stored } from '#contract'
import { openDatabase } from '#database'
import { createApi, type Api } from '#gateways/api'
import type { SiteStorage } from '#storage'
import { socketTransport } from '../../../src/cli/socket-transport.ts'
import { nobody } from '../../access/support.ts'
import { makeSite, quiet, type TestSite } from '../../storage/site.ts'
import { breakingLink } from './breaking-link.ts'
import { roomInMemory } from './memory-alarms.ts'

export interface Linked {
  readonly site: TestSite
  /** Over the link that breaks. */
  readonly client: Client
  /** Over one that does not. */
  readonly steady: Client
  readonly breaks: () => number
  /** The site ends and starts again; nobody can reach it meanwhile. */
  readonly restart: () => Promise<void>
}

export async function withLink(
  request: Parameters<typeof makeSite>[0],
  bytesAfter: () => number,
  work: (linked: Linked) => Promise<void>,
): Promise<void> {
  const site = await makeSite(request)
  const socket = join(site.root, 'site.sock')
  const db = await openDatabase<AuditTables>({ file: ':memory:', migrations: auditMigrations })
  const audit = await openAudit({ db, clock: systemClock, home: site.home })
  const alarms = await roomInMemory()
  // The log of this test has a database of its own.
  const appendIn: typeof audit.appendIn = (_tx, events) => Promise.all(events.map((event) => audit.append(event)))
  const serve = async (storage: SiteStorage): Promise<Api> => {
    const api = await createApi({
      access: createAccess({ storage, audit: { ...audit, appendIn }, alarms, people: nobody, clock: systemClock }),
      operator: { kind: 'local', name: 'test' },
      log: { ...quiet, error: () => undefined },
      bounds: { stopGraceMs: 10 },
    })
    await api.listenOnSocket(socket)
    return api
  }
  let api = await serve(site.storage)
  const link = await breakingLink(socket, join(site.root, 'link.sock'), bytesAfter)
  const [broken, whole] = [socketTransport(link.path), socketTransport(socket)]
  try {
    await work({
      site,
      client: createClient(broken.call),
      steady: createClient(whole.call),
      breaks: link.breaks,
      restart: async () => {
        await api.close()
        await site.reopen()
        api = await serve(site.storage)
      },
    })
  } finally {
    broken.close()
    whole.close()
    await link.close()
    await api.close()
    await audit.close()
    await db.close()
    await site.end()
  }
}

/** The client, the link and the site are all in this process. */
const RSS_BYTES_MAX = 600 * 2 ** 20

/** Uploads a made source over a link that breaks every `breakBytes`, in little memory; answers what it was like in words. */
export async function uploadInLittleMemory(
  { client, breaks }: Linked,
  given: { readonly path: string; readonly sizeBytes: number },
  breakBytes: number,
): Promise<string> {
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 200)
  const since = performance.now()
  const stored = await uploadMade(client, given).finally(() => clearInterval(watch))
  const seconds = (performance.now() - since) / 1000
  assert.equal(stored.acknowledged, 3)
  assert.ok(breaks() >= Math.floor(given.sizeBytes / breakBytes) - 1, `${breaks()} breaks`)
  assert.ok(most < RSS_BYTES_MAX, `${Math.round(most / 2 ** 20)} MiB of memory`)
  const rate = Math.round(given.sizeBytes / 1e6 / seconds)
  return `${breaks()} breaks, ${Math.round(seconds)} s, ${rate} MB/s, at most ${Math.round(most / 2 ** 20)} MiB of memory`
}

/** A source of any size without memory: each byte follows from its place. */
export function madeSource(
  sizeBytes: number,
  seed = 1,
): { read(from: number, end?: number): Generator<Uint8Array>; digest(end?: number): string } {
  const unit = Buffer.alloc(65_536)
  let state = seed >>> 0 || 1
  for (let at = 0; at < unit.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    unit[at] = state >>> 24
  }
  const source = {
    *read(from: number, end = sizeBytes) {
      for (let at = from; at < end;) {
        const begin = at - (at % unit.length)
        const part = Buffer.from(unit)
        part.writeDoubleLE(begin, 0)
        const slice = part.subarray(at - begin, Math.min(unit.length, end - begin))
        at += slice.length
        yield slice
      }
    },
    digest(end = sizeBytes) {
      const hash = createHash('sha256')
      for (const part of source.read(0, end)) hash.update(part)
      return hash.digest('hex')
    },
  }
  return source
}

export function hashing(hash: Hash): PrefixHash {
  return { update: (bytes) => hash.update(bytes), copy: () => hashing(hash.copy()), hex: () => hash.digest('hex') }
}

export async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of body) hash.update(part)
  return hash.digest('hex')
}

/** Uploads a made source to the path, with short waits. */
export async function uploadMade(
  client: Client,
  given: {
    readonly path: string
    readonly sizeBytes: number
    readonly seed?: number
    readonly signal?: AbortSignal
    readonly tell?: (news: ResumeNews) => void
  },
): Promise<Stored> {
  const source = madeSource(given.sizeBytes, given.seed)
  return uploadResumably({
    client,
    source: {
      path: given.path,
      sizeBytes: given.sizeBytes,
      ifAbsent: false,
      proof: prefixProof(
        () => hashing(createHash('sha256')),
        async function* (from, end) {
          yield* source.read(from, end)
        },
      ),
    },
    send: async ({ id, turn, offset }) => {
      async function* body(): AsyncIterable<Uint8Array> {
        yield* source.read(offset)
      }
      await client.sendUpload({ id, turn, offset, body: body(), size: given.sizeBytes - offset })
    },
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        setTimeout(() => (signal.aborted ? reject(new Failure('base.cancelled')) : resolve()), 5)
      }),
    now: () => Date.now(),
    signal: given.signal ?? new AbortController().signal,
    tell: given.tell ?? (() => undefined),
  })
}

export async function arrived(
  client: Client,
  given: { readonly path: string; readonly sizeBytes: number; readonly seed?: number },
): Promise<void> {
  const download = await client.download({ path: given.path })
  assert.equal(await digestOf(download.body), madeSource(given.sizeBytes, given.seed).digest())
}
