// What a vault does by itself: reading everything again, bringing an emptied place back, and coming back from k places without a database.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { random } from '#crypto/primitives'
import { openSiteStorage, type SiteStorage } from '#storage'
import { rounded } from './figures.ts'
import type { Workplace } from './workplace.ts'

const SMALL_BYTES = 10_000
const LARGE_BYTES = 64 * 2 ** 20
const AT_ONCE = 16
const PLACES = ['a', 'b', 'c']
const quiet = { info: () => undefined, warn: () => undefined }

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const small = workplace.quick ? 200 : 100_000
  const large = workplace.quick ? 1 : 32
  await workplace.requireRoom(3 * (small * 16_384 + large * LARGE_BYTES) * 1.5)
  for (const [what, count, bytes] of [
    ['large files', large, LARGE_BYTES],
    ['small files', small, SMALL_BYTES],
  ] as const) {
    const root = await workplace.folder()
    const folders = PLACES.map((place) => join(root, place))
    // Filled without fsync: what is measured comes after.
    let storage = await open(join(root, 'home'), false)
    try {
      for (const folder of folders) await mkdir(folder)
      await storage.createVault({
        threshold: 2,
        locations: folders.map((folder, index) => ({ spec: `folder:${folder}`, label: PLACES[index]! })),
      })
      const tell = (did: string, seconds: number, each: number): void =>
        emit({
          bench: 'upkeep',
          what: did,
          of: what,
          count,
          bytes,
          perSecond: rounded(each / seconds),
          mbPerSecond: rounded((each * bytes) / seconds / 1e6),
        })
      await putAll(storage, { count, bytes })
      await storage.close()
      storage = await open(join(root, 'home'))
      // Every fragment is read whole and judged alone, so n times the bytes.
      tell('scrub by tags, fragments', await timed(() => ended(storage, storage.scrub({ depth: 'tags' }))), count * PLACES.length)
      await rm(folders[1]!, { recursive: true })
      await mkdir(folders[1]!)
      await storage.status({ check: true })
      tell('repair of an emptied place, fragments', await timed(() => ended(storage, storage.repair({}))), count)
      await storage.close()
      await rm(join(root, 'home'), { recursive: true })
      storage = await open(join(root, 'home'))
      const locations = folders.slice(0, 2).map((folder, index) => ({ spec: `folder:${folder}`, label: PLACES[index]! }))
      tell('recover from k places without a database', await timed(() => ended(storage, storage.recover({ locations }))), count)
      const { files } = await storage.status({ check: false })
      if (files !== count) throw new Error(`${files} of ${count} files came back`)
    } finally {
      await storage.close()
      await workplace.remove(root)
    }
  }
}

async function open(home: string, syncWrites = true): Promise<SiteStorage> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  return openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'bench', syncWrites })
}

async function putAll(storage: SiteStorage, { count, bytes }: { readonly count: number; readonly bytes: number }): Promise<void> {
  const body = random(bytes)
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const path = `/${Math.floor(index / 1000)}/${index % 1000}`
      const grant = await storage.openToWrite({ path, ifAbsent: true, sizeBytes: bytes })
      await grant.store(once(body))
    }
  }
  await Promise.all(Array.from({ length: bytes === SMALL_BYTES ? AT_ONCE : 1 }, work))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function ended(storage: SiteStorage, started: Promise<{ readonly id: string }>): Promise<void> {
  const { id } = await started
  for (;;) {
    const { state, problem } = storage.task(id)
    if (state === 'done') return
    if (state !== 'running') throw new Error(`it ended as ${state}: ${problem?.detail ?? ''}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}
