// Where files are adopted from: a folder of this machine, or what lies plainly in an S3 bucket. Only ever read.
import { constants, type Dirent } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { type Clock, Failure, rfc3339 } from '#base'
import type { LocationConfig } from './locations/from-config.ts'
import { openPlainBucket } from './locations/s3/plain.ts'

export interface PlainFile {
  readonly kind: 'file'
  /** Below the source, with `/`. */
  readonly name: string
  readonly sizeBytes: number
  /** RFC 3339. */
  readonly modified: string
  /** Throws `storage.source-changed` at the end when the file changed meanwhile. A piece is valid until the next one. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>
}

export type PlainItem =
  | PlainFile
  | { readonly kind: 'empty-folder'; readonly name: string }
  | { readonly kind: 'skipped'; readonly name: string; readonly why: string }

export interface PlainSource {
  readonly label: string
  items(signal: AbortSignal): AsyncIterable<PlainItem>
  close(): Promise<void>
}

const READ_BYTES = 2 ** 20
const DEPTH_MAX = 128
const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `home` is never adopted: it holds keys. Throws `location.config` for kinds that cannot be adopted from. */
export async function openPlainSource(
  config: LocationConfig,
  around: { readonly home: string; readonly variables: Readonly<Record<string, string | undefined>>; readonly clock: Clock },
): Promise<PlainSource> {
  if (config.kind === 'folder') return openFolder(config.path, around.home)
  if (config.kind === 's3') return openPlainBucket(config, around)
  throw new Failure('location.config', {
    detail: `files are adopted from folders and S3 buckets, not from ${config.kind}`,
    next: 'Mount it as a folder, or copy it into one.',
  })
}

async function openFolder(root: string, home: string): Promise<PlainSource> {
  let kind
  try {
    kind = await lstat(root)
  } catch (error) {
    throw new Failure('location.config', { detail: `${root} cannot be read`, culprits: [root], cause: error })
  }
  if (!kind.isDirectory()) throw new Failure('location.config', { detail: `${root} is not a folder`, culprits: [root] })
  const marker = await lstat(join(root, 'location.json')).catch(() => undefined)
  if (marker !== undefined)
    throw new Failure('location.not-ours', {
      detail: `${root} is a location of a vault: it holds fragments, not files`,
      culprits: [root],
      next: 'Bring that vault back with quorate recover.',
    })
  const away = await realpath(home)
  return { label: root, items: (signal) => walk(root, '', { signal, away, depth: 0 }), close: async () => undefined }
}

async function* walk(
  folder: string,
  below: string,
  how: { readonly signal: AbortSignal; readonly away: string; readonly depth: number },
): AsyncGenerator<PlainItem> {
  if (how.signal.aborted) throw new Failure('base.cancelled')
  let entries: Dirent<Buffer>[]
  try {
    const real = await realpath(folder)
    if (real === how.away || real.startsWith(`${how.away}${sep}`)) {
      yield { kind: 'skipped', name: below, why: 'it is the home of this site' }
      return
    }
    entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    yield { kind: 'skipped', name: below, why: `the folder cannot be read (${codeOf(error)})` }
    return
  }
  if (entries.length === 0 && below !== '') yield { kind: 'empty-folder', name: below }
  const taken = new Set<string>()
  for (const entry of entries.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
    const text = textOf(entry.name)
    const name = `${below}${below === '' ? '' : '/'}${(text ?? entry.name.toString('latin1')).normalize('NFC')}`
    if (text === undefined) yield { kind: 'skipped', name, why: 'its name is not UTF-8' }
    else if (taken.has(name)) yield { kind: 'skipped', name, why: 'another file here has the same name in Unicode NFC' }
    else if (entry.isDirectory()) {
      if (how.depth >= DEPTH_MAX) yield { kind: 'skipped', name, why: `it lies deeper than ${DEPTH_MAX} folders` }
      else yield* walk(join(folder, text), name, { ...how, depth: how.depth + 1 })
    } else if (entry.isFile()) yield await fileOf(join(folder, text), name)
    else yield { kind: 'skipped', name, why: entry.isSymbolicLink() ? 'symbolic links are not followed' : 'it is a pipe, socket or device' }
    taken.add(name)
  }
}

async function fileOf(path: string, name: string): Promise<PlainItem> {
  try {
    const seen = await lstat(path)
    const modified = rfc3339(Math.floor(seen.mtimeMs))
    return {
      kind: 'file',
      name,
      sizeBytes: seen.size,
      modified,
      read: (signal) => readFile(path, { sizeBytes: seen.size, modified }, signal),
    }
  } catch (error) {
    return { kind: 'skipped', name, why: `it cannot be read (${codeOf(error)})` }
  }
}

async function* readFile(
  path: string,
  seen: { readonly sizeBytes: number; readonly modified: string },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Failure('storage.source-changed', { detail: `${path} cannot be read (${codeOf(error)})`, culprits: [path], cause: error })
  })
  try {
    const bytes = new Uint8Array(READ_BYTES)
    for (let at = 0; at < seen.sizeBytes;) {
      if (signal.aborted) throw new Failure('base.cancelled')
      const { bytesRead } = await handle.read(bytes, 0, Math.min(bytes.length, seen.sizeBytes - at), at)
      if (bytesRead === 0) throw changed(path)
      at += bytesRead
      yield bytes.subarray(0, bytesRead)
    }
    const now = await handle.stat()
    if (now.size !== seen.sizeBytes || rfc3339(Math.floor(now.mtimeMs)) !== seen.modified) throw changed(path)
  } finally {
    await handle.close()
  }
}

function changed(path: string): Failure {
  return new Failure('storage.source-changed', {
    detail: `${path} changed while it was read`,
    culprits: [path],
    next: 'Import again when nobody writes there.',
  })
}

function textOf(name: Buffer): string | undefined {
  try {
    return TEXT.decode(name)
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown'
}
