// Paths in the vault: absolute, NFC, segments that mean the same everywhere.
import { Failure, limits, utf8 } from '#base'

export interface SplitPath {
  readonly path: string
  readonly parent: string
  readonly name: string
}

/** What was removed and is kept for a while lies below it (docs/spec/vault.md, "Trash"). No user's path begins so. */
export const TRASH = '/.quorate-trash'
/** Everything below TRASH stands between `TRASH/` and this. */
export const TRASH_END = '/.quorate-trash0'
/** A path in the trash may be longer by what stands before its name there. */
const TRASH_PREFIX_BYTES = 64

/** A path that people may name: as `parsePath`, but not inside the trash. */
export function userPath(given: string): string {
  const path = parsePath(given)
  if (isReserved(path))
    throw new Failure('storage.path', { detail: `${path} belongs to the trash`, next: 'Look into the trash: quorate trash list.' })
  return path
}

export function isReserved(path: string): boolean {
  return path === TRASH || path.startsWith(`${TRASH}/`)
}

/** `/` or `/a/b` in NFC without a trailing slash. Throws `storage.path`. */
export function parsePath(given: string): string {
  if (!given.startsWith('/')) refuse(given, 'it does not begin with /')
  if (!given.isWellFormed()) refuse(given, 'it holds half a character')
  const path = given.normalize('NFC').replace(/\/+$/, '')
  if (path === '') return '/'
  const bytesMax = limits.pathBytesMax + (isReserved(path) ? TRASH_PREFIX_BYTES : 0)
  if (utf8(path).length > bytesMax) refuse(given.slice(0, 80), `it is longer than ${limits.pathBytesMax} bytes`)
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') refuse(given, 'it has an empty part')
    if (segment === '.' || segment === '..') refuse(given, `it has the part ${segment}`)
    if (segment.includes('\0')) refuse(given, 'it holds a zero character')
    if (utf8(segment).length > limits.pathSegmentBytesMax)
      refuse(given.slice(0, 80), `a part is longer than ${limits.pathSegmentBytesMax} bytes`)
  }
  return path
}

/** The path of a file or folder below the root, with its folder and name. */
export function splitPath(given: string): SplitPath {
  const path = parsePath(given)
  if (path === '/') refuse(given, 'it is the root')
  const slash = path.lastIndexOf('/')
  return { path, parent: slash === 0 ? '/' : path.slice(0, slash), name: path.slice(slash + 1) }
}

/** The folders above a path, from the top, without the root. */
export function foldersAbove(path: string): string[] {
  const parts = path.slice(1).split('/')
  return parts.slice(0, -1).map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

/** True when `path` lies below `folder`. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`)
}

function refuse(path: string, why: string): never {
  throw new Failure('storage.path', { detail: `the path ${JSON.stringify(path)} cannot be used: ${why}`, next: 'Choose another name.' })
}
