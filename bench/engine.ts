// One piece of work of the storage engine in a process of its own, so that what it costs is its own. `engine.ts JOB` prints a line of JSON.
import { mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#base'
import { random, type Sha256, sha256Stream, signer } from '#crypto/primitives'
import { createArena, newId } from '#format'
import { openSiteStorage, type SiteStorage } from '#storage'
import { openLocalSource } from '../src/cli/local-source.ts'
import { createChunkPool } from '../src/storage/chunk-pool.ts'
import { createFolderLocation } from '../src/storage/locations/folder.ts'
import { writeObject } from '../src/storage/object-writer.ts'
import { Place } from '../src/storage/place.ts'

export type EngineJob =
  /** The write path alone, without a catalogue: a file to three folders, 2-of-3. */
  | {
      readonly kind: 'write'
      readonly file: string
      readonly folders: readonly string[]
      readonly hash: boolean
      readonly durable: boolean
      readonly threads: number
    }
  /** A whole site. Its vault is made first where there is none. */
  | {
      readonly kind: 'put' | 'get' | 'remove'
      readonly home: string
      readonly locations: readonly string[]
      readonly file: string
      readonly threads?: number
    }

export interface EngineCost {
  readonly wallS: number
  /** User and system time of the work; what it took to start is apart. */
  readonly cpuS: number
  readonly startCpuS: number
  readonly rssBytesMax: number
}

const CHUNK_LOG2 = 18
const CHECK_MS = 5000
const quiet = { info: () => undefined, warn: () => undefined }
/** In place of the content hash, for the row without it. */
const noHash = (): Sha256 => ({ update: () => undefined, digest: () => new Uint8Array(32), copy: noHash })

if (import.meta.main) console.log(JSON.stringify(await perform(JSON.parse(process.argv[2]!) as EngineJob)))

async function perform(job: EngineJob): Promise<EngineCost> {
  return job.kind === 'write' ? write(job) : throughSite(job)
}

async function write(job: Extract<EngineJob, { kind: 'write' }>): Promise<EngineCost> {
  for (const folder of job.folders) await mkdir(folder, { recursive: true })
  const places = job.folders.map((root, index) => {
    const location = createFolderLocation({ root, label: `${index + 1}`, syncWrites: job.durable })
    const parts = { id: newId(), x: index + 1, vault: newId(), location, clock: systemClock, checkMs: CHECK_MS, onChange: () => undefined }
    return new Place(parts)
  })
  const pool = createChunkPool({ threads: job.threads })
  const { size } = await stat(job.file)
  const n = job.folders.length
  try {
    return await measured(async () => {
      const served = await pool.serves({ sizeBytes: size, chunkLog2: CHUNK_LOG2, n })
      const arena = await createArena({ suite: 1, k: 2, rows: n, chunkLog2: CHUNK_LOG2, slots: served ? 1 : 4 })
      const source = await openLocalSource(job.file)
      await writeObject({
        arena,
        spec: { suite: 1, k: 2, n, chunkLog2: CHUNK_LOG2, rng: 0, vault: newId(), object: newId(), version: 1, ext: [] },
        targets: places.map((place) => ({ place, x: place.x, name: `aa/${newId()}` })),
        body: source.read(),
        meta: { path: '/bench', type: 'application/octet-stream', created: '2026-01-01T00:00:00Z', user: 'local' },
        sizeBytes: size,
        signer: signer({ mldsa65: random(32), ed25519: random(32) }),
        quorum: n,
        stallMs: 30_000,
        clock: systemClock,
        pool: served ? pool : undefined,
        contentHash: job.hash ? sha256Stream : noHash,
      })
      await source.close()
    })
  } finally {
    await pool.close()
    await Promise.all(places.map(({ location }) => location.close()))
  }
}

async function throughSite(job: Extract<EngineJob, { kind: 'put' | 'get' | 'remove' }>): Promise<EngineCost> {
  const storage = await openVault(job)
  try {
    return await measured(async () => {
      if (job.kind === 'put') await put(storage, job.file)
      else if (job.kind === 'get') await get(storage, job.file)
      else await storage.remove({ path: '/bench', recursive: false })
    })
  } finally {
    await storage.close()
  }
}

/** A site with a vault 2-of-3 over the locations; S3 keys come from the environment. */
export async function openVault(request: {
  readonly home: string
  readonly locations: readonly string[]
  readonly threads?: number
}): Promise<SiteStorage> {
  const storage = await openSiteStorage({
    home: request.home,
    variables: process.env,
    log: quiet,
    productVersion: 'bench',
    chunkPool: createChunkPool({ threads: request.threads ?? 0 }),
  })
  const { vault } = await storage.site()
  if (vault === null) {
    for (const spec of request.locations) if (spec.startsWith('folder:')) await mkdir(spec.slice('folder:'.length), { recursive: true })
    await storage.createVault({ threshold: 2, locations: request.locations.map((spec, index) => ({ spec, label: `l${index + 1}` })) })
  }
  return storage
}

async function put(storage: SiteStorage, file: string): Promise<void> {
  const source = await openLocalSource(file)
  const grant = await storage.openToWrite({ path: '/bench', ifAbsent: false, sizeBytes: source.sizeBytes })
  await grant.store(source.read())
  await source.close()
}

/** To a file, not made durable, as `cp` does. */
async function get(storage: SiteStorage, file: string): Promise<void> {
  const grant = await storage.openToRead({ path: '/bench' })
  const handle = await open(file, 'w')
  try {
    for await (const piece of grant.read({ first: 0, last: grant.sizeBytes - 1 })) {
      for (let at = 0; at < piece.length;) at += (await handle.write(piece, at)).bytesWritten
    }
  } finally {
    await handle.close()
    await grant.close()
  }
}

async function measured(work: () => Promise<void>): Promise<EngineCost> {
  const before = process.cpuUsage()
  const begun = performance.now()
  await work()
  const wallS = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(before)
  return {
    wallS,
    cpuS: (user + system) / 1e6,
    startCpuS: (before.user + before.system) / 1e6,
    rssBytesMax: process.resourceUsage().maxRSS * 1024,
  }
}

/** The path of this program, for those who start it. */
export const ENGINE = join(import.meta.dirname, 'engine.ts')
