// A site's storage in temporary folders, for tests.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseOf } from './database-of.ts'
import type { DatabasePlace } from '#database'
import { openSiteStorage, type SiteStorage, type SiteStorageOptions } from '#storage'

export const quiet = { info: () => undefined, warn: () => undefined }

export interface TestSite {
  readonly root: string
  readonly home: string
  readonly folders: readonly string[]
  storage: SiteStorage
  /** Closes and opens again, as a restart does. */
  reopen(options?: Partial<SiteStorageOptions>): Promise<SiteStorage>
  end(): Promise<void>
}

/** A vault k-of-n over folders a, b, c, ... */
export async function makeSite(
  request: {
    readonly threshold?: number
    readonly count?: number
    readonly layout?: 'shared' | 'sealed'
    readonly requireAll?: boolean
    readonly options?: Partial<SiteStorageOptions>
    readonly vault?: boolean
    /** The database of a home, instead of the one that this process uses. */
    readonly database?: (home: string) => DatabasePlace
  } = {},
): Promise<TestSite> {
  const root = await mkdtemp(join(tmpdir(), 'quorate-test-'))
  const home = join(root, 'home')
  await mkdir(home, { mode: 0o700 })
  const folders = Array.from({ length: request.count ?? 3 }, (_, index) => join(root, String.fromCharCode(97 + index)))
  const open = async (options: Partial<SiteStorageOptions> = {}): Promise<SiteStorage> =>
    openSiteStorage({
      home,
      database: request.database?.(home) ?? (await databaseOf(home)),
      variables: {},
      log: quiet,
      productVersion: 'test',
      syncWrites: false,
      ...request.options,
      ...options,
    })
  const site: TestSite = {
    root,
    home,
    folders,
    storage: await open(),
    reopen: async (options) => {
      await site.storage.close()
      site.storage = await open(options)
      return site.storage
    },
    end: async () => {
      await site.storage.close()
      await rm(root, { recursive: true, force: true })
    },
  }
  if (request.vault !== false) {
    await site.storage.createVault({
      name: 'Test',
      threshold: request.threshold ?? 2,
      layout: request.layout ?? 'shared',
      requireAll: request.requireAll ?? false,
      locations: folders.map((folder, index) => ({ spec: `folder:${folder}`, label: String.fromCharCode(97 + index) })),
    })
  }
  return site
}

export async function* pieces(bytes: Uint8Array, length = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

export async function put(
  storage: SiteStorage,
  path: string,
  bytes: Uint8Array,
): ReturnType<Awaited<ReturnType<SiteStorage['openToWrite']>>['store']> {
  const grant = await storage.openToWrite({ path, ifAbsent: false })
  return grant.store(pieces(bytes))
}

export async function get(
  storage: SiteStorage,
  path: string,
  range?: { first: number; last: number },
  version?: number,
): Promise<Uint8Array> {
  const opened = await storage.openToRead({ path, version })
  try {
    const parts: Uint8Array[] = []
    if (opened.sizeBytes === 0) for await (const _ of opened.read({ first: 0, last: 0 })) parts.push(_)
    else for await (const part of opened.read(range ?? { first: 0, last: opened.sizeBytes - 1 })) parts.push(part.slice())
    return Buffer.concat(parts)
  } finally {
    await opened.close()
  }
}

/** Runs a task to its end. */
const aWhile = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 5)
  })

/** The task at its end. */
export async function finished(
  storage: SiteStorage,
  started: Promise<{ id: string }>,
  pause: () => Promise<void> = aWhile,
): Promise<ReturnType<SiteStorage['task']>> {
  const { id } = await started
  for (;;) {
    const task = storage.task(id)
    if (task.state !== 'running') return task
    await pause()
  }
}

export function pattern(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2654435761 + 1
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
