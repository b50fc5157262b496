// The files of this machine that a command line names, folder by folder, with what they are to be called in the vault.
import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { localFailure } from './local-failure.ts'
import { below } from './vault-paths.ts'

export type TreeItem =
  | { readonly kind: 'file'; readonly local: string; readonly target: string }
  /** A folder with nothing in it, which would not come into being by its files. */
  | { readonly kind: 'empty-folder'; readonly local: string; readonly target: string }
  | { readonly kind: 'skipped'; readonly local: string; readonly why: string }
  | { readonly kind: 'failed'; readonly local: string; readonly error: unknown }

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The item of one source, or those below it. Symbolic links are not followed. */
export async function* walkTree(local: string, target: string): AsyncIterableIterator<TreeItem> {
  let status: Stats
  try {
    status = await lstat(local)
  } catch (error) {
    yield { kind: 'failed', local, error: localFailure(error, 'read', local) }
    return
  }
  yield* walk(local, target, status)
}

/** The last name of a source, also for `.` and `a/..`. */
export function sourceName(local: string, folder: string): string {
  return basename(resolve(folder, local))
}

/** `.` and `folder/.` mean what is in the folder, not the folder. */
export function meansContents(local: string): boolean {
  return /(?:^|\/)\.{1,2}\/?$/.test(local)
}

interface Kind {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

async function* walk(local: string, target: string, kind: Kind): AsyncIterableIterator<TreeItem> {
  if (kind.isFile()) yield { kind: 'file', local, target }
  else if (kind.isDirectory()) yield* walkFolder(local, target)
  else yield { kind: 'skipped', local, why: kind.isSymbolicLink() ? 'symbolic links are not followed' : 'it is a pipe, socket or device' }
}

async function* walkFolder(local: string, target: string): AsyncIterableIterator<TreeItem> {
  let entries
  try {
    entries = await readdir(local, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    yield { kind: 'failed', local, error: localFailure(error, 'read', local) }
    return
  }
  if (entries.length === 0) yield { kind: 'empty-folder', local, target }
  const taken = new Set<string>()
  for (const entry of entries.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
    const name = textOf(entry.name)
    const path = join(local, name ?? entry.name.toString('latin1'))
    const normal = name?.normalize('NFC') ?? ''
    if (name === undefined) yield { kind: 'skipped', local: path, why: 'its name is not UTF-8' }
    else if (taken.has(normal)) yield { kind: 'skipped', local: path, why: 'another file here has the same name in Unicode NFC' }
    else yield* walk(path, below(target, normal), entry)
    taken.add(normal)
  }
}

function textOf(name: Buffer): string | undefined {
  try {
    return TEXT.decode(name)
  } catch {
    return undefined
  }
}
