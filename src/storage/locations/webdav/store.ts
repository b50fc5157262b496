// What the parts of the WebDAV driver share: requests, where our names lie, and that it is still the right place.
import type { IncomingHttpHeaders } from 'node:http'
import { type Clock, Failure, fromUtf8, utf8 } from '#base'
import { webdavBounds } from '../bounds.ts'
import type { FragmentName } from '../contract.ts'
import { locationFailure } from '../failures.ts'
import { type Dialect, type WebAnswer, WebClient, type WebClientOptions } from '../web/client.ts'
import { type Meanings, failureOf, garbage } from '../web/errors.ts'
import type { WebdavCredentialsProvider } from './credentials.ts'
import { type DavEntry, MultistatusReader, NoMultistatus } from './multistatus.ts'

/** Written once by whoever adds the location (docs/spec/vault.md). */
const MARKER = 'location.json'
export const PART_PREFIX = '.part-'

export interface WebdavStore {
  readonly client: WebClient
  readonly label: string
  readonly clock: Clock
  /** `https://host[:port]`. */
  readonly origin: string
  /** The folder of the location: encoded, and decoded; neither ends with a slash. */
  readonly base: string
  readonly basePath: string
  /** Folders that were made or seen, so that they are not made for every name. */
  readonly folders: Set<string>
  markerSeen: boolean
  /** Whether MOVE minds `Overwrite: F`; unless it does a look comes first. */
  moves: 'unknown' | 'honoured' | 'ignored'
  /** Whether a second MKCOL of one name is refused, so that a folder can be a lock. */
  locks: 'unknown' | 'good' | 'none'
}

export type WebdavStoreOptions = Omit<WebClientOptions, 'dialect' | 'url'> & {
  readonly endpoint: string
  readonly path: string
  readonly credentials: WebdavCredentialsProvider
  readonly honestCreate?: boolean | undefined
}

export function makeStore(options: WebdavStoreOptions): WebdavStore {
  const url = new URL(options.endpoint)
  const path = options.path.replaceAll(/^\/+|\/+$/g, '')
  return {
    client: new WebClient({ ...options, url, dialect: dialectOf(options) }),
    label: options.label,
    clock: options.clock,
    origin: url.origin,
    base: path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`,
    basePath: path === '' ? '' : `/${path}`,
    folders: new Set(),
    markerSeen: false,
    moves: options.honestCreate === true ? 'honoured' : 'unknown',
    locks: 'unknown',
  }
}

const RIGHTS = 'Check user and password, and that this user may write below the folder of the location.'

const MEANINGS: Meanings = {
  Denied: { code: 'location.denied', says: 'denies access', next: RIGHTS },
  Locked: {
    code: 'location.unreachable',
    says: 'holds a lock of somebody else',
    next: 'It is tried again by itself; close what else uses the folder.',
  },
  Conflict: {
    code: 'location.unreachable',
    says: 'lacks the folder on the way, or does not have that of the location',
    next: 'Make the folder of the location on the server.',
  },
  NotAllowed: {
    code: 'location.unsupported',
    says: 'does not offer WebDAV at this address',
    next: 'Check the address; it is that of a WebDAV folder, such as /remote.php/dav/files/NAME/vault of Nextcloud.',
  },
}

const WORDS: Readonly<Record<number, string>> = { 401: 'Denied', 403: 'Denied', 405: 'NotAllowed', 409: 'Conflict', 423: 'Locked' }

function dialectOf(options: WebdavStoreOptions): Dialect {
  return {
    authorise: async (request, { host, reload }) => {
      const { authorization } = await options.credentials({ reload })
      return { target: request.path, headers: { ...request.headers, host, authorization: fromUtf8(authorization.reveal()) } }
    },
    codeOf: ({ status }) => WORDS[status],
    reloads: () => true,
    failureOf: (answer) => failureOf(options.label, answer, MEANINGS),
    passing: new Set(['Locked']),
  }
}

export function statusFailure(store: WebdavStore, answer: { readonly status: number; readonly code: string | undefined }): Failure {
  return failureOf(store.label, answer, MEANINGS)
}

/** As a request asks for it. Names need no encoding. */
export function targetOf(store: WebdavStore, name: FragmentName): string {
  return `${store.base}/${name}`
}

const ASKED = utf8(
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>',
)

export interface Listed {
  readonly entries: readonly DavEntry[]
  /** By the server's clock, where it tells. */
  readonly nowMs: number
}

/** What is kept at a path, and with depth 1 what is in it. Undefined where there is nothing. */
export async function propfind(
  store: WebdavStore,
  target: string,
  how: { readonly depth: 0 | 1; readonly signal: AbortSignal | undefined },
): Promise<Listed | undefined> {
  let reader = new MultistatusReader()
  const intoOf = (status: number) => {
    if (status !== 207) return undefined
    reader = new MultistatusReader()
    return {
      length: webdavBounds.listBytesMax,
      exact: false,
      take: (bytes: Uint8Array): boolean => {
        try {
          reader.push(bytes)
        } catch {
          // Said at the end, when the answer is over.
        }
        return true
      },
    }
  }
  const headers = { depth: String(how.depth), 'content-type': 'application/xml; charset=utf-8' }
  const answer = await store.client.send({ method: 'PROPFIND', path: target, headers, body: [ASKED], signal: how.signal, intoOf })
  if (answer.status === 404 || answer.status === 410) return undefined
  if (answer.status !== 207) throw statusFailure(store, answer.status < 300 ? { status: 405, code: 'NotAllowed' } : answer)
  try {
    return { entries: reader.end(), nowMs: nowOf(answer.headers) ?? store.clock.now() }
  } catch (error) {
    if (error instanceof NoMultistatus) throw garbage(store.label, 'WebDAV')
    throw error
  }
}

function nowOf({ date }: IncomingHttpHeaders): number | undefined {
  const ms = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(ms) ? undefined : ms
}

/** What stands at a path, or undefined. */
export async function lookAt(store: WebdavStore, target: string, signal: AbortSignal | undefined): Promise<DavEntry | undefined> {
  const found = await propfind(store, target, { depth: 0, signal })
  if (found === undefined) return undefined
  const [entry] = found.entries
  if (entry === undefined || found.entries.length !== 1) throw garbage(store.label, 'WebDAV')
  return entry
}

/** The size of a fragment, or undefined; `location.not-ours` for a folder. */
export async function sizeOf(store: WebdavStore, name: FragmentName, signal: AbortSignal | undefined): Promise<number | undefined> {
  const found = await lookAt(store, targetOf(store, name), signal)
  if (found === undefined) return undefined
  if (found.isFolder) throw notOurs(store.label)
  if (found.sizeBytes === undefined) throw garbage(store.label, 'WebDAV')
  return found.sizeBytes
}

export function notOurs(label: string): Failure {
  return locationFailure('location.not-ours', {
    label,
    detail: `${label} has a folder where a fragment should be, or a file where a folder should be.`,
    next: 'Move what is not a fragment out of the folder of the location.',
  })
}

export function sawMarker(store: WebdavStore, name: FragmentName, there: boolean): void {
  if (name === MARKER) store.markerSeen = there
}

/** Throws unless the folder of the location stands and is the one it was. */
export async function requireRoot(store: WebdavStore, signal: AbortSignal | undefined): Promise<void> {
  if (store.markerSeen) {
    if ((await lookAt(store, targetOf(store, MARKER), signal)) !== undefined) return
    throw locationFailure('location.not-ours', {
      label: store.label,
      detail: `${store.label} is not the folder it was before: its marker is gone; the disk of the server may be unmounted. Nothing was written.`,
      next: 'Bring the right folder back; if the new one is to take its place, repair fills it.',
    })
  }
  const found = await lookAt(store, `${store.base}/`, signal)
  if (found === undefined) {
    throw locationFailure('location.unreachable', {
      label: store.label,
      detail: `${store.label} does not have the folder of the location.`,
      next: 'Make the folder on the server, or mount the disk that holds it.',
    })
  }
  if (!found.isFolder) throw notOurs(store.label)
}

/** Makes the folders on the way to a name; the folder of the location itself is never made. */
export async function prepareFolders(store: WebdavStore, name: FragmentName, signal: AbortSignal | undefined): Promise<void> {
  const segments = name.split('/').slice(0, -1)
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const folder = segments.slice(0, depth).join('/')
    if (store.folders.has(folder)) continue
    const answer = await store.client.send({ method: 'MKCOL', path: `${targetOf(store, folder)}/`, signal })
    if (answer.status >= 300 && answer.status !== 405) {
      // 409: the one above is missing, which for the first is the root.
      await requireRoot(store, signal)
      throw statusFailure(store, answer)
    }
    if (answer.status === 405 && (await lookAt(store, targetOf(store, folder), signal))?.isFolder === false) throw notOurs(store.label)
    if (store.folders.size >= webdavBounds.foldersKnownMax) store.folders.clear()
    store.folders.add(folder)
  }
}

/** Forgets the folders on the way to a name: somebody removed them. */
export function forgetFolders(store: WebdavStore, name: FragmentName): void {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) store.folders.delete(name.slice(0, at))
}

/** Removes a file of ours; nothing there is no failure. */
export function removeAt(store: WebdavStore, target: string, signal: AbortSignal | undefined): Promise<WebAnswer> {
  return store.client.send({ method: 'DELETE', path: target, signal })
}
