// The folder that benches work in, and the data that all of them use. Gone with the process.
import { createHash } from 'node:crypto'
import { createReadStream, rmSync } from 'node:fs'
import { mkdir, mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFill } from '#crypto/primitives'

export interface Workplace extends AsyncDisposable {
  readonly quick: boolean
  /** What could not be compared, one line each. */
  readonly missing: readonly string[]
  miss(line: string): void
  /** A new empty folder. */
  folder(): Promise<string>
  remove(folder: string): Promise<void>
  /** A file of random bytes, the same for everybody, and in the system's cache. */
  randomFile(sizeBytes: number): Promise<string>
  /** A file of zeros that takes no room. */
  emptyFile(sizeBytes: number): Promise<string>
  /** Throws when the disk has less room. */
  requireRoom(bytes: number): Promise<void>
}

const STEP_BYTES = 2 ** 22

/** Below TMPDIR, which decides the disk that is measured. */
export async function makeWorkplace({ quick }: { readonly quick: boolean }): Promise<Workplace> {
  const root = await mkdtemp(join(tmpdir(), 'quorate-bench-'))
  const removeNow = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  process.on('exit', removeNow)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
  const files = new Map<string, string>()
  const missing: string[] = []
  let folders = 0

  const place: Workplace = {
    quick,
    missing,
    miss: (line) => {
      if (missing.includes(line)) return
      missing.push(line)
      console.error(`  ${line}`)
    },
    folder: async () => {
      const folder = join(root, `f${++folders}`)
      await mkdir(folder, { mode: 0o700 })
      return folder
    },
    remove: (folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
    randomFile: async (sizeBytes) => {
      const path = files.get(`random ${sizeBytes}`) ?? join(root, `random-${sizeBytes}`)
      if (!files.has(`random ${sizeBytes}`)) {
        await place.requireRoom(sizeBytes)
        const handle = await open(path, 'wx')
        const bytes = new Uint8Array(STEP_BYTES)
        for (let at = 0; at < sizeBytes; at += STEP_BYTES) {
          randomFill(bytes)
          await handle.write(bytes, 0, Math.min(STEP_BYTES, sizeBytes - at))
        }
        await handle.sync()
        await handle.close()
        files.set(`random ${sizeBytes}`, path)
      }
      for await (const _ of createReadStream(path, { highWaterMark: STEP_BYTES }));
      return path
    },
    emptyFile: async (sizeBytes) => {
      const path = join(root, `zeros-${sizeBytes}`)
      const handle = await open(path, 'w')
      await handle.truncate(sizeBytes)
      await handle.close()
      return path
    },
    requireRoom: async (bytes) => {
      const { bavail, bsize } = await statfs(root)
      if (bavail * bsize < bytes * 1.1) throw new Error(`the temporary folder needs room for ${Math.ceil(bytes / 2 ** 30)} GiB`)
    },
    [Symbol.asyncDispose]: async () => {
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return place
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { highWaterMark: STEP_BYTES })) hash.update(part as Uint8Array)
  return hash.digest('hex')
}
