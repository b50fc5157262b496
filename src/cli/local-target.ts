// Where a download ends on this machine: beside its name until it is whole, never outside the folder that was meant.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { link, lstat, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { Failure } from '#base'
import { localFailure, systemCode } from './local-failure.ts'

export interface LocalTarget {
  write(part: Uint8Array): Promise<void>
  /** Makes it durable and gives it its name; the time is that of the file in the vault. */
  finish(modified: Date): Promise<void>
  /** Removes what was written. Never throws. */
  abort(): Promise<void>
}

export interface ResumedTarget extends LocalTarget {
  /** Bytes that an earlier run left. */
  readonly writtenBytes: number
  /** Everything that was written, in order. */
  read(): AsyncIterable<Uint8Array>
  /** Closes it and leaves what was written to a later run. Never throws. */
  keep(): Promise<void>
}

/**
 * As `openLocalTarget`, and what an earlier run left of the same version goes on. What is left of other versions is removed.
 * @param options.version what tells one content from another
 */
export async function resumeLocalTarget(
  path: string,
  options: { readonly replace: boolean; readonly version: string; readonly sizeBytes: number },
): Promise<ResumedTarget> {
  await refuseOccupied(path, options.replace)
  const part = partOf(path, options.version)
  try {
    await removeOtherParts(path, part)
    const handle = await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666)
    let at = Math.min((await handle.stat()).size, options.sizeBytes)
    await handle.truncate(at)
    const writtenBytes = at
    const drop = async (): Promise<void> => {
      await handle.close().catch(() => {})
      await rm(part, { force: true }).catch(() => {})
    }
    return {
      writtenBytes,
      write: async (bytes) => {
        await writeAll(handle, bytes, path, at)
        at += bytes.length
      },
      read: () => readFrom(handle, at),
      finish: (modified) => finish({ handle, part, path, modified, replace: options.replace }),
      abort: drop,
      keep: async () => handle.close().catch(() => {}),
    }
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

async function* readFrom(handle: FileHandle, end: number): AsyncIterable<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  for (let at = 0; at < end;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function removeOtherParts(path: string, mine: string): Promise<void> {
  const begin = basename(partOf(path)).replace(/\.part$/, '')
  for (const name of await readdir(dirname(path))) {
    const other = join(dirname(path), name)
    if (name.startsWith(begin) && name.endsWith('.part') && other !== mine) await rm(other, { force: true })
  }
}

const READ_BYTES = 2 ** 20

/** Without `replace` an existing name is refused, at once and again at the end. */
export async function openLocalTarget(path: string, options: { readonly replace: boolean }): Promise<LocalTarget> {
  await refuseOccupied(path, options.replace)
  const part = partOf(path)
  try {
    await rm(part, { force: true })
    const handle = await open(part, 'wx', 0o666)
    return {
      write: (bytes) => writeAll(handle, bytes, path),
      finish: (modified) => finish({ handle, part, path, modified, replace: options.replace }),
      async abort() {
        await handle.close().catch(() => {})
        await rm(part, { force: true }).catch(() => {})
      },
    }
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

/** One name for the unfinished file, so that a run after a crash replaces it instead of leaving it. Short, whatever the name. */
function partOf(path: string, version = ''): string {
  const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
  return join(dirname(path), `.quorate-${short(basename(path))}${version === '' ? '' : `-${short(version)}`}.part`)
}

async function refuseOccupied(path: string, replace: boolean): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (found.isDirectory())
    throw new Failure('cli.file', { detail: `${path} is a folder, and the vault has a file of this name.`, culprits: [path] })
  if (!replace) throw localFailure(Object.assign(new Error(), { code: 'EEXIST' }), 'write', path)
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, path: string, offset?: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;)
      at += (await handle.write(bytes, at, bytes.length - at, offset === undefined ? null : offset + at)).bytesWritten
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

async function finish(request: { handle: FileHandle; part: string; path: string; modified: Date; replace: boolean }): Promise<void> {
  const { handle, part, path, modified, replace } = request
  try {
    await handle.utimes(modified, modified)
    await handle.sync()
    const [ours, named] = [await handle.stat(), await lstat(part)]
    await handle.close()
    if (ours.ino !== named.ino || ours.dev !== named.dev) {
      throw new Failure('cli.file', {
        detail: `Another command writes ${path} at the same time.`,
        next: 'Let one finish first.',
        culprits: [path],
      })
    }
    if (replace) await rename(part, path)
    else await giveName(part, path)
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

/** A link never replaces; where the disk has no links, the name is looked up once more. */
async function giveName(part: string, path: string): Promise<void> {
  try {
    await link(part, path)
    await rm(part)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error
    await refuseOccupied(path, false)
    await rename(part, path)
  }
}

/** Makes the folders of a vault's path below `base`, one by one, and refuses any way out: odd names and symbolic links. */
export function createFolders(base: string): (segments: readonly string[]) => Promise<string> {
  const known = new Set<string>()
  return async (segments) => {
    let folder = base
    await makeFolder(folder, known, true)
    for (const segment of segments) {
      folder = join(folder, localName(segment))
      await makeFolder(folder, known, false)
    }
    return folder
  }
}

async function makeFolder(folder: string, known: Set<string>, isBase: boolean): Promise<void> {
  if (known.has(folder)) return
  try {
    await mkdir(folder, { recursive: isBase })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw localFailure(error, 'make the folder', folder)
    const found = await lstat(folder)
    if (!found.isDirectory()) {
      const what = found.isSymbolicLink() ? 'a symbolic link, which could lead elsewhere' : 'no folder'
      throw new Failure('cli.file', {
        detail: `${folder} is ${what}.`,
        next: 'Get into another folder, or move it away.',
        culprits: [folder],
      })
    }
  }
  known.add(folder)
}

/** A name of the vault as a name here. Those that mean something else to the operating system are refused. */
export function localName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes(sep) || name.includes('\0')) {
    throw new Failure('cli.file', { detail: `The name ${JSON.stringify(name)} cannot be used on this machine.`, culprits: [name] })
  }
  return name
}
