// Real files for tests, from Debian packages that are fetched and unpacked without being installed, and kept outside the tree.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type TestData =
  | {
      readonly kind: 'found'
      /** What the package would install, from the root on. */
      readonly folder: string
    }
  | {
      readonly kind: 'missing'
      /** One line for people: what was not found, and why. */
      readonly line: string
    }

const DOWNLOAD_MS_MAX = 60_000
const run = promisify(execFile)
const known = new Map<string, Promise<TestData>>()

/** The files of a Debian package. Asks the package lists of this machine: where they are missing, `apt-get update` has to run once. */
export function testData(name: string): Promise<TestData> {
  const found = known.get(name) ?? fetchPackage(name)
  known.set(name, found)
  return found
}

async function fetchPackage(name: string): Promise<TestData> {
  const cache = await cacheFolder()
  const folder = join(cache, name)
  if (await exists(folder)) return { kind: 'found', folder }
  const work = await mkdtemp(join(cache, '.work-'))
  try {
    await run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: work, timeout: DOWNLOAD_MS_MAX })
    const [archive] = (await readdir(work)).filter((file) => file.endsWith('.deb'))
    if (archive === undefined) throw new Error('nothing came')
    const unpacked = join(work, 'files')
    await run('dpkg-deb', ['-x', archive, unpacked], { cwd: work, timeout: DOWNLOAD_MS_MAX })
    // Of two at once the second finds it made.
    await rename(unpacked, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error
    })
    return { kind: 'found', folder }
  } catch (error) {
    return { kind: 'missing', line: `not found: files of ${name} (Debian: ${name}): ${reason(error)}` }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Not the folder of temporary files, which the test command empties. */
async function cacheFolder(): Promise<string> {
  const base = process.env['XDG_CACHE_HOME']
  const folder = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'quorate-test-data')
  try {
    await mkdir(folder, { recursive: true })
    const probe = join(folder, `.probe-${randomBytes(8).toString('hex')}`)
    await mkdir(probe)
    await rm(probe, { recursive: true })
    return folder
  } catch {
    const other = join(tmpdir(), 'quorate-test-data')
    await mkdir(other, { recursive: true })
    return other
  }
}

function reason(error: unknown): string {
  const { code, stderr, killed, path } = error as { code?: unknown; stderr?: string; killed?: boolean; path?: string }
  if (code === 'ENOENT') return `there is no ${path ?? 'apt-get'}`
  if (killed === true) return `no answer in ${DOWNLOAD_MS_MAX / 1000} s`
  const said = (stderr ?? '')
    .split('\n')
    .find((line) => line.startsWith('E:'))
    ?.slice(2)
  return (said ?? String(error)).trim().replaceAll(/\s+/g, ' ').slice(0, 200)
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
