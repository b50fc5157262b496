// Files and folders of the vault: names, versions, bytes in and out.
import { Failure, rfc3339, utf8 } from '#base'
import { equalSecret } from '#crypto/primitives'
import type { Entry, Listing, Placement, Stored, Versions } from '#contract'
import { newId } from '#format'
import { addVersion, copyEntry, createFolder, moveEntry, requireWritable } from './catalogue.ts'
import { CATALOGUE_TYPE } from './catalogue-lines.ts'
import { contentTypeOf } from './content-type.ts'
import { requireHoldKept } from './keeping.ts'
import { findVersion, listFolder, objectAt, statEntry, versionsOf } from './listing.ts'
import type { WriteOutcome } from './object-writer.ts'
import { userPath } from './paths.ts'
import { searchNames } from './search.ts'
import type { SiteCore, Witness } from './site-core.ts'
import { displaceToTrash } from './trash.ts'

export interface OpenedToWrite {
  store(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Stored>
}

export interface OpenedToRead {
  readonly path: string
  readonly sizeBytes: number
  readonly type: string
  readonly modified: string
  readonly etag: string
  /** Random; stays with the file over renames. */
  readonly file: string
  /** Of the file: 1, 2, ... */
  readonly number: number
  hasDigest(sha256: string): boolean
  read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const FRAGMENT_READ_MAX = 2 ** 20
const SEARCH_MAX = 200

/** Everything about files that a site can do; `core` says whether there is a vault. */
export function siteFiles(core: SiteCore) {
  const files = {
    async list(request: {
      readonly path: string
      readonly recursive: boolean
      readonly after?: string | undefined
      readonly limit?: number | undefined
    }): Promise<Listing> {
      const { places } = core.open()
      const path = userPath(request.path)
      const page = await listFolder(core.db.kysely, {
        ...request,
        path,
        limit: Math.min(request.limit ?? 1000, 1000),
        present: places.present,
      })
      return { path, ...page }
    },

    /** Names below a folder that hold the text; `next` goes on, found or not. */
    async search(request: {
      readonly path: string
      readonly text: string
      readonly after?: string | undefined
      readonly limit?: number | undefined
    }): Promise<Listing> {
      const { places } = core.open()
      const path = userPath(request.path)
      const limit = Math.min(request.limit ?? SEARCH_MAX, SEARCH_MAX)
      return { path, ...(await searchNames(core.db.kysely, { ...request, path, limit, present: places.present })) }
    },

    async stat(request: { readonly path: string }): Promise<Entry> {
      return statEntry(core.db.kysely, userPath(request.path), core.open().places.present)
    },

    async versions(request: { readonly path: string }): Promise<Versions> {
      return versionsOf(core.db.kysely, userPath(request.path), core.open().places.present)
    },

    async openToWrite(request: {
      readonly path: string
      readonly modified?: string | undefined
      readonly type?: string | undefined
      readonly sizeBytes?: number | undefined
      readonly ifAbsent: boolean
      readonly witness?: Witness | undefined
    }): Promise<OpenedToWrite> {
      const { vault } = core.open()
      const { path, file } = await requireWritable(core.db.kysely, request.path, request.ifAbsent)
      const type = request.type ?? contentTypeOf(path)
      if (type === CATALOGUE_TYPE)
        throw new Failure('base.invalid', { detail: 'this media type is reserved', next: 'Store the file under another type.' })
      return {
        store: async (body, signal) => {
          const id = file?.file ?? newId()
          const stop = signal === undefined ? core.stop.signal : AbortSignal.any([signal, core.stop.signal])
          const { outcome } = await core.working(
            vault.store(
              {
                object: newId(),
                purpose: 'file',
                path,
                type,
                modified: request.modified,
                sizeBytes: request.sizeBytes,
                body,
                signal: stop,
              },
              async (tx, { deal, fragments, modified }) => {
                const added = await addVersion(tx, {
                  path,
                  file: id,
                  deal,
                  fragments,
                  created: deal.created,
                  modified,
                  at: rfc3339(core.clock.now()),
                  ifAbsent: request.ifAbsent,
                })
                await request.witness?.(tx, { id: added.file, version: added.number, path })
                return added
              },
            ),
          )
          return storedAnswer(core, { path, outcome })
        },
      }
    },

    async openToRead(
      request: { readonly path: string; readonly version?: number | undefined },
      signal?: AbortSignal,
    ): Promise<OpenedToRead> {
      const { vault } = core.open()
      const find = (): ReturnType<typeof findVersion> => findVersion(core.db.kysely, userPath(request.path), request.version)
      let version = await find()
      const reader = await core.working(
        vault.open(version.deal, signal).catch(async (error: unknown) => {
          // Another site may have dealt it anew.
          const before = version.deal.deal
          version = await find()
          if (version.deal.deal === before) throw error
          return vault.open(version.deal, signal)
        }),
      )
      core.readers.add(reader)
      return {
        path: version.path,
        sizeBytes: version.deal.size,
        type: version.deal.type,
        modified: version.modified,
        etag: version.deal.deal,
        file: version.file,
        number: version.number,
        hasDigest: (sha256) => equalSecret(utf8(reader.meta.sha256), utf8(sha256)),
        read: (range, stop) => reader.read(range, stop),
        close: async () => {
          core.readers.delete(reader)
          await reader.close()
        },
      }
    },

    async createFolder(request: { readonly path: string; readonly witness?: Witness | undefined }): Promise<Entry> {
      const path = userPath(request.path)
      await core.change(path, async (tx) => {
        await createFolder(tx, path, rfc3339(core.clock.now()))
        await request.witness?.(tx, undefined)
      })
      return files.stat(request)
    },

    /** What is replaced goes into the trash. */
    async move(request: {
      readonly from: string
      readonly to: string
      readonly replace: boolean
      readonly by?: string | undefined
      readonly witness?: Witness | undefined
    }): Promise<Entry> {
      const [from, to] = [userPath(request.from), userPath(request.to)]
      await core.change(to, async (tx) => {
        const at = rfc3339(core.clock.now())
        await requireHoldKept(tx, from, to, at)
        await moveEntry(tx, { from, to, replace: request.replace && displaceToTrash({ by: request.by ?? 'local', at }), at })
        await request.witness?.(tx, await objectAt(tx, to))
      })
      core.tellFiles(from)
      return files.stat({ path: to })
    },

    async copy(request: {
      readonly from: string
      readonly to: string
      readonly replace: boolean
      readonly by?: string | undefined
      readonly witness?: Witness | undefined
    }): Promise<Entry> {
      const [from, to] = [userPath(request.from), userPath(request.to)]
      await core.change(to, async (tx) => {
        const at = rfc3339(core.clock.now())
        await copyEntry(tx, { from, to, replace: request.replace && displaceToTrash({ by: request.by ?? 'local', at }), at })
        await request.witness?.(tx, await objectAt(tx, to))
      })
      return files.stat({ path: to })
    },

    /** The file at a path with its current version. Throws `storage.absent`, `storage.path` for a folder. */
    async objectAt(request: { readonly path: string }): Promise<{ readonly id: string; readonly version: number; readonly path: string }> {
      const { file, number, path } = await findVersion(core.db.kysely, userPath(request.path))
      return { id: file, version: number, path }
    },

    async placement(request: { readonly path: string; readonly version?: number | undefined }): Promise<Placement> {
      const { vault, places } = core.open()
      const version = await findVersion(core.db.kysely, userPath(request.path), request.version)
      const rows = await core.db.kysely.selectFrom('fragment').selectAll().where('deal', '=', version.deal.deal).orderBy('x').execute()
      return {
        path: version.path,
        version: version.number,
        threshold: version.deal.k,
        count: rows.length,
        layout: vault.row.layout,
        fragments: rows.map((row) => {
          const place = places.byId(row.location)
          const away = place === undefined || place.view.presence !== 'present'
          return {
            x: row.x,
            location: row.location,
            label: place?.label ?? row.location,
            state: row.state === 'held' ? (away ? 'away' : 'held') : row.state === 'writing' ? 'pending' : row.state,
            name: row.name,
            sizeBytes: row.size,
          }
        }),
      }
    },

    /** Raw bytes of one fragment: what the location, or a thief there, sees. */
    async fragment(request: {
      readonly path: string
      readonly x: number
      readonly offset: number
      readonly lengthBytes: number
    }): Promise<Uint8Array> {
      const { places } = core.open()
      const version = await findVersion(core.db.kysely, userPath(request.path))
      const row = await core.db.kysely
        .selectFrom('fragment')
        .selectAll()
        .where('deal', '=', version.deal.deal)
        .where('x', '=', request.x)
        .executeTakeFirst()
      const place = row === undefined ? undefined : places.byId(row.location)
      if (row === undefined || place === undefined || row.name === null)
        throw new Failure('storage.absent', { detail: `there is no fragment ${request.x} of ${version.path}` })
      const source = await place.location.open(row.name, { tailBytes: 0 })
      try {
        if (request.offset >= source.sizeBytes) throw new Failure('storage.range', { detail: `the fragment has ${source.sizeBytes} bytes` })
        const bytes = new Uint8Array(Math.min(request.lengthBytes, FRAGMENT_READ_MAX, source.sizeBytes - request.offset))
        await source.read(request.offset, bytes)
        return bytes
      } finally {
        await source.close()
      }
    },
  }
  return files
}

/** Tells everybody of a new version, and its uploader what became of it. */
export async function storedAnswer(
  core: SiteCore,
  { path, outcome }: { readonly path: string; readonly outcome: WriteOutcome },
): Promise<Stored> {
  const { vault, log, places } = core.open()
  log.schedule()
  core.changed()
  core.tellFiles(path)
  const laggards = outcome.missed.map(({ target }) => target.place.label)
  const count = outcome.held.length + outcome.missed.length
  return {
    entry: await statEntry(core.db.kysely, path, places.present),
    acknowledged: outcome.held.length,
    count,
    laggards,
    note: noteOf({ held: outcome.held.length, count, threshold: vault.row.threshold, laggards }),
  }
}

function noteOf(given: {
  readonly held: number
  readonly count: number
  readonly threshold: number
  readonly laggards: readonly string[]
}): string {
  if (given.laggards.length === 0) return `stored at ${given.held} of ${given.count} locations`
  const missing = given.laggards.join(', ')
  return given.held === given.threshold
    ? `stored, no redundancy yet: ${missing} did not take it; repair due`
    : `stored at ${given.held} of ${given.count} locations, repair due: ${missing} did not take it`
}
